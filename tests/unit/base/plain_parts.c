/* The small parts everything stands on: times, ids, hashes, tables, heaps, UTF-8, JSON, metrics. */
#include "base/address.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metrics.h"
#include "base/percent_text.h"
#include "base/random.h"
#include "base/signature.h"
#include "base/thread.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "tests/unit/cmocka_all.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t parsed(const char *text)
{
    int64_t at_ms;
    return time_text_parse(view_of_text(text), &at_ms) ? at_ms : INT64_MIN;
}

static void times_are_read_and_written(void **state)
{
    (void)state;
    assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed("2026-11-22T10:00:00.123Z"), 1795341600123);
    assert_int_equal(parsed("2026-11-22T11:00:00.1239+01:00"), 1795341600123);
    assert_int_equal(parsed("2026-11-22 10:00:00"), 1795341600000);
    assert_int_equal(parsed("2026-11-22T10:00"), 1795341600000); /* as spreadsheets write it */
    assert_int_equal(parsed("2026-11-22T12:00+02:00"), 1795341600000);
    assert_int_equal(parsed("2024-02-29"), 1709164800000);
    const char *const wrong[] = {"2023-02-29", "2026-13-01", "2026-11-22T24:00:00Z", "2026-11-22T10", "2026-11-22T10:00:", "2026-11-22T10:60Z", "", "x",
                                 "2026-11-22T10:00:00Zx", "2026-11-22T10:00:00.Z", "26-11-22"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(parsed(wrong[i]), INT64_MIN);
    char text[TIME_TEXT_SIZE];
    struct random random;
    random_init(&random, 1);
    for (int i = 0; i < 100000; i++) {
        int64_t at_ms = (int64_t)(random_next(&random) % 8000000000000u) - 2000000000000;
        time_text_format(text, at_ms);
        assert_int_equal(parsed(text), at_ms);
    }
}

static void durations_have_units(void **state)
{
    (void)state;
    int64_t ms;
    assert_true(time_parse_duration(view_of_text("400d"), &ms) && ms == 400 * 86400000LL);
    assert_true(time_parse_duration(view_of_text("0.5s"), &ms) && ms == 500);
    assert_true(time_parse_duration(view_of_text("2000 days"), &ms) && ms == 2000 * 86400000LL);
    assert_true(time_parse_duration(view_of_text("250"), &ms) && ms == 250);
    assert_false(time_parse_duration(view_of_text("-5s"), &ms));
    assert_false(time_parse_duration(view_of_text("5 parsecs"), &ms));
}

static void ids_follow_the_rfc(void **state)
{
    (void)state;
    char text[UUID_TEXT_SIZE + 1];
    /* python3 -c 'import uuid; print(uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, "shop"), "order-1"))' */
    struct uuid id = uuid_of_source(view_of_text("shop"), view_of_text("order-1"));
    uuid_format(&id, text);
    assert_string_equal(text, "ad916f12-f619-5f9f-bac6-7bf4c7e28e26");
    id = uuid_of_source(view_of_text("shop"), view_of_text("6BA7B810-9dad-11d1-80B4-00c04fd430c8"));
    uuid_format(&id, text);
    assert_string_equal(text, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
}

static void percent_signs_are_read_and_written(void **state)
{
    (void)state;
    struct bytes text = {0};
    percent_decode(&text, view_of_text("caf%C3%a9 100% %2"));
    assert_true(view_equal_text(bytes_view(&text), "caf\u00e9 100% %2"));
    percent_decode_only(&text, view_of_text("a%3Db%2Cc%2541 %5Fother %0A %00"), ",=%");
    assert_true(view_equal_text(bytes_view(&text), "a=b,c%41 %5Fother %0A %00"));
    bytes_clear(&text);
    percent_append(&text, view_of_text("a b/\u00e9~"));
    assert_true(view_equal_text(bytes_view(&text), "a%20b%2F%C3%A9~"));
    bytes_finish(&text);
}

static void partitions_are_those_of_java_clients(void **state)
{
    (void)state;
    /* Values of org.apache.kafka.common.utils.UtilsTest.testMurmur2. */
    assert_int_equal((int32_t)hash_murmur2(view_of_text("21")), -973932308);
    assert_int_equal((int32_t)hash_murmur2(view_of_text("foobar")), -790332482);
    assert_int_equal((int32_t)hash_murmur2(view_of_text("a-little-bit-long-string")), -985981536);
    assert_int_equal((int32_t)hash_murmur2(view_of_text("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
    assert_int_equal((int32_t)hash_murmur2(view_of_text("abc")), 479470107);
}

static void a_map_behaves_like_a_list_of_pairs(void **state)
{
    (void)state;
    enum { KEYS = 500 };
    struct map map = {0};
    static char present[KEYS];
    struct random random;
    random_init(&random, 7);
    size_t count = 0;
    for (int i = 0; i < 200000; i++) {
        char key[16];
        uint32_t k = random_below(&random, KEYS);
        snprintf(key, sizeof key, "key-%" PRIu32, k);
        if (random_below(&random, 2)) {
            *map_place(&map, view_of_text(key)) = &present[k];
            count += !present[k];
            present[k] = 1;
        } else {
            assert_ptr_equal(map_remove(&map, view_of_text(key)), present[k] ? &present[k] : NULL);
            count -= present[k] != 0;
            present[k] = 0;
        }
        assert_int_equal(map.count, count);
        assert_ptr_equal(map_find(&map, view_of_text(key)), present[k] ? &present[k] : NULL);
    }
    map_finish(&map, NULL);
}

static uint32_t places[64];
static int things[64];

static void note_place(void *thing, uint32_t place)
{
    places[*(int *)thing] = place;
}

static int compare_things(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void a_heap_gives_times_in_order_ties_by_thing(void **state)
{
    (void)state;
    struct heap heap = {.moved = note_place, .compare = compare_things};
    struct random random;
    random_init(&random, 3);
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 64; i++) {
            things[i] = i;
            heap_add(&heap, random_below(&random, 20), &things[i]);
        }
        for (int i = 0; i < 20; i++)
            heap_change(&heap, places[random_below(&random, 64)], random_below(&random, 20));
        heap_remove(&heap, places[5]);
        assert_int_equal(places[5], HEAP_NOWHERE);
        int64_t last_at = -1;
        int last_thing = -1;
        while (heap.count) {
            struct heap_item first = *heap_first(&heap);
            heap_remove(&heap, 0);
            assert_true(first.at_ms > last_at || (first.at_ms == last_at && *(int *)first.thing > last_thing));
            last_at = first.at_ms;
            last_thing = *(int *)first.thing;
        }
    }
    heap_finish(&heap);
}

static void broken_utf8_is_seen(void **state)
{
    (void)state;
    const char *const good[] = {"", "plain", "é", "€", "😀", "plain and long enough for the fast path: ü"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(utf8_is_valid(view_of_text(good[i])));
    const char *const bad[] = {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "eight ok\x80", "\xe2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_is_valid(view_of_text(bad[i])));
    assert_int_equal(utf8_prefix(view_of_text("aé"), 2).size, 1);
    char copy[6];
    utf8_copy(copy, sizeof copy, view_of_text("a\xff" "éé"));
    assert_string_equal(copy, "a?é");
    utf8_copy(copy, sizeof copy, view_of_text("abcdé"));
    assert_string_equal(copy, "abcd");
}

static void json_escapes_and_keeps_numbers(void **state)
{
    (void)state;
    struct bytes out = {0};
    struct json_writer json = json_writer_on(&out);
    json_open_object(&json);
    json_key(&json, "text");
    json_write_text(&json, view_of("a\"\\\n\x01\xff\xc3\xa9", 8));
    json_key(&json, "list");
    json_open_array(&json);
    json_write_integer(&json, INT64_MIN);
    json_write_decimal(&json, 0.1);
    json_write_decimal(&json, 42.0);
    json_write_decimal(&json, NAN);
    json_write_text(&json, (struct view){NULL, 0});
    json_write_boolean(&json, true);
    json_close_array(&json);
    json_close_object(&json);
    assert_string_equal(bytes_text(&out), "{\"text\":\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\","
                                          "\"list\":[-9223372036854775808,0.1,42,null,null,true]}");
    bytes_finish(&out);
}

/* Text is looked at eight bytes at a time: what needs an escape is found wherever it stands among them. */
static void json_escapes_at_any_place(void **state)
{
    (void)state;
    for (size_t place = 0; place < 20; place++) {
        char text[21] = "abcdefghijklmnopqrst", expected[40];
        struct bytes out = {0};
        struct json_writer json = json_writer_on(&out);
        text[place] = '"';
        snprintf(expected, sizeof expected, "\"%.*s\\\"%s\"", (int)place, text, text + place + 1);
        json_write_text(&json, view_of_text(text));
        assert_string_equal(bytes_text(&out), expected);
        text[place] = '\x1f';
        bytes_clear(&out);
        json = json_writer_on(&out);
        snprintf(expected, sizeof expected, "\"%.*s\\u001f%s\"", (int)place, text, text + place + 1);
        json_write_text(&json, view_of_text(text));
        assert_string_equal(bytes_text(&out), expected);
        bytes_finish(&out);
    }
}

static void metrics_render_as_prometheus_text(void **state)
{
    (void)state;
    struct metric *counter = metrics_counter("ts_test_total", "role=\"a\"", "How many.");
    metric_add(counter, 2);
    assert_ptr_equal(counter, metrics_counter("ts_test_total", "role=\"a\"", "How many."));
    metric_observe(metrics_seconds("ts_test_seconds", NULL, "How long."), 0.003);
    metric_set(metrics_gauge("ts_test_share", NULL, "How much."), 0.1);
    metric_set(metrics_gauge("ts_test_sum", NULL, "How much."), 0.1 + 0.2);
    metric_set(metrics_gauge("ts_test_most", NULL, "How much."), INFINITY);
    metric_add(metrics_gauge("ts_test_held", NULL, "How many are there."), 3);
    struct metric *silent = metrics_gauge("ts_test_silent", NULL, "How much."), *past = metrics_gauge("ts_test_past", NULL, "How much.");
    metric_set(past, 1);
    metric_hide(past);
    struct bytes out = {0}, label = {0};
    metrics_label(&label, "receiver", "we \"x\"\\\n");
    assert_string_equal(bytes_text(&label), "receiver=\"we \\\"x\\\"\\\\\\n\"");
    bytes_finish(&label);
    metrics_render(&out);
    assert_non_null(strstr(bytes_text(&out), "ts_test_share 0.1\n"));
    assert_non_null(strstr(bytes_text(&out), "ts_test_sum 0.30000000000000004\n")); /* another number than 0.3 */
    assert_non_null(strstr(bytes_text(&out), "ts_test_most +Inf\n"));
    assert_non_null(strstr(bytes_text(&out), "ts_test_held 3\n"));
    assert_non_null(strstr(bytes_text(&out), "ts_test_seconds_sum 0.003\n"));
    assert_non_null(strstr(bytes_text(&out), "# TYPE ts_test_total counter\nts_test_total{role=\"a\"} 2\n"));
    assert_non_null(strstr(bytes_text(&out), "ts_test_seconds_bucket{le=\"0.005\"} 1\n"));
    assert_non_null(strstr(bytes_text(&out), "ts_test_seconds_bucket{le=\"0.002\"} 0\n"));
    assert_null(strstr(bytes_text(&out), "ts_test_silent")); /* not measured yet, and no more */
    assert_null(strstr(bytes_text(&out), "ts_test_past"));
    metric_set(silent, 2);
    bytes_clear(&out);
    metrics_render(&out);
    assert_non_null(strstr(bytes_text(&out), "ts_test_silent 2\n"));
    bytes_finish(&out);
}

static void signatures_are_those_of_the_rfc(void **state)
{
    (void)state;
    /* RFC 4231, test case 2. */
    unsigned char raw[SIGNATURE_SIZE];
    signature_hmac_sha256(raw, view_of_text("Jefe"), view_of_text("what do ya want for nothing?"));
    struct bytes text = {0};
    signature_append_hex(&text, view_of(raw, sizeof raw));
    assert_string_equal(bytes_text(&text), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    bytes_clear(&text);
    signature_append_base64(&text, view_of_text("a>b?"));
    assert_string_equal(bytes_text(&text), "YT5iPw==");
    assert_true(signature_equal(view_of_text("abc"), view_of_text("abc")));
    assert_false(signature_equal(view_of_text("abc"), view_of_text("abd")));
    bytes_finish(&text);
}

static void whatever_is_logged_is_one_line_of_utf8(void **state)
{
    (void)state;
    for (int as_json = 0; as_json < 2; as_json++) {
        char line[512] = "";
        int ends[2], terminal = dup(STDERR_FILENO);
        assert_int_equal(pipe(ends), 0);
        dup2(ends[1], STDERR_FILENO);
        log_configure(LOG_INFO, as_json, "test");
        log_line(LOG_INFO, "said", "error", "HTTP 500:\n\xff\xc3\x28 \xc3\xbc \"x\"", NULL);
        dup2(terminal, STDERR_FILENO);
        ssize_t size = read(ends[0], line, sizeof line - 1);
        assert_true(size > 0 && utf8_is_valid(view_of(line, (size_t)size)));
        assert_ptr_equal(strchr(line, '\n'), line + size - 1);
        assert_non_null(strstr(line, "\"HTTP 500:\\n\xef\xbf\xbd\xef\xbf\xbd( \xc3\xbc \\\"x\\\"\""));
        close(ends[0]), close(ends[1]), close(terminal);
    }
    log_configure(LOG_INFO, false, "test");
}

static void *complain_of_the_disk(void *unused)
{
    log_warning("slow", "error", "disk", NULL);
    return unused;
}

static void complaints_are_those_of_a_service_and_its_threads(void **state)
{
    (void)state;
    char text[64];
    pthread_t thread;
    int silent = dup(STDERR_FILENO), none = open("/dev/null", O_WRONLY);
    dup2(none, STDERR_FILENO);
    log_speak_for("journey");
    assert_int_equal(thread_create(&thread, complain_of_the_disk, NULL), 0);
    pthread_join(thread, NULL);
    log_speak_for("kpi");
    log_error("broken", "error", "state", NULL);
    assert_true(log_last_complaint("journey", text, sizeof text) > 0);
    assert_string_equal(text, "slow: disk");
    log_last_complaint("kpi", text, sizeof text);
    assert_string_equal(text, "broken: state");
    assert_int_equal(log_last_complaint("sink", text, sizeof text), 0);
    usleep(2000); /* the later of two counts, to the millisecond */
    log_speak_for(NULL);
    log_error("no memory", NULL);
    log_last_complaint("journey", text, sizeof text);
    assert_string_equal(text, "no memory");
    dup2(silent, STDERR_FILENO);
    close(silent);
    close(none);
}

static void *nothing(void *unused)
{
    return unused;
}

static void who_cannot_do_without_a_thread_ends_and_says_so(void **state)
{
    (void)state;
    int ends[2], status;
    char said[200] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        pthread_attr_t endless;
        pthread_t thread;
        dup2(ends[1], STDERR_FILENO);
        pthread_attr_init(&endless);
        pthread_attr_setstacksize(&endless, (size_t)1 << 46);
        pthread_setattr_default_np(&endless);
        signal(SIGABRT, SIG_DFL);
        thread_start(&thread, nothing, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_true(read(ends[0], said, sizeof said - 1) > 0);
    assert_non_null(strstr(said, "level=fatal msg=\"no thread to be had\""));
    close(ends[0]), close(ends[1]);
}

static void an_address_has_a_host_and_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host; /* NULL: no address */
        int port;
        bool is_loopback;
    } cases[] = {{"127.0.0.1:8080", "127.0.0.1", 8080, true},
                 {"[::1]:8080", "::1", 8080, true},
                 {"[::1]", "::1", 1, true},
                 {"localhost:0", "localhost", 0, true},
                 {"kafka", "kafka", 1, false},
                 {"0.0.0.0:65535", "0.0.0.0", 65535, false},
                 {"127.shop.example:80", "127.shop.example", 80, false},
                 {"localhost.shop.example:80", "localhost.shop.example", 80, false},
                 {"a:65536", NULL, 0, false},
                 {"a:", NULL, 0, false},
                 {"a:-1", NULL, 0, false},
                 {"a:80x", NULL, 0, false},
                 {":80", NULL, 0, false},
                 {"", NULL, 0, false},
                 {"[]:80", NULL, 0, false},
                 {"[::1:80", NULL, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address address;
        assert_int_equal(address_read(cases[i].text, 1, &address), cases[i].host != NULL);
        assert_int_equal(address_is_loopback(cases[i].text), cases[i].is_loopback);
        if (!cases[i].host)
            continue;
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
    }
    struct address address;
    assert_false(address_read("127.0.0.1", ADDRESS_NEEDS_PORT, &address));
}

static void an_arena_forgets_and_reuses(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10000; i++)
            memset(arena_alloc(&arena, (size_t)i), round, (size_t)i);
        memset(arena_alloc(&arena, 1 << 20), 1, 1 << 20);
        assert_string_equal(arena_text(&arena, view_of("abc", 2)), "ab");
        arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
    }
    arena_finish(&arena);
}

static void what_is_said_seldom_is_said_once_a_minute_whoever_else_is(void **state)
{
    (void)state;
    char topic[32];
    int said = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 20; i++) {
            snprintf(topic, sizeof topic, "topic-%d", i);
            said += log_seldom("gone", topic);
        }
    }
    assert_int_equal(said, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_are_read_and_written),
                                       cmocka_unit_test(durations_have_units),
                                       cmocka_unit_test(ids_follow_the_rfc),
                                       cmocka_unit_test(percent_signs_are_read_and_written),
                                       cmocka_unit_test(partitions_are_those_of_java_clients),
                                       cmocka_unit_test(a_map_behaves_like_a_list_of_pairs),
                                       cmocka_unit_test(a_heap_gives_times_in_order_ties_by_thing),
                                       cmocka_unit_test(broken_utf8_is_seen),
                                       cmocka_unit_test(json_escapes_and_keeps_numbers),
                                       cmocka_unit_test(json_escapes_at_any_place),
                                       cmocka_unit_test(signatures_are_those_of_the_rfc),
                                       cmocka_unit_test(metrics_render_as_prometheus_text),
                                       cmocka_unit_test(whatever_is_logged_is_one_line_of_utf8),
                                       cmocka_unit_test(complaints_are_those_of_a_service_and_its_threads),
                                       cmocka_unit_test(who_cannot_do_without_a_thread_ends_and_says_so),
                                       cmocka_unit_test(an_address_has_a_host_and_a_port),
                                       cmocka_unit_test(an_arena_forgets_and_reuses),
                                       cmocka_unit_test(what_is_said_seldom_is_said_once_a_minute_whoever_else_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
