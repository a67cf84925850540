/* `touchstream generate`: options in; the traffic is ingest/generate's. */
#include "app/generate.h"

#include "app/outgoing.h"
#include "app/topics.h"
#include "base/log.h"
#include "base/time_text.h"
#include "ingest/generate/generate.h"
#include "ingest/import.h"
#include "schemas/touchpoint_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int64_t events = 1000000, customers = 500000, seed = NOT_GIVEN, disorder_ms = NOT_GIVEN, span_ms = NOT_GIVEN;
static double rate, duplicates = 0.01;
static const char *mix = "full", *start, *out;

static const struct option rows[] = {
    {"--events", OPTION_INTEGER, &events, "N", "how many, duplicates included (default 1M)"},
    {"--customers", OPTION_INTEGER, &customers, "N", "of how many people (default 500k; drawn by Zipf, exponent 0.8)"},
    {"--seed", OPTION_INTEGER, &seed, "N", "the same seed (and start) gives the same events (default 1; with --rate another each time)"},
    {"--rate", OPTION_DECIMAL, &rate, "N", "events a second of real time, with stories in them; default: as fast as possible"},
    {"--mix", OPTION_TEXT, &mix, "full|peers", "every kind of event, or the mix of the benchmark job (default full)"},
    {"--start", OPTION_TEXT, &start, "TIME", "event time of the first event (default: so that the last is now)"},
    {"--span", OPTION_DURATION, &span_ms, "DURATION", "event time from first to last (default: 1 s for every 2,000 events)"},
    {"--disorder", OPTION_DURATION, &disorder_ms, "DURATION", "events come up to this late (default 20s; with --rate 2s)"},
    {"--duplicates", OPTION_DECIMAL, &duplicates, "SHARE", "of events sent twice (default 0.01)"},
    {"--out", OPTION_TEXT, &out, "FILE", "write NDJSON there (\"-\": standard output) instead of sending to Kafka"},
    OPTIONS_END};

const struct option *generate_option_rows(void)
{
    return rows;
}

static const char *options_wrong(int64_t *start_ms)
{
    if (events < 1)
        return "--events must be at least 1";
    if (customers < 1 || customers > 1000000000)
        return "--customers must be from 1 to 1,000,000,000";
    if (strcmp(mix, "full") != 0 && strcmp(mix, "peers") != 0)
        return "--mix is full or peers";
    if (seed != NOT_GIVEN && seed < 0)
        return "--seed must not be negative";
    if (span_ms != NOT_GIVEN && span_ms <= 0)
        return "--span must be longer than nothing";
    if (rate > 0 && (start || span_ms != NOT_GIVEN))
        return "--start and --span are of no use with --rate, which tells events as they happen";
    if (rate < 0 || duplicates < 0 || duplicates > 0.5 || (disorder_ms != NOT_GIVEN && disorder_ms < 0))
        return "--rate and --disorder cannot be negative, --duplicates goes from 0 to 0.5";
    if (start && !time_text_parse(view_of_text(start), start_ms))
        return "--start is not an ISO 8601 time";
    if (start && !out && *start_ms > clock_now_ms(&clock_system) + FUTURE_MS_MAX)
        return "--start is in the future, where nobody takes events from";
    return NULL;
}

static int to_file(const struct generate_options *options, struct app *app)
{
    generate_run(options, NULL, &clock_system, &app->stop, NULL);
    bool is_good = fflush(options->out) == 0 && !ferror(options->out);
    if (options->out != stdout)
        fclose(options->out);
    if (!is_good)
        fprintf(stderr, "touchstream generate: %s: could not be written\n", out);
    return is_good ? EXIT_FINE : EXIT_FAILED;
}

/* Kafka dates what it is given by its received_at (READINGS 48), and deletes by that date. */
static void warn_of_the_deleted(const struct generate_options *options)
{
    int64_t kept_ms = topic_row_find("touchpoints")->retention_ms;
    int64_t age_ms = clock_now_ms(&clock_system) - options->start_ms;
    if (options->rate == 0 && age_ms > kept_ms)
        log_warning("Kafka deletes the oldest of this within minutes: have what reads it running, or raise the topics' retention.ms",
                    "from_days_ago", LOG_NUMBER(age_ms / DAYS(1)), "touchpoints_kept_days", LOG_NUMBER(kept_ms / DAYS(1)), NULL);
}

static int to_kafka(const struct generate_options *options, struct app *app)
{
    struct outgoing outgoing;
    struct publisher_settings settings = {.linger_ms = options->rate > 0 ? 20 : 50,
                                          .queue_messages_max = 500000,
                                          .compression = "lz4",
                                          .delivery_timeout_ms = 24 * 3600 * 1000};
    static struct import_counts counts;
    if (!outgoing_open(&outgoing, app, &settings, import_delivered)) {
        outgoing_close(&outgoing);
        return atomic_load(&app->stop) ? EXIT_FINE : EXIT_FAILED;
    }
    warn_of_the_deleted(options);
    int64_t begun_us = clock_monotonic_us();
    uint64_t sent = generate_run(options, &outgoing.outlet, &clock_system, &app->stop, &counts);
    bool is_flushed = outgoing_flush(&outgoing, app);
    double seconds = (double)(clock_monotonic_us() - begun_us) / 1e6;
    uint64_t refused = atomic_load(&counts.failed), taken = sent > refused ? sent - refused : 0;
    printf("sent %" PRIu64 " events in %.2f s, %.0f a second\n", taken, seconds, (double)taken / seconds);
    outgoing_close(&outgoing);
    bool is_all = is_flushed && atomic_load(&counts.failed) == 0 && (sent == options->events || atomic_load(&app->stop));
    return is_all ? EXIT_FINE : EXIT_FAILED;
}

int generate_command(struct app *app, int argc, char **argv)
{
    int64_t start_ms = 0;
    if (!app_parse_options("generate", argc, argv, rows, NULL))
        return EXIT_USAGE;
    const char *wrong = options_wrong(&start_ms);
    FILE *file = NULL;
    char unwritable[300];
    if (!wrong && out && !(file = strcmp(out, "-") == 0 ? stdout : fopen(out, "we"))) {
        snprintf(unwritable, sizeof unwritable, "--out: %.200s: %s", out, strerror(errno));
        wrong = unwritable;
    }
    if (wrong) {
        fprintf(stderr, "touchstream generate: %s (touchstream generate --help)\n", wrong);
        return EXIT_USAGE;
    }
    if (span_ms == NOT_GIVEN)
        span_ms = events / 2;
    if (disorder_ms == NOT_GIVEN)
        disorder_ms = rate > 0 ? SECONDS(2) : SECONDS(20);
    /* Live traffic started again must not be taken for duplicates of the last time, nor go on with its tickets. */
    int64_t now_ms = clock_now_ms(&clock_system);
    bool is_afresh = seed == NOT_GIVEN && rate > 0;
    struct generate_options options = {.lives = {.seed = is_afresh ? (uint64_t)now_ms : seed == NOT_GIVEN ? 1 : (uint64_t)seed,
                                                 .first_number = is_afresh ? (uint32_t)(now_ms / 1000 % 90000000) : 0,
                                                 .customers = (uint32_t)customers,
                                                 .mix = strcmp(mix, "peers") == 0 ? MIX_PEERS : MIX_FULL,
                                                 .has_stories = rate > 0 && strcmp(mix, "full") == 0,
                                                 .disorder_ms = disorder_ms},
                                       .events = (uint64_t)events,
                                       .rate = rate,
                                       .start_ms = start ? start_ms : now_ms - span_ms,
                                       .span_ms = span_ms,
                                       .duplicates = duplicates,
                                       .out = file};
    return file ? to_file(&options, app) : to_kafka(&options, app);
}
