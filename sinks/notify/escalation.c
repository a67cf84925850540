#include "sinks/notify/escalation.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "sinks/notify/silences.h"

#include <stdlib.h>

enum { TRACKS_MAX = 200000, SEVERITIES = SEVERITY_CRITICAL + 1 };

#define NOT_OPEN INT64_MAX

struct track {
    int32_t revision;             /* the newest seen, and what it says: */
    enum alert_state state;
    enum severity severity;
    int64_t changed_at_ms;
    bool is_spared;               /* by a silence, if the receiver was told before */
    struct bytes record;
    int32_t told_revision;        /* the newest told; 0: none */
    bool is_told;                 /* and it is not over since */
    enum alert_state told_state;
    enum severity told_severity;
    int64_t since_ms[SEVERITIES]; /* when it became open and so grave; NOT_OPEN: it is not */
    uint64_t silences;            /* about it, one bit each */
};

void escalation_init(struct escalation *escalation, const struct receiver *receiver)
{
    *escalation = (struct escalation){.receiver = receiver, .next_due_ms = INT64_MAX};
}

static void track_free(void *value)
{
    struct track *track = value;
    bytes_finish(&track->record);
    free(track);
}

void escalation_finish(struct escalation *escalation)
{
    map_finish(&escalation->tracks, track_free);
}

void escalation_reset(struct escalation *escalation)
{
    escalation_finish(escalation);
    escalation_init(escalation, escalation->receiver);
}

/* NULL: there are too many, and this one was not among them. */
static struct track *track_open(struct escalation *escalation, struct view alert_id)
{
    struct track *track = map_find(&escalation->tracks, alert_id);
    if (track)
        return track;
    if (escalation->tracks.count >= TRACKS_MAX) {
        if (!escalation->is_full)
            log_warning("too many open alerts to escalate them all", "receiver", escalation->receiver->name, NULL);
        escalation->is_full = true;
        return NULL;
    }
    track = memory_zeroed(1, sizeof *track);
    for (int severity = 0; severity < SEVERITIES; severity++)
        track->since_ms[severity] = NOT_OPEN;
    *map_place(&escalation->tracks, alert_id) = track;
    return track;
}

/* --- waiting --- */

static void run_clocks(struct track *track, const struct alert *alert)
{
    for (int severity = 0; severity < SEVERITIES; severity++) {
        bool runs = alert->state == ALERT_STATE_OPEN && severity <= (int)alert->severity;
        if (!runs)
            track->since_ms[severity] = NOT_OPEN;
        else if (track->since_ms[severity] == NOT_OPEN)
            track->since_ms[severity] = alert->changed_at_ms;
    }
}

static bool is_news(const struct track *track)
{
    return track->is_told && track->revision > track->told_revision && !track->is_spared &&
           (track->state != track->told_state || track->severity != track->told_severity);
}

/* When it is to be told, and how long it has waited by then; INT64_MAX: it does not wait. */
static int64_t due_ms_of(const struct escalation *escalation, const struct track *track, int64_t *waited_ms)
{
    int64_t due_ms = INT64_MAX;
    *waited_ms = 0;
    if (is_news(track))
        return track->changed_at_ms;
    for (int severity = 0; severity < SEVERITIES && !track->is_told && track->revision > track->told_revision; severity++) {
        int64_t after_ms = escalation->receiver->after_ms[severity];
        if (after_ms < 0 || track->since_ms[severity] == NOT_OPEN || track->since_ms[severity] + after_ms >= due_ms)
            continue;
        due_ms = track->since_ms[severity] + after_ms;
        *waited_ms = after_ms;
    }
    if (due_ms == INT64_MAX || !track->silences)
        return due_ms;
    int64_t spoken_ms = silences_end_ms(escalation->receiver->silences, track->silences, due_ms);
    *waited_ms += spoken_ms - due_ms;
    return spoken_ms;
}

bool escalation_due(struct escalation *escalation, int64_t now_ms, int64_t age_max_ms, struct view *record, int64_t *waited_ms)
{
    if (escalation->next_due_ms > now_ms)
        return false;
    struct track *first = NULL;
    int64_t first_due_ms = INT64_MAX, next_due_ms = INT64_MAX;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&escalation->tracks, &at));) {
        int64_t waits_ms = 0, due_ms = due_ms_of(escalation, slot->value, &waits_ms);
        if (due_ms < now_ms - age_max_ms)
            continue;
        next_due_ms = due_ms < next_due_ms ? due_ms : next_due_ms;
        if (due_ms <= now_ms && due_ms < first_due_ms) {
            first = slot->value;
            first_due_ms = due_ms;
            *waited_ms = waits_ms;
        }
    }
    escalation->next_due_ms = next_due_ms;
    if (first)
        *record = bytes_view(&first->record);
    return first != NULL;
}

/* --- what comes in the log --- */

void escalation_remember(struct escalation *escalation, const struct alert *told)
{
    struct track *track = track_open(escalation, told->alert_id);
    if (!track || told->revision <= track->told_revision)
        return;
    track->told_revision = told->revision;
    track->told_state = told->state;
    track->told_severity = told->severity;
    track->is_told = !alert_is_over(told);
}

/* What is over and known to the receiver as such needs no memory; an alert without a clock of ours never did. */
static void drop_if_settled(struct escalation *escalation, struct view alert_id, struct track *track)
{
    bool is_over = track->state == ALERT_STATE_RESOLVED || track->state == ALERT_STATE_VERIFIED || track->state == ALERT_STATE_EXPIRED;
    if (is_over && !track->is_told && track->revision >= track->told_revision)
        track_free(map_remove(&escalation->tracks, alert_id));
}

void escalation_takes(struct escalation *escalation, const struct alert *alert, struct view record)
{
    struct track *track = map_find(&escalation->tracks, alert->alert_id);
    if (!track && (alert_is_over(alert) || !receiver_wants(escalation->receiver, alert, true)))
        return;
    if (!track)
        track = track_open(escalation, alert->alert_id);
    if (!track || alert->revision <= track->revision)
        return;
    track->revision = alert->revision;
    track->state = alert->state;
    track->severity = alert->severity;
    track->changed_at_ms = alert->changed_at_ms;
    track->is_spared = receiver_is_spared(escalation->receiver, alert, true);
    track->silences = silences_about(escalation->receiver->silences, alert);
    bytes_clear(&track->record);
    bytes_append_view(&track->record, record);
    run_clocks(track, alert);
    int64_t waited_ms, due_ms = due_ms_of(escalation, track, &waited_ms);
    escalation->next_due_ms = due_ms < escalation->next_due_ms ? due_ms : escalation->next_due_ms;
    drop_if_settled(escalation, alert->alert_id, track);
}

void escalation_told(struct escalation *escalation, const struct alert *alert)
{
    struct track *track = map_find(&escalation->tracks, alert->alert_id);
    escalation_remember(escalation, alert);
    if (track)
        drop_if_settled(escalation, alert->alert_id, track);
}
