/* What a text is about, from a small transparent dictionary (topics.c is the list): no model, so a surprising topic can
 * be explained by the word that gave it.
 *
 * English, German, French, Italian, Portuguese, Spanish. signals.h reads them. */
#ifndef TS_SENTIMENT_TOPICS_H
#define TS_SENTIMENT_TOPICS_H

#include "processors/journey/sentiment/dictionary.h"

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

extern const struct dictionary_list topic_lists[]; /* kinds: enum topic */
extern const size_t topic_list_count;

/* "delivery", "billing", … */
const char *topic_name(enum topic topic);

#endif
