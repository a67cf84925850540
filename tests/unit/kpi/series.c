/* A series must always say what adding up from scratch would say, in whatever order things come and however time moves. */
#include "processors/kpi/series.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/time_text.h"
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>

struct item {
    int32_t minute;
    int64_t value, times;
};

struct model { /* the plain judge: a list of everything ever added */
    struct item *items;
    size_t count, capacity;
};

static void model_add(struct model *model, int32_t minute, int64_t value, int64_t times)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity ? model->capacity * 2 : 64;
        model->items = memory_resize(model->items, model->capacity * sizeof *model->items);
    }
    model->items[model->count++] = (struct item){minute, value, times};
}

static struct kpi_sums sums_of(enum kpi_kind kind, int64_t value)
{
    if (kind == KPI_KIND_RATE)
        return kpi_sums_of_rate(value % 2, value % 3 == 0);
    return kind == KPI_KIND_NPS ? kpi_sums_of_nps((int)(value % 11)) : kpi_sums_of_duration(value);
}

static void check_window(const struct model *model, const struct series *series, int i, int64_t at_ms)
{
    const struct window *window = &windows[series->window_ids[i]];
    struct kpi_sums now = {0}, before = {0};
    int64_t bins[KPI_DURATION_BINS] = {0};
    int32_t end = grid_index(series->zone, window->grid, at_ms);
    for (size_t k = 0; k < model->count; k++) {
        const struct item *item = &model->items[k];
        int32_t age = end - grid_index(series->zone, window->grid, (int64_t)item->minute * 60000);
        struct kpi_sums sums = sums_of(series->kind, item->value);
        if (item->minute > grid_index(series->zone, GRID_MINUTE, at_ms))
            continue;
        if (age < window->buckets)
            bins[kpi_duration_bin(item->value)] += item->times;
        if (age < 2 * window->buckets)
            kpi_sums_add(age < window->buckets ? &now : &before, &sums, item->times);
    }
    const struct window_state *state = &series->windows[i];
    assert_memory_equal(&now, &state->now, sizeof now);
    assert_memory_equal(&before, &state->before, sizeof before);
    for (uint32_t k = 0; series->bins && k < state->histogram.list.count; k++) {
        int64_t *expected = &bins[bin_list_bins(&state->histogram.list)[k]];
        assert_int_equal(bin_list_count(&state->histogram.list, k), *expected);
        *expected = 0;
    }
    for (int bin = 0; series->bins && bin < KPI_DURATION_BINS; bin++)
        assert_int_equal(bins[bin], 0);
}

static void check(const struct model *model, const struct series *series)
{
    int64_t total = 0;
    for (size_t k = 0; k < model->count; k++)
        total += model->items[k].minute <= grid_index(NULL, GRID_MINUTE, series->at_ms) ? model->items[k].times : 0;
    assert_int_equal(series->flow_total, total);
    for (int i = 0; i < series->window_count; i++)
        check_window(model, series, i, series->at_ms);
}

static int32_t random_minute(struct random *random, int64_t at_ms)
{
    int32_t now = (int32_t)(at_ms / 60000);
    switch (random_below(random, 8)) {
    case 0:
        return now + (int32_t)random_below(random, 90);
    case 1:
        return now - (int32_t)random_below(random, 100000);
    case 2:
        return now - (int32_t)random_below(random, 1200000); /* beyond two years */
    case 3:
        return now - (int32_t)random_below(random, 3000);
    default:
        return now - (int32_t)random_below(random, 8);
    }
}

static int64_t random_step_ms(struct random *random)
{
    switch (random_below(random, 12)) {
    case 0:
        return random_below(random, 20) == 0 ? DAYS(400) : DAYS(random_below(random, 60));
    case 1:
        return HOURS(random_below(random, 80));
    case 2:
        return 0;
    default:
        return random_below(random, 200000);
    }
}

static void run(enum kpi_id kpi, const char *zone_name, uint64_t seed)
{
    char error[200];
    struct time_zone *zone = time_zone_create(zone_name, error, sizeof error);
    struct random random;
    random_init(&random, seed);
    struct series series;
    struct model model = {0};
    series_init(&series, kpi, zone);
    int64_t at_ms = 0;
    assert_true(time_text_parse(VIEW_LITERAL("2026-01-15T10:00:00Z"), &at_ms));
    for (int step = 0; step < 400; step++) {
        for (uint32_t k = random_below(&random, 4); k > 0; k--) {
            int32_t minute = random_minute(&random, at_ms);
            int64_t value = random_below(&random, 3) ? random_below(&random, 100) : (int64_t)(random_next(&random) >> 32) * 20;
            int64_t times = random_below(&random, 5) == 0 ? -1 : 1;
            struct kpi_sums one = sums_of(series.kind, value), more = {0};
            kpi_sums_add(&more, &one, times);
            series_add(&series, minute, &more);
            series_add_bin(&series, minute, kpi_duration_bin(value), times);
            model_add(&model, minute, value, times);
        }
        at_ms += random_step_ms(&random);
        series_advance(&series, at_ms);
        if (step % 5 == 0)
            check(&model, &series);
        if (step % 40 == 7) { /* as after a restart */
            for (int i = 0; i < series.window_count; i++) {
                histogram_finish(&series.windows[i].histogram);
                series.windows[i] = (struct window_state){.oldest_now = INT32_MAX, .oldest_before = INT32_MAX,
                                                          .changes_at_ms = INT64_MAX};
            }
            series_rebuild(&series);
            check(&model, &series);
        }
    }
    free(model.items);
    series_finish(&series);
    time_zone_destroy(zone);
}

static void windows_equal_adding_up_from_scratch(void **unused)
{
    (void)unused;
    static const enum kpi_id kpis[] = {KPI_CSAT_TOP2, KPI_RESOLUTION_TIME, KPI_NPS, KPI_STAGE_DWELL};
    for (uint64_t seed = 1; seed <= 6; seed++)
        for (size_t k = 0; k < sizeof kpis / sizeof *kpis; k++)
            run(kpis[k], seed % 2 ? "UTC" : "America/New_York", seed * 100 + k);
}

/* Nothing may change by time alone before series_changes_at_ms, and something must change then. */
static void a_series_knows_when_time_alone_will_change_it(void **unused)
{
    (void)unused;
    struct time_zone *utc = time_zone_create("UTC", NULL, 0);
    struct series series;
    series_init(&series, KPI_NPS, utc);
    int32_t minute = 29000000;
    struct kpi_sums one = kpi_sums_of_nps(10);
    series_add(&series, minute, &one);
    series_advance(&series, (int64_t)minute * 60000 + 30000);
    series.changed = 0;
    int changes = 0;
    for (int64_t at_ms; (at_ms = series_changes_at_ms(&series)) != INT64_MAX; changes++) {
        assert_true(at_ms > series.at_ms);
        series_advance(&series, at_ms - 1);
        assert_int_equal(series.changed, 0);
        series_advance(&series, at_ms);
        assert_int_not_equal(series.changed, 0);
        series.changed = 0;
    }
    assert_int_equal(changes, 12); /* six windows: into `before`, and out of it */
    series_advance(&series, series.at_ms + DAYS(731));
    assert_true(series_is_empty(&series));
    series_finish(&series);
    time_zone_destroy(utc);
}

static void what_waits_for_its_minute_does_not_count_yet(void **unused)
{
    (void)unused;
    struct time_zone *utc = time_zone_create("UTC", NULL, 0);
    struct series series;
    series_init(&series, KPI_BACKLOG, utc);
    struct kpi_sums one = kpi_sums_of_count();
    series_advance(&series, MINUTES(29000000));
    series_add(&series, 29000003, &one);
    assert_int_equal(series.flow_total, 0);
    assert_int_equal(series_changes_at_ms(&series), MINUTES(29000003));
    series_advance(&series, MINUTES(29000003));
    assert_int_equal(series.flow_total, 1);
    assert_int_equal(series_gauge_after(&series, GRID_MINUTE, 29000002), 0);
    assert_int_equal(series_gauge_after(&series, GRID_HOUR, 29000003 / 60), 1);
    series_finish(&series);
    time_zone_destroy(utc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_equal_adding_up_from_scratch),
        cmocka_unit_test(a_series_knows_when_time_alone_will_change_it),
        cmocka_unit_test(what_waits_for_its_minute_does_not_count_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
