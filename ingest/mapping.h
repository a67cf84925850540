/* Mappings: jq programs that turn one row or payload of somebody else's shape into touchpoints in the JSON form.
 *
 * The program sees as `.` an object of column → text (CSV), the payload (JSON) or {line, number} (text), and `$file`, the name of
 * the file the row is from without folder and ending, and `$tables`, the side tables. Each of its outputs is a touchpoint,
 * an array of them, or null to say nothing. The functions of mappings/touchstream.jq stand ready. Integers too long for
 * a double (over 15 digits) arrive as strings, so that vendors' ids survive.
 *
 * A mapping sees no environment, reads no files, includes no modules and ends with its input. The only user of libjq. One thread at a time. */
#ifndef TS_INGEST_MAPPING_H
#define TS_INGEST_MAPPING_H

#include "base/arena.h"
#include "base/bytes.h"
#include "schemas/json_form.h"

struct mapping;
struct mapping_tables;

/* Call once before threads start. The process is in UTC from then on: jq reckons mktime, and so ts(format), in the machine's own zone and
 * takes its summers to be winters; one row would be two touchpoints on two machines. */
void mapping_global_init(void);

/* The program text of NAME (shipped, or NAME.jq in `directory` when not empty, which wins) or of a path to a .jq file.
 * false: `error` says what was looked for where, and which names there are. */
bool mapping_find(const char *name, const char *directory, struct bytes *program, struct bytes *error);

/* "olist" from "olist", "x/olist.jq" … : what a mapping's records are called when they name no source. Borrows. */
struct view mapping_short_name(const char *name);

/* Side tables: $tables.NAME[KEY] is the array of that file's rows whose key column holds KEY, in file order. */
struct mapping_tables *mapping_tables_create(void);
void mapping_tables_destroy(struct mapping_tables *tables);
void mapping_tables_begin(struct mapping_tables *tables, const char *name);
void mapping_tables_add(struct mapping_tables *tables, struct view key, const struct view *columns,
                        const struct view *fields, size_t count);

struct mapping_options {
    const char *name;    /* for the log */
    const char *file;    /* what $file is: of a webhook the mapping's name */
    int64_t time_ms_max; /* for one input; 0: 10 s */
};

/* Compiles. `tables` may be NULL and need not outlive the call. NULL: `error` has jq's message. */
struct mapping *mapping_create(struct view program, const struct mapping_options *options, const struct mapping_tables *tables,
                               struct bytes *error);
void mapping_destroy(struct mapping *mapping);

/* Headers of the request whose payload comes next, for the function header("x-topic") in a mapping; names in lower case.
 * Nothing given (files): null. */
void mapping_forget_headers(struct mapping *mapping);
void mapping_add_header(struct mapping *mapping, struct view name, struct view value);

/* From the next input on no more than this for one, nor than options.time_ms_max. */
void mapping_limit_time(struct mapping *mapping, int64_t time_ms_max);

/* Put in one input; false (JSON only): it is not JSON, `fault` says why. */
void mapping_put_row(struct mapping *mapping, const struct view *columns, const struct view *fields, size_t count);
void mapping_put_line(struct mapping *mapping, struct view line, uint64_t number);
bool mapping_put_json(struct mapping *mapping, struct view text, struct arena *arena, struct json_fault *fault);

/* Take out its touchpoints, one after the other, as JSON text borrowed until the next call. FAILED: the program stopped
 * with an error, or was stopped because it would not end (time, memory, outputs; logged, too); `fault` is bad_mapping with the reason,
 * and nothing more comes. */
enum mapping_step { MAPPING_TOUCHPOINT, MAPPING_END, MAPPING_FAILED };
enum mapping_step mapping_take(struct mapping *mapping, struct view *json, struct arena *arena, struct json_fault *fault);
bool mapping_was_stopped(const struct mapping *mapping); /* with the last input, because it would not end */

#endif
