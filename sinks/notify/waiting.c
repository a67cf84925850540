#include "sinks/notify/waiting.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "sinks/notify/silences.h"

#include <stdlib.h>

enum { TRACKS_MAX = 500000, SWEEP_LEAST = 50000, SEVERITIES = SEVERITY_CRITICAL + 1 };

#define NOT_OPEN INT64_MAX

const char *const note_texts[] = {[NOTE_TOLD] = "", [NOTE_CAPPED] = "capped", [NOTE_DIGEST] = "digest", [NOTE_KEPT] = "kept", [NOTE_BEGUN] = "begun"};

struct track {
    int32_t revision;             /* the newest seen, and what it says: */
    enum alert_state state;
    enum severity severity;
    int64_t changed_at_ms;
    bool is_held;                 /* not told as it comes */
    struct bytes record;          /* empty while there is nothing to tell of it */
    int32_t told_revision;        /* the newest told; 0: none */
    bool is_told;                 /* and it is not over since */
    enum alert_state told_state;
    enum severity told_severity;
    int64_t since_ms[SEVERITIES]; /* when it became open and so grave; NOT_OPEN: it is not */
    uint64_t silences;            /* about it, one bit each */
    struct subject subject;       /* of those that can be inhibited */
    bool is_capped;               /* put off until the digest */
    int64_t capped_ms;            /* since then; or told by it then */
    struct group *group;          /* NULL: the receiver does not group */
    int64_t told_ms;              /* the last time; INT64_MIN: never */
    int64_t noted_ms;             /* the newest note that it was told is of then */
    int64_t taken_ms;             /* when it came that it is due; of a restart, when that was read again */
};

void waiting_init(struct waiting *waiting, const struct receiver *receiver)
{
    *waiting = (struct waiting){.receiver = receiver, .next_due_ms = INT64_MAX, .sweep_at = SWEEP_LEAST};
}

static void track_free(void *value)
{
    struct track *track = value;
    groups_leave(track->group);
    bytes_finish(&track->record);
    free(track);
}

void waiting_finish(struct waiting *waiting)
{
    map_finish(&waiting->tracks, track_free);
    inhibition_finish(&waiting->inhibition);
    groups_finish(&waiting->groups);
    free(waiting->items);
}

void waiting_reset(struct waiting *waiting)
{
    waiting_finish(waiting);
    waiting_init(waiting, waiting->receiver);
}

static bool is_over(const struct track *track)
{
    return alert_is_over(track->state);
}

/* What is over, and known to the receiver as such or never was, needs no memory. */
static bool is_settled(const struct waiting *waiting, const struct track *track)
{
    bool is_put_off = track->is_capped && waiting->receiver->digest.daily_max;
    return is_over(track) && !track->is_told && !is_put_off && track->revision >= track->told_revision;
}

/* The same by what the receiver was told, before the log has been read that far. */
static bool is_settled_by_notes(const struct track *track)
{
    return track->revision < track->told_revision && !track->is_told && !track->is_capped && alert_is_over(track->told_state);
}

/* Settled ones of whom more may be told: bounded, the price is that it is not. */
static void sweep(struct waiting *waiting)
{
    struct map kept = {0};
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&waiting->tracks, &at));) {
        if (is_settled(waiting, slot->value) || is_settled_by_notes(slot->value))
            track_free(slot->value);
        else
            *map_place(&kept, view_of(slot->key, slot->key_size)) = slot->value;
    }
    map_finish(&waiting->tracks, NULL);
    waiting->tracks = kept;
    waiting->sweep_at = SWEEP_LEAST + 2 * kept.count;
}

/* NULL: there are too many, and this one was not among them. */
static struct track *track_open(struct waiting *waiting, struct view alert_id)
{
    struct track *track = map_find(&waiting->tracks, alert_id);
    if (track)
        return track;
    if (waiting->tracks.count >= waiting->sweep_at)
        sweep(waiting);
    if (waiting->tracks.count >= TRACKS_MAX) {
        if (!waiting->is_full)
            log_warning("too many open alerts to tell them all", "receiver", waiting->receiver->name, NULL);
        waiting->is_full = true;
        return NULL;
    }
    track = memory_zeroed(1, sizeof *track);
    track->told_ms = INT64_MIN;
    for (int severity = 0; severity < SEVERITIES; severity++)
        track->since_ms[severity] = NOT_OPEN;
    *map_place(&waiting->tracks, alert_id) = track;
    return track;
}

/* --- waiting --- */

static void run_clocks(const struct receiver *receiver, struct track *track, const struct alert *alert)
{
    bool waits = receiver->escalates ? alert->state == ALERT_STATE_OPEN : !alert_is_over(alert->state);
    for (int severity = 0; severity < SEVERITIES; severity++) {
        bool runs = waits && !alert->historical && severity <= (int)alert->severity;
        if (!runs)
            track->since_ms[severity] = NOT_OPEN;
        else if (track->since_ms[severity] == NOT_OPEN)
            track->since_ms[severity] = alert->changed_at_ms;
    }
}

/* Of what the receiver knows, whichever way it was told. */
static bool has_changed(const struct track *track)
{
    return track->revision > track->told_revision &&
           (track->told_revision == 0 || track->state != track->told_state || track->severity != track->told_severity);
}

/* Until it is over; who is told change by change hears, too, how it goes on from there (VERIFIED). */
static bool is_news(const struct track *track)
{
    bool was_over = track->told_revision && alert_is_over(track->told_state);
    return has_changed(track) && (track->is_told || (was_over && is_over(track) && !track->is_held));
}

/* It is in the digest, and nowhere else; but that is no place for what is critical by now, nor for the end of what was told. */
static bool is_put_off(const struct receiver *receiver, const struct track *track)
{
    bool is_critical = track->severity == SEVERITY_CRITICAL && !receiver->digest.caps_critical && !is_over(track);
    return receiver->digest.daily_max && track->is_capped && !is_critical && !(track->is_told && is_over(track));
}

/* −1: never. */
static int64_t after_ms_of(const struct receiver *receiver, int severity)
{
    return receiver->escalates ? receiver->after_ms[severity] : severity >= (int)receiver->least ? 0 : -1;
}

/* When it is to be told. */
struct plan {
    int64_t due_ms;   /* INT64_MAX: it does not wait, or nobody knows how long */
    int64_t free_ms;  /* not before; a moment later, it might be inhibited */
    int64_t ready_ms; /* a reason to speak; before, it comes along when others of its group have one */
    int64_t waited_ms;
    int64_t told_again_ms; /* it was told before, then; 0: not told again */
    bool is_inhibited;
};

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

static int64_t later_of(int64_t one_ms, int64_t other_ms)
{
    return one_ms > other_ms ? one_ms : other_ms;
}

/* What is due, by when it may be told and when it must. */
static struct plan with_company(const struct waiting *waiting, const struct track *track, struct plan plan)
{
    const struct grouping *grouping = &waiting->receiver->grouping;
    bool may_be_inhibited = waiting->receiver->inhibits && track->subject.is_kpi && !is_over(track);
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
    if (!receiver->repeat_ms || !track->is_told || track->state != ALERT_STATE_OPEN || has_changed(track))
        return;
    plan->told_again_ms = track->told_ms;
    plan->due_ms = later_of(track->told_ms, track->capped_ms) + receiver->repeat_ms;
}

static struct plan plan_of(const struct waiting *waiting, const struct track *track, int64_t now_ms)
{
    const struct receiver *receiver = waiting->receiver;
    struct plan plan = {.due_ms = INT64_MAX, .free_ms = INT64_MAX, .ready_ms = INT64_MAX};
    if (is_put_off(receiver, track) || track->record.size == 0)
        return plan;
    plan_repeat(receiver, track, &plan);
    if (is_news(track))
        plan.due_ms = track->changed_at_ms;
    for (int severity = 0; severity < SEVERITIES && !track->is_told && has_changed(track); severity++) {
        int64_t after_ms = after_ms_of(receiver, severity);
        if (after_ms < 0 || track->since_ms[severity] == NOT_OPEN || track->since_ms[severity] + after_ms >= plan.due_ms)
            continue;
        plan.due_ms = track->since_ms[severity] + after_ms;
        plan.waited_ms = after_ms;
    }
    if (plan.due_ms == INT64_MAX || is_over(track))
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

/* That it is over is never too old for who was told that it was not; nor is what is still so. */
static bool is_too_old(const struct track *track, const struct plan *plan, int64_t now_ms, int64_t age_max_ms)
{
    return plan->due_ms < now_ms - age_max_ms && !plan->told_again_ms && !(track->is_told && is_over(track));
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
        if (plan.free_ms <= until_ms && !is_too_old(track, &plan, now_ms, age_max_ms))
            add(waiting, due, track, &plan);
    }
    due->group = view_of_text(group->key);
}

static bool is_before(const struct candidate *one, const struct candidate *other)
{
    if (one->plan.ready_ms != other->plan.ready_ms)
        return one->plan.ready_ms < other->plan.ready_ms;
    return is_over(one->track) && !is_over(other->track); /* then what that held back */
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
        if (is_too_old(slot->value, &plan, now_ms, age_max_ms))
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

/* --- what comes in the log --- */

static void remember_told(struct track *track, const struct alert *told, enum note note)
{
    track->told_revision = told->revision;
    track->told_state = told->state;
    track->told_severity = told->severity;
    if (alert_is_over(told->state))
        track->is_told = false;
    else if (note == NOTE_TOLD) /* of what only a digest told the end is not told */
        track->is_told = true;
}

void waiting_remember(struct waiting *waiting, const struct alert *told, enum note note, int64_t told_ms)
{
    struct track *track = track_open(waiting, told->alert_id);
    if (!track)
        return;
    if (note == NOTE_TOLD || note == NOTE_KEPT)
        track->noted_ms = later_of(track->noted_ms, told_ms);
    if (note == NOTE_KEPT) {
        if (told->revision > track->told_revision)
            remember_told(track, told, NOTE_TOLD);
        return;
    }
    track->is_capped = note == NOTE_CAPPED;
    if (note != NOTE_TOLD)
        track->capped_ms = told_ms;
    if (note == NOTE_CAPPED)
        return;
    if (note == NOTE_TOLD)
        track->told_ms = later_of(track->told_ms, told_ms);
    if (track->group)
        track->group->told_ms = later_of(track->group->told_ms, track->told_ms);
    if (told->revision > track->told_revision)
        remember_told(track, told, note);
}

/* Who is told change by change may hear more of it. true: it is gone. */
static bool drop_if_settled(struct waiting *waiting, struct view alert_id, struct track *track)
{
    bool is_to_go = is_settled(waiting, track) && (track->is_held || track->told_revision == 0);
    if (is_to_go)
        track_free(map_remove(&waiting->tracks, alert_id));
    return is_to_go;
}

/* Most of what is open has been told, or is not grave enough: what there is to tell of it comes with its next revision. */
static bool needs_record(const struct receiver *receiver, const struct track *track)
{
    bool may_be_told = !track->is_told && has_changed(track) && track->severity >= receiver->least;
    return is_news(track) || may_be_told || track->is_capped || (receiver->repeat_ms && track->is_told);
}

static void keep_record(const struct receiver *receiver, struct track *track, struct view record)
{
    if (needs_record(receiver, track)) {
        bytes_clear(&track->record);
        bytes_append_view(&track->record, record);
    } else {
        bytes_finish(&track->record);
    }
}

/* The track in which something has changed; NULL: none. */
static struct track *take(struct waiting *waiting, const struct alert *alert, struct view record, int64_t now_ms, struct plan *before)
{
    const struct receiver *receiver = waiting->receiver;
    if (receiver->inhibits && inhibition_takes(&waiting->inhibition, alert))
        waiting->next_due_ms = INT64_MIN;
    struct track *track = map_find(&waiting->tracks, alert->alert_id);
    if (!track && (alert_is_over(alert->state) || !receiver_wants(receiver, alert, true)))
        return NULL;
    if (!track)
        track = track_open(waiting, alert->alert_id);
    if (!track || alert->revision <= track->revision)
        return NULL;
    *before = plan_of(waiting, track, now_ms);
    track->is_held = receiver_holds(receiver, alert);
    track->revision = alert->revision;
    track->state = alert->state;
    track->severity = alert->severity;
    track->changed_at_ms = alert->changed_at_ms;
    track->silences = silences_about(receiver->silences, alert);
    track->subject = subject_of(alert);
    if (receiver->grouping.is_on) {
        track->group = groups_move(&waiting->groups, &receiver->grouping, track->group, alert);
        track->group->told_ms = later_of(track->group->told_ms, track->told_ms);
    }
    track->taken_ms = before->due_ms <= now_ms ? track->taken_ms : now_ms;
    keep_record(receiver, track, record);
    run_clocks(receiver, track, alert);
    return track;
}

static void look_at(struct waiting *waiting, int64_t at_ms)
{
    waiting->next_due_ms = at_ms < waiting->next_due_ms ? at_ms : waiting->next_due_ms;
}

void waiting_takes(struct waiting *waiting, const struct alert *alert, struct view record, int64_t now_ms)
{
    struct plan before;
    struct track *track = take(waiting, alert, record, now_ms, &before);
    if (!track)
        return;
    struct plan plan = plan_of(waiting, track, now_ms);
    look_at(waiting, before.is_inhibited || plan.is_inhibited ? INT64_MIN : plan.ready_ms); /* they are to be counted */
    drop_if_settled(waiting, alert->alert_id, track);
}

bool waiting_takes_live(struct waiting *waiting, const struct alert *alert, struct view record, int64_t now_ms, int64_t age_max_ms)
{
    if (receiver_holds(waiting->receiver, alert)) {
        waiting_takes(waiting, alert, record, now_ms);
        return false;
    }
    struct plan before;
    struct track *track = take(waiting, alert, record, now_ms, &before);
    if (!track)
        return false;
    struct plan plan = plan_of(waiting, track, now_ms);
    bool is_to_be_told = plan.due_ms <= now_ms && !plan.told_again_ms && !is_too_old(track, &plan, now_ms, age_max_ms);
    if (!is_to_be_told) {
        look_at(waiting, plan.ready_ms);
        drop_if_settled(waiting, alert->alert_id, track);
    }
    return is_to_be_told;
}

/* The alert may be made of its record, which goes last. */
void waiting_told(struct waiting *waiting, const struct alert *alert, enum note note, int64_t now_ms)
{
    struct track *track = map_find(&waiting->tracks, alert->alert_id);
    waiting_remember(waiting, alert, note, now_ms);
    if (!track || drop_if_settled(waiting, alert->alert_id, track))
        return;
    if (waiting->receiver->repeat_ms)
        look_at(waiting, plan_of(waiting, track, now_ms).ready_ms);
    if (!needs_record(waiting->receiver, track))
        bytes_finish(&track->record);
}

struct view *waiting_capped(const struct waiting *waiting, int64_t before_ms, struct arena *arena, size_t *count)
{
    struct view *records = arena_alloc(arena, (waiting->tracks.count + 1) * sizeof *records);
    size_t at = 0;
    *count = 0;
    for (const struct map_slot *slot; (slot = map_next(&waiting->tracks, &at));) {
        const struct track *track = slot->value;
        if (track->is_capped && track->capped_ms < before_ms && track->record.size)
            records[(*count)++] = bytes_view(&track->record);
    }
    return records;
}

struct alert *waiting_fading(const struct waiting *waiting, int64_t before_ms, struct arena *arena, size_t *count)
{
    struct alert *alerts = arena_alloc(arena, (waiting->tracks.count + 1) * sizeof *alerts);
    size_t at = 0;
    *count = 0;
    for (const struct map_slot *slot; (slot = map_next(&waiting->tracks, &at));) {
        const struct track *track = slot->value;
        if (track->is_told && track->noted_ms < before_ms)
            alerts[(*count)++] = (struct alert){.alert_id = view_of(slot->key, slot->key_size),
                                                .revision = track->told_revision,
                                                .rule = VIEW_LITERAL(""),
                                                .state = track->told_state,
                                                .severity = track->told_severity,
                                                .opened_at_ms = track->noted_ms,
                                                .changed_at_ms = track->noted_ms};
    }
    return alerts;
}
