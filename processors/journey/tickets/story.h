/* A ticket read from its sorted events: episodes, hand-offs, pauses, who was in charge (READINGS 20, 22, 27, 53).
 *
 *   first OPENED or REOPENED ──▶ episode ──RESOLVED or CLOSED──▶ nothing ──OPENED or REOPENED──▶ next episode …
 *
 * What stands between episodes, and OPENED within one, is ignored. The story is scratch of the task: the next one
 * overwrites it. Event numbers are indexes into ticket->events. */
#ifndef TS_JOURNEY_STORY_H
#define TS_JOURNEY_STORY_H

#include "processors/journey/task.h"

#define NO_EVENT UINT32_MAX

struct handoff {
    int64_t at_ms, ended_at_ms; /* NEVER_MS: not taken up */
    uint32_t team;
};

struct pause {
    int64_t from_ms, to_ms; /* NEVER_MS: lasts */
};

struct episode {
    uint32_t start, end; /* events; end NO_EVENT: open */
    uint32_t last;       /* the last event that belongs to it */
    uint32_t first_handoff, handoff_count;
    uint32_t first_pause, pause_count;
    int64_t opened_at_ms, ended_at_ms; /* ended: NEVER_MS while open */
    bool is_resolved;    /* ended by RESOLVED */
    uint8_t priority;    /* named last; or NO_DETAIL. This and the next: ticket_kpis.c */
    uint32_t tuple;
};

void story_read(struct story *story, const struct ticket *ticket);
void story_finish(struct story *story);

static inline bool story_is_part(const struct ticket *ticket, const struct episode *episode, uint32_t event)
{
    return event == episode->start || ticket->events[event].action != TICKET_ACTION_OPENED;
}

static inline bool episode_is_open_at(const struct episode *episode, int64_t at_ms)
{
    return episode->opened_at_ms <= at_ms && episode->ended_at_ms > at_ms;
}

/* The team in charge at an instant of the episode; 0: none. */
uint32_t story_team_at(const struct ticket *ticket, const struct episode *episode, int64_t at_ms);

/* The priority named last from `first` to `last`, both within an episode or at its edge; NO_DETAIL: none. What is no part of an
 * episode (an opening while open, whatever comes between two) has no say (READINGS 20). */
uint8_t story_priority(const struct ticket *ticket, uint32_t first, uint32_t last);

/* The team an event counts for: the one it names, else the one in charge before it. */
static inline uint32_t story_team_by(const struct story *story, const struct ticket *ticket, uint32_t event)
{
    uint32_t named = ticket->events[event].team;
    return named ? named : story->in_charge[event];
}

/* The team's clock: working time of [from, to] less the pauses. */
int64_t story_team_ms(const struct story *story, const struct episode *episode, const struct calendar *calendar,
                      int64_t from_ms, int64_t to_ms);

/* The instant at which the team's clock, started at `from`, reaches `target`; NEVER_MS: not as things stand. */
int64_t story_deadline_ms(const struct story *story, const struct episode *episode, const struct calendar *calendar,
                          int64_t from_ms, int64_t target_ms);

#endif
