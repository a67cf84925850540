/* What nobody is told of for a while, and what is told all the same. */
#include "sinks/notify/silences.h"

#include "base/clock.h"
#include "sinks/notify/waiting.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct settings_file *load(const char *yaml, struct notify_settings *settings)
{
    char path[] = "/tmp/touchstream-silences-XXXXXX";
    int file = mkstemp(path);
    struct bytes error = {0};
    static struct settings_section section;
    section = (struct settings_section){notify_setting_rows, settings};
    assert_int_equal(write(file, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
    close(file);
    struct settings_file *loaded = settings_load(path, &section, 1, &error);
    unlink(path);
    if (!loaded)
        fail_msg("%s", bytes_text(&error));
    return loaded;
}

#define HEAD "notify:\n  silences:\n    - author: Ada\n      reason: the warehouse moves\n"

static const int64_t noon_ms = INT64_C(1793534400000); /* 2026-11-01T12:00:00Z */

static struct alert alert_of(const char *customer, enum alert_state state, int32_t revision, int64_t at_ms)
{
    return (struct alert){.alert_id = view_of_text(customer), .revision = revision, .rule = VIEW_LITERAL("case"), .customer_id = view_of_text(customer), .state = state,
                          .severity = SEVERITY_CRITICAL, .changed_at_ms = at_ms};
}

static bool silences_cover(const struct silences *silences, const struct alert *alert)
{
    return silences_end_ms(silences, silences_about(silences, alert), alert->changed_at_ms) != alert->changed_at_ms;
}

static void a_silence_covers_what_changes_while_it_runs_and_each_of_its_lists_has(void **unused)
{
    (void)unused;
    struct notify_settings settings;
    struct silences silences;
    struct bytes error = {0};
    struct settings_file *file = load(HEAD "      from: 2026-11-01T12:00:00Z\n      until: 2026-11-01T13:00:00Z\n"
                                           "      kpis: [csat, nps]\n      dimensions: [all, product=kettle]\n",
                                      &settings);
    if (!silences_read(settings.silences, &silences, &error))
        fail_msg("%s", bytes_text(&error));
    struct alert alert = {.rule = VIEW_LITERAL("kpi.target"), .kpi = VIEW_LITERAL("nps"), .dimension = VIEW_LITERAL("product=kettle"), .changed_at_ms = noon_ms};
    assert_true(silences_cover(&silences, &alert));
    alert.changed_at_ms = noon_ms - 1;
    assert_false(silences_cover(&silences, &alert));
    alert.changed_at_ms = noon_ms + HOURS(1);
    assert_false(silences_cover(&silences, &alert));
    alert.changed_at_ms = noon_ms;
    alert.dimension = VIEW_LITERAL("product=pot");
    assert_false(silences_cover(&silences, &alert));
    alert.dimension = VIEW_LITERAL("all");
    alert.kpi = (struct view){NULL, 0};
    assert_false(silences_cover(&silences, &alert));
    assert_false(silences_cover(NULL, &alert));
    settings_destroy(file);
}

/* A product called «a=b,c», as it stands in the catalogue and as it does in keys. */
static void a_dimension_is_meant_however_it_is_encoded(void **unused)
{
    (void)unused;
    static const char *const written[] = {"product=a=b,c", "product=a%3Db%2Cc"};
    for (int i = 0; i < 2; i++) {
        struct notify_settings settings;
        struct silences silences;
        struct bytes error = {0}, yaml = {0};
        bytes_printf(&yaml, "%s      until: 2026-11-01T13:00:00Z\n      dimensions: ['%s']\n", HEAD, written[i]);
        struct settings_file *file = load(bytes_text(&yaml), &settings);
        if (!silences_read(settings.silences, &silences, &error))
            fail_msg("%s", bytes_text(&error));
        struct alert alert = {.rule = VIEW_LITERAL("kpi.target"), .dimension = VIEW_LITERAL("product=a%3Db%2Cc"), .changed_at_ms = noon_ms};
        assert_true(silences_cover(&silences, &alert));
        alert.dimension = VIEW_LITERAL("product=a%3Db");
        assert_false(silences_cover(&silences, &alert));
        bytes_finish(&yaml);
        settings_destroy(file);
    }
}

static void a_wrong_silence_is_named_with_its_line(void **unused)
{
    (void)unused;
    static const struct {
        const char *yaml, *wanted;
    } cases[] = {
        {"notify:\n  silences:\n    - {reason: x, until: 2026-11-01, rules: [case]}\n", "line 3: notify.silences: a silence needs an author and a reason"},
        {HEAD "      rules: [case]\n", "line 3: notify.silences: a silence needs an end"},
        {HEAD "      until: soon\n      rules: [case]\n", "a silence needs an end: until: 2026-11-30T06:00:00Z, say"},
        {HEAD "      until: 2026-11-01\n      from: 2026-11-02\n      rules: [case]\n", "until is before from"},
        {HEAD "      until: 2026-11-01\n", "says what it is about: rules, customers, kpis or dimensions"},
        {HEAD "      until: 2026-11-01\n      rule: [case]\n", "line 6: notify.silences.rule: there is no such setting; the nearest is 'rules'"},
        {HEAD "      until: 2026-11-01\n      rules: case\n", "line 6: notify.silences: rules is a list"},
        {HEAD "      until: 2026-11-01\n      rules:\n        - case\n        - hot\n", "line 8: notify.silences: rules: there is no 'hot'"},
        {HEAD "      until: 2026-11-01\n      kpis: [cast]\n", "line 6: notify.silences: kpis: there is no 'cast'"},
        {HEAD "      until: 2026-11-01\n      customers: [c, '']\n", "line 6: notify.silences: customers: there is no ''"},
        {HEAD "      until: 2026-11-01\n      dimensions: [kettle]\n", "line 6: notify.silences: dimensions: 'kettle' is neither all nor NAME=VALUE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notify_settings settings;
        struct silences silences;
        struct bytes error = {0};
        struct settings_file *file = load(cases[i].yaml, &settings);
        assert_false(silences_read(settings.silences, &silences, &error));
        if (strstr(bytes_text(&error), cases[i].wanted) == NULL)
            fail_msg("wanted '%s' in '%s'", cases[i].wanted, bytes_text(&error));
        bytes_finish(&error);
        settings_destroy(file);
    }
}

/* Of customer c, for an hour from noon on. */
static struct settings_file *of_customer_c(struct notify_settings *settings, struct silences *silences)
{
    struct bytes error = {0};
    struct settings_file *file = load(HEAD "      from: 2026-11-01T12:30:00Z\n      until: 2026-11-01T14:00:00Z\n      customers: [d]\n"
                                           "    - {author: Bob, reason: more, from: '2026-11-01T12:00:00Z', until: '2026-11-01T13:00:00Z', customers: [c, d]}\n",
                                      settings);
    if (!silences_read(settings->silences, silences, &error))
        fail_msg("%s", bytes_text(&error));
    return file;
}

/* As it comes, at once. */
static bool is_told(struct waiting *waiting, const struct alert *alert)
{
    bool is_told = waiting_takes_live(waiting, alert, alert->alert_id, alert->changed_at_ms, DAYS(1));
    if (is_told)
        waiting_told(waiting, alert, NOTE_TOLD, alert->changed_at_ms);
    return is_told;
}

static void nobody_is_told_meanwhile_but_of_the_end_of_what_was_told(void **unused)
{
    (void)unused;
    struct notify_settings settings;
    struct silences silences;
    struct settings_file *file = of_customer_c(&settings, &silences);
    struct receiver desk = {.name = "desk", .silences = &silences};
    struct waiting waiting;
    struct due due;
    waiting_init(&waiting, &desk);
    struct alert before = alert_of("c", ALERT_STATE_OPEN, 1, noon_ms - 1), seen = alert_of("c", ALERT_STATE_ACKNOWLEDGED, 2, noon_ms),
                 over = alert_of("c", ALERT_STATE_RESOLVED, 3, noon_ms + 1), other = alert_of("b", ALERT_STATE_OPEN, 1, noon_ms),
                 hidden = alert_of("d", ALERT_STATE_OPEN, 1, noon_ms), ended = alert_of("d", ALERT_STATE_RESOLVED, 2, noon_ms + 2),
                 again = alert_of("d", ALERT_STATE_OPEN, 3, noon_ms + MINUTES(90));
    assert_true(is_told(&waiting, &before));
    assert_false(is_told(&waiting, &seen));
    assert_true(is_told(&waiting, &over));
    assert_true(is_told(&waiting, &other));
    assert_false(is_told(&waiting, &hidden));
    assert_false(is_told(&waiting, &ended));
    assert_false(is_told(&waiting, &again));
    assert_false(waiting_due(&waiting, noon_ms + HOURS(2) - 1, DAYS(1), &due));
    assert_true(waiting_due(&waiting, noon_ms + HOURS(2), DAYS(1), &due)); /* it is open still as they end */
    assert_true(due.count == 1 && view_equal_text(due.items[0].record, "d") && due.items[0].waited_ms == 0);
    waiting_finish(&waiting);
    settings_destroy(file);
}

static void an_escalation_waits_for_the_end_of_all_silences(void **unused)
{
    (void)unused;
    struct notify_settings settings;
    struct silences silences;
    struct settings_file *file = of_customer_c(&settings, &silences);
    struct receiver head = {.name = "head", .escalates = true, .after_ms = {-1, -1, MINUTES(15)}, .silences = &silences};
    struct waiting waiting;
    struct due due;
    waiting_init(&waiting, &head);
    struct alert c = alert_of("c", ALERT_STATE_OPEN, 1, noon_ms), d = alert_of("d", ALERT_STATE_OPEN, 1, noon_ms);
    waiting_takes(&waiting, &c, c.alert_id, c.changed_at_ms);
    waiting_takes(&waiting, &d, d.alert_id, d.changed_at_ms);
    assert_false(waiting_due(&waiting, noon_ms + HOURS(1) - 1, DAYS(1), &due));
    assert_true(waiting_due(&waiting, noon_ms + HOURS(1), DAYS(1), &due));
    assert_true(view_equal_text(due.items[0].record, "c") && due.items[0].waited_ms == HOURS(1));
    waiting_told(&waiting, &c, NOTE_TOLD, 0);
    struct alert seen = alert_of("c", ALERT_STATE_ACKNOWLEDGED, 2, noon_ms + MINUTES(59));
    assert_false(waiting_due(&waiting, noon_ms + HOURS(1), DAYS(1), &due));
    waiting_takes(&waiting, &seen, seen.alert_id, seen.changed_at_ms); /* that is silent, too */
    assert_true(waiting_due(&waiting, noon_ms + HOURS(1), DAYS(1), &due)); /* but only until then */
    assert_true(view_equal_text(due.items[0].record, "c") && due.items[0].waited_ms == 0);
    waiting_told(&waiting, &seen, NOTE_TOLD, 0);
    assert_false(waiting_due(&waiting, noon_ms + HOURS(2) - 1, DAYS(1), &due));
    assert_true(waiting_due(&waiting, noon_ms + HOURS(2), DAYS(1), &due));
    assert_true(view_equal_text(due.items[0].record, "d"));
    waiting_finish(&waiting);
    settings_destroy(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silence_covers_what_changes_while_it_runs_and_each_of_its_lists_has),
        cmocka_unit_test(a_dimension_is_meant_however_it_is_encoded),
        cmocka_unit_test(a_wrong_silence_is_named_with_its_line),
        cmocka_unit_test(nobody_is_told_meanwhile_but_of_the_end_of_what_was_told),
        cmocka_unit_test(an_escalation_waits_for_the_end_of_all_silences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
