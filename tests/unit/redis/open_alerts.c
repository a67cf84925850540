/* What is written to Redis of alerts that are no cases: in while they are open, out when they end, history neither. */
#include "sinks/redis/open_alerts.h"
#include "sinks/redis/projection.h"
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>

#define AT_MS INT64_C(1795341600000)

static const struct alert missing = {.alert_id = {"alert-1", 7},
                                     .revision = 1,
                                     .rule = {"absence.delivery", 16},
                                     .kind = ALERT_KIND_ABSENCE,
                                     .severity = SEVERITY_WARNING,
                                     .state = ALERT_STATE_OPEN,
                                     .customer_id = {"ada", 3},
                                     .text = {"it did not come", 15},
                                     .opened_at_ms = AT_MS,
                                     .changed_at_ms = AT_MS};

static int open_desk(void **state)
{
    struct projection *projection = calloc(1, sizeof *projection);
    projection->prefix = "p:";
    projection->arena = calloc(1, sizeof *projection->arena);
    arena_init(projection->arena);
    *state = projection;
    return 0;
}

static int close_desk(void **state)
{
    struct projection *projection = *state;
    resp_finish(&projection->commands);
    resp_finish(&projection->forgotten);
    bytes_finish(&projection->scratch);
    arena_finish(projection->arena);
    free(projection->arena);
    free(projection);
    return 0;
}

/* The commands of one alert, as text with a space between arguments; lengths left out. */
static const char *written(struct projection *projection, const struct alert *alert)
{
    resp_clear(&projection->commands);
    project_alert(projection, alert);
    struct bytes plain = {0};
    char *rest = NULL;
    for (char *line = strtok_r((char *)arena_text(projection->arena, bytes_view(&projection->commands.bytes)), "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (line[0] == '*')
            bytes_append_text(&plain, "\n");
        else if (line[0] != '$')
            bytes_printf(&plain, "%s ", line);
    }
    const char *text = arena_text(projection->arena, bytes_view(&plain));
    bytes_finish(&plain);
    return text;
}

static void expect(const char *text, const char *command)
{
    if (strstr(text, command) == NULL)
        fail_msg("no «%s» in %s", command, text);
}

static void expect_none(const char *text, const char *command)
{
    if (strstr(text, command))
        fail_msg("«%s» in %s", command, text);
}

static void what_is_open_is_listed_by_kind_and_by_customer_until_it_ends(void **state)
{
    struct alert alert = missing;
    const char *text = written(*state, &alert);
    expect(text, "\nZADD p:alerts:open:ABSENCE 11795341600000 alert-1 ");
    expect(text, "\nZADD p:alerts:of:ada 11795341600000 alert-1 ");
    expect(text, "\nHSET p:alerts:open:json alert-1 {\"alert_id\":\"alert-1\"");
    alert.state = ALERT_STATE_RESOLVED;
    text = written(*state, &alert);
    expect(text, "\nZREM p:alerts:open:ABSENCE alert-1 ");
    expect(text, "\nZREM p:alerts:of:ada alert-1 ");
    expect(text, "\nHDEL p:alerts:open:json alert-1 ");
}

static void history_is_not_listed_and_takes_nothing_out(void **state)
{
    struct alert alert = missing;
    alert.historical = true;
    const char *text = written(*state, &alert);
    expect(text, "\nXADD p:alerts ");
    expect_none(text, ":open:");
    expect_none(text, ":of:");
    alert.state = ALERT_STATE_EXPIRED; /* it may have been told as news before */
    expect(written(*state, &alert), "\nZREM p:alerts:open:ABSENCE alert-1 ");
}

static void a_case_is_among_the_hot_tickets_alone(void **state)
{
    struct alert alert = missing;
    alert.case_id = alert.alert_id;
    alert.kind = ALERT_KIND_HOT_TICKET;
    const char *text = written(*state, &alert);
    expect(text, "\nZADD p:hot ");
    expect_none(text, ":open:");
    alert.alert_id = VIEW_LITERAL("alert-2"); /* of a deadline that was missed while the case was open */
    alert.kind = ALERT_KIND_SLA_BREACH;
    expect(written(*state, &alert), "\nZADD p:alerts:open:SLA_BREACH 11795341600000 alert-2 ");
}

static void what_misses_its_target_is_listed_in_both_places(void **state)
{
    struct alert alert = missing;
    alert.kind = ALERT_KIND_KPI_THRESHOLD;
    alert.customer_id = (struct view){NULL, 0};
    alert.kpi = VIEW_LITERAL("csat");
    alert.dimension = VIEW_LITERAL("all");
    alert.score = 50;
    const char *text = written(*state, &alert);
    expect(text, "\nZADD p:off_target 1250 alert-1 ");
    expect(text, "\nHSET p:off_target:alerts alert-1 {");
    expect(text, "\nZADD p:alerts:open:KPI_THRESHOLD 11795341600000 alert-1 ");
    expect_none(text, ":of:");
    alert.state = ALERT_STATE_EXPIRED;
    text = written(*state, &alert);
    expect(text, "\nZREM p:off_target alert-1 ");
    expect(text, "\nHDEL p:off_target:alerts alert-1 ");
    expect(text, "\nHDEL p:alerts:open:json alert-1 ");
    assert_int_equal(((struct projection *)*state)->forgotten_count, 0);
}

/* Its last revision does not say whose it was: what Redis kept of it does, and must not be gone before that is read. */
static void an_alert_that_names_nobody_any_more_is_left_to_the_forgetting(void **state)
{
    struct projection *projection = *state;
    struct alert alert = missing;
    alert.customer_id = (struct view){NULL, 0};
    alert.state = ALERT_STATE_EXPIRED;
    expect_none(written(projection, &alert), "HDEL");
    assert_int_equal(projection->forgotten_count, 1);
}

static void severity_outranks_time_and_of_one_severity_the_latest_is_first(void **state)
{
    (void)state;
    assert_true(open_alert_rank(SEVERITY_CRITICAL, 0) > open_alert_rank(SEVERITY_WARNING, INT64_MAX));
    assert_true(open_alert_rank(SEVERITY_WARNING, 0) > open_alert_rank(SEVERITY_INFO, INT64_MAX));
    assert_true(open_alert_rank(SEVERITY_INFO, AT_MS + 1) > open_alert_rank(SEVERITY_INFO, AT_MS));
    assert_int_equal(open_alert_rank(SEVERITY_INFO, INT64_MIN), open_alert_least_rank(SEVERITY_INFO));
    int64_t most = open_alert_rank(SEVERITY_CRITICAL, INT64_MAX);
    assert_true((double)most - 1 < (double)most && (int64_t)(double)(most - 1) == most - 1); /* a zset's score is a double */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_open_is_listed_by_kind_and_by_customer_until_it_ends, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(history_is_not_listed_and_takes_nothing_out, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_case_is_among_the_hot_tickets_alone, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_misses_its_target_is_listed_in_both_places, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(an_alert_that_names_nobody_any_more_is_left_to_the_forgetting, open_desk, close_desk),
        cmocka_unit_test(severity_outranks_time_and_of_one_severity_the_latest_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
