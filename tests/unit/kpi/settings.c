/* Targets as a user writes them, and what is said when they are wrong. */
#include "processors/kpi/kpi.h"
#include "tests/unit/cmocka_all.h"

static struct settings_node alert_windows;

static bool init_with(struct kpi_shared *shared, struct settings_node *nodes, size_t count, const char *zone, struct bytes *error)
{
    static struct kpi_settings settings;
    static struct settings_node targets;
    targets = (struct settings_node){.kind = SETTINGS_MAP, .children = nodes, .child_count = count};
    settings = (struct kpi_settings){.time_zone = (char *)(uintptr_t)zone, .targets = &targets, .trend_series = 10,
                                     .trend_false_alarms_per_month = 1, .alert_window = (char *)(uintptr_t)"1h", .alert_windows = &alert_windows};
    *shared = (struct kpi_shared){.settings = &settings};
    return kpi_shared_init(shared, error);
}

static struct settings_node scalar(const char *key, const char *value)
{
    return (struct settings_node){.kind = SETTINGS_SCALAR, .line = 7, .key = key, .scalar = value};
}

static void targets_go_over_the_shipped_ones(void **unused)
{
    (void)unused;
    struct kpi_shared shared;
    struct bytes error = {0};
    struct settings_node nodes[] = {scalar("csat", "4.6"), scalar("resolution_time", "24h"), scalar("survey_completion", "none"),
                                    scalar("nps", "-10")};
    assert_true(init_with(&shared, nodes, 4, "Europe/Berlin", &error));
    assert_true(shared.has_target[KPI_CSAT] && shared.targets[KPI_CSAT] == 4.6);
    assert_true(shared.targets[KPI_RESOLUTION_TIME] == 24 * 3600000.0);
    assert_false(shared.has_target[KPI_SURVEY_COMPLETION]);
    assert_true(shared.has_target[KPI_NPS] && shared.targets[KPI_NPS] == -10);
    assert_true(shared.targets[KPI_FIRST_RESPONSE_TIME] == 2 * 3600000.0); /* as shipped */
    assert_false(shared.has_target[KPI_CES]);
    kpi_shared_finish(&shared);
}

static void a_kpi_is_held_by_the_window_asked_for_or_the_next_that_it_has(void **unused)
{
    (void)unused;
    struct kpi_shared shared;
    struct bytes error = {0};
    struct settings_node nodes[] = {scalar("csat", "30d"), scalar("nps", "none"), scalar("survey_completion", "7d")};
    alert_windows = (struct settings_node){.kind = SETTINGS_MAP, .children = nodes, .child_count = 3};
    assert_true(init_with(&shared, NULL, 0, "UTC", &error));
    alert_windows.child_count = 0;
    assert_int_equal(shared.held[KPI_FCR], WINDOW_1H);
    assert_int_equal(shared.held[KPI_CES], WINDOW_24H);           /* has no hours */
    assert_int_equal(shared.held[KPI_REFERRAL_RATE], WINDOW_90D); /* has that alone */
    assert_int_equal(shared.held[KPI_CSAT], WINDOW_30D);
    assert_int_equal(shared.held[KPI_NPS], NO_WINDOW);
    assert_int_equal(shared.held[KPI_SURVEY_COMPLETION], WINDOW_7D);
    assert_int_equal(shared.held[KPI_REPEAT_PURCHASE_180D], WINDOW_30D); /* as shipped */
    assert_int_equal(shared.held[KPI_FIRST_RESPONSE_CALENDAR], NO_WINDOW);
    kpi_shared_finish(&shared);
}

static void a_window_that_a_kpi_does_not_have_is_named_with_its_line(void **unused)
{
    (void)unused;
    static const struct {
        const char *key, *value, *said;
    } cases[] = {
        {"csatt", "24h", "line 7: kpi.alerts.windows.csatt: there is no such setting; the nearest is 'csat'"},
        {"csat", "2h", "line 7: kpi.alerts.windows.csat: '2h' is no window that it has; write 5m, 1h, 24h, 7d, 30d, 90d, or none"},
        {"ces", "1h", "line 7: kpi.alerts.windows.ces: '1h' is no window that it has; write 24h, 7d, 30d, 90d, or none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct kpi_shared shared;
        struct bytes error = {0};
        struct settings_node node = scalar(cases[i].key, cases[i].value);
        alert_windows = (struct settings_node){.kind = SETTINGS_MAP, .children = &node, .child_count = 1};
        assert_false(init_with(&shared, NULL, 0, "UTC", &error));
        assert_string_equal(bytes_text(&error), cases[i].said);
        bytes_finish(&error);
        kpi_shared_finish(&shared);
    }
    alert_windows.child_count = 0;
}

static void a_wrong_setting_is_named_with_its_line(void **unused)
{
    (void)unused;
    static const struct {
        const char *key, *value, *zone, *said;
    } cases[] = {
        {"npss", "1", "UTC", "line 7: kpi.targets.npss: there is no such setting; the nearest is 'nps'"},
        {"csat", "high", "UTC", "line 7: kpi.targets.csat: not a number"},
        {"csat", "4.6 stars", "UTC", "line 7: kpi.targets.csat: not a number"},
        {"resolution_time", "soon", "UTC", "line 7: kpi.targets.resolution_time: not a duration; write it as \"2h\""},
        {"resolution_time", "48", "UTC", "line 7: kpi.targets.resolution_time: not a duration; write it as \"2h\""}, /* hours were meant; it would be ms */
        {"csat", "90", "UTC", "line 7: kpi.targets.csat: 90 is not on its scale, 1 to 5"},
        {"ces", "7.5", "UTC", "line 7: kpi.targets.ces: 7.5 is not on its scale, 1 to 7"},
        {"sentiment", "3", "UTC", "line 7: kpi.targets.sentiment: 3 is not on its scale, -1 to 1"},
        {"csat", "4", "Europe/Nowhere", "kpi.time_zone: no time zone Europe/Nowhere on this machine"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct kpi_shared shared;
        struct bytes error = {0};
        struct settings_node node = scalar(cases[i].key, cases[i].value);
        assert_false(init_with(&shared, &node, 1, cases[i].zone, &error));
        assert_memory_equal(bytes_text(&error), cases[i].said, strlen(cases[i].said));
        bytes_finish(&error);
        kpi_shared_finish(&shared);
    }
}

static void what_is_no_mapping_is_not_passed_over(void **unused)
{
    (void)unused;
    struct settings_node word = scalar(NULL, "csat"), list = {.kind = SETTINGS_LIST, .line = 7, .children = &word, .child_count = 1};
    struct settings_node wrong[] = {word, list};
    for (int i = 0; i < 2; i++) {
        struct bytes error = {0};
        struct kpi_settings settings = {.time_zone = (char[]){"UTC"}, .targets = &wrong[i]};
        struct kpi_shared shared = {.settings = &settings};
        assert_false(kpi_shared_init(&shared, &error));
        assert_string_equal(bytes_text(&error), "line 7: kpi.targets: is a mapping from KPIs to targets, as {csat: 4.6}");
        kpi_shared_finish(&shared);
        bytes_clear(&error);
        settings = (struct kpi_settings){.time_zone = (char[]){"UTC"}, .alert_windows = &wrong[i]};
        assert_false(kpi_shared_init(&shared, &error));
        assert_string_equal(bytes_text(&error), "line 7: kpi.alerts.windows: is a mapping from KPIs to windows, as {csat: 7d}");
        bytes_finish(&error);
        kpi_shared_finish(&shared);
    }
}

static void a_detector_is_made_for_its_kpi_and_pace(void **unused)
{
    (void)unused;
    struct kpi_shared shared;
    struct bytes error = {0};
    assert_true(init_with(&shared, NULL, 0, "UTC", &error));
    assert_true(shared.trends[KPI_REVIEW_COUNT][GRID_DAY].scale == TREND_ROOT && shared.trends[KPI_REVIEW_COUNT][GRID_DAY].resolution == TREND_DAY);
    assert_true(shared.trends[KPI_RESOLUTION_TIME][GRID_HOUR].scale == TREND_LOG && shared.trends[KPI_RESOLUTION_TIME][GRID_HOUR].resolution == TREND_HOUR);
    assert_true(shared.trends[KPI_NPS][GRID_MINUTE].most == 100 && shared.trends[KPI_NPS][GRID_MINUTE].resolution == TREND_MINUTE);
    kpi_shared_finish(&shared);
}

static void kinds_of_shifts_are_known(void **unused)
{
    (void)unused;
    char *names[] = {(char[]){"level"}, (char[]){"spike"}, (char[]){"variance"}};
    struct kpi_settings settings = {.time_zone = (char[]){"UTC"}, .trend_series = 10, .trend_false_alarms_per_month = 1, .shift_kinds = {names, 2}};
    struct kpi_shared shared = {.settings = &settings};
    struct bytes error = {0};
    assert_true(kpi_shared_init(&shared, &error));
    kpi_shared_finish(&shared);
    settings.shift_kinds.count = 3;
    shared = (struct kpi_shared){.settings = &settings};
    assert_false(kpi_shared_init(&shared, &error));
    assert_string_equal(bytes_text(&error), "trend.alerts.kinds: 'variance' is none of level, trend, spike");
    kpi_shared_finish(&shared);
    bytes_finish(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_go_over_the_shipped_ones),
        cmocka_unit_test(a_kpi_is_held_by_the_window_asked_for_or_the_next_that_it_has),
        cmocka_unit_test(a_window_that_a_kpi_does_not_have_is_named_with_its_line),
        cmocka_unit_test(what_is_no_mapping_is_not_passed_over),
        cmocka_unit_test(a_detector_is_made_for_its_kpi_and_pace),
        cmocka_unit_test(kinds_of_shifts_are_known),
        cmocka_unit_test(a_wrong_setting_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
