/* Who produces to the topic without the collector is held to the same rules, and what breaks them costs nobody else anything. */
#include "base/metrics.h"
#include "tests/stage/journey/life.h"

#define NOW_MS (LIFE_START_MS + DAYS(1))

static struct touchpoint review_now(const char *customer)
{
    struct touchpoint touch = {.customer_id = view_of_text(customer),
                               .occurred_at_ms = NOW_MS,
                               .received_at_ms = NOW_MS,
                               .source = VIEW_LITERAL("erp"),
                               .body_kind = TOUCHPOINT_BODY_REVIEW_POSTED,
                               .body = {.review_posted = {.stars = 4, .text = VIEW_LITERAL("fine")}}};
    static uint8_t number;
    touch.event_id.bytes[0] = ++number;
    return touch;
}

/* The code it was refused with, or "". */
static const char *verdict(struct life *life, const struct touchpoint *touch, struct rejected *rejected)
{
    struct bytes value = {0};
    wire_begin(&value, 1);
    touchpoint_encode(&value, touch);
    enum outcome outcome = driver_feed(life->driver, touch->customer_id, bytes_view(&value), NOW_MS);
    bytes_finish(&value);
    driver_commit(life->driver);
    *rejected = (struct rejected){0};
    for (size_t i = 0; i < driver_output_count(life->driver); i++) {
        const struct driver_output *output = driver_output(life->driver, i);
        uint32_t id;
        struct view avro;
        if (strcmp(output->topic, "touchpoints.rejected") == 0 && wire_split(output->value, &id, &avro))
            assert_true(rejected_decode(rejected, arena_copy(&life->arena, avro), &life->arena));
    }
    driver_forget_outputs(life->driver);
    assert_int_equal(outcome, rejected->code.data ? OUTCOME_PARK : OUTCOME_OK);
    return arena_text(&life->arena, rejected->code);
}

#define refused(life, touch, code_, path_)                                                                                     \
    do {                                                                                                                       \
        struct rejected rejected_;                                                                                             \
        assert_string_equal(verdict(life, touch, &rejected_), code_);                                                          \
        assert_string_equal(arena_text(&(life)->arena, rejected_.path), path_);                                                \
    } while (0)

static void accepted(struct life *life, const char *customer)
{
    struct touchpoint touch = review_now(customer);
    struct rejected rejected;
    assert_string_equal(verdict(life, &touch, &rejected), "");
}

/* Two of them, and what a customer has spent would be negative. */
static void amounts_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    struct touchpoint touch = review_now("c-1");
    touch.body_kind = TOUCHPOINT_BODY_ORDER_PLACED;
    touch.body.order_placed = (struct order_placed){
        .order_id = VIEW_LITERAL("o"), .amount_minor = INT64_MAX, .currency = VIEW_LITERAL("EUR"), .has_offer = true};
    refused(&life, &touch, "out_of_range", "data.amount_minor");
    touch.body.order_placed.amount_minor = 1000;
    struct rejected rejected;
    assert_string_equal(verdict(&life, &touch, &rejected), "");
    life_end(&life);
}

/* Microseconds where milliseconds belong: a partition that believed them would live in the year 58,000, and call all others too late. */
static void a_clock_of_another_unit_does_not_move_ours(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    accepted(&life, "c-1");
    struct touchpoint touch = review_now("c-2");
    touch.occurred_at_ms *= 1000;
    touch.received_at_ms *= 1000;
    refused(&life, &touch, "future", "occurred_at");
    assert_true(driver_clock_ms(life.driver) <= NOW_MS);
    touch.occurred_at_ms = NOW_MS;
    refused(&life, &touch, "future", "received_at");
    touch.occurred_at_ms = touch.received_at_ms = NOW_MS / 1000; /* seconds */
    refused(&life, &touch, "too_old", "occurred_at");
    accepted(&life, "c-2");
    life_end(&life);
}

static void what_is_out_of_range_is_not_counted(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    struct touchpoint touch = review_now("c-1");
    touch.body.review_posted.stars = 9;
    refused(&life, &touch, "out_of_range", "data.stars");
    touch = review_now("");
    refused(&life, &touch, "empty", "customer_id");
    touch = review_now("caf\xe9");
    refused(&life, &touch, "bad_utf8", "customer_id");
    touch = review_now("c-1");
    touch.product = VIEW_LITERAL("\xed\xa0\x80");
    refused(&life, &touch, "bad_utf8", "product");
    assert_int_equal(driver_entry_count(life.driver), 0);
    life_end(&life);
}

/* Whoever means to delete a customer with one, as from a compacted topic, must not believe that it has worked. */
static void a_tombstone_is_no_touchpoint_and_moves_no_clock(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    accepted(&life, "c-1");
    int64_t clock_ms = driver_clock_ms(life.driver);
    assert_int_equal(driver_feed(life.driver, VIEW_LITERAL("c-1"), (struct view){NULL, 0}, NOW_MS + HOURS(1)), OUTCOME_PARK);
    driver_commit(life.driver);
    const struct driver_output *output = driver_latest(life.driver, "touchpoints.rejected", VIEW_LITERAL("c-1"));
    uint32_t id;
    struct view avro;
    struct rejected rejected;
    assert_non_null(output);
    assert_true(wire_split(output->value, &id, &avro) && rejected_decode(&rejected, avro, &life.arena));
    assert_string_equal(arena_text(&life.arena, rejected.code), "wrong_type");
    assert_non_null(strstr(arena_text(&life.arena, rejected.reason), "touchstream forget"));
    assert_true(driver_clock_ms(life.driver) == clock_ms && driver_entry_count(life.driver) == 1);
    driver_tick(life.driver, NOW_MS + HOURS(1)); /* nor is a tick, which has no key, a tombstone */
    assert_int_equal(driver_clock_ms(life.driver), NOW_MS + HOURS(1));
    life_end(&life);
}

/* Where a producer's keys spread a customer over partitions they have two lives, and nobody would know why the numbers are wrong. */
static void a_key_that_is_not_the_customers_counts_and_is_known(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    struct metric *miskeyed = metrics_counter("touchstream_journey_miskeyed_total", NULL, "");
    const struct view keys[] = {{NULL, 0}, VIEW_LITERAL(""), VIEW_LITERAL("c-2"), VIEW_LITERAL("order-17"), VIEW_LITERAL("c-1")};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct touchpoint touch = review_now("c-1");
        struct bytes value = {0};
        wire_begin(&value, 1);
        touchpoint_encode(&value, &touch);
        assert_int_equal(driver_feed(life.driver, keys[i], bytes_view(&value), NOW_MS), OUTCOME_OK);
        bytes_finish(&value);
    }
    driver_tick(life.driver, NOW_MS);
    driver_commit(life.driver);
    assert_int_equal(driver_entry_count(life.driver), 1);
    assert_int_equal(metric_value(miskeyed), 4);
    driver_recover(life.driver); /* what is read again was counted */
    assert_int_equal(metric_value(miskeyed), 4);
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_is_not_the_customers_counts_and_is_known),
        cmocka_unit_test(amounts_that_cannot_be_are_refused),
        cmocka_unit_test(a_clock_of_another_unit_does_not_move_ours),
        cmocka_unit_test(what_is_out_of_range_is_not_counted),
        cmocka_unit_test(a_tombstone_is_no_touchpoint_and_moves_no_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
