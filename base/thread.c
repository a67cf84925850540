#include "base/thread.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>

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
