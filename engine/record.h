/* One record of a topic, borrowed for the call that hands it over. */
#ifndef TS_ENGINE_RECORD_H
#define TS_ENGINE_RECORD_H

#include "base/view.h"

#include <stdint.h>

/* A longer value is parked unread: what a processor makes of it would not fit into the 2 MiB that our topics take. Compressed, it may
 * well have come through that limit itself. */
enum { RECORD_VALUE_MAX = 3 << 19 };

struct record {
    struct view topic; /* with the installation's prefix */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;    /* Kafka's timestamp: for touchpoints received_at (READINGS 48) */
    struct view key, value;  /* .data == NULL: null */
    int64_t note;            /* of a tombstone of a checkpoint topic (processor.key_note); 0: none */
};

#endif
