/* Which events this customer already had (READINGS 2): the ids received in the last 30 days, at most 65,536.
 *
 * An id is kept as 64 mixed bits and the second it was received, 12 bytes. Two different ids of one customer are taken for
 * duplicates with probability n²/2^65: 1 in 8,500 million for a customer at the bound, nothing for all others.
 * What is older leaves when room is needed, and no longer counts before that. At the bound the oldest sixteenth leaves at once. */
#ifndef TS_JOURNEY_DEDUPE_H
#define TS_JOURNEY_DEDUPE_H

#include "base/bytes.h"
#include "base/uuid.h"
#include "processors/journey/packed.h"

#include <stdbool.h>
#include <stdint.h>

struct dedupe {
    uint64_t *ids;   /* capacity ids (0: an empty place), then as many uint32_t seconds since the epoch */
    uint32_t count, capacity;
};

struct dedupe_bounds {
    int64_t kept_ms; /* default 30 d */
    uint32_t count;  /* default 65,536 */
};

void dedupe_finish(struct dedupe *dedupe);

/* True: not seen before, and remembered from now on. `forgotten` counts ids dropped because of the bound, not of age. */
bool dedupe_first_sight(struct dedupe *dedupe, const struct uuid *event_id, int64_t received_at_ms,
                        const struct dedupe_bounds *bounds, uint64_t *forgotten);

void dedupe_save(const struct dedupe *dedupe, struct bytes *out);
void dedupe_load(struct dedupe *dedupe, struct unpack *in);

#endif
