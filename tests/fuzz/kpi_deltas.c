/* What stands in kpi.deltas, to the kpi stage: partitions tell each other, collectors tell of what they refuse, and anybody may write to a topic. What is told in the
 * form of a delta is made up here, so that it gets beyond Avro; between two records the stage may lose all but its checkpoint. */
#include "processors/kpi/kpi.h"
#include "schemas/kpi_names.h"
#include "schemas/records.h"
#include "schemas/wire.h"
#include "tests/stage/driver.h"

#include <stdlib.h>

enum { SCHEMA_ID = 9, BUCKETS_MOST = 3, PARTITIONS = 3 };

static const char *const keys[] = {KPI_CLOCK_KEY, KPI_SOURCE_KEY "source=shop", KPI_REFUSED_KEY "source=shop", KPI_SHIFT_KEY "x", "csat_top2|all", "csat_top2|product=a",
                                   "sla_resolution|all", "backlog|all"};

static struct kpi_shared *shared_once(void)
{
    static char zone[] = "Europe/Berlin", every[] = "every", window[] = "24h", all[] = "all", *sets[] = {all};
    static struct kpi_settings settings = {.time_zone = zone, .publish_interval_ms = 1000, .publish_rounds_behind = 2, .lead_ms = 60000, .trend_enabled = true,
                                           .trend_news_ms = 2592000000, .trend_warm_up_ms = 120000, .trend_false_alarms_per_month = 100000, .trend_series = 1,
                                           .trend_dimensions = every, .shift_dimensions = {sets, 1}, .alert_dimensions = {sets, 1}, .alert_window = window,
                                           .alert_least_n = 2, .alert_critical_from = 2, .burn_objective = 0.9, .burn_least_n = 2, .rejected_share = 0.05,
                                           .lag_after_ms = 300000, .silence_after_ms = 900000};
    static struct kpi_shared shared = {.settings = &settings, .ids = {1, 2, 3, 4, 5, SCHEMA_ID}, .historical_after_ms = 3600000};
    struct bytes error = {0};
    if (shared.zone)
        return &shared;
    shared.deltas = record_reader_create(&kpi_delta_shape, NULL);
    record_reader_learn(shared.deltas, SCHEMA_ID);
    if (!kpi_shared_init(&shared, &error))
        abort();
    return &shared;
}

struct input {
    const uint8_t *at, *end;
};

/* Of so many bytes; what is not there is 0. */
static int64_t take(struct input *input, int bytes)
{
    int64_t value = 0;
    for (; bytes > 0; bytes--)
        value = value << 8 | (input->at < input->end ? *input->at++ : 0);
    return value;
}

static struct view take_bytes(struct input *input)
{
    size_t size = (size_t)take(input, 1), left = (size_t)(input->end - input->at);
    struct view view = view_of((const char *)input->at, size < left ? size : left);
    input->at += view.size;
    return view;
}

static void feed(struct driver *driver, struct input *input, int64_t *record_ms)
{
    struct kpi_delta_bucket buckets[BUCKETS_MOST];
    struct kpi_delta delta = {.kind = (enum delta_kind)(take(input, 1) % (DELTA_KIND_TOLD + 1)), .kpi = VIEW_LITERAL("code"), .dimension = VIEW_LITERAL("")};
    const char *key = keys[(size_t)take(input, 1) % (sizeof keys / sizeof *keys)];
    struct bytes value = {0};
    delta.source_partition = (int32_t)take(input, 1) - 2;
    delta.clock_at_ms = take(input, 4) * 60000 / 64;
    delta.buckets.items = buckets;
    delta.buckets.count = (size_t)take(input, 1) % (BUCKETS_MOST + 1);
    for (size_t i = 0; i < delta.buckets.count; i++)
        buckets[i] = (struct kpi_delta_bucket){.minute = take(input, 4) / 64 - 20, .n = take(input, 2) - 30, .num = take(input, 1), .sum = take(input, 1), .immature = take(input, 1)};
    if (delta.kind >= DELTA_KIND_ASKED)
        delta.comparison = take_bytes(input);
    *record_ms += take(input, 2) * 100;
    wire_begin(&value, SCHEMA_ID);
    kpi_delta_encode(&value, &delta);
    driver_feed(driver, view_of_text(key), bytes_view(&value), *record_ms);
    bytes_finish(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    int64_t record_ms = 1000000;
    struct driver *driver = driver_create_partition(&kpi_processor, shared_once(), 0, PARTITIONS);
    while (input.at < input.end) {
        int64_t what = take(&input, 1);
        if (what % 16 == 15) {
            driver_checkpoint_begin(driver);
            while (!driver_checkpoint_write(driver, 3))
                continue;
            driver_recover(driver);
        } else if (what % 16 == 14) {
            driver_tick(driver, record_ms += 1000);
        } else {
            feed(driver, &input, &record_ms);
        }
        driver_forget_outputs(driver);
    }
    driver_destroy(driver);
    return 0;
}
