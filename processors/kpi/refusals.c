/* Too many are twenty within a quarter of an hour and data.rejected_share of what came: opens, for a day as a WARNING (alerting.h). Over when it is less than half of that share, or when
 * nothing more is told. Collectors tell what they took as long as they refused something within the last quarter of an hour, and say then what
 * they took in the minutes before: a share is one of all that came.
 *
 * Minutes are those in which records arrived, by the collectors' clock. In silence the event clock says when they are past. */
#include "processors/kpi/refusals.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/ring.h"
#include "processors/kpi/alerting.h"
#include "processors/kpi/packed.h"
#include "schemas/alert_rules.h"

#include <stdio.h>
#include <stdlib.h>

enum { REFUSED_LEAST = 20, TEXT_MAX = 600 };
static const int64_t again_ms = HOURS(1);

struct refusals *refusals_create(struct view key)
{
    struct refusals *refusals = memory_zeroed(1, sizeof *refusals);
    refusals->dimension = alerting_source_of(key, KPI_REFUSED_KEY);
    refusals->newest = INT32_MIN;
    return refusals;
}

void refusals_destroy(struct refusals *refusals)
{
    free((char *)refusals->dimension.data);
    free(refusals);
}

/* --- counting --- */

/* The one of a minute that is none too old, after `newest` has been moved on to it. */
static struct verdicts *verdicts_at(struct refusals *refusals, int32_t minute)
{
    int64_t passed = refusals->newest == INT32_MIN ? REFUSALS_MINUTES : (int64_t)minute - refusals->newest;
    for (int64_t i = 0; i < passed && i < REFUSALS_MINUTES; i++)
        refusals->minutes[ring_place(minute - i, REFUSALS_MINUTES)] = (struct verdicts){0, 0};
    refusals->newest = passed > 0 ? minute : refusals->newest;
    return &refusals->minutes[ring_place(minute, REFUSALS_MINUTES)];
}

/* Within the quarter of an hour that ends with this minute. */
static struct verdicts sum_until(const struct refusals *refusals, int64_t minute)
{
    struct verdicts sum = {0, 0};
    for (int64_t i = minute > refusals->newest ? minute - refusals->newest : 0; i < REFUSALS_MINUTES; i++) {
        const struct verdicts *one = &refusals->minutes[ring_place(minute - i, REFUSALS_MINUTES)];
        sum.taken += one->taken;
        sum.refused += one->refused;
    }
    return sum;
}

/* As long as it lasts it takes half as much. */
static bool are_too_many(const struct kpi_task *task, const struct refusals *refusals, const struct verdicts *sum)
{
    double limit = task->shared->settings->rejected_share, share = sum->refused > 0 ? (double)sum->refused / (double)(sum->refused + sum->taken) : 0;
    if (limit <= 0 || sum->refused == 0)
        return false;
    return refusals->life.level ? share >= limit / 2 : sum->refused >= REFUSED_LEAST && share >= limit;
}

/* --- telling --- */

static struct view say(char text[TEXT_MAX], const struct refusals *refusals, enum alert_state told, const struct verdicts *sum)
{
    char words[ALERTING_WORDS_MAX];
    struct view dimension = alerting_words(refusals->dimension, words);
    long long refused = sum->refused, all = sum->refused + sum->taken;
    if (told == ALERT_STATE_OPEN)
        snprintf(text, TEXT_MAX, "%.*s: %lld of %lld records refused within %d min", VIEW_ARGUMENTS(dimension), refused, all, REFUSALS_MINUTES);
    else if (told == ALERT_STATE_EXPIRED)
        snprintf(text, TEXT_MAX, "%.*s alerts no more: the settings have changed", VIEW_ARGUMENTS(dimension));
    else if (all > 0)
        snprintf(text, TEXT_MAX, "%.*s is taken again: %lld of %lld records refused within %d min", VIEW_ARGUMENTS(dimension), refused, all, REFUSALS_MINUTES);
    else
        snprintf(text, TEXT_MAX, "%.*s: nothing was refused for %d min", VIEW_ARGUMENTS(dimension), REFUSALS_MINUTES);
    return view_of_text(text);
}

static void tell(struct step *step, const struct refusals *refusals, enum alert_state told, uint8_t level, const struct verdicts *sum)
{
    char text[TEXT_MAX], why[TEXT_MAX];
    snprintf(why, sizeof why, "the last one as %s: touchpoints.rejected holds them, with reasons", refusals->code);
    alerting_tell_of_data(step, &refusals->life, ALERT_RULE_OF_REFUSALS, refusals->dimension, told, level, say(text, refusals, told, sum),
                            told == ALERT_STATE_OPEN ? view_of_text(why) : (struct view){NULL, 0});
}

static void judge(struct step *step, struct refusals *refusals, int64_t minute)
{
    struct alert_life *life = &refusals->life;
    struct verdicts sum = sum_until(refusals, minute);
    int64_t at_ms = MINUTES(minute);
    uint8_t before = life->level, level = are_too_many(step->task, refusals, &sum) ? alerting_level_of_data(life, at_ms, again_ms) : 0;
    bool is_off = ((const struct kpi_task *)step->task)->shared->settings->rejected_share <= 0;
    if (alerting_move(step, life, level, at_ms, again_ms))
        tell(step, refusals, level ? ALERT_STATE_OPEN : is_off ? ALERT_STATE_EXPIRED : ALERT_STATE_RESOLVED, level ? level : before, &sum);
}

/* --- from record to record --- */

void refusals_hear(struct step *step, struct refusals *refusals, const struct kpi_delta *told)
{
    int32_t newest = alerting_newest_minute(step);
    if (refusals->newest > newest) /* what was counted in minutes that were not to come yet is of none */
        refusals->newest = INT32_MIN;
    for (size_t i = 0; i < told->buckets.count; i++) {
        const struct kpi_delta_bucket *bucket = &told->buckets.items[i];
        int32_t minute = bucket->minute < newest ? (int32_t)bucket->minute : newest;
        if (refusals->newest != INT32_MIN && minute <= refusals->newest - REFUSALS_MINUTES)
            continue;
        struct verdicts *verdicts = verdicts_at(refusals, minute);
        verdicts->taken += bucket->n > 0 ? bucket->n : 0;
        verdicts->refused += bucket->num > 0 ? bucket->num : 0;
        if (bucket->num > 0)
            snprintf(refusals->code, sizeof refusals->code, "%.*s", VIEW_ARGUMENTS(told->kpi));
    }
    if (refusals->newest != INT32_MIN)
        judge(step, refusals, refusals->newest);
}

static int64_t minute_of(const struct refusals *refusals, int64_t clock_ms)
{
    int64_t minute = clock_ms / MINUTES(1);
    return minute > refusals->newest ? minute : refusals->newest;
}

/* All minutes are past, and an alert that begins would be another one. */
static int64_t forgotten_at_ms(const struct refusals *refusals)
{
    int64_t past_ms = MINUTES((int64_t)refusals->newest + REFUSALS_MINUTES), over_ms = refusals->life.revision ? refusals->life.changed_at_ms + again_ms : 0;
    return past_ms > over_ms ? past_ms : over_ms;
}

bool refusals_look(struct step *step, struct refusals *refusals)
{
    judge(step, refusals, minute_of(refusals, step->clock_ms));
    return refusals->life.level || step->clock_ms < forgotten_at_ms(refusals);
}

int64_t refusals_due_ms(const struct refusals *refusals, int64_t clock_ms)
{
    return refusals->life.level ? MINUTES(minute_of(refusals, clock_ms) + 1) : forgotten_at_ms(refusals);
}

/* --- checkpoints --- */

void refusals_save(const struct refusals *refusals, struct bytes *out)
{
    pack(out, refusals->newest);
    for (int i = 0; i < REFUSALS_MINUTES; i++) {
        pack(out, refusals->minutes[i].taken);
        pack(out, refusals->minutes[i].refused);
    }
    pack_view(out, view_of_text(refusals->code));
    alerting_save(&refusals->life, false, out);
}

bool refusals_load(struct refusals *refusals, struct view saved)
{
    struct unpacker in = {saved.data, saved.data + saved.size, false};
    refusals->newest = unpack_index_or(&in, INT32_MIN);
    for (int i = 0; i < REFUSALS_MINUTES; i++) {
        refusals->minutes[i].taken = unpack_sum(&in);
        refusals->minutes[i].refused = unpack_sum(&in);
    }
    struct view code = unpack_view(&in);
    snprintf(refusals->code, sizeof refusals->code, "%.*s", VIEW_ARGUMENTS(code));
    alerting_load(&refusals->life, false, &in);
    return !in.is_broken;
}
