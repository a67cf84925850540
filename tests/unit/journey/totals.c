/* Sums of several partitions that leave in one transaction: each addition once, and with its own partition. */
#include "processors/journey/sums/totals.h"

#include "base/memory.h"
#include "schemas/records.h"
#include "schemas/wire.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

/* An outbox that adds up what it hears. */
struct outbox {
    struct bytes value;
    int64_t n, records;
    bool is_muted;
    struct heard {
        char key[64];
        int64_t n;
    } heard[32]; /* by record */
};

bool outbox_is_muted(const struct outbox *outbox)
{
    return outbox->is_muted;
}

struct bytes *outbox_begin(struct outbox *outbox, int topic, int32_t partition, struct view key, int64_t timestamp_ms)
{
    (void)topic, (void)partition, (void)timestamp_ms;
    bytes_clear(&outbox->value);
    snprintf(outbox->heard[outbox->records % 32].key, sizeof outbox->heard->key, "%.*s", VIEW_ARGUMENTS(key));
    return &outbox->value;
}

void outbox_end(struct outbox *outbox)
{
    struct arena arena;
    struct kpi_delta delta;
    uint32_t id;
    struct view avro;
    arena_init(&arena);
    assert_true(wire_split(bytes_view(&outbox->value), &id, &avro) && kpi_delta_decode(&delta, avro, &arena));
    struct heard *heard = &outbox->heard[outbox->records++ % 32];
    heard->n = 0;
    for (size_t i = 0; i < delta.buckets.count; i++)
        heard->n += delta.buckets.items[i].n;
    outbox->n += heard->n;
    arena_finish(&arena);
}

struct part {
    struct dimensions dimensions;
    struct totals *totals;
};

static struct rollup_plan plan = {.values_max = 100};

static void part_open(struct part *part)
{
    dimensions_init(&part->dimensions, &plan);
    part->totals = totals_create(&part->dimensions);
}

static void part_close(struct part *part)
{
    totals_destroy(part->totals);
    dimensions_finish(&part->dimensions);
}

static void part_add(struct part *part, int times)
{
    struct tally tally = {0};
    tally_begin(&tally, 0);
    tally_add_count(&tally, place_at(KPI_REVIEW_COUNT, 0, NO_STAGE, 60000));
    totals_add(part->totals, &tally.items[0], times);
    tally_finish(&tally);
}

static int64_t flush(struct part *part, struct outbox *outbox)
{
    struct totals_target target = {.outbox = outbox, .schema_id = 1};
    int64_t before = outbox->n;
    totals_flush(part->totals, &target);
    return outbox->n - before;
}

static void one_flush_sends_what_all_have_added(void **state)
{
    (void)state;
    struct outbox outbox = {0};
    struct part one, other;
    part_open(&one), part_open(&other);
    assert_int_equal(flush(&one, &outbox) + flush(&other, &outbox), 0);
    part_add(&one, 3), part_add(&other, 4);
    assert_int_equal(flush(&one, &outbox), 7);
    assert_int_equal(outbox.records, 1);
    assert_int_equal(flush(&other, &outbox), 0);
    part_close(&one), part_close(&other);
    bytes_finish(&outbox.value);
}

/* Its offset is not in the transaction: crash after it, and what had gone along would be added a second time. */
static void a_partition_that_is_read_again_waits_for_its_own_flush(void **state)
{
    (void)state;
    struct outbox outbox = {0};
    struct part live, replaying;
    part_open(&live), part_open(&replaying);
    assert_int_equal(flush(&live, &outbox) + flush(&replaying, &outbox), 0);
    part_add(&live, 3);
    outbox.is_muted = true;
    totals_hear(replaying.totals, &outbox);
    outbox.is_muted = false;
    part_add(&replaying, 4);
    assert_int_equal(flush(&live, &outbox), 3);
    totals_hear(replaying.totals, &outbox); /* live, in the middle of a batch */
    part_add(&replaying, 5);
    part_add(&live, 1);
    assert_int_equal(flush(&live, &outbox), 1);
    assert_int_equal(flush(&replaying, &outbox), 9);
    part_add(&replaying, 2);
    assert_int_equal(flush(&live, &outbox), 2);
    part_close(&live), part_close(&replaying);
    bytes_finish(&outbox.value);
}

/* Far more than are remembered by what they roll up to. */
static void many_places_of_one_series_are_one_sum(void **state)
{
    (void)state;
    enum { PLACES = 100000 };
    struct outbox outbox = {0};
    struct part part;
    struct tally tally = {0};
    part_open(&part);
    for (int again = 0; again < 2; again++) {
        for (uint32_t i = 0; i < PLACES; i++) {
            struct place place = place_at(KPI_REVIEW_COUNT, 0, NO_STAGE, 60000);
            place.name = i;
            tally_begin(&tally, 0);
            tally_add_count(&tally, place);
            totals_add(part.totals, &tally.items[0], 1);
        }
        assert_int_equal(flush(&part, &outbox), PLACES);
        assert_int_equal(outbox.records, again + 1);
    }
    tally_finish(&tally);
    part_close(&part);
    bytes_finish(&outbox.value);
}

static int64_t heard_of(const struct outbox *outbox, const char *key)
{
    for (int64_t i = 0; i < outbox->records; i++) {
        if (strcmp(outbox->heard[i].key, key) == 0)
            return outbox->heard[i].n;
    }
    return -1;
}

/* A rollup is added up from a finer one when sums leave, and has what no series of the finer one has: what is told without a product. */
static void a_whole_is_its_parts_and_what_is_in_none(void **state)
{
    (void)state;
    static const struct addition {
        uint32_t product, channel;
        int times;
    } additions[] = {{1, CHANNEL_EMAIL, 2}, {2, CHANNEL_EMAIL, 3}, {0, CHANNEL_EMAIL, 4}, {1, CHANNEL_WEB, 5}};
    char *items[] = {"channel", "product", "product+channel"};
    struct rollup_plan rolled;
    const char *wrong;
    assert_true(rollup_plan_parse(&rolled, &(struct text_list){.items = items, .count = 3}, 100, &wrong));
    struct outbox outbox = {0};
    struct part part;
    struct tally tally = {0};
    dimensions_init(&part.dimensions, &rolled);
    part.totals = totals_create(&part.dimensions);
    flush(&part, &outbox);
    assert_int_equal(strings_number(&part.dimensions.products, VIEW_LITERAL("P1")), 1);
    assert_int_equal(strings_number(&part.dimensions.products, VIEW_LITERAL("P2")), 2);
    for (size_t i = 0; i < 4; i++) {
        struct tuple tuple = {.product = additions[i].product, .channel = additions[i].channel};
        tally_begin(&tally, 0);
        tally_add_count(&tally, place_at(KPI_REVIEW_COUNT, dimensions_number(&part.dimensions, &tuple), NO_STAGE, 60000));
        totals_add(part.totals, &tally.items[0], additions[i].times);
    }
    flush(&part, &outbox);
    assert_int_equal(outbox.records, 8);
    assert_int_equal(heard_of(&outbox, "review_count|all"), 14);
    assert_int_equal(heard_of(&outbox, "review_count|channel=EMAIL"), 9);
    assert_int_equal(heard_of(&outbox, "review_count|channel=WEB"), 5);
    assert_int_equal(heard_of(&outbox, "review_count|product=P1"), 7);
    assert_int_equal(heard_of(&outbox, "review_count|product=P2"), 3);
    assert_int_equal(heard_of(&outbox, "review_count|product=P1,channel=EMAIL"), 2);
    assert_int_equal(heard_of(&outbox, "review_count|product=P2,channel=EMAIL"), 3);
    assert_int_equal(heard_of(&outbox, "review_count|product=P1,channel=WEB"), 5);
    tally_finish(&tally);
    part_close(&part);
    bytes_finish(&outbox.value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_flush_sends_what_all_have_added),
                                       cmocka_unit_test(many_places_of_one_series_are_one_sum),
                                       cmocka_unit_test(a_whole_is_its_parts_and_what_is_in_none),
                                       cmocka_unit_test(a_partition_that_is_read_again_waits_for_its_own_flush)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
