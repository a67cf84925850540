/* Random records of every shape: the generated codecs and Avro C agree to the byte; and whatever bytes come in, nothing
 * but exactly one record is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "schemas/avro_io.h"
#include "schemas/json_form.h"
#include "tests/unit/schemas/random_record.h"
#include <stdlib.h>

enum { SEED = 20261122, ROUNDS = 300, MUTATIONS = 2000 };

static struct arena arena;
static struct random chance;

static void *random_record(const struct record_shape *shape)
{
    char *record = arena_alloc(&arena, shape->size);
    random_fill(&chance, &arena, shape, record);
    return record;
}

static void assert_same(const struct bytes *a, const struct bytes *b, const char *what, const char *name)
{
    if (a->size != b->size || memcmp(a->data, b->data, a->size) != 0)
        fail_msg("%s: %s differs (seed %d)", name, what, SEED);
}

static void generated_codecs_agree_with_avro_c(void **state)
{
    (void)state;
    for (size_t s = 0; s < record_shape_count; s++) {
        const struct record_shape *shape = record_shapes[s];
        char error[300];
        struct avro_fault fault;
        struct avro_foreign *foreign = avro_foreign_create(view_of_text(shape->schema_json), error, sizeof error);
        assert_non_null(foreign);
        for (int round = 0; round < ROUNDS; round++) {
            struct bytes ours = {0}, theirs = {0}, again = {0}, carried = {0};
            void *record = random_record(shape), *decoded = arena_alloc(&arena, shape->size);
            shape->encode(&ours, record);
            if (!avro_io_round_trip(shape->schema_json, bytes_view(&ours), &theirs))
                fail_msg("Avro C does not read our %s (seed %d)", shape->name, SEED);
            assert_same(&ours, &theirs, "Avro C's encoding", shape->name);
            assert_true(shape->decode(decoded, bytes_view(&ours), &arena));
            shape->encode(&again, decoded);
            assert_same(&ours, &again, "decoded and encoded again it", shape->name);
            if (!avro_foreign_convert(foreign, shape, bytes_view(&ours), &carried, &fault))
                fail_msg("%s is not carried over: %s", shape->name, fault.text);
            assert_same(&ours, &carried, "carried over it", shape->name);
            bytes_finish(&ours);
            bytes_finish(&theirs);
            bytes_finish(&again);
            bytes_finish(&carried);
            arena_reset(&arena);
        }
        avro_foreign_destroy(foreign);
    }
}

static void touchpoints_survive_their_json_form(void **state)
{
    (void)state;
    for (int round = 0; round < 20 * ROUNDS; round++) {
        struct bytes ours = {0}, text = {0}, again = {0};
        struct touchpoint read;
        struct json_fault fault;
        void *record = random_record(&touchpoint_shape);
        touchpoint_encode(&ours, record);
        record_to_json(&text, &touchpoint_shape, record);
        if (!touchpoint_from_json(&read, bytes_view(&text), (struct view){NULL, 0}, &arena, &fault))
            fail_msg("%s %.*s: %.*s in %s", fault.code, VIEW_ARGUMENTS(fault.path), VIEW_ARGUMENTS(fault.reason),
                     bytes_text(&text));
        touchpoint_encode(&again, &read);
        assert_same(&ours, &again, "from JSON it", "Touchpoint");
        bytes_finish(&ours);
        bytes_finish(&text);
        bytes_finish(&again);
        arena_reset(&arena);
    }
}

/* In memory of exactly this size, so that the sanitizer sees a read past the end. */
static bool decodes(const struct record_shape *shape, const char *data, size_t size)
{
    char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    bool result = shape->decode(arena_alloc(&arena, shape->size), view_of(exact, size), &arena);
    free(exact);
    return result;
}

static void a_record_cut_short_or_with_more_behind_it_is_refused(void **state)
{
    (void)state;
    for (size_t s = 0; s < record_shape_count; s++) {
        struct bytes ours = {0};
        record_shapes[s]->encode(&ours, random_record(record_shapes[s]));
        for (size_t size = 0; size < ours.size; size++)
            assert_false(decodes(record_shapes[s], ours.data, size));
        assert_true(decodes(record_shapes[s], ours.data, ours.size));
        bytes_append_byte(&ours, 0);
        assert_false(decodes(record_shapes[s], ours.data, ours.size));
        bytes_finish(&ours);
        arena_reset(&arena);
    }
}

static void damaged_bytes_do_no_harm(void **state)
{
    (void)state;
    for (size_t s = 0; s < record_shape_count; s++) {
        for (int round = 0; round < MUTATIONS; round++) {
            struct bytes ours = {0};
            record_shapes[s]->encode(&ours, random_record(record_shapes[s]));
            for (uint32_t left = 1 + random_below(&chance, 4); left > 0; left--)
                ours.data[random_below(&chance, (uint32_t)ours.size)] = (char)random_next(&chance);
            decodes(record_shapes[s], ours.data, ours.size);
            /* One byte in 16 holds a whole view in the arena, and blocks double: no input may cost much more. */
            assert_true(arena.used_bytes < 200 * ours.size + 300000);
            bytes_finish(&ours);
            arena_reset(&arena);
        }
    }
}

/* A FollowUp's first field is a string, its last a map; between them stand fixed bytes. */
static bool follow_up_with(const char *id, size_t id_size, const char *variables, size_t variables_size)
{
    struct bytes avro = {0};
    const char between[2 + 1 + 16 + 1 + 1 + 1] = {2, 'c', 0}; /* customer "c", kind, cause, channel, two times */
    bytes_append(&avro, id, id_size);
    bytes_append(&avro, between, sizeof between);
    bytes_append(&avro, variables, variables_size);
    bool result = decodes(&follow_up_shape, avro.data, avro.size);
    bytes_finish(&avro);
    arena_reset(&arena);
    return result;
}

#define WITH(id, variables) follow_up_with(id, sizeof(id) - 1, variables, sizeof(variables) - 1)

static void hostile_lengths_are_refused(void **state)
{
    (void)state;
    assert_true(WITH("\x02x", "\0"));
    assert_false(WITH("\x01", "\0"));                                             /* length −1 */
    assert_false(WITH("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\0"));         /* 2^63 − 1 */
    assert_false(WITH("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\0"));         /* −2^63 */
    assert_false(WITH("\x82\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00x", "\0"));    /* 11 bytes for a 1 */
    assert_false(WITH("\x82\x80\x80\x80\x80\x80\x80\x80\x80\x02x", "\0"));        /* more than 64 bits */
    assert_false(WITH("\x82\x00x", "\0"));                                        /* 2 bytes for a 1 */
}

static void map_blocks_are_read_in_every_form_that_avro_has(void **state)
{
    (void)state;
    assert_true(WITH("\x02x", "\x02\x02k\x02v\x02\x02l\x02v\0"));       /* two blocks of one */
    assert_true(WITH("\x02x", "\x01\x08\x02k\x02v\0"));                 /* a block that states its size */
    assert_false(WITH("\x02x", "\x01\x0a\x02k\x02v\0"));                /* and is wrong about it */
    assert_false(WITH("\x02x", "\x01\x06\x02k\x02v\0"));
    assert_false(WITH("\x02x", "\x01\x01\x02k\x02v\0"));                /* of −1 bytes */
    assert_false(WITH("\x02x", "\xfe\xff\xff\xff\x0f\x02k\x02v\0"));    /* 2^31 − 1 entries */
    assert_false(WITH("\x02x", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x08\x02k\x02v\0")); /* −2^63 */
    assert_false(WITH("\x02x", "\x02\x02k\x02v"));                      /* no end */
}

static void indexes_and_booleans_out_of_range_are_refused(void **state)
{
    (void)state;
    struct bytes avro = {0};
    struct touchpoint touch = {.customer_id = VIEW_LITERAL(""), .source = VIEW_LITERAL(""),
                               .body_kind = TOUCHPOINT_BODY_REFERRAL_MADE,
                               .body.referral_made.referred_customer_id = VIEW_LITERAL("")};
    touchpoint_encode(&avro, &touch);
    /* event id 16, customer 1, two times, source 1, then channel */
    enum { CHANNEL_AT = 20, PRODUCT_AT = 21, BODY_AT = 25 };
    assert_int_equal(avro.size, BODY_AT + 3);
    avro.data[CHANNEL_AT] = 2 * (CHANNEL_COUNT - 1);
    assert_true(decodes(&touchpoint_shape, avro.data, avro.size));
    avro.data[CHANNEL_AT] = 2 * CHANNEL_COUNT;
    assert_false(decodes(&touchpoint_shape, avro.data, avro.size));
    avro.data[CHANNEL_AT] = 1; /* −1 */
    assert_false(decodes(&touchpoint_shape, avro.data, avro.size));
    avro.data[CHANNEL_AT] = 0;
    avro.data[PRODUCT_AT] = 4;
    assert_false(decodes(&touchpoint_shape, avro.data, avro.size));
    avro.data[PRODUCT_AT] = 0;
    avro.data[BODY_AT] = 2 * TOUCHPOINT_BODY_COUNT;
    assert_false(decodes(&touchpoint_shape, avro.data, avro.size));
    avro.data[BODY_AT] = 2 * TOUCHPOINT_BODY_REFERRAL_MADE;
    avro.data[BODY_AT + 2] = 2; /* converted */
    assert_false(decodes(&touchpoint_shape, avro.data, avro.size));
    bytes_finish(&avro);
}

static void names_and_symbols_belong_together(void **state)
{
    (void)state;
    enum ticket_action action = TICKET_ACTION_OPENED;
    assert_string_equal(ticket_action_name(TICKET_ACTION_HANDED_OFF), "HANDED_OFF");
    assert_true(ticket_action_from_name(VIEW_LITERAL("CLOSED"), &action));
    assert_int_equal(action, TICKET_ACTION_CLOSED);
    assert_false(ticket_action_from_name(VIEW_LITERAL("closed"), &action));
    assert_int_equal(action, TICKET_ACTION_CLOSED);
    assert_string_equal(touchpoint_body_kind_name(TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN), "CustomerForgotten");
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    random_init(&chance, SEED);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_codecs_agree_with_avro_c),
        cmocka_unit_test(touchpoints_survive_their_json_form),
        cmocka_unit_test(a_record_cut_short_or_with_more_behind_it_is_refused),
        cmocka_unit_test(damaged_bytes_do_no_harm),
        cmocka_unit_test(hostile_lengths_are_refused),
        cmocka_unit_test(map_blocks_are_read_in_every_form_that_avro_has),
        cmocka_unit_test(indexes_and_booleans_out_of_range_are_refused),
        cmocka_unit_test(names_and_symbols_belong_together),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
