/* A shift that is bad for the customer, as an alert: whoever does not look at the page is told, too.
 *
 *     found, bad ──▶ OPEN ──two thirds of the way back──▶ RESOLVED
 *                     ├─────it has stayed so (a week; of days, a month)──▶ EXPIRED: it is usual now
 *                     └─────another shift of the same series──▶ EXPIRED, and that one opens
 *
 * One at a time of a series. Its minutes, hours and days see the same shift one after the other: who has been told of it by one of them does
 * not hear of it from the others. A detector finds when something begins; for when it is over, it is asked after each further bucket
 * where it takes the series to stand, the season taken away, so that a quiet night is no recovery.
 *
 * It is one to be woken by, or not, by its size, which only a target knows (threshold.c). A shift says that something is more than chance:
 * never CRITICAL. While history is read what is found is `historical`; of that, a shift of the last day that still stands is told as news when
 * time has caught up. What is older stands on the page. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "processors/kpi/alerting.h"
#include "processors/kpi/comparison.h"
#include "processors/kpi/lateness.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const double left_of_it = 1.0 / 3;

enum { NEWS_MS = DAYS(1), TEXT_MAX = 1000, WHEN_MAX = 80, DRIVERS_SAID = 2, DRIVER_BYTES_MAX = 120 };

static bool is_wanted(const struct kpi_task *task, const struct series_state *state, uint8_t kind)
{
    const struct text_list *kinds = &task->shared->settings->shift_kinds;
    bool is_wanted = false;
    for (size_t i = 0; i < kinds->count; i++)
        is_wanted |= strcasecmp(kinds->items[i], shift_kind_name((enum shift_kind)kind)) == 0;
    return is_wanted && alerting_is_about(state, &task->shared->settings->shift_dimensions);
}

/* --- words --- */

static const char *bucket_name(uint8_t grid)
{
    static const char *const names[GRID_COUNT] = {[GRID_MINUTE] = "minute", [GRID_HOUR] = "hour", [GRID_DAY] = "day"};
    return names[grid];
}

/* As the company's clocks have it. */
static void say_when(char text[WHEN_MAX], const struct kpi_task *task, uint8_t grid, int64_t at_ms)
{
    int64_t local_ms = at_ms + time_zone_offset_ms(task->shared->zone, at_ms), year;
    int month, day, minute = (int)(local_ms / MINUTES(1) - grid_floor(local_ms, DAYS(1)) * 1440);
    time_civil_from_days(grid_floor(local_ms, DAYS(1)), &year, &month, &day);
    int size = snprintf(text, WHEN_MAX, "%04d-%02d-%02d", (int)year, month, day);
    if (grid != GRID_DAY)
        snprintf(text + size, WHEN_MAX - (size_t)size, " %02d:%02d %.40s", minute / 60, minute % 60, task->shared->settings->time_zone);
}

/* A detector's line does not know where the scale ends. */
static void say_value(char text[KPI_TEXT_SIZE], enum kpi_kind kind, double value)
{
    bool is_share = kind == KPI_KIND_RATE || kind == KPI_KIND_SHARE || kind == KPI_KIND_CHURN;
    bool is_signed = kind == KPI_KIND_NPS || kind == KPI_KIND_MEAN || kind == KPI_KIND_UPLIFT;
    kpi_text_value(text, kind, is_share ? fmin(fmax(value, 0), 1) : is_signed ? value : fmax(value, 0));
}

/* The page says it in the same words (sinks/dashboard/web/shift.js). */
static void say_shift(char *text, size_t room, const struct shift_alert *alert, enum kpi_kind kind)
{
    char before[KPI_TEXT_SIZE], after[KPI_TEXT_SIZE];
    const char *bucket = bucket_name(alert->grid);
    bool is_slope = alert->kind == SHIFT_KIND_TREND;
    (is_slope ? kpi_text_distance : say_value)(before, kind, alert->before);
    (is_slope ? kpi_text_distance : say_value)(after, kind, alert->after);
    if (is_slope)
        snprintf(text, room, "%s by %s %s %s, %s by %s before", alert->after < 0 ? "falls" : "rises", after,
                 alert->grid == GRID_HOUR ? "an" : "a", bucket, alert->before < 0 ? "fell" : "rose", before);
    else if (alert->kind == SHIFT_KIND_SPIKE)
        snprintf(text, room, "%s in one %s, expected: %s", after, bucket, before);
    else
        snprintf(text, room, "has %s: %s \u2192 %s", alert->after < alert->before ? "fallen" : "risen", before, after);
}

/* How it is over. */
enum ending { NOT_OVER, BACK, USUAL_NOW, OVERTAKEN, UNWATCHED, UNWANTED };

static void say_end(char *text, size_t room, const struct shift_alert *alert, enum kpi_kind kind, enum ending ending, double stands_at)
{
    static const char *const ends[] = {[OVERTAKEN] = "has shifted once more", [UNWATCHED] = "is watched anew: whether it still stands so is not known",
                                       [UNWANTED] = "alerts no more: the settings have changed"};
    char value[KPI_TEXT_SIZE], before[KPI_TEXT_SIZE];
    say_value(value, kind, stands_at);
    say_value(before, kind, alert->before);
    if (ending == BACK && alert->kind == SHIFT_KIND_TREND)
        snprintf(text, room, "%s no longer as it did: %s", alert->after < 0 ? "falls" : "rises", value);
    else if (ending == BACK)
        snprintf(text, room, "is back: %s, usual was %s", value, before);
    else if (ending == USUAL_NOW)
        snprintf(text, room, "has stayed so for %d d: %s is usual now", (int)(shift_usual_after_ms((enum resolution)alert->grid) / DAYS(1)), value);
    else
        snprintf(text, room, "%s", ends[ending]);
}

static struct view say(char text[TEXT_MAX], const struct kpi_task *task, const struct series_state *state, enum ending ending, double stands_at)
{
    const struct shift_alert *alert = &state->shift;
    char words[ALERTING_WORDS_MAX];
    struct view dimension = alerting_words(state->dimension, words);
    int size = snprintf(text, TEXT_MAX, "%s by the %s, %.*s, ", kpi_names[state->series.kpi].name, bucket_name(alert->grid), VIEW_ARGUMENTS(dimension));
    char *rest = text + size, when[WHEN_MAX];
    size_t room = TEXT_MAX - (size_t)size;
    if (ending) {
        say_end(rest, room, alert, state->series.kind, ending, stands_at);
        return view_of_text(text);
    }
    say_shift(rest, room, alert, state->series.kind);
    say_when(when, task, alert->grid, alert->onset_at_ms);
    size = (int)strlen(text);
    snprintf(text + size, TEXT_MAX - (size_t)size, "%s %s%s", alert->kind == SHIFT_KIND_SPIKE ? ", at" : " since", when, alert->drivers ? alert->drivers : "");
    return view_of_text(text);
}

static struct view say_why(char text[TEXT_MAX], const struct shift_alert *alert, enum kpi_kind kind)
{
    char low[KPI_TEXT_SIZE], high[KPI_TEXT_SIZE];
    say_value(low, kind, alert->low);
    say_value(high, kind, alert->high);
    snprintf(text, TEXT_MAX, "expected was %s to %s, by what went before; confidence %.1f %%", low, high, floor(1000 * alert->confidence) / 10);
    return view_of_text(text);
}

/* --- telling --- */

static void tell(struct step *step, const struct series_state *state, enum ending ending, double stands_at)
{
    struct kpi_task *task = step->task;
    const struct shift_alert *shift = &state->shift;
    char text[TEXT_MAX], why[TEXT_MAX];
    bytes_clear(&task->scratch);
    bytes_printf(&task->scratch, "%s|%s|%s|%lld", state->key, resolution_name((enum resolution)shift->grid),
                 shift_kind_name((enum shift_kind)shift->kind), (long long)shift->life.opened_at_ms); /* as the shift's own */
    struct alert alert = {.rule = VIEW_LITERAL(ALERT_RULE_OF_SHIFTS),
                          .kind = ALERT_KIND_TREND_SHIFT,
                          .severity = alerting_severity(state, ALERT_LOW),
                          .state = ending == BACK ? ALERT_STATE_RESOLVED : ending ? ALERT_STATE_EXPIRED : ALERT_STATE_OPEN,
                          .kpi = view_of_text(kpi_names[state->series.kpi].name),
                          .dimension = state->dimension,
                          .score = 100 * shift->confidence,
                          .text = say(text, task, state, ending, stands_at)};
    alerting_tell(step, &shift->life, bytes_view(&task->scratch), &alert, say_why(why, shift, state->series.kind));
}

/* Never the same alert again: each shift is one of its own. */
static void move(struct step *step, struct series_state *state, int64_t at_ms, enum ending ending, double stands_at)
{
    int64_t late_ms = lateness_wait_ms(state->watch.lateness, step->clock_ms);
    if (alerting_move_late(step, &state->shift.life, ending ? 0 : ALERT_LOW, at_ms, late_ms, 0))
        tell(step, state, ending, stands_at);
}

/* --- when one is found --- */

/* Does it begin where the open one has led to? Of counts that cannot be said: an hour has more than a minute. */
static bool goes_on(const struct shift_alert *open, const struct series_state *state, const struct trend_shift *found)
{
    enum kpi_kind kind = state->series.kind;
    bool is_of_items = kind != KPI_KIND_COUNT && kind != KPI_KIND_SUM && kind != KPI_KIND_DISTINCT;
    return is_of_items && found->kind == SHIFT_KIND_LEVEL && open->kind == SHIFT_KIND_LEVEL && found->onset_at_ms >= open->life.opened_at_ms &&
           fabs(found->before - open->after) < fabs(found->before - open->before);
}

/* It is what is told already, seen in longer buckets, or an odd bucket within it. */
static bool is_known(const struct series_state *state, uint8_t grid, const struct trend_shift *found)
{
    const struct shift_alert *open = &state->shift;
    bool began_before = found->onset_at_ms < open->life.opened_at_ms && open->grid == grid && open->kind == found->kind;
    if (open->life.revision > 0 && (found->detected_at_ms <= open->life.opened_at_ms || (open->life.level && began_before)))
        return true; /* the series is looked at anew, from its beginning on */
    if (!open->life.level || found->kind == SHIFT_KIND_SPIKE)
        return open->life.level;
    return open->grid != grid && open->kind != SHIFT_KIND_SPIKE && !goes_on(open, state, found);
}

void shift_alert_found(struct step *step, struct series_state *state, enum grid grid, const struct trend_shift *found)
{
    struct kpi_task *task = step->task;
    struct shift_alert *shift = &state->shift;
    bool is_bad = found->has_good && !found->good && found->confidence >= task->shared->settings->shift_least_confidence;
    if (!is_bad || !is_wanted(task, state, (uint8_t)found->kind) || is_known(state, (uint8_t)grid, found))
        return;
    move(step, state, found->detected_at_ms, OVERTAKEN, shift->after);
    free(shift->drivers);
    *shift = (struct shift_alert){.grid = (uint8_t)grid,
                                  .kind = (uint8_t)found->kind,
                                  .onset_at_ms = found->onset_at_ms,
                                  .before = found->before,
                                  .after = found->after,
                                  .low = found->low,
                                  .high = found->high,
                                  .confidence = found->confidence};
    move(step, state, found->detected_at_ms, NOT_OVER, shift->after);
}

/* --- what it comes from --- */

/* ", 87 % from product=boots": the page says it in the same words (sinks/dashboard/web/shift.js). */
static void say_driver(struct bytes *text, const struct series_state *state, const struct driver *driver)
{
    char words[ALERTING_WORDS_MAX];
    struct bytes own = {0};
    comparison_own_part(&own, driver->dimension, state->dimension);
    struct view part = utf8_prefix(alerting_words(bytes_view(&own), words), DRIVER_BYTES_MAX);
    if (driver->share >= 0.95)
        bytes_append_text(text, ", all of it");
    else
        bytes_printf(text, ", %.0f %%", 100 * driver->share);
    bytes_printf(text, " from %.*s", VIEW_ARGUMENTS(part));
    bytes_finish(&own);
}

void shift_alert_explained(struct step *step, struct series_state *state, int64_t detected_at_ms, const struct driver *drivers, size_t count)
{
    struct shift_alert *shift = &state->shift;
    if (!shift->life.level || shift->life.opened_at_ms != detected_at_ms || count == 0)
        return;
    struct bytes text = {0};
    for (size_t i = 0; i < count && i < DRIVERS_SAID; i++)
        say_driver(&text, state, &drivers[i]);
    free(shift->drivers);
    shift->drivers = memory_copy_text(bytes_text(&text));
    bytes_finish(&text);
    shift->life.revision++;
    if (shift->life.changed_at_ms < shift->life.opened_at_ms) /* checkpoints do not say it; as a rule it has just opened */
        shift->life.changed_at_ms = shift->life.opened_at_ms;
    tell(step, state, NOT_OVER, shift->after);
}

/* --- and then --- */

static enum ending ending_at(const struct shift_alert *shift, int64_t at_ms, const struct standing *now)
{
    if (shift->kind == SHIFT_KIND_SPIKE)
        return BACK; /* it was one bucket, and this is another */
    double is = shift->kind == SHIFT_KIND_TREND ? now->slope : now->level;
    if (now->is_known && (is - shift->before) / (shift->after - shift->before) <= left_of_it)
        return BACK;
    return at_ms - shift->life.opened_at_ms >= shift_usual_after_ms((enum resolution)shift->grid) ? USUAL_NOW : NOT_OVER;
}

void shift_alert_row(struct step *step, struct series_state *state, enum grid grid, int64_t at_ms, const struct standing *now)
{
    const struct shift_alert *shift = &state->shift;
    if (!shift->life.level || shift->grid != grid || at_ms <= shift->life.opened_at_ms)
        return;
    enum ending ending = ending_at(shift, at_ms, now);
    if (ending)
        move(step, state, at_ms, ending, now->is_known ? now->level : shift->after);
    else if (at_ms - shift->life.opened_at_ms <= NEWS_MS)
        move(step, state, at_ms, NOT_OVER, shift->after);
}

void shift_alert_upkeep(struct step *step, struct series_state *state)
{
    const struct shift_alert *shift = &state->shift;
    if (!shift->life.level)
        return;
    if (!is_wanted(step->task, state, shift->kind) || state->watch.starts_at_ms == INT64_MAX)
        move(step, state, state->series.at_ms, UNWANTED, shift->after);
    else if (!state->watch.is_started || !state->watch.trends[shift->grid] || shift->is_unwatched)
        move(step, state, state->series.at_ms, UNWATCHED, shift->after);
}
