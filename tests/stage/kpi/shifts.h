/* The shifts that the kpi stage has told, for the tests of what finds them. */
#ifndef TS_TESTS_STAGE_KPI_SHIFTS_H
#define TS_TESTS_STAGE_KPI_SHIFTS_H

#include "tests/stage/kpi/kpi_stage.h"

enum { SHIFTS_TOLD_MOST = 400 };

/* In their order; their texts are of the stage's arena. */
static inline size_t shifts_of(struct stage_under_test *stage, struct trend_shift shifts[SHIFTS_TOLD_MOST])
{
    size_t count = 0;
    for (size_t i = 0; i < driver_output_count(stage->driver); i++) {
        const struct driver_output *output = driver_output(stage->driver, i);
        struct view avro;
        uint32_t id;
        if (strcmp(output->topic, "trend.shifts") != 0)
            continue;
        assert_true(count < SHIFTS_TOLD_MOST);
        assert_true(wire_split(output->value, &id, &avro) && id == 2 && trend_shift_decode(&shifts[count], avro, &stage->arena));
        count++;
    }
    return count;
}

static inline size_t shifts_told(struct stage_under_test *stage)
{
    struct trend_shift shifts[SHIFTS_TOLD_MOST];
    return shifts_of(stage, shifts);
}

#endif
