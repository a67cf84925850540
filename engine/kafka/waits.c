/* librdkafka waits by the monotonic clock.
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
 * Not under the thread sanitizer: it sees pthread's calls and not C11's, and would miss the lock. */
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

#ifndef WATCHES_THREADS

#define SECOND_NS 1000000000

_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t) && sizeof(mtx_t) <= sizeof(pthread_mutex_t), "C11's are pthread's");

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
    if (!is_same(&last, condition, until))
        last = (struct wait){condition, *until, end_of(until)};
    int code = pthread_cond_clockwait((pthread_cond_t *)condition, (pthread_mutex_t *)lock, CLOCK_MONOTONIC, &last.end);
    return code == 0 ? thrd_success : code == ETIMEDOUT ? thrd_timedout : thrd_error;
}

#endif
