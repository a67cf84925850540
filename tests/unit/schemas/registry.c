/* The registry client and the reader against a registry that answers as told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/http_client.h"
#include "base/http_server.h"
#include "schemas/reader.h"
#include "schemas/records.h"
#include "schemas/wire.h"
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* Set before a request is sent; the exchange of the request orders them. */
static struct {
    int status;
    const char *body;
    int conflicts; /* so many requests are answered 409 first */
} answer;
static char seen_method[8], seen_path[200], seen_login[100];
static struct bytes seen_body;
static atomic_int requests;
static struct http_server *server;
static char url[64];
static struct registry_settings there = {.url = url};

static void handle(void *context, struct http_exchange *exchange)
{
    (void)context;
    struct view method = http_exchange_method(exchange), path = http_exchange_path(exchange);
    snprintf(seen_method, sizeof seen_method, "%.*s", VIEW_ARGUMENTS(method));
    snprintf(seen_path, sizeof seen_path, "%.*s", VIEW_ARGUMENTS(path));
    snprintf(seen_login, sizeof seen_login, "%.*s", VIEW_ARGUMENTS(http_exchange_header(exchange, "Authorization")));
    bytes_clear(&seen_body);
    bytes_append_view(&seen_body, http_exchange_body(exchange));
    atomic_fetch_add(&requests, 1);
    if (answer.conflicts > 0) {
        answer.conflicts--;
        http_exchange_answer(exchange, 409, "application/json", VIEW_LITERAL("{\"message\": \"already exists\"}"));
        return;
    }
    http_exchange_answer(exchange, answer.status, "application/vnd.schemaregistry.v1+json", view_of_text(answer.body));
}

static void will_answer(int status, const char *body)
{
    answer.status = status;
    answer.body = body;
}

static void a_schema_is_registered_under_its_subject(void **state)
{
    (void)state;
    struct registry *registry = registry_create(&there);
    uint32_t id = 0;
    char error[400] = "";
    will_answer(200, "{\"id\": 4711}");
    assert_int_equal(registry_register(registry, "my touchpoints/x-value", touchpoint_schema_json, &id, error, sizeof error),
                     OUTCOME_OK);
    assert_int_equal(id, 4711);
    assert_string_equal(seen_method, "POST");
    assert_string_equal(seen_path, "/prefix/subjects/my touchpoints/x-value/versions");
    json_t *body = json_loadb(seen_body.data, seen_body.size, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(body, "schema")), touchpoint_schema_json);
    json_decref(body);

    will_answer(200, "{\"compatibility\": \"BACKWARD\"}");
    assert_int_equal(registry_require_backward(registry, "t-value", error, sizeof error), OUTCOME_OK);
    assert_string_equal(seen_method, "PUT");
    assert_string_equal(seen_path, "/prefix/config/t-value");
    registry_destroy(registry);
}

static void a_refusal_names_the_subject_and_the_reason(void **state)
{
    (void)state;
    struct registry *registry = registry_create(&there);
    uint32_t id;
    char error[400] = "";
    will_answer(409, "{\"error_code\": 409, \"message\": \"reader field 'x' has no default\"}");
    assert_int_equal(registry_register(registry, "alerts-value", alert_schema_json, &id, error, sizeof error), OUTCOME_STOP);
    assert_non_null(strstr(error, "alerts-value"));
    assert_non_null(strstr(error, "incompatible"));
    assert_non_null(strstr(error, "reader field 'x' has no default"));
    will_answer(401, "who are you?");
    assert_int_equal(registry_register(registry, "alerts-value", alert_schema_json, &id, error, sizeof error), OUTCOME_STOP);
    assert_non_null(strstr(error, "who are you?"));
    registry_destroy(registry);
}

/* Another service of the same installation registers the same, and the registry trips over that. */
static void who_is_second_by_an_instant_is_not_refused(void **state)
{
    (void)state;
    struct registry *registry = registry_create(&there);
    uint32_t id;
    char error[400] = "";
    will_answer(200, "{\"id\": 12, \"compatibility\": \"BACKWARD\"}");
    answer.conflicts = 2;
    assert_int_equal(registry_register(registry, "alerts-value", alert_schema_json, &id, error, sizeof error), OUTCOME_OK);
    assert_int_equal(id, 12);
    answer.conflicts = 1;
    assert_int_equal(registry_require_backward(registry, "alerts-value", error, sizeof error), OUTCOME_OK);
    registry_destroy(registry);
}

static void who_asks_says_so(void **state)
{
    (void)state;
    struct registry_settings keyed = {.url = url, .username = "night", .password = "watch:man"};
    struct registry *registry = registry_create(&keyed), *nameless = registry_create(&there);
    char error[400] = "";
    will_answer(200, "[\"AVRO\"]");
    assert_int_equal(registry_ping(registry, error, sizeof error), OUTCOME_OK);
    assert_string_equal(seen_login, "Basic bmlnaHQ6d2F0Y2g6bWFu");
    assert_int_equal(registry_ping(nameless, error, sizeof error), OUTCOME_OK);
    assert_string_equal(seen_login, "");
    will_answer(401, "");
    assert_int_equal(registry_ping(registry, error, sizeof error), OUTCOME_STOP);
    assert_non_null(strstr(error, "401"));
    assert_null(strstr(error, "watch:man"));
    registry_destroy(registry);
    registry_destroy(nameless);
}

static void trouble_that_passes_is_worth_a_retry(void **state)
{
    (void)state;
    struct registry *registry = registry_create(&there), *nobody = registry_create(&(struct registry_settings){.url = "http://127.0.0.1:1"});
    struct view schema;
    uint32_t id;
    char error[400] = "";
    will_answer(503, "{\"error_code\": 503, \"message\": \"electing\"}");
    assert_int_equal(registry_schema(registry, 1, &schema, error, sizeof error), OUTCOME_RETRY);
    assert_non_null(strstr(error, "electing"));
    will_answer(200, "<html>proxy</html>");
    assert_int_equal(registry_schema(registry, 1, &schema, error, sizeof error), OUTCOME_RETRY);
    assert_int_equal(registry_register(registry, "s", "{}", &id, NULL, 0), OUTCOME_RETRY);
    will_answer(200, "{\"id\": \"seven\"}");
    assert_int_equal(registry_register(registry, "s", "{}", &id, error, sizeof error), OUTCOME_RETRY);
    assert_int_equal(registry_schema(nobody, 1, &schema, error, sizeof error), OUTCOME_RETRY);
    assert_non_null(strstr(error, "cannot be reached"));
    registry_destroy(registry);
    registry_destroy(nobody);
}

static void an_id_is_asked_for_once(void **state)
{
    (void)state;
    struct registry *registry = registry_create(&there);
    struct view schema;
    char error[400];
    will_answer(404, "{\"error_code\": 40403, \"message\": \"Schema not found\"}");
    assert_int_equal(registry_schema(registry, 5, &schema, error, sizeof error), OUTCOME_PARK);
    will_answer(200, "{\"schema\": \"\\\"string\\\"\"}");
    assert_int_equal(registry_schema(registry, 5, &schema, error, sizeof error), OUTCOME_OK);
    assert_true(view_equal_text(schema, "\"string\""));
    int before = requests;
    assert_int_equal(registry_schema(registry, 5, &schema, error, sizeof error), OUTCOME_OK);
    assert_int_equal(requests, before);
    registry_destroy(registry);
}

static void the_reader_asks_for_new_ids_and_waits_for_a_registry_that_is_away(void **state)
{
    (void)state;
    struct registry *registry = registry_create(&there);
    struct record_reader *reader = record_reader_create(&kpi_state_shape, registry);
    struct arena arena;
    struct bytes value = {0};
    struct kpi_state in = {.kpi = VIEW_LITERAL("nps"), .dimension = VIEW_LITERAL("all"), .applied_offset = 9,
                           .private = VIEW_LITERAL("\0\1")};
    struct kpi_state out;
    const char *why = NULL;
    arena_init(&arena);
    wire_begin(&value, 77);
    kpi_state_encode(&value, &in);

    will_answer(503, "{}");
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &out, NULL, &why), OUTCOME_RETRY);
    will_answer(404, "{}");
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &out, NULL, &why), OUTCOME_PARK);

    json_t *body = json_object();
    json_object_set_new(body, "schema", json_string(kpi_state_schema_json));
    char *text = json_dumps(body, 0);
    will_answer(200, text);
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &out, NULL, &why), OUTCOME_OK);
    assert_int_equal(out.applied_offset, 9);
    int before = requests;
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &out, NULL, &why), OUTCOME_OK);
    assert_int_equal(requests, before);

    /* Another writer: int where we have long, its own field, no private bytes in that order. */
    bytes_clear(&value);
    wire_begin(&value, 78);
    bytes_append(&value, "\x04\x08" "ours" "\x06nps\x06" "all" "\x0e", 1 + 1 + 4 + 4 + 1 + 3 + 1);
    bytes_append(&value, "\x02!", 2);
    will_answer(200, "{\"schema\": \"{\\\"type\\\": \\\"record\\\", \\\"name\\\": \\\"KpiState\\\", \\\"fields\\\": ["
                     "{\\\"name\\\": \\\"more\\\", \\\"type\\\": \\\"int\\\"}, {\\\"name\\\": \\\"who\\\", \\\"type\\\": \\\"string\\\"},"
                     "{\\\"name\\\": \\\"kpi\\\", \\\"type\\\": \\\"string\\\"}, {\\\"name\\\": \\\"dimension\\\", \\\"type\\\": \\\"string\\\"},"
                     "{\\\"name\\\": \\\"applied_offset\\\", \\\"type\\\": \\\"int\\\"},"
                     "{\\\"name\\\": \\\"private\\\", \\\"type\\\": \\\"bytes\\\"}]}\"}");
    struct view avro;
    if (record_reader_read(reader, bytes_view(&value), &arena, &out, &avro, &why) != OUTCOME_OK)
        fail_msg("%s", why);
    assert_int_equal(out.applied_offset, 7);
    assert_true(view_equal_text(out.private, "!"));
    struct kpi_state again;
    assert_true(kpi_state_decode(&again, avro, &arena)); /* what is passed on is in our own form */

    /* A schema that no record of ours can come from. */
    value.data[4] = 79;
    will_answer(200, "{\"schema\": \"\\\"string\\\"\"}");
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &out, NULL, &why), OUTCOME_PARK);
    value.data[4] = 80;
    will_answer(200, "{\"schema\": \"{}\"}");
    assert_int_equal(record_reader_read(reader, bytes_view(&value), &arena, &out, NULL, &why), OUTCOME_PARK);

    free(text);
    json_decref(body);
    bytes_finish(&value);
    arena_finish(&arena);
    record_reader_destroy(reader);
    registry_destroy(registry);
}

enum { THREADS = 4, IDS = 20, ROUNDS = 200 };

static void *read_many(void *context)
{
    struct record_reader *reader = context;
    struct kpi_state in = {.kpi = VIEW_LITERAL("nps"), .dimension = VIEW_LITERAL("all")}, out;
    struct arena arena;
    struct bytes value = {0};
    size_t read = 0;
    arena_init(&arena);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        bytes_clear(&value);
        wire_begin(&value, 1000 + round % IDS);
        kpi_state_encode(&value, &in);
        read += record_reader_read(reader, bytes_view(&value), &arena, &out, NULL, NULL) == OUTCOME_OK;
        arena_reset(&arena);
    }
    bytes_finish(&value);
    arena_finish(&arena);
    return (void *)read;
}

/* To be run under the thread sanitizer. */
static void one_reader_serves_many_threads(void **state)
{
    (void)state;
    struct registry *registry = registry_create(&there);
    struct record_reader *reader = record_reader_create(&kpi_state_shape, registry);
    json_t *body = json_object();
    json_object_set_new(body, "schema", json_string(kpi_state_schema_json));
    char *text = json_dumps(body, 0);
    pthread_t threads[THREADS];
    will_answer(200, text);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, reader), 0);
    for (int i = 0; i < THREADS; i++) {
        void *read;
        pthread_join(threads[i], &read);
        assert_int_equal((size_t)read, ROUNDS);
    }
    free(text);
    json_decref(body);
    record_reader_destroy(reader);
    registry_destroy(registry);
}

static int set_up(void **state)
{
    (void)state;
    char error[200];
    const struct http_server_settings settings = {.address = "127.0.0.1"};
    const struct http_handler handler = {.handle = handle};
    http_client_global_init();
    server = http_server_create(&settings, &handler, error, sizeof error);
    if (server == NULL)
        return 1;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/prefix/", http_server_port(server));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_server_destroy(server);
    bytes_finish(&seen_body);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_registered_under_its_subject),
        cmocka_unit_test(a_refusal_names_the_subject_and_the_reason),
        cmocka_unit_test(who_is_second_by_an_instant_is_not_refused),
        cmocka_unit_test(who_asks_says_so),
        cmocka_unit_test(trouble_that_passes_is_worth_a_retry),
        cmocka_unit_test(an_id_is_asked_for_once),
        cmocka_unit_test(the_reader_asks_for_new_ids_and_waits_for_a_registry_that_is_away),
        cmocka_unit_test(one_reader_serves_many_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
