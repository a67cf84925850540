/* A wrong configuration is refused with file, line, key and what would be right. */
#include "base/settings.h"
#include "base/clock.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct sample {
    char *brokers, *level;
    int64_t first_reply_ms, room_bytes, threads;
    double weight;
    bool is_on;
    struct text_list names;
    struct settings_node *targets;
};

static const struct setting rows[] = {
    SETTING_TEXT(struct sample, brokers, "kafka.brokers", .standard_text = "127.0.0.1:9092"),
    SETTING_CHOICE(struct sample, level, "log.level", .standard_text = "info", .choices = "debug|info"),
    SETTING_DURATION(struct sample, first_reply_ms, "sla.first_reply", .standard = HOURS(2), .least = SECONDS(1), .most = DAYS(30)),
    SETTING_BYTES(struct sample, room_bytes, "engine.room", .standard = 1048576),
    SETTING_INTEGER(struct sample, threads, "engine.threads", .standard = 1, .least = 1, .most = 64),
    SETTING_DECIMAL(struct sample, weight, "hot.weight", .standard = 0.5),
    SETTING_BOOLEAN(struct sample, is_on, "notify.on", .standard = 1),
    SETTING_LIST(struct sample, names, "kpi.rollups", .standard_text = "channel, product"),
    SETTING_TREE(struct sample, targets, "kpi.targets"),
    SETTING_END};

static char path[] = "/tmp/ts-settings-XXXXXX";

static struct settings_file *load(const char *yaml, struct sample *sample, struct bytes *error)
{
    FILE *file = fopen(path, "w");
    fputs(yaml, file);
    fclose(file);
    static struct settings_section section; /* kept by what is loaded; one is loaded at a time */
    section = (struct settings_section){rows, sample};
    return settings_load(path, &section, 1, error);
}

static void expect_error(const char *yaml, const char *wanted)
{
    struct sample sample = {0};
    struct bytes error = {0};
    assert_null(load(yaml, &sample, &error));
    if (strstr(bytes_text(&error), wanted) == NULL)
        fail_msg("wanted '%s' in '%s'", wanted, bytes_text(&error));
    assert_non_null(strstr(bytes_text(&error), path));
    bytes_finish(&error);
}

static void errors_name_line_key_and_remedy(void **state)
{
    (void)state;
    expect_error("kafka:\n  borkers: x\n", ":2: kafka.borkers: there is no such setting; the nearest is 'kafka.brokers'");
    expect_error("kafka:\n  brokers: a\nkafka:\n  brokers: b\n", ":4: kafka.brokers: stands twice");
    expect_error("kafka.brokers: a\nkafka:\n  brokers: b\n", ":3: kafka.brokers: stands twice");
    expect_error("kafka: {brokers: a, brokers: b}\n", ":1: kafka.brokers: stands twice");
    expect_error("kpi.targets:\n  csat: 4\n  csat: 5\n", ":3: kpi.targets.csat: stands twice");
    expect_error("kpi.targets:\n  - {a: 1}\n  - {a: 1, b: [{c: 2,\n c: 3}]}\n", ":4: kpi.targets.c: stands twice");
    expect_error("sla:\n  first_reply: soon\n", "sla.first_reply: 'soon' is not a duration such as");
    expect_error("sla.first_reply: 90d\n", "out of bounds: 1s to 30d");
    expect_error("engine:\n  threads: 1.5\n", "not a whole number");
    expect_error("log: {level: loud}\n", "'loud' is not one of debug|info");
    expect_error("notify: {on: 1}\n", "neither true nor false");
    expect_error("a: [1\n", "not YAML");
    expect_error("kafka:\n  brokers: [a, b]\n", ":2: kafka.brokers: wants a single value");
    expect_error("kafka: [a, b]\n", ":1: kafka: is a group of settings");
    expect_error("kafka: a\n", ":1: kafka: is a group of settings");
}

static void aliases_are_bounded(void **state)
{
    (void)state;
    expect_error("kafka: &all {brokers: *all}\n", "alias");
    expect_error("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                 "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                 "kafka: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n", "alias");
}

static void null_is_nothing(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct bytes error = {0};
    struct settings_file *file = load("log: null\nengine: ~\nkafka: {brokers: ~}\nkpi: {rollups: [~, 'null']}\n", &sample, &error);
    assert_non_null(file);
    assert_string_equal(sample.brokers, "");
    assert_string_equal(sample.level, "info");
    assert_string_equal(sample.names.items[1], "null");
    settings_destroy(file);
    bytes_finish(&error);
}

static void values_and_defaults_are_read(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct bytes error = {0};
    struct settings_file *file = load("sla:\n  first_reply: 1.5h\nengine: {room: 64MiB}\nkpi:\n  rollups: [a, 'b,c']\n"
                                      "  targets:\n    nps: 40\n", &sample, &error);
    assert_non_null(file);
    assert_string_equal(sample.brokers, "127.0.0.1:9092");
    assert_int_equal(sample.first_reply_ms, 5400000);
    assert_int_equal(sample.room_bytes, 64 << 20);
    assert_int_equal(sample.threads, 1);
    assert_true(sample.is_on);
    assert_int_equal(sample.names.count, 2);
    assert_string_equal(sample.names.items[1], "b,c");
    assert_string_equal(settings_node_find(sample.targets, "nps")->scalar, "40");
    settings_destroy(file);
    bytes_finish(&error);
}

static void environment_overrides_the_file(void **state)
{
    (void)state;
    struct sample sample = {0};
    struct bytes error = {0};
    setenv("TOUCHSTREAM_SLA_FIRST_REPLY", "10s", 1);
    struct settings_file *file = load("sla: {first_reply: 1h}\n", &sample, &error);
    unsetenv("TOUCHSTREAM_SLA_FIRST_REPLY");
    assert_non_null(file);
    assert_int_equal(sample.first_reply_ms, 10000);
    settings_destroy(file);
}

int main(void)
{
    close(mkstemp(path));
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_name_line_key_and_remedy),
                                       cmocka_unit_test(aliases_are_bounded),
                                       cmocka_unit_test(null_is_nothing),
                                       cmocka_unit_test(values_and_defaults_are_read),
                                       cmocka_unit_test(environment_overrides_the_file)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
