/* How many partitions a member of the group was given. */
#include "engine/kafka/survey.h"

#include "tests/unit/cmocka_all.h"

/* Version 1; "input" with partitions 0 and 3; "other" with partition 7; no user data. */
static const unsigned char assignment[] = {0, 1, 0, 0, 0, 2, 0, 5, 'i', 'n', 'p', 'u', 't', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3,
                                           0, 5, 'o', 't', 'h', 'e', 'r', 0, 0, 0, 1, 0, 0, 0, 7, 255, 255, 255, 255};

static void counts_the_partitions_of_its_topic(void **state)
{
    (void)state;
    assert_int_equal(survey_count_assigned(assignment, sizeof assignment, "input"), 2);
    assert_int_equal(survey_count_assigned(assignment, sizeof assignment, "other"), 1);
    assert_int_equal(survey_count_assigned(assignment, sizeof assignment, "inpu"), 0);
    assert_int_equal(survey_count_assigned("", 0, "input"), 0);
}

static void counts_nothing_that_is_cut_off(void **state)
{
    (void)state;
    for (int size = 0; size < 25; size++)
        assert_int_equal(survey_count_assigned(assignment, size, "input"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_the_partitions_of_its_topic), cmocka_unit_test(counts_nothing_that_is_cut_off)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
