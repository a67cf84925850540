/* Inhibition: what somebody need not hear of while a graver alert is open that says it already, or puts it in doubt.
 *
 *     open                                        inhibits
 *     a KPI alert about the whole (all)           those of its kind about parts of the same KPI (product=kettle)
 *     DATA_QUALITY, from WARNING on               every KPI alert: numbers of which some are missing
 *
 * KPI alerts are those of the kinds KPI_THRESHOLD, TREND_SHIFT and SLA_BURN. What inhibits, and from when until when, follows from the log of
 * alerts alone, in whatever order its partitions are read; nothing is to be remembered. Imported history inhibits nothing, it is not told either.
 *
 * No I/O, no clock. One thread. */
#ifndef TS_NOTIFY_INHIBITION_H
#define TS_NOTIFY_INHIBITION_H

#include "base/map.h"
#include "schemas/records.h"

/* What an alert is about, as far as it can be inhibited. Zero: it cannot. */
struct subject {
    bool is_kpi, is_part;
    enum alert_kind kind;
    int kpi; /* −1: one that we do not know */
};

struct subject subject_of(const struct alert *alert);

struct inhibition {
    struct map inhibitors; /* alert id → since when, until when */
};

void inhibition_finish(struct inhibition *inhibition);

/* Each revision of every alert. true: something begins or ends to inhibit. */
bool inhibition_takes(struct inhibition *inhibition, const struct alert *alert);

/* The first instant from at_ms on at which nothing inhibits it; INT64_MAX: no end is known. */
int64_t inhibition_end_ms(const struct inhibition *inhibition, const struct subject *subject, int64_t at_ms);

#endif
