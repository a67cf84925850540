/* Writing JSON text into a buffer, in order, with commas set by itself. Strings are escaped (also `<`, `>`, `&` stay as they are;
 * who puts JSON into HTML escapes there); broken UTF-8 becomes U+FFFD. Numbers: the shortest decimal that reads back as the same
 * double; NaN and infinities become null. One thread at a time. */
#ifndef TS_BASE_JSON_WRITER_H
#define TS_BASE_JSON_WRITER_H

#include "base/bytes.h"

struct json_writer {
    struct bytes *out;
    bool needs_comma;
};

static inline struct json_writer json_writer_on(struct bytes *out)
{
    return (struct json_writer){out, false};
}

void json_open_object(struct json_writer *json);
void json_close_object(struct json_writer *json);
void json_open_array(struct json_writer *json);
void json_close_array(struct json_writer *json);
void json_key(struct json_writer *json, const char *key); /* before its value; the key needs no escape */
void json_key_view(struct json_writer *json, struct view key);

void json_write_text(struct json_writer *json, struct view text); /* null view: null */
void json_write_integer(struct json_writer *json, int64_t value);
void json_write_decimal(struct json_writer *json, double value);
void json_write_boolean(struct json_writer *json, bool value);
void json_write_null(struct json_writer *json);
void json_write_raw(struct json_writer *json, struct view value); /* JSON already */

#endif
