/* The outbox: what goes in comes out once, in order within each partition, again after an abort, and not at all when muted. */
#include "engine/outgoing.h"

#include "base/hash.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

struct ear {
    struct broker broker; /* first */
    struct bytes heard;
    size_t count, room; /* room: how many it takes before it says RETRY */
};

static enum outcome produce(struct broker *broker, const struct broker_message *messages, size_t count, size_t *taken)
{
    struct ear *ear = (struct ear *)broker;
    for (*taken = 0; *taken < count; ++*taken) {
        if (ear->count == ear->room)
            return OUTCOME_RETRY;
        const struct broker_message *message = &messages[*taken];
        if (message->value.data)
            bytes_printf(&ear->heard, "%d/%d %.*s=%.*s\n", message->topic, message->partition, VIEW_ARGUMENTS(message->key),
                         VIEW_ARGUMENTS(message->value));
        else
            bytes_printf(&ear->heard, "%d/%d %.*s gone at %d\n", message->topic, message->partition,
                         VIEW_ARGUMENTS(message->key), (int)message->died_at_offset);
        ear->count++;
    }
    return OUTCOME_OK;
}

static const struct broker_port port = {.produce = produce};

static void put(struct outbox *outbox, int topic, int32_t partition, const char *key, const char *value)
{
    struct bytes *out = outbox_begin(outbox, topic, partition, view_of_text(key), 0);
    bytes_append_text(out, value);
    outbox_end(outbox);
}

static void open(struct outbox *outbox, struct ear *ear)
{
    outbox_init(outbox);
    outbox->partition_counts[0] = 8;
    outbox->partition_counts[1] = 3;
    *ear = (struct ear){.broker = {&port}, .room = SIZE_MAX};
}

static void close(struct outbox *outbox, struct ear *ear)
{
    outbox_finish(outbox);
    bytes_finish(&ear->heard);
}

static void the_first_of_each_partition_goes_ahead_and_each_keeps_its_order(void **state)
{
    (void)state;
    struct outbox outbox;
    struct ear ear;
    open(&outbox, &ear);
    put(&outbox, 0, OUTBOX_BY_KEY, "c-42", "one");
    put(&outbox, 1, 2, "c-42", "two");
    outbox_delete(&outbox, 0, VIEW_LITERAL("c-42"), 0);
    outbox_delete_checkpoint(&outbox, 5, VIEW_LITERAL("c-42"), 0, 77, 0);
    assert_int_equal(outbox_send(&outbox, &ear.broker, true), OUTCOME_OK);
    int32_t partition = hash_kafka_partition(VIEW_LITERAL("c-42"), 8);
    char wanted[200];
    snprintf(wanted, sizeof wanted, "0/%d c-42=one\n1/2 c-42=two\n-1/5 c-42 gone at 77\n0/%d c-42 gone at -1\n", partition,
             partition); /* partitions are those that Java clients choose */
    assert_string_equal(bytes_text(&ear.heard), wanted);
    close(&outbox, &ear);
}

static void muted_records_are_forgotten(void **state)
{
    (void)state;
    struct outbox outbox;
    struct ear ear;
    open(&outbox, &ear);
    outbox.is_muted = true;
    put(&outbox, 0, OUTBOX_BY_KEY, "a", "1");
    outbox_delete(&outbox, 0, VIEW_LITERAL("a"), 0);
    outbox.is_muted = false;
    put(&outbox, 0, 0, "b", "2");
    outbox_send(&outbox, &ear.broker, true);
    assert_string_equal(bytes_text(&ear.heard), "0/0 b=2\n");
    close(&outbox, &ear);
}

static void a_full_queue_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct outbox outbox;
    struct ear ear;
    open(&outbox, &ear);
    put(&outbox, 0, 0, "a", "1");
    put(&outbox, 0, 0, "b", "2");
    ear.room = 1;
    assert_int_equal(outbox_send(&outbox, &ear.broker, true), OUTCOME_RETRY);
    ear.room = 9;
    assert_int_equal(outbox_send(&outbox, &ear.broker, true), OUTCOME_OK);
    assert_string_equal(bytes_text(&ear.heard), "0/0 a=1\n0/0 b=2\n");
    close(&outbox, &ear);
}

static void after_an_abort_the_same_comes_again(void **state)
{
    (void)state;
    struct outbox outbox;
    struct ear ear;
    open(&outbox, &ear);
    char value[3000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < 300; i++) /* some 900 kB: several chunks */
        put(&outbox, 0, 0, "k", value);
    assert_int_equal(outbox_send(&outbox, &ear.broker, false), OUTCOME_OK);
    size_t early = ear.count;
    assert_in_range(early, 150, 299); /* closed chunks only */
    outbox_send(&outbox, &ear.broker, true);
    assert_int_equal(ear.count, 300);
    struct bytes first = ear.heard;
    ear.heard = (struct bytes){0};
    outbox_rewind(&outbox);
    outbox_send(&outbox, &ear.broker, true);
    assert_int_equal(first.size, ear.heard.size);
    assert_memory_equal(first.data, ear.heard.data, first.size);
    outbox_clear(&outbox);
    assert_true(outbox_is_empty(&outbox));
    bytes_finish(&first);
    close(&outbox, &ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_each_partition_goes_ahead_and_each_keeps_its_order),
        cmocka_unit_test(muted_records_are_forgotten),
        cmocka_unit_test(a_full_queue_goes_on_where_it_stopped),
        cmocka_unit_test(after_an_abort_the_same_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
