/* A strict JSON (RFC 8259) scanner: pulls values out of a text one after the other, without building a tree.
 *
 * Every function that returns false has met broken JSON; `broken` then says what was wrong, at `at`. Strings are
 * borrowed from the text when they have no escapes, else decoded into the arena. UTF-8 is the caller's to check, once
 * for the whole text; a \u escape that is half a surrogate pair is no broken JSON, but sets `lone_surrogate`. */
#ifndef TS_SCHEMAS_JSON_SCAN_H
#define TS_SCHEMAS_JSON_SCAN_H

#include "base/arena.h"
#include <stdint.h>

enum { JSON_RECORD_DEPTH_MAX = 32, JSON_SPLIT_DEPTH_MAX = 1000 };

struct json_scan {
    const char *begin, *at, *end;
    unsigned depth, depth_max;
    bool lone_surrogate; /* in the string read or skipped last; never reset by the scanner */
    const char *broken;
};

struct json_number {
    bool is_integral; /* 3, and 3.0 and 3e0 as well: JSON has one kind of number */
    bool fits;        /* integral and within 64 bits */
    int64_t integer;  /* when it fits */
    double real;
};

void json_scan_init(struct json_scan *scan, struct view text, unsigned depth_max);

/* The first character of the next value or punctuation, after blanks; 0 at the end. */
char json_scan_peek(struct json_scan *scan);
bool json_scan_string(struct json_scan *scan, struct arena *arena, struct view *out);
bool json_scan_number(struct json_scan *scan, struct json_number *out);
/* true, false or null: the text must be exactly that. */
bool json_scan_word(struct json_scan *scan, const char *word);
/* Any value, checked and left behind; `text` (may be NULL) is where it stands. */
bool json_scan_skip(struct json_scan *scan, struct view *text);

/* Objects: open, then member after member (its key is read and the value comes next) until *more is false. */
bool json_scan_open(struct json_scan *scan, char bracket);
bool json_scan_member(struct json_scan *scan, struct arena *arena, bool is_first, struct view *key, bool *more);
bool json_scan_item(struct json_scan *scan, bool is_first, bool *more); /* arrays likewise */
/* Nothing but blanks follows. */
bool json_scan_ended(struct json_scan *scan);

/* Cut a JSON array into its elements: call with a scan that was initialised with JSON_SPLIT_DEPTH_MAX until it says
 * END. The whole syntax is checked on the way; `scan->broken` and `scan->at` tell what is wrong where. */
enum json_step { JSON_STEP_ITEM, JSON_STEP_END, JSON_STEP_BROKEN };
enum json_step json_array_next(struct json_scan *scan, struct view *item);

#endif
