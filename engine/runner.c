/* Threads, each with a worker of its own, begun anew whenever it stops. */
#include "engine/runner.h"

#include "base/log.h"
#include "base/memory.h"
#include "engine/kafka/kafka_broker.h"
#include "engine/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { RESTART_LEAST_MS = 200, RESTART_MOST_MS = 10000, CALM_MS = 60000, SLICE_MS = 100 };

struct runner_thread {
    const struct runner_config *config;
    struct runner_settings settings;
    struct publisher *ticks;
    atomic_bool *stop;
    atomic_bool *is_failed; /* shared: one hopeless worker ends the runner */
    int number;
    pthread_t thread;
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

/* One life of a worker. */
static void live(struct runner_thread *self, struct broker *broker)
{
    struct worker worker;
    worker_init(&worker, self->config, self->number, broker, self->stop);
    enum outcome outcome = OUTCOME_OK;
    while (outcome != OUTCOME_STOP && !is_ending(self))
        outcome = worker_step(&worker);
    if (outcome == OUTCOME_OK && worker_close(&worker) != OUTCOME_OK)
        log_warning("could not finish cleanly, the next start reads some input again", "worker", worker.name, NULL);
    if (worker.is_hopeless)
        atomic_store(self->is_failed, true);
    broker->port->close(broker); /* before the outbox, which its threads may still read */
    worker_finish(&worker);
}

static void *run_thread(void *argument)
{
    struct runner_thread *self = argument;
    int pause_ms = RESTART_LEAST_MS;
    while (!is_ending(self)) {
        int64_t began_us = clock_monotonic_us();
        bool is_hopeless = false;
        struct broker *broker =
            kafka_broker_open(self->config, &self->settings, self->number, self->ticks, self->stop, &is_hopeless);
        if (is_hopeless)
            atomic_store(self->is_failed, true);
        if (broker)
            live(self, broker);
        if (is_ending(self))
            break;
        if (clock_monotonic_us() - began_us > (int64_t)CALM_MS * 1000)
            pause_ms = RESTART_LEAST_MS;
        log_warning("worker begins anew", "processor", self->config->processor->name, "thread", LOG_NUMBER(self->number),
                    "pause_ms", LOG_NUMBER(pause_ms), NULL);
        sleep_ms(self, pause_ms);
        pause_ms = pause_ms * 2 > RESTART_MOST_MS ? RESTART_MOST_MS : pause_ms * 2;
    }
    return NULL;
}

static struct publisher *ticks_create(const struct runner_config *config)
{
    char error[512];
    struct publisher_settings settings = {.linger_ms = 1, .queue_messages_max = 10000};
    if (config->settings.tick_after_ms <= 0)
        return NULL;
    struct publisher *ticks = publisher_create(config->kafka, &settings, NULL, error, sizeof error);
    if (ticks == NULL)
        log_error("no ticks", "error", error, NULL);
    return ticks;
}

enum outcome runner_run(const struct runner_config *config, atomic_bool *stop)
{
    struct runner_settings settings = runner_settings_complete(config->settings, config->processor);
    struct publisher *ticks = ticks_create(config);
    struct runner_thread *threads = memory_zeroed((size_t)settings.threads, sizeof *threads);
    atomic_bool is_failed = false;
    for (int i = 0; i < settings.threads; i++) {
        threads[i] = (struct runner_thread){.config = config,
                                            .settings = settings,
                                            .ticks = ticks,
                                            .stop = stop,
                                            .is_failed = &is_failed,
                                            .number = i};
        pthread_create(&threads[i].thread, NULL, run_thread, &threads[i]);
    }
    for (int i = 0; i < settings.threads; i++)
        pthread_join(threads[i].thread, NULL);
    free(threads);
    publisher_destroy(ticks);
    return atomic_load(&is_failed) ? OUTCOME_STOP : OUTCOME_OK;
}
