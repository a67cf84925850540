/* What stood for a while and is superseded by the time it is known changes no sum; but a value published for an instant of that while is not
 * true, and only the journey stage can say so: it tells the series where it stood, with nothing to add (docs/KPIS.md). */
#include "tests/stage/journey/life.h"

static void answer(struct life *life, int64_t at_ms, int score, const char *more)
{
    char data[200];
    snprintf(data, sizeof data, "\"survey_id\":\"s\",\"kind\":\"NPS\",\"score\":%d,\"comment\":\"I love it\"", score);
    life_add_with(life, at_ms, "SurveyAnswered", data, more);
}

static void an_older_answer_tells_where_it_stood(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    answer(&life, HOURS(12), 9, "\"product\":\"B\",");
    assert_int_equal(life_touched_at_ms(&life, "nps product=A"), -1);
    answer(&life, HOURS(10), 2, "\"product\":\"A\",");
    assert_int_equal(life_sums(&life, "nps all").n, 1);
    assert_int_equal(life_sums(&life, "nps all").num, 1);
    assert_int_equal(life_sums(&life, "nps product=A").n, 0);
    assert_int_equal(life_touched_at_ms(&life, "nps product=A"), HOURS(10));
    assert_int_equal(life_touched_at_ms(&life, "sentiment product=A"), HOURS(10));
    assert_int_equal(life_touched_at_ms(&life, "nps product=B"), -1);
    life_end(&life);
}

static void two_answers_that_come_together_tell_both_places(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life.holds_back = true;
    answer(&life, HOURS(10), 2, "\"product\":\"A\",");
    answer(&life, HOURS(12), 9, "\"product\":\"B\",");
    life.holds_back = false;
    life_commit(&life);
    assert_int_equal(life_sums(&life, "nps product=A").n, 0);
    assert_int_equal(life_touched_at_ms(&life, "nps product=A"), HOURS(10));
    assert_int_equal(life_sums(&life, "nps product=B").n, 1);
    life_end(&life);
}

/* Something newer that is added speaks for it: whatever ended after the older minute is published again anyway. */
static void nothing_is_told_beside_what_is_newer(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life.holds_back = true;
    answer(&life, HOURS(10), 2, "\"product\":\"A\",");
    answer(&life, HOURS(12), 9, "\"product\":\"A\",");
    life.holds_back = false;
    life_commit(&life);
    assert_int_equal(life_sums(&life, "nps product=A").n, 1);
    assert_int_equal(life_touched_at_ms(&life, "nps product=A"), -1);
    life_end(&life);
}

static void an_older_resolution_tells_whose_it_was(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    static const struct {
        int64_t at_ms;
        const char *action, *team;
    } changes[] = {{0, "OPENED", "A"}, {HOURS(8), "REOPENED", "B"}, {HOURS(9), "RESOLVED", "B"}, {HOURS(3), "RESOLVED", "A"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char data[200];
        snprintf(data, sizeof data, "\"ticket_id\":\"t\",\"action\":\"%s\",\"team\":\"%s\"", changes[i].action, changes[i].team);
        life_add(&life, changes[i].at_ms, "TicketChanged", data);
    }
    assert_int_equal(life_sums(&life, "full_resolution_time team=B").n, 1);
    assert_int_equal(life_sums(&life, "full_resolution_time team=A").n, 0);
    assert_int_equal(life_touched_at_ms(&life, "full_resolution_time team=A"), HOURS(3));
    life_end(&life);
}

static void an_older_segment_tells_who_was_in_it(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life_add_with(&life, HOURS(12), "ProductUsed", "\"feature\":\"f\",\"seconds\":60", "\"segment\":\"new\",");
    life_add_with(&life, HOURS(10), "ProductUsed", "\"feature\":\"f\",\"seconds\":60", "\"segment\":\"old\",");
    assert_int_equal(life_sums(&life, "active_customers segment=new").n, 1);
    static const char *const people[] = {"active_customers segment=old", "churn_rate segment=old"};
    for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
        assert_int_equal(life_sums(&life, people[i]).n, 0);
        assert_true(life_touched_at_ms(&life, people[i]) >= HOURS(10));
    }
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_answer_tells_where_it_stood),
        cmocka_unit_test(two_answers_that_come_together_tell_both_places),
        cmocka_unit_test(nothing_is_told_beside_what_is_newer),
        cmocka_unit_test(an_older_resolution_tells_whose_it_was),
        cmocka_unit_test(an_older_segment_tells_who_was_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
