#include "processors/journey/memory/packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Around each place where a number comes to take another byte, or another bit. */
enum { EXAMPLES = 64 * 3 };

static uint64_t example(int i)
{
    return (UINT64_C(1) << i / 3) + (uint64_t)(i % 3) - 1;
}

static struct unpack reading(const struct bytes *bytes, size_t size)
{
    const unsigned char *begin = (const unsigned char *)bytes->data;
    return (struct unpack){begin, begin + size, false};
}

/* With others behind them, and as the last. */
static void numbers_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct bytes all = {0};
    for (int i = 0; i < EXAMPLES; i++)
        pack_unsigned(&all, example(i));
    struct unpack in = reading(&all, all.size);
    for (int i = 0; i < EXAMPLES; i++)
        assert_true(unpack_unsigned(&in) == example(i));
    assert_false(in.has_failed);
    assert_ptr_equal(in.at, in.end);
    for (int i = 0; i < EXAMPLES; i++) {
        struct bytes one = {0};
        pack_signed(&one, (int64_t)example(i));
        in = reading(&one, one.size);
        assert_true(unpack_signed(&in) == (int64_t)example(i));
        assert_false(in.has_failed);
        assert_ptr_equal(in.at, in.end);
        assert_true(one.size <= PACKED_UNSIGNED_MOST);
        bytes_finish(&one);
    }
    bytes_finish(&all);
}

static void what_was_cut_off_fails(void **state)
{
    (void)state;
    for (int i = 0; i < EXAMPLES; i++) {
        struct bytes bytes = {0};
        pack_unsigned(&bytes, example(i));
        for (size_t size = 0; size < bytes.size; size++) {
            char *exactly = malloc(size + 1); /* of its own size: reading on would be found out */
            memcpy(exactly + 1, bytes.data, size);
            struct unpack in = {(const unsigned char *)exactly + 1, (const unsigned char *)exactly + 1 + size, false};
            assert_true(unpack_unsigned(&in) == 0);
            assert_true(in.has_failed);
            assert_ptr_equal(in.at, in.end);
            free(exactly);
        }
        bytes_finish(&bytes);
    }
}

static void seven_bits_are_one_byte(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    for (unsigned value = 0; value < 128; value++)
        pack_unsigned(&bytes, value);
    assert_int_equal(bytes.size, 128);
    pack_unsigned(&bytes, 128);
    assert_int_equal(bytes.size, 130);
    bytes_finish(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_they_were_written),
        cmocka_unit_test(what_was_cut_off_fails),
        cmocka_unit_test(seven_bits_are_one_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
