/* What a member of the group was given, as Kafka tells it. */
#include "engine/kafka/survey.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int count = survey_count_assigned(data, (int)size, "input");
    if (count < 0 || (size_t)count > size / 4)
        abort();
    return 0;
}
