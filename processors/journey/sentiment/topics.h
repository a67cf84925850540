/* What a text is about, from a small transparent dictionary (topics.c is the list): no model, so a surprising topic can
 * be explained by the word that gave it.
 *
 * English, German, French, Italian, Portuguese, Spanish. Any thread, no allocation. */
#ifndef TS_SENTIMENT_TOPICS_H
#define TS_SENTIMENT_TOPICS_H

#include "base/view.h"

#include <stdint.h>

enum topic {
    TOPIC_DELIVERY,
    TOPIC_BILLING,
    TOPIC_REFUND,
    TOPIC_CANCELLATION,
    TOPIC_DAMAGE,
    TOPIC_QUALITY,
    TOPIC_PRICE,
    TOPIC_SUPPORT,
    TOPIC_STAFF,
    TOPIC_WAITING,
    TOPIC_APP,
    TOPIC_ACCOUNT,
    TOPIC_AVAILABILITY,
    TOPIC_RETURN,
    TOPIC_COUNT
};

/* Bits 1u << topic; 0 when nothing is recognised. */
uint32_t topics_read(struct view text);

/* "delivery", "billing", … */
const char *topic_name(enum topic topic);

#endif
