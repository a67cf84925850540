/* Any bytes as a customer's text: read without a step beyond them, every answer within its range and the same again with
 * words it has met before. */
#include "processors/journey/sentiment/judge.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = view_of(data, size);
    static struct vocabulary *vocabulary; /* remembers the inputs before: what it says must not depend on them */
    struct sentiment first, again;
    struct signals signals, known;
    if (vocabulary == NULL)
        vocabulary = vocabulary_create();
    text_judge(NULL, text, &first, &signals);
    text_judge(vocabulary, text, &again, &known);
    if (!(first.score >= -1 && first.score <= 1) || !(first.confidence > 0.33 && first.confidence <= 1))
        abort();
    if (first.label != again.label || first.score != again.score || first.confidence != again.confidence)
        abort();
    signals_read(&signals, text);
    if (memcmp(&signals, &known, sizeof signals) != 0)
        abort();
    for (int kind = 0; kind < ALARM_COUNT; kind++) {
        struct view matched = signals.alarms.matched[kind];
        bool inside = matched.data >= text.data && matched.size > 0 && matched.data + matched.size <= text.data + text.size;
        if ((signals.alarms.kinds >> kind & 1) != (matched.data != NULL) || (matched.data && !inside))
            abort();
    }
    if (signals.topics >> TOPIC_COUNT || mood_of(&first, signals.cues, text) > MOOD_FRUSTRATED)
        abort();
    return 0;
}
