/* The hot score of a customer, 0 to 100, each point with its reason and the event that gave it (docs/CASES.md).
 *
 * Of several things of one kind the one that weighs most counts (of ratings of one kind the latest); points of facts halve every
 * hot.half_life of time in which the customer does not wait for us. Safety and law lift the score to hot.from. */
#ifndef TS_JOURNEY_HOT_SCORE_H
#define TS_JOURNEY_HOT_SCORE_H

#include "processors/journey/care/cases.h"

enum { HOT_REASONS_MAX = HOT_CODE_COUNT + 1 };

struct hot_reason {
    const char *code;
    double points;
    bool has_event;
    struct moment event;
    struct view text; /* for people; in the arena */
};

struct hot_reading {
    double score; /* one decimal */
    struct hot_reason reasons[HOT_REASONS_MAX]; /* most points first */
    uint32_t count;
    const struct ticket *ticket; /* the open one whose promise is nearest to broken; NULL: none */
    int64_t ticket_due_at_ms;    /* what is due first on any open ticket, this one or another; NEVER_MS: nothing */
};

/* As of `at_ms`, of what was said after `from_ms`. */
void hot_score_read(struct journey_task *task, const struct customer *customer, int64_t at_ms, int64_t from_ms,
                    struct arena *arena, struct hot_reading *out);

/* A number for the set of reasons, whatever their points: codes and events. */
uint64_t hot_reasons_hash(const struct hot_reading *reading);

#endif
