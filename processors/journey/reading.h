/* The one place that asks sentiment/ what a text says. */
#ifndef TS_JOURNEY_READING_H
#define TS_JOURNEY_READING_H

#include "processors/journey/impression.h"

/* Fills sentiment, emotion, topics and alarms from impression->text. */
void reading_of_text(struct impression *impression);

#endif
