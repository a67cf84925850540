#include "processors/journey/forget.h"

#include "processors/journey/care/turn.h"
#include "processors/journey/matters/matters.h"

/* What says how many there are now, not what happened. Someone alive leaves churn_rate's gauge of the living: without the
 * entry nobody would ever notice their going. */
static bool is_gauge(const struct contribution *contribution, bool is_alive)
{
    switch ((enum kpi_id)contribution->place.kpi) {
    case KPI_BACKLOG:
    case KPI_STAGE_CUSTOMERS:
    case KPI_ACTIVE_CUSTOMERS:
    case KPI_LOYALTY_SHARE:
    case KPI_REFERRAL_RATE:
    case KPI_HOT_OPEN: return true;
    case KPI_CHURN_RATE: return is_alive;
    default: return false;
    }
}

static bool is_alive_in(const struct tally *tally)
{
    int alive = 0;
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->items[i].place.kpi == KPI_CHURN_RATE)
            alive += tally->items[i].n;
    }
    return alive > 0;
}

void forget_customer(struct journey_task *task, struct entry *entry, struct step *step)
{
    struct customer *customer = entry->state;
    entry->is_deleted = true;
    entry->timer_at_ms = TIMER_NEVER;
    turn_forget(task, entry, step);
    if (outbox_sums_are_muted(step->outbox))
        return;
    struct scope all = {.matters = MATTER_ALL};
    tally_begin(&task->before, customer->evaluated_at_ms);
    matters_contribute(task, customer, &all, &task->before, false);
    bool is_alive = is_alive_in(&task->before);
    for (size_t i = 0; i < task->before.count; i++) {
        if (is_gauge(&task->before.items[i], is_alive))
            totals_add(task->totals, &task->before.items[i], -1);
    }
}
