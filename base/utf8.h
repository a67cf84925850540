/* UTF-8 (RFC 3629): validity and walking. */
#ifndef TS_BASE_UTF8_H
#define TS_BASE_UTF8_H

#include "base/view.h"

#include <stdint.h>

/* No overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_is_valid(struct view text);

/* The code point at *at, which moves past it. A broken byte yields U+FFFD and moves by one. at must be < size. */
uint32_t utf8_next(struct view text, size_t *at);

/* The longest prefix of at most `size_max` bytes that does not cut a character. */
struct view utf8_prefix(struct view text, size_t size_max);

/* What fits of a stranger's text into `size` bytes, the 0 at its end among them: whole characters, a ? for each byte that is none. */
void utf8_copy(char *to, size_t size, struct view text);

#endif
