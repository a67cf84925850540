/* The smallest processor that uses everything the engine offers: entries, timers, deletion, parking, sums over a batch, a clock.
 *
 * A record's value is text: "AT NUMBER" adds NUMBER to its key's sum at event time AT; "AT forget" deletes the entry; a null key
 * and null value is a tick. Anything else is parked. Each record is answered on toy.out with what the entry is then:
 *   "add OFFSET COUNT SUM", "forget OFFSET COUNT SUM", "quiet OFFSET COUNT SUM DUE" when nothing came for TOY_QUIET_MS,
 *   and after TOY_QUIETS_MAX of these in a row "gone OFFSET COUNT SUM DUE", and the entry is deleted;
 *   "full OFFSET COUNT SUM" after the TOY_COUNT_MAXth number, and the entry is deleted: so half an entry would be noticed.
 * toy.sums gets with each summary what was added since the last: "COUNT SUM" under the partition's number. */
#ifndef TS_TESTS_SIM_TOY_H
#define TS_TESTS_SIM_TOY_H

#include "engine/processor.h"

enum { TOY_OUT, TOY_SUMS, TOY_REJECTED };
enum { TOY_QUIET_MS = 5000, TOY_QUIETS_MAX = 3, TOY_COUNT_MAX = 9, TOY_DISORDER_MS = 1000 };

extern const struct processor toy_processor;
extern int64_t toy_count_max, toy_quiet_ms; /* TOY_COUNT_MAX, TOY_QUIET_MS unless set before the start */

/* Reading a record's value. false: to be parked. */
struct toy_input {
    int64_t at_ms, number;
    bool is_forget;
};
bool toy_parse(struct view value, struct toy_input *out);

#endif
