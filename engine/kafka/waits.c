/* librdkafka waits by the monotonic clock, and naps where it would spin.
 *
 * By itself it waits until a time of the wall clock: cnd_timedwait, the only such wait that C11 knows (librdkafka #2145). Who sets that clock
 * back by an hour lets every thread that waits just then, for a tenth of a second by its own account, wait for an hour longer, unless somebody
 * wakes it: in silence no tick was written any more, no heartbeat sent, SIGTERM not heard.
 *
 * So we bring the function ourselves: the linker takes the program's before libc's, for libraries, too (CMakeLists.txt asks for this one, for
 * nothing of ours names it). What is left of a wait when it begins is left by the monotonic clock. A wait is taken up again, with the time
 * it had, by who was woken for nothing: that is known by that time, to the nanosecond, and ends when it was to end at first. A cnd_t is a
 * pthread_cond_t in glibc, whose own function takes it for one, too.
 *
 * Its main thread waits for work at a queue, in whole milliseconds until its next timer, and before 2.4 takes less than one for no wait at all: up
 * to a millisecond before each timer it goes round at full speed (librdkafka #4684). A transaction has two timers that are set just so far
 * ahead; with twenty transactions a second that was a fifth of all that the journey stage took. No call of ours is in that loop, but the
 * queue is locked in it each time, and mtx_lock is another of C11's functions. Who has taken a queue's lock a hundred times and not waited
 * there in between spins, or has very much to do, to which a nap does no harm: what comes meanwhile is taken up when it is over.
 *
 * Not under the thread sanitizer: it sees pthread's calls and not C11's, and would miss the lock. */
#include "engine/kafka/waits.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WATCHES_THREADS
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define WATCHES_THREADS
#endif

#ifdef WATCHES_THREADS

void kafka_waits_nap(rd_kafka_conf_t *conf)
{
    (void)conf;
}

#else

#define SECOND_NS 1000000000

_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t) && sizeof(mtx_t) <= sizeof(pthread_mutex_t), "C11's are pthread's");

/* --- naps --- */

enum { NAP_NS = 100000, ROUNDS_BEFORE_NAPS = 100, ROUNDS_A_NAP = 10, VERSION_WITHOUT_SPIN = 0x02040000 };

static _Thread_local bool may_spin;
static _Thread_local const mtx_t *waited_with; /* the lock of the queue where it last waited; NULL: may not spin */
static _Thread_local unsigned rounds;          /* how often it was taken since */

static rd_kafka_resp_err_t on_thread_start(rd_kafka_t *handle, rd_kafka_thread_type_t type, const char *name, void *opaque)
{
    (void)handle, (void)name, (void)opaque;
    may_spin = type == RD_KAFKA_THREAD_MAIN;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *handle, const rd_kafka_conf_t *conf, void *opaque, char *error, size_t error_size)
{
    (void)conf, (void)opaque, (void)error, (void)error_size;
    return rd_kafka_interceptor_add_on_thread_start(handle, "naps", on_thread_start, NULL);
}

void kafka_waits_nap(rd_kafka_conf_t *conf)
{
    if (rd_kafka_version() < VERSION_WITHOUT_SPIN)
        rd_kafka_conf_interceptor_add_on_new(conf, "naps", on_new, NULL);
}

static void note_wait(const mtx_t *lock)
{
    waited_with = may_spin ? lock : NULL;
    rounds = 0;
}

static void nap(void)
{
    rounds = ROUNDS_BEFORE_NAPS - ROUNDS_A_NAP;
    nanosleep(&(struct timespec){0, NAP_NS}, NULL);
}

int mtx_lock(mtx_t *lock)
{
    if (lock == waited_with && ++rounds > ROUNDS_BEFORE_NAPS)
        nap();
    return pthread_mutex_lock((pthread_mutex_t *)lock) == 0 ? thrd_success : thrd_error;
}

/* --- waits --- */

struct wait {
    const cnd_t *condition;
    struct timespec until; /* wall clock, as it was asked for */
    struct timespec end;   /* monotonic */
};

static struct timespec end_of(const struct timespec *until)
{
    struct timespec wall, end;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t nanoseconds = (int64_t)end.tv_nsec + until->tv_nsec - wall.tv_nsec;
    end.tv_sec += until->tv_sec - wall.tv_sec;
    for (; nanoseconds < 0; nanoseconds += SECOND_NS)
        end.tv_sec--;
    end.tv_sec += nanoseconds / SECOND_NS;
    end.tv_nsec = nanoseconds % SECOND_NS;
    return end.tv_sec >= 0 ? end : (struct timespec){0};
}

static bool is_same(const struct wait *wait, const cnd_t *condition, const struct timespec *until)
{
    return wait->condition == condition && wait->until.tv_sec == until->tv_sec && wait->until.tv_nsec == until->tv_nsec;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict lock, const struct timespec *restrict until)
{
    static _Thread_local struct wait last;
    note_wait(lock);
    if (!is_same(&last, condition, until))
        last = (struct wait){condition, *until, end_of(until)};
    int code = pthread_cond_clockwait((pthread_cond_t *)condition, (pthread_mutex_t *)lock, CLOCK_MONOTONIC, &last.end);
    return code == 0 ? thrd_success : code == ETIMEDOUT ? thrd_timedout : thrd_error;
}

#endif
