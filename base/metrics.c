#include "base/metrics.h"

#include "base/memory.h"
#include "base/number_text.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };
static const char *const kind_names[] = {"counter", "gauge", "histogram"};
static const double bounds[] = {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
                                0.2,    0.5,    1,      2,     5,     10,    20,   50,   100};
enum { BOUND_COUNT = sizeof bounds / sizeof *bounds };

struct metric {
    char *name, *labels, *help;
    enum metric_kind kind;
    _Atomic double value; /* histogram: the sum */
    atomic_bool is_hidden;
    atomic_uint_fast64_t counts[BOUND_COUNT + 1];
    struct metric *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *all;

static struct metric *find_or_add(enum metric_kind kind, const char *name, const char *labels, const char *help)
{
    labels = labels ? labels : "";
    pthread_mutex_lock(&lock);
    struct metric **place = &all;
    /* Sorted by name, then labels: a family stands together, as the text format demands. */
    while (*place) {
        int order = strcmp((*place)->name, name);
        if (order == 0)
            order = strcmp((*place)->labels, labels);
        if (order == 0) {
            struct metric *found = *place;
            pthread_mutex_unlock(&lock);
            return found;
        }
        if (order > 0)
            break;
        place = &(*place)->next;
    }
    struct metric *metric = memory_zeroed(1, sizeof *metric);
    metric->name = memory_copy_text(name);
    metric->labels = memory_copy_text(labels);
    metric->help = memory_copy_text(help);
    metric->kind = kind;
    metric->is_hidden = kind == GAUGE;
    metric->next = *place;
    *place = metric;
    pthread_mutex_unlock(&lock);
    return metric;
}

void metrics_label(struct bytes *labels, const char *name, const char *value)
{
    bytes_printf(labels, "%s=\"", name);
    for (; *value; value++) {
        if (strchr("\"\\\n", *value))
            bytes_append_byte(labels, '\\');
        bytes_append_byte(labels, (unsigned char)(*value == '\n' ? 'n' : *value));
    }
    bytes_append_byte(labels, '"');
}

struct metric *metrics_counter(const char *name, const char *labels, const char *help)
{
    return find_or_add(COUNTER, name, labels, help);
}

struct metric *metrics_gauge(const char *name, const char *labels, const char *help)
{
    return find_or_add(GAUGE, name, labels, help);
}

struct metric *metrics_seconds(const char *name, const char *labels, const char *help)
{
    return find_or_add(HISTOGRAM, name, labels, help);
}

void metric_add(struct metric *metric, double by)
{
    double old = atomic_load_explicit(&metric->value, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->value, &old, old + by, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
    if (metric->kind == GAUGE)
        atomic_store_explicit(&metric->is_hidden, false, memory_order_relaxed);
}

void metric_set(struct metric *metric, double value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
    atomic_store_explicit(&metric->is_hidden, false, memory_order_relaxed);
}

void metric_hide(struct metric *metric)
{
    atomic_store_explicit(&metric->is_hidden, true, memory_order_relaxed);
}

void metric_observe(struct metric *metric, double seconds)
{
    size_t i = 0;
    while (i < BOUND_COUNT && seconds > bounds[i])
        i++;
    atomic_fetch_add_explicit(&metric->counts[i], 1, memory_order_relaxed);
    metric_add(metric, seconds);
}

static uint64_t count_of(const struct metric *metric)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= BOUND_COUNT; i++)
        count += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
    return count;
}

double metric_value(const struct metric *metric)
{
    return metric->kind == HISTOGRAM ? (double)count_of(metric)
                                     : atomic_load_explicit(&metric->value, memory_order_relaxed);
}

/* A line's end: the shortest text that reads back as the same number, and what the format calls those that are none. */
static void render_value(struct bytes *out, double value)
{
    char text[NUMBER_TEXT_MAX];
    if (isfinite(value))
        bytes_printf(out, " %.*s\n", (int)decimal_text(text, value), text);
    else
        bytes_append_text(out, isnan(value) ? " NaN\n" : value > 0 ? " +Inf\n" : " -Inf\n");
}

static void render_sample(struct bytes *out, const struct metric *metric)
{
    const char *open = metric->labels[0] ? "{" : "", *close = metric->labels[0] ? "}" : "";
    double value = atomic_load_explicit(&metric->value, memory_order_relaxed);
    if (metric->kind != HISTOGRAM) {
        bytes_printf(out, "%s%s%s%s", metric->name, open, metric->labels, close);
        render_value(out, value);
        return;
    }
    const char *comma = metric->labels[0] ? "," : "";
    uint64_t below = 0;
    for (size_t i = 0; i <= BOUND_COUNT; i++) {
        below += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
        if (i < BOUND_COUNT)
            bytes_printf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", metric->name, metric->labels, comma, bounds[i], below);
        else
            bytes_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", metric->name, metric->labels, comma, below);
    }
    bytes_printf(out, "%s_sum%s%s%s", metric->name, open, metric->labels, close);
    render_value(out, value);
    bytes_printf(out, "%s_count%s%s%s %" PRIu64 "\n", metric->name, open, metric->labels, close, below);
}

void metrics_render(struct bytes *out)
{
    pthread_mutex_lock(&lock);
    const char *family = "";
    for (struct metric *metric = all; metric; metric = metric->next) {
        if (atomic_load_explicit(&metric->is_hidden, memory_order_relaxed))
            continue;
        if (strcmp(family, metric->name) != 0)
            bytes_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                         kind_names[metric->kind]);
        family = metric->name;
        render_sample(out, metric);
    }
    pthread_mutex_unlock(&lock);
}
