/* Feeding the trend detectors with closed buckets.
 *
 *     not watched yet ──trend.warm_up after the first record──▶ every bucket that is kept, from the oldest on ──▶ each as it closes
 *        │    ▲                                                                ▲                                   │
 *        └────┘ much still comes for closed ones                               └── much has come for closed ones ──┘
 *
 * A detector wants rows in the order of time, each once. What comes for a row that has closed was sent late (an import of history, a file a night, a
 * sender that was away): nothing is fed while it comes in, since half of it would be a shift; when it is over and rows of it had been
 * fed, the detectors are made anew and look at all that is kept, and of what they find is told what they find in those rows and after. Whoever
 * always comes late is waited for (lateness.h). Event time leaps while history is read, partition by partition: a clock that comes a day late to the
 * start puts it off. Not for ever: where what comes is always late, that is how it is.
 * Buckets of sums that move with a customer's last activity are right only as they close: no history for them.
 *
 * Whether a survey is completed, or a ticket reopened, is known days after the hour it counts in. As that hour closes its value is another than the
 * same hour's in history, and no shift is meant: a row of such a KPI is fed when it has settled (catalog.h). */
#include "base/clock.h"
#include "base/metrics.h"
#include "processors/kpi/evaluate.h"
#include "processors/kpi/lateness.h"
#include "processors/kpi/rows.h"
#include "processors/kpi/task.h"
#include "processors/kpi/trend/trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MUCH_PART = 10, MOST_PART = 2 }; /* of what a bucket has by now */
enum { PUT_OFFS_MOST = 200 }; /* before it begins: with two minutes of warm-up, an import of some hours */
enum { REACHED_PART = 8 };    /* of a row that an upload reaches so far to the end of it has all */

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

void watch_resume(struct series_state *state, const struct kpi_task *task, unsigned renewed)
{
    struct watch *watch = &state->watch;
    bool is_wanted = is_watched(state, task->shared->settings), was_wanted = watch->starts_at_ms != INT64_MAX;
    if (state->series.at_ms == INT64_MIN)
        return;
    if (is_wanted != was_wanted) { /* the settings are others by now */
        watch_finish(watch);
        watch_init(state, task);
        return;
    }
    for (int grid = GRID_HOUR; grid < GRID_COUNT; grid++) {
        if (!(renewed & 1u << grid))
            continue;
        if (!watch->lateness)
            watch->lateness = lateness_create();
        lateness_look_again(watch->lateness, state->series.at_ms, grid_start_ms(state->series.zone, (enum grid)grid, watch->next[grid]));
    }
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
    free(watch->lateness);
    watch->lateness = NULL;
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

/* Rows that uploads have got past; INT32_MIN: none. */
static int32_t uploaded_until(const struct series_state *state, enum grid grid)
{
    int64_t reached_ms = state->watch.lateness->complete_until_ms;
    if (reached_ms == INT64_MIN)
        return INT32_MIN;
    int32_t row = grid_index(state->series.zone, grid, reached_ms);
    int64_t start_ms = grid_start_ms(state->series.zone, grid, row), end_ms = grid_start_ms(state->series.zone, grid, row + 1);
    return reached_ms >= end_ms - (end_ms - start_ms) / REACHED_PART ? row + 1 : row;
}

/* Minutes are looked at to hear of something at once: with what came in time. */
static int64_t late_by_ms(const struct series_state *state, enum grid grid, int64_t clock_ms)
{
    return grid == GRID_MINUTE ? 0 : lateness_wait_ms(state->watch.lateness, clock_ms);
}

/* Rows before it are closed, and whoever always comes late has been waited for. */
static int32_t complete_until_at(const struct series_state *state, enum grid grid, int64_t clock_ms)
{
    int32_t closed_until = closed_until_at(state, grid, clock_ms);
    int64_t late_ms = late_by_ms(state, grid, clock_ms);
    if (late_ms == 0)
        return closed_until;
    int32_t waited = closed_until_at(state, grid, clock_ms - late_ms), uploaded = uploaded_until(state, grid);
    return uploaded <= waited ? waited : uploaded < closed_until ? uploaded : closed_until;
}

/* When complete_until_at gets past the row. */
static int64_t complete_at_ms(const struct series_state *state, enum grid grid, int32_t row, int64_t clock_ms)
{
    int64_t closes_ms = grid_start_ms(state->series.zone, grid, row + 1) + wait_ms(state);
    int64_t late_ms = late_by_ms(state, grid, clock_ms);
    if (late_ms == 0 || row < uploaded_until(state, grid))
        return closes_ms;
    int64_t ends_ms = lateness_wait_ends_ms(state->watch.lateness), forgone_ms = closes_ms > ends_ms ? closes_ms : ends_ms;
    return closes_ms + late_ms < forgone_ms ? closes_ms + late_ms : forgone_ms;
}

/* Minutes in which nothing comes in time are of no use. */
static bool is_grid_watched(const struct series_state *state, enum grid grid, int64_t clock_ms)
{
    return has_grid(state, grid) && (grid != GRID_MINUTE || !lateness_is_most(state->watch.lateness, clock_ms));
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

/* While a backlog is read days pass within a second, and what moves with the last activity has moved on before its day closes. */
static bool is_blurred(const struct step *step, const struct series_state *state)
{
    const struct kpi_task *task = step->task;
    return catalog_is_moving(state->series.kind) && sources_was_behind(&task->sources, step->offset);
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
    if (is_old || (change->kind == TREND_KIND_VARIANCE && !row_has_own_noise(state->series.kind)) ||
        is_petty(state->series.kind, change))
        return;
    publish_shift(step, state, grid, change, row);
}

/* A detector is some KiB, in memory and in every checkpoint: it is made with the first row that says something. */
static void feed_row(struct step *step, struct series_state *state, enum grid grid, int32_t row, const struct row_said *said, bool is_told)
{
    const struct kpi_task *task = step->task;
    if (!state->watch.trends[grid] && isnan(said->value))
        return;
    if (!state->watch.trends[grid])
        watch_adopt(&state->watch, grid, trend_create(&task->shared->trends[state->series.kpi][grid]));
    struct trend_change changes[TREND_SHIFTS_MOST];
    size_t count = trend_add(state->watch.trends[grid], grid_start_ms(state->series.zone, grid, row), said->value, said->n, said->variance, changes,
                             TREND_SHIFTS_MOST);
    for (size_t i = 0; i < count && is_told; i++)
        tell(step, state, grid, &changes[i], row);
}

static struct row_said row_of(const struct series_state *state, enum grid grid, int32_t row, int64_t *flow)
{
    const struct kpi_sums *pool = &state->series.windows[state->series.window_count - 1].now;
    struct kpi_sums sums = series_bucket(&state->series, grid, row);
    *flow += sums.n;
    return row_say(state->series.kpi, grid, &sums, pool, *flow);
}

/* A count is watched as soon as it is much, by what the last months have of it: then what it is compared with is what came before. */
static void feed_earlier(struct step *step, struct series_state *state, enum grid grid, int32_t until)
{
    int64_t flow = 0; /* gauges have no rows that say nothing */
    for (int32_t row = oldest_row(state, grid, until); row < until; row++) {
        struct row_said said = row_of(state, grid, row, &flow);
        feed_row(step, state, grid, row, &said, false);
    }
}

static struct standing standing_of(const struct trend *trend)
{
    struct standing standing = {0};
    standing.is_known = trend && trend_stands_at(trend, &standing.level, &standing.slope);
    return standing;
}

/* Rows before until; of what is found, tell what is found in rows from told_from on. */
static void feed(struct step *step, struct series_state *state, enum grid grid, int32_t until, int32_t told_from)
{
    struct watch *watch = &state->watch;
    if (until - watch->next[grid] > rows_kept[grid]) { /* time has leapt over all that is known: what was learnt is stale */
        watch_adopt(watch, grid, NULL);
        state->shift.is_unwatched |= state->shift.grid == grid;
        watch->next[grid] = until - rows_kept[grid];
    }
    int64_t flow = watch->next[grid] < until ? series_gauge_after(&state->series, grid, watch->next[grid] - 1) : 0;
    bool is_missing = is_blurred(step, state);
    while (watch->next[grid] < until) {
        int32_t row = watch->next[grid]++;
        struct row_said said = row_of(state, grid, row, &flow);
        if (is_missing)
            said.value = NAN;
        if (!watch->trends[grid] && !isnan(said.value))
            feed_earlier(step, state, grid, row);
        feed_row(step, state, grid, row, &said, row >= told_from);
        struct standing now = standing_of(watch->trends[grid]);
        shift_alert_row(step, state, grid, watch_known_ms(state, grid, row), &now);
    }
}

/* --- what comes late */

/* What a row of this grid has, to tell much from little. */
static int64_t weight_of(const struct series_state *state, enum grid grid, int32_t row)
{
    int64_t has = catalog_is_gauge(state->series.kind) ? series_gauge_after(&state->series, grid, row) : series_bucket(&state->series, grid, row).n;
    return llabs(has);
}

/* Much of a row, not just a straggler, and how far it reaches. */
struct late {
    int64_t oldest_ms, newest_ms; /* INT64_MAX, INT64_MIN: there is none */
    bool is_most;                 /* of a row of them */
};

/* Additions to rows before `until`. They say minutes, in their order, and the rows are hours or days. `row` and `row_n`: what has come before
 * for the row that was last. */
static struct late much_of(const struct series_state *state, enum grid grid, int32_t until, const struct addition *added, size_t count, int32_t *row, int64_t *row_n)
{
    struct late late = {INT64_MAX, INT64_MIN, false};
    for (size_t i = 0; i < count; i++) {
        int64_t at_ms = MINUTES((int64_t)added[i].minute);
        int32_t its_row = grid_index(state->series.zone, grid, at_ms);
        if (its_row >= until)
            break;
        *row_n = (its_row == *row ? *row_n : 0) + (added[i].n > 0 ? added[i].n : 0);
        *row = its_row;
        int64_t weight = weight_of(state, grid, its_row);
        if (*row_n == 0 || MUCH_PART * *row_n < weight)
            continue;
        late.is_most |= MOST_PART * *row_n >= weight;
        late.oldest_ms = at_ms < late.oldest_ms ? at_ms : late.oldest_ms;
        late.newest_ms = at_ms;
    }
    return late;
}

bool watch_wants(const struct step *step, const struct series_state *state, int32_t oldest_minute)
{
    const struct watch *watch = &state->watch;
    const struct kpi_task *task = step->task;
    if (catalog_is_moving(state->series.kind))
        return false;
    if (watch->is_started)
        return MINUTES((int64_t)oldest_minute + 1) <= step->clock_ms - wait_ms(state);
    return watch->put_offs < PUT_OFFS_MOST && step->clock_ms >= watch->starts_at_ms - task->shared->settings->trend_warm_up_ms / 2;
}

static void put_off(struct watch *watch, const struct kpi_task *task, int64_t clock_ms)
{
    watch->put_offs++;
    watch->starts_at_ms = clock_ms + task->shared->settings->trend_warm_up_ms;
}

static void note_upload(struct step *step, struct series_state *state, enum grid grid, const struct addition *added, size_t count)
{
    const struct kpi_task *task = step->task;
    struct watch *watch = &state->watch;
    int32_t closed_until = closed_until_at(state, grid, step->clock_ms);
    if (grid_index(state->series.zone, grid, MINUTES((int64_t)added[0].minute)) >= closed_until)
        return;
    if (!watch->lateness)
        watch->lateness = lateness_create();
    struct lateness *lateness = watch->lateness;
    struct late late = much_of(state, grid, closed_until, added, count, &lateness->row, &lateness->row_n);
    lateness->heard_ms = step->clock_ms;
    if (late.oldest_ms == INT64_MAX)
        return;
    int64_t settled_ms = step->clock_ms - catalog_find(state->series.kpi)->settles_ms;
    lateness_hear(lateness, step->clock_ms, settled_ms - late.oldest_ms, late.newest_ms, task->shared->settings->trend_warm_up_ms, late.is_most);
    int32_t oldest_row = grid_index(state->series.zone, grid, late.oldest_ms);
    if (oldest_row < watch->next[grid] && late.oldest_ms < lateness->stale_from_ms)
        lateness->stale_from_ms = grid_start_ms(state->series.zone, grid, oldest_row);
}

void watch_note(struct step *step, struct series_state *state, const struct addition *added, size_t count)
{
    struct watch *watch = &state->watch;
    enum grid grid = has_grid(state, GRID_HOUR) ? GRID_HOUR : GRID_DAY;
    if (watch->is_started) {
        note_upload(step, state, grid, added, count);
        return;
    }
    int32_t row = INT32_MIN;
    int64_t row_n = 0;
    if (much_of(state, grid, closed_until_at(state, grid, step->clock_ms), added, count, &row, &row_n).oldest_ms != INT64_MAX)
        put_off(watch, step->task, step->clock_ms);
}

/* Of two days of minutes nobody learns what weeks have taught; of months of hours one does. */
static bool can_be_learnt_anew(const struct watch *watch, enum grid grid, int64_t clock_ms)
{
    return grid != GRID_MINUTE || clock_ms - watch->starts_at_ms < MINUTES((int64_t)MINUTES_KEPT);
}

/* An upload is over, and it was for rows that have been fed: the detectors look at all of it again, as it is now. What they had found before the first
 * of these rows has been told. */
static void look_again(struct step *step, struct series_state *state, int64_t stale_from_ms)
{
    struct watch *watch = &state->watch;
    for (int i = 0; i < GRID_COUNT; i++) {
        enum grid grid = (enum grid)i;
        if (!is_grid_watched(state, grid, step->clock_ms) || !can_be_learnt_anew(watch, grid, step->clock_ms))
            continue;
        int32_t until = complete_until_at(state, grid, step->clock_ms);
        watch_adopt(watch, grid, NULL);
        watch->next[grid] = oldest_row(state, grid, until);
        feed(step, state, grid, until, grid_index(state->series.zone, grid, stale_from_ms));
    }
}

/* While something is coming in rows wait, of those that are going to be looked at again: half of it is not to be looked at. */
static bool is_held(const struct watch *watch, enum grid grid, int64_t clock_ms)
{
    return watch->lateness && watch->lateness->over_at_ms != INT64_MAX && can_be_learnt_anew(watch, grid, clock_ms);
}

static void end_upload(struct step *step, struct series_state *state)
{
    struct lateness *lateness = state->watch.lateness;
    if (!lateness || step->clock_ms < lateness->over_at_ms) /* INT64_MAX: nothing is coming in */
        return;
    int64_t stale_from_ms = lateness->stale_from_ms;
    lateness_over(lateness);
    if (stale_from_ms != INT64_MAX)
        look_again(step, state, stale_from_ms);
}

static void forget_lateness(struct watch *watch, int64_t clock_ms)
{
    if (!watch->lateness || !lateness_is_past(watch->lateness, clock_ms))
        return;
    free(watch->lateness);
    watch->lateness = NULL;
}

/* --- time moves */

/* A checkpoint from before rows of this KPI were left to settle: rows were fed that are none yet. */
static void begin_anew_if_too_far(struct series_state *state, enum grid grid, int32_t closed_until)
{
    struct watch *watch = &state->watch;
    if (watch->next[grid] <= closed_until)
        return;
    watch_adopt(watch, grid, NULL);
    state->shift.is_unwatched |= state->shift.grid == grid;
    watch->next[grid] = oldest_row(state, grid, closed_until);
}

static void close_rows(struct step *step, struct series_state *state, enum grid grid)
{
    if (!is_grid_watched(state, grid, step->clock_ms)) { /* or no longer */
        watch_adopt(&state->watch, grid, NULL);
        return;
    }
    begin_anew_if_too_far(state, grid, closed_until_at(state, grid, step->clock_ms));
    feed(step, state, grid, complete_until_at(state, grid, step->clock_ms), INT32_MIN);
}

void watch_close(struct step *step, struct series_state *state)
{
    struct watch *watch = &state->watch;
    const struct kpi_task *task = step->task;
    if (watch->starts_at_ms > step->clock_ms || step->clock_ms <= CLOCK_UNSET)
        return;
    if (!watch->is_started && step->clock_ms - watch->starts_at_ms > DAYS(1)) {
        watch->starts_at_ms = step->clock_ms + task->shared->settings->trend_warm_up_ms;
        return;
    }
    if (!watch->is_started)
        start(state, step->clock_ms);
    end_upload(step, state);
    forget_lateness(watch, step->clock_ms);
    for (int grid = 0; grid < GRID_COUNT; grid++)
        if (!is_held(watch, (enum grid)grid, step->clock_ms))
            close_rows(step, state, (enum grid)grid);
}

int64_t watch_due_ms(const struct series_state *state)
{
    const struct watch *watch = &state->watch;
    if (!watch->is_started)
        return watch->starts_at_ms;
    int64_t due_ms = watch->lateness ? watch->lateness->over_at_ms : INT64_MAX;
    for (int grid = 0; grid < GRID_COUNT; grid++) {
        if (!is_grid_watched(state, (enum grid)grid, state->series.at_ms) || is_held(watch, (enum grid)grid, state->series.at_ms))
            continue;
        int64_t complete_ms = complete_at_ms(state, (enum grid)grid, watch->next[grid], state->series.at_ms);
        due_ms = complete_ms < due_ms ? complete_ms : due_ms;
    }
    return due_ms;
}
