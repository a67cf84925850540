/* A KPI held to its target: one alert while it misses it, however often it is published.
 *
 *     nothing ──whole interval misses──▶ missed ──whole interval past the critical line──▶ critical
 *        ▲                                │  ▲                                               │
 *        └──value meets the target────────┘  └──value is back behind the critical line───────┘
 *
 * To begin takes proof, to end a value that is good enough; between the two lies half an interval, so that noise alone neither
 * opens nor ends anything. Counts, sums and gauges are exact: they end only when a twentieth better than the target.
 *
 * Looked at is what is published, when it is published: the same log makes the same alerts. What stands here is part of
 * the series' checkpoint and changes with it, so a crash makes none a second time. A window with something in it is published
 * every two of its buckets, an emptied one once more as empty: alerts end in silence, too.
 *
 * Of a rate, what can still change is taken to turn out well: an answer that may still come is no miss. While history is read the windows
 * lie in the past: what they say is recorded (`historical`), and told as news only if it is still so when time has caught up. */
#include "processors/kpi/alerting.h"
#include "processors/kpi/evaluate.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_text.h"

#include <math.h>
#include <stdio.h>

enum { MISSED = ALERT_LOW, CRITICAL = ALERT_HIGH };

/* --- which window --- */

static uint8_t wanted_window(const struct kpi_shared *shared, const struct series_state *state, enum kpi_id face)
{
    bool is_held = shared->has_target[face] && catalog_find(face)->better != BETTER_NEITHER &&
                   alerting_is_about(state, &shared->settings->alert_dimensions);
    return is_held ? shared->held[face] : NO_WINDOW;
}

void threshold_init(struct series_state *state, const struct kpi_task *task)
{
    enum kpi_id faces[FACES_MAX];
    for (size_t k = 0, count = faces_of(state, faces); k < count; k++) {
        struct alert_life *threshold = &state->thresholds[k];
        uint8_t wanted = wanted_window(task->shared, state, faces[k]);
        threshold->is_dropped = threshold->level && threshold->window != wanted;
        if (threshold->is_dropped || threshold->window == wanted)
            continue;
        threshold->window = wanted;
        threshold->revision = 0;
    }
}

/* --- how it stands --- */

/* A value and where it may lie; turned round where less is better, so that below a line is always bad. */
struct reading {
    bool is_judged; /* there is enough of it to say that it misses something */
    double value, high;
    double margin;  /* so much better than a line it has to be to be over it again */
};

static bool is_exact(enum kpi_kind kind)
{
    return kind == KPI_KIND_COUNT || kind == KPI_KIND_SUM || kind == KPI_KIND_GAUGE || kind == KPI_KIND_DISTINCT;
}

/* More is wanted of a count that grows with the window: a series younger than it has not had the time. */
static bool has_had_time(const struct series_state *state, int i)
{
    const struct window *window = &windows[state->series.window_ids[i]];
    const struct level *days = &state->series.levels[GRID_DAY];
    return days->count > 0 && grid_start_ms(state->series.zone, GRID_DAY, level_when(days, 0) + 1) + window->length_ms <= state->series.at_ms;
}

/* As if all that is open turned out well. Where it stands so already, as it always does where less is better, the value says it. */
static void hope(const struct kpi_sums *now, enum kpi_id face, struct reading *reading)
{
    bool stands_well = catalog_find(face)->better != BETTER_HIGHER || catalog_find(face)->open_is_good;
    if (now->immature <= 0 || now->n <= 0 || stands_well)
        return;
    int64_t hits = now->num + now->immature < now->n ? now->num + now->immature : now->n;
    reading->value = (double)hits / (double)now->n;
    reading->high = interval_of_rate(hits, now->n).high;
}

static struct reading read_out(const struct series_state *state, enum kpi_id face, int i, const struct kpi *out, int64_t least_n)
{
    enum kpi_kind kind = kpi_names[face].kind;
    bool is_higher = catalog_find(face)->better == BETTER_HIGHER;
    double sign = is_higher ? 1 : -1;
    struct reading reading = {.value = sign * out->value, .high = sign * out->value};
    if (is_exact(kind)) {
        reading.is_judged = !is_higher || kind == KPI_KIND_GAUGE || has_had_time(state, i);
        reading.margin = fabs(out->target) / 20;
        return reading;
    }
    reading.is_judged = out->has_low && out->has_high && out->n >= least_n;
    reading.high = is_higher ? out->high : -out->low;
    if (kind == KPI_KIND_RATE)
        hope(&state->series.windows[i].now, face, &reading);
    return reading;
}

static double best_of(enum kpi_id face, double target)
{
    if (catalog_find(face)->better == BETTER_LOWER)
        return 0;
    if (kpi_names[face].kind == KPI_KIND_NPS)
        return 100;
    if (kpi_names[face].kind == KPI_KIND_MEAN && catalog_find(face)->most > 0)
        return catalog_find(face)->most;
    bool has_end = !is_exact(kpi_names[face].kind) && kpi_names[face].kind != KPI_KIND_MEAN && kpi_names[face].kind != KPI_KIND_DURATION;
    return has_end ? 1 : target * 1.5; /* what has no end: half as much again */
}

/* The line of a level, turned round as a reading is. Where the target is the best there is, a twentieth less is far off. */
static double line_of(uint8_t level, enum kpi_id face, double target, double critical_from)
{
    double sign = catalog_find(face)->better == BETTER_HIGHER ? 1 : -1, best = best_of(face, target);
    double room = fmax(fabs(best - target), fabs(best) / 20);
    return level == CRITICAL ? sign * best - critical_from * room : sign * target;
}

static uint8_t level_now(uint8_t before, const struct reading *reading, enum kpi_id face, const struct kpi *out, double critical_from)
{
    for (uint8_t level = CRITICAL; level >= MISSED; level--) {
        double line = line_of(level, face, out->target, critical_from);
        bool is_past = reading->is_judged && reading->high < line;
        bool stays = before >= level && reading->value < line + reading->margin;
        if (is_past || stays)
            return level;
    }
    return 0;
}

/* --- telling --- */

enum { TEXT_MAX = 600 };

/* By what is decided so far. */
static bool meets_target(enum kpi_id face, const struct kpi *out)
{
    return catalog_find(face)->better == BETTER_HIGHER ? out->value >= out->target : out->value <= out->target;
}

static struct view say(char text[TEXT_MAX], const struct series_state *state, const struct alert_life *threshold, enum kpi_id face,
                       const struct kpi *out, enum alert_state told)
{
    enum kpi_kind kind = kpi_names[face].kind;
    char value[KPI_TEXT_SIZE], target[KPI_TEXT_SIZE];
    kpi_text_value(value, kind, out->value);
    kpi_text_value(target, kind, out->target);
    char words[ALERTING_WORDS_MAX];
    struct view dimension = alerting_words(state->dimension, words);
    int size = snprintf(text, TEXT_MAX, "%s over %s, %.*s, ", kpi_names[face].name, windows[threshold->window].name,
                        VIEW_ARGUMENTS(dimension));
    char *rest = text + size;
    size_t room = TEXT_MAX - (size_t)size;
    if (told == ALERT_STATE_EXPIRED)
        snprintf(rest, room, "is not held to its target any more: %s", threshold->is_dropped ? "the settings have changed" : "nothing counts for it");
    else if (told == ALERT_STATE_RESOLVED && meets_target(face, out))
        snprintf(rest, room, "is back on its target of %s: %s", target, value);
    else if (told == ALERT_STATE_RESOLVED)
        snprintf(rest, room, "can reach its target of %s again: %s so far", target, value);
    else
        snprintf(rest, room, "misses its target of %s: %s", target, value);
    return view_of(text, strlen(text));
}

static struct view say_why(char text[TEXT_MAX], enum kpi_id face, const struct kpi *out)
{
    enum kpi_kind kind = kpi_names[face].kind;
    char low[KPI_TEXT_SIZE], high[KPI_TEXT_SIZE];
    int size = snprintf(text, TEXT_MAX, "n %lld", (long long)out->n);
    if (out->has_low && out->has_high) {
        kpi_text_value(low, kind, out->low);
        kpi_text_value(high, kind, out->high);
        size += snprintf(text + size, TEXT_MAX - (size_t)size, ", 95 %% interval %s to %s", low, high);
    }
    if (out->maturity < 1)
        snprintf(text + size, TEXT_MAX - (size_t)size, ", %.0f %% of it can still change", 100 * (1 - out->maturity));
    return view_of(text, strlen(text));
}

/* 0 at the target, 100 at the critical line and beyond. */
static double score_of(enum kpi_id face, const struct kpi *out, double critical_from)
{
    double sign = catalog_find(face)->better == BETTER_HIGHER ? 1 : -1;
    double target = line_of(MISSED, face, out->target, critical_from);
    double span = target - line_of(CRITICAL, face, out->target, critical_from), missed = target - sign * out->value;
    return !out->has_value || missed <= 0 ? 0 : missed >= span ? 100 : 100 * missed / span;
}

static void tell(struct step *step, const struct series_state *state, const struct alert_life *threshold, enum kpi_id face, const struct kpi *out,
                 enum alert_state told, uint8_t level)
{
    struct kpi_task *task = step->task;
    char text[TEXT_MAX], why[TEXT_MAX];
    bytes_clear(&task->scratch); /* much later it is another alert */
    bytes_printf(&task->scratch, "%s|%s|%.*s %lld", kpi_names[face].name, windows[threshold->window].name, VIEW_ARGUMENTS(state->dimension),
                 (long long)threshold->opened_at_ms);
    struct alert alert = {.rule = VIEW_LITERAL(ALERT_RULE_OF_TARGETS),
                          .kind = ALERT_KIND_KPI_THRESHOLD,
                          .severity = alerting_severity(state, level),
                          .state = told,
                          .kpi = view_of_text(kpi_names[face].name),
                          .dimension = state->dimension,
                          .score = score_of(face, out, task->shared->settings->alert_critical_from),
                          .text = say(text, state, threshold, face, out, told)};
    alerting_tell(step, threshold, bytes_view(&task->scratch), &alert, say_why(why, face, out));
}

/* --- at each publication --- */

void threshold_review(struct step *step, struct series_state *state, size_t number, int i, const struct kpi *out)
{
    struct kpi_task *task = step->task;
    const struct kpi_settings *settings = task->shared->settings;
    struct alert_life *threshold = &state->thresholds[number];
    enum kpi_id faces[FACES_MAX];
    faces_of(state, faces);
    enum kpi_id face = faces[number];
    bool is_held = out->has_value && !threshold->is_dropped;
    uint8_t level = 0, before = threshold->level;
    if (is_held) {
        struct reading reading = read_out(state, face, i, out, settings->alert_least_n);
        level = level_now(before, &reading, face, out, settings->alert_critical_from);
    }
    int64_t again_ms = windows[threshold->window].length_ms; /* within its window it is the same trouble */
    if (!alerting_move(step, threshold, level, state->series.at_ms, again_ms))
        return;
    tell(step, state, threshold, face, out, level ? ALERT_STATE_OPEN : is_held ? ALERT_STATE_RESOLVED : ALERT_STATE_EXPIRED, level ? level : before);
    if (!level && threshold->is_dropped)
        threshold_init(state, task);
}
