/* The one place that asks sentiment/ what a text says. */
#ifndef TS_JOURNEY_READING_H
#define TS_JOURNEY_READING_H

#include "processors/journey/impression.h"

/* Fills sentiment, emotion, topics and alarms from impression->text. The vocabulary is one thread's (sentiment/vocabulary.h). */
void reading_of_text(struct impression *impression, struct vocabulary *vocabulary);

#endif
