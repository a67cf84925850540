/* «Never so …»: said of what was never before as it is now, in six languages. «I have never been so disappointed» denies nothing of the
 * disappointment, «I have never been disappointed» does. Any thread, no allocation. */
#ifndef TS_SENTIMENT_NEVER_H
#define TS_SENTIMENT_NEVER_H

#include "processors/journey/sentiment/text.h"

/* What the token `negator` denies ends before this one; at the latest before `until`. */
size_t never_reaches(const struct text *text, size_t negator, size_t until);

#endif
