#include "processors/journey/reading.h"

#include "base/hash.h"
#include "base/memory.h"
#include "processors/journey/sentiment/judge.h"

#include <pthread.h>
#include <stdlib.h>

/* Longer texts are seldom written twice. */
enum { KNOWN_BYTES_MAX = 184, SHELVES = 2048, WAYS = 2 };

struct finding {
    struct sentiment_reading sentiment;
    uint32_t topics; /* bits 1u << enum topic */
    uint8_t alarms;  /* bits 1u << enum alarm_kind */
    uint8_t mood;    /* enum mood */
};
_Static_assert(ALARM_COUNT <= 8, "a bit each");

struct known_text {
    struct finding finding;
    uint8_t size; /* 0: a free place */
    char bytes[KNOWN_BYTES_MAX];
};

struct shelf {
    struct known_text texts[WAYS];
    uint32_t oldest; /* the way that gives its place to the next */
};

struct library {
    struct library *next; /* of those that are free */
    struct vocabulary *vocabulary;
    struct shelf shelves[SHELVES];
};

struct libraries {
    pthread_mutex_t lock;
    struct library *free;
};

struct libraries *libraries_create(void)
{
    struct libraries *libraries = memory_zeroed(1, sizeof *libraries);
    pthread_mutex_init(&libraries->lock, NULL);
    return libraries;
}

void libraries_destroy(struct libraries *libraries)
{
    if (libraries == NULL)
        return;
    while (libraries->free) {
        struct library *library = libraries->free;
        libraries->free = library->next;
        vocabulary_destroy(library->vocabulary);
        free(library);
    }
    pthread_mutex_destroy(&libraries->lock);
    free(libraries);
}

static struct library *library_take(struct libraries *libraries)
{
    pthread_mutex_lock(&libraries->lock);
    struct library *library = libraries->free;
    if (library)
        libraries->free = library->next;
    pthread_mutex_unlock(&libraries->lock);
    if (library)
        return library;
    library = memory_zeroed(1, sizeof *library);
    library->vocabulary = vocabulary_create();
    return library;
}

static void library_give(struct libraries *libraries, struct library *library)
{
    pthread_mutex_lock(&libraries->lock);
    library->next = libraries->free;
    libraries->free = library;
    pthread_mutex_unlock(&libraries->lock);
}

static enum sentiment_label label_of(enum sentiment_class class)
{
    switch (class) {
    case SENTIMENT_NEGATIVE: return SENTIMENT_LABEL_NEGATIVE;
    case SENTIMENT_NEUTRAL: return SENTIMENT_LABEL_NEUTRAL;
    case SENTIMENT_POSITIVE: return SENTIMENT_LABEL_POSITIVE;
    }
    return SENTIMENT_LABEL_NEUTRAL;
}

/* The text is taken apart once for all that is asked of it. */
static struct finding finding_of(struct vocabulary *vocabulary, struct view text)
{
    struct sentiment sentiment;
    struct signals signals;
    text_judge(vocabulary, text, &sentiment, &signals);
    return (struct finding){.sentiment = {label_of(sentiment.label), sentiment.score, sentiment.confidence},
                            .topics = signals.topics,
                            .alarms = (uint8_t)signals.alarms.kinds,
                            .mood = (uint8_t)mood_of(&sentiment, signals.cues, text)};
}

static struct finding finding_known(struct library *library, struct view text)
{
    if (text.size > KNOWN_BYTES_MAX)
        return finding_of(library->vocabulary, text);
    struct shelf *shelf = &library->shelves[hash_bytes(text) % SHELVES];
    for (int way = 0; way < WAYS; way++) {
        const struct known_text *known = &shelf->texts[way];
        if (known->size == text.size && memcmp(known->bytes, text.data, text.size) == 0)
            return known->finding;
    }
    struct known_text *place = &shelf->texts[shelf->oldest++ % WAYS];
    place->finding = finding_of(library->vocabulary, text);
    place->size = (uint8_t)text.size;
    memcpy(place->bytes, text.data, text.size);
    return place->finding;
}

static void topics_of(struct impression *impression, uint32_t topics)
{
    for (int topic = 0; topics >> topic && impression->topic_count < IMPRESSION_TOPICS_MAX; topic++) {
        if (topics >> topic & 1)
            impression->topics[impression->topic_count++] = view_of_text(topic_name((enum topic)topic));
    }
}

void reading_of_text(struct impression *impression, struct libraries *libraries)
{
    struct library *library = library_take(libraries);
    struct finding finding = finding_known(library, impression->text);
    library_give(libraries, library);
    impression->sentiment = finding.sentiment;
    impression->has_emotion = finding.mood != MOOD_NONE;
    if (impression->has_emotion)
        impression->emotion = (enum emotion)(finding.mood - MOOD_EXCITED); /* the order is the schema's */
    topics_of(impression, finding.topics);
    impression->alarms = finding.alarms;
}
