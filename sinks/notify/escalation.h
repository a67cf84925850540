/* Who hears of an alert only when nobody has acted on it for a while: receivers with `after`.
 *
 *     OPEN ──after, by severity──▶ told ──▶ hears every change of state or severity ──over──▶ forgotten
 *       └─acknowledged, in progress, snoozed … ended: nothing to escalate
 *
 * What is due while a silence covers it is told when that ends. The clock of a severity runs from when the alert became open and at least so grave, and stops when it is neither; the first
 * one to run out counts. Time is the wall's, but nothing is remembered by the process: what waits follows from the log of alerts, which is
 * read again at each start, and what was told from the topic alerts.escalated, a record for each message. So a restart, or another
 * process's share, neither forgets a deadline nor calls anybody twice (but for the one message that a crash cut in two).
 *
 * No I/O here. One thread. */
#ifndef TS_NOTIFY_ESCALATION_H
#define TS_NOTIFY_ESCALATION_H

#include "base/bytes.h"
#include "base/map.h"
#include "sinks/notify/receivers.h"

struct escalation {
    const struct receiver *receiver;
    struct map tracks;   /* alert id → what is known of it */
    int64_t next_due_ms; /* nothing is due before; INT64_MAX: nothing waits */
    bool is_full;        /* and has said so */
};

void escalation_init(struct escalation *escalation, const struct receiver *receiver);
void escalation_finish(struct escalation *escalation);
void escalation_reset(struct escalation *escalation); /* to be followed by all that the logs have */

/* Out of alerts.escalated: the receiver was told of this. All of it before the first escalation_takes. */
void escalation_remember(struct escalation *escalation, const struct alert *told);

/* Each revision, as it comes in the log of alerts; `record` is its value there. The same again does no harm. */
void escalation_takes(struct escalation *escalation, const struct alert *alert, struct view record);

/* What is to be told at `now_ms`, the longest due first: an alert that has waited long enough, or (waited_ms 0) news of one that was told. Its
 * newest record, borrowed until the next call of any of these. false: nothing. What was due more than `age_max_ms` ago is too old to be told. */
bool escalation_due(struct escalation *escalation, int64_t now_ms, int64_t age_max_ms, struct view *record, int64_t *waited_ms);

/* The receiver has been told. */
void escalation_told(struct escalation *escalation, const struct alert *alert);

#endif
