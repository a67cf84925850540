/* A daily cap and the digest of what is beyond it.
 *
 *     - name: support-channel
 *       daily_max: 50              # messages a day; what comes beyond is counted, and told in one digest as the day ends
 *       digest_at: "08:00"         # when that is, seconds behind a further colon if need be; default 00:00
 *       time_zone: Europe/Berlin   # default UTC
 *       cap_critical: true         # CRITICAL, too; default false: it is told at any rate
 *
 * A message with something CRITICAL in it, or the end of what was told, is never put off; it counts all the same. What is put off is noted in
 * alerts.escalated (text «capped»), and again as the digest has told it («digest»): waiting.h remembers both. The number of messages follows
 * from the notes, too: those of one message bear one time, which no other message has.
 *
 * No clock, no I/O. One thread. */
#ifndef TS_NOTIFY_DIGEST_H
#define TS_NOTIFY_DIGEST_H

#include "base/map.h"
#include "base/settings.h"
#include "schemas/records.h"

struct receiver;
struct time_zone;

struct digest_rules {
    int64_t daily_max;     /* 0: no cap */
    int64_t at_ms;         /* into the day */
    const char *time_zone; /* borrowed from the settings */
    bool caps_critical;
};

/* Of a receiver's mapping. false: `error` names line, key and remedy. */
bool digest_read(const struct settings_node *receiver, struct digest_rules *rules, struct bytes *error);

/* --- the cap --- */

struct digest {
    const struct digest_rules *rules;
    struct time_zone *zone;
    int64_t day_ms, next_day_ms; /* the running day begins, and ends */
    struct map messages;         /* of it: their times */
};

void digest_init(struct digest *digest, const struct digest_rules *rules);
void digest_finish(struct digest *digest);
void digest_forget(struct digest *digest); /* the messages and the day, before the notes are read again: the clock may have been set back */

/* When the day began in which now_ms lies; messages of days before no longer count. Never back, until all is forgotten. */
int64_t digest_day_ms(struct digest *digest, int64_t now_ms);

void digest_counts(struct digest *digest, int64_t told_ms); /* one of its notes at least says so */
bool digest_is_full(const struct digest *digest);

/* A time for the notes of the next message: now, but none that was given before. */
int64_t digest_stamp_ms(const struct digest *digest, int64_t now_ms);

/* --- what it says --- */

enum { DIGEST_GRAVEST_MAX = 10 };

struct digest_summary {
    int64_t until_ms; /* what was put off before */
    size_t count;
    struct map by_rule;                       /* "rule severity" → counts */
    struct alert gravest[DIGEST_GRAVEST_MAX]; /* the gravest first, of these those that are still open, then the newest; borrowed */
    size_t gravest_count;
};

/* One that was put off, as it is now. What it borrows must live as long as the summary. */
void digest_add(struct digest_summary *summary, const struct alert *alert);
void digest_summary_finish(struct digest_summary *summary);

/* JSON: {"type": "touchstream.digest", "timestamp": the end of the day, "url", "count", "counts": [{"rule", "severity", "count", "open"}, …], "gravest": [as
 * their messages by themselves would be]}. SLACK: the same as a text. */
void digest_write(struct bytes *out, const struct receiver *receiver, const struct digest_summary *summary, const char *dashboard_url);

#endif
