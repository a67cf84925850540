/* A double between 1e-4 and 1e15 is f / 2^s with f < 2^53 and s <= 66. Times the power of ten that gives it 17 digits before the point it still
 * fits in 128 bits, exactly, and so do the two halfway points to its neighbours. Whether a rounded decimal reads back as the same double is then a
 * comparison, where printf and strtod each compute with numbers of any length. Two cases that such conversions have to mind do not come
 * up here: a halfway point has more than 17 digits, so none is hit; and below a power of two, where neighbours stand closer, the powers
 * within these bounds have fewer than 15 digits themselves. */
#include "base/number_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 wide;

enum { DIGITS_MOST = 17, DIGITS_LEAST = 15 };

size_t integer_text(char text[NUMBER_TEXT_MAX], int64_t value)
{
    char digits[20], *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    size_t size = (size_t)(digits + sizeof digits - at), sign = value < 0;
    text[0] = '-';
    memcpy(text + sign, at, size);
    return size + sign;
}

/* A double and its surroundings, all times ten to the power of `decimals`, as multiples of 1 / 2^shift. */
struct scaled {
    wide value, low, high; /* low and high: halfway to the neighbours */
    int shift, decimals;
};

static struct scaled scale(double value)
{
    static const double least[] = {1e14, 1e13, 1e12, 1e11, 1e10, 1e9,  1e8,  1e7,  1e6, 1e5,
                                   1e4,  1e3,  1e2,  1e1,  1e0,  1e-1, 1e-2, 1e-3, 1e-4};
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    struct scaled scaled = {.shift = 1075 - (int)(bits >> 52) + 1, .decimals = 2};
    while (value < least[scaled.decimals - 2])
        scaled.decimals++;
    wide power = 1;
    for (int i = 0; i < scaled.decimals; i++)
        power *= 10;
    scaled.value = power * (fraction * 2);
    scaled.high = scaled.value + power;
    scaled.low = scaled.value - power;
    return scaled;
}

/* The value rounded to a multiple of `unit`, as whole units of the last of 17 digits. */
static uint64_t rounded(const struct scaled *scaled, uint64_t unit)
{
    uint64_t down = (uint64_t)(scaled->value >> scaled->shift) / unit * unit;
    wide rest = (scaled->value - ((wide)down << scaled->shift)) * 2, whole = (wide)unit << scaled->shift;
    bool is_up = rest > whole || (rest == whole && down / unit % 2 == 1);
    return is_up ? down + unit : down;
}

static bool reads_back(const struct scaled *scaled, uint64_t rounded)
{
    wide there = (wide)rounded << scaled->shift;
    return there > scaled->low && there < scaled->high;
}

static size_t between_text(char *text, double value)
{
    struct scaled scaled = scale(value);
    uint64_t digits = 0, unit = 1;
    for (int i = DIGITS_LEAST; i < DIGITS_MOST; i++)
        unit *= 10;
    do
        digits = rounded(&scaled, unit);
    while (!reads_back(&scaled, digits) && (unit /= 10) > 0);
    for (; digits % 10 == 0; digits /= 10)
        scaled.decimals--;
    char *end = text + NUMBER_TEXT_MAX - 1, *at = end;
    for (int i = 0; i < scaled.decimals || digits > 0 || i == scaled.decimals; i++, digits /= 10) {
        if (i == scaled.decimals)
            *--at = '.';
        *--at = (char)('0' + digits % 10);
    }
    memmove(text, at, (size_t)(end - at));
    return (size_t)(end - at);
}

static size_t by_printf(char text[NUMBER_TEXT_MAX], double value)
{
    int size = 0;
    for (int digits = DIGITS_LEAST; digits <= DIGITS_MOST; digits++) {
        size = snprintf(text, NUMBER_TEXT_MAX, "%.*g", digits, value);
        if (strtod(text, NULL) == value) /* the process never calls setlocale, so the decimal point is a point */
            break;
    }
    return (size_t)size;
}

size_t decimal_text(char text[NUMBER_TEXT_MAX], double value)
{
    double size = fabs(value);
    if (size < 1e15 && value == floor(value))
        return integer_text(text, (int64_t)value);
    if (!(size >= 1e-4 && size < 1e15))
        return by_printf(text, value);
    text[0] = '-';
    size_t sign = value < 0;
    return sign + between_text(text + sign, size);
}
