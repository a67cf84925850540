/* Records that cannot be accepted: to touchpoints.rejected, with the reason and the original bytes. */
#ifndef TS_JOURNEY_REJECT_H
#define TS_JOURNEY_REJECT_H

#include "processors/journey/task.h"

/* A record that decodes was too late, or too much (task->refusal says); all others cannot be read. */
void reject_park(struct step *step, const struct record *record);

#endif
