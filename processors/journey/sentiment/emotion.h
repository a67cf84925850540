/* The emotion of a text from its sentiment and a few cues. The order is that of the schema's enum Emotion.
 *
 * CONFUSED: questions or words of not understanding, and no good mood. FRUSTRATED: otherwise negative. EXCITED: clearly
 * positive and said with force. SATISFIED: otherwise positive. None for the rest. Any thread, no allocation. */
#ifndef TS_SENTIMENT_EMOTION_H
#define TS_SENTIMENT_EMOTION_H

#include "processors/journey/sentiment/dictionary.h"
#include "processors/journey/sentiment/sentiment.h"

enum mood { MOOD_NONE, MOOD_EXCITED, MOOD_SATISFIED, MOOD_CONFUSED, MOOD_FRUSTRATED };

enum cue { CUE_CONFUSED, CUE_EXCITED, CUE_COUNT };

extern const struct dictionary_list cue_lists[]; /* kinds: enum cue; signals.h reads them */
extern const size_t cue_list_count;

/* `cues`: bits 1u << cue, of the same text. */
enum mood mood_of(const struct sentiment *sentiment, unsigned cues, struct view text);

#endif
