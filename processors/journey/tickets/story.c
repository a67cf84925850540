#include "processors/journey/tickets/story.h"

#include "base/memory.h"

#include <stdlib.h>

void story_finish(struct story *story)
{
    free(story->episodes);
    free(story->handoffs);
    free(story->pauses);
    free(story->in_charge);
}

static struct episode *episode_add(struct story *story)
{
    if (story->episode_count == story->episode_capacity) {
        story->episode_capacity = story->episode_capacity ? 2 * story->episode_capacity : 8;
        story->episodes = memory_resize(story->episodes, story->episode_capacity * sizeof *story->episodes);
    }
    struct episode *episode = &story->episodes[story->episode_count++];
    *episode = (struct episode){.first_handoff = story->handoff_count, .first_pause = story->pause_count, .end = NO_EVENT,
                                .ended_at_ms = NEVER_MS};
    return episode;
}

static void handoff_add(struct story *story, struct episode *episode, int64_t at_ms, uint32_t team)
{
    if (story->handoff_count == story->handoff_capacity) {
        story->handoff_capacity = story->handoff_capacity ? 2 * story->handoff_capacity : 8;
        story->handoffs = memory_resize(story->handoffs, story->handoff_capacity * sizeof *story->handoffs);
    }
    story->handoffs[story->handoff_count++] = (struct handoff){at_ms, NEVER_MS, team};
    episode->handoff_count++;
}

static void pause_add(struct story *story, struct episode *episode, int64_t at_ms)
{
    if (story->pause_count == story->pause_capacity) {
        story->pause_capacity = story->pause_capacity ? 2 * story->pause_capacity : 8;
        story->pauses = memory_resize(story->pauses, story->pause_capacity * sizeof *story->pauses);
    }
    story->pauses[story->pause_count++] = (struct pause){at_ms, NEVER_MS};
    episode->pause_count++;
}

#define ACTION(a) (1u << TICKET_ACTION_##a)

/* What ends a wait when the receiving team does it, what sets the team's clock going again, what may put a team in charge. */
static const unsigned takes_up = ACTION(AGENT_REPLIED) | ACTION(ASSIGNED) | ACTION(PENDING) | ACTION(ESCALATED) |
                                 ACTION(RESOLVED) | ACTION(CLOSED);
static const unsigned unpauses = ACTION(CUSTOMER_REPLIED) | ACTION(ESCALATED) | ACTION(HANDED_OFF) | ACTION(RESOLVED) |
                                 ACTION(CLOSED) | ACTION(REOPENED);
static const unsigned puts_in_charge = ACTION(OPENED) | ACTION(REOPENED) | ACTION(ASSIGNED) | ACTION(HANDED_OFF);
static const unsigned starts = ACTION(OPENED) | ACTION(REOPENED);
static const unsigned ends = ACTION(RESOLVED) | ACTION(CLOSED);

static struct handoff *open_handoff(struct story *story, const struct episode *episode)
{
    if (episode->handoff_count == 0)
        return NULL;
    struct handoff *last = &story->handoffs[story->handoff_count - 1];
    return last->ended_at_ms == NEVER_MS ? last : NULL;
}

static void handoffs_follow(struct story *story, struct episode *episode, const struct ticket_event *event, uint32_t team)
{
    bool is_handoff = event->action == TICKET_ACTION_HANDED_OFF && event->team && event->team != team;
    struct handoff *waiting = open_handoff(story, episode);
    bool is_taken_up = (takes_up >> event->action & 1) && waiting && (event->team == 0 || event->team == waiting->team);
    if (waiting && (is_handoff || is_taken_up))
        waiting->ended_at_ms = event->moment.at_ms;
    if (is_handoff)
        handoff_add(story, episode, event->moment.at_ms, event->team);
}

static void pauses_follow(struct story *story, struct episode *episode, const struct ticket_event *event)
{
    struct pause *last = episode->pause_count ? &story->pauses[story->pause_count - 1] : NULL;
    bool is_paused = last && last->to_ms == NEVER_MS;
    if (is_paused && (unpauses >> event->action & 1))
        last->to_ms = event->moment.at_ms;
    if (!is_paused && event->action == TICKET_ACTION_PENDING)
        pause_add(story, episode, event->moment.at_ms);
}

static void in_charge_reserve(struct story *story, uint32_t count)
{
    if (count <= story->in_charge_capacity)
        return;
    story->in_charge_capacity = 2 * count;
    story->in_charge = memory_resize(story->in_charge, story->in_charge_capacity * sizeof *story->in_charge);
}

void story_read(struct story *story, const struct ticket *ticket)
{
    story->episode_count = story->handoff_count = story->pause_count = 0;
    in_charge_reserve(story, ticket->count);
    struct episode *current = NULL;
    uint32_t team = 0;
    for (uint32_t i = 0; i < ticket->count; i++) {
        const struct ticket_event *event = &ticket->events[i];
        story->in_charge[i] = current ? team : 0;
        if (current == NULL) {
            if (!(starts >> event->action & 1))
                continue;
            current = episode_add(story);
            current->start = i;
            current->opened_at_ms = event->moment.at_ms;
            team = 0;
        } else if (event->action == TICKET_ACTION_OPENED) {
            continue;
        }
        handoffs_follow(story, current, event, team);
        pauses_follow(story, current, event);
        if ((puts_in_charge >> event->action & 1) && event->team)
            team = event->team;
        current->last = i;
        if (ends >> event->action & 1) {
            current->end = i;
            current->ended_at_ms = event->moment.at_ms;
            current->is_resolved = event->action == TICKET_ACTION_RESOLVED;
            current = NULL;
        }
    }
}

uint32_t story_team_at(const struct ticket *ticket, const struct episode *episode, int64_t at_ms)
{
    uint32_t team = 0;
    for (uint32_t i = episode->start; i <= episode->last && ticket->events[i].moment.at_ms <= at_ms; i++) {
        const struct ticket_event *event = &ticket->events[i];
        if (story_is_part(ticket, episode, i) && (puts_in_charge >> event->action & 1) && event->team)
            team = event->team;
    }
    return team;
}

uint8_t story_priority(const struct ticket *ticket, uint32_t first, uint32_t last)
{
    uint8_t priority = NO_DETAIL;
    bool is_open = false;
    for (uint32_t i = first; i <= last; i++) {
        const struct ticket_event *event = &ticket->events[i];
        if (is_open ? event->action == TICKET_ACTION_OPENED : !(starts >> event->action & 1))
            continue;
        is_open = !(ends >> event->action & 1);
        if (event->priority != NO_DETAIL)
            priority = event->priority;
    }
    return priority;
}

int64_t story_team_ms(const struct story *story, const struct episode *episode, const struct calendar *calendar,
                      int64_t from_ms, int64_t to_ms)
{
    int64_t total = calendar_elapsed_ms(calendar, from_ms, to_ms);
    for (uint32_t i = 0; i < episode->pause_count; i++) {
        const struct pause *pause = &story->pauses[episode->first_pause + i];
        total -= calendar_elapsed_ms(calendar, pause->from_ms > from_ms ? pause->from_ms : from_ms,
                                     pause->to_ms < to_ms ? pause->to_ms : to_ms);
    }
    return total;
}

int64_t story_deadline_ms(const struct story *story, const struct episode *episode, const struct calendar *calendar,
                          int64_t from_ms, int64_t target_ms)
{
    /* Stretch by stretch between the pauses, which are sorted and do not overlap. */
    for (uint32_t i = 0; i < episode->pause_count; i++) {
        const struct pause *pause = &story->pauses[episode->first_pause + i];
        if (pause->to_ms <= from_ms)
            continue;
        int64_t worked_ms = calendar_elapsed_ms(calendar, from_ms, pause->from_ms);
        if (worked_ms >= target_ms)
            break;
        target_ms -= worked_ms;
        from_ms = pause->to_ms;
        if (from_ms == NEVER_MS)
            return NEVER_MS;
    }
    return calendar_reach_ms(calendar, from_ms, target_ms);
}
