/* What `explain` has found out about a number, and how it is printed. explain.c finds it out. */
#ifndef TS_APP_EXPLANATION_H
#define TS_APP_EXPLANATION_H

#include "app/explain_dimensions.h"
#include "app/stages.h"
#include "base/arena.h"
#include "engine/rehearsal.h"

/* One event's addition to one minute of the series. */
struct addition {
    struct uuid event_id;
    bool has_event; /* false: time alone did it (a deadline, a cohort coming of age) */
    char *customer_id;
    int64_t occurred_at_ms, minute_at_ms, n, num, sum;
    const char *type;
};

struct explanation {
    enum kpi_id kpi;
    const struct window *window;
    const char *by;
    struct bytes series, kpi_key; /* keys in kpi.deltas and kpis */
    struct dimensions_seen seen;  /* that the KPI counts by */
    struct rehearsal *journey, *kpis;
    struct record_reader *touchpoints;
    struct arena arena;
    struct addition *additions;
    size_t addition_count, addition_capacity;
    struct touchpoint current; /* the event being applied */
    bool has_current;
    struct bytes woken; /* whose time has come, while there is no event */
    int64_t journey_offset; /* ours, not the topic's: between two records the clock may make many steps */
    const struct time_zone *zone;
    int64_t disorder_ms, delta_offset, newest_ms, events;
    struct bytes computed, published; /* Kpi records as Avro, without wire header */
    int32_t partitions_seen;
    bool shows_progress;
    bool lacks_schema; /* the registry is away: what cannot be read now must not be taken for nothing */
};

/* Prints a JSON line for each event that added to the number, and last the number computed beside the one published; says on stderr what there is
 * by when nothing was found. The exit code. */
int explanation_print(struct explanation *explanation);

#endif
