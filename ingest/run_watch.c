#include "ingest/run_watch.h"

#include "base/clock.h"
#include "base/process.h"
#include "base/thread.h"

#include <stdio.h>

enum { TICK_MS = 100, IDLE_TICKS_MAX = 10 };
static const int64_t memory_bytes_max = 512 << 20;

/* Called with the lock held. */
static void tick(struct run_watch *watch)
{
    if (!watch->is_running) {
        watch->idle_ticks++;
        return;
    }
    watch->idle_ticks = 0;
    if (watch->input != watch->seen_input) {
        watch->seen_input = watch->input;
        watch->seen_ms = 0;
        /* Of the whole process: what one run takes in a tick or two, when it takes so much, is nearly all of what is new. */
        watch->bytes_before = process_memory().resident_bytes;
        return;
    }
    watch->seen_ms += TICK_MS;
    if (watch->why[0])
        return;
    if (watch->seen_ms >= watch->time_ms_max)
        snprintf(watch->why, sizeof watch->why, "the mapping did not come to an end within %.1f s", (double)watch->time_ms_max / 1000);
    else if (process_memory().resident_bytes - watch->bytes_before > memory_bytes_max)
        snprintf(watch->why, sizeof watch->why, "the mapping took more than %d MiB of memory", (int)(memory_bytes_max >> 20));
    if (watch->why[0])
        watch->stop(watch->context, watch->why);
}

static void *watch_run(void *context)
{
    struct run_watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    while (!watch->is_ending) {
        if (watch->idle_ticks >= IDLE_TICKS_MAX && !watch->is_running) { /* the first run may have begun before this thread did */
            watch->is_asleep = true;
            pthread_cond_wait(&watch->changed, &watch->lock);
            watch->is_asleep = false;
            watch->idle_ticks = 0;
            continue;
        }
        thread_wait(&watch->changed, &watch->lock, clock_monotonic_us() + TICK_MS * 1000);
        tick(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

void run_watch_init(struct run_watch *watch, int64_t time_ms_max, void (*stop)(void *context, const char *why), void *context)
{
    *watch = (struct run_watch){.time_ms_max = time_ms_max, .stop = stop, .context = context, .idle_ticks = IDLE_TICKS_MAX};
    thread_condition_init(&watch->changed);
    pthread_mutex_init(&watch->lock, NULL);
    thread_start(&watch->thread, watch_run, watch);
}

void run_watch_limit(struct run_watch *watch, int64_t time_ms_max)
{
    pthread_mutex_lock(&watch->lock);
    watch->time_ms_max = time_ms_max;
    pthread_mutex_unlock(&watch->lock);
}

void run_watch_finish(struct run_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->is_ending = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
}

void run_watch_begin(struct run_watch *watch, bool is_new_input)
{
    pthread_mutex_lock(&watch->lock);
    if (is_new_input) {
        watch->input++;
        watch->why[0] = '\0';
    }
    watch->is_running = true;
    if (watch->is_asleep)
        pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

const char *run_watch_end(struct run_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->is_running = false;
    pthread_mutex_unlock(&watch->lock);
    return watch->why[0] ? watch->why : NULL;
}
