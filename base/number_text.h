/* Numbers as text, as JSON and Redis want them. Thread-safe. */
#ifndef TS_BASE_NUMBER_TEXT_H
#define TS_BASE_NUMBER_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT_MAX = 32 };

/* Both write into `text`, without a NUL, and return how many bytes. */
size_t integer_text(char text[NUMBER_TEXT_MAX], int64_t value);

/* The shortest decimal that reads back as `value`, at least 15 digits being tried: what "%.15g", else "%.16g", else "%.17g" prints. Whole
 * numbers below 1e15 without a point or sign of zero. Not finite: "nan", "inf", "-inf". */
size_t decimal_text(char text[NUMBER_TEXT_MAX], double value);

#endif
