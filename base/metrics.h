/* Counters, gauges and histograms for Prometheus. Register once at start (any thread, takes a lock); updating is lock-free.
 * Names follow Prometheus: touchstream_…, base units, _total for counters. A metric lives until the process ends. */
#ifndef TS_BASE_METRICS_H
#define TS_BASE_METRICS_H

#include "base/bytes.h"

#include <stdatomic.h>

struct metric;

/* `labels`: "role=\"journey\",partition=\"3\"" or NULL. The same name and labels yield the same metric. A gauge is told once it has been set or added to. */
struct metric *metrics_counter(const char *name, const char *labels, const char *help);
struct metric *metrics_gauge(const char *name, const char *labels, const char *help);
/* Logarithmic bounds from 100 µs to 100 s, 1-2-5. */
struct metric *metrics_seconds(const char *name, const char *labels, const char *help);

/* Appends NAME="VALUE" for `labels`, the value being somebody's words. */
void metrics_label(struct bytes *labels, const char *name, const char *value);

void metric_add(struct metric *metric, double by);   /* counter or gauge */
void metric_set(struct metric *metric, double value); /* gauge */
void metric_hide(struct metric *metric); /* gauge: it is not told until it is set again, for there is nothing to measure */
void metric_observe(struct metric *metric, double seconds);
double metric_value(const struct metric *metric);    /* histogram: its count */

/* The text exposition format, version 0.0.4. */
void metrics_render(struct bytes *out);

#endif
