/* Silences: for a while nobody is told of what somebody knows about already. The `notify.silences` list of the configuration;
 * a file of its own may have more of them (silence_watch.h).
 *
 *     notify:
 *       silences:
 *         - author: Ada
 *           reason: the warehouse moves
 *           from: 2026-11-27T18:00:00Z      # default: at once
 *           until: 2026-11-30T06:00:00Z
 *           kpis: [on_time_delivery]        # and of these what says anything, at least one of them: rules, customers, kpis, dimensions
 *           dimensions: [all, product=kettle]
 *
 * An alert that each of its lists has waits until the end of the silence, if it changed while that ran (waiting.h). What it rests on is a property of
 * the record, so what was silent is so again when the log is read anew. Read-only once made; any thread. */
#ifndef TS_NOTIFY_SILENCES_H
#define TS_NOTIFY_SILENCES_H

#include "base/settings.h"
#include "schemas/records.h"

enum { SILENCES_MAX = 64 };

struct silence {
    const char *author, *reason; /* borrowed from the settings, as all of it */
    int64_t from_ms, until_ms;
    const struct settings_node *rules, *customers, *kpis, *dimensions; /* NULL: whatever */
};

struct silences {
    struct silence items[SILENCES_MAX];
    size_t count;
};

/* Reads the list, NULL: none. false: `error` names line, key and remedy. */
bool silences_read(const struct settings_node *list, struct silences *silences, struct bytes *error);
bool silences_add(const struct settings_node *list, struct silences *silences, struct bytes *error); /* to those that there are */

/* Bit i: silence i is about such alerts, now or at another time. */
uint64_t silences_about(const struct silences *silences, const struct alert *alert);

/* The first instant from at_ms on that none of those silences covers. */
int64_t silences_end_ms(const struct silences *silences, uint64_t which, int64_t at_ms);

/* One line of the log for each that has begun or ended in (before_ms, now_ms]; with INT64_MIN, for each that runs or is over. */
void silences_say(const struct silences *silences, int64_t before_ms, int64_t now_ms);

#endif
