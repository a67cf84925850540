/* `touchstream import`: options in, counts out; the work is ingest/import.c's. */
#include "app/import.h"

#include "app/outgoing.h"
#include "base/log.h"
#include "ingest/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct import_options options;

static const struct option rows[] = {
    {"--mapping", OPTION_TEXT, &options.mapping, "NAME|FILE.jq", "how to read the rows; without it they are the JSON form"},
    {"--format", OPTION_TEXT, &options.format, "FORMAT", "csv, ndjson, json or text; by default by the file's ending"},
    {"--tables", OPTION_TEXT, &options.tables, "NAME=FILE:KEY,…", "side tables of the mapping, where they are not beside the file"},
    {"--source", OPTION_TEXT, &options.source, "NAME", "source of records that name none (default csv:MAPPING)"},
    {"--rebase", OPTION_TEXT, &options.rebase, "now|TIME", "shift all times so that the newest event is then; reads twice"},
    {"--speed", OPTION_DECIMAL, &options.speed, "N", "send events at N times their own pace (files in order of time)"},
    OPTIONS_END};

const struct option *import_option_rows(void)
{
    return rows;
}

static int report(const struct import_counts *counts, struct outgoing *outgoing, struct app *app)
{
    bool is_flushed = outgoing_flush(outgoing, app);
    printf("accepted %" PRIu64 ", duplicate %" PRIu64 ", rejected %" PRIu64 "\n", counts->accepted, counts->duplicate,
           counts->rejected);
    unsigned long long failed = atomic_load(&counts->failed);
    if (failed || !is_flushed)
        fprintf(stderr, "touchstream import: kafka did not acknowledge all: %llu of %" PRIu64 "; import again, what arrived is a duplicate\n",
                (unsigned long long)atomic_load(&counts->delivered), counts->accepted + counts->duplicate + counts->rejected);
    if (atomic_load(&app->stop)) {
        fprintf(stderr, "touchstream import: stopped early, after %" PRIu64 " rows\n", counts->rows);
        return is_flushed && !failed ? EXIT_FINE : EXIT_FAILED;
    }
    return failed || !is_flushed || counts->rejected ? EXIT_FAILED : EXIT_FINE;
}

static int run(struct app *app)
{
    struct outgoing outgoing;
    /* A day: an import waits for Kafka to come back rather than lose a record it has read. */
    struct publisher_settings settings = {.linger_ms = 20, .compression = "lz4", .delivery_timeout_ms = 24 * 3600 * 1000};
    static struct import_counts counts;
    struct bytes error = {0};
    int code = EXIT_FAILED;
    if (outgoing_open(&outgoing, app, &settings, import_delivered)) {
        bool is_good = import_run(&options, &outgoing.outlet, &clock_system, &app->stop, &counts, &error);
        code = report(&counts, &outgoing, app);
        if (!is_good) {
            fprintf(stderr, "touchstream import: %s\n", bytes_text(&error));
            code = EXIT_FAILED;
        }
    } else if (atomic_load(&app->stop)) {
        code = EXIT_FINE;
    }
    outgoing_close(&outgoing);
    bytes_finish(&error);
    return code;
}

int import_command(struct app *app, int argc, char **argv)
{
    struct text_list files = {0};
    if (!app_parse_options("import", argc, argv, rows, &files))
        return EXIT_USAGE;
    options.files = files.items;
    options.file_count = files.count;
    options.mappings_dir = app->config.ingest.mappings_dir;
    options.mapping_ms_max = app->config.ingest.mapping_ms_max;
    struct bytes error = {0};
    int code = EXIT_USAGE;
    if (import_check_options(&options, &error))
        code = run(app);
    else
        fprintf(stderr, "touchstream %s (touchstream import --help)\n", bytes_text(&error));
    bytes_finish(&error);
    return code;
}
