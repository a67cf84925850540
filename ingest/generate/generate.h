/* `touchstream generate`: synthetic traffic, for demos and benchmarks. */
#ifndef TS_INGEST_GENERATE_GENERATE_H
#define TS_INGEST_GENERATE_GENERATE_H

#include "base/clock.h"
#include "ingest/generate/lives.h"
#include "ingest/outlet.h"

#include <stdatomic.h>
#include <stdio.h>

struct generate_options {
    struct lives_options lives;
    uint64_t events;
    double rate;           /* events a second of real time, at the time it is; 0: as fast as possible */
    int64_t start_ms;      /* event time of the first; with a rate: not used */
    int64_t span_ms;       /* event time from first to last */
    double duplicates;     /* share sent twice, the second time within the next 5,000 events */
    FILE *out;             /* NDJSON goes here instead of to the outlet; NULL: the outlet */
};

/* Blocks until all are handed over or *stop. Waits while the outlet is full. The number handed over, duplicates included. */
uint64_t generate_run(const struct generate_options *options, const struct outlet *outlet, struct clock *clock,
                      atomic_bool *stop, void *message_context);

#endif
