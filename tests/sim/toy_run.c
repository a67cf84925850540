/* toy-run: the toy processor on a real Kafka, for crash tests and figures.
 *
 *   toy-run topics            makes its topics
 *   toy-run fill N KEYS       publishes N records of KEYS customers
 *   toy-run run [INSTANCE]    runs until SIGTERM; TOY_THREADS, TOY_IDLE_MS (end after so long without input), TOY_TICK_MS
 *   toy-run audit             reads everything read_committed and compares with a plain recount
 *
 * KAFKA and TOY_PREFIX name the broker and the topics. Under the thread sanitizer: TSAN_OPTIONS=suppressions=tests/sim/tsan.supp. */
#include "tests/sim/toy.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "engine/admin.h"
#include "engine/follow.h"
#include "engine/publisher.h"
#include "engine/runner.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { PARTITIONS = 8 };

static struct kafka_settings kafka;
static atomic_bool stop;

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int make_topics(void)
{
    /* Kept for ever: the toy stamps its records with offsets, which to Kafka are the first minutes of 1970. */
    const struct topic_wanted topics[] = {
        {.name = "toy.in", .partitions = PARTITIONS, .replication = 1, .retention_ms = -1},
        {.name = "toy.state", .partitions = PARTITIONS, .replication = 1, .is_compacted = true, .tombstones_kept_ms = DAYS(30)},
        {.name = "toy.out", .partitions = PARTITIONS, .replication = 1, .retention_ms = -1},
        {.name = "toy.sums", .partitions = 1, .replication = 1, .retention_ms = -1},
        {.name = "toy.rejected", .partitions = 1, .replication = 1, .retention_ms = -1},
    };
    struct bytes report = {0};
    enum outcome outcome = admin_ensure_topics(&kafka, topics, sizeof topics / sizeof *topics, NULL, &report);
    fputs(bytes_text(&report), stderr);
    bytes_finish(&report);
    return outcome == OUTCOME_OK ? 0 : 1;
}

static const char *full(char room[200], const char *topic)
{
    snprintf(room, 200, "%s%s", kafka.topic_prefix, topic);
    return room;
}

static int fill(long count, long keys)
{
    char error[200], topic[200];
    struct publisher *publisher = publisher_create(&kafka, &(struct publisher_settings){0}, NULL, error, sizeof error);
    struct random random;
    random_init(&random, (uint64_t)count);
    int64_t now_ms = clock_now_ms(&clock_system) - count / 2000;
    full(topic, "toy.in");
    for (long i = 0; i < count; i++) {
        char key[32], value[128];
        int key_size = snprintf(key, sizeof key, "c-%u", random_below(&random, (uint32_t)keys));
        int value_size = snprintf(value, sizeof value, "%" PRId64 " %u", now_ms + i / 2000, random_below(&random, 1000));
        if (i % 9973 == 17)
            value_size = snprintf(value, sizeof value, "nonsense %ld", i);
        while (publisher_send(publisher, topic, -1, view_of(key, (size_t)key_size), view_of(value, (size_t)value_size), now_ms,
                              NULL) == OUTCOME_RETRY)
            nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    publisher_destroy(publisher);
    return 0;
}

/* --- run */

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

struct watcher {
    struct runner_status *status;
    int64_t idle_ms;
};

static void *watch(void *argument)
{
    struct watcher *watcher = argument;
    int64_t last = -1, still_since = clock_monotonic_us();
    while (!atomic_load(&stop)) {
        struct partition_status rows[64];
        size_t count = runner_status_read(watcher->status, rows, 64);
        int64_t records = 0, lag = 0;
        for (size_t i = 0; i < count && i < 64; i++) {
            records += rows[i].records;
            lag += rows[i].lag > 0 ? rows[i].lag : 0;
        }
        if (records != last || count == 0)
            still_since = clock_monotonic_us();
        last = records;
        if (clock_monotonic_us() - still_since > watcher->idle_ms * 1000 && lag == 0)
            atomic_store(&stop, true);
        nanosleep(&(struct timespec){0, 100000000}, NULL);
    }
    return (void *)(intptr_t)last;
}

static int number_of(const char *name, int standard)
{
    const char *text = getenv(name);
    return text ? atoi(text) : standard;
}

static int run(char *instance)
{
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    struct runner_status *status = runner_status_create();
    struct runner_config config = {.processor = &toy_processor,
                                   .kafka = &kafka,
                                   .clock = &clock_system,
                                   .status = status,
                                   .settings = {.threads = number_of("TOY_THREADS", 1),
                                                .commit_interval_ms = 50,
                                                .summary_interval_ms = 100,
                                                .summary_interval_behind_ms = 1000,
                                                .batch_records_max = 100000,
                                                .batch_bytes_max = 8 << 20,
                                                .checkpoint_interval_ms = number_of("TOY_CHECKPOINT_MS", 60000),
                                                .tick_after_ms = number_of("TOY_TICK_MS", 0),
                                                .allowed_disorder_ms = toy_processor.allowed_disorder_ms,
                                                .entries_max = 20000000,
                                                .transaction_timeout_ms = number_of("TOY_TXN_MS", 30000),
                                                .session_timeout_ms = 10000,
                                                .instance_id = instance}};
    struct watcher watcher = {status, number_of("TOY_IDLE_MS", 1 << 30)};
    pthread_t thread;
    pthread_create(&thread, NULL, watch, &watcher);
    int64_t began_us = clock_monotonic_us();
    enum outcome outcome = runner_run(&config, &stop);
    atomic_store(&stop, true);
    void *records;
    pthread_join(thread, &records);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("records %ld wall_s %.2f cpu_s %.2f rss_mb %ld\n", (long)(intptr_t)records,
           (double)(clock_monotonic_us() - began_us) / 1e6, cpu_seconds(), usage.ru_maxrss / 1024);
    runner_status_destroy(status);
    return outcome == OUTCOME_OK ? 0 : 1;
}

/* --- audit */

struct audit {
    struct map counts; /* key -> how many adds were seen on toy.out, and how many were wanted */
    int64_t wanted, wanted_sum, parked_wanted, out, sums_count, sums_sum, rejected, wrong;
    bool is_reading_input;
};

struct tally {
    int64_t wanted, wanted_sum, seen, seen_sum;
};

static struct tally *tally_of(struct audit *audit, struct view key)
{
    void **place = map_place(&audit->counts, key);
    if (*place == NULL)
        *place = memory_zeroed(1, sizeof(struct tally));
    return *place;
}

static bool on_input(void *context, const struct record *record)
{
    struct audit *audit = context;
    struct toy_input input;
    if (record->key.data == NULL)
        return true;
    if (!toy_parse(record->value, &input)) {
        audit->parked_wanted++;
        return true;
    }
    struct tally *tally = tally_of(audit, record->key);
    tally->wanted++;
    tally->wanted_sum += input.number;
    audit->wanted++;
    audit->wanted_sum += input.number;
    return true;
}

/* Per key the n-th add must say count n: nothing lost, nothing twice, in order. (No deletes without ticks.) */
static bool on_output(void *context, const struct record *record)
{
    struct audit *audit = context;
    char text[128];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGUMENTS(record->value));
    int64_t offset, count, sum;
    if (sscanf(text, "add %" SCNd64 " %" SCNd64 " %" SCNd64, &offset, &count, &sum) != 3)
        return true;
    struct tally *tally = tally_of(audit, record->key);
    tally->seen++;
    audit->wrong += count != tally->seen;
    tally->seen_sum = sum;
    audit->out++;
    return true;
}

static bool on_sums(void *context, const struct record *record)
{
    struct audit *audit = context;
    char text[128];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGUMENTS(record->value));
    int64_t count = 0, sum = 0;
    sscanf(text, "%" SCNd64 " %" SCNd64, &count, &sum);
    audit->sums_count += count;
    audit->sums_sum += sum;
    return true;
}

static bool on_rejected(void *context, const struct record *record)
{
    (void)record;
    ((struct audit *)context)->rejected++;
    return true;
}

static void read_all(struct audit *audit, const char *topic, bool (*on_record)(void *, const struct record *))
{
    char name[200];
    struct scan scan = {.topic = full(name, topic), .since_ms = INT64_MIN, .context = audit, .on_record = on_record};
    scan_run(&scan, &kafka, &stop);
}

static int audit_all(void)
{
    struct audit audit = {0};
    read_all(&audit, "toy.in", on_input);
    read_all(&audit, "toy.out", on_output);
    read_all(&audit, "toy.sums", on_sums);
    read_all(&audit, "toy.rejected", on_rejected);
    size_t at = 0;
    int64_t different = 0;
    for (struct map_slot *slot; (slot = map_next(&audit.counts, &at));) {
        const struct tally *tally = slot->value;
        different += tally->wanted != tally->seen || tally->wanted_sum != tally->seen_sum;
    }
    printf("wanted %" PRId64 " out %" PRId64 " wrong %" PRId64 " keys_different %" PRId64 " sums %" PRId64 "/%" PRId64
           " total %" PRId64 "/%" PRId64 " rejected %" PRId64 "/%" PRId64 "\n",
           audit.wanted, audit.out, audit.wrong, different, audit.sums_count, audit.wanted, audit.sums_sum, audit.wanted_sum,
           audit.rejected, audit.parked_wanted);
    bool is_good = audit.wanted == audit.out && audit.wrong == 0 && different == 0 && audit.sums_count == audit.wanted &&
                   audit.sums_sum == audit.wanted_sum && audit.rejected == audit.parked_wanted;
    puts(is_good ? "exactly once" : "NOT EXACTLY ONCE");
    map_finish(&audit.counts, free);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
    kafka.brokers = getenv("KAFKA");
    toy_count_max = INT64_MAX; /* so that the audit is a plain count */
    toy_quiet_ms = DAYS(3650);
    kafka.topic_prefix = getenv("TOY_PREFIX") ? getenv("TOY_PREFIX") : (char *)(uintptr_t)"toy-test.";
    const char *verb = argc > 1 ? argv[1] : "";
    if (kafka.brokers == NULL || *verb == '\0') {
        fputs("usage: KAFKA=host:port toy-run topics|fill N KEYS|run [INSTANCE]|audit\n", stderr);
        return 2;
    }
    if (strcmp(verb, "topics") == 0)
        return make_topics();
    if (strcmp(verb, "fill") == 0 && argc > 3)
        return fill(atol(argv[2]), atol(argv[3]));
    if (strcmp(verb, "run") == 0)
        return run(argc > 2 ? argv[2] : NULL);
    return audit_all();
}
