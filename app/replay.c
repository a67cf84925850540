/* `touchstream replay` and `touchstream forget`: two ways of sending something by hand. */
#include "app/replay.h"

#include "app/outgoing.h"
#include "base/log.h"
#include "base/utf8.h"
#include "engine/follow.h"
#include "ingest/accept.h"
#include "ingest/import.h"
#include "ingest/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *source, *code, *mapping_name;
static int64_t attempts_max = 10;

static const struct option rows[] = {
    {"--source", OPTION_TEXT, &source, "NAME", "only what this source sent"},
    {"--code", OPTION_TEXT, &code, "CODE", "only what was rejected for this reason: future, bad_mapping … (docs/INGEST.md has all)"},
    {"--mapping", OPTION_TEXT, &mapping_name, "NAME|FILE.jq", "payloads of a webhook, through this mapping"},
    {"--attempts", OPTION_INTEGER, &attempts_max, "N", "leave alone what was rejected so often, from 2 to 1000000 (default 10)"},
    OPTIONS_END};

const struct option *replay_option_rows(void)
{
    return rows;
}

struct reading {
    struct replay *replay;
    struct record_reader *reader;
    struct arena arena;
    bool is_second, is_broken;
};

static bool on_record(void *context, const struct record *record)
{
    struct reading *reading = context;
    struct rejected rejected;
    arena_reset(&reading->arena);
    if (!record->value.data || record_reader_read(reading->reader, record->value, &reading->arena, &rejected, NULL, NULL) != OUTCOME_OK)
        return true;
    if (!reading->is_second)
        replay_note(reading->replay, &rejected);
    else
        reading->is_broken = !replay_send(reading->replay, &rejected);
    return !reading->is_broken;
}

static bool read_twice(struct reading *reading, struct outgoing *outgoing, struct app *app)
{
    struct scan scan = {.topic = bytes_text(&outgoing->rejected_topic), .since_ms = INT64_MIN, .context = reading, .on_record = on_record};
    arena_init(&reading->arena);
    bool is_good = scan_run(&scan, &app->config.kafka, &app->stop) == OUTCOME_OK;
    reading->is_second = true;
    is_good = is_good && scan_run(&scan, &app->config.kafka, &app->stop) == OUTCOME_OK && !reading->is_broken;
    arena_finish(&reading->arena);
    return is_good;
}

static struct mapping *compile(struct app *app, struct bytes *error)
{
    struct bytes program = {0};
    struct mapping *mapping = NULL;
    struct mapping_options options = {.name = mapping_name, .file = "replay", .time_ms_max = app->config.ingest.mapping_ms_max};
    if (mapping_find(mapping_name, app->config.ingest.mappings_dir, &program, error))
        mapping = mapping_create(bytes_view(&program), &options, NULL, error);
    bytes_finish(&program);
    return mapping;
}

static int run_replay(struct app *app, struct mapping *mapping)
{
    static struct import_counts delivery;
    struct outgoing outgoing;
    struct publisher_settings settings = {.linger_ms = 20, .compression = "lz4", .delivery_timeout_ms = 24 * 3600 * 1000};
    int exit_code = EXIT_FAILED;
    if (outgoing_open(&outgoing, app, &settings, import_delivered)) {
        struct replay replay = {.options = {source, code, attempts_max, mapping},
                                .outlet = &outgoing.outlet,
                                .touchpoints = record_reader_create(&touchpoint_shape, outgoing.registry),
                                .clock = &clock_system,
                                .stop = &app->stop,
                                .message_context = &delivery};
        struct reading reading = {.replay = &replay, .reader = record_reader_create(&rejected_shape, outgoing.registry)};
        replay_init(&replay);
        bool is_read = read_twice(&reading, &outgoing, app), is_sent = outgoing_flush(&outgoing, app) && atomic_load(&delivery.failed) == 0;
        printf("replayed %" PRIu64 ": accepted %" PRIu64 ", rejected again %" PRIu64 ", passed over %" PRIu64 "\n", replay.counts.found,
               replay.counts.accepted, replay.counts.rejected, replay.counts.passed_over);
        if (replay.counts.passed_over)
            fprintf(stderr, "touchstream replay: what a mapping failed on needs --mapping; rows of a file are imported again instead, and a record without a value holds nothing to send\n");
        if (!is_sent)
            fprintf(stderr, "touchstream replay: kafka did not acknowledge all; replay again, what arrived is a duplicate\n");
        exit_code = is_read && is_sent && replay.counts.rejected == 0 ? EXIT_FINE : EXIT_FAILED;
        if (is_sent && atomic_load(&app->stop))
            exit_code = app_stopped_early("replay", "so not all was replayed; replay again, what arrived is a duplicate");
        record_reader_destroy(reading.reader);
        record_reader_destroy(replay.touchpoints);
        replay_finish(&replay);
    } else if (atomic_load(&app->stop)) {
        exit_code = app_stopped_early("replay", "so nothing was replayed");
    }
    outgoing_close(&outgoing);
    return exit_code;
}

int replay_command(struct app *app, int argc, char **argv)
{
    if (!app_parse_options("replay", argc, argv, rows, NULL))
        return EXIT_USAGE;
    struct bytes error = {0};
    bool is_good = replay_options_are_good(&(struct replay_options){.code = code, .attempts_max = attempts_max}, &error);
    struct mapping *mapping = is_good && mapping_name ? compile(app, &error) : NULL;
    int exit_code = EXIT_USAGE;
    if (!is_good || (mapping_name && !mapping))
        fprintf(stderr, "touchstream replay: %s\n", bytes_text(&error));
    else
        exit_code = run_replay(app, mapping);
    mapping_destroy(mapping);
    bytes_finish(&error);
    return exit_code;
}

/* --- forget --- */

static bool forget(const struct outgoing *outgoing, struct view customer, struct import_counts *delivery)
{
    struct bytes id = {0}, scratch = {0};
    int64_t now_ms = clock_now_ms(&clock_system);
    bytes_printf(&id, "forget/%.*s/%" PRId64, VIEW_ARGUMENTS(customer), now_ms);
    struct touchpoint touch = {.event_id = uuid_of_source(VIEW_LITERAL("touchstream"), bytes_view(&id)),
                               .customer_id = customer,
                               .occurred_at_ms = now_ms,
                               .received_at_ms = now_ms,
                               .source = VIEW_LITERAL("touchstream"),
                               .channel = CHANNEL_WEB,
                               .body_kind = TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN};
    bool is_sent = outlet_send(&outgoing->outlet, &touch, &scratch, delivery) == OUTCOME_OK;
    bytes_finish(&id);
    bytes_finish(&scratch);
    return is_sent;
}

static bool customers_are_good(const struct text_list *customers)
{
    for (size_t i = 0; i < customers->count; i++) {
        size_t size = strlen(customers->items[i]);
        if (size == 0 || size > ID_BYTES_MAX || !utf8_is_valid(view_of_text(customers->items[i])))
            return false;
    }
    return customers->count > 0;
}

int forget_command(struct app *app, int argc, char **argv)
{
    static struct import_counts delivery;
    struct text_list customers = {0};
    if (!app_parse_options("forget", argc, argv, (struct option[]){OPTIONS_END}, &customers))
        return EXIT_USAGE;
    if (!customers_are_good(&customers)) {
        fprintf(stderr, "touchstream forget: whom? (a customer id of at most %d bytes of UTF-8)\n", ID_BYTES_MAX);
        return EXIT_USAGE;
    }
    struct outgoing outgoing;
    struct publisher_settings settings = {.linger_ms = 1, .delivery_timeout_ms = 60000};
    bool is_open = outgoing_open(&outgoing, app, &settings, import_delivered), is_good = is_open;
    for (size_t i = 0; is_good && i < customers.count; i++)
        is_good = forget(&outgoing, view_of_text(customers.items[i]), &delivery);
    is_good = is_good && outgoing_flush(&outgoing, app) && atomic_load(&delivery.failed) == 0;
    outgoing_close(&outgoing);
    if (is_good)
        printf("asked to forget %zu customer%s\n", customers.count, customers.count == 1 ? "" : "s");
    else if (is_open)
        fprintf(stderr, "touchstream forget: kafka did not acknowledge all; forget them again\n");
    else if (atomic_load(&app->stop))
        return app_stopped_early("forget", "so nobody was asked to be forgotten; forget them again");
    return is_good ? EXIT_FINE : EXIT_FAILED;
}
