#include "engine/farewell.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Two hold it, he who closes and he who waits; the last one frees it. */
struct leave {
    void (*close)(void *closing);
    void *closing;
    void (*then)(void *context);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_closed;
    bool is_done;      /* and `then` was called */
    bool is_abandoned; /* nobody waits any more: `then` must not be called */
    int holders;
};

static atomic_int left_behind;

int farewell_left_behind(void)
{
    return atomic_load(&left_behind);
}

/* With the lock held; gives it back. */
static void let_go(struct leave *leave)
{
    bool is_last = --leave->holders == 0;
    pthread_mutex_unlock(&leave->lock);
    if (!is_last)
        return;
    pthread_cond_destroy(&leave->changed);
    pthread_mutex_destroy(&leave->lock);
    free(leave);
}

static void *close_it(void *argument)
{
    struct leave *leave = argument;
    leave->close(leave->closing);
    pthread_mutex_lock(&leave->lock);
    leave->is_closed = true;
    bool is_wanted = !leave->is_abandoned;
    pthread_mutex_unlock(&leave->lock);
    if (is_wanted && leave->then)
        leave->then(leave->context);
    pthread_mutex_lock(&leave->lock);
    leave->is_done = true;
    pthread_cond_signal(&leave->changed);
    let_go(leave);
    return NULL;
}

bool farewell(void (*close)(void *closing), void *closing, void (*then)(void *context), void *context, int most_ms)
{
    struct leave *leave = memory_zeroed(1, sizeof *leave);
    *leave = (struct leave){.close = close, .closing = closing, .then = then, .context = context, .holders = 2};
    pthread_mutex_init(&leave->lock, NULL);
    thread_condition_init(&leave->changed);

    pthread_t thread;
    if (thread_create(&thread, close_it, leave) != 0) { /* no thread to be had: then here, however long it takes */
        close_it(leave);
        pthread_mutex_lock(&leave->lock);
        let_go(leave);
        return true;
    }
    pthread_detach(thread);
    int64_t until_us = clock_monotonic_us() + (int64_t)most_ms * 1000;
    pthread_mutex_lock(&leave->lock);
    while (!leave->is_done && thread_wait(&leave->changed, &leave->lock, until_us))
        ;
    while (leave->is_closed && !leave->is_done) /* the closing is over, what is left takes no time to speak of */
        pthread_cond_wait(&leave->changed, &leave->lock);
    bool is_done = leave->is_done;
    leave->is_abandoned = !is_done;
    if (!is_done)
        atomic_fetch_add(&left_behind, 1);
    let_go(leave);
    return is_done;
}
