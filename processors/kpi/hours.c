/* Closed hours, for ts:series.
 *
 * An hour is told once it has closed, and again when something late revises it (at most every REVISION_PAUSE_MS, so that an import of
 * history does not tell each hour a thousand times). One that has lost all it had is told with n 0: it is to go (a gauge's 0 is a value like
 * others). With every close the last week is told again: a Redis that was
 * emptied heals within the hour. Sums that move with a customer's last activity are told once, as they were at the
 * close: what is past changes for them by design. */
#include "processors/kpi/evaluate.h"
#include "processors/kpi/task.h"
#include "schemas/records.h"

enum { TOLD_AGAIN = 7 * 24, REVISION_PAUSE_MS = 10000, HOUR_MS = 3600000 };

static int64_t grace_ms(const struct series_state *state)
{
    return catalog_is_moving(state->series.kind) ? 0 : CLOSING_GRACE_MS;
}

static int32_t closed_until_at(const struct series_state *state, int64_t clock_ms)
{
    return (int32_t)grid_floor(clock_ms - grace_ms(state), HOUR_MS);
}

static void revise(struct hours *hours, int32_t from, int32_t until)
{
    bool is_empty = hours->revised_from == hours->revised_until;
    if (is_empty || from < hours->revised_from)
        hours->revised_from = from;
    if (is_empty || until > hours->revised_until)
        hours->revised_until = until;
}

void hours_note(struct series_state *state, int32_t minute, int64_t clock_ms)
{
    struct hours *hours = &state->hours;
    int32_t hour = (int32_t)grid_floor(minute, 60);
    if (clock_ms <= CLOCK_UNSET) { /* all hours that are here already close with the first clock */
        if (hours->closed_until == INT32_MIN || hour < hours->closed_until)
            hours->closed_until = hour;
        return;
    }
    if (hours->closed_until == INT32_MIN)
        hours->closed_until = closed_until_at(state, clock_ms);
    if (hour >= hours->closed_until || catalog_is_moving(state->series.kind))
        return;
    bool lasts = catalog_is_gauge(state->series.kind); /* a gauge is changed for good */
    int32_t oldest = hours->closed_until - HOURS_KEPT;
    revise(hours, hour > oldest ? hour : oldest, lasts ? hours->closed_until : (hour > oldest ? hour : oldest) + 1);
}

static bool has_content(const struct series_state *state, int32_t from, int32_t until)
{
    const struct level *level = &state->series.levels[GRID_HOUR];
    uint32_t position = level_find(level, from);
    return catalog_is_gauge(state->series.kind) || (position < level->count && level_when(level, position) < until);
}

void hours_close(struct series_state *state, int64_t clock_ms)
{
    struct hours *hours = &state->hours;
    if (clock_ms <= CLOCK_UNSET || hours->closed_until == INT32_MIN)
        return;
    int32_t until = closed_until_at(state, clock_ms), from = hours->closed_until;
    if (until <= from)
        return;
    hours->closed_until = until;
    if (!has_content(state, from, until))
        return;
    hours->has_closed = true;
    if (!catalog_is_moving(state->series.kind) && until - TOLD_AGAIN < from)
        from = until - TOLD_AGAIN;
    revise(hours, from > until - HOURS_KEPT ? from : until - HOURS_KEPT, until);
}

int64_t hours_due_ms(const struct series_state *state)
{
    const struct hours *hours = &state->hours;
    const struct level *level = &state->series.levels[GRID_HOUR];
    if (hours->closed_until == INT32_MIN)
        return INT64_MAX;
    int32_t hour = hours->closed_until;
    if (!catalog_is_gauge(state->series.kind)) {
        uint32_t position = level_find(level, hour);
        if (position == level->count)
            return INT64_MAX;
        hour = level_when(level, position);
    }
    return ((int64_t)hour + 1) * HOUR_MS + grace_ms(state);
}

bool hours_are_to_tell(const struct series_state *state)
{
    return state->hours.revised_from != state->hours.revised_until;
}

/* Gauges: every hour; others: hours that something was added to, even if it was taken away again. Sums that move are never revised, so
 * what had moved on from an hour when it closed was never told of it. */
void hours_collect(const struct series_state *state, enum kpi_id face, struct kpi *out, struct arena *arena)
{
    const struct hours *hours = &state->hours;
    const struct series *series = &state->series;
    const struct level *level = &series->levels[GRID_HOUR];
    bool is_gauge = catalog_is_gauge(series->kind), is_revised = !catalog_is_moving(series->kind);
    uint32_t place = level_find(level, hours->revised_until); /* hours from here on in the level have been passed */
    size_t room = (size_t)(hours->revised_until - hours->revised_from), count = 0;
    out->closed.items = arena_alloc(arena, room * sizeof *out->closed.items);
    int64_t flow = series_gauge_after(series, GRID_HOUR, hours->revised_until - 1);
    for (int32_t hour = hours->revised_until; hour-- > hours->revised_from;) {
        bool is_touched = place > 0 && level_when(level, place - 1) == hour;
        struct kpi_sums sums = is_touched ? level_sums(level, --place) : (struct kpi_sums){0};
        double value = 0;
        bool has_value = (is_gauge || !kpi_sums_are_zero(&sums)) && evaluate_value(face, &sums, flow, &value);
        if (has_value || (is_touched && is_revised))
            out->closed.items[room - ++count] = (struct kpi_closed_hour){.end_at_ms = ((int64_t)hour + 1) * HOUR_MS,
                                                                         .value = has_value ? value : 0,
                                                                         .n = has_value ? evaluate_n(face, &sums, flow) : 0};
        flow -= sums.n;
    }
    out->closed.items += room - count;
    out->closed.count = count;
}

bool hours_may_tell(const struct series_state *state, int64_t record_ms)
{
    const struct hours *hours = &state->hours;
    bool is_set_back = record_ms < hours->told_at_ms;
    return hours->has_closed || hours->told_at_ms == INT64_MIN || is_set_back || record_ms - hours->told_at_ms >= REVISION_PAUSE_MS;
}

void hours_told(struct series_state *state, int64_t record_ms)
{
    struct hours *hours = &state->hours;
    hours->revised_from = hours->revised_until = 0;
    hours->has_closed = false;
    hours->told_at_ms = record_ms;
}
