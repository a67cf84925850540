/* Values under other writers' schemas: what has a place in ours is carried over just as fastavro resolves it, and what
 * has none is refused with the field's name. The cases are in tests/golden/make_golden.py. */
#include "schemas/avro_io.h"
#include "schemas/layout.h"
#include "schemas/reader.h"
#include "schemas/records.h"
#include "schemas/wire.h"
#include "tests/unit/schemas/ndjson.h"

static struct arena arena;
static unsigned carried, refused;

static const struct record_shape *shape_of_row(json_t *row)
{
    return strcmp(row_text(row, "record"), "Kpi") == 0 ? &kpi_shape : &touchpoint_shape;
}

static void check_row(json_t *row)
{
    const char *expected = row_text(row, "ours");
    struct bytes avro = bytes_of_hex(row_text(row, "avro")), ours = {0};
    char error[300] = "";
    struct avro_fault fault = {.text = ""};
    struct avro_foreign *foreign = avro_foreign_create(view_of_text(row_text(row, "schema")), error, sizeof error);
    assert_non_null(foreign);
    bool is_carried = avro_foreign_convert(foreign, shape_of_row(row), bytes_view(&avro), &ours, &fault);
    if (is_carried != (expected != NULL))
        fail_msg("%s: %s", row_text(row, "case"), is_carried ? "should have been refused" : fault.text);
    if (is_carried) {
        struct bytes wanted = bytes_of_hex(expected);
        assert_int_equal(ours.size, wanted.size);
        assert_memory_equal(ours.data, wanted.data, wanted.size);
        bytes_finish(&wanted);
        carried++;
    } else {
        assert_non_null(strstr(fault.text, "field "));
        assert_true(fault.path[0] && fault.code);
        assert_int_equal(ours.size, 0);
        refused++;
    }
    avro_foreign_destroy(foreign);
    bytes_finish(&avro);
    bytes_finish(&ours);
}

static void other_writers_records_become_ours_as_fastavro_has_it(void **state)
{
    (void)state;
    ndjson_each("tests/golden/foreign.ndjson", check_row);
    assert_true(carried >= 8);
    assert_true(refused >= 3);
}

/* Cut anywhere, a foreign record is refused: Avro C must not read past its end. */
static void check_cut_row(json_t *row)
{
    struct bytes avro = bytes_of_hex(row_text(row, "avro")), ours = {0};
    char error[300];
    struct avro_fault fault;
    struct avro_foreign *foreign = avro_foreign_create(view_of_text(row_text(row, "schema")), error, sizeof error);
    for (size_t size = 0; size < avro.size; size++)
        assert_false(avro_foreign_convert(foreign, shape_of_row(row), view_of(avro.data, size), &ours, &fault));
    bytes_append_byte(&avro, 0);
    assert_false(avro_foreign_convert(foreign, shape_of_row(row), bytes_view(&avro), &ours, &fault));
    avro_foreign_destroy(foreign);
    bytes_finish(&avro);
    bytes_finish(&ours);
}

static void a_foreign_record_cut_short_or_with_more_behind_it_is_refused(void **state)
{
    (void)state;
    ndjson_each("tests/golden/foreign.ndjson", check_cut_row);
}

static bool same_layout(const char *a, const char *b)
{
    return schema_same_layout(view_of_text(a), view_of_text(b));
}

static void layouts_are_compared_by_what_bytes_depend_on(void **state)
{
    (void)state;
    const char *plain = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}";
    const char *dressed = "{\"name\": \"n.R\", \"doc\": \"said\", \"type\": \"record\", \"fields\": [{\"default\": \"\","
                          "\"name\": \"a\", \"type\": {\"type\": \"string\", \"avro.java.string\": \"String\"}}]}";
    const char *other_field = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":\"string\"}]}";
    const char *other_type = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}";
    assert_true(same_layout(plain, dressed));
    assert_false(same_layout(plain, other_field));
    assert_false(same_layout(plain, other_type));
    assert_false(same_layout("[\"null\",\"string\"]", "[\"string\",\"null\"]"));
    assert_false(same_layout("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}",
                             "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"B\",\"A\"]}"));
    assert_false(same_layout(plain, "{"));
    for (size_t i = 0; i < record_shape_count; i++)
        assert_int_equal(same_layout(record_shapes[i]->schema_json, touchpoint_schema_json),
                         record_shapes[i] == &touchpoint_shape);
}

static void the_reader_takes_ids_it_knows_and_parks_the_rest(void **state)
{
    (void)state;
    struct record_reader *reader = record_reader_create(&touchpoint_shape, NULL);
    struct touchpoint touch = {.customer_id = VIEW_LITERAL("c"), .source = VIEW_LITERAL("s"),
                               .body_kind = TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN};
    struct touchpoint read;
    struct bytes value = {0};
    struct view avro;
    const char *why = NULL;
    record_reader_learn(reader, 0x01020304);
    wire_begin(&value, 0x01020304);
    touchpoint_encode(&value, &touch);
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &read, &avro, &why), OUTCOME_OK);
    assert_true(view_equal_text(read.customer_id, "c"));
    assert_ptr_equal(avro.data, value.data + WIRE_HEADER_BYTES);

    value.data[4] = 5; /* another id */
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &read, &avro, &why), OUTCOME_PARK);
    assert_non_null(why);
    value.data[4] = 4;
    value.data[0] = 1; /* no wire format */
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &read, NULL, NULL), OUTCOME_PARK);
    value.data[0] = 0;
    value.size--; /* cut short */
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &read, NULL, &why), OUTCOME_PARK);
    assert_int_equal(record_reader_read(reader, view_of("", 0), &arena, &read, NULL, &why), OUTCOME_PARK);
    bytes_finish(&value);
    record_reader_destroy(reader);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
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
        cmocka_unit_test(other_writers_records_become_ours_as_fastavro_has_it),
        cmocka_unit_test(a_foreign_record_cut_short_or_with_more_behind_it_is_refused),
        cmocka_unit_test(layouts_are_compared_by_what_bytes_depend_on),
        cmocka_unit_test(the_reader_takes_ids_it_knows_and_parks_the_rest),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
