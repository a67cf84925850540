/* Numbers as text: quick, and to the letter what printf and strtod settle on. */
#include "base/number_text.h"
#include "base/random.h"
#include "tests/unit/cmocka_all.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_decimal(double value, const char *expected)
{
    char text[NUMBER_TEXT_MAX + 1];
    text[decimal_text(text, value)] = '\0';
    assert_string_equal(text, expected);
}

static void assert_as_printf(double value)
{
    char text[64];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    assert_decimal(value, text);
}

static void decimals_are_short_and_read_back(void **state)
{
    (void)state;
    assert_decimal(0.1, "0.1");
    assert_decimal(-2.5, "-2.5");
    assert_decimal(0.1 + 0.2, "0.30000000000000004");
    assert_decimal(1.0 / 3, "0.3333333333333333");
    assert_decimal(1e-4, "0.0001");
    assert_decimal(1e-5, "1e-05");
    assert_decimal(42, "42");
    assert_decimal(-0.0, "0");
    assert_decimal(999999999999999, "999999999999999");
    assert_decimal(1e300, "1e+300");
    assert_decimal(NAN, signbit(NAN) ? "-nan" : "nan");
    assert_decimal(-INFINITY, "-inf");
}

static void any_decimal_is_what_printf_writes(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 5);
    for (int i = 0; i < 300000; i++) {
        double unit = (double)(random_next(&random) >> 11) / 9007199254740992.0;
        double value = unit * pow(10, (int)(random_next(&random) % 21) - 5);
        assert_as_printf(value == floor(value) ? value + 0.5 : value);
        assert_as_printf(-round(value * 1000 + 1) / 1000 - 0.0005);
    }
}

static void neighbours_of_round_numbers_are_told_apart(void **state)
{
    (void)state;
    for (int power = -16; power < 50; power++) {
        for (double value = ldexp(1, power), k = 0; k < 4; k++, value = nextafter(value, k < 2 ? 0 : INFINITY))
            if (value != floor(value))
                assert_as_printf(value);
    }
    for (int power = -6; power < 15; power++) {
        double ten = pow(10, power);
        for (double value = nextafter(nextafter(ten, 0), 0), k = 0; k < 5; k++, value = nextafter(value, INFINITY))
            if (value != floor(value))
                assert_as_printf(value);
    }
}

static void integers_to_the_last(void **state)
{
    (void)state;
    const int64_t values[] = {0, 1, -1, 10, -99, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[NUMBER_TEXT_MAX + 1], expected[32];
        text[integer_text(text, values[i])] = '\0';
        snprintf(expected, sizeof expected, "%" PRId64, values[i]);
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_short_and_read_back),
        cmocka_unit_test(any_decimal_is_what_printf_writes),
        cmocka_unit_test(neighbours_of_round_numbers_are_told_apart),
        cmocka_unit_test(integers_to_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
