/* The collector as a sender sees it: status codes, verdicts, and that 2xx waits for Kafka. Kafka is a list here. */
#include "ingest/collector.h"

#include "base/guesses.h"
#include "base/signature.h"
#include "base/time_text.h"
#include "ingest/batch.h"
#include "schemas/wire.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAITING_MAX = 256 };

/* A broker that acknowledges at once, later, never well, or has no room. */
struct broker {
    pthread_mutex_t lock;
    enum { BROKER_PROMPT, BROKER_HOLDS, BROKER_FAILS, BROKER_FULL } manner;
    void *waiting[WAITING_MAX];
    size_t waiting_count, touchpoints, rejected;
    char last_code[32], last_key[300];
};

struct fixture {
    struct broker broker;
    struct outlet outlet;
    struct ingest_settings settings;
    struct settings_node sources[4];
    struct clock_manual clock;
    struct collector *collector;
    atomic_bool is_open;
};

static enum outcome publish(void *target, const char *topic, struct view key, struct view value, int64_t timestamp_ms, void *context)
{
    struct broker *broker = target;
    (void)timestamp_ms;
    pthread_mutex_lock(&broker->lock);
    bool is_rejected = strcmp(topic, "rejected") == 0, takes = broker->manner != BROKER_FULL, holds = broker->manner == BROKER_HOLDS;
    broker->touchpoints += takes && !is_rejected;
    broker->rejected += takes && is_rejected;
    snprintf(broker->last_key, sizeof broker->last_key, "%.*s", VIEW_ARGUMENTS(key));
    if (is_rejected) {
        struct rejected rejected;
        struct arena arena;
        struct view avro;
        uint32_t id;
        arena_init(&arena);
        assert_true(wire_split(value, &id, &avro) && rejected_decode(&rejected, avro, &arena));
        snprintf(broker->last_code, sizeof broker->last_code, "%.*s", VIEW_ARGUMENTS(rejected.code));
        arena_finish(&arena);
    }
    if (holds)
        broker->waiting[broker->waiting_count++] = context;
    pthread_mutex_unlock(&broker->lock);
    if (takes && !holds)
        batch_delivered(context, broker->manner == BROKER_PROMPT, "timed out");
    return takes ? OUTCOME_OK : OUTCOME_RETRY;
}

static size_t held(struct broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    size_t count = broker->waiting_count;
    pthread_mutex_unlock(&broker->lock);
    return count;
}

/* Acknowledges the first `count` that are held. */
static void acknowledge(struct broker *broker, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batch_delivered(broker->waiting[i], true, NULL);
    pthread_mutex_lock(&broker->lock);
    broker->waiting_count -= count;
    memmove(broker->waiting, broker->waiting + count, broker->waiting_count * sizeof *broker->waiting);
    pthread_mutex_unlock(&broker->lock);
}

static struct settings_node field(const char *key, const char *value)
{
    return (struct settings_node){.kind = SETTINGS_SCALAR, .key = key, .scalar = value};
}

static void start(struct fixture *fixture)
{
    struct bytes error = {0};
    struct collector_parts parts = {&fixture->settings, &fixture->outlet, &fixture->is_open, &fixture->clock.clock};
    fixture->collector = collector_create(&parts, &error);
    assert_string_equal(bytes_text(&error), "");
    bytes_finish(&error);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    pthread_mutex_init(&fixture->broker.lock, NULL);
    fixture->outlet = (struct outlet){publish, NULL, &fixture->broker, "touchpoints", "rejected", 1, 2};
    fixture->is_open = true;
    fixture->settings = (struct ingest_settings){.listen = "127.0.0.1:0", .token = "secret", .mappings_dir = "", .threads = 2,
                                                 .body_bytes_max = 3 << 20, .request_ms_max = 5000, .drain_ms_max = 200};
    int64_t now_ms;
    time_text_parse(VIEW_LITERAL("2026-11-22T12:00:00Z"), &now_ms);
    clock_manual_init(&fixture->clock, now_ms);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->collector)
        collector_drain(fixture->collector);
    collector_destroy(fixture->collector);
    free(fixture);
    return 0;
}

/* --- a client --- */

static int dial(const struct fixture *fixture)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)collector_port(fixture->collector)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void transmit(int fd, const char *path, const char *headers, struct view body)
{
    char head[2000];
    int size = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", path,
                        body.size, headers);
    assert_int_equal(send(fd, head, (size_t)size, MSG_NOSIGNAL), size);
    for (size_t at = 0; at < body.size;) {
        ssize_t sent = send(fd, body.data + at, body.size - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* refused before it was read */
        at += (size_t)sent;
    }
}

static char answer[8000];

static int receive(int fd)
{
    size_t used = 0;
    ssize_t got;
    while (used + 1 < sizeof answer && (got = recv(fd, answer + used, sizeof answer - 1 - used, 0)) > 0)
        used += (size_t)got;
    answer[used] = '\0';
    close(fd);
    return used > 12 ? atoi(answer + 9) : 0;
}

static int post_view(const struct fixture *fixture, const char *path, const char *headers, struct view body)
{
    int fd = dial(fixture);
    transmit(fd, path, headers, body);
    return receive(fd);
}

#define TOKEN "Authorization: Bearer secret\r\n"
#define JSON  "Content-Type: application/json\r\n"

static int post(const struct fixture *fixture, const char *type, const char *body)
{
    char headers[300];
    snprintf(headers, sizeof headers, TOKEN "Content-Type: %s\r\n", type);
    return post_view(fixture, "/v1/touchpoints", headers, view_of_text(body));
}

#define EVENT(id, stars)                                                                                               \
    "{\"event_id\": \"" id "\", \"customer_id\": \"c\", \"occurred_at\": \"2026-11-22T10:00:00Z\", \"source\": \"s\","  \
    " \"channel\": \"WEB\", \"type\": \"ReviewPosted\", \"data\": {\"stars\": " stars ", \"text\": \"\"}}"

/* --- what is promised --- */

static void an_object_an_array_and_lines(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(post(fixture, "application/json", EVENT("1", "5")), 200);
    assert_non_null(strstr(answer, "{\"accepted\": 1, \"rejected\": []}"));
    assert_string_equal(fixture->broker.last_key, "c");
    assert_int_equal(post(fixture, "application/json; charset=utf-8", "[" EVENT("1", "5") "," EVENT("2", "6") ", 7, " EVENT("3", "1") "]"), 200);
    assert_non_null(strstr(answer, "\"accepted\": 2"));
    assert_non_null(strstr(answer, "\"index\":1,\"code\":\"out_of_range\",\"path\":\"data.stars\""));
    assert_non_null(strstr(answer, "\"index\":2,\"code\":\"bad_json\""));
    assert_int_equal(post(fixture, "application/x-ndjson", EVENT("1", "5") "\n\n{oops\n" EVENT("2", "4")), 200);
    assert_non_null(strstr(answer, "\"accepted\": 2"));
    assert_non_null(strstr(answer, "\"index\":1,\"code\":\"bad_json\""));
    assert_int_equal(fixture->broker.touchpoints, 5);
    assert_int_equal(fixture->broker.rejected, 3);
    assert_int_equal(post(fixture, "application/json", "[]"), 200);
}

static void broken_bodies_are_400_and_kept(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    static const char *const broken[] = {"", " ", "{\"a\":", "[" EVENT("1", "5") ", {oops]", "[" EVENT("1", "5"), "nonsense", "{} {}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_int_equal(post(fixture, "application/json", broken[i]), 400);
        assert_non_null(strstr(answer, "bad_json"));
        assert_string_equal(fixture->broker.last_code, "bad_json");
    }
    assert_int_equal(fixture->broker.touchpoints, 0); /* nothing of a broken array is taken */
}

static void a_record_that_is_json_but_no_touchpoint_is_a_verdict(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(post(fixture, "application/json", EVENT("1", "9")), 200);
    assert_non_null(strstr(answer, "{\"accepted\": 0, \"rejected\": [{\"index\":0,\"code\":\"out_of_range\""));
    assert_int_equal(post(fixture, "application/json", "17"), 200);
    assert_non_null(strstr(answer, "bad_json"));
    assert_int_equal(post(fixture, "application/json", "{\"customer_id\": \"\xff\"}"), 200);
    assert_non_null(strstr(answer, "bad_utf8"));
}

static void cloud_events_in_three_modes(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    static const char one[] = "{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"s\", \"time\": \"2026-11-22T10:00:00Z\", \"subject\": \"c\", "
                              "\"type\": \"touchstream.ReviewPosted\", \"channel\": \"WEB\", \"data\": {\"stars\": 5, \"text\": \"\"}}";
    char batch[1000];
    snprintf(batch, sizeof batch, "[%s, %s]", one, one);
    assert_int_equal(post(fixture, "application/cloudevents+json", one), 200);
    assert_non_null(strstr(answer, "\"accepted\": 1"));
    assert_int_equal(post(fixture, "application/cloudevents-batch+json", batch), 200);
    assert_non_null(strstr(answer, "\"accepted\": 2"));
    assert_int_equal(post(fixture, "application/cloudevents-batch+json", one), 400);
    assert_int_equal(post(fixture, "application/json", one), 200); /* it shows itself by its specversion */
    assert_non_null(strstr(answer, "\"accepted\": 1"));
    assert_int_equal(post_view(fixture, "/v1/touchpoints",
                               TOKEN JSON "ce-specversion: 1.0\r\nce-id: 1\r\nCe-Source: s\r\nce-time: 2026-11-22T10:00:00Z\r\nce-subject: caf%C3%A9\r\n"
                                          "ce-type: touchstream.ReviewPosted\r\nce-channel: WEB\r\n",
                               VIEW_LITERAL("{\"stars\": 5, \"text\": \"\"}")), 200);
    assert_non_null(strstr(answer, "\"accepted\": 1"));
    assert_string_equal(fixture->broker.last_key, "caf\xC3\xA9");
}

/* The headers of a CloudEvent in binary mode, which says of SUBJECT what TYPE says. */
#define EVENT_HEADERS(TYPE, SUBJECT)                                                                                           \
    "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: s\r\nce-time: 2026-11-22T10:00:00Z\r\nce-subject: " SUBJECT                  \
    "\r\nce-type: touchstream." TYPE "\r\nce-channel: WEB\r\n"

static void a_cloud_event_without_data_has_no_body(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    struct view none = VIEW_LITERAL("");
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN EVENT_HEADERS("CustomerForgotten", "c7"), none), 200);
    assert_non_null(strstr(answer, "\"accepted\": 1"));
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN JSON EVENT_HEADERS("CustomerForgotten", "c8"), none), 200);
    assert_non_null(strstr(answer, "\"accepted\": 1"));
    assert_string_equal(fixture->broker.last_key, "c8");
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN JSON EVENT_HEADERS("ReviewPosted", "c9"), none), 400);
    assert_non_null(strstr(answer, "missing_field"));
}

/* In binary mode the body is the data; no attribute may have either name. */
static void data_in_a_header_is_no_data(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    struct view none = VIEW_LITERAL(""), review = VIEW_LITERAL("{\"stars\": 5, \"text\": \"\"}");
    static const char *const attributes[][2] = {{"ce-data: x\r\n", "ce-data"},
                                                {"CE-Data: {\"stars\": 1}\r\n", "ce-data"},
                                                {"ce-data_base64: eyJzdGFycyI6IDUsICJ0ZXh0IjogIiJ9\r\n", "ce-data_base64"}};
    for (size_t i = 0; i < 2 * sizeof attributes / sizeof *attributes; i++) {
        char headers[600], expected[100];
        snprintf(headers, sizeof headers, "%s%s", TOKEN JSON EVENT_HEADERS("ReviewPosted", "c7"), attributes[i / 2][0]);
        snprintf(expected, sizeof expected, "\"code\":\"unknown_field\",\"path\":\"%s\"", attributes[i / 2][1]);
        post_view(fixture, "/v1/touchpoints", headers, i % 2 ? review : none);
        if (!strstr(answer, expected))
            fail_msg("%s: %s", attributes[i / 2][0], answer);
        assert_non_null(strstr(answer, "in the body"));
    }
    assert_int_equal(fixture->broker.touchpoints, 0);
}

static void a_cloud_event_with_broken_text_in_a_header_is_refused(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    struct view review = VIEW_LITERAL("{\"stars\": 5, \"text\": \"\"}");
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN JSON EVENT_HEADERS("ReviewPosted", "%22%ff"), review), 200);
    assert_non_null(strstr(answer, "\"code\":\"bad_utf8\""));
    assert_int_equal(fixture->broker.touchpoints, 0);
}

static void webhooks_go_through_their_mappings(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    struct view answered = VIEW_LITERAL("{\"event_id\": \"e\", \"form_response\": {\"form_id\": \"f\", \"submitted_at\": \"2026-11-22T10:00:00Z\", "
                                        "\"hidden\": {\"customer_id\": \"c7\"}, \"answers\": [{\"type\": \"number\", \"number\": 12, "
                                        "\"field\": {\"id\": \"a\", \"type\": \"nps\"}}, {\"type\": \"number\", \"number\": 4, "
                                        "\"field\": {\"id\": \"b\", \"type\": \"rating\"}}]}}");
    assert_int_equal(post_view(fixture, "/v1/hooks/typeform", TOKEN, answered), 200);
    assert_non_null(strstr(answer, "\"accepted\": 1"));
    assert_non_null(strstr(answer, "\"code\":\"out_of_range\",\"path\":\"data.score\""));
    assert_int_equal(fixture->broker.touchpoints, 1);
    assert_int_equal(fixture->broker.rejected, 1);
    assert_int_equal(post_view(fixture, "/v1/hooks/typeform", TOKEN, VIEW_LITERAL("{oops")), 400);
    assert_int_equal(post_view(fixture, "/v1/hooks/typeform", TOKEN, VIEW_LITERAL("{\"other\": 1}")), 200);
    assert_non_null(strstr(answer, "{\"accepted\": 0, \"rejected\": []}"));
    assert_int_equal(post_view(fixture, "/v1/hooks/typeform", "", answered), 401);
}

/* The operator's own, in a folder of its own. */
struct own_mapping {
    char folder[40], path[80];
};

static const struct own_mapping *own_mapping_make(struct fixture *fixture, const char *name, const char *program)
{
    static struct own_mapping own; /* the settings keep the folder's name */
    snprintf(own.folder, sizeof own.folder, "/tmp/touchstream-mappings-XXXXXX");
    assert_non_null(mkdtemp(own.folder));
    snprintf(own.path, sizeof own.path, "%s/%s.jq", own.folder, name);
    FILE *file = fopen(own.path, "w");
    assert_non_null(file);
    fputs(program, file);
    fclose(file);
    fixture->settings.mappings_dir = own.folder;
    return &own;
}

static void own_mapping_remove(const struct own_mapping *own)
{
    remove(own->path);
    rmdir(own->folder);
}

/* A payload of three bytes holds no thread as long as one of 8 MiB may. */
static void an_endless_mapping_does_not_hold_its_thread_for_long(void **state)
{
    struct fixture *fixture = *state;
    const struct own_mapping *own = own_mapping_make(fixture, "endless", "def on: on; on");
    fixture->settings.mapping_ms_max = 60000;
    start(fixture);
    assert_int_equal(post_view(fixture, "/v1/hooks/endless", TOKEN, VIEW_LITERAL("{}")), 200); /* this client waits 10 s */
    assert_non_null(strstr(answer, "within 2.0 s"));
    own_mapping_remove(own);
}

/* Three payloads of a mapping that does not end for them, one after the other: what comes next is not tried, until a minute has passed. */
static void a_mapping_that_does_not_end_is_not_tried_each_time(void **state)
{
    struct fixture *fixture = *state;
    const struct own_mapping *own = own_mapping_make(fixture, "now_and_then", "def on: on; if .endless then on else error(\"tried\") end");
    fixture->settings.mapping_ms_max = 100;
    start(fixture);
    struct view endless = VIEW_LITERAL("{\"endless\": true}"), other = VIEW_LITERAL("{}");
    const char *hook = "/v1/hooks/now_and_then";
    for (int i = 0; i < 5; i++) { /* never three in a row */
        assert_int_equal(post_view(fixture, hook, TOKEN, i == 2 ? other : endless), 200);
        assert_non_null(strstr(answer, i == 2 ? "tried" : "did not come to an end"));
    }
    assert_int_equal(post_view(fixture, hook, TOKEN, endless), 200);
    assert_non_null(strstr(answer, "did not come to an end"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(post_view(fixture, hook, TOKEN, i == 2 ? other : endless), 200);
        assert_non_null(strstr(answer, "\"code\":\"bad_mapping\""));
        assert_non_null(strstr(answer, "stopped for 3 payloads in a row, it is not tried for another 60 s"));
        assert_string_equal(fixture->broker.last_code, "bad_mapping"); /* kept, for replay */
    }
    assert_int_equal(post_view(fixture, hook, TOKEN, VIEW_LITERAL("{oops")), 400);
    fixture->clock.at_ms += SECONDS(60);
    assert_int_equal(post_view(fixture, hook, TOKEN, endless), 200); /* once more, and it rests again */
    assert_non_null(strstr(answer, "did not come to an end"));
    assert_int_equal(post_view(fixture, hook, TOKEN, other), 200);
    assert_non_null(strstr(answer, "not tried"));
    fixture->clock.at_ms += SECONDS(60);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(post_view(fixture, hook, TOKEN, other), 200);
        assert_non_null(strstr(answer, "\"tried\""));
    }
    own_mapping_remove(own);
}

static void who_does_not_say_who_they_are_is_401(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON, view_of_text(EVENT("1", "5"))), 401);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer wrong\r\n", view_of_text(EVENT("1", "5"))), 401);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Basic secret\r\n", view_of_text(EVENT("1", "5"))), 401);
    assert_int_equal(fixture->broker.touchpoints + fixture->broker.rejected, 0);
}

static int guess(const struct fixture *fixture, int number)
{
    char headers[200];
    snprintf(headers, sizeof headers, "Authorization: Bearer guess %d\r\n" JSON, number);
    return post_view(fixture, "/v1/touchpoints", headers, VIEW_LITERAL(EVENT("1", "5")));
}

static void who_guesses_is_told_to_wait_and_who_knows_is_not(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    for (int i = 0; i < GUESSES_AT_ONCE; i++)
        assert_int_equal(guess(fixture, i), 401);
    assert_int_equal(guess(fixture, 100), 429);
    assert_non_null(strstr(answer, "Retry-After: 30\r\n"));
    assert_int_equal(guess(fixture, 3), 401); /* is no news */
    assert_int_equal(post(fixture, "application/json", EVENT("1", "5")), 200);
    fixture->clock.at_ms += GUESSES_EACH_MS;
    assert_int_equal(guess(fixture, 100), 401);
    assert_int_equal(guess(fixture, 101), 429);
    assert_int_equal(fixture->broker.touchpoints, 1);
}

static void other_types_sizes_paths_and_methods(void **state)
{
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(post(fixture, "text/plain", EVENT("1", "5")), 415);
    assert_int_equal(post(fixture, "application/json; charset=latin1", EVENT("1", "5")), 415);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN JSON "Content-Encoding: gzip\r\n", VIEW_LITERAL("x")), 415);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN, view_of_text(EVENT("1", "5"))), 415);
    struct view huge = {calloc(1, 4 << 20), 4 << 20};
    memset((char *)(uintptr_t)huge.data, ' ', huge.size);
    memcpy((char *)(uintptr_t)huge.data, EVENT("1", "5"), strlen(EVENT("1", "5")));
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN JSON, huge), 413);
    huge.size = 2 << 20; /* the server takes such a body; a record is smaller */
    assert_int_equal(post_view(fixture, "/v1/touchpoints", TOKEN JSON, huge), 413);
    assert_non_null(strstr(answer, "too_large"));
    assert_int_equal(post_view(fixture, "/v1/hooks/shopify", TOKEN JSON, huge), 413);
    free((char *)(uintptr_t)huge.data);
    assert_int_equal(post_view(fixture, "/v1/elsewhere", TOKEN JSON, VIEW_LITERAL("{}")), 404);
    assert_int_equal(post_view(fixture, "/healthz", TOKEN JSON, VIEW_LITERAL("{}")), 405);
    assert_int_equal(post_view(fixture, "/v1/hooks/nosuch", TOKEN JSON, VIEW_LITERAL("{}")), 404);
    assert_int_equal(post_view(fixture, "/v1/hooks/..%2Fetc", TOKEN JSON, VIEW_LITERAL("{}")), 404);
}

static void no_200_before_every_acknowledgement(void **state)
{
    struct fixture *fixture = *state;
    fixture->broker.manner = BROKER_HOLDS;
    start(fixture);
    int fd = dial(fixture);
    transmit(fd, "/v1/touchpoints", TOKEN JSON, view_of_text("[" EVENT("1", "5") "," EVENT("2", "5") "," EVENT("3", "9") "]"));
    while (held(&fixture->broker) < 3)
        usleep(1000);
    acknowledge(&fixture->broker, 2);
    struct timeval moment = {.tv_usec = 100000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    char none;
    assert_int_equal(recv(fd, &none, 1, MSG_PEEK), -1);
    acknowledge(&fixture->broker, 1);
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(receive(fd), 200);
    assert_non_null(strstr(answer, "\"accepted\": 2"));
}

/* A broker that fell silent with records under way: nobody waits for longer than the setting says, and the next one not at all. */
static void silent_kafka_is_503_in_time_and_then_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->broker.manner = BROKER_HOLDS;
    fixture->settings.acknowledge_ms_max = 20;
    start(fixture);
    int fd = dial(fixture);
    transmit(fd, "/v1/touchpoints", TOKEN JSON, view_of_text("[" EVENT("1", "5") "," EVENT("2", "5") "]"));
    while (held(&fixture->broker) < 2)
        usleep(1000);
    usleep(30000);
    collector_look_after(fixture->collector);
    assert_int_equal(receive(fd), 503);
    assert_non_null(strstr(answer, "Retry-After: "));
    assert_int_equal(post(fixture, "application/json", EVENT("3", "5")), 503);
    assert_int_equal(held(&fixture->broker), 2);
    acknowledge(&fixture->broker, 1);
    collector_look_after(fixture->collector);
    assert_int_equal(post(fixture, "application/json", EVENT("3", "5")), 503);
    acknowledge(&fixture->broker, 1);
    collector_look_after(fixture->collector);
    fixture->broker.manner = BROKER_PROMPT;
    assert_int_equal(post(fixture, "application/json", EVENT("3", "5")), 200);
}

static void kafka_away_is_503_with_retry_after(void **state)
{
    struct fixture *fixture = *state;
    fixture->broker.manner = BROKER_FAILS;
    start(fixture);
    assert_int_equal(post(fixture, "application/json", EVENT("1", "5")), 503);
    assert_non_null(strstr(answer, "Retry-After: "));
    fixture->broker.manner = BROKER_FULL;
    assert_int_equal(post(fixture, "application/json", "[" EVENT("1", "5") "," EVENT("2", "5") "]"), 503);
    assert_non_null(strstr(answer, "Retry-After: "));
    fixture->broker.manner = BROKER_PROMPT;
    assert_int_equal(post(fixture, "application/json", EVENT("1", "5")), 200);
}

static void until_kafka_has_been_there_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->is_open = false;
    start(fixture);
    assert_int_equal(post(fixture, "application/json", EVENT("1", "5")), 503);
    assert_non_null(strstr(answer, "Retry-After: "));
    atomic_store(&fixture->is_open, true);
    assert_int_equal(post(fixture, "application/json", EVENT("1", "5")), 200);
}

static void *drain(void *collector)
{
    collector_drain(collector);
    return NULL;
}

static void a_stop_answers_what_is_under_way(void **state)
{
    struct fixture *fixture = *state;
    fixture->broker.manner = BROKER_HOLDS;
    fixture->settings.drain_ms_max = 5000;
    start(fixture);
    int fd = dial(fixture);
    transmit(fd, "/v1/touchpoints", TOKEN JSON, view_of_text(EVENT("1", "5")));
    while (held(&fixture->broker) < 1)
        usleep(1000);
    pthread_t stopper;
    pthread_create(&stopper, NULL, drain, fixture->collector);
    usleep(50000);
    acknowledge(&fixture->broker, 1);
    assert_int_equal(receive(fd), 200);
    pthread_join(stopper, NULL);
}

static void sources_sign_or_show_tokens_and_have_a_rate(void **state)
{
    struct fixture *fixture = *state;
    struct settings_node shop[] = {field("name", "s"), field("token", "t-shop"), field("rate", "0.2")};
    struct settings_node form[] = {field("name", "s"), field("secret", "key"), field("signature_header", "X-Sign")};
    struct settings_node items[] = {{.kind = SETTINGS_MAP, .children = shop, .child_count = 3},
                                    {.kind = SETTINGS_MAP, .children = form, .child_count = 3}};
    struct settings_node list = {.kind = SETTINGS_LIST, .children = items, .child_count = 2};
    fixture->settings.sources = &list;
    fixture->settings.token = "";
    start(fixture);
    struct view body = view_of_text(EVENT("1", "5"));
    unsigned char raw[SIGNATURE_SIZE];
    struct bytes header = {0};
    signature_hmac_sha256(raw, VIEW_LITERAL("key"), body);
    bytes_append_text(&header, JSON "X-Sign: sha256=");
    signature_append_hex(&header, view_of(raw, sizeof raw));
    bytes_append_text(&header, "\r\n");
    assert_int_equal(post_view(fixture, "/v1/touchpoints", bytes_text(&header), body), 200);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", bytes_text(&header), VIEW_LITERAL("[]")), 401);
    bytes_clear(&header);
    bytes_append_text(&header, JSON "X-Sign: ");
    signature_append_base64(&header, view_of(raw, sizeof raw));
    bytes_append_text(&header, "\r\n");
    assert_int_equal(post_view(fixture, "/v1/touchpoints", bytes_text(&header), body), 200);
    bytes_finish(&header);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON, body), 401);
    /* 0.2 a second with ten seconds' burst: two at once, then one has to wait. */
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-shop\r\n", body), 200);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-shop\r\n", body), 200);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-shop\r\n", body), 429);
    assert_non_null(strstr(answer, "Retry-After: "));
}

/* Once in twenty seconds is half a record in a burst of ten, and one must get through all the same. */
static void a_slow_source_is_let_through_now_and_then(void **state)
{
    struct fixture *fixture = *state;
    struct settings_node slow[] = {field("name", "s"), field("token", "t-slow"), field("rate", "0.05")};
    struct settings_node slowest[] = {field("name", "u"), field("token", "t-slowest"), field("rate", "1e-300")};
    struct settings_node items[] = {{.kind = SETTINGS_MAP, .children = slow, .child_count = 3},
                                    {.kind = SETTINGS_MAP, .children = slowest, .child_count = 3}};
    struct settings_node list = {.kind = SETTINGS_LIST, .children = items, .child_count = 2};
    struct view body = view_of_text(EVENT("1", "5"));
    fixture->settings.sources = &list;
    start(fixture);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-slow\r\n", body), 200);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-slow\r\n", body), 429);
    assert_non_null(strstr(answer, "Retry-After: 20\r\n"));
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-slowest\r\n", body), 200);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-slowest\r\n", body), 429);
    assert_non_null(strstr(answer, "Retry-After: 3600\r\n"));
}

static void a_source_speaks_for_itself_only(void **state)
{
    struct fixture *fixture = *state;
    struct settings_node shop[] = {field("name", "shop"), field("token", "t-shop")};
    struct settings_node item = {.kind = SETTINGS_MAP, .children = shop, .child_count = 2};
    struct settings_node list = {.kind = SETTINGS_LIST, .children = &item, .child_count = 1};
    fixture->settings.sources = &list;
    start(fixture);
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-shop\r\n", view_of_text(EVENT("1", "5"))), 200);
    assert_non_null(strstr(answer, "\"code\":\"wrong_source\",\"path\":\"source\""));
    struct view nameless = VIEW_LITERAL("{\"event_id\": \"1\", \"customer_id\": \"c\", \"occurred_at\": \"2026-11-22T10:00:00Z\", "
                                        "\"channel\": \"WEB\", \"type\": \"CustomerForgotten\", \"data\": {}}");
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON "Authorization: Bearer t-shop\r\n", nameless), 200);
    assert_non_null(strstr(answer, "\"accepted\": 1"));
    assert_int_equal(post_view(fixture, "/v1/touchpoints", JSON TOKEN, view_of_text(EVENT("1", "5"))), 200);
    assert_non_null(strstr(answer, "\"accepted\": 1")); /* ingest.token speaks for all */
}

static void a_bad_list_of_sources_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct settings_node nameless[] = {field("token", "t")}, odd[] = {field("name", "a"), field("tokn", "t")};
    struct settings_node hash[] = {field("name", "a"), field("secret", "t"), field("signature_hash", "md5")};
    struct settings_node separator[] = {field("name", "a"), field("secret", "t"), field("rate", "1"), field("signed_separator", ".")};
    struct settings_node *bad[] = {nameless, odd, hash, separator};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct settings_node item = {.kind = SETTINGS_MAP, .children = bad[i], .child_count = i + 1, .line = 7};
        struct settings_node list = {.kind = SETTINGS_LIST, .children = &item, .child_count = 1};
        struct bytes error = {0};
        struct collector_parts parts = {&fixture->settings, &fixture->outlet, &fixture->is_open, &fixture->clock.clock};
        fixture->settings.sources = &list;
        assert_null(collector_create(&parts, &error));
        assert_non_null(strstr(bytes_text(&error), "ingest.sources"));
        bytes_finish(&error);
    }
    struct bytes error = {0};
    struct collector_parts parts = {&fixture->settings, &fixture->outlet, &fixture->is_open, &fixture->clock.clock};
    fixture->settings.sources = NULL;
    fixture->settings.token = "";
    fixture->settings.listen = "0.0.0.0:0";
    assert_null(collector_create(&parts, &error)); /* open to the world */
    assert_non_null(strstr(bytes_text(&error), "ingest.token"));
    bytes_finish(&error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_object_an_array_and_lines),
        TEST(broken_bodies_are_400_and_kept),
        TEST(a_record_that_is_json_but_no_touchpoint_is_a_verdict),
        TEST(cloud_events_in_three_modes),
        TEST(a_cloud_event_without_data_has_no_body),
        TEST(data_in_a_header_is_no_data),
        TEST(a_cloud_event_with_broken_text_in_a_header_is_refused),
        TEST(webhooks_go_through_their_mappings),
        TEST(an_endless_mapping_does_not_hold_its_thread_for_long),
        TEST(a_mapping_that_does_not_end_is_not_tried_each_time),
        TEST(who_does_not_say_who_they_are_is_401),
        TEST(who_guesses_is_told_to_wait_and_who_knows_is_not),
        TEST(other_types_sizes_paths_and_methods),
        TEST(no_200_before_every_acknowledgement),
        TEST(silent_kafka_is_503_in_time_and_then_at_once),
        TEST(kafka_away_is_503_with_retry_after),
        TEST(until_kafka_has_been_there_once),
        TEST(a_stop_answers_what_is_under_way),
        TEST(sources_sign_or_show_tokens_and_have_a_rate),
        TEST(a_slow_source_is_let_through_now_and_then),
        TEST(a_source_speaks_for_itself_only),
        TEST(a_bad_list_of_sources_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
