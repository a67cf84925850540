#include "processors/journey/reading.h"

#include "processors/journey/sentiment/judge.h"

static enum sentiment_label label_of(enum sentiment_class class)
{
    switch (class) {
    case SENTIMENT_NEGATIVE: return SENTIMENT_LABEL_NEGATIVE;
    case SENTIMENT_NEUTRAL: return SENTIMENT_LABEL_NEUTRAL;
    case SENTIMENT_POSITIVE: return SENTIMENT_LABEL_POSITIVE;
    }
    return SENTIMENT_LABEL_NEUTRAL;
}

static void topics_of(struct impression *impression, uint32_t topics)
{
    for (int topic = 0; topics >> topic && impression->topic_count < IMPRESSION_TOPICS_MAX; topic++) {
        if (topics >> topic & 1)
            impression->topics[impression->topic_count++] = view_of_text(topic_name((enum topic)topic));
    }
}

/* The text is taken apart once for all that is asked of it. */
void reading_of_text(struct impression *impression, struct vocabulary *vocabulary)
{
    struct sentiment sentiment;
    struct signals signals;
    text_judge(vocabulary, impression->text, &sentiment, &signals);
    impression->sentiment = (struct sentiment_reading){label_of(sentiment.label), sentiment.score, sentiment.confidence};
    enum mood mood = mood_of(&sentiment, signals.cues, impression->text);
    impression->has_emotion = mood != MOOD_NONE;
    if (impression->has_emotion)
        impression->emotion = (enum emotion)(mood - MOOD_EXCITED); /* the order is the schema's */
    topics_of(impression, signals.topics);
    impression->alarms = signals.alarms.kinds;
}
