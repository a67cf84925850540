#include "engine/worker_wait.h"

#include "base/memory.h"

enum { BACKOFF_LEAST_MS = 20, BACKOFF_MOST_MS = 1000 };

int64_t worker_now_ms(const struct worker *worker)
{
    return clock_monotonic_ms(worker->config->clock);
}

int64_t worker_wall_ms(const struct worker *worker)
{
    return clock_now_ms(worker->config->clock);
}

void worker_beat(struct worker *worker)
{
    if (worker->beats)
        atomic_fetch_add_explicit(worker->beats, 1, memory_order_relaxed);
}

/* --- pauses */

void worker_pause(struct worker *worker)
{
    worker->backoff_ms = worker->backoff_ms ? worker->backoff_ms * 2 : BACKOFF_LEAST_MS;
    if (worker->backoff_ms > BACKOFF_MOST_MS)
        worker->backoff_ms = BACKOFF_MOST_MS;
    worker->again_at_ms = worker_now_ms(worker) + worker->backoff_ms;
}

void worker_pause_over(struct worker *worker)
{
    worker->backoff_ms = 0;
    worker->again_at_ms = 0;
}

/* --- events */

void worker_note_event(struct worker *worker, const struct broker_batch *batch)
{
    if (batch->event == BROKER_NOTHING)
        return;
    worker->event = batch->event;
    worker->event_count = batch->partition_count;
    worker->event_partitions =
        memory_resize(worker->event_partitions, (batch->partition_count + 1) * sizeof *worker->event_partitions);
    memcpy(worker->event_partitions, batch->partitions, batch->partition_count * sizeof *batch->partitions);
}

bool worker_event_names(const struct worker *worker, int32_t partition)
{
    bool is_named = false;
    for (size_t i = 0; i < worker->event_count; i++)
        is_named |= worker->event_partitions[i] == partition;
    return is_named;
}

void worker_event_done(struct worker *worker)
{
    worker->event = BROKER_NOTHING;
    worker->event_count = 0;
    worker_pause_over(worker);
}

enum outcome worker_wait_for_events(struct worker *worker, int wait_ms)
{
    struct broker_batch batch = {0};
    enum outcome outcome = worker->broker->port->poll(worker->broker, 0, wait_ms, false, &batch);
    worker_note_event(worker, &batch);
    return outcome == OUTCOME_STOP ? OUTCOME_STOP : OUTCOME_OK;
}
