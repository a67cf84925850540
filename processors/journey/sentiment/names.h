/* Words of alarm that are first names as well: «I will sue you» is a threat, «Is Sue there today?» a question. Any thread, no allocation. */
#ifndef TS_SENTIMENT_NAMES_H
#define TS_SENTIMENT_NAMES_H

#include "processors/journey/sentiment/text.h"

/* Is what begins at this byte of `source` such a word, and nothing beside it says that somebody does it? False for all other words. */
bool names_is_name(const struct text *text, struct view source, size_t byte_at);

#endif
