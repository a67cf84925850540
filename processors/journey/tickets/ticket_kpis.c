/* What a ticket contributes, given all that is known of it at the clock: one function for each group of KPIs.
 *
 * Every one of them reads the ticket's story and lists contributions; none remembers anything. Deadlines are asked of the
 * tally, which so learns when to look again. Exactly at a deadline counts as met (READINGS 52). */
#include "processors/journey/tickets/tickets.h"

#include "base/clock.h"

struct reading {
    struct journey_task *task;
    const struct customer *customer;
    const struct ticket *ticket;
    const struct story *story;
    struct tally *tally;
    uint32_t opened; /* event; NO_EVENT: the ticket has no OPENED that starts an episode */
    uint32_t topic;  /* for the rollup */
};

/* The dimensions of an episode: its first event's, product and segment from the ticket's first where null (READINGS 11). */
static void episode_place(struct journey_task *task, const struct ticket *ticket, struct episode *episode)
{
    episode->tuple = dimensions_filled(&task->dimensions, ticket->events[episode->start].tuple, ticket->events[0].tuple);
    episode->priority = task->dimensions.plan->uses_priority ? story_priority(ticket, episode->start, episode->last) : NO_DETAIL;
}

static struct place place_of(const struct reading *reading, const struct episode *episode, enum kpi_id kpi, uint32_t team,
                             int64_t at_ms)
{
    struct place place = place_at(kpi, episode->tuple, reading->ticket->events[episode->start].stage, at_ms);
    place.name = team;
    place.topic = reading->topic;
    place.detail = episode->priority;
    return place;
}

/* At an event, for the team it counts for. */
static struct place place_by(const struct reading *reading, const struct episode *episode, enum kpi_id kpi, uint32_t event)
{
    return place_of(reading, episode, kpi, story_team_by(reading->story, reading->ticket, event),
                    reading->ticket->events[event].moment.at_ms);
}

/* At an instant, for the team in charge then. */
static struct place place_then(const struct reading *reading, const struct episode *episode, enum kpi_id kpi, int64_t at_ms)
{
    return place_of(reading, episode, kpi, story_team_at(reading->ticket, episode, at_ms), at_ms);
}

static const struct policy *policy_of(const struct reading *reading, const struct episode *episode)
{
    return ticket_policy(reading->task, reading->ticket, episode);
}

/* Did the customer start this episode as a new inquiry? */
static bool is_asked_by_customer(const struct ticket_event *start)
{
    return start->action == TICKET_ACTION_OPENED && !start->has_agent;
}

/* The first event of an episode with one of two actions; NO_EVENT: none. */
static uint32_t first_event(const struct ticket *ticket, const struct episode *episode, uint8_t action, uint8_t or_action)
{
    for (uint32_t i = episode->start; i <= episode->last; i++) {
        if (ticket->events[i].action == action || ticket->events[i].action == or_action)
            return i;
    }
    return NO_EVENT;
}

/* --- first response (READINGS 18, 23) --- */

static void answered_in_time(const struct reading *reading, const struct episode *episode, enum kpi_id kpi, uint32_t answer,
                             int64_t deadline_ms)
{
    const struct ticket *ticket = reading->ticket;
    if (answer != NO_EVENT && ticket->events[answer].moment.at_ms <= deadline_ms) {
        tally_add_rate(reading->tally, place_by(reading, episode, kpi, answer), true, false);
        return;
    }
    bool is_abandoned = answer == NO_EVENT && episode->ended_at_ms <= deadline_ms; /* RESOLVED would be an answer */
    if (deadline_ms == NEVER_MS || is_abandoned || !tally_is_due(reading->tally, deadline_ms))
        return;
    tally_add_rate(reading->tally, place_then(reading, episode, kpi, deadline_ms), false, false);
}

static void first_response(const struct reading *reading)
{
    const struct ticket *ticket = reading->ticket;
    const struct episode *episode = &reading->story->episodes[0];
    if (!is_asked_by_customer(&ticket->events[episode->start]))
        return;
    const struct policy *policy = policy_of(reading, episode);
    uint32_t reply = first_event(ticket, episode, TICKET_ACTION_AGENT_REPLIED, TICKET_ACTION_AGENT_REPLIED);
    if (reply != NO_EVENT) {
        int64_t replied_at_ms = ticket->events[reply].moment.at_ms;
        tally_add_duration(reading->tally, place_by(reading, episode, KPI_FIRST_RESPONSE_TIME, reply),
                           story_team_ms(reading->story, episode, policy->calendar, episode->opened_at_ms, replied_at_ms));
        tally_add_duration(reading->tally, place_by(reading, episode, KPI_FIRST_RESPONSE_CALENDAR, reply),
                           replied_at_ms - episode->opened_at_ms);
    }
    if (episode->start != 0)
        return; /* an inquiry's first event is the OPENED */
    uint32_t answer = first_event(ticket, episode, TICKET_ACTION_AGENT_REPLIED, TICKET_ACTION_RESOLVED);
    answered_in_time(reading, episode, KPI_RESPONSE_24H, answer, episode->opened_at_ms + DAYS(1));
    answered_in_time(reading, episode, KPI_SLA_FIRST_RESPONSE, answer,
                     story_deadline_ms(reading->story, episode, policy->calendar, episode->opened_at_ms,
                                       policy->first_response_ms));
}

/* --- next response (READINGS 24) --- */

static void next_response(const struct reading *reading, uint32_t number)
{
    const struct ticket *ticket = reading->ticket;
    const struct episode *episode = &reading->story->episodes[number];
    const struct calendar *calendar = policy_of(reading, episode)->calendar;
    bool is_first_pending = number == 0 && is_asked_by_customer(&ticket->events[episode->start]);
    int64_t waiting_since_ms = NEVER_MS;
    for (uint32_t i = episode->start; i <= episode->last; i++) {
        const struct ticket_event *event = &ticket->events[i];
        if (!story_is_part(ticket, episode, i))
            continue;
        if (event->action == TICKET_ACTION_AGENT_REPLIED) {
            if (waiting_since_ms != NEVER_MS)
                tally_add_duration(
                    reading->tally, place_by(reading, episode, KPI_NEXT_RESPONSE_TIME, i),
                    story_team_ms(reading->story, episode, calendar, waiting_since_ms, event->moment.at_ms));
            waiting_since_ms = NEVER_MS;
            is_first_pending = false;
            continue;
        }
        bool is_reopening = event->action == TICKET_ACTION_REOPENED || (event->action == TICKET_ACTION_OPENED && number > 0);
        bool is_message = event->action == TICKET_ACTION_CUSTOMER_REPLIED || (is_reopening && !event->has_agent);
        if (is_message && waiting_since_ms == NEVER_MS && !is_first_pending)
            waiting_since_ms = event->moment.at_ms;
    }
}

/* --- flows, resolution, reopening (READINGS 25, 26, 28, 29, 31) --- */

static void resolved(const struct reading *reading, uint32_t number, int64_t deadline_ms)
{
    const struct story *story = reading->story;
    const struct episode *episode = &story->episodes[number];
    struct tally *tally = reading->tally;
    tally_add_duration(tally, place_by(reading, episode, KPI_RESOLUTION_TIME, episode->end),
                       episode->ended_at_ms - episode->opened_at_ms);
    tally_add_mean(tally, place_by(reading, episode, KPI_HANDOFFS_PER_TICKET, episode->end), episode->handoff_count);
    int64_t limit_ms = episode->ended_at_ms + DAYS(7);
    bool is_reopened = number + 1 < story->episode_count && story->episodes[number + 1].opened_at_ms <= limit_ms;
    bool is_undecided = !is_reopened && !tally_is_due(tally, limit_ms + 1);
    tally_add_rate(tally, place_by(reading, episode, KPI_REOPEN_RATE, episode->end), is_reopened, is_undecided);
    if (episode->ended_at_ms <= deadline_ms)
        tally_add_rate(tally, place_by(reading, episode, KPI_SLA_RESOLUTION, episode->end), true, false);
}

static void resolution(const struct reading *reading, uint32_t number)
{
    const struct episode *episode = &reading->story->episodes[number];
    struct tally *tally = reading->tally;
    const struct ticket_event *start = &reading->ticket->events[episode->start];
    int64_t deadline_ms = episode->opened_at_ms + policy_of(reading, episode)->resolution_ms;
    tally_add_count(tally, place_of(reading, episode, KPI_BACKLOG_INFLOW, start->team, episode->opened_at_ms));
    if (episode->end != NO_EVENT)
        tally_add_count(tally, place_by(reading, episode, KPI_BACKLOG_OUTFLOW, episode->end));
    if (episode->is_resolved)
        resolved(reading, number, deadline_ms);
    if (episode_is_open_at(episode, deadline_ms) && tally_is_due(tally, deadline_ms) &&
        !(episode->is_resolved && episode->ended_at_ms <= deadline_ms))
        tally_add_rate(tally, place_then(reading, episode, KPI_SLA_RESOLUTION, deadline_ms), false, false);
}

/* Of the episodes from the event `since` on; NULL: none. */
static const struct episode *first_resolved(const struct story *story, uint32_t since)
{
    for (uint32_t i = 0; i < story->episode_count; i++) {
        if (story->episodes[i].is_resolved && story->episodes[i].start >= since)
            return &story->episodes[i];
    }
    return NULL;
}

static const struct episode *last_resolved(const struct story *story, uint32_t since)
{
    for (uint32_t i = story->episode_count; i > 0; i--) {
        if (story->episodes[i - 1].is_resolved && story->episodes[i - 1].start >= since)
            return &story->episodes[i - 1];
    }
    return NULL;
}

/* From the OPENED on: what was resolved before it (a ticket that begins with a REOPENED) was not its answer. */

static void whole_ticket(const struct reading *reading)
{
    const struct story *story = reading->story;
    struct tally *tally = reading->tally;
    if (reading->opened == NO_EVENT)
        return;
    int64_t opened_at_ms = reading->ticket->events[reading->opened].moment.at_ms;
    const struct episode *last = last_resolved(story, reading->opened),
                         *first = first_resolved(story, reading->opened);
    for (const struct episode *episode = first; episode && episode <= last; episode++) {
        size_t since = tally->count;
        if (episode->is_resolved)
            tally_add_duration(tally, place_by(reading, episode, KPI_FULL_RESOLUTION_TIME, episode->end),
                               episode->ended_at_ms - opened_at_ms);
        if (episode != last)
            tally_withdraw(tally, since);
    }
    int64_t deadline_ms = opened_at_ms + HOURS(72);
    if (first && first->ended_at_ms <= deadline_ms) {
        tally_add_rate(tally, place_by(reading, first, KPI_RESOLVED_72H, first->end), true, false);
        return;
    }
    for (uint32_t i = 0; i < story->episode_count; i++) {
        const struct episode *episode = &story->episodes[i];
        if (!episode_is_open_at(episode, deadline_ms))
            continue;
        if (tally_is_due(tally, deadline_ms))
            tally_add_rate(tally, place_then(reading, episode, KPI_RESOLVED_72H, deadline_ms), false, false);
        return;
    }
}

/* --- hand-offs (READINGS 27) --- */

static void handoffs(const struct reading *reading, const struct episode *episode)
{
    for (uint32_t i = 0; i < episode->handoff_count; i++) {
        const struct handoff *handoff = &reading->story->handoffs[episode->first_handoff + i];
        int64_t ended_at_ms = handoff->ended_at_ms, limit_ms = handoff->at_ms + HOURS(48);
        if (ended_at_ms != NEVER_MS)
            tally_add_duration(reading->tally, place_of(reading, episode, KPI_HANDOFF_WAIT, handoff->team, ended_at_ms),
                               ended_at_ms - handoff->at_ms);
        if (ended_at_ms <= limit_ms)
            tally_add_rate(reading->tally, place_of(reading, episode, KPI_HANDOFF_OVER_48H, handoff->team, ended_at_ms),
                           false, false);
        else if (episode_is_open_at(episode, limit_ms) && tally_is_due(reading->tally, limit_ms))
            tally_add_rate(reading->tally, place_of(reading, episode, KPI_HANDOFF_OVER_48H, handoff->team, limit_ms), true,
                           false);
    }
}

/* --- what other tickets have to do with it (READINGS 29, 30) --- */

/* Another ticket of the same topic opened within [from, to]. */
static bool has_related(const struct reading *reading, int64_t from_ms, int64_t to_ms, const struct moment *only_before)
{
    uint32_t topic_set = reading->opened == NO_EVENT ? 0 : reading->ticket->events[reading->opened].topic_set;
    for (uint32_t i = 0; topic_set && i < reading->customer->ticket_count; i++) {
        const struct ticket *other = &reading->customer->tickets[i];
        const struct ticket_glance *glance = ticket_glance(other);
        if (other != reading->ticket && glance->opened_at_ms >= from_ms && glance->opened_at_ms <= to_ms && glance->opened != NO_EVENT &&
            (only_before == NULL || moment_is_before(&other->events[glance->opened].moment, only_before)) &&
            dimensions_share_topic(&reading->task->dimensions, glance->topic_set, topic_set))
            return true;
    }
    return false;
}

static uint32_t contacts_until(const struct reading *reading, uint32_t last_episode)
{
    uint32_t contacts = 0;
    for (uint32_t i = 0; i <= last_episode; i++) {
        const struct episode *episode = &reading->story->episodes[i];
        for (uint32_t j = episode->start; j <= episode->last; j++) {
            const struct ticket_event *event = &reading->ticket->events[j];
            contacts += event->action == TICKET_ACTION_CUSTOMER_REPLIED ||
                        (j == episode->start && is_asked_by_customer(event));
        }
    }
    return contacts;
}

static void first_contact_resolution(const struct reading *reading)
{
    const struct story *story = reading->story;
    const struct episode *first = first_resolved(story, 0);
    if (first == NULL)
        return;
    uint32_t number = (uint32_t)(first - story->episodes);
    int64_t limit_ms = first->ended_at_ms + DAYS(7);
    bool is_spoiled = contacts_until(reading, number) > 1 || first->first_handoff + first->handoff_count > 0 ||
                      (number + 1 < story->episode_count && story->episodes[number + 1].opened_at_ms <= limit_ms) ||
                      has_related(reading, first->ended_at_ms, limit_ms, NULL);
    bool is_undecided = !is_spoiled && !tally_is_due(reading->tally, limit_ms + 1);
    tally_add_rate(reading->tally, place_by(reading, first, KPI_FCR, first->end), !is_spoiled, is_undecided);
}

static void recurring(const struct reading *reading)
{
    if (reading->opened == NO_EVENT)
        return;
    const struct ticket_event *opened = &reading->ticket->events[reading->opened];
    const struct episode *episode = reading->story->episodes;
    while (episode->start != reading->opened)
        episode++;
    bool is_again = has_related(reading, opened->moment.at_ms - DAYS(30), opened->moment.at_ms, &opened->moment);
    tally_add_rate(reading->tally, place_of(reading, episode, KPI_RECURRING, opened->team, opened->moment.at_ms), is_again,
                   false);
}

/* --- backlog, as flows: +1 where an episode comes in, −1 where it leaves (READINGS 31) --- */

static void backlog_ages(const struct reading *reading, const struct episode *episode)
{
    static const int64_t band_starts_ms[] = {0, DAYS(1), DAYS(3), DAYS(7)};
    for (uint8_t band = 0; band < 4; band++) {
        int64_t from_ms = episode->opened_at_ms + band_starts_ms[band];
        int64_t to_ms = band < 3 ? episode->opened_at_ms + band_starts_ms[band + 1] : NEVER_MS;
        to_ms = to_ms < episode->ended_at_ms ? to_ms : episode->ended_at_ms;
        if (from_ms >= episode->ended_at_ms || !tally_is_due(reading->tally, from_ms))
            return;
        struct place place = place_at(KPI_BACKLOG, 0, NO_STAGE, from_ms);
        place.topic = PLACE_TOPIC_IS_AGE;
        place.detail = band;
        tally_add_flow(reading->tally, place, 1, 0);
        if (to_ms == NEVER_MS || !tally_is_due(reading->tally, to_ms))
            continue;
        place.minute = place_at(KPI_BACKLOG, 0, NO_STAGE, to_ms).minute;
        tally_add_flow(reading->tally, place, -1, 0);
    }
}

/* From team to team: each change of the team in charge is a −1 for one and a +1 for the other. */
static void backlog(const struct reading *reading, const struct episode *episode)
{
    uint32_t team = story_team_at(reading->ticket, episode, episode->opened_at_ms);
    tally_add_flow(reading->tally, place_of(reading, episode, KPI_BACKLOG, team, episode->opened_at_ms), 1, 0);
    for (uint32_t i = episode->start + 1; i <= episode->last; i++) {
        int64_t at_ms = reading->ticket->events[i].moment.at_ms;
        uint32_t next = story_team_at(reading->ticket, episode, at_ms);
        if (next == team)
            continue;
        tally_add_flow(reading->tally, place_of(reading, episode, KPI_BACKLOG, team, at_ms), -1, 0);
        tally_add_flow(reading->tally, place_of(reading, episode, KPI_BACKLOG, next, at_ms), 1, 0);
        team = next;
    }
    if (episode->end != NO_EVENT)
        tally_add_flow(reading->tally, place_of(reading, episode, KPI_BACKLOG, team, episode->ended_at_ms), -1, 0);
    backlog_ages(reading, episode);
}

void ticket_contribute(struct journey_task *task, const struct customer *customer, const struct ticket *ticket,
                       struct tally *tally)
{
    story_read(&task->story, ticket);
    if (task->story.episode_count == 0)
        return;
    struct reading reading = {.task = task, .customer = customer, .ticket = ticket, .story = &task->story, .tally = tally,
                              .opened = ticket_opened(ticket)};
    if (task->dimensions.plan->uses_topic && reading.opened != NO_EVENT)
        reading.topic = dimensions_first_topic(&task->dimensions, ticket->events[reading.opened].topic_set);
    for (uint32_t i = 0; i < task->story.episode_count; i++)
        episode_place(task, ticket, &task->story.episodes[i]);
    first_response(&reading);
    for (uint32_t i = 0; i < task->story.episode_count; i++) {
        next_response(&reading, i);
        resolution(&reading, i);
        handoffs(&reading, &task->story.episodes[i]);
        backlog(&reading, &task->story.episodes[i]);
    }
    whole_ticket(&reading);
    first_contact_resolution(&reading);
    recurring(&reading);
}
