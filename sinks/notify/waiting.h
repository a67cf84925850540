/* What a receiver has been told, and what it is not told at once: what waits, and for what.
 *
 *     OPEN ──due──▶ told ──▶ hears every change of state or severity ──over──▶ forgotten
 *       └─ended, or (`after`) acknowledged, in progress, snoozed …: nothing to tell
 *
 * It is due
 *   - with `after`: when nobody has acted on it for so long, by severity. The clock of a severity runs from when the alert became open and at
 *     least so grave, and stops when it is neither; the first one to run out counts. Without: when it became so grave as the receiver hears of;
 *   - at the end of all silences about it, and once nothing inhibits it (inhibition.h). What can be inhibited waits for moments first: the alert
 *     that does may be in another partition, an instant behind.
 * That something is over that was told waits for none of these. With `group_by` it is then told together with others (grouping.h).
 * What is beyond a receiver's daily_max is put off: it waits for a digest, whatever becomes of it (digest.h).
 * What is due as it comes, and need not wait for anything (receiver_holds), is told at once, change by change.
 * With `repeat_interval` what was told and is still OPEN so long after is told again.
 *
 * Time is the wall's, but nothing is remembered by the process: what waits follows from the log of alerts, which is
 * read again at each start, and what was told from the topic alerts.escalated, a record for each alert told, whichever way. So a restart,
 * another process's share or other settings neither forget a deadline nor call anybody twice (but for the messages that a crash cut off from
 * their notes), and whoever was told of an alert hears that it is over.
 *
 * No I/O here. One thread. waiting.c is what comes in the logs, waiting_due.c when it is due. */
#ifndef TS_NOTIFY_WAITING_H
#define TS_NOTIFY_WAITING_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/map.h"
#include "sinks/notify/inhibition.h"
#include "sinks/notify/receivers.h"

enum { INHIBITION_WAIT_MS = 3000, DUE_MOST = 200 /* one by one */, DUE_OF_GROUP_MOST = 10000 };

struct waiting {
    const struct receiver *receiver;
    struct map tracks;   /* alert id → what is known of it */
    struct inhibition inhibition;
    struct groups groups;
    size_t inhibited;    /* so many would be due; as of the last waiting_due */
    int64_t next_due_ms; /* nothing is due before; INT64_MAX: nothing waits */
    size_t sweep_at;     /* so many tracks are enough to look for what can go */
    bool is_full;        /* and has said so */
    struct due_item *items; /* what the last waiting_due found */
    size_t item_capacity;
};

void waiting_init(struct waiting *waiting, const struct receiver *receiver);
void waiting_finish(struct waiting *waiting);
void waiting_reset(struct waiting *waiting); /* to be followed by all that the logs have */

/* How a note in alerts.escalated came about; its text there. */
enum note {
    NOTE_TOLD,   /* "" */
    NOTE_CAPPED, /* "capped": put off until the digest */
    NOTE_DIGEST, /* "digest": that has told it */
    NOTE_KEPT,   /* "kept": it was told, longer ago than notes are kept, maybe, and is not over */
    NOTE_BEGUN   /* "begun", about no alert: from here on there is a note of each that the receiver is told */
};
extern const char *const note_texts[NOTE_BEGUN + 1];

/* Out of alerts.escalated: the receiver was told of this at told_ms, or was not, or (NOTE_KEPT) that was noted again then. All of it before the first waiting_takes. */
void waiting_remember(struct waiting *waiting, const struct alert *told, enum note note, int64_t told_ms);

/* Each revision of every alert, as it comes in the log; `record` is its value there. The same again does no harm. */
void waiting_takes(struct waiting *waiting, const struct alert *alert, struct view record, int64_t now_ms);

/* The same of one that has just come. true: it is to be told now, by the caller, who then says waiting_told. */
bool waiting_takes_live(struct waiting *waiting, const struct alert *alert, struct view record, int64_t now_ms, int64_t age_max_ms);

/* What is to be told: of a receiver that groups all of one group, else one each. */
struct due {
    size_t count;
    const struct due_item {
        struct view record;    /* the newest of an alert */
        int64_t waited_ms;     /* how long nobody has acknowledged it, for a receiver with `after` or if it is told again; else 0 */
        int64_t told_again_ms; /* it was told before, then; 0: not told again */
    } *items;
    struct view group; /* its key (grouping.h); empty for a receiver that does not group */
};

/* What is to be told at `now_ms`, the longest due first; when there is more, the next call has it. All borrowed until the next call of any of these, but that waiting_told of one item leaves the
 * others alone. false: nothing. What was due more than `age_max_ms` ago is too old to be told, but that something is over that was told never is. */
bool waiting_due(struct waiting *waiting, int64_t now_ms, int64_t age_max_ms, struct due *due);

/* The receiver has been told, or is to be in the digest, or was there. */
void waiting_told(struct waiting *waiting, const struct alert *alert, enum note note, int64_t now_ms);

/* The newest records of all that was put off before before_ms, borrowed as those of waiting_due; in the arena. */
struct view *waiting_capped(const struct waiting *waiting, int64_t before_ms, struct arena *arena, size_t *count);

/* What the receiver knows of those that were told and are not over, where the newest note of that is from before before_ms: to be noted again
 * (NOTE_KEPT) before it is gone. Borrowed until one of them is told or taken; in the arena. */
struct alert *waiting_fading(const struct waiting *waiting, int64_t before_ms, struct arena *arena, size_t *count);

#endif
