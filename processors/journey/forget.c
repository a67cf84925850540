#include "processors/journey/forget.h"

#include "base/clock.h"
#include "base/hash.h"
#include "processors/journey/care/turn.h"
#include "processors/journey/matters/matters.h"
#include "processors/journey/memory/keeping.h"

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

void forget_entry(struct journey_task *task, struct entry *entry, struct step *step)
{
    struct customer *customer = entry->state;
    entry->is_deleted = true;
    entry->timer_at_ms = TIMER_NEVER;
    keeping_leave(task, customer);
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

/* --- who was forgotten when --- */

enum { FORGOTTEN_SWEPT_FROM = 1024 };

static struct view mark_of(struct view customer_id, uint64_t *mark)
{
    *mark = hash_bytes(customer_id);
    return view_of(mark, sizeof *mark);
}

/* Those of whom nothing is known any more, once there are twice as many as the last time. */
static void sweep(struct journey_task *task, int64_t clock_ms)
{
    if (task->forgotten.count < task->forgotten_most)
        return;
    struct map kept = {0};
    const struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&task->forgotten, &at));)
        if ((intptr_t)slot->value > clock_ms - FORGOTTEN_KNOWN_MS)
            *map_place(&kept, view_of(slot->key, slot->key_size)) = slot->value;
    map_finish(&task->forgotten, NULL);
    task->forgotten = kept;
    task->forgotten_most = FORGOTTEN_SWEPT_FROM + 2 * kept.count;
}

void forget_noted(void *context, struct view customer_id, int64_t note)
{
    struct journey_task *task = context;
    uint64_t mark;
    *map_place(&task->forgotten, mark_of(customer_id, &mark)) = (void *)(intptr_t)note;
}

int64_t forget_note(void *context, struct view customer_id)
{
    const struct journey_task *task = context;
    uint64_t mark;
    return (intptr_t)map_find(&task->forgotten, mark_of(customer_id, &mark));
}

void forget_is_over(struct journey_task *task, struct view customer_id)
{
    uint64_t mark;
    if (task->forgotten.count)
        map_remove(&task->forgotten, mark_of(customer_id, &mark));
}

bool forget_is_past(const struct journey_task *task, const struct touchpoint *touch, int64_t clock_ms, int64_t *ended_at_ms)
{
    uint64_t mark;
    if (task->forgotten.count == 0)
        return false;
    *ended_at_ms = (intptr_t)map_find(&task->forgotten, mark_of(touch->customer_id, &mark));
    return *ended_at_ms && touch->occurred_at_ms <= *ended_at_ms && clock_ms - FORGOTTEN_KNOWN_MS < *ended_at_ms;
}

/* --- forgetting --- */

int64_t forget_lapse_ms(const struct journey_task *task, int64_t last_ms)
{
    int64_t kept_ms = task->shared->settings->kept_ms;
    return kept_ms > 0 ? last_ms + kept_ms : TIMER_NEVER;
}

void forget_customer(struct journey_task *task, struct entry *entry, struct step *step, int64_t at_ms)
{
    turn_forget(task, entry, step);
    sweep(task, step->clock_ms);
    forget_noted(task, entry_key(entry), at_ms);
    forget_entry(task, entry, step);
}
