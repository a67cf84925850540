/* What a collector tells of its verdicts: of whom, when, and that each record counts once. */
#include "ingest/verdicts.h"

#include "base/clock.h"
#include "base/time_text.h"
#include "schemas/kpi_names.h"
#include "schemas/wire.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOLD_MOST = 20 };

struct told {
    char key[80], code[40];
    int64_t minute, taken, refused;
};

struct fixture {
    struct outlet outlet;
    struct verdicts *verdicts;
    struct arena arena;
    bool is_full;
    struct told told[TOLD_MOST]; /* a minute each */
    size_t count;
    int64_t now_ms;
};

static enum outcome publish(void *target, const char *topic, struct view key, struct view value, int64_t timestamp_ms, void *context)
{
    struct fixture *fixture = target;
    struct kpi_delta delta;
    struct view avro;
    uint32_t id;
    assert_string_equal(topic, "deltas");
    assert_null(context);
    assert_true(wire_split(value, &id, &avro) && id == 7 && kpi_delta_decode(&delta, avro, &fixture->arena));
    assert_int_equal(delta.kind, DELTA_KIND_HEARD);
    assert_int_equal(timestamp_ms, fixture->now_ms);
    for (size_t i = 0; i < delta.buckets.count && !fixture->is_full; i++) {
        assert_true(fixture->count < TOLD_MOST);
        struct told *told = &fixture->told[fixture->count++];
        snprintf(told->key, sizeof told->key, "%.*s", VIEW_ARGUMENTS(key));
        snprintf(told->code, sizeof told->code, "%.*s", VIEW_ARGUMENTS(delta.kpi));
        told->minute = delta.buckets.items[i].minute - 29000000;
        told->taken = delta.buckets.items[i].n;
        told->refused = delta.buckets.items[i].num;
    }
    return fixture->is_full ? OUTCOME_RETRY : OUTCOME_OK;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->outlet = (struct outlet){.publish = publish, .target = fixture, .deltas_topic = "deltas", .delta_schema = 7};
    fixture->verdicts = verdicts_create();
    fixture->now_ms = MINUTES(29000000);
    arena_init(&fixture->arena);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    verdicts_destroy(fixture->verdicts);
    arena_finish(&fixture->arena);
    free(fixture);
    return 0;
}

static void note(struct fixture *fixture, const char *source, int64_t taken, int64_t refused)
{
    struct view code = refused ? VIEW_LITERAL("bad_json") : (struct view){NULL, 0};
    verdicts_note(fixture->verdicts, view_of_text(source), taken, refused, code, fixture->now_ms);
}

static void after(struct fixture *fixture, int64_t ms)
{
    fixture->now_ms += ms;
    verdicts_tell(fixture->verdicts, &fixture->outlet, fixture->now_ms);
}

static void says(const struct told *told, const char *key, int64_t minute, int64_t taken, int64_t refused)
{
    assert_string_equal(told->key, key);
    assert_int_equal(told->minute, minute);
    assert_int_equal(told->taken, taken);
    assert_int_equal(told->refused, refused);
}

static void who_is_not_refused_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    note(fixture, "shop", 1000, 0);
    after(fixture, SECONDS(20));
    assert_int_equal(fixture->count, 0);
}

static void with_the_first_refusal_the_minutes_before_are_told(void **state)
{
    struct fixture *fixture = *state;
    note(fixture, "shop", 5, 0); /* too long ago by then */
    after(fixture, MINUTES(2));
    note(fixture, "shop", 7, 0);
    after(fixture, MINUTES(14));
    note(fixture, "shop", 1, 3);
    note(fixture, "desk", 1, 0);
    after(fixture, SECONDS(10));
    assert_int_equal(fixture->count, 2);
    says(&fixture->told[0], KPI_REFUSED_KEY "source=shop", 2, 7, 0);
    says(&fixture->told[1], KPI_REFUSED_KEY "source=shop", 16, 1, 3);
    assert_string_equal(fixture->told[1].code, "bad_json");
}

static void each_record_counts_once_and_every_ten_seconds(void **state)
{
    struct fixture *fixture = *state;
    note(fixture, "shop", 1, 3);
    after(fixture, SECONDS(10));
    assert_int_equal(fixture->count, 1);
    note(fixture, "shop", 2, 0);
    after(fixture, SECONDS(9));
    assert_int_equal(fixture->count, 1);
    after(fixture, SECONDS(1));
    assert_int_equal(fixture->count, 2);
    says(&fixture->told[1], KPI_REFUSED_KEY "source=shop", 0, 2, 0); /* what is taken is told for a quarter of an hour */
    after(fixture, SECONDS(10));
    assert_int_equal(fixture->count, 2);
    after(fixture, MINUTES(15));
    note(fixture, "shop", 9, 0);
    after(fixture, SECONDS(10));
    assert_int_equal(fixture->count, 2);
}

static void what_kafka_has_no_room_for_is_told_later(void **state)
{
    struct fixture *fixture = *state;
    fixture->is_full = true;
    note(fixture, "shop", 1, 3);
    after(fixture, SECONDS(10));
    fixture->is_full = false;
    note(fixture, "shop", 0, 4);
    after(fixture, SECONDS(10));
    assert_int_equal(fixture->count, 1);
    says(&fixture->told[0], KPI_REFUSED_KEY "source=shop", 0, 1, 7);
}

static void a_source_of_any_name_is_one_value(void **state)
{
    struct fixture *fixture = *state;
    note(fixture, "a=b,c", 0, 1);
    note(fixture, "_other", 0, 1);
    after(fixture, SECONDS(10));
    assert_int_equal(fixture->count, 2);
    assert_string_equal(fixture->told[0].key, KPI_REFUSED_KEY "source=a%3Db%2Cc");
    assert_string_equal(fixture->told[1].key, KPI_REFUSED_KEY "source=%5Fother");
}

static void a_clock_set_back_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    note(fixture, "shop", 0, 1);
    after(fixture, SECONDS(10));
    fixture->now_ms -= MINUTES(60);
    note(fixture, "shop", 0, 2);
    after(fixture, 0);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(fixture->told[1].refused, 2);
}

/* A machine that has come up without knowing the time. */
static void the_first_minutes_of_all_are_minutes_like_others(void **state)
{
    struct fixture *fixture = *state;
    fixture->now_ms = MINUTES(3);
    note(fixture, "shop", 4, 2);
    after(fixture, SECONDS(10));
    assert_int_equal(fixture->count, 1);
    says(&fixture->told[0], KPI_REFUSED_KEY "source=shop", 3 - 29000000, 4, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_not_refused_is_not_told),
        TEST(with_the_first_refusal_the_minutes_before_are_told),
        TEST(each_record_counts_once_and_every_ten_seconds),
        TEST(what_kafka_has_no_room_for_is_told_later),
        TEST(a_source_of_any_name_is_one_value),
        TEST(a_clock_set_back_loses_nothing),
        TEST(the_first_minutes_of_all_are_minutes_like_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
