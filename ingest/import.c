#include "ingest/import.h"

#include "base/log.h"
#include "base/time_text.h"
#include "ingest/intake.h"
#include "ingest/progress.h"
#include "ingest/seen.h"
#include "ingest/side_tables.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { COMPLAINTS_MAX = 10 };

struct import {
    const struct import_options *options;
    const struct outlet *outlet;
    struct clock *clock;
    atomic_bool *stop;
    struct import_counts *counts;
    struct bytes program, source, scratch;
    struct arena arena;
    struct seen seen;
    int64_t shift_ms;                       /* --rebase */
    bool has_newest;
    int64_t newest_at_ms;
    int64_t paced_from_us, paced_from_ms;   /* --speed: when, and with which event, it began; 0: not yet */
};

void import_delivered(void *message_context, bool is_acknowledged, const char *error)
{
    struct import_counts *counts = message_context;
    if (is_acknowledged)
        atomic_fetch_add(&counts->delivered, 1);
    else if (atomic_fetch_add(&counts->failed, 1) == 0)
        log_error("kafka did not take a record", "error", error, NULL);
}

/* --- what to do --- */

static bool is_table_format(const char *path, const char *format)
{
    enum rows_format known = ROWS_GUESS;
    const char *ending = strrchr(path, '.');
    if (format)
        rows_format_from_name(format, &known);
    else if (ending)
        rows_format_from_name(ending + 1, &known);
    return known == ROWS_CSV || known == ROWS_TEXT;
}

bool import_check_options(const struct import_options *options, struct bytes *error)
{
    enum rows_format format;
    int64_t at_ms;
    if (options->file_count == 0)
        bytes_append_text(error, "import: which file? (\"-\" is standard input)");
    else if (options->format && !rows_format_from_name(options->format, &format))
        bytes_printf(error, "import: --format %s: known are csv, ndjson, json and text", options->format);
    else if (options->rebase && strcmp(options->rebase, "now") != 0 && !time_text_parse(view_of_text(options->rebase), &at_ms))
        bytes_printf(error, "import: --rebase %s: neither \"now\" nor an ISO 8601 time", options->rebase);
    else if (options->speed < 0)
        bytes_append_text(error, "import: --speed must be positive");
    for (size_t i = 0; i < options->file_count && error->size == 0; i++) {
        if (options->rebase && strcmp(options->files[i], "-") == 0)
            bytes_append_text(error, "import: --rebase reads its files twice, which standard input cannot be");
        else if (strcmp(options->files[i], "-") != 0 && access(options->files[i], R_OK) != 0)
            bytes_printf(error, "import: %s: cannot be read: %s", options->files[i], strerror(errno));
        else if (!options->mapping && is_table_format(options->files[i], options->format))
            bytes_printf(error, "import: %s: a CSV or text file needs --mapping; the JSON form is for NDJSON and JSON files",
                         options->files[i]);
    }
    return error->size == 0;
}

/* --- one touchpoint --- */

static void times_shift(struct touchpoint *touch, int64_t by_ms)
{
    touch->occurred_at_ms += by_ms;
    if (touch->body_kind == TOUCHPOINT_BODY_ORDER_DELIVERED && touch->body.order_delivered.has_promised_at)
        touch->body.order_delivered.promised_at_ms += by_ms;
    if (touch->body_kind == TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED && touch->body.subscription_changed.has_term_ends_at)
        touch->body.subscription_changed.term_ends_at_ms += by_ms;
}

static void pause_ms(int64_t ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

#define PACE_US_MOST 1e18 /* as good as never, and no more than an int64_t holds */

/* --speed: sleeps until this event's turn, in slices so that a stop is heard. false: it was, and the turn has not come. */
static bool pace(struct import *import, int64_t occurred_at_ms)
{
    if (import->options->speed <= 0)
        return true;
    if (import->paced_from_us == 0) {
        import->paced_from_us = clock_monotonic_us();
        import->paced_from_ms = occurred_at_ms;
    }
    double wait_us = fmin((double)(occurred_at_ms - import->paced_from_ms) * 1000 / import->options->speed, PACE_US_MOST);
    for (;;) {
        int64_t left_us = import->paced_from_us + (int64_t)wait_us - clock_monotonic_us();
        if (left_us <= 0 || atomic_load(import->stop))
            return left_us <= 0;
        pause_ms(left_us > 100000 ? 100 : left_us / 1000 + 1);
    }
}

/* The first few are told at once; all are in the topic. */
static void complain(struct import *import, const struct rows *rows, const struct raw_record *row, const struct json_fault *fault)
{
    if (import->counts->rejected == COMPLAINTS_MAX)
        log_warning("more rejected records are not shown; see `touchstream inspect touchpoints.rejected`", NULL);
    if (import->counts->rejected >= COMPLAINTS_MAX)
        return;
    log_warning("rejected", "file", rows->name, "line", LOG_NUMBER(row->line), "code", fault->code, "path",
                arena_text(&import->arena, fault->path), "reason", arena_text(&import->arena, fault->reason), NULL);
}

static bool refuse(struct import *import, const struct touchpoint *read, struct view source, struct view original,
                   const struct json_fault *fault)
{
    struct rejected rejected;
    accept_rejected(&rejected, read, source, original, fault, clock_now_ms(import->clock), 1);
    enum outcome outcome;
    while ((outcome = outlet_send_rejected(import->outlet, &rejected, read->customer_id, &import->scratch,
                                           import->counts)) == OUTCOME_RETRY &&
           !atomic_load(import->stop))
        pause_ms(5);
    import->counts->rejected += outcome == OUTCOME_OK;
    return outcome == OUTCOME_OK;
}

static bool send(struct import *import, const struct touchpoint *touch)
{
    enum outcome outcome;
    while ((outcome = outlet_send(import->outlet, touch, &import->scratch, import->counts)) == OUTCOME_RETRY &&
           !atomic_load(import->stop))
        pause_ms(5);
    if (outcome != OUTCOME_OK)
        return false;
    bool is_first = seen_first(&import->seen, &touch->event_id, touch->customer_id);
    import->counts->accepted += is_first;
    import->counts->duplicate += !is_first;
    return true;
}

/* --- one row --- */

/* A mapping's complaint does not say where. */
static void fault_place(struct import *import, const struct rows *rows, const struct raw_record *row, struct json_fault *fault)
{
    if (strcmp(fault->code, "bad_mapping") != 0)
        return;
    struct bytes text = {0};
    bytes_printf(&text, "%s line %" PRIu64 ": %.*s", rows->name, row->line, VIEW_ARGUMENTS(fault->reason));
    fault->reason = arena_copy(&import->arena, bytes_view(&text));
    bytes_finish(&text);
}

/* false: the outlet takes no more. */
static bool row_import(struct import *import, struct intake *intake, const struct rows *rows, const struct raw_record *row,
                       const struct json_fault *row_fault)
{
    struct touchpoint touch;
    struct json_fault fault;
    enum intake_step step;
    struct view source = intake->default_source.data ? intake->default_source : VIEW_LITERAL("import");
    bool is_taken = true;
    intake_put_row(intake, rows, row, row_fault);
    while (is_taken && (step = intake_take(intake, &touch, &fault)) != INTAKE_END) {
        if (step == INTAKE_TOUCHPOINT) {
            times_shift(&touch, import->shift_ms);
            if (!pace(import, touch.occurred_at_ms))
                return false;
            touch.received_at_ms = clock_now_ms(import->clock);
            if (!check_time(&touch, touch.received_at_ms, &import->arena, &fault))
                step = INTAKE_FAULT;
        } else if (!row_fault->code) {
            fault_place(import, rows, row, &fault);
        }
        if (step == INTAKE_FAULT)
            complain(import, rows, row, &fault);
        is_taken = step == INTAKE_TOUCHPOINT ? send(import, &touch) : refuse(import, &touch, source, row->text, &fault);
    }
    return is_taken;
}

/* The first of the two passes of --rebase. */
static void row_look(struct import *import, struct intake *intake, const struct rows *rows, const struct raw_record *row,
                     const struct json_fault *row_fault)
{
    struct touchpoint touch;
    struct json_fault fault;
    enum intake_step step;
    intake_put_row(intake, rows, row, row_fault);
    while ((step = intake_take(intake, &touch, &fault)) != INTAKE_END) {
        if (step != INTAKE_TOUCHPOINT || (import->has_newest && touch.occurred_at_ms <= import->newest_at_ms))
            continue;
        import->has_newest = true;
        import->newest_at_ms = touch.occurred_at_ms;
    }
}

/* --- one file --- */

/* "orders" of "data/orders.csv". */
static void file_short_name(const char *path, struct bytes *out)
{
    const char *begin = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *end = strrchr(begin, '.');
    bytes_append(out, begin, end && end > begin ? (size_t)(end - begin) : strlen(begin));
}

static struct mapping *file_mapping(struct import *import, const char *path, struct bytes *error)
{
    struct mapping_tables *tables = side_tables_load(bytes_view(&import->program), import->options->tables, path, error);
    if (!tables)
        return NULL;
    struct bytes name = {0}, message = {0};
    file_short_name(path, &name);
    struct mapping_options options = {
        .name = import->options->mapping, .file = bytes_text(&name), .time_ms_max = import->options->mapping_ms_max};
    struct mapping *mapping = mapping_create(bytes_view(&import->program), &options, tables, &message);
    if (!mapping)
        bytes_printf(error, "mapping %s: %s", import->options->mapping, bytes_text(&message));
    mapping_tables_destroy(tables);
    bytes_finish(&name);
    bytes_finish(&message);
    return mapping;
}

static bool rows_import(struct import *import, struct rows *rows, struct intake *intake, bool is_look, struct bytes *error)
{
    struct raw_record row;
    struct json_fault fault;
    struct progress progress;
    enum read_result result = READ_END;
    progress_begin(&progress, rows->name, rows_size(rows));
    while (!atomic_load(import->stop) &&
           (result = rows_next(rows, &row, &import->arena, &fault, error)) == READ_RECORD &&
           !atomic_load(import->stop)) { /* asked to stop while it was read: it may be the beginning of a line */
        if (is_look) {
            row_look(import, intake, rows, &row, &fault);
        } else {
            import->counts->rows++;
            if (!row_import(import, intake, rows, &row, &fault))
                break;
        }
        arena_reset(&import->arena);
        progress_tell(&progress, rows_position(rows), rows->count);
    }
    progress_end(&progress, rows_position(rows), rows->count);
    if (result == READ_RECORD && !atomic_load(import->stop)) {
        bytes_append_text(error, "kafka takes no more records");
        return false;
    }
    return result != READ_BROKEN;
}

static bool file_import(struct import *import, const char *path, bool is_look, struct bytes *error)
{
    enum rows_format format = ROWS_GUESS;
    if (import->options->format)
        rows_format_from_name(import->options->format, &format);
    struct rows rows;
    if (!rows_open(&rows, path, format, import->stop, error))
        return false;
    struct intake intake = {.arena = &import->arena};
    if (import->source.size)
        intake.default_source = bytes_view(&import->source);
    bool is_good = true;
    if (import->options->mapping) {
        intake.mapping = file_mapping(import, path, error);
        is_good = intake.mapping != NULL;
    } else if (rows.format == ROWS_CSV && !rows.is_empty) {
        bytes_printf(error, "%s: this looks like CSV, which needs --mapping", path);
        is_good = false;
    }
    is_good = is_good && rows_import(import, &rows, &intake, is_look, error);
    mapping_destroy(intake.mapping);
    rows_close(&rows);
    return is_good;
}

static bool files_import(struct import *import, bool is_look, struct bytes *error)
{
    for (size_t i = 0; i < import->options->file_count && !atomic_load(import->stop); i++)
        if (!file_import(import, import->options->files[i], is_look, error))
            return false;
    return true;
}

static bool prepare(struct import *import, struct bytes *error)
{
    const struct import_options *options = import->options;
    if (options->mapping && !mapping_find(options->mapping, options->mappings_dir, &import->program, error))
        return false;
    if (options->source)
        bytes_append_text(&import->source, options->source);
    else if (options->mapping)
        bytes_printf(&import->source, "csv:%.*s", VIEW_ARGUMENTS(mapping_short_name(options->mapping)));
    if (!options->rebase)
        return true;
    if (!files_import(import, true, error))
        return false;
    int64_t target_ms = clock_now_ms(import->clock);
    if (strcmp(options->rebase, "now") != 0)
        time_text_parse(view_of_text(options->rebase), &target_ms);
    import->shift_ms = import->has_newest ? target_ms - import->newest_at_ms : 0;
    return true;
}

bool import_run(const struct import_options *options, const struct outlet *outlet, struct clock *clock,
                atomic_bool *stop, struct import_counts *counts, struct bytes *error)
{
    struct import import = {.options = options, .outlet = outlet, .clock = clock, .stop = stop, .counts = counts};
    arena_init(&import.arena);
    bool is_good = prepare(&import, error) && files_import(&import, false, error);
    arena_finish(&import.arena);
    bytes_finish(&import.program);
    bytes_finish(&import.source);
    bytes_finish(&import.scratch);
    seen_finish(&import.seen);
    return is_good;
}
