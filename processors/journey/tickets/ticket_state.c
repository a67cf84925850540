/* A ticket as it stands at an instant: who has it, and what is due when. */
#include "processors/journey/tickets/tickets.h"

const struct policy *ticket_policy(struct journey_task *task, const struct ticket *ticket, const struct episode *episode)
{
    const struct policies *policies = &task->shared->policies;
    if (policies->count == 1)
        return &policies->items[0];
    const struct dimensions *dimensions = &task->dimensions;
    const struct tuple *own = &dimensions->tuples[ticket->events[episode->start].tuple];
    const struct tuple *first = &dimensions->tuples[ticket->events[0].tuple];
    uint32_t segment = own->segment ? own->segment : first->segment;
    return policy_for(policies, story_priority(ticket, 0, episode->last), strings_sent_text(&dimensions->segments, segment));
}

static bool is_answered(const struct ticket *ticket, const struct episode *episode)
{
    for (uint32_t i = episode->start; i <= episode->last; i++) {
        if (ticket->events[i].action == TICKET_ACTION_AGENT_REPLIED)
            return true;
    }
    return false;
}

void ticket_state_at(struct journey_task *task, const struct ticket *ticket, int64_t at_ms, struct ticket_state *out)
{
    *out = (struct ticket_state){.first_response_due_ms = NEVER_MS, .resolution_due_ms = NEVER_MS, .priority = NO_DETAIL};
    struct story *story = &task->story;
    story_read(story, ticket);
    if (story->episode_count == 0)
        return;
    const struct episode *episode = &story->episodes[story->episode_count - 1];
    const struct ticket_event *start = &ticket->events[episode->start];
    out->policy = ticket_policy(task, ticket, episode);
    out->is_open = episode->end == NO_EVENT;
    out->opened_at_ms = episode->opened_at_ms;
    out->team = story_team_at(ticket, episode, at_ms);
    out->priority = story_priority(ticket, 0, episode->last);
    out->handoffs = episode->handoff_count;
    if (!out->is_open)
        return;
    out->resolution_due_ms = episode->opened_at_ms + out->policy->resolution_ms;
    out->awaits_first_response = story->episode_count == 1 && episode->start == 0 &&
                                 start->action == TICKET_ACTION_OPENED && !start->has_agent && !is_answered(ticket, episode);
    if (out->awaits_first_response)
        out->first_response_due_ms = story_deadline_ms(story, episode, out->policy->calendar, episode->opened_at_ms,
                                                       out->policy->first_response_ms);
}
