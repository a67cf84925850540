/* When what is known of an alert is due, and who is told it together with others. */
#include "sinks/notify/waiting_private.h"

#include "base/memory.h"
#include "sinks/notify/silences.h"

/* --- one alert's plan --- */

/* It is in the digest, and nowhere else; but that is no place for what is critical by now, nor for the end of what was told. */
static bool is_put_off(const struct receiver *receiver, const struct track *track)
{
    bool is_critical = track->severity == SEVERITY_CRITICAL && !receiver->digest.caps_critical && !track_is_over(track);
    return receiver->digest.daily_max && track->is_capped && !is_critical && !(track->is_told && track_is_over(track));
}

/* −1: never. */
static int64_t after_ms_of(const struct receiver *receiver, int severity)
{
    return receiver->escalates ? receiver->after_ms[severity] : severity >= (int)receiver->least ? 0 : -1;
}

static int64_t held_until_ms(const struct waiting *waiting, const struct track *track, int64_t at_ms)
{
    for (int64_t before_ms = INT64_MIN; at_ms != before_ms && at_ms != INT64_MAX;) {
        before_ms = at_ms;
        at_ms = silences_end_ms(waiting->receiver->silences, track->silences, at_ms);
        if (waiting->receiver->inhibits)
            at_ms = inhibition_end_ms(&waiting->inhibition, &track->subject, at_ms);
    }
    return at_ms;
}

/* What is due, by when it may be told and when it must. */
static struct plan with_company(const struct waiting *waiting, const struct track *track, struct plan plan)
{
    const struct grouping *grouping = &waiting->receiver->grouping;
    bool may_be_inhibited = waiting->receiver->inhibits && track->subject.is_kpi && !track_is_over(track);
    plan.free_ms = may_be_inhibited ? later_of(plan.due_ms, track->taken_ms + INHIBITION_WAIT_MS) : plan.due_ms;
    plan.ready_ms = plan.free_ms;
    if (track->group && plan.due_ms != INT64_MAX) {
        plan.ready_ms = later_of(plan.free_ms, track->taken_ms + grouping->wait_ms);
        if (track->group->told_ms != INT64_MIN)
            plan.ready_ms = later_of(plan.ready_ms, track->group->told_ms + grouping->interval_ms);
    }
    return plan;
}

/* What was told and nobody has acted on, nor ended. */
static void plan_repeat(const struct receiver *receiver, const struct track *track, struct plan *plan)
{
    if (!receiver->repeat_ms || !track->is_told || track->state != ALERT_STATE_OPEN || track_has_changed(track))
        return;
    plan->told_again_ms = track->told_ms;
    plan->due_ms = later_of(track->told_ms, track->capped_ms) + receiver->repeat_ms;
}

struct plan plan_of(const struct waiting *waiting, const struct track *track, int64_t now_ms)
{
    const struct receiver *receiver = waiting->receiver;
    struct plan plan = {.due_ms = INT64_MAX, .free_ms = INT64_MAX, .ready_ms = INT64_MAX};
    if (is_put_off(receiver, track) || track->record.size == 0)
        return plan;
    plan_repeat(receiver, track, &plan);
    if (track_is_news(track))
        plan.due_ms = track->changed_at_ms;
    for (int severity = 0; severity < SEVERITIES && !track->is_told && track_has_changed(track); severity++) {
        int64_t after_ms = after_ms_of(receiver, severity);
        if (after_ms < 0 || track->since_ms[severity] == NOT_OPEN || track->since_ms[severity] + after_ms >= plan.due_ms)
            continue;
        plan.due_ms = track->since_ms[severity] + after_ms;
        plan.waited_ms = after_ms;
    }
    if (plan.due_ms == INT64_MAX || track_is_over(track))
        return with_company(waiting, track, plan);
    int64_t held_ms = held_until_ms(waiting, track, plan.due_ms);
    int64_t from_now_ms = receiver->inhibits ? inhibition_end_ms(&waiting->inhibition, &track->subject, now_ms) : now_ms;
    if (held_ms <= now_ms && from_now_ms > now_ms) /* it has begun since: while the receiver did not answer, say */
        held_ms = from_now_ms;
    plan.is_inhibited = held_ms == INT64_MAX && (!plan.told_again_ms || plan.due_ms <= now_ms);
    plan.waited_ms = plan.told_again_ms                         ? later_of(held_ms, now_ms) - track->since_ms[track->severity]
                     : receiver->escalates && !track->is_told ? plan.waited_ms + (held_ms - plan.due_ms)
                                                              : 0;
    plan.due_ms = held_ms;
    return with_company(waiting, track, plan);
}

bool plan_is_too_old(const struct track *track, const struct plan *plan, int64_t now_ms, int64_t age_max_ms)
{
    return plan->due_ms < now_ms - age_max_ms && !plan->told_again_ms && !(track->is_told && track_is_over(track));
}

static void add(struct waiting *waiting, struct due *due, const struct track *track, const struct plan *plan)
{
    if (due->count == DUE_OF_GROUP_MOST) /* the rest comes with the group's next message */
        return;
    if (due->count == waiting->item_capacity) {
        waiting->item_capacity = waiting->item_capacity ? 2 * waiting->item_capacity : DUE_MOST;
        waiting->items = memory_resize(waiting->items, waiting->item_capacity * sizeof *waiting->items);
    }
    waiting->items[due->count++] = (struct due_item){bytes_view(&track->record), plan->waited_ms, plan->told_again_ms};
    due->items = waiting->items;
}

/* --- of all of them --- */

/* What is to be told now, the soonest first. Many at once: each look goes through all that waits. */
struct candidate {
    const struct track *track;
    struct plan plan;
};

struct soonest {
    size_t count;
    struct candidate candidates[DUE_MOST];
};

/* All of a group that may be told; what is to be told again comes along if that is in a little while. */
static void gather(struct waiting *waiting, const struct group *group, int64_t now_ms, int64_t age_max_ms, struct due *due)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&waiting->tracks, &at));) {
        const struct track *track = slot->value;
        if (track->group != group)
            continue;
        struct plan plan = plan_of(waiting, track, now_ms);
        int64_t until_ms = plan.told_again_ms ? now_ms + waiting->receiver->repeat_ms / 10 : now_ms;
        if (plan.free_ms <= until_ms && !plan_is_too_old(track, &plan, now_ms, age_max_ms))
            add(waiting, due, track, &plan);
    }
    due->group = view_of_text(group->key);
}

static bool is_before(const struct candidate *one, const struct candidate *other)
{
    if (one->plan.ready_ms != other->plan.ready_ms)
        return one->plan.ready_ms < other->plan.ready_ms;
    return track_is_over(one->track) && !track_is_over(other->track); /* then what that held back */
}

/* Sorted; of more than there is room for those that are to be told first. */
static void keep_soonest(struct soonest *soonest, struct candidate candidate)
{
    size_t place = soonest->count;
    while (place > 0 && is_before(&candidate, &soonest->candidates[place - 1]))
        place--;
    if (place == DUE_MOST)
        return;
    soonest->count += soonest->count < DUE_MOST;
    for (size_t i = soonest->count - 1; i > place; i--)
        soonest->candidates[i] = soonest->candidates[i - 1];
    soonest->candidates[place] = candidate;
}

bool waiting_due(struct waiting *waiting, int64_t now_ms, int64_t age_max_ms, struct due *due)
{
    *due = (struct due){.count = 0};
    if (waiting->next_due_ms > now_ms)
        return false;
    struct soonest soonest = {.count = 0};
    size_t at = 0;
    waiting->next_due_ms = INT64_MAX;
    waiting->inhibited = 0;
    groups_sweep(&waiting->groups, &waiting->receiver->grouping, now_ms);
    for (struct map_slot *slot; (slot = map_next(&waiting->tracks, &at));) {
        struct plan plan = plan_of(waiting, slot->value, now_ms);
        waiting->inhibited += plan.is_inhibited;
        if (plan_is_too_old(slot->value, &plan, now_ms, age_max_ms))
            continue;
        waiting->next_due_ms = plan.ready_ms < waiting->next_due_ms ? plan.ready_ms : waiting->next_due_ms;
        if (plan.ready_ms <= now_ms)
            keep_soonest(&soonest, (struct candidate){slot->value, plan});
    }
    if (soonest.count && soonest.candidates[0].track->group)
        gather(waiting, soonest.candidates[0].track->group, now_ms, age_max_ms, due);
    else
        for (size_t i = 0; i < soonest.count; i++)
            add(waiting, due, soonest.candidates[i].track, &soonest.candidates[i].plan);
    return soonest.count > 0;
}

