/* Feeding the trend detectors with closed buckets.
 *
 * A detector wants rows in the order of time, each once: what arrives for a bucket after it has closed does not reach it.
 * So that history being imported is not all «too late», a series is not watched from its first record on, but from
 * trend.warm_up of event time after it; then the detector gets every bucket that is kept, from the oldest on, and goes on live.
 * Event time itself leaps while history is read, partition by partition: a clock that comes a day late to the start puts it off, and
 * so does history that still pours in before the start, or when the watch has just begun (it begins anew, with all of it): what was found in half of an
 * import would be told. Not for ever: where what comes is always late, that is how it is.
 * Buckets of sums that move with a customer's last activity are right only as they close: no history for them.
 *
 * Whether a survey is completed, or a ticket reopened, is known days after the hour it counts in. As that hour closes its value is another than the
 * same hour's in history, and no shift is meant: a row of such a KPI is fed when it has settled (catalog.h).
 *
 * The detectors think in bell curves. The mean of two or three answers has none, and a rate of them is 0, ½ or 1: a bucket with
 * too few items is told as missing, so that a sparse series is watched by the day, or not at all, rather than by the
 * hour with false alarms. A gauge wanders by nature: by the day its steps are news, by the hour they are how it moves. */
#include "base/clock.h"
#include "base/metrics.h"
#include "processors/kpi/evaluate.h"
#include "processors/kpi/task.h"
#include "processors/kpi/trend/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of what a bucket has then, a tenth that comes after it was fed is missed. The minutes in which event time leaps to the end of an import pass
 * in no time, while much of it is still on its way: the warm-up may be over before all has come. */
enum { MISSED_PART = 10, YOUNG_MS = HOURS(1) };
enum { PUT_OFFS_MOST = 200 }; /* before it begins: with two minutes of warm-up, an import of some hours */

static const int32_t rows_kept[GRID_COUNT] = {MINUTES_KEPT, HOURS_KEPT, DAYS_KEPT};

static bool is_watched(const struct series_state *state, const struct kpi_settings *settings)
{
    size_t components = dimension_component_count(state->dimension);
    if (!settings->trend_enabled || state->series.kind == KPI_KIND_UPLIFT || state->series.kpi == KPI_STAGE_CUSTOMERS)
        return false; /* how many customers there are grows with the shop: every day is a shift */
    if (strcmp(settings->trend_dimensions, "all") == 0)
        return components == 0;
    return strcmp(settings->trend_dimensions, "every") == 0 || components <= 1;
}

/* Minutes of the whole only, and only where minutes are shown. */
static bool has_grid(const struct series_state *state, enum grid grid)
{
    if (catalog_is_moving(state->series.kind) || catalog_is_gauge(state->series.kind))
        return grid == GRID_DAY;
    const struct catalog_row *row = catalog_find(state->series.kpi);
    bool is_fast = row->windows & 1u << WINDOW_5M && !row->settles_ms;
    return grid != GRID_MINUTE || (is_fast && view_equal_text(state->dimension, "all"));
}

void watch_init(struct series_state *state, const struct kpi_task *task)
{
    state->watch = (struct watch){.starts_at_ms = INT64_MAX};
    if (is_watched(state, task->shared->settings))
        state->watch.starts_at_ms = state->series.at_ms + task->shared->settings->trend_warm_up_ms;
}

void watch_adopt(struct watch *watch, enum grid grid, struct trend *trend)
{
    static const char *const labels[GRID_COUNT] = {"resolution=\"minute\"", "resolution=\"hour\"", "resolution=\"day\""};
    if (!watch->trends[grid] && !trend)
        return;
    metric_add(metrics_gauge("touchstream_kpi_detectors", labels[grid], "Series that are watched for shifts; more than trend.series raise more false alarms."),
               (trend != NULL) - (watch->trends[grid] != NULL));
    trend_destroy(watch->trends[grid]);
    watch->trends[grid] = trend;
}

void watch_finish(struct watch *watch)
{
    for (int grid = 0; grid < GRID_COUNT; grid++)
        watch_adopt(watch, (enum grid)grid, NULL);
}

/* A row is fed so long after its end. */
static int64_t wait_ms(const struct series_state *state)
{
    return catalog_is_moving(state->series.kind) ? 0 : CLOSING_GRACE_MS + catalog_find(state->series.kpi)->settles_ms;
}

int64_t watch_known_ms(const struct series_state *state, enum grid grid, int32_t row)
{
    return grid_start_ms(state->series.zone, grid, row + 1) + catalog_find(state->series.kpi)->settles_ms;
}

static int32_t closed_until_at(const struct series_state *state, enum grid grid, int64_t clock_ms)
{
    return grid_index(state->series.zone, grid, clock_ms - wait_ms(state));
}

static int32_t oldest_row(const struct series_state *state, enum grid grid, int32_t until)
{
    const struct level *level = &state->series.levels[grid];
    bool has_history = level->count && !catalog_is_moving(state->series.kind);
    return has_history && level_when(level, 0) < until ? level_when(level, 0) : until;
}

static void start(struct series_state *state, int64_t clock_ms)
{
    struct watch *watch = &state->watch;
    watch->is_started = true;
    watch->starts_at_ms = clock_ms;
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        if (!has_grid(state, (enum grid)grid))
            continue;
        watch->next[grid] = oldest_row(state, (enum grid)grid, closed_until_at(state, (enum grid)grid, clock_ms));
    }
}

/* Is the bucket's value near enough to normal for the detectors, which know lopsided noise (skew.h)? Simulated at the shipped budget,
 * smaller ones raise twice as many alarms and more (tests/quality/alarms.c). Rates need some hits and some misses to be expected. */
static bool has_enough(const struct series_state *state, enum grid grid, const struct kpi_sums *sums, const struct kpi_sums *pool)
{
    static const double buckets_pooled[GRID_COUNT] = {90 * 1440, 90 * 24, 90};
    double n = (double)sums->n, rate = ((double)pool->num + 1) / ((double)pool->n + 2);
    switch (state->series.kind) {
    case KPI_KIND_RATE:
    case KPI_KIND_SHARE:
        return n * rate * (1 - rate) >= 1.5;
    case KPI_KIND_NPS:
    case KPI_KIND_MEAN:
        return n >= 4;
    case KPI_KIND_DURATION: /* the tail of one is long */
        return n >= 5;
    case KPI_KIND_COUNT:
    case KPI_KIND_DISTINCT: /* of what is usual: none at all may be the news */
        return (double)pool->n >= 2 * buckets_pooled[grid];
    case KPI_KIND_SUM:
        return (double)pool->n >= 5 * buckets_pooled[grid];
    default:
        return true;
    }
}

/* While a backlog is read days pass within a second, and what moves with the last activity has moved on before its day closes. */
static bool is_blurred(const struct step *step, const struct series_state *state)
{
    const struct kpi_task *task = step->task;
    return catalog_is_moving(state->series.kind) && sources_was_behind(&task->sources, step->offset);
}

/* A count of nothing is 0; a mean of nothing is missing. */
static double row_value(const struct series_state *state, enum grid grid, const struct kpi_sums *sums,
                        const struct kpi_sums *pool, int64_t flow)
{
    double value;
    if (!has_enough(state, grid, sums, pool))
        return NAN;
    if (evaluate_value(state->series.kpi, sums, flow, &value))
        return value;
    enum kpi_kind kind = state->series.kind;
    return kind == KPI_KIND_COUNT || kind == KPI_KIND_SUM || kind == KPI_KIND_DISTINCT ? 0 : NAN;
}

/* A count's noise grows with the count: that it got noisier says no more than that there is more of it. */
static bool has_own_noise(enum kpi_kind kind)
{
    return kind == KPI_KIND_RATE || kind == KPI_KIND_SHARE || kind == KPI_KIND_NPS || kind == KPI_KIND_MEAN || kind == KPI_KIND_DURATION;
}

/* What is open is a count: one more of two, or one less of one, is how it moves, however long it had stood still. */
static bool is_petty(enum kpi_kind kind, const struct trend_change *change)
{
    bool is_of_values = change->kind == TREND_KIND_LEVEL || change->kind == TREND_KIND_SPIKE;
    return catalog_is_gauge(kind) && is_of_values && fabs(change->after - change->before) < fmax(2, sqrt(fmax(change->before, change->after)));
}

static void tell(struct step *step, struct series_state *state, enum grid grid, const struct trend_change *change, int32_t row)
{
    const struct kpi_task *task = step->task;
    bool is_old = grid_start_ms(state->series.zone, grid, row) < step->clock_ms - wait_ms(state) - task->shared->settings->trend_news_ms;
    if (is_old || (change->kind == TREND_KIND_VARIANCE && !has_own_noise(state->series.kind)) ||
        is_petty(state->series.kind, change))
        return;
    publish_shift(step, state, grid, change, row);
}

/* A detector is some KiB, in memory and in every checkpoint: it is made with the first row that says something. */
static void feed_row(struct step *step, struct series_state *state, enum grid grid, int32_t row, double value,
                     const struct kpi_sums *sums)
{
    bool is_sample = has_own_noise(state->series.kind); /* else what the rows say themselves is all that is known of noise */
    const struct kpi_task *task = step->task;
    const struct kpi_sums *pool = &state->series.windows[state->series.window_count - 1].now;
    if (!state->watch.trends[grid] && isnan(value))
        return;
    if (!state->watch.trends[grid])
        watch_adopt(&state->watch, grid, trend_create(&task->shared->trends[grid]));
    struct trend_change changes[TREND_SHIFTS_MOST];
    size_t count = trend_add(state->watch.trends[grid], grid_start_ms(state->series.zone, grid, row), value, is_sample && sums->n > 0 ? (double)sums->n : 0,
                             is_sample ? evaluate_variance(state->series.kpi, sums, pool) : 0, changes, TREND_SHIFTS_MOST);
    for (size_t i = 0; i < count; i++)
        tell(step, state, grid, &changes[i], row);
}

static struct standing standing_of(const struct trend *trend)
{
    struct standing standing = {0};
    standing.is_known = trend && trend_stands_at(trend, &standing.level, &standing.slope);
    return standing;
}

static void feed(struct step *step, struct series_state *state, enum grid grid, int32_t until)
{
    struct watch *watch = &state->watch;
    const struct kpi_sums *pool = &state->series.windows[state->series.window_count - 1].now;
    if (watch->next[grid] > until) { /* a checkpoint from before rows were left to settle */
        watch_adopt(watch, grid, NULL);
        state->shift.is_unwatched |= state->shift.grid == grid;
        watch->next[grid] = oldest_row(state, grid, until);
    }
    if (until - watch->next[grid] > rows_kept[grid]) { /* time has leapt over all that is known: what was learnt is stale */
        watch_adopt(watch, grid, NULL);
        state->shift.is_unwatched |= state->shift.grid == grid;
        watch->next[grid] = until - rows_kept[grid];
    }
    int64_t flow = watch->next[grid] < until ? series_gauge_after(&state->series, grid, watch->next[grid] - 1) : 0;
    bool is_missing = is_blurred(step, state);
    while (watch->next[grid] < until) {
        int32_t row = watch->next[grid]++;
        struct kpi_sums sums = series_bucket(&state->series, grid, row);
        flow += sums.n;
        feed_row(step, state, grid, row, is_missing ? NAN : row_value(state, grid, &sums, pool, flow), &sums);
        struct standing now = standing_of(watch->trends[grid]);
        shift_alert_row(step, state, grid, watch_known_ms(state, grid, row), &now);
    }
}

static void put_off(struct watch *watch, const struct kpi_task *task, int64_t clock_ms)
{
    int32_t put_offs = watch->put_offs;
    watch_finish(watch);
    *watch = (struct watch){.starts_at_ms = clock_ms + task->shared->settings->trend_warm_up_ms, .put_offs = put_offs};
}

/* Is much of this late for a row that has been fed, or could have been, and not just a straggler? It says minutes, in their order, and the
 * rows are hours or days. */
static bool is_missed(const struct step *step, const struct series_state *state, const struct addition *added, size_t count)
{
    enum grid grid = has_grid(state, GRID_HOUR) ? GRID_HOUR : GRID_DAY;
    int32_t next = state->watch.is_started ? state->watch.next[grid] : closed_until_at(state, grid, step->clock_ms);
    int32_t summed = INT32_MIN;
    int64_t late = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t row = grid_index(state->series.zone, grid, MINUTES((int64_t)added[i].minute));
        if (row >= next)
            continue;
        late = (row == summed ? late : 0) + llabs(added[i].n);
        summed = row;
        if (MISSED_PART * late >= series_bucket(&state->series, grid, row).n)
            return true;
    }
    return false;
}

bool watch_may_wait(const struct step *step, const struct series_state *state)
{
    const struct watch *watch = &state->watch;
    int64_t warm_up_ms = ((const struct kpi_task *)step->task)->shared->settings->trend_warm_up_ms;
    int64_t from_ms = watch->is_started ? watch->starts_at_ms : watch->starts_at_ms - warm_up_ms / 2; /* far off where nothing is watched */
    int64_t young_ms = warm_up_ms > YOUNG_MS ? warm_up_ms : YOUNG_MS;
    return step->clock_ms >= from_ms && (watch->is_started ? step->clock_ms < from_ms + young_ms : watch->put_offs < PUT_OFFS_MOST) &&
           !catalog_is_moving(state->series.kind);
}

void watch_note(struct step *step, struct series_state *state, const struct addition *added, size_t count)
{
    struct watch *watch = &state->watch;
    if (!watch_may_wait(step, state) || !is_missed(step, state, added, count))
        return;
    watch->put_offs += !watch->is_started;
    put_off(watch, step->task, step->clock_ms);
}

void watch_close(struct step *step, struct series_state *state)
{
    struct watch *watch = &state->watch;
    if (watch->starts_at_ms > step->clock_ms || step->clock_ms <= CLOCK_UNSET)
        return;
    if (!watch->is_started && step->clock_ms - watch->starts_at_ms > DAYS(1))
        put_off(watch, step->task, step->clock_ms);
    else if (!watch->is_started)
        start(state, step->clock_ms);
    if (!watch->is_started)
        return;
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        if (has_grid(state, (enum grid)grid))
            feed(step, state, (enum grid)grid, closed_until_at(state, (enum grid)grid, step->clock_ms));
        else /* a checkpoint from before this KPI was left to settle */
            watch_adopt(watch, (enum grid)grid, NULL);
    }
}

int64_t watch_due_ms(const struct series_state *state)
{
    const struct watch *watch = &state->watch;
    if (!watch->is_started)
        return watch->starts_at_ms;
    int64_t due_ms = INT64_MAX;
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        if (!has_grid(state, (enum grid)grid))
            continue;
        int64_t closes_ms = grid_start_ms(state->series.zone, (enum grid)grid, watch->next[grid] + 1) + wait_ms(state);
        due_ms = closes_ms < due_ms ? closes_ms : due_ms;
    }
    return due_ms;
}
