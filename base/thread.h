/* Threads that know whom they work for. */
#ifndef TS_BASE_THREAD_H
#define TS_BASE_THREAD_H

#include <pthread.h>

/* pthread_create with standard attributes; the new thread's warnings and errors are the complaints of the same service as those of who starts
 * it (log_speak_for). 0, or pthread_create's error. */
int thread_create(pthread_t *thread, void *(*run)(void *), void *context);

#endif
