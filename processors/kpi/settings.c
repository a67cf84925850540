/* The settings of the kpi stage, and what follows from them once at start. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/time_text.h"
#include "processors/kpi/kpi.h"
#include "processors/kpi/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct setting kpi_setting_rows[] = {
    SETTING_TEXT(struct kpi_settings, time_zone, "kpi.time_zone", .standard_text = "UTC",
                 .about = "Whose calendar days the 90d window is made of: UTC, an offset as +05:30, or a name as Europe/Berlin."),
    SETTING_DURATION(struct kpi_settings, publish_interval_ms, "kpi.publish_interval", .standard = SECONDS(1), .least = 50,
                     .most = MINUTES(10), .about = "A changed series is published at most this often."),
    SETTING_INTEGER(struct kpi_settings, publish_rounds_behind, "kpi.publish_rounds_behind", .standard = 10, .least = 1, .most = 1000,
                    .about = "And while the journey stage is behind, each time it has sent its sums so often (every engine.summary_interval_behind)."),
    SETTING_DURATION(struct kpi_settings, lead_ms, "kpi.lead", .standard = MINUTES(1), .least = 0, .most = HOURS(1),
                     .about = "How far an event that is already here may run ahead of the slowest partition's clock and still be "
                              "shown at once."),
    SETTING_TREE(struct kpi_settings, targets, "kpi.targets",
                 .about = "Targets by KPI, over the shipped ones: `csat: 4.6`, `resolution_time: 24h`, `fcr: 0.8`; `none` takes one away."),
    SETTING_BOOLEAN(struct kpi_settings, trend_enabled, "trend.enabled", .standard = 1,
                    .about = "Look for shifts in closed minutes, hours and days."),
    SETTING_DECIMAL(struct kpi_settings, trend_false_alarms_per_month, "trend.false_alarms_per_month", .standard = 4,
                    .least = 0.001, .most = 100000,
                    .about = "How many shifts may be reported in a month in which nothing happens, all series together."),
    SETTING_DECIMAL(struct kpi_settings, trend_series, "trend.series", .standard = 500, .least = 1, .most = 1e7,
                    .about = "How many series share that budget; more series than this raise more false alarms."),
    SETTING_DURATION(struct kpi_settings, trend_news_ms, "trend.news", .standard = DAYS(30), .least = MINUTES(1),
                     .most = DAYS(731),
                     .about = "A shift that lies further back than this (in history just imported) is learnt from, not reported."),
    SETTING_DURATION(struct kpi_settings, trend_warm_up_ms, "trend.warm_up", .standard = MINUTES(2), .least = SECONDS(1),
                     .most = DAYS(30),
                     .about = "A series is watched from so long after its first record on, so that history being imported is complete then."),
    SETTING_CHOICE(struct kpi_settings, trend_dimensions, "trend.dimensions", .standard_text = "single",
                   .choices = "all|single|every",
                   .about = "Which series are watched: the dimension `all` alone, single dimensions too, or combinations as well."),
    SETTING_LIST(struct kpi_settings, shift_dimensions, "trend.alerts.dimensions", .standard_text = "all,channel",
                 .about = "Whose shifts alert when they are bad news: `all`, and sets of dimensions out of kpi.rollups that trend.dimensions watches; empty: nobody's."),
    SETTING_LIST(struct kpi_settings, shift_kinds, "trend.alerts.kinds", .standard_text = "level,trend",
                 .about = "Which of them: level, trend, spike (one odd minute, hour or day)."),
    SETTING_DECIMAL(struct kpi_settings, shift_least_confidence, "trend.alerts.least_confidence", .standard = 0.95, .least = 0, .most = 1,
                    .about = "A shift that is less certain alerts nobody; it stands in trend.shifts all the same."),
    SETTING_LIST(struct kpi_settings, alert_dimensions, "kpi.alerts.dimensions", .standard_text = "all,channel",
                 .about = "Whose KPIs alert when they miss their target: `all`, and sets of dimensions out of kpi.rollups; empty: nobody's."),
    SETTING_CHOICE(struct kpi_settings, alert_window, "kpi.alerts.window", .standard_text = "24h",
                   .choices = "5m|1h|24h|7d|30d|90d",
                   .about = "The window that is held to the target; of a KPI that does not have it, the next longer one."),
    SETTING_TREE(struct kpi_settings, alert_windows, "kpi.alerts.windows",
                 .about = "Other windows by KPI, over the shipped ones (docs/CASES.md): `csat: 7d`; `none`: its target raises no alert."),
    SETTING_INTEGER(struct kpi_settings, alert_least_n, "kpi.alerts.least_n", .standard = 30, .least = 2, .most = 1e9,
                    .about = "A window with fewer items opens no alert."),
    SETTING_DECIMAL(struct kpi_settings, alert_critical_from, "kpi.alerts.critical_from", .standard = 2, .least = 1, .most = 1000,
                    .about = "Critical from so many times as far from the best possible value as the target is: a CSAT of 4.0 for a "
                             "target of 4.5, 4 h for one of 2 h, 80 % for one of 90 %."),
    SETTING_DECIMAL(struct kpi_settings, burn_objective, "kpi.alerts.burn_objective", .standard = 0.9, .least = 0, .most = 0.9999,
                    .about = "Which share of promises is to be kept (sla_first_response, sla_resolution; kpi.targets overrides it): what is broken faster than the rest of it "
                             "allows alerts (docs/CASES.md). 0: nothing does."),
    SETTING_INTEGER(struct kpi_settings, burn_least_n, "kpi.alerts.burn_least_n", .standard = 10, .least = 1, .most = 1e9,
                    .about = "Of the longer window; with fewer promises decided in it nothing alerts."),
    SETTING_DURATION(struct kpi_settings, lag_after_ms, "data.lag_after", .standard = MINUTES(5), .least = 0, .most = DAYS(1),
                     .about = "Touchpoints that the journey stage reads so late, for two fifths of that time on end, alert: KPIs lack them. 0: never."),
    SETTING_DECIMAL(struct kpi_settings, rejected_share, "data.rejected_share", .standard = 0.05, .least = 0, .most = 1,
                    .about = "A source of which the collectors refuse this share of its records, and twenty at least, within a quarter of an hour, alerts. 0: never."),
    SETTING_DURATION(struct kpi_settings, silence_after_ms, "data.silence_after", .standard = MINUTES(15), .least = 0, .most = DAYS(7),
                     .about = "A source that sends day and night alerts when nothing of it has arrived for so long, and for four times its longest pause of the last "
                              "three days (docs/CASES.md). 0s: none does, nor one that keeps hours."),
    SETTING_END};

static bool is_duration(enum kpi_id id)
{
    return kpi_names[id].kind == KPI_KIND_DURATION;
}

static bool read_target(const struct settings_node *node, enum kpi_id id, double *target)
{
    if (is_duration(id)) {
        int64_t duration_ms;
        bool is_read = time_parse_duration(view_of_text(node->scalar), &duration_ms);
        *target = (double)duration_ms;
        return is_read && duration_ms >= SECONDS(1); /* «48» is hours to whoever wrote it, and milliseconds here */
    }
    char *end;
    *target = strtod(node->scalar, &end); /* the program never sets a locale, so the point is a point */
    return end != node->scalar && !*end && isfinite(*target);
}

/* A share of 80 is 80 % to whoever wrote it, and never reached. */
static bool is_on_scale(enum kpi_id id, double target, const char **scale)
{
    double least = -INFINITY, most = INFINITY;
    *scale = "";
    switch (kpi_names[id].kind) {
    case KPI_KIND_RATE:
    case KPI_KIND_CHURN:
    case KPI_KIND_SHARE:
        least = 0, most = 1, *scale = "0 to 1: write 80 % as 0.8";
        break;
    case KPI_KIND_UPLIFT:
        least = -1, most = 1, *scale = "-1 to 1: write 5 points as 0.05";
        break;
    case KPI_KIND_NPS:
        least = -100, most = 100, *scale = "-100 to 100";
        break;
    case KPI_KIND_MEAN:
        if (catalog_find(id)->most == 0)
            break;
        least = catalog_find(id)->least, most = catalog_find(id)->most;
        *scale = least < 0 ? "-1 to 1" : most == 5 ? "1 to 5" : "1 to 7";
        break;
    default:
        break;
    }
    return target >= least && target <= most;
}

static bool read_kpi(const struct settings_node *node, const char *where, enum kpi_id *id, struct bytes *error)
{
    if (node->key && kpi_from_name(view_of_text(node->key), id))
        return true;
    const char *known[KPI_COUNT_OF_ALL + 1] = {0};
    for (int i = 0; i < KPI_COUNT_OF_ALL; i++)
        known[i] = kpi_names[i].name;
    return settings_unknown_key(node, where, known, error);
}

/* A mapping, or nothing: what is passed over would be taken for settled. */
static bool is_mapping(const struct settings_node *node, const char *where, const char *remedy, struct bytes *error)
{
    if (node == NULL || node->kind == SETTINGS_MAP || (node->kind == SETTINGS_SCALAR && (!node->scalar || !node->scalar[0])))
        return true;
    bytes_printf(error, "line %d: %s: is a mapping from KPIs to %s", node->line, where, remedy);
    return false;
}

static bool take_target(struct kpi_shared *shared, const struct settings_node *node, struct bytes *error)
{
    enum kpi_id id;
    if (!read_kpi(node, "kpi.targets", &id, error))
        return false;
    if (node->kind == SETTINGS_SCALAR && node->scalar && strcmp(node->scalar, "none") == 0) {
        shared->has_target[id] = false;
        return true;
    }
    if (node->kind != SETTINGS_SCALAR || !node->scalar || !read_target(node, id, &shared->targets[id])) {
        bytes_printf(error, "line %d: kpi.targets.%s: not %s", node->line, node->key,
                     is_duration(id) ? "a duration; write it as \"2h\"" : "a number");
        return false;
    }
    const char *scale;
    if (!is_on_scale(id, shared->targets[id], &scale)) {
        bytes_printf(error, "line %d: kpi.targets.%s: %s is not on its scale, %s", node->line, node->key, node->scalar, scale);
        return false;
    }
    shared->has_target[id] = true;
    return true;
}

/* --- which window is held to the target --- */

static bool has_window(enum kpi_id id, int window)
{
    return catalog_find(id)->windows & 1u << window;
}

static int window_find(const char *name)
{
    int window = 0;
    while (window < WINDOW_COUNT && strcmp(windows[window].name, name) != 0)
        window++;
    return window;
}

/* The one asked for, else the next longer one. */
static uint8_t held_window(enum kpi_id id, int asked)
{
    int window = asked;
    if (catalog_find(id)->has_held)
        return catalog_find(id)->held;
    while (window < WINDOW_COUNT && !has_window(id, window))
        window++;
    return (uint8_t)window;
}

static bool take_held(struct kpi_shared *shared, const struct settings_node *node, struct bytes *error)
{
    enum kpi_id id;
    if (!read_kpi(node, "kpi.alerts.windows", &id, error))
        return false;
    const char *text = node->kind == SETTINGS_SCALAR && node->scalar ? node->scalar : "";
    int window = window_find(text);
    bool is_none = strcmp(text, "none") == 0;
    if (!is_none && (window == WINDOW_COUNT || !has_window(id, window))) {
        bytes_printf(error, "line %d: kpi.alerts.windows.%s: '%s' is no window that it has; write", node->line, node->key, text);
        for (int had = 0; had < WINDOW_COUNT; had++)
            if (has_window(id, had))
                bytes_printf(error, " %s,", windows[had].name);
        bytes_append_text(error, " or none");
        return false;
    }
    shared->held[id] = is_none ? NO_WINDOW : (uint8_t)window;
    return true;
}

static bool set_held(struct kpi_shared *shared, struct bytes *error)
{
    const struct kpi_settings *settings = shared->settings;
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++)
        shared->held[id] = held_window((enum kpi_id)id, window_find(settings->alert_window ? settings->alert_window : ""));
    if (!is_mapping(settings->alert_windows, "kpi.alerts.windows", "windows, as {csat: 7d}", error))
        return false;
    for (size_t i = 0; settings->alert_windows && i < settings->alert_windows->child_count; i++)
        if (!take_held(shared, &settings->alert_windows->children[i], error))
            return false;
    return true;
}

static bool are_shift_kinds(const struct text_list *names, struct bytes *error)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (strcmp(name, "level") == 0 || strcmp(name, "trend") == 0 || strcmp(name, "spike") == 0)
            continue;
        bytes_printf(error, "trend.alerts.kinds: '%s' is none of level, trend, spike", name);
        return false;
    }
    return true;
}

static void set_trends(struct kpi_shared *shared)
{
    /* Most of the budget where most decisions are made; minutes are many and soon forgotten. */
    static const double shares[GRID_COUNT] = {[GRID_MINUTE] = 0.2, [GRID_HOUR] = 0.4, [GRID_DAY] = 0.4};
    static const enum trend_resolution resolutions[GRID_COUNT] = {TREND_MINUTE, TREND_HOUR, TREND_DAY};
    const struct kpi_settings *settings = shared->settings;
    shared->trends = memory_zeroed(KPI_COUNT_OF_ALL, sizeof *shared->trends);
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++)
        for (int grid = 0; grid < GRID_COUNT; grid++) {
            shared->trends[id][grid] = (struct trend_config){
                .resolution = resolutions[grid],
                .seasonal = true,
                .zone = shared->zone,
                .false_alarms_per_point = trend_budget(settings->trend_false_alarms_per_month, shares[grid], settings->trend_series, resolutions[grid])};
            row_set_scale((enum kpi_id)id, &shared->trends[id][grid]);
        }
}

bool kpi_shared_init(struct kpi_shared *shared, struct bytes *error)
{
    char reason[256];
    shared->zone = time_zone_create(shared->settings->time_zone, reason, sizeof reason);
    if (!shared->zone) {
        bytes_printf(error, "kpi.time_zone: %s", reason);
        return false;
    }
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++) {
        shared->has_target[id] = catalog_find((enum kpi_id)id)->has_target;
        shared->targets[id] = catalog_find((enum kpi_id)id)->target;
    }
    const struct settings_node *targets = shared->settings->targets;
    if (!is_mapping(targets, "kpi.targets", "targets, as {csat: 4.6}", error))
        return false;
    for (size_t i = 0; targets && i < targets->child_count; i++)
        if (!take_target(shared, &targets->children[i], error))
            return false;
    if (!set_held(shared, error) || !are_shift_kinds(&shared->settings->shift_kinds, error))
        return false;
    set_trends(shared);
    return true;
}

void kpi_shared_finish(struct kpi_shared *shared)
{
    time_zone_destroy(shared->zone);
    free(shared->trends);
}
