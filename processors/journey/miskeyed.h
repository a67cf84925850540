/* Touchpoints that were produced with no key, or with another than their customer_id.
 *
 * They count as all others do. But the key chooses the partition: by another key one customer's touchpoints may come to several partitions, each
 * of which then knows a part of that life, and no number shows it. So it is said, to those who run us and can find the producer. */
#ifndef TS_JOURNEY_MISKEYED_H
#define TS_JOURNEY_MISKEYED_H

#include "processors/journey/task.h"

struct metric *miskeyed_metric(void);

/* Of step->record. Counted, and logged once an hour; not while the outbox is muted. */
void miskeyed_note(const struct journey_task *task, const struct step *step, struct view source);

#endif
