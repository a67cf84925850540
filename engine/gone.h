/* Input that retention deleted before we came to it.
 *
 * Kafka moves a reader that comes too late to where its partition begins by now, and says nothing. Nobody would notice but by wrong
 * sums, so we say it: when the first that a partition brings lies beyond where it was to go on, the broker is asked where the
 * partition begins. */
#ifndef TS_ENGINE_GONE_H
#define TS_ENGINE_GONE_H

#include "engine/worker.h"

/* After each poll. Asks the broker once for a partition that went on beyond its place, and never otherwise. */
void gone_note(struct worker *worker);

#endif
