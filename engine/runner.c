/* Threads, each with a worker of its own, begun anew whenever it stops; and a watch that none of them hangs. */
#include "engine/runner.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "engine/farewell.h"
#include "engine/kafka/kafka_broker.h"
#include "engine/origin.h"
#include "engine/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RESTART_LEAST_MS = 200, RESTART_MOST_MS = 10000, CALM_MS = 60000, SLICE_MS = 100, FAREWELL_MS = 15000, CLOCK_SET_LEAST_MS = 2000, LAST_TICKS_MS = 1000 };

/* When beginning anew does not help either, only a new process does: systemd, or whoever started us, makes one. */
enum {
    BLOCKED_MOST = 60,    /* seconds within one step of a worker; its longest waits are 5 s */
    STUCK_LIVES_MOST = 3, /* lives in a row in which nothing moved */
    LEFT_BEHIND_MOST = 8  /* handles that could not be closed: their memory, threads and connections */
};

struct runner_thread {
    const struct runner_config *config;
    const struct kafka_shared *shared;
    atomic_bool *stop;
    atomic_bool *is_failed; /* shared: one hopeless worker ends the runner */
    int number;
    pthread_t thread;
    int stuck_lives;
    bool has_moved; /* its last life brought something forward */
    struct rivalry rivalry;
    atomic_uint beats;     /* by the worker: a step, or a wait within one */
    atomic_bool is_living; /* beats are to be expected */
    unsigned beats_seen;   /* by the watch */
    int blocked_looks;
    atomic_bool is_over;
};

static bool is_ending(const struct runner_thread *self)
{
    return atomic_load(self->stop) || atomic_load(self->is_failed);
}

static void sleep_ms(const struct runner_thread *self, int ms)
{
    for (; ms > 0 && !is_ending(self); ms -= SLICE_MS)
        nanosleep(&(struct timespec){0, SLICE_MS * 1000000L}, NULL);
}

static void finish_and_free(void *worker)
{
    worker_finish(worker);
    free(worker);
}

static void give_up(struct runner_thread *self, const char *why)
{
    log_error(why, "processor", self->config->processor->name, "thread", LOG_NUMBER(self->number), "then",
              "ending the process, to be started again", NULL);
    atomic_store(self->is_failed, true);
}

/* The broker goes before the outbox, which its threads may still read. */
static void part(struct runner_thread *self, struct worker *worker)
{
    if (farewell(broker_close, worker->broker, finish_and_free, worker, FAREWELL_MS))
        return;
    log_warning("kafka handles do not close, left behind", "processor", self->config->processor->name, "thread",
                LOG_NUMBER(self->number), "so far", LOG_NUMBER(farewell_left_behind()), NULL);
    if (farewell_left_behind() >= LEFT_BEHIND_MOST)
        give_up(self, "too many kafka handles left behind");
}

static void count_stuck_life(struct runner_thread *self, const struct worker *worker, enum outcome outcome)
{
    self->has_moved = worker->watch.has_moved;
    bool was_stuck = outcome == OUTCOME_STOP && worker->watch.is_stuck && !worker->watch.has_moved;
    self->stuck_lives = was_stuck ? self->stuck_lives + 1 : 0;
    if (self->stuck_lives >= STUCK_LIVES_MOST)
        give_up(self, "nothing moves, and beginning anew does not help");
}

/* One life of a worker. */
static void live(struct runner_thread *self, struct broker *broker)
{
    struct worker *worker = memory_zeroed(1, sizeof *worker);
    worker_init(worker, self->config, self->number, broker, self->stop);
    worker->beats = &self->beats;
    atomic_store(&self->is_living, true);
    enum outcome outcome = OUTCOME_OK;
    while (outcome != OUTCOME_STOP && !is_ending(self))
        outcome = worker_step(worker);
    count_stuck_life(self, worker, outcome);
    if (outcome == OUTCOME_OK && worker_close(worker) != OUTCOME_OK)
        log_warning("could not finish cleanly, the next start reads some input again", "worker", worker->name, NULL);
    atomic_store(&self->is_living, false);
    if (worker->is_hopeless)
        atomic_store(self->is_failed, true);
    part(self, worker);
}

static struct metric *restarts_of(const struct runner_thread *self)
{
    char labels[96];
    snprintf(labels, sizeof labels, "role=\"%s\",thread=\"%d\"", self->config->processor->name, self->number);
    return metrics_counter("touchstream_engine_restarts_total", labels, "Workers that began anew: something does not go through, the log says what.");
}

static void *run_thread(void *argument)
{
    struct runner_thread *self = argument;
    struct metric *restarts = restarts_of(self);
    int pause_ms = RESTART_LEAST_MS;
    while (!is_ending(self)) {
        int64_t began_us = clock_monotonic_us();
        bool is_hopeless = false;
        self->has_moved = false;
        struct broker *broker =
            kafka_broker_open(self->config, self->number, self->shared, &self->rivalry, self->stop, &is_hopeless);
        if (is_hopeless)
            atomic_store(self->is_failed, true);
        if (broker)
            live(self, broker);
        if (is_ending(self))
            break;
        /* Beginning anew again and again would be no use; after the death of a broker it is, and nobody should wait longer then. Of two
         * that fence each other each brings something forward before it goes: the longer the pauses, the more. */
        if ((self->has_moved && !rivalry_is_on(&self->rivalry)) || clock_monotonic_us() - began_us > (int64_t)CALM_MS * 1000)
            pause_ms = RESTART_LEAST_MS;
        metric_add(restarts, 1);
        log_warning("worker begins anew", "processor", self->config->processor->name, "thread", LOG_NUMBER(self->number),
                    "pause_ms", LOG_NUMBER(pause_ms), NULL);
        sleep_ms(self, pause_ms);
        pause_ms = pause_ms * 2 > RESTART_MOST_MS ? RESTART_MOST_MS : pause_ms * 2;
    }
    atomic_store(&self->is_over, true);
    return NULL;
}

/* One look a second, so that time in which the whole process stood still does not count. A thread in a call cannot be ended; the
 * process can. What the other threads have in hand is aborted, and done again by whoever comes next. */
static void look_for_blocked(struct runner_thread *self)
{
    unsigned beats = atomic_load(&self->beats);
    bool is_blocked = atomic_load(&self->is_living) && beats == self->beats_seen;
    self->beats_seen = beats;
    self->blocked_looks = is_blocked ? self->blocked_looks + 1 : 0;
    if (self->blocked_looks < BLOCKED_MOST)
        return;
    give_up(self, "a worker has not come back from a call");
    _exit(EXIT_FAILURE);
}

/* Nothing waits for it, but deadlines are dates: whoever wonders why none pass any more, or all at once, finds it in the log. */
static void look_at_clock(const struct runner_config *config, int64_t *ahead_ms)
{
    int64_t before_ms = *ahead_ms, now_ms = *ahead_ms = clock_now_ms(config->clock) - clock_monotonic_ms(config->clock);
    int64_t set_by_ms = now_ms - before_ms;
    if (set_by_ms > -CLOCK_SET_LEAST_MS && set_by_ms < CLOCK_SET_LEAST_MS)
        return;
    log_warning(set_by_ms < 0 ? "the wall clock was set back: deadlines in silence stand still until it has come to where it was"
                              : "the wall clock was set ahead, or the machine slept: deadlines up to the time that it shows pass now",
                "processor", config->processor->name, "ms", LOG_NUMBER(set_by_ms), NULL);
}

static void watch_threads(const struct runner_config *config, struct runner_thread *threads, int64_t count)
{
    int64_t ahead_ms = clock_now_ms(config->clock) - clock_monotonic_ms(config->clock);
    int looks = 0;
    for (bool is_over = false; !is_over; looks++) {
        nanosleep(&(struct timespec){0, SLICE_MS / 2 * 1000000L}, NULL);
        is_over = true;
        if (looks % (2 * 1000 / SLICE_MS) == 0)
            look_at_clock(config, &ahead_ms);
        for (int64_t i = 0; i < count; i++) {
            is_over &= atomic_load(&threads[i].is_over);
            if (looks % (2 * 1000 / SLICE_MS) == 0)
                look_for_blocked(&threads[i]);
        }
    }
}

static struct publisher *ticks_create(const struct runner_config *config)
{
    char error[512];
    struct publisher_settings settings = {.linger_ms = 1, .queue_messages_max = 10000, .farewell_ms = LAST_TICKS_MS};
    if (config->settings.tick_after_ms <= 0)
        return NULL;
    struct publisher *ticks = publisher_create(config->kafka, &settings, NULL, error, sizeof error);
    if (ticks == NULL)
        log_error("no ticks", "error", error, NULL);
    return ticks;
}

static struct identity *identity_of_origins(const struct runner_config *config)
{
    char names[ORIGINS][ORIGIN_NAME_SIZE];
    const char *topics[ORIGINS];
    for (int origin = 0; origin < ORIGINS; origin++) {
        origin_name(config, (enum broker_origin)origin, names[origin]);
        topics[origin] = names[origin];
    }
    return identity_create(config->kafka, topics);
}

enum outcome runner_run(const struct runner_config *config, atomic_bool *stop)
{
    int64_t count = config->settings.threads;
    struct kafka_shared shared = {ticks_create(config), identity_of_origins(config)};
    struct runner_thread *threads = memory_zeroed((size_t)count, sizeof *threads);
    atomic_bool is_failed = false;
    for (int i = 0; i < count; i++) {
        threads[i] = (struct runner_thread){.config = config,
                                            .shared = &shared,
                                            .stop = stop,
                                            .is_failed = &is_failed,
                                            .rivalry = {.instance = config->settings.instance_id},
                                            .number = i};
        thread_start(&threads[i].thread, run_thread, &threads[i]);
    }
    watch_threads(config, threads, count);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i].thread, NULL);
    free(threads);
    identity_destroy(shared.identity);
    publisher_destroy(shared.ticks);
    return atomic_load(&is_failed) ? OUTCOME_STOP : OUTCOME_OK;
}
