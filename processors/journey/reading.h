/* The one place that asks sentiment/ what a text says. */
#ifndef TS_JOURNEY_READING_H
#define TS_JOURNEY_READING_H

#include "processors/journey/impression.h"

/* Texts read before with what was found in them, and the words of all of them (sentiment/vocabulary.h).
 *
 * Much of what is written is written again, to the letter: an agent's set replies, «Thank you!», a shop's own wording. The answer
 * is then at hand for a hash and a comparison. Only memory, never meaning: another text that takes the place makes the next
 * reading slower, and no different.
 *
 * There are as many libraries as threads read at once, of some 1,300 KiB each; a reader takes whichever is free. */
struct libraries;

struct libraries *libraries_create(void);
void libraries_destroy(struct libraries *libraries); /* nobody reads any more */

/* Fills sentiment, emotion, topics and alarms from impression->text. From any thread. */
void reading_of_text(struct impression *impression, struct libraries *libraries);

#endif
