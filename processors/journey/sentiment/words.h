/* Words that no score should bury: of leaving («I am switching»), of law («my lawyer»), of safety («it caught fire»).
 *
 * Small lists in six languages, matched on whole words after the same reading as sentiment (case, accents and typography do
 * not matter). Safety and law make a ticket hot whatever else is said. signals.h reads them. */
#ifndef TS_SENTIMENT_WORDS_H
#define TS_SENTIMENT_WORDS_H

#include "processors/journey/sentiment/dictionary.h"

enum alarm_kind { ALARM_LEAVING, ALARM_LAW, ALARM_SAFETY, ALARM_COUNT };

struct alarms {
    unsigned kinds;                   /* bit 1u << kind */
    struct view matched[ALARM_COUNT]; /* the first match of each, borrowed from the text; null where there is none */
};

extern const struct dictionary_list alarm_lists[]; /* kinds: enum alarm_kind */
extern const size_t alarm_list_count;

#endif
