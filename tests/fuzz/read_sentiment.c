/* Any bytes as a customer's text: read without a step beyond them, every answer within its range and the same again. */
#include "processors/journey/sentiment/signals.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = view_of(data, size);
    struct sentiment first, again;
    struct signals signals;
    sentiment_read(&first, text);
    sentiment_read(&again, text);
    if (!(first.score >= -1 && first.score <= 1) || !(first.confidence > 0.33 && first.confidence <= 1))
        abort();
    if (first.label != again.label || first.score != again.score || first.confidence != again.confidence)
        abort();
    signals_read(&signals, text);
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
