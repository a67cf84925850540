/* The memory of one customer awake. */
#include "processors/journey/memory/room.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static _Alignas(8) char run[256];

static bool is_in_run(const void *piece)
{
    return (const char *)piece >= run && (const char *)piece < run + sizeof run;
}

static void pieces_lie_behind_each_other(void **state)
{
    (void)state;
    struct room room;
    room_init(&room, run, run + sizeof run);
    char *first = room_take(&room, 3), *second = room_take(&room, 9), *third = room_take(&room, 1);
    assert_ptr_equal(first, run);
    assert_ptr_equal(second, run + 8);
    assert_ptr_equal(third, run + 24);
    room_give(&room, second); /* until the room is emptied it stays where it is */
    assert_ptr_equal(room_take(&room, 1), run + 32);
    room_empty(&room);
    assert_ptr_equal(room_take(&room, sizeof run), run);
    assert_int_equal(room.outside, 0);
}

static void an_array_keeps_its_items_wherever_it_grows(void **state)
{
    (void)state;
    struct room room;
    room_init(&room, run, run + sizeof run);
    uint64_t *array = NULL;
    char *beside = NULL;
    for (uint64_t count = 0; count < 100; count++) {
        array = room_array_grow(&room, array, (uint32_t)count, sizeof *array);
        array[count] = count;
        if (count == 1)
            assert_ptr_equal(array, run); /* the last piece grows in its place */
        if (count == 2)
            beside = room_text(&room, VIEW_LITERAL("beside"));
        for (uint64_t i = 0; i <= count; i++)
            assert_int_equal(array[i], i);
    }
    assert_false(is_in_run(array));
    assert_string_equal(beside, "beside");
    assert_int_equal(room.outside, 1);
    array = room_array_shrink(&room, array, 5, sizeof *array);
    assert_int_equal(array[4], 4);
    assert_null(room_array_shrink(&room, array, 0, sizeof *array));
    assert_int_equal(room.outside, 0);
}

static void without_a_run_all_is_the_heaps(void **state)
{
    (void)state;
    struct room room = {0};
    uint64_t *array = room_array_sized(&room, 3, sizeof *array);
    assert_true(array[0] == 0 && array[1] == 0 && array[2] == 0);
    assert_int_equal(room.outside, 1);
    assert_null(room_array_sized(&room, 0, sizeof *array));
    room_give(&room, array);
    room_give(&room, NULL);
    assert_int_equal(room.outside, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_lie_behind_each_other),
        cmocka_unit_test(an_array_keeps_its_items_wherever_it_grows),
        cmocka_unit_test(without_a_run_all_is_the_heaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
