#include "processors/journey/tickets/sla.h"

#include "base/memory.h"

static double share_of(int64_t elapsed_ms, int64_t promised_ms)
{
    return elapsed_ms >= promised_ms ? 1 : (double)elapsed_ms / (double)promised_ms;
}

/* What a ticket's events say of its promises; only `elapsed` depends on the time asked for. */
struct sla_memo {
    const struct policy *policy;
    int64_t from_ms;
    struct sla_reading reading;
};

static void memo_read(const struct sla_memo *memo, int64_t at_ms, struct sla_reading *out)
{
    *out = memo->reading;
    int64_t from_ms = memo->from_ms, until_ms = at_ms < from_ms ? from_ms : at_ms;
    out->promises[PROMISE_RESOLUTION].elapsed = share_of(until_ms - from_ms, memo->policy->resolution_ms);
    if (out->promises[PROMISE_FIRST_RESPONSE].is_running)
        out->promises[PROMISE_FIRST_RESPONSE].elapsed =
            share_of(calendar_elapsed_ms(memo->policy->calendar, from_ms, until_ms), memo->policy->first_response_ms);
}

static void memo_keep(struct room *room, struct ticket *ticket, const struct policy *policy, int64_t from_ms,
                      const struct sla_reading *reading)
{
    if (ticket->sla == NULL)
        ticket->sla = room_take(room, sizeof *ticket->sla);
    ticket->sla_is_read = true;
    *ticket->sla = (struct sla_memo){policy, from_ms, *reading};
}

void sla_read(struct journey_task *task, struct room *room, struct ticket *ticket, int64_t at_ms, struct sla_reading *out)
{
    if (ticket->sla_is_read) {
        memo_read(ticket->sla, at_ms, out);
        return;
    }
    *out = (struct sla_reading){0};
    struct ticket_state state;
    ticket_state_at(task, ticket, at_ms, &state);
    if (!state.is_open)
        return;
    const struct story *story = &task->story;
    const struct episode *episode = &story->episodes[story->episode_count - 1];
    const struct policy *policy = state.policy;
    int64_t from_ms = state.opened_at_ms;
    if (at_ms < from_ms)
        at_ms = from_ms; /* a clock that has not begun yet, above all */
    out->is_open = true;
    out->start = ticket->events[episode->start].moment;
    out->promises[PROMISE_RESOLUTION] =
        (struct promise){.is_running = true,
                         .warn_at_ms = from_ms + policy->resolution_ms / 4 * 3,
                         .due_at_ms = state.resolution_due_ms,
                         .elapsed = share_of(at_ms - from_ms, policy->resolution_ms)};
    if (state.awaits_first_response)
        out->promises[PROMISE_FIRST_RESPONSE] = (struct promise){
            .is_running = true,
            .warn_at_ms = story_deadline_ms(story, episode, policy->calendar, from_ms, policy->first_response_ms / 4 * 3),
            .due_at_ms = state.first_response_due_ms,
            .elapsed = share_of(story_team_ms(story, episode, policy->calendar, from_ms, at_ms), policy->first_response_ms)};
    if (episode->pause_count == 0 || !state.awaits_first_response) /* else the elapsed time is not the calendar's */
        memo_keep(room, ticket, policy, from_ms, out);
}

int64_t sla_due_ms(const struct sla_reading *reading)
{
    int64_t due_ms = NEVER_MS;
    for (int kind = 0; reading->is_open && kind < PROMISE_COUNT; kind++) {
        const struct promise *promise = &reading->promises[kind];
        if (promise->is_running && promise->due_at_ms < due_ms)
            due_ms = promise->due_at_ms;
    }
    return due_ms;
}
