/* What the kpi stage has told of alerts, for the tests of each kind of them. */
#ifndef TS_TESTS_STAGE_KPI_ALERTS_H
#define TS_TESTS_STAGE_KPI_ALERTS_H

#include "tests/stage/kpi/kpi_stage.h"

enum { ALERTS_MOST = 200 };

static inline size_t alerts_of(struct stage_under_test *stage, struct alert alerts[ALERTS_MOST])
{
    size_t count = 0;
    for (size_t i = 0; i < driver_output_count(stage->driver); i++) {
        const struct driver_output *output = driver_output(stage->driver, i);
        struct view avro;
        uint32_t id = 0;
        if (strcmp(output->topic, "alerts") != 0)
            continue;
        assert_true(count < ALERTS_MOST);
        assert_true(wire_split(output->value, &id, &avro) && id == 5);
        assert_true(alert_decode(&alerts[count], avro, &stage->arena));
        assert_true(view_equal(output->key, alerts[count].alert_id));
        count++;
    }
    return count;
}

/* Of a rule of this stage, which is about no customer. */
static inline void alert_is(const struct alert *alert, enum alert_kind kind, const char *rule, enum alert_state state, enum severity severity,
                            int32_t revision)
{
    assert_int_equal(alert->kind, kind);
    assert_true(view_equal_text(alert->rule, rule));
    assert_int_equal(alert->state, state);
    assert_int_equal(alert->severity, severity);
    assert_int_equal(alert->revision, revision);
    assert_null(alert->customer_id.data);
}

static inline void alert_says(const struct alert *alert, const char *text)
{
    if (!view_equal_text(alert->text, text))
        fail_msg("%.*s, and not %s", VIEW_ARGUMENTS(alert->text), text);
}

/* Both have told the same alerts, to the byte; gives how many. */
static inline size_t alerts_compare(struct stage_under_test *straight, struct stage_under_test *crashed)
{
    static struct alert straight_told[ALERTS_MOST], crashed_told[ALERTS_MOST];
    size_t count = alerts_of(straight, straight_told);
    assert_int_equal(alerts_of(crashed, crashed_told), count);
    for (size_t i = 0; i < count; i++) {
        struct bytes wanted = {0}, got = {0};
        alert_encode(&wanted, &straight_told[i]);
        alert_encode(&got, &crashed_told[i]);
        assert_true(view_equal(bytes_view(&wanted), bytes_view(&got)));
        bytes_finish(&wanted);
        bytes_finish(&got);
    }
    return count;
}

#endif
