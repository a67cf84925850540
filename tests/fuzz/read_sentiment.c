/* Any bytes as a customer's text: read without a step beyond them, every answer within its range and the same again. */
#include "processors/journey/sentiment/emotion.h"
#include "processors/journey/sentiment/topics.h"
#include "processors/journey/sentiment/words.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = view_of(data, size);
    struct sentiment first, again;
    struct alarms alarms;
    sentiment_read(&first, text);
    sentiment_read(&again, text);
    if (!(first.score >= -1 && first.score <= 1) || !(first.confidence > 0.33 && first.confidence <= 1))
        abort();
    if (first.label != again.label || first.score != again.score || first.confidence != again.confidence)
        abort();
    alarms_read(&alarms, text);
    for (int kind = 0; kind < ALARM_COUNT; kind++) {
        struct view matched = alarms.matched[kind];
        bool inside = matched.data >= text.data && matched.size > 0 && matched.data + matched.size <= text.data + text.size;
        if ((alarms.kinds >> kind & 1) != (matched.data != NULL) || (matched.data && !inside))
            abort();
    }
    if (topics_read(text) >> TOPIC_COUNT || mood_read(&first, text) > MOOD_FRUSTRATED)
        abort();
    return 0;
}
