/* Who produces to the topic without the collector is held to the same rules, and what breaks them costs nobody else anything. */
#include "base/hash.h"
#include "base/metrics.h"
#include "processors/journey/miskeyed.h"
#include "tests/stage/journey/life.h"

enum { PARTITIONS = 4 };
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

static void feed_some(struct driver *driver, const char *customer, size_t count)
{
    struct touchpoint touch = review_now(customer);
    struct bytes value = {0};
    wire_begin(&value, 1);
    touchpoint_encode(&value, &touch);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(driver_feed(driver, touch.customer_id, bytes_view(&value), NOW_MS), OUTCOME_OK);
    bytes_finish(&value);
    driver_commit(driver);
}

/* The key is right, and the partition is one that our own doors would not have chosen: as of a producer that does not use murmur2. */
static void a_partition_that_is_not_the_keys_is_known(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    struct metric *misplaced = metrics_counter("touchstream_journey_misplaced_total", NULL, "");
    int32_t home = hash_kafka_partition(VIEW_LITERAL("c-1"), PARTITIONS);
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        int64_t before = metric_value(misplaced), expected = partition == home ? 0 : 3;
        struct driver *driver = driver_create_partition(&journey_processor, &life.shared, partition, PARTITIONS);
        feed_some(driver, "c-1", 3 * MISPLACED_LOOK_EVERY);
        assert_int_equal(driver_entry_count(driver), 1);
        assert_int_equal(metric_value(misplaced) - before, expected);
        driver_recover(driver); /* what is read again was counted */
        assert_int_equal(metric_value(misplaced) - before, expected);
        driver_destroy(driver);
    }
    life_end(&life);
}

/* Transactions of one record each: their markers stand at every second offset. */
static void it_is_known_whichever_offsets_a_producer_leaves_out(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    struct metric *misplaced = metrics_counter("touchstream_journey_misplaced_total", NULL, "");
    int32_t other = (hash_kafka_partition(VIEW_LITERAL("c-1"), PARTITIONS) + 1) % PARTITIONS;
    for (int is_odd = 0; is_odd < 2; is_odd++) {
        int64_t before = metric_value(misplaced);
        struct driver *driver = driver_create_partition(&journey_processor, &life.shared, other, PARTITIONS);
        for (int i = 0; i < 100; i++) {
            if (i % 2 == is_odd)
                feed_some(driver, "c-1", 1);
            else
                driver_tick(driver, NOW_MS);
        }
        assert_true(metric_value(misplaced) > before);
        driver_destroy(driver);
    }
    life_end(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_that_is_not_the_keys_is_known),
        cmocka_unit_test(it_is_known_whichever_offsets_a_producer_leaves_out),
        cmocka_unit_test(a_key_that_is_not_the_customers_counts_and_is_known),
        cmocka_unit_test(amounts_that_cannot_be_are_refused),
        cmocka_unit_test(a_clock_of_another_unit_does_not_move_ours),
        cmocka_unit_test(what_is_out_of_range_is_not_counted),
        cmocka_unit_test(a_tombstone_is_no_touchpoint_and_moves_no_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
