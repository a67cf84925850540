/* In which minutes touchpoints of each source arrived: what the kpi stage watches for silence. */
#include "schemas/kpi_names.h"
#include "tests/stage/journey/life.h"

static struct arena heard_arena;

static void arrive_as(struct life *life, const char *body, const char *source, int64_t received_ms, int64_t written_ms)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"event_id\":\"%s %u\",\"customer_id\":\"c-1\",\"occurred_at\":\"2026-01-01T00:00:00.000Z\",\"source\":\"%s\",\"channel\":\"EMAIL\","
             "%s}",
             source, life->events++, source, body);
    struct touchpoint touch;
    struct json_fault fault;
    struct bytes value = {0};
    assert_true(touchpoint_from_json(&touch, view_of_text(text), (struct view){NULL, 0}, &life->arena, &fault));
    touch.received_at_ms = LIFE_START_MS + received_ms;
    wire_begin(&value, 1);
    touchpoint_encode(&value, &touch);
    assert_int_equal(driver_feed(life->driver, touch.customer_id, bytes_view(&value), LIFE_START_MS + written_ms), OUTCOME_OK);
    bytes_finish(&value);
}

static void arrive(struct life *life, const char *source, int64_t received_ms, int64_t written_ms)
{
    arrive_as(life, "\"type\":\"ProductUsed\",\"data\":{\"feature\":\"f\",\"seconds\":1}", source, received_ms, written_ms);
}

/* "source=a@3 source=a@4 …": minutes after the start, in the order in which they are told. */
static const char *told(struct life *life)
{
    static char text[400];
    size_t size = 0;
    text[0] = 0;
    driver_commit(life->driver);
    for (size_t i = 0; i < driver_output_count(life->driver); i++) {
        const struct driver_output *output = driver_output(life->driver, i);
        uint32_t id;
        struct view avro;
        struct kpi_delta delta;
        if (strcmp(output->topic, "kpi.deltas") != 0 || !wire_split(output->value, &id, &avro) || !kpi_delta_decode(&delta, avro, &heard_arena) ||
            delta.kind != DELTA_KIND_HEARD)
            continue;
        assert_int_equal(memcmp(output->key.data, KPI_SOURCE_KEY, strlen(KPI_SOURCE_KEY)), 0);
        assert_true(view_equal(view_of(output->key.data + strlen(KPI_SOURCE_KEY), output->key.size - strlen(KPI_SOURCE_KEY)), delta.dimension));
        for (size_t k = 0; k < delta.buckets.count; k++)
            size += (size_t)snprintf(text + size, sizeof text - size, "%.*s@%d ", VIEW_ARGUMENTS(delta.dimension),
                                     (int)(delta.buckets.items[k].minute - LIFE_START_MS / MINUTES(1)));
    }
    driver_forget_outputs(life->driver);
    return text;
}

static void a_minute_is_told_once(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    arena_init(&heard_arena);
    arrive(&life, "shop", MINUTES(3), MINUTES(3));
    arrive(&life, "desk", MINUTES(3), MINUTES(3));
    arrive(&life, "shop", MINUTES(3) + SECONDS(59), MINUTES(3) + SECONDS(59));
    arrive(&life, "shop", MINUTES(7), MINUTES(7));
    assert_string_equal(told(&life), "source=shop@3 source=shop@7 source=desk@3 ");
    arrive(&life, "shop", MINUTES(7) + SECONDS(1), MINUTES(7) + SECONDS(1));
    assert_string_equal(told(&life), "");
    arrive(&life, "a=b,c", MINUTES(9), MINUTES(8)); /* as it is written in keys; never later than it was written down */
    assert_string_equal(told(&life), "source=a%3Db%2Cc@8 ");
    arena_finish(&heard_arena);
    life_end(&life);
}

/* By hours, and set right: so many in a row as no straggler is show which is the time. */
static void a_collectors_clock_that_was_ahead_is_not_waited_for(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    arena_init(&heard_arena);
    arrive(&life, "shop", MINUTES(2), MINUTES(2));
    arrive(&life, "shop", HOURS(6), HOURS(6));
    assert_string_equal(told(&life), "source=shop@2 source=shop@360 ");
    arrive(&life, "shop", MINUTES(3), MINUTES(3)); /* of another collector, perhaps */
    arrive(&life, "shop", HOURS(6) + MINUTES(1), HOURS(6) + MINUTES(1));
    assert_string_equal(told(&life), "source=shop@361 ");
    for (int minute = 4; minute < 20; minute++)
        arrive(&life, "shop", MINUTES(minute), MINUTES(minute));
    assert_string_equal(told(&life), "source=shop@11 source=shop@12 source=shop@13 source=shop@14 source=shop@15 source=shop@16 source=shop@17 source=shop@18 source=shop@19 ");
    arena_finish(&heard_arena);
    life_end(&life);
}

/* A desk without cases is quiet, and no KPI is the worse for it. */
static void who_works_on_cases_is_no_source(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    arena_init(&heard_arena);
    arrive_as(&life, "\"type\":\"CaseActed\",\"data\":{\"case_id\":\"k\",\"action\":\"ACKNOWLEDGED\",\"actor\":\"bo\"}", "dashboard", MINUTES(3), MINUTES(3));
    arrive_as(&life, "\"type\":\"CustomerForgotten\",\"data\":{}", "forget", MINUTES(4), MINUTES(4));
    arrive(&life, "shop", MINUTES(5), MINUTES(5));
    assert_string_equal(told(&life), "source=shop@5 ");
    arena_finish(&heard_arena);
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_is_told_once),
        cmocka_unit_test(a_collectors_clock_that_was_ahead_is_not_waited_for),
        cmocka_unit_test(who_works_on_cases_is_no_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
