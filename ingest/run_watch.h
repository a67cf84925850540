/* Watches programs that were written by others and may not end: how long one input has been at work, and how much memory it took.
 *
 * Time is counted in ticks of the watch's own thread that find the same input at work, not by a clock: a process that was frozen or
 * starved for a minute has not been running for one. The thread sleeps while there is nothing to watch. */
#ifndef TS_INGEST_RUN_WATCH_H
#define TS_INGEST_RUN_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct run_watch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_running, is_asleep, is_ending;
    uint64_t input, seen_input; /* number of the one at work, and of the one that the last tick found there */
    int64_t seen_ms, time_ms_max;
    int64_t bytes_before; /* resident memory at the input's first tick */
    int idle_ticks;
    char why[120]; /* why the run was stopped; empty: it was not */
    /* Makes the run end soon. On the watch's thread, under its lock, while the run is under way. */
    void (*stop)(void *context, const char *why);
    void *context;
};

/* `time_ms_max` for one input. */
void run_watch_init(struct run_watch *watch, int64_t time_ms_max, void (*stop)(void *context, const char *why), void *context);
void run_watch_limit(struct run_watch *watch, int64_t time_ms_max); /* another, for the inputs to come */
void run_watch_finish(struct run_watch *watch);

/* Around each piece of the run; `is_new_input` for the first of an input. run_watch_end: why it was stopped, until the next input; NULL: it
 * was not. */
void run_watch_begin(struct run_watch *watch, bool is_new_input);
const char *run_watch_end(struct run_watch *watch);

#endif
