#include "processors/journey/care/turn.h"

#include "base/memory.h"
#include "schemas/wire.h"

static int64_t heard_at_ms(const struct journey_task *task, int64_t offset)
{
    for (int i = 0; i < ROUTED_MAX; i++) {
        if (task->routed[i].offset == offset)
            return task->routed[i].heard_at_ms;
    }
    return task->timestamp_ms;
}

/* Never before what is known already. The clock stays behind the newest event, and both what was due in between and an event that comes a moment
 * out of order would else look at the customer as they were before it, and take back what it said. */
static int64_t as_of_ms(const struct customer *customer, int64_t clock_ms)
{
    const struct care *care = customer->care;
    int64_t at_ms = clock_ms;
    if (customer->has_activity && customer->activity.last_ms > at_ms)
        at_ms = customer->activity.last_ms;
    if (care && care->fact_count > 0 && care->facts[care->fact_count - 1].moment.at_ms > at_ms)
        at_ms = care->facts[care->fact_count - 1].moment.at_ms;
    return at_ms;
}

/* Field by field: clearing what the last turn read would cost more than a quiet customer's turn. */
static struct turn *turn_begin(struct journey_task *task, struct entry *entry, struct step *step, int64_t heard_at_ms)
{
    if (task->turn == NULL)
        task->turn = memory_zeroed(1, sizeof *task->turn);
    struct turn *turn = task->turn;
    turn->task = task;
    turn->customer = entry->state;
    turn->customer_id = entry_key(entry);
    turn->arrival = NULL;
    turn->step = step;
    turn->heard_at_ms = heard_at_ms;
    turn->at_ms = as_of_ms(turn->customer, step->clock_ms);
    turn->settings = &task->shared->settings->cases;
    turn->cases.count = 0;
    turn->hot.count = 0;
    return turn;
}

bool turn_is_historical(const struct turn *turn, int64_t happened_at_ms)
{
    return happened_at_ms < turn->heard_at_ms - turn->settings->historical_after_ms;
}

void turn_send_alert(struct turn *turn, const struct alert *alert)
{
    struct view key = alert->case_id.data ? alert->case_id : alert->alert_id;
    struct bytes *value = outbox_begin(turn->step->outbox, JOURNEY_OUTPUT_ALERTS, OUTBOX_BY_KEY, key, turn->task->timestamp_ms);
    wire_begin(value, turn->task->shared->ids.alert);
    alert_encode(value, alert);
    outbox_end(turn->step->outbox);
}

/* --- the score --- */

static void score_read(struct turn *turn)
{
    struct care *care = turn->customer->care;
    int64_t from_ms = INT64_MIN;
    turn->cases.count = 0;
    if (care) {
        cases_read(care, turn->settings, turn->at_ms, NULL, &turn->cases);
        const struct case_story *last = turn->cases.count ? &turn->cases.stories[turn->cases.count - 1] : NULL;
        from_ms = last == NULL ? INT64_MIN : case_is_live(last->state) ? last->points_from_ms : last->changed_at_ms;
    }
    hot_score_read(turn->task, turn->customer, turn->at_ms, from_ms, turn->step->arena, &turn->hot);
}

/* The fact that the score crossed comes from our own arithmetic, not from a touchpoint: what it adds to the KPIs is
 * compared here, before and after, as journey.c does for touchpoints. */
static void crossing_remember(struct turn *turn, struct entry *entry, const struct case_fact *fact)
{
    struct journey_task *task = turn->task;
    struct customer *customer = turn->customer;
    tally_begin(&task->before, customer->evaluated_at_ms);
    cases_contribute(task, customer, &task->before);
    if (!care_fact_add(customer, fact))
        return;
    tally_begin(&task->after, customer->evaluated_at_ms);
    cases_contribute(task, customer, &task->after);
    if (!outbox_sums_are_muted(turn->step->outbox))
        totals_add_difference(task->totals, &task->before, &task->after);
    timer_set_by(entry, task->after.next_at_ms);
}

/* Time alone makes a customer hot as a promise to them is endangered, or broken: at the first such instant since anything happened at which
 * they were. The clock may be far beyond it, in history or where the partition was silent. Leaves the score as it was then. */
static int64_t crossed_at_ms(struct turn *turn)
{
    int64_t now_ms = turn->at_ms, at_ms = as_of_ms(turn->customer, INT64_MIN);
    bool is_hot = false;
    while (!is_hot && at_ms < now_ms) {
        int64_t next_at_ms = alert_rules_promise_after(turn, at_ms);
        turn->at_ms = at_ms = next_at_ms < now_ms ? next_at_ms : now_ms;
        score_read(turn);
        is_hot = turn->hot.score >= turn->settings->hot_from && !turn_live_case(turn);
    }
    turn->at_ms = now_ms;
    return at_ms;
}

static bool crossing_of(struct turn *turn, struct case_fact *fact)
{
    int64_t at_ms = turn->arrival ? turn->arrival->moment.at_ms : crossed_at_ms(turn);
    const struct hot_reason *heaviest = NULL;
    for (uint32_t i = 0; i < turn->hot.count && heaviest == NULL; i++)
        heaviest = turn->hot.reasons[i].has_event ? &turn->hot.reasons[i] : NULL;
    if (heaviest == NULL && turn->arrival == NULL)
        return false;
    *fact = (struct case_fact){.code = FACT_CROSSED, .stage = turn->customer->stage};
    fact->moment = turn->arrival ? turn->arrival->moment : heaviest->event;
    fact->moment.at_ms = at_ms;
    fact->tuple = turn->arrival ? turn->arrival->tuple
                                : dimensions_of_segment(&turn->task->dimensions, turn->customer->segment);
    struct uuid id = case_id_of(turn->customer_id, &fact->moment);
    fact->case_identity = case_identity_of(&id);
    return true;
}

static void score_review(struct turn *turn, struct entry *entry)
{
    bool was_hot = turn->customer->care && turn->customer->care->is_hot;
    bool is_hot = turn->hot.score >= (was_hot ? turn->settings->hot_until : turn->settings->hot_from);
    if (is_hot == was_hot)
        return;
    customer_care(turn->customer)->is_hot = is_hot;
    if (!is_hot || turn_live_case(turn))
        return;
    struct case_fact fact;
    if (crossing_of(turn, &fact))
        crossing_remember(turn, entry, &fact);
    score_read(turn);
}

/* --- a turn --- */

static void take(struct turn *turn, struct entry *entry)
{
    score_read(turn);
    score_review(turn, entry);
    turn->churn_risk = churn_risk_of(turn);
    turn->customer->churn_thousandths = (uint16_t)(turn->churn_risk * 1000 + 0.5);
    alert_rules_review(turn);
    case_alerts_tell(turn);
    int64_t followup_ms = followups_review(turn);
    if (turn->customer->care) {
        care_tidy(turn->task, turn->customer, turn->step->clock_ms);
        turn->promises_are_stale |= turn->customer->care == NULL;
    }
    timer_set_by(entry, alert_rules_next_ms(turn));
    timer_set_by(entry, case_alerts_next_ms(turn));
    timer_set_by(entry, followup_ms);
}

/* "NPS 2 of 10 (+35.0)". By hand: it is written for every event of a customer in trouble. */
static struct view reason_text(struct arena *arena, const struct hot_reason *reason)
{
    unsigned tenths = (unsigned)(reason->points * 10 + 0.5);
    char tail[16], *at = tail + sizeof tail;
    *--at = ')';
    *--at = (char)('0' + tenths % 10);
    *--at = '.';
    for (tenths /= 10; tenths >= 10; tenths /= 10)
        *--at = (char)('0' + tenths % 10);
    *--at = (char)('0' + tenths);
    *--at = '+';
    *--at = '(';
    *--at = ' ';
    size_t tail_size = (size_t)(tail + sizeof tail - at);
    char *text = arena_alloc(arena, reason->text.size + tail_size);
    memcpy(text, reason->text.data, reason->text.size);
    memcpy(text + reason->text.size, at, tail_size);
    return view_of(text, reason->text.size + tail_size);
}

static void enriched_fill(const struct turn *turn, struct enriched_touchpoint *out)
{
    out->hot_score = turn->hot.score;
    out->churn_risk = turn->churn_risk;
    out->reasons.count = turn->hot.count;
    out->reasons.items = NULL;
    if (turn->hot.count > 0)
        out->reasons.items = arena_alloc(turn->step->arena, turn->hot.count * sizeof *out->reasons.items);
    for (uint32_t i = 0; i < turn->hot.count; i++) {
        const struct hot_reason *reason = &turn->hot.reasons[i];
        out->reasons.items[i] = reason_text(turn->step->arena, reason);
    }
}

void turn_on_touch(struct journey_task *task, struct entry *entry, const struct arrival *arrival, struct step *step,
                   struct enriched_touchpoint *enriched)
{
    struct turn *turn = turn_begin(task, entry, step, arrival->touch->received_at_ms);
    turn->arrival = arrival;
    if (turn->at_ms < arrival->touch->occurred_at_ms)
        turn->at_ms = arrival->touch->occurred_at_ms;
    take(turn, entry);
    enriched_fill(turn, enriched);
}

void turn_on_time(struct journey_task *task, struct entry *entry, struct step *step)
{
    take(turn_begin(task, entry, step, heard_at_ms(task, step->offset)), entry);
}

void turn_forget(struct journey_task *task, struct entry *entry, struct step *step)
{
    struct turn *turn = turn_begin(task, entry, step, step->clock_ms);
    if (turn->customer->care == NULL)
        return;
    case_alerts_forget(turn);
    rule_alerts_forget(turn);
}
