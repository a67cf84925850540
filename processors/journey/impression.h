/* What a touchpoint's text says: sentiment, emotion and topics, as the enriched event will carry them. */
#ifndef TS_JOURNEY_IMPRESSION_H
#define TS_JOURNEY_IMPRESSION_H

#include "processors/journey/matters/contributions.h"

enum { IMPRESSION_TOPICS_MAX = 8 };

struct impression {
    struct view text; /* null: none */
    bool has_sentiment;
    struct sentiment_reading sentiment;
    int32_t scaled; /* sentiment.score × KPI_SENTIMENT_SCALE, as the KPIs add it up */
    bool has_emotion;
    enum emotion emotion;
    struct view topics[IMPRESSION_TOPICS_MAX]; /* borrowed from constant tables */
    size_t topic_count;
    unsigned alarms; /* bits 1u << enum alarm_kind of sentiment/words.h */
};

struct libraries; /* reading.h */
void impression_read(struct impression *impression, const struct touchpoint *touch, struct libraries *libraries);

/* sentiment and negative_share of a text (READINGS 19). */
void impression_contribute(const struct impression *impression, uint32_t tuple, uint8_t stage, int64_t at_ms, struct tally *tally);

#endif
