#include "sinks/notify/waiting_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "sinks/notify/silences.h"

#include <stdlib.h>

enum { TRACKS_MAX = 500000, SWEEP_LEAST = 50000 };

const char *const note_texts[] = {[NOTE_TOLD] = "", [NOTE_CAPPED] = "capped", [NOTE_DIGEST] = "digest", [NOTE_KEPT] = "kept", [NOTE_BEGUN] = "begun"};

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

/* What is over, and known to the receiver as such or never was, needs no memory. */
static bool is_settled(const struct waiting *waiting, const struct track *track)
{
    bool is_put_off = track->is_capped && waiting->receiver->digest.daily_max;
    return track_is_over(track) && !track->is_told && !is_put_off && track->revision >= track->told_revision;
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

/* --- what comes in the log --- */

static void remember_told(struct track *track, const struct alert *told, enum note note)
{
    track->told_revision = told->revision;
    track->told_state = told->state;
    track->told_severity = told->severity;
    track->is_unheard = false;
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
    bool may_be_told = !track->is_told && track_has_changed(track) && track->severity >= receiver->least;
    return track_is_news(track) || may_be_told || track->is_capped || (receiver->repeat_ms && track->is_told);
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
    track->is_unheard |= track->revision > track->told_revision && !track->is_told && !track_is_over(track);
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
    bool is_to_be_told = plan.due_ms <= now_ms && !plan.told_again_ms && !plan_is_too_old(track, &plan, now_ms, age_max_ms);
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
