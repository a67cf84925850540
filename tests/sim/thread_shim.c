/* For builds with the thread sanitizer: librdkafka makes its threads and locks with C11's functions, which the sanitizer of gcc 12
 * does not know; it crashes in the first thread it has not seen begin. Here they are POSIX's, which it does know. glibc's
 * mtx_t and cnd_t are pthread_mutex_t and pthread_cond_t inside. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

struct beginning {
    thrd_start_t function;
    void *argument;
};

static void *begin(void *context)
{
    struct beginning beginning = *(struct beginning *)context;
    free(context);
    return (void *)(long)beginning.function(beginning.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct beginning *beginning = malloc(sizeof *beginning);
    *beginning = (struct beginning){function, argument};
    return pthread_create(thread, NULL, begin, beginning) ? thrd_error : thrd_success;
}

int thrd_join(thrd_t thread, int *result)
{
    void *value;
    if (pthread_join(thread, &value))
        return thrd_error;
    if (result)
        *result = (int)(long)value;
    return thrd_success;
}

int mtx_lock(mtx_t *mutex)
{
    return pthread_mutex_lock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int mtx_unlock(mtx_t *mutex)
{
    return pthread_mutex_unlock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int mtx_trylock(mtx_t *mutex)
{
    return pthread_mutex_trylock((pthread_mutex_t *)mutex) ? thrd_busy : thrd_success;
}

int cnd_signal(cnd_t *condition)
{
    return pthread_cond_signal((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int cnd_broadcast(cnd_t *condition)
{
    return pthread_cond_broadcast((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    int code = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return code == 0 ? thrd_success : code == ETIMEDOUT ? thrd_timedout : thrd_error;
}
