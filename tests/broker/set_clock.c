/* A wall clock that can be set, for one process: LD_PRELOAD it, and write milliseconds ahead (negative: back), as text, into the file named by
 * SET_CLOCK. Setting the machine's own would need root, and reach everybody.
 *
 * libfaketime does the same for dates. What it does not do is what hurts in earnest: who waits until a time by the wall clock, and has it
 * set back by an hour meanwhile, waits for an hour longer. The kernel does that; so does cnd_timedwait here. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const int64_t slice_ns = 20000000;

static int64_t set_by_ms(void)
{
    const char *path = getenv("SET_CLOCK");
    char text[32] = "";
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    return size > 0 ? atoll(text) : 0;
}

static struct timespec later(struct timespec at, int64_t ns)
{
    int64_t sum = at.tv_nsec + ns;
    at.tv_sec += sum / 1000000000;
    at.tv_nsec = sum % 1000000000;
    return at;
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    int answer = (int)syscall(SYS_clock_gettime, which, now);
    if (answer == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        now->tv_sec += set_by_ms() / 1000;
    return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    *now = (struct timeval){at.tv_sec, at.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (out)
        *out = at.tv_sec;
    return at.tv_sec;
}

int timespec_get(struct timespec *now, int base)
{
    return clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict lock, const struct timespec *restrict until)
{
    for (;;) {
        struct timespec now, soon;
        clock_gettime(CLOCK_REALTIME, &now);
        if (now.tv_sec > until->tv_sec || (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec))
            return thrd_timedout;
        int64_t left_ns = until->tv_sec - now.tv_sec > 1 ? slice_ns : (until->tv_sec - now.tv_sec) * 1000000000 + until->tv_nsec - now.tv_nsec;
        clock_gettime(CLOCK_MONOTONIC, &soon);
        soon = later(soon, left_ns < slice_ns ? left_ns : slice_ns);
        if (pthread_cond_clockwait((pthread_cond_t *)condition, (pthread_mutex_t *)lock, CLOCK_MONOTONIC, &soon) == 0)
            return thrd_success;
    }
}
