#include "base/thread.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct beginning {
    void *(*run)(void *);
    void *context;
    const char *service;
};

static void *begin(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
    log_speak_for(beginning.service);
    return beginning.run(beginning.context);
}

int thread_create(pthread_t *thread, void *(*run)(void *), void *context)
{
    struct beginning *beginning = memory_zeroed(1, sizeof *beginning);
    *beginning = (struct beginning){run, context, log_spoken_for()};
    int code = pthread_create(thread, NULL, begin, beginning);
    if (code != 0)
        free(beginning);
    return code;
}

void thread_start(pthread_t *thread, void *(*run)(void *), void *context)
{
    int code = thread_create(thread, run, context);
    if (code == 0)
        return;
    fprintf(stderr, "level=fatal msg=\"no thread to be had\" error=\"%s\"\n", strerror(code));
    abort();
}

void thread_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_us)
{
    return pthread_cond_timedwait(condition, lock, &(struct timespec){until_us / 1000000, until_us % 1000000 * 1000}) == 0;
}
