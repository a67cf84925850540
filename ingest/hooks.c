#include "ingest/hooks.h"

#include "base/log.h"
#include "base/memory.h"
#include "ingest/intake.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_SIZE_MAX = 64, HOOKS_MAX = 256 };

struct hook {
    char name[NAME_SIZE_MAX + 1];
    struct mapping *mapping;
    pthread_mutex_t lock; /* guards what follows, and the mapping */
    int stopped_in_a_row;
    int64_t rests_until_ms; /* monotonic */
};

struct hooks {
    const char *mappings_dir;
    int64_t mapping_ms_max;
    struct clock *clock;
    pthread_mutex_t lock; /* guards the list; a hook once in it stays */
    struct hook *items[HOOKS_MAX];
    size_t count;
};

struct hooks *hooks_create(const char *mappings_dir, int64_t mapping_ms_max, struct clock *clock)
{
    struct hooks *hooks = memory_zeroed(1, sizeof *hooks);
    hooks->mappings_dir = mappings_dir;
    hooks->mapping_ms_max = mapping_ms_max;
    hooks->clock = clock;
    pthread_mutex_init(&hooks->lock, NULL);
    return hooks;
}

void hooks_destroy(struct hooks *hooks)
{
    if (!hooks)
        return;
    for (size_t i = 0; i < hooks->count; i++) {
        mapping_destroy(hooks->items[i]->mapping);
        pthread_mutex_destroy(&hooks->items[i]->lock);
        free(hooks->items[i]);
    }
    pthread_mutex_destroy(&hooks->lock);
    free(hooks);
}

/* A name becomes a file name: nothing but letters, digits, '_' and '-'. */
static bool name_is_safe(struct view name)
{
    if (name.size == 0 || name.size > NAME_SIZE_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static struct mapping *compile(const struct hooks *hooks, const char *name, struct bytes *error)
{
    struct bytes program = {0}, message = {0};
    struct mapping *mapping = NULL;
    if (mapping_find(name, hooks->mappings_dir, &program, error)) {
        struct mapping_options options = {.name = name, .file = name, .time_ms_max = hooks->mapping_ms_max};
        mapping = mapping_create(bytes_view(&program), &options, NULL, &message);
        if (!mapping)
            bytes_printf(error, "mapping %s: %s", name, bytes_text(&message));
    }
    bytes_finish(&program);
    bytes_finish(&message);
    return mapping;
}

static struct hook *hook_named(struct hooks *hooks, struct view name, struct bytes *error)
{
    struct hook *hook = NULL;
    pthread_mutex_lock(&hooks->lock);
    for (size_t i = 0; i < hooks->count && !hook; i++)
        if (view_equal_text(name, hooks->items[i]->name))
            hook = hooks->items[i];
    if (!hook && name_is_safe(name) && hooks->count < HOOKS_MAX) {
        hook = memory_zeroed(1, sizeof *hook);
        memcpy(hook->name, name.data, name.size);
        hook->mapping = compile(hooks, hook->name, error);
        if (hook->mapping) {
            pthread_mutex_init(&hook->lock, NULL);
            hooks->items[hooks->count++] = hook;
        } else {
            free(hook);
            hook = NULL;
        }
    } else if (!hook) {
        bytes_append_text(error, "the name of a mapping has letters, digits, _ and - only");
    }
    pthread_mutex_unlock(&hooks->lock);
    return hook;
}

/* The thread that runs a mapping does nothing else, and may be the only one. What is to be done follows from what was sent, mostly a few KiB that take
 * milliseconds: no need to wait for what will not end as long as for 8 MiB. Far above what is needed, for a machine that is busy. */
enum { PAYLOAD_MS = 2000, PAYLOAD_MIB_MS = 1000 };

static int64_t time_for(struct view payload)
{
    return PAYLOAD_MS + (int64_t)(payload.size >> 10) * PAYLOAD_MIB_MS / 1024;
}

/* --- a mapping that does not end --- */

static bool hook_rests(const struct hook *hook, int64_t now_ms, struct arena *arena, struct json_fault *fault)
{
    char reason[120];
    if (hook->stopped_in_a_row < HOOK_STOPPED_MAX || now_ms >= hook->rests_until_ms)
        return false;
    snprintf(reason, sizeof reason, "the mapping was stopped for %d payloads in a row, it is not tried for another %d s", hook->stopped_in_a_row,
             (int)((hook->rests_until_ms - now_ms + 999) / 1000));
    *fault = accept_fault("bad_mapping", VIEW_LITERAL(""), arena_copy(arena, view_of_text(reason)));
    return true;
}

static void hook_ran(struct hook *hook, int64_t now_ms)
{
    hook->stopped_in_a_row = mapping_was_stopped(hook->mapping) ? hook->stopped_in_a_row + 1 : 0;
    if (hook->stopped_in_a_row < HOOK_STOPPED_MAX)
        return;
    hook->rests_until_ms = now_ms + HOOK_REST_MS;
    log_error("a mapping was stopped again and again, its payloads are refused for a while", "mapping", hook->name, "in_a_row",
              LOG_NUMBER(hook->stopped_in_a_row), "seconds", LOG_NUMBER(HOOK_REST_MS / 1000), NULL);
}

static void on_header(void *context, struct view name, struct view value)
{
    mapping_add_header(context, name, value);
}

bool hooks_run(struct hooks *hooks, struct view name, const struct http_exchange *exchange, struct view default_source,
               struct arena *arena,
               void (*each)(void *context, struct touchpoint *touch, bool is_good, struct json_fault *fault),
               void *context, bool *is_json, struct bytes *error)
{
    struct hook *hook = hook_named(hooks, name, error);
    if (!hook)
        return false;
    pthread_mutex_lock(&hook->lock);
    mapping_forget_headers(hook->mapping);
    http_exchange_each_header(exchange, on_header, hook->mapping);
    struct intake intake = {.mapping = hook->mapping, .default_source = default_source, .arena = arena};
    mapping_limit_time(hook->mapping, time_for(http_exchange_body(exchange)));
    intake_put_payload(&intake, http_exchange_body(exchange));
    *is_json = intake.fault.code == NULL;
    bool is_tried = *is_json && !hook_rests(hook, clock_monotonic_ms(hooks->clock), arena, &intake.fault);
    struct touchpoint touch;
    struct json_fault fault;
    enum intake_step step;
    while ((step = intake_take(&intake, &touch, &fault)) != INTAKE_END)
        each(context, &touch, step == INTAKE_TOUCHPOINT, &fault);
    if (is_tried)
        hook_ran(hook, clock_monotonic_ms(hooks->clock));
    pthread_mutex_unlock(&hook->lock);
    return true;
}
