#include "processors/journey/sla.h"

#include "base/memory.h"

enum { SLA_MEMOS = 8 };

static double share_of(int64_t elapsed_ms, int64_t promised_ms)
{
    return elapsed_ms >= promised_ms ? 1 : (double)elapsed_ms / (double)promised_ms;
}

/* Within one turn the same few tickets are asked after again and again; only `elapsed` depends on the time asked for. */
struct sla_memo {
    const struct ticket *ticket;
    const struct policy *policy;
    int64_t from_ms;
    struct sla_reading reading;
};

void sla_forget(struct journey_task *task)
{
    task->sla_memo_count = 0;
}

static struct sla_memo *memo_find(const struct journey_task *task, const struct ticket *ticket)
{
    for (uint32_t i = 0; i < task->sla_memo_count; i++) {
        if (task->sla_memos[i].ticket == ticket)
            return &task->sla_memos[i];
    }
    return NULL;
}

static void memo_add(struct journey_task *task, const struct ticket *ticket, const struct policy *policy, int64_t from_ms,
                     const struct sla_reading *reading)
{
    if (task->sla_memos == NULL)
        task->sla_memos = memory_zeroed(SLA_MEMOS, sizeof *task->sla_memos);
    if (task->sla_memo_count < SLA_MEMOS)
        task->sla_memos[task->sla_memo_count++] = (struct sla_memo){ticket, policy, from_ms, *reading};
}

static void memo_read(const struct sla_memo *memo, int64_t at_ms, struct sla_reading *out)
{
    *out = memo->reading;
    if (!out->is_open)
        return;
    int64_t from_ms = memo->from_ms, until_ms = at_ms < from_ms ? from_ms : at_ms;
    out->promises[PROMISE_RESOLUTION].elapsed = share_of(until_ms - from_ms, memo->policy->resolution_ms);
    if (out->promises[PROMISE_FIRST_RESPONSE].is_running)
        out->promises[PROMISE_FIRST_RESPONSE].elapsed =
            share_of(calendar_elapsed_ms(memo->policy->calendar, from_ms, until_ms), memo->policy->first_response_ms);
}

void sla_read(struct journey_task *task, const struct ticket *ticket, int64_t at_ms, struct sla_reading *out)
{
    const struct sla_memo *memo = memo_find(task, ticket);
    if (memo) {
        memo_read(memo, at_ms, out);
        return;
    }
    *out = (struct sla_reading){0};
    struct ticket_state state;
    ticket_state_at(task, ticket, at_ms, &state);
    if (!state.is_open) {
        memo_add(task, ticket, NULL, 0, out);
        return;
    }
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
    if (episode->pause_count == 0) /* else the elapsed time is more than the calendar's */
        memo_add(task, ticket, policy, from_ms, out);
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
