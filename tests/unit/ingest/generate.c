/* Synthetic traffic: the same from the same seed, valid to the last event, in the promised mix. */
#include "ingest/generate/generate.h"

#include "base/hash.h"
#include "base/map.h"
#include "ingest/accept.h"
#include "ingest/generate/zipf.h"
#include "schemas/wire.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Everything sent, looked at. */
struct census {
    uint64_t count, duplicates, by_kind[TOUCHPOINT_BODY_COUNT];
    uint64_t sum; /* of all bytes, order included */
    struct map ids, opened, customers, begun; /* begun: surveys and orders */
    int64_t longest_wait_ms;                  /* for an answer or a delivery */
    int64_t oldest_ms, newest_ms;
    int64_t check_now_ms;
    struct arena arena;
    int refusals_left;
};

/* `is_other_half` of what was begun before, as far as it was. */
static void note_half(struct census *census, struct view id, const struct touchpoint *touch, bool is_other_half)
{
    void **begun = map_place(&census->begun, id);
    if (!is_other_half)
        *begun = (void *)(uintptr_t)touch->received_at_ms;
    else if (*begun && touch->received_at_ms - (int64_t)(uintptr_t)*begun > census->longest_wait_ms)
        census->longest_wait_ms = touch->received_at_ms - (int64_t)(uintptr_t)*begun;
}

static void note_halves(struct census *census, const struct touchpoint *touch)
{
    if (touch->body_kind == TOUCHPOINT_BODY_SURVEY_SENT)
        note_half(census, touch->body.survey_sent.survey_id, touch, false);
    else if (touch->body_kind == TOUCHPOINT_BODY_SURVEY_ANSWERED)
        note_half(census, touch->body.survey_answered.survey_id, touch, true);
    else if (touch->body_kind == TOUCHPOINT_BODY_ORDER_PLACED)
        note_half(census, touch->body.order_placed.order_id, touch, false);
    else if (touch->body_kind == TOUCHPOINT_BODY_ORDER_DELIVERED)
        note_half(census, touch->body.order_delivered.order_id, touch, true);
}

static enum outcome look(void *target, const char *topic, struct view key, struct view value, int64_t timestamp_ms, void *context)
{
    struct census *census = target;
    struct touchpoint touch;
    struct json_fault fault;
    struct view avro;
    uint32_t id;
    (void)topic, (void)context;
    if (census->refusals_left > 0) {
        census->refusals_left--;
        return OUTCOME_RETRY;
    }
    arena_reset(&census->arena);
    assert_true(wire_split(value, &id, &avro) && touchpoint_decode(&touch, avro, &census->arena));
    assert_true(view_equal(key, touch.customer_id));
    assert_true(check_touchpoint(&touch, &census->arena, &fault));
    assert_true(check_time(&touch, census->check_now_ms, &census->arena, &fault));
    assert_int_equal(timestamp_ms, touch.received_at_ms);
    assert_true(touch.occurred_at_ms <= touch.received_at_ms);
    void **seen = map_place(&census->ids, view_of(touch.event_id.bytes, 16));
    void **customer_events = map_place(&census->customers, touch.customer_id);
    uintptr_t number = (uintptr_t)*customer_events + 1;
    *customer_events = (void *)number;
    census->duplicates += *seen != NULL;
    if (*seen) /* among the customer's last 16, where other engines look for it */
        assert_true(number - (uintptr_t)*seen <= 16);
    *seen = (void *)number;
    if (touch.body_kind == TOUCHPOINT_BODY_TICKET_CHANGED) { /* a ticket begins by being opened, and stays one customer's */
        void **customer = map_place(&census->opened, touch.body.ticket_changed.ticket_id);
        uintptr_t mark = (uintptr_t)(hash_bytes(touch.customer_id) | 1);
        assert_true(*customer ? (uintptr_t)*customer == mark : touch.body.ticket_changed.action == TICKET_ACTION_OPENED);
        *customer = (void *)mark;
    }
    note_halves(census, &touch);
    census->by_kind[touch.body_kind]++;
    census->sum = census->sum * 31 + hash_bytes(value);
    census->oldest_ms = census->count && census->oldest_ms < touch.occurred_at_ms ? census->oldest_ms : touch.occurred_at_ms;
    census->newest_ms = census->newest_ms > touch.occurred_at_ms ? census->newest_ms : touch.occurred_at_ms;
    census->count++;
    return OUTCOME_OK;
}

static struct generate_options usual(void)
{
    return (struct generate_options){.lives = {.seed = 7, .customers = 1000, .mix = MIX_FULL, .disorder_ms = 20000},
                                     .events = 50000,
                                     .start_ms = INT64_C(1790000000000),
                                     .span_ms = DAYS(1),
                                     .duplicates = 0.01};
}

static uint64_t run(struct census *census, struct generate_options options)
{
    struct outlet outlet = {look, NULL, census, "touchpoints", "rejected", 1, 2};
    atomic_bool stop = false;
    arena_init(&census->arena);
    census->check_now_ms = options.rate > 0 ? clock_now_ms(&clock_system) : options.start_ms + options.span_ms;
    uint64_t sent = generate_run(&options, &outlet, &clock_system, &stop, NULL);
    arena_finish(&census->arena);
    map_finish(&census->ids, NULL);
    map_finish(&census->opened, NULL);
    map_finish(&census->customers, NULL);
    map_finish(&census->begun, NULL);
    assert_int_equal(sent, census->count);
    return sent;
}

static void the_full_mix_has_every_kind(void **state)
{
    (void)state;
    struct census census = {0};
    assert_int_equal(run(&census, usual()), 50000);
    for (size_t i = 0; i < TOUCHPOINT_BODY_COUNT; i++)
        assert_true(census.by_kind[i] > 0);
    assert_true(census.by_kind[TOUCHPOINT_BODY_PRODUCT_USED] > 17000 && census.by_kind[TOUCHPOINT_BODY_PRODUCT_USED] < 19000);
    assert_true(census.duplicates > 350 && census.duplicates < 650);
    assert_true(census.newest_ms - census.oldest_ms > HOURS(23));
}

static void the_peers_mix_is_the_jobs(void **state)
{
    (void)state;
    static const int per_mille[TOUCHPOINT_BODY_COUNT] = {
        [TOUCHPOINT_BODY_PRODUCT_USED] = 400,  [TOUCHPOINT_BODY_TICKET_CHANGED] = 200, [TOUCHPOINT_BODY_SURVEY_SENT] = 80,
        [TOUCHPOINT_BODY_SURVEY_ANSWERED] = 80, [TOUCHPOINT_BODY_ORDER_PLACED] = 80,   [TOUCHPOINT_BODY_ORDER_DELIVERED] = 60,
        [TOUCHPOINT_BODY_REVIEW_POSTED] = 40,  [TOUCHPOINT_BODY_SOCIAL_MENTION] = 40,  [TOUCHPOINT_BODY_PRODUCT_RETURNED] = 20};
    struct census census = {0};
    struct generate_options options = usual();
    options.lives.mix = MIX_PEERS;
    run(&census, options);
    for (size_t i = 0; i < TOUCHPOINT_BODY_COUNT; i++) {
        double expected = per_mille[i] * 50.0, found = (double)census.by_kind[i];
        assert_true(found >= expected - 4 * sqrt(expected + 1) && found <= expected + 4 * sqrt(expected + 1));
    }
}

static void a_seed_decides_everything(void **state)
{
    (void)state;
    struct census first = {0}, again = {0}, other = {0}, held_up = {.refusals_left = 3};
    struct generate_options options = usual();
    run(&first, options);
    run(&again, options);
    run(&held_up, options);
    options.lives.seed = 8;
    run(&other, options);
    assert_true(first.sum == again.sum && first.sum == held_up.sum);
    assert_true(first.sum != other.sum);
}

static void without_duplicates_or_disorder(void **state)
{
    (void)state;
    struct census census = {0};
    struct generate_options options = usual();
    options.duplicates = 0;
    options.lives.disorder_ms = 0;
    options.lives.customers = 1;
    run(&census, options);
    assert_int_equal(census.duplicates, 0);
    assert_true(census.oldest_ms == options.start_ms);
}

static void live_traffic_keeps_its_rate_and_tells_stories(void **state)
{
    (void)state;
    struct census census = {0};
    struct generate_options options = usual();
    options.rate = 1000;
    options.events = 300;
    options.lives.has_stories = true;
    int64_t begun_us = clock_monotonic_us();
    run(&census, options);
    int64_t taken_us = clock_monotonic_us() - begun_us;
    assert_true(taken_us >= 290000 && taken_us < 3000000);
}

/* More is begun than finished: in weeks of traffic nobody answers after weeks for that. */
static void months_of_traffic_answer_within_days(void **state)
{
    (void)state;
    struct census census = {0};
    struct generate_options options = usual();
    options.span_ms = DAYS(90);
    run(&census, options);
    assert_true(census.longest_wait_ms > HOURS(12) && census.longest_wait_ms <= DAYS(4));
}

static void zipf_prefers_the_first(void **state)
{
    (void)state;
    struct zipf zipf;
    struct random random;
    uint32_t counts[100] = {0};
    zipf_init(&zipf, 100, 0.8);
    random_init(&random, 1);
    for (int i = 0; i < 1000000; i++)
        counts[zipf_draw(&zipf, &random)]++;
    double total = 0;
    for (int i = 0; i < 100; i++)
        total += pow(i + 1, -0.8);
    for (int i = 0; i < 100; i += 9) {
        double expected = 1e6 * pow(i + 1, -0.8) / total;
        assert_true(fabs(counts[i] - expected) < 5 * sqrt(expected));
    }
    zipf_finish(&zipf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_full_mix_has_every_kind),       cmocka_unit_test(the_peers_mix_is_the_jobs),
        cmocka_unit_test(a_seed_decides_everything),         cmocka_unit_test(without_duplicates_or_disorder),
        cmocka_unit_test(live_traffic_keeps_its_rate_and_tells_stories), cmocka_unit_test(months_of_traffic_answer_within_days), cmocka_unit_test(zipf_prefers_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
