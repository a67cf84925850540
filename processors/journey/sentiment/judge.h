/* All that is asked of a customer's text, in one reading: mood, topics, alarms, cues. */
#ifndef TS_SENTIMENT_JUDGE_H
#define TS_SENTIMENT_JUDGE_H

#include "processors/journey/sentiment/sentiment.h"
#include "processors/journey/sentiment/signals.h"
#include "processors/journey/sentiment/vocabulary.h"

#include <stdio.h>

/* The same as sentiment_read and signals_read, but a few words with a set phrase in them say what that says (phrases.h), and a few words of leaving, law or danger that seem faintly positive are NEGATIVE. In half of the time or less with
 * a vocabulary that has met the words; NULL: without. Matches are borrowed from `source`. */
void text_judge(struct vocabulary *vocabulary, struct view source, struct sentiment *sentiment, struct signals *signals);

/* The body of `touchstream sentiment`: a text a line in, LABEL<tab>score<tab>confidence a line out. The exit status. */
int sentiment_command(FILE *in, FILE *out);

#endif
