/* Touchpoints that were produced with no key, or with another than their customer_id; or rightly keyed into a partition that murmur2 of the key,
 * by which we and Java clients choose, would not.
 *
 * They count as all others do. But the key chooses the partition: by another key, or another choice, one customer's touchpoints may come to several
 * partitions, each of which then knows a part of that life, and no number shows it. So it is said, to those who run us and can find the producer. */
#ifndef TS_JOURNEY_MISKEYED_H
#define TS_JOURNEY_MISKEYED_H

#include "processors/journey/task.h"

/* A hash of every key is more than an event may cost, and who chooses otherwise does so for most of what they send. A prime: of a producer with
 * transactions of one record, say, the markers between them take every second offset. */
enum { MISPLACED_LOOK_EVERY = 17 };

struct metric *miskeyed_metric(void);
struct metric *misplaced_metric(void);

/* Of step->record. Counted, and logged once an hour; not while the outbox is muted. */
void miskeyed_note(const struct journey_task *task, const struct step *step, struct view source);

/* Of step->record, whose key is right. */
void misplaced_look(const struct journey_task *task, const struct step *step, struct view source);

#endif
