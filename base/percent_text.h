/* Text in which some bytes are written as % and two hexadecimal digits. Any thread. */
#ifndef TS_BASE_PERCENT_TEXT_H
#define TS_BASE_PERCENT_TEXT_H

#include "base/bytes.h"

/* `out` becomes what `text` means; a % without two digits stands for itself. */
void percent_decode(struct bytes *out, struct view text);

/* Only what stands for one of these characters is decoded. */
void percent_decode_only(struct bytes *out, struct view text, const char *characters);

/* Appends it as one piece of a path (RFC 3986): all but letters, digits and - . _ ~ as % and two digits. */
void percent_append(struct bytes *out, struct view text);

#endif
