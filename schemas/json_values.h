/* One JSON value after another into the fields of a struct: the lower half of reading the JSON form (json_form_read.c).
 *
 * Two kinds of failure run through here. A function returns false when the JSON itself is broken: nothing more can be
 * said about the text. A value that is well-formed but not what the schema wants is noted once (the first stands) and
 * stepped over, because only at the end of the text do we know whether it was JSON at all. */
#ifndef TS_SCHEMAS_JSON_VALUES_H
#define TS_SCHEMAS_JSON_VALUES_H

#include "schemas/json_form.h"

struct form_reader {
    struct json_scan scan;
    struct arena *arena;
    struct json_fault *fault;
    bool has_fault;
    bool has_bad_utf8;         /* somewhere in the text; strings are then checked one by one for the path */
    bool is_cloud_event;       /* the envelope's fields have the names of CloudEvents */
    struct view event_id_text; /* turned into the id once the source is known */
    struct view data;          /* met before its type */
};

/* Where we are: "data" → "score". On the stack of the readers; written out only when there is something to note. */
struct form_path {
    const struct form_path *parent;
    struct view name;
};

/* NULL path: the record as a whole. */
void form_note(struct form_reader *reader, const struct form_path *path, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Step over a value that has been refused, or is of no interest. */
bool form_skip(struct form_reader *reader);
bool form_wrong_type(struct form_reader *reader, const struct form_path *path, const char *expected);

bool form_read_text(struct form_reader *reader, const struct form_path *path, struct view *out);
/* `*out` is left alone when there is no such symbol, which is noted under `code`. */
bool form_read_symbol(struct form_reader *reader, const struct form_path *path, const struct enum_shape *shape,
                      const char *code, unsigned *out);
/* A value of the field's kind into the record's struct. */
bool form_read_field(struct form_reader *reader, const struct form_path *path, const struct field_shape *field,
                     char *record);

/* The next key of an open object, up to its value; see json_scan_member. */
bool form_read_key(struct form_reader *reader, bool is_first, struct view *key, bool *more);
/* Makes broken JSON of a second key of the same name; returns false. */
bool form_key_twice(struct form_reader *reader, struct view key);

#endif
