/* Set phrases that mean what none of their words does: «could be better», «pas du tout satisfait», «nichts auszusetzen». Any thread,
 * no allocation. */
#ifndef TS_SENTIMENT_PHRASES_H
#define TS_SENTIMENT_PHRASES_H

#include "processors/journey/sentiment/sentiment.h"
#include "processors/journey/sentiment/text.h"

/* What the last of them in a text says; false: there is none. */
bool phrases_say(const struct text *text, enum sentiment_class *out);

#endif
