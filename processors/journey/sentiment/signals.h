/* What a text's words say besides its mood: topics, alarms and cues of emotion, found in one walk. Any thread, no allocation. */
#ifndef TS_SENTIMENT_SIGNALS_H
#define TS_SENTIMENT_SIGNALS_H

#include "processors/journey/sentiment/emotion.h"
#include "processors/journey/sentiment/topics.h"
#include "processors/journey/sentiment/words.h"

struct signals {
    uint32_t topics; /* bits 1u << topic; 0 when nothing is recognised */
    unsigned cues;   /* bits 1u << cue */
    struct alarms alarms;
};

/* `text` was read from `source`, from which the matches are borrowed. */
void signals_find(struct signals *out, const struct text *text, struct view source);

/* The phrases that begin with this word, WORD_PHRASES_MAX at most (vocabulary.h). False: there are more. */
bool signals_beginning(const struct text *text, const struct token *token, uint16_t *out, size_t *count);

/* For who asks nothing else of a text. */
void signals_read(struct signals *out, struct view source);

#endif
