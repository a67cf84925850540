/* Synthetic customers and what happens to them after the sale: orders and their deliveries, tickets with replies, hand-offs and
 * resolutions, surveys and answers, use, reviews … in a set mix, from a seed. The same seed tells the same lives. */
#ifndef TS_INGEST_GENERATE_LIVES_H
#define TS_INGEST_GENERATE_LIVES_H

#include "schemas/records.h"

enum mix {
    MIX_FULL,  /* every body record; the benchmark's mix makes up 93 % */
    MIX_PEERS, /* the mix of the benchmark job alone */
};

struct lives;

struct lives_options {
    uint64_t seed;
    uint32_t first_number; /* orders, tickets, surveys … are numbered from here */
    uint32_t customers;
    enum mix mix;
    bool has_stories;     /* now and then an angry customer, a ticket nobody answers, a bad day of deliveries */
    int64_t disorder_ms;  /* events lie up to this far behind the clock */
};

struct lives *lives_create(const struct lives_options *options);
void lives_destroy(struct lives *lives);

/* What happens next, at `now_ms` or a little before. Texts are borrowed until the next call. */
void lives_next(struct lives *lives, int64_t now_ms, struct touchpoint *out);

#endif
