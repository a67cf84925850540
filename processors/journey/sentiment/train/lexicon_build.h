/* lexicon.txt into the hashed table that the model carries. */
#ifndef TS_SENTIMENT_LEXICON_BUILD_H
#define TS_SENTIMENT_LEXICON_BUILD_H

#include "processors/journey/sentiment/lexicon.h"

enum { LEXICON_BITS = 15 };

/* `entries` has 1 << LEXICON_BITS places. False with a line on stderr when the file is missing or does not parse. */
bool lexicon_build(struct lexicon_entry *entries, const char *path);

#endif
