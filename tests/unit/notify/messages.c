/* What receivers are sent, and which of them want it. */
#include "sinks/notify/message.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct alert angry = {.alert_id = {"case-1", 6},
                                   .revision = 2,
                                   .case_id = {"case-1", 6},
                                   .rule = {"negative_feedback", 17},
                                   .kind = ALERT_KIND_NEGATIVE_FEEDBACK,
                                   .severity = SEVERITY_CRITICAL,
                                   .state = ALERT_STATE_OPEN,
                                   .customer_id = {"c-42", 4},
                                   .score = 45,
                                   .text = {"NPS 0: <script>&", 16}};

static void expect(enum receiver_form form, const struct alert *alert, const char *wanted)
{
    struct receiver receiver = {.name = "r", .url = "http://x", .secret = "key", .form = form};
    struct bytes body = {0};
    message_write(&body, &receiver, alert, "http://127.0.0.1:8081", 0);
    if (strstr(bytes_text(&body), wanted) == NULL)
        fail_msg("wanted %s in %s", wanted, bytes_text(&body));
    bytes_finish(&body);
}

static void each_form_says_what_its_receiver_reads(void **state)
{
    (void)state;
    expect(RECEIVER_JSON, &angry, "\"type\":\"touchstream.alert\"");
    expect(RECEIVER_JSON, &angry, "\"alert_id\":\"case-1\",\"revision\":2");
    expect(RECEIVER_JSON, &angry, "http://127.0.0.1:8081/#/cases/case-1");
    expect(RECEIVER_SLACK, &angry, "CRITICAL OPEN · customer c-42: NPS 0: &lt;script&gt;&amp;");
    expect(RECEIVER_PAGERDUTY, &angry, "\"routing_key\":\"key\",\"event_action\":\"trigger\",\"dedup_key\":\"case-1\"");
    expect(RECEIVER_PAGERDUTY, &angry, "\"client_url\":\"http://127.0.0.1:8081/#/cases/case-1\"");
    struct alert resolved = angry;
    resolved.state = ALERT_STATE_RESOLVED;
    expect(RECEIVER_PAGERDUTY, &resolved, "\"event_action\":\"resolve\"");
    resolved.state = ALERT_STATE_IN_PROGRESS;
    expect(RECEIVER_PAGERDUTY, &resolved, "\"event_action\":\"acknowledge\"");
}

static void a_link_leads_to_what_it_is_about(void **state)
{
    (void)state;
    struct alert about_customer = {.alert_id = VIEW_LITERAL("a"), .rule = VIEW_LITERAL("device.critical"), .text = VIEW_LITERAL("t"),
                                   .customer_id = VIEW_LITERAL("a b>ü/1")};
    expect(RECEIVER_JSON, &about_customer, "\"url\":\"http://127.0.0.1:8081/#/customers/a%20b%3E%C3%BC%2F1\"");
    expect(RECEIVER_SLACK, &about_customer, "<http://127.0.0.1:8081/#/customers/a%20b%3E%C3%BC%2F1|open>");
    struct alert about_kpi = {.alert_id = VIEW_LITERAL("a"), .rule = VIEW_LITERAL("kpi.target"), .text = VIEW_LITERAL("t"), .kpi = VIEW_LITERAL("csat"),
                              .dimension = VIEW_LITERAL("channel=EMAIL")};
    expect(RECEIVER_JSON, &about_kpi, "http://127.0.0.1:8081/#/trends/csat/channel\"");
    about_kpi.dimension = VIEW_LITERAL("all");
    expect(RECEIVER_JSON, &about_kpi, "http://127.0.0.1:8081/#/trends/csat\"");
    struct alert about_data = {.alert_id = VIEW_LITERAL("a"), .rule = VIEW_LITERAL("data.source_silent"), .text = VIEW_LITERAL("t"),
                               .dimension = VIEW_LITERAL("source=shop")};
    expect(RECEIVER_JSON, &about_data, "http://127.0.0.1:8081/#/alerts\"");
}

static void a_summary_is_no_longer_than_pagerduty_takes(void **state)
{
    (void)state;
    char text[3001];
    memset(text, 'x', 3000);
    text[3000] = '\0';
    struct alert lengthy = angry;
    lengthy.text = view_of_text(text);
    struct receiver receiver = {.name = "r", .url = "http://x", .secret = "key", .form = RECEIVER_PAGERDUTY};
    struct bytes body = {0};
    message_write(&body, &receiver, &lengthy, "http://127.0.0.1:8081", 0);
    const char *summary = strstr(bytes_text(&body), "\"summary\":\"");
    assert_non_null(summary);
    assert_int_equal(strcspn(summary + strlen("\"summary\":\""), "\""), 1024);
    bytes_finish(&body);
}

static struct settings_file *load(const char *yaml, struct notify_settings *settings)
{
    static struct settings_section section;
    struct bytes error = {0};
    char path[] = "/tmp/ts-notify-XXXXXX";
    int descriptor = mkstemp(path);
    assert_int_equal(write(descriptor, yaml, strlen(yaml)), strlen(yaml));
    close(descriptor);
    section = (struct settings_section){notify_setting_rows, settings};
    struct settings_file *file = settings_load(path, &section, 1, &error);
    unlink(path);
    assert_non_null(file);
    return file;
}

/* The example of the Standard Webhooks libraries, and a secret that is no base64. */
static void a_secret_signs_as_standard_webhooks_has_it(void **state)
{
    (void)state;
    struct notify_settings settings;
    struct receiver receivers[RECEIVERS_MAX];
    struct bytes error = {0}, signature = {0};
    size_t count;
    struct settings_file *file = load("notify:\n  receivers:\n"
                                      "    - {name: a, url: 'http://h/a', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\n"
                                      "    - {name: b, url: 'http://h/b', secret: plain text}\n",
                                      &settings);
    assert_true(receivers_read(&settings, receivers, &count, &error));
    struct view body = VIEW_LITERAL("{\"test\": 2432232314}");
    message_sign(&signature, &receivers[0], "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
    assert_string_equal(bytes_text(&signature), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    bytes_clear(&signature);
    message_sign(&signature, &receivers[1], "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
    assert_string_not_equal(bytes_text(&signature), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    bytes_finish(&signature);
    settings_destroy(file);
}

static void receivers_choose_by_severity_and_rule(void **state)
{
    (void)state;
    struct notify_settings settings;
    struct receiver receivers[RECEIVERS_MAX];
    struct bytes error = {0};
    size_t count;
    struct settings_file *file = load("notify:\n  receivers:\n"
                                      "    - {name: a, url: 'http://h/a', severity: warning}\n"
                                      "    - {name: b, form: slack, url: 'https://h/b', rules: [sla.first_response.breach]}\n",
                                      &settings);
    assert_true(receivers_read(&settings, receivers, &count, &error));
    assert_int_equal(count, 2);
    assert_true(receiver_wants(&receivers[0], &angry, false));
    assert_false(receiver_wants(&receivers[1], &angry, false));
    struct alert other = angry;
    other.severity = SEVERITY_INFO;
    assert_false(receiver_wants(&receivers[0], &other, false));
    assert_true(receiver_wants(&receivers[0], &other, true)); /* who was called out hears that it is over */
    other.severity = SEVERITY_CRITICAL;
    other.historical = true;
    assert_false(receiver_wants(&receivers[0], &other, false)); /* imported history notifies nobody */
    settings_destroy(file);
}

static void one_who_waits_has_a_time_for_each_severity(void **state)
{
    (void)state;
    struct notify_settings settings;
    struct receiver receivers[RECEIVERS_MAX];
    struct bytes error = {0};
    size_t count;
    struct settings_file *file = load("notify:\n  receivers:\n"
                                      "    - {name: a, url: 'http://h/a'}\n"
                                      "    - {name: b, url: 'http://h/b', after: 15m, severity: warning}\n"
                                      "    - {name: c, url: 'http://h/c', after: {critical: 60m, warning: 8h}}\n",
                                      &settings);
    assert_true(receivers_read(&settings, receivers, &count, &error));
    static const int64_t wanted[3][3] = {{-1, -1, -1}, {-1, 900000, 900000}, {-1, 28800000, 3600000}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(receivers[i].escalates, i > 0);
        for (int severity = 0; severity < 3; severity++)
            assert_int_equal(receivers[i].after_ms[severity], wanted[i][severity]);
    }
    settings_destroy(file);
}

static void it_says_that_nobody_has_acknowledged_it(void **state)
{
    (void)state;
    static const char *const wanted[] = {"\"unacknowledged_ms\":900000,\"data\":", "{\"text\":\"Nobody has acknowledged it for 15.0 min: CRITICAL OPEN",
                                         "\"summary\":\"Nobody has acknowledged it for 15.0 min: CRITICAL OPEN"};
    for (int form = 0; form < 3; form++) {
        struct receiver receiver = {.form = (enum receiver_form)form, .secret = "s"};
        struct bytes body = {0};
        message_write(&body, &receiver, &angry, "http://127.0.0.1:8081", 900000);
        if (strstr(bytes_text(&body), wanted[form]) == NULL)
            fail_msg("wanted '%s' in '%s'", wanted[form], bytes_text(&body));
        bytes_finish(&body);
    }
}

static void a_wrong_receiver_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *wanted;
    } cases[] = {
        {"notify:\n  receivers:\n    - {name: a}\n", "line 3: notify.receivers: a receiver needs a name and a url"},
        {"notify:\n  receivers:\n    - {name: a, url: ftp://x}\n", "http:// or https://"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', from: slack}\n", "notify.receivers.from: there is no such setting; the nearest is 'form'"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', form: fax}\n", "form is json, slack or pagerduty"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', secret: 'whsec_not base64'}\n", "behind whsec_"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', secret: whsec_c2hvcnQ=}\n", "behind whsec_"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', severity: big}\n", "severity is info"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', form: pagerduty}\n", "routing key"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', rules: case}\n", "rules is a list"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', after: soon}\n", "line 3: notify.receivers: after is a duration"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', after: 40d}\n", "from 1s to 30d"},
        {"notify:\n  receivers:\n    - name: a\n      url: http://x\n      after:\n        critical: 15m\n        grave: 2h\n", "line 7: notify.receivers.after.grave: there is no such setting; the nearest is"},
        {"notify:\n  receivers:\n    - name: a\n      url: http://x\n      after: {critical: 15}\n", "line 5: notify.receivers: after is a duration"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', severity: critical, after: {warning: 2h}}\n", "leaves out"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', after: {}}\n", "line 3: notify.receivers: after is a duration"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', inhibit: maybe}\n", "line 3: notify.receivers: inhibit is true or false"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', repeat_interval: often}\n", "line 3: notify.receivers: repeat_interval is a duration from 1s to 30d"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', group_by: rule}\n", "line 3: notify.receivers: group_by is a list"},
        {"notify:\n  receivers:\n    - name: a\n      url: http://x\n      group_by:\n        - rule\n        - region\n",
         "line 7: notify.receivers: group_by: an alert has no 'region'; it has rule, kind, severity, kpi, dimension, customer, ticket"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', group_wait: 30s}\n", "line 3: notify.receivers: group_wait and group_interval need group_by"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', group_by: [], group_interval: soon}\n", "group_interval is a duration from 0s to 1d"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', form: pagerduty, secret: k, group_by: [rule]}\n", "form pagerduty takes no group_by"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', daily_max: none}\n", "line 3: notify.receivers: daily_max is a number of messages"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', daily_max: 0}\n", "daily_max is a number of messages"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', digest_at: '08:00'}\n", "need a daily_max"},
        {"notify:\n  receivers:\n    - name: a\n      url: http://x\n      daily_max: 5\n      digest_at: 8\n", "line 6: notify.receivers: digest_at is a time of the day in quotes"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', daily_max: 5, digest_at: '24:00'}\n", "digest_at is a time of the day"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', daily_max: 5, digest_at: '08:00:60'}\n", "digest_at is a time of the day"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', daily_max: 5, digest_at: '08:00x'}\n", "digest_at is a time of the day"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', daily_max: 5, time_zone: Europe/Atlantis}\n", "line 3: notify.receivers: time_zone: "},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', daily_max: 5, cap_critical: 1}\n", "cap_critical is true or false"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', form: pagerduty, secret: k, daily_max: 5}\n", "form pagerduty takes no daily_max"},
        {"notify:\n  receivers:\n    - {name: a, url: 'http://x', rules: []}\n", "line 3: notify.receivers: rules is a list with something in it"},
        {"notify:\n  receivers:\n    - name: a\n      url: http://x\n      rules:\n        - case\n        - hot_ticket\n",
         "line 7: notify.receivers: no rule is called 'hot_ticket'; there are case, kpi.target, trend.shift, sla.burn, data.source_silent, data.rejected, data.lag, sla.first_response.warning"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notify_settings settings;
        struct receiver receivers[RECEIVERS_MAX];
        struct bytes error = {0};
        size_t count;
        struct settings_file *file = load(cases[i].yaml, &settings);
        assert_false(receivers_read(&settings, receivers, &count, &error));
        if (strstr(bytes_text(&error), cases[i].wanted) == NULL)
            fail_msg("wanted '%s' in '%s'", cases[i].wanted, bytes_text(&error));
        bytes_finish(&error);
        settings_destroy(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_form_says_what_its_receiver_reads), cmocka_unit_test(a_link_leads_to_what_it_is_about),
                                       cmocka_unit_test(a_summary_is_no_longer_than_pagerduty_takes),
                                       cmocka_unit_test(a_secret_signs_as_standard_webhooks_has_it),
                                       cmocka_unit_test(receivers_choose_by_severity_and_rule),
                                       cmocka_unit_test(one_who_waits_has_a_time_for_each_severity),
                                       cmocka_unit_test(it_says_that_nobody_has_acknowledged_it),
                                       cmocka_unit_test(a_wrong_receiver_is_named_with_its_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
