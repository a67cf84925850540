/* The journey stage, START HERE: what happens to a touchpoint, in order.
 *
 *   decode → too late? → seen before? → forget? → read its text → compare what it changes before and after
 *   → additions for the KPI stage → cases, alerts, follow-ups → the enriched touchpoint
 *
 * The rooms: memory/ what is remembered of a customer, awake and packed; matters/ what an event changes, and what that counts for; tickets/ a
 * ticket's story and its promises; sums/ contributions added up to series; care/ hot scores, cases, alerts, follow-ups, churn; sentiment/
 * what a text says.
 *
 * A customer is one entry. KPIs are functions of the set of a customer's events: see contributions.h for how the
 * additions come about, customer.h for what is remembered, matters.h for what an event may change. Time alone changes things
 * too (deadlines, cohorts): the entry's timer makes the same comparison. */
#include "processors/journey/journey.h"

#include "base/clock.h"
#include "base/memory.h"
#include "processors/journey/apply.h"
#include "processors/journey/care/turn.h"
#include "processors/journey/enrich.h"
#include "processors/journey/forget.h"
#include "processors/journey/matters/activity.h"
#include "processors/journey/matters/stage.h"
#include "processors/journey/memory/keeping.h"
#include "processors/journey/memory/persist.h"
#include "processors/journey/memory/resting.h"
#include "processors/journey/memory/seal.h"
#include "processors/journey/miskeyed.h"
#include "processors/journey/reading.h"
#include "processors/journey/reject.h"
#include "processors/journey/tickets/story.h"
#include "schemas/touchpoint_rules.h"
#include "schemas/wire.h"

#include <stdlib.h>

/* --- a task's life --- */

static void *journey_task_create(void *shared, int32_t partition)
{
    struct journey_task *task = memory_zeroed(1, sizeof *task);
    task->shared = shared;
    atomic_fetch_add(&task->shared->task_count, 1);
    task->partition = partition;
    task->miskeyed = miskeyed_metric();
    task->misplaced = misplaced_metric();
    task->clock_sent_ms = task->clock_looked_ms = INT64_MIN;
    dimensions_init(&task->dimensions, &task->shared->plan);
    for (uint32_t channel = 0; channel < CHANNEL_COUNT; channel++)
        task->channel_tuples[channel] = dimensions_number(&task->dimensions, &(struct tuple){.channel = channel});
    task->totals = totals_create(&task->dimensions);
    task->heard = heard_create();
    arena_init(&task->route_arena);
    arena_init(&task->save_arena);
    task->guest = customers_create(1);
    return task;
}

static void journey_task_destroy(void *context)
{
    struct journey_task *task = context;
    atomic_fetch_sub(&task->shared->task_count, 1);
    totals_destroy(task->totals);
    heard_destroy(task->heard);
    dimensions_finish(&task->dimensions);
    tally_finish(&task->before);
    tally_finish(&task->after);
    story_finish(&task->story);
    stage_path_destroy(task->stage_path);
    arena_finish(&task->route_arena);
    free(task->turn);
    arena_finish(&task->save_arena);
    free(task->guest);
    bytes_finish(&task->save_bytes);
    naming_destroy(task->naming);
    keeping_finish(&task->keeping);
    packing_finish(&task->packing);
    resting_finish(task);
    map_finish(&task->forgotten, NULL);
    free(task);
}

/* --- where a record goes --- */

/* A tick is ours and knows best: a producer's clock may be ahead, and ours have been and set right. */
static void note_time(struct journey_task *task, const struct record *record)
{
    bool is_tick = record->key.data == NULL && record->value.data == NULL;
    if (is_tick || record->timestamp_ms > task->timestamp_ms)
        task->timestamp_ms = record->timestamp_ms;
}

static enum outcome journey_route(void *context, const struct record *record, struct route *out)
{
    struct journey_task *task = context;
    *out = (struct route){.event_at_ms = INT64_MIN};
    note_time(task, record);
    struct routed *routed = &task->routed[task->routed_count++ % ROUTED_MAX];
    routed->value = (struct view){NULL, 0};
    routed->offset = record->offset;
    routed->heard_at_ms = record->timestamp_ms;
    if (record->value.data == NULL) {
        out->is_tick = record->key.data == NULL;
        out->event_at_ms = out->is_tick ? record->timestamp_ms : INT64_MIN;
        return out->is_tick ? OUTCOME_OK : OUTCOME_PARK;
    }
    enum outcome outcome =
        record_reader_read(task->shared->touchpoints, record->value, &task->route_arena, &routed->touch, &routed->avro, NULL);
    if (outcome == OUTCOME_OK) {
        routed->value = record->value;
        routed->heard_at_ms = routed->touch.received_at_ms;
    }
    struct json_fault fault;
    if (outcome == OUTCOME_PARK ||
        (outcome == OUTCOME_OK && !check_record(&routed->touch, record->timestamp_ms, &task->route_arena, &fault)))
        return OUTCOME_PARK;
    if (outcome != OUTCOME_OK)
        return outcome; /* the registry is away, or refuses us */
    out->key = routed->touch.customer_id;
    out->event_at_ms = routed->touch.occurred_at_ms < routed->touch.received_at_ms ? routed->touch.occurred_at_ms
                                                                                   : routed->touch.received_at_ms;
    return OUTCOME_OK;
}

/* --- a touchpoint --- */

/* The engine routes a group of records before it applies the first: what route decoded is found among the latest. */
static enum outcome touch_decode(struct journey_task *task, struct step *step, struct touchpoint *touch, struct view *avro)
{
    for (uint32_t i = 0; i < ROUTED_MAX; i++) {
        const struct routed *routed = &task->routed[task->applied_count++ % ROUTED_MAX];
        if (routed->offset != step->offset || routed->value.data == NULL)
            continue;
        *touch = routed->touch;
        *avro = routed->avro;
        return OUTCOME_OK;
    }
    return record_reader_read(task->shared->touchpoints, step->record->value, step->arena, touch, avro, NULL);
}

static bool is_too_late(const struct journey_task *task, const struct touchpoint *touch, int64_t clock_ms)
{
    return clock_ms > CLOCK_UNSET && touch->occurred_at_ms < clock_ms - task->shared->settings->revision_horizon_ms;
}

static bool is_first_sight(struct journey_task *task, struct customer *customer, const struct touchpoint *touch)
{
    const struct dedupe_bounds bounds = {task->shared->settings->dedupe_kept_ms, (uint32_t)task->shared->settings->dedupe_max};
    return dedupe_first_sight(&customer->room, &customer->seen, &touch->event_id, touch->received_at_ms, &bounds,
                              &task->forgotten_ids);
}

/* Somebody of whom there is no activity (somebody worked on a case that is none) is as old as their last evaluation. */
static int64_t lapse_of(const struct journey_task *task, const struct customer *customer)
{
    return forget_lapse_ms(task, customer->has_activity ? customer->activity.last_ms : customer->evaluated_at_ms);
}

/* The comparison that all KPI additions come from. */
static void touch_count(struct journey_task *task, struct entry *entry, const struct arrival *arrival, struct step *step)
{
    struct customer *customer = entry->state;
    bool is_muted = outbox_sums_are_muted(step->outbox);
    struct scope scope = scope_of_touch(customer, arrival, task->dimensions.tuples[arrival->tuple].segment);
    tally_begin(&task->before, customer->evaluated_at_ms);
    if (!is_muted)
        matters_contribute(task, customer, &scope, &task->before, false);
    arrival_remember(task, customer, arrival);
    if (scope.matters & MATTER_STAGE)
        stage_follow(customer, arrival->moment.at_ms);
    customer->evaluated_at_ms = step->clock_ms;
    tally_begin(&task->after, step->clock_ms);
    matters_contribute(task, customer, &scope, &task->after, true);
    arrival_contribute(task, customer, arrival, &task->after);
    keeping_follow(task, customer, step->outbox);
    totals_reach(task->totals, step->clock_ms > arrival->moment.at_ms ? step->clock_ms : arrival->moment.at_ms);
    if (!is_muted)
        totals_add_difference(task->totals, &task->before, &task->after);
    timer_set_by(entry, task->after.next_at_ms);
    timer_set_by(entry, lapse_of(task, customer));
}

static int64_t deadlines_pass(struct step *step, struct entry *entry);

/* Of a life that ended before it came: it counts as of then, and that is all. */
static enum outcome past_apply(struct journey_task *task, struct entry *entry, const struct touchpoint *touch, struct step *step,
                               int64_t ended_at_ms)
{
    struct step then = *step;
    then.clock_ms = ended_at_ms < step->clock_ms ? ended_at_ms : step->clock_ms;
    struct customer *customer = customer_begin(task, entry);
    customer->evaluated_at_ms = then.clock_ms;
    struct impression impression;
    impression_read(&impression, touch, task->shared->libraries);
    struct arrival arrival = arrival_of(task, touch, &impression);
    touch_count(task, entry, &arrival, &then);
    forget_entry(task, entry, &then);
    return OUTCOME_OK;
}

static enum outcome journey_apply(struct step *step, struct entry *entry)
{
    struct journey_task *task = step->task;
    totals_hear(task->totals, step->outbox);
    struct enriched_touchpoint enriched = {0};
    struct view raw;
    enum outcome outcome = touch_decode(task, step, &enriched.touch, &raw);
    if (outcome != OUTCOME_OK)
        return outcome;
    const struct touchpoint *touch = &enriched.touch;
    if (!view_equal(step->record->key, touch->customer_id))
        miskeyed_note(task, step, touch->source);
    else if (step->offset % MISPLACED_LOOK_EVERY == 0)
        misplaced_look(task, step, touch->source);
    if (activity_is_one(touch) && !outbox_sums_are_muted(step->outbox)) /* who works on a case is no source of data */
        heard_note(task->heard, touch->source, touch->received_at_ms < step->record_at_ms ? touch->received_at_ms : step->record_at_ms);
    task->refusal = "happened longer ago than journey.revision_horizon";
    if (is_too_late(task, touch, step->clock_ms))
        return OUTCOME_PARK;
    struct customer *customer;
    int64_t ended_at_ms;
    if (entry->state == NULL && forget_is_past(task, touch, step->clock_ms, &ended_at_ms))
        return past_apply(task, entry, touch, step, ended_at_ms);
    if (entry->state) {
        customer = customer_wake(task, entry);
    } else {
        forget_is_over(task, touch->customer_id);
        customer = customer_begin(task, entry);
        customer->evaluated_at_ms = step->clock_ms;
        entry->is_deleted = false;
        entry->timer_at_ms = TIMER_NEVER;
    }
    task->refusal = "too much of this customer's is open to remember more (twice journey.history_max)";
    if (seal_is_full(task, customer, touch))
        return OUTCOME_PARK;
    task->refusal = NULL;
    if (!is_first_sight(task, customer, touch))
        return OUTCOME_OK;
    /* This record may have moved the clock past deadlines of its own customer: they passed before it, and an answer that comes too
     * late does not undo the alert about it. */
    if (entry->timer_at_ms <= step->clock_ms)
        deadlines_pass(step, entry);
    struct impression impression;
    impression_read(&impression, touch, task->shared->libraries);
    struct arrival arrival = arrival_of(task, touch, &impression);
    touch_count(task, entry, &arrival, step);
    seal_oldest(task, customer);
    /* Cases, hot scores, alerts and follow-ups take their turn: the customer is as the event left them, and what
     * they find (hot_score, reasons, churn_risk) goes into `enriched`. */
    turn_on_touch(task, entry, &arrival, step, &enriched);
    enrich_describe(task, customer, &arrival, &enriched, step);
    enrich_send(task, &enriched, raw, step);
    if (touch->body_kind == TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN)
        forget_customer(task, entry, step, touch->occurred_at_ms);
    return OUTCOME_OK;
}

/* --- time --- */

/* When they are forgotten for want of news; TIMER_NEVER: never, or not while there is a deadline left that a KPI hangs on. */
static int64_t time_pass(struct journey_task *task, struct entry *entry, struct step *step)
{
    struct customer *customer = entry->state;
    int64_t lapse_ms = lapse_of(task, customer); /* by what was known of them before this */
    bool is_muted = outbox_sums_are_muted(step->outbox);
    struct scope scope = scope_of_time(step->clock_ms);
    tally_begin(&task->before, customer->evaluated_at_ms);
    if (!is_muted)
        matters_contribute(task, customer, &scope, &task->before, false);
    customer->evaluated_at_ms = step->clock_ms;
    tally_begin(&task->after, step->clock_ms);
    matters_contribute(task, customer, &scope, &task->after, true);
    totals_reach(task->totals, step->clock_ms);
    if (!is_muted)
        totals_add_difference(task->totals, &task->before, &task->after);
    entry->timer_at_ms = matters_next_at_ms(task, customer, &task->after);
    if (entry->timer_at_ms != TIMER_NEVER)
        return TIMER_NEVER;
    timer_set_by(entry, lapse_of(task, customer));
    return lapse_ms;
}

/* Gives what time_pass does. */
static int64_t deadlines_pass(struct step *step, struct entry *entry)
{
    totals_hear(((struct journey_task *)step->task)->totals, step->outbox);
    customer_wake(step->task, entry);
    int64_t lapse_ms = time_pass(step->task, entry, step);
    turn_on_time(step->task, entry, step);
    /* Whoever asks for a time that is past gets the next one: a timer that stands still would be taken out by the engine,
     * and every deadline of this customer with it. */
    if (entry->timer_at_ms <= step->clock_ms)
        entry->timer_at_ms = step->clock_ms + 1;
    return lapse_ms;
}

static void journey_timer(struct step *step, struct entry *entry)
{
    int64_t lapse_ms = deadlines_pass(step, entry);
    if (lapse_ms <= step->clock_ms)
        forget_customer(step->task, entry, step, lapse_ms);
}

static int64_t second_of(int64_t at_ms, int32_t partition)
{
    return (at_ms - kpi_phase_ms(partition)) / SECONDS(1);
}

static void clock_send(struct journey_task *task, struct step *step, int32_t partition)
{
    struct kpi_delta delta = {.kind = DELTA_KIND_CLOCK, .kpi = VIEW_LITERAL(""), .dimension = VIEW_LITERAL(""),
                              .source_partition = task->partition, .clock_at_ms = step->clock_ms, .has_is_behind = step->is_behind, .is_behind = step->is_behind};
    struct bytes *value = outbox_begin(step->outbox, JOURNEY_OUTPUT_DELTAS, partition, VIEW_LITERAL(KPI_CLOCK_KEY), task->timestamp_ms);
    wire_begin(value, task->shared->ids.kpi_delta);
    kpi_delta_encode(value, &delta);
    outbox_end(step->outbox);
    if (partition == 0)
        task->clock_sent_ms = step->clock_ms;
}

/* Each partition of the KPI stage's input hears of our clock once a second of record time; all at once when it runs faster than that, and
 * when we have caught up. */
static void clock_tell(struct journey_task *task, struct step *step)
{
    if (step->clock_ms <= CLOCK_UNSET)
        return;
    bool is_first = task->clock_sent_ms == INT64_MIN, is_news = task->clock_sent_behind && !step->is_behind;
    bool is_for_all = is_first || is_news || step->clock_ms - task->clock_sent_ms >= SECONDS(2);
    int32_t count = outbox_partition_count(step->outbox, JOURNEY_OUTPUT_DELTAS);
    for (int32_t partition = 0; partition < count; partition++) {
        if (is_for_all || second_of(task->timestamp_ms, partition) != second_of(task->clock_looked_ms, partition))
            clock_send(task, step, partition);
    }
    task->clock_looked_ms = task->timestamp_ms;
    task->clock_sent_behind = step->is_behind;
}

/* The clock after the additions: what happened until then has been told when it is heard. Not from a clock_moved: when the
 * stage catches up, the clock runs by hours while a batch is filled, and each series would be sent as often. */
static void journey_summarise(struct step *step)
{
    struct journey_task *task = step->task;
    struct totals_target target = {step->outbox, JOURNEY_OUTPUT_DELTAS, task->shared->ids.kpi_delta, task->partition,
                                   step->clock_ms, task->timestamp_ms};
    totals_flush(task->totals, &target);
    heard_send(task->heard, &target);
    clock_tell(task, step);
}

static void journey_batch_end(struct step *step)
{
    struct journey_task *task = step->task;
    arena_reset(&task->route_arena); /* all that was routed has been applied */
    memset(task->routed, 0, sizeof task->routed);
}

/* --- checkpoints --- */

static void journey_entry_save(void *task, struct entry *entry, struct bytes *value)
{
    persist_save(task, entry, value);
}

static bool journey_entry_load(void *task, struct entry *entry, struct view value)
{
    forget_is_over(task, entry_key(entry)); /* the tombstone before it was of an earlier life */
    return persist_load(task, entry, value);
}

static void journey_entry_free(void *task, struct entry *entry)
{
    customer_release(task, entry);
}

static const char *const outputs[] = {
    [JOURNEY_OUTPUT_ENRICHED] = "touchpoints.enriched", [JOURNEY_OUTPUT_ALERTS] = "alerts",
    [JOURNEY_OUTPUT_FOLLOWUPS] = "followups",           [JOURNEY_OUTPUT_DELTAS] = "kpi.deltas",
    [JOURNEY_OUTPUT_REJECTED] = "touchpoints.rejected", NULL};

const struct processor journey_processor = {
    .name = "journey",
    .input = "touchpoints",
    .checkpoint = "journeys",
    .outputs = outputs,
    .urgent_outputs = 1U << JOURNEY_OUTPUT_ALERTS,
    .allowed_disorder_ms = SECONDS(5),
    .version = PERSIST_VERSION,
    .task_create = journey_task_create,
    .task_destroy = journey_task_destroy,
    .route = journey_route,
    .expect = customer_expect,
    .apply = journey_apply,
    .timer = journey_timer,
    .batch_end = journey_batch_end,
    .summarise = journey_summarise,
    .park = reject_park,
    .entry_save = journey_entry_save,
    .entry_load = journey_entry_load,
    .entry_free = journey_entry_free,
    .key_note = forget_note,
    .key_noted = forget_noted,
    .wants_heir = keeping_wants_heir,
};
