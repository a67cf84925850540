#include "processors/journey/reading.h"

#include "processors/journey/sentiment/emotion.h"
#include "processors/journey/sentiment/sentiment.h"
#include "processors/journey/sentiment/topics.h"

static enum sentiment_label label_of(enum sentiment_class class)
{
    switch (class) {
    case SENTIMENT_NEGATIVE: return SENTIMENT_LABEL_NEGATIVE;
    case SENTIMENT_NEUTRAL: return SENTIMENT_LABEL_NEUTRAL;
    case SENTIMENT_POSITIVE: return SENTIMENT_LABEL_POSITIVE;
    }
    return SENTIMENT_LABEL_NEUTRAL;
}

static void emotion_of(struct impression *impression, const struct sentiment *sentiment)
{
    enum mood mood = mood_read(sentiment, impression->text);
    impression->has_emotion = mood != MOOD_NONE;
    if (impression->has_emotion)
        impression->emotion = (enum emotion)(mood - MOOD_EXCITED); /* the order is the schema's */
}

static void topics_of(struct impression *impression)
{
    uint32_t topics = topics_read(impression->text);
    for (int topic = 0; topic < TOPIC_COUNT && impression->topic_count < IMPRESSION_TOPICS_MAX; topic++) {
        if (topics >> topic & 1)
            impression->topics[impression->topic_count++] = view_of_text(topic_name((enum topic)topic));
    }
}

void reading_of_text(struct impression *impression)
{
    struct sentiment sentiment;
    sentiment_read(&sentiment, impression->text);
    impression->sentiment = (struct sentiment_reading){label_of(sentiment.label), sentiment.score, sentiment.confidence};
    emotion_of(impression, &sentiment);
    topics_of(impression);
}
