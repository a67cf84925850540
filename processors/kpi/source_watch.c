/* When is a source silent, and not just quiet?
 *
 * Two rules, of which either is enough:
 *
 *   steady   it was heard of in 20 of the 24 hours up to its last word. Then silence is four times its longest pause of the last three days,
 *            and data.silence_after (15 min) at least.
 *   hours    it was heard of, in each of the last three weeks, in ten minutes at least of those hours of the week that have gone by since its
 *            last word. Nights, weekends and a batch each Monday are no silence then; a holiday is one, and is told.
 *
 * While a WARNING about the data is open, notify holds back what is said of KPIs (sinks/notify/inhibition.h). So only a steady source's silence is
 * one, and for a day; then, as of one that keeps hours, it is INFO: a source that was switched off must not leave the others unwatched.
 *
 * What comes in one go and no more (an import) is neither. Minutes count, not touchpoints: a burst is one word. Told is when a touchpoint arrived
 * (received_at), not when it happened, for a source that sends yesterday's events is not silent. A silence that was told
 * is no pause to measure the next one by. */
#include "processors/kpi/source_watch.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/ring.h"
#include "processors/kpi/alerting.h"
#include "processors/kpi/packed.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_text.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEADY_HOURS = 20, TIMES_USUAL = 4, WEEK_HOURS = 7 * 24, WEEKS = 3, MINUTES_LEAST = 10, DAY_MINUTES = 1440, LOOK_AFTER_MS = MINUTES(1),
       TEXT_MAX = 600 };
static const int64_t gone_after_ms = DAYS(14), forgotten_after_ms = DAYS(28);

struct source_watch *source_watch_create(struct view key)
{
    struct source_watch *source = memory_zeroed(1, sizeof *source);
    source->dimension = alerting_source_of(key, KPI_SOURCE_KEY);
    source->last_minute = source->newest_day = INT32_MIN;
    return source;
}

void source_watch_destroy(struct source_watch *source)
{
    free((char *)source->dimension.data);
    free(source);
}

/* --- what is usual --- */

static int64_t local_hour(const struct kpi_task *task, int64_t at_ms)
{
    return grid_floor(at_ms + time_zone_offset_ms(task->shared->zone, at_ms), HOURS(1));
}

static int64_t last_ms(const struct source_watch *source) /* the end of that minute */
{
    return MINUTES((int64_t)source->last_minute + 1);
}

static bool is_steady(const struct kpi_task *task, const struct source_watch *source)
{
    int64_t newest = local_hour(task, MINUTES((int64_t)source->last_minute));
    int heard = 0;
    for (int64_t hour = newest - 23; hour <= newest; hour++)
        heard += source->hours[ring_place(hour, SOURCE_HOURS)] > 0;
    return heard >= STEADY_HOURS;
}

static int64_t longest_pause_ms(const struct source_watch *source)
{
    int32_t longest = 1;
    for (int i = 0; i < SOURCE_DAYS; i++)
        longest = source->pauses[i] > longest ? source->pauses[i] : longest;
    return MINUTES(longest);
}

/* INT64_MAX: it is not steady. */
static int64_t overdue_at_ms(const struct kpi_task *task, const struct source_watch *source)
{
    int64_t after_ms = TIMES_USUAL * longest_pause_ms(source), least_ms = task->shared->settings->silence_after_ms;
    return is_steady(task, source) ? last_ms(source) + (after_ms > least_ms ? after_ms : least_ms) : INT64_MAX;
}

/* In how many minutes was it heard of, in the week of the last three with the fewest, in the hours that have gone by since? */
static int missed_minutes(const struct kpi_task *task, const struct source_watch *source, int64_t clock_ms)
{
    int64_t from = local_hour(task, MINUTES((int64_t)source->last_minute)) + 1, until = local_hour(task, clock_ms - LOOK_AFTER_MS);
    int least = INT32_MAX;
    until = until < from + WEEK_HOURS ? until : from + WEEK_HOURS;
    for (int week = 1; week <= WEEKS; week++) {
        int minutes = 0;
        for (int64_t hour = from; hour < until; hour++)
            minutes += source->hours[ring_place(hour - (int64_t)week * WEEK_HOURS, SOURCE_HOURS)];
        least = minutes < least ? minutes : least;
    }
    return least;
}

/* --- what is heard --- */

static void pass_hours(const struct kpi_task *task, struct source_watch *source, int32_t minute)
{
    int64_t newest = local_hour(task, MINUTES((int64_t)minute));
    int64_t before = source->last_minute == INT32_MIN ? newest - SOURCE_HOURS : local_hour(task, MINUTES((int64_t)source->last_minute));
    before = newest - before > SOURCE_HOURS ? newest - SOURCE_HOURS : before;
    for (int64_t hour = before + 1; hour <= newest; hour++)
        source->hours[ring_place(hour, SOURCE_HOURS)] = 0;
    source->hours[ring_place(newest, SOURCE_HOURS)]++; /* of sixty; twice that when the clocks are put back */
}

static void note_pause(struct source_watch *source, int32_t minute)
{
    int32_t day = minute / DAY_MINUTES;
    int32_t passed = source->newest_day == INT32_MIN || day - source->newest_day > SOURCE_DAYS ? SOURCE_DAYS : day - source->newest_day;
    for (int32_t i = 0; i < passed; i++)
        source->pauses[ring_place(day - i, SOURCE_DAYS)] = 0;
    source->newest_day = day;
    int32_t pause = source->last_minute == INT32_MIN || source->silence.level ? 0 : minute - source->last_minute;
    int32_t *longest = &source->pauses[ring_place(day, SOURCE_DAYS)];
    *longest = pause > *longest ? pause : *longest;
}

/* Hours and days that were not to come yet are as if there had been nothing in them. */
static void set_back(const struct kpi_task *task, struct source_watch *source, int32_t minute)
{
    int64_t hour = local_hour(task, MINUTES((int64_t)minute)), newest = local_hour(task, MINUTES((int64_t)source->last_minute));
    int32_t day = minute / DAY_MINUTES, passed = source->newest_day - day;
    for (int64_t i = 1; i <= newest - hour && i <= SOURCE_HOURS; i++)
        source->hours[ring_place(hour + i, SOURCE_HOURS)] = 0;
    for (int32_t i = 0; i <= passed && i < SOURCE_DAYS; i++)
        source->pauses[ring_place(day + i, SOURCE_DAYS)] = 0; /* of this day, too: the leap ahead was none */
    source->newest_day = day;
    source->last_minute = minute;
}

/* --- telling --- */

static bool is_off(const struct kpi_task *task)
{
    return task->shared->settings->silence_after_ms == 0;
}

static struct view say(char text[TEXT_MAX], const struct kpi_task *task, const struct source_watch *source, enum alert_state told, int64_t silent_ms)
{
    char lasted[KPI_TEXT_SIZE];
    char words[ALERTING_WORDS_MAX];
    struct view dimension = alerting_words(source->dimension, words);
    kpi_text_duration(lasted, (double)silent_ms);
    if (told == ALERT_STATE_EXPIRED && is_off(task))
        snprintf(text, TEXT_MAX, "%.*s alerts no more: the settings have changed", VIEW_ARGUMENTS(dimension));
    else
        snprintf(text, TEXT_MAX, told == ALERT_STATE_OPEN ? "%.*s has sent nothing for %s" :
                 told == ALERT_STATE_RESOLVED ? "%.*s sends again: nothing came for %s" : "%.*s is taken for gone: nothing came for %s",
                 VIEW_ARGUMENTS(dimension), lasted);
    return view_of_text(text);
}

static struct view say_why(char text[TEXT_MAX], const struct kpi_task *task, const struct source_watch *source, int64_t at_ms)
{
    char pause[KPI_TEXT_SIZE];
    int missed = missed_minutes(task, source, at_ms);
    kpi_text_duration(pause, (double)longest_pause_ms(source));
    if (is_steady(task, source))
        snprintf(text, TEXT_MAX, "its longest pause of the last %d days was %s", SOURCE_DAYS, pause);
    else
        snprintf(text, TEXT_MAX, "in the same hours of each of the last %d weeks it sent in %d minutes at least", WEEKS, missed);
    return view_of_text(text);
}

static void tell(struct step *step, const struct source_watch *source, enum alert_state told, uint8_t level, int64_t silent_ms)
{
    char text[TEXT_MAX], why[TEXT_MAX];
    alerting_tell_of_data(step, &source->silence, ALERT_RULE_OF_SOURCES, source->dimension, told, level, say(text, step->task, source, told, silent_ms),
                            told == ALERT_STATE_OPEN ? say_why(why, step->task, source, step->clock_ms) : (struct view){NULL, 0});
}

/* Never the same alert again: each silence is one of its own. */
static void move(struct step *step, struct source_watch *source, uint8_t level, enum alert_state told, int64_t at_ms, int64_t silent_ms)
{
    uint8_t before = source->silence.level;
    if (alerting_move(step, &source->silence, level, at_ms, 0))
        tell(step, source, told, level ? level : before, silent_ms);
}

/* --- from record to record --- */

void source_watch_hear(struct step *step, struct source_watch *source, int32_t minute)
{
    int32_t newest = alerting_newest_minute(step);
    minute = minute < newest ? minute : newest;
    if (source->last_minute > newest)
        set_back(step->task, source, newest);
    if (minute <= source->last_minute)
        return;
    int64_t silent_ms = MINUTES((int64_t)minute) - last_ms(source);
    pass_hours(step->task, source, minute);
    note_pause(source, minute);
    source->last_minute = minute;
    move(step, source, 0, ALERT_STATE_RESOLVED, MINUTES((int64_t)minute), silent_ms);
}

static bool is_overdue(const struct kpi_task *task, const struct source_watch *source, int64_t clock_ms)
{
    return clock_ms >= overdue_at_ms(task, source) || missed_minutes(task, source, clock_ms) >= MINUTES_LEAST;
}

/* As long as it lasts it is no graver than it began. */
static uint8_t level_now(const struct kpi_task *task, const struct source_watch *source, int64_t clock_ms)
{
    if (source->silence.level)
        return source->silence.level == ALERT_HIGH && clock_ms - last_ms(source) < DATA_GRAVE_MS ? ALERT_HIGH : ALERT_LOW;
    return !is_overdue(task, source, clock_ms) ? 0 : is_steady(task, source) ? ALERT_HIGH : ALERT_LOW;
}

bool source_watch_look(struct step *step, struct source_watch *source)
{
    const struct kpi_task *task = step->task;
    int64_t silent_ms = step->clock_ms - last_ms(source);
    bool is_gone = silent_ms >= gone_after_ms || is_off(task);
    uint8_t level = is_gone ? 0 : level_now(task, source, step->clock_ms);
    move(step, source, level, level ? ALERT_STATE_OPEN : ALERT_STATE_EXPIRED, step->clock_ms, silent_ms);
    return silent_ms < forgotten_after_ms;
}

/* Once an hour, when one has gone by in which it should have spoken; and when it is overdue. */
int64_t source_watch_due_ms(const struct kpi_task *task, const struct source_watch *source, int64_t clock_ms)
{
    int64_t after_ms = clock_ms > last_ms(source) ? clock_ms : last_ms(source);
    int64_t due_ms = after_ms - LOOK_AFTER_MS;
    due_ms += HOURS(1) - (due_ms + time_zone_offset_ms(task->shared->zone, due_ms)) % HOURS(1) + LOOK_AFTER_MS;
    int64_t overdue_ms = source->silence.level ? INT64_MAX : overdue_at_ms(task, source);
    return overdue_ms > clock_ms && overdue_ms < due_ms ? overdue_ms : due_ms;
}

/* --- checkpoints --- */

void source_watch_save(const struct source_watch *source, struct bytes *out)
{
    const struct alert_life *silence = &source->silence;
    pack(out, source->last_minute);
    pack(out, source->newest_day);
    for (int i = 0; i < SOURCE_DAYS; i++)
        pack(out, source->pauses[i]);
    pack(out, (silence->level > 0) | silence->is_historical << 1 | (silence->level == ALERT_HIGH) << 2);
    pack(out, silence->revision);
    pack(out, silence->opened_at_ms);
    bytes_append(out, source->hours, sizeof source->hours);
}

bool source_watch_load(struct source_watch *source, struct view saved)
{
    struct alert_life *silence = &source->silence;
    struct unpacker in = {saved.data, saved.data + saved.size, false};
    source->last_minute = unpack_index_or(&in, INT32_MIN);
    source->newest_day = unpack_index_or(&in, INT32_MIN);
    for (int i = 0; i < SOURCE_DAYS; i++)
        source->pauses[i] = unpack_int32(&in);
    int64_t flags = unpack(&in);
    silence->level = !(flags & 1) ? 0 : flags >> 2 & 1 ? ALERT_HIGH : ALERT_LOW;
    silence->is_historical = flags >> 1 & 1;
    silence->revision = unpack_revision(&in);
    silence->opened_at_ms = unpack_instant(&in);
    if (in.is_broken || in.end - in.at != sizeof source->hours)
        return false;
    memcpy(source->hours, in.at, sizeof source->hours);
    return true;
}
