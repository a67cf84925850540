/* Threads that know whom they work for, and waiting that no change of the wall clock shortens or prolongs. */
#ifndef TS_BASE_THREAD_H
#define TS_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* pthread_create with standard attributes; the new thread's warnings and errors are the complaints of the same service as those of who starts
 * it (log_speak_for). 0, or pthread_create's error: for who can do without. */
int thread_create(pthread_t *thread, void *(*run)(void *), void *context);

/* The same for who cannot: where no thread is to be had the process ends with a line that says so, as without memory (memory.h). */
void thread_start(pthread_t *thread, void *(*run)(void *), void *context);

/* A condition for thread_wait. */
void thread_condition_init(pthread_cond_t *condition);

/* pthread_cond_wait, until `until_us` (clock_monotonic_us) at most. false: that has come. */
bool thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_us);

#endif
