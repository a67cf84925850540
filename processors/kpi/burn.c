/* Promises broken faster than can go on: the error budget of an objective, and two windows that must agree (Google, The Site Reliability
 * Workbook, «Alerting on SLOs»).
 *
 *     nothing ──past the line in 24h and 1h──▶ slow ──past a steeper one in 1h and 5m──▶ fast
 *        ▲                                      │                                         │
 *        └────the short window is behind it─────┴─────────────────────────────────────────┘
 *
 * An objective of 99 % has a budget: one promise in a hundred may be broken. At a burn rate of 1 it lasts a month; at 14.4 an hour takes a fiftieth
 * of it, at 3 a day takes a tenth. The long window proves that it is no accident (its whole interval is past the line, of so
 * many at least), the short one that it goes on, which is why the alert ends soon after the trouble does.
 *
 * Written for machines that keep 99.9 %; of an objective of 90 % nothing burns 14.4 times the budget. So a line is at most where half of all
 * promises are broken (fast), or a third (slow): 5 times, and 3.
 *
 * Looked at whenever a window of the series is published, as targets are (threshold.c); what stands here is part of the checkpoint. */
#include "base/clock.h"
#include "processors/kpi/alerting.h"
#include "processors/kpi/evaluate.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_text.h"

#include <math.h>
#include <stdio.h>

enum { SLOW = ALERT_LOW, FAST = ALERT_HIGH, LEVELS, ENOUGH_TO_END = 5, TEXT_MAX = 600 };
enum { AGAIN_MS = DAYS(1) }; /* within a day of its end it is the same trouble */

/* One level's two windows, its burn rate, and the share of broken promises beyond which no line is put. */
static const struct pace {
    uint8_t long_window, short_window;
    double rate, share_most;
} paces[LEVELS] = {[SLOW] = {WINDOW_24H, WINDOW_1H, 3, 1.0 / 3}, [FAST] = {WINDOW_1H, WINDOW_5M, 14.4, 0.5}};

/* --- whose promises --- */

static double objective_of(const struct kpi_shared *shared, enum kpi_id kpi)
{
    return shared->has_target[kpi] ? shared->targets[kpi] : shared->settings->burn_objective;
}

static bool is_promise(enum kpi_id kpi)
{
    return kpi == KPI_SLA_FIRST_RESPONSE || kpi == KPI_SLA_RESOLUTION;
}

static bool is_wanted(const struct kpi_shared *shared, const struct series_state *state)
{
    return shared->settings->burn_objective > 0 && objective_of(shared, state->series.kpi) < 1 &&
           alerting_is_about(state, &shared->settings->alert_dimensions);
}

/* --- how fast --- */

static const struct kpi_sums *window_sums(const struct series_state *state, uint8_t window)
{
    for (int i = 0; i < state->series.window_count; i++)
        if (state->series.window_ids[i] == window)
            return &state->series.windows[i].now;
    return NULL; /* these KPIs have all three */
}

static double broken_share(const struct kpi_sums *sums)
{
    return sums->n > 0 ? (double)(sums->n - sums->num) / (double)sums->n : 0;
}

static double line_of(uint8_t level, double objective)
{
    return fmin(paces[level].rate * (1 - objective), paces[level].share_most);
}

/* Begun by proof, and going on; then it lasts until the short window has enough that were kept, or the long one is under the line, too. */
static bool burns(const struct series_state *state, uint8_t level, double objective, int64_t least_n)
{
    const struct kpi_sums *in_long = window_sums(state, paces[level].long_window), *in_short = window_sums(state, paces[level].short_window);
    double line = line_of(level, objective);
    if (state->burn.level >= level)
        return broken_share(in_long) > line && (in_short->n < ENOUGH_TO_END || broken_share(in_short) > line);
    struct interval interval = interval_of_rate(in_long->n - in_long->num, in_long->n);
    return in_long->n >= least_n && interval.exists && interval.low > line && broken_share(in_short) > line;
}

/* --- telling --- */

static struct view say(char text[TEXT_MAX], const struct series_state *state, uint8_t level, double objective, enum alert_state told)
{
    char broken[KPI_TEXT_SIZE], kept[KPI_TEXT_SIZE];
    char words[ALERTING_WORDS_MAX];
    struct view dimension = alerting_words(state->dimension, words);
    const char *window = windows[paces[level].long_window].name;
    double share = broken_share(window_sums(state, paces[level].long_window));
    kpi_text_value(broken, KPI_KIND_RATE, share);
    kpi_text_value(kept, KPI_KIND_RATE, objective);
    int size = snprintf(text, TEXT_MAX, "%s over %s, %.*s, ", kpi_names[state->series.kpi].name, window, VIEW_ARGUMENTS(dimension));
    char *rest = text + size;
    size_t room = TEXT_MAX - (size_t)size;
    if (told == ALERT_STATE_OPEN)
        snprintf(rest, room, "burns its error budget %.1f times too fast: %s of promises were broken where %s are to be kept", share / (1 - objective), broken, kept);
    else if (told == ALERT_STATE_EXPIRED)
        snprintf(rest, room, "is not watched for its error budget any more: the settings have changed");
    else
        snprintf(rest, room, "burns its error budget no longer: %s of promises were broken", broken);
    return view_of_text(text);
}

static struct view say_why(char text[TEXT_MAX], const struct series_state *state, uint8_t level, double objective)
{
    const struct kpi_sums *in_long = window_sums(state, paces[level].long_window), *in_short = window_sums(state, paces[level].short_window);
    char line[KPI_TEXT_SIZE];
    kpi_text_value(line, KPI_KIND_RATE, line_of(level, objective));
    snprintf(text, TEXT_MAX, "broken: %lld of %lld in %s, %lld of %lld in %s; the line is %s", (long long)(in_long->n - in_long->num), (long long)in_long->n,
             windows[paces[level].long_window].name, (long long)(in_short->n - in_short->num), (long long)in_short->n,
             windows[paces[level].short_window].name, line);
    return view_of_text(text);
}

/* 0 at the line where it begins, 100 when nothing is kept. */
static double score_of(const struct series_state *state, uint8_t level, double objective)
{
    double line = line_of(level, objective), share = broken_share(window_sums(state, paces[level].long_window));
    return share <= line ? 0 : 100 * (share - line) / (1 - line);
}

static void tell(struct step *step, const struct series_state *state, enum alert_state told, uint8_t level)
{
    struct kpi_task *task = step->task;
    double objective = objective_of(task->shared, state->series.kpi);
    char text[TEXT_MAX], why[TEXT_MAX];
    bytes_clear(&task->scratch);
    bytes_printf(&task->scratch, "%s %lld", state->key, (long long)state->burn.opened_at_ms);
    struct alert alert = {.rule = VIEW_LITERAL(ALERT_RULE_OF_BURN),
                          .kind = ALERT_KIND_SLA_BURN,
                          .severity = alerting_severity(state, level),
                          .state = told,
                          .kpi = view_of_text(kpi_names[state->series.kpi].name),
                          .dimension = state->dimension,
                          .score = score_of(state, level, objective),
                          .text = say(text, state, level, objective, told)};
    alerting_tell(step, &state->burn, bytes_view(&task->scratch), &alert, say_why(why, state, level, objective));
}

/* --- at each publication --- */

static uint8_t level_now(const struct kpi_task *task, const struct series_state *state)
{
    double objective = objective_of(task->shared, state->series.kpi);
    for (uint8_t level = FAST; level >= SLOW; level--)
        if (burns(state, level, objective, task->shared->settings->burn_least_n))
            return level;
    return 0;
}

void burn_review(struct step *step, struct series_state *state)
{
    struct kpi_task *task = step->task;
    if (!is_promise(state->series.kpi))
        return;
    bool is_asked_for = is_wanted(task->shared, state);
    uint8_t before = state->burn.level, level = is_asked_for ? level_now(task, state) : 0;
    if (!alerting_move(step, &state->burn, level, state->series.at_ms, AGAIN_MS))
        return;
    tell(step, state, level ? ALERT_STATE_OPEN : is_asked_for ? ALERT_STATE_RESOLVED : ALERT_STATE_EXPIRED, level ? level : before);
}
