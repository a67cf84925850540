/* The server as a client on a socket sees it. */
#include "base/http_server.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* The wall clock, as the server is told it: how far ahead of the real one, which is what waiting by the wall clock would go by. */
static atomic_long wall_ahead_s;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int code = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += atomic_load(&wall_ahead_s);
    return code;
}

struct fixture {
    struct http_server *server;
    pthread_mutex_t lock;
    struct http_exchange *kept;
    struct http_stream *stream;
    pthread_t answerer;
};

static void *answer_later(void *context)
{
    usleep(20000);
    http_exchange_answer(context, 202, "text/plain", VIEW_LITERAL("late"));
    return NULL;
}

static void handle(void *context, struct http_exchange *exchange)
{
    struct fixture *fixture = context;
    struct view path = http_exchange_path(exchange);
    if (view_equal_text(path, "/later")) {
        pthread_create(&fixture->answerer, NULL, answer_later, exchange);
    } else if (view_equal_text(path, "/never")) {
        __atomic_store_n(&fixture->kept, exchange, __ATOMIC_RELEASE);
    } else if (view_equal_text(path, "/stream")) {
        struct http_stream *stream = http_exchange_stream(exchange, "text/event-stream");
        http_stream_write(stream, VIEW_LITERAL("data: one\n\n"));
        __atomic_store_n(&fixture->stream, stream, __ATOMIC_RELEASE);
    } else if (view_equal_text(path, "/refuse")) {
        http_exchange_refuse(exchange, 404, "unknown_path", "there is \"nothing\" here");
    } else {
        struct bytes echo = {0};
        bytes_printf(&echo, "%.*s|%.*s|%.*s|%.*s|", VIEW_ARGUMENTS(http_exchange_method(exchange)), VIEW_ARGUMENTS(path),
                     VIEW_ARGUMENTS(http_exchange_query(exchange, "q")),
                     VIEW_ARGUMENTS(http_exchange_header(exchange, "x-who")));
        bytes_append_view(&echo, http_exchange_body(exchange));
        http_exchange_add_header(exchange, "X-Extra", "yes");
        http_exchange_answer(exchange, 200, "text/plain", bytes_view(&echo));
        bytes_finish(&echo);
    }
}

static void on_headers(void *context, struct http_exchange *exchange)
{
    (void)context;
    if (view_equal_text(http_exchange_path(exchange), "/forbidden"))
        http_exchange_refuse(exchange, 401, "no_token", "say who you are");
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct http_server_settings settings = {.body_bytes_max = 1000, .request_ms_max = 1000, .stream_bytes_max = 1 << 16};
    struct http_handler handler = {fixture, handle, on_headers};
    char error[200] = "";
    fixture->server = http_server_create(&settings, &handler, error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(fixture->server);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_server_destroy(fixture->server);
    free(fixture);
    return 0;
}

static int dial(const struct fixture *fixture)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(fixture->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? fd : -1;
}

/* Reads until the peer closes or `until` has been seen. */
static void receive(int fd, char *text, size_t size, const char *until)
{
    size_t used = 0;
    text[0] = '\0';
    while (used + 1 < size) {
        ssize_t n = recv(fd, text + used, size - 1 - used, 0);
        if (n <= 0)
            return;
        used += (size_t)n;
        text[used] = '\0';
        if (until && strstr(text, until))
            return;
    }
}

static void ask(const struct fixture *fixture, const char *request, char *text, size_t size)
{
    int fd = dial(fixture);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    receive(fd, text, size, NULL);
    close(fd);
}

static void a_request_reaches_the_handler_whole(void **state)
{
    char text[2000];
    ask(*state,
        "POST /a%20b?q=x%26y HTTP/1.1\r\nHost: h\r\nX-Who: me\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody", text,
        sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 200 "));
    assert_non_null(strstr(text, "X-Extra: yes\r\n"));
    assert_non_null(strstr(text, "\r\n\r\nPOST|/a b|x&y|me|body"));
}

static void a_request_may_name_the_server_in_full(void **state)
{
    static const char *const targets[][2] = {{"http://h:8080/a/b?q=x", "GET|/a/b|x||"}, {"HTTPS://h/a%2Fb", "GET|/a/b|||"}, {"http://h", "GET|/|||"}, {"/a/http://b/c", "GET|/a/http://b/c|||"}};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char request[200], text[2000];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", targets[i][0]);
        ask(*state, request, text, sizeof text);
        assert_non_null(strstr(text, targets[i][1]));
    }
}

/* What ends a text in C must not end a path: whoever asks for "ann%00x" would be shown Ann. */
static void a_path_does_not_end_at_a_nul(void **state)
{
    char text[2000];
    ask(*state, "GET /a%00b%2fc%C3%A9%4?q=x%00y&r HTTP/1.1\r\nHost: h\r\nX-Who: me\r\nConnection: close\r\n\r\n", text, sizeof text);
    assert_non_null(strstr(text, "\r\n\r\nGET|/a%00b/c\xc3\xa9%4|x%00y|me|"));
}

static void an_answer_may_come_later_from_another_thread(void **state)
{
    struct fixture *fixture = *state;
    char text[2000];
    ask(fixture, "GET /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", text, sizeof text);
    pthread_join(fixture->answerer, NULL);
    assert_non_null(strstr(text, "HTTP/1.1 202 "));
    assert_non_null(strstr(text, "late"));
}

static void a_body_over_the_bound_is_413(void **state)
{
    char text[2000], request[6000];
    int used = snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nConnection: close\r\n\r\n%01001d", 0);
    assert_true(used > 1001);
    ask(*state, request, text, sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 413 "));
    used = snprintf(request, sizeof request,
                    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 3; i++)
        used += snprintf(request + used, sizeof request - (size_t)used, "1f4\r\n%0500d\r\n", i);
    snprintf(request + used, sizeof request - (size_t)used, "0\r\n\r\n");
    ask(*state, request, text, sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 413 "));
}

static void headers_can_be_refused_before_the_body(void **state)
{
    char text[2000];
    ask(*state, "POST /forbidden HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody", text, sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 401 "));
    assert_non_null(strstr(text, "no_token"));
}

/* A refused sender who sends on hears the answer, not a reset. */
static void a_refused_sender_may_finish(void **state)
{
    struct fixture *fixture = *state;
    static char block[200000];
    char text[2000];
    memset(block, 'x', sizeof block);
    for (int round = 0; round < 20; round++) {
        int fd = dial(fixture);
        const char *head = round % 2 ? "POST /forbidden HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 900\r\n\r\n"
                                     : "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n";
        assert_int_equal(send(fd, head, strlen(head), MSG_NOSIGNAL), (ssize_t)strlen(head));
        usleep(5000);
        size_t size = round % 2 ? 900 : sizeof block, piece = size / 10;
        for (size_t at = 0; at < size; at += piece)
            assert_int_equal(send(fd, block + at, piece, MSG_NOSIGNAL), (ssize_t)piece);
        receive(fd, text, sizeof text, NULL);
        close(fd);
        assert_non_null(strstr(text, round % 2 ? "HTTP/1.1 401 " : "HTTP/1.1 413 "));
    }
}

static void who_asks_before_sending_is_told_at_once(void **state)
{
    char text[2000];
    ask(*state, "POST /forbidden HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 900\r\nConnection: close\r\n\r\n", text, sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 401 "));
}

static void a_refusal_is_json(void **state)
{
    char text[2000];
    ask(*state, "GET /refuse HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", text, sizeof text);
    assert_non_null(strstr(text, "HTTP/1.1 404 "));
    assert_non_null(strstr(text, "\"reason\":"));
    assert_non_null(strstr(text, "\\\"nothing\\\""));
}

static void a_sender_who_drips_is_cut_off(void **state)
{
    char text[2000];
    int fd = dial(*state);
    const char *request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc";
    int64_t start_us = clock_monotonic_us();
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    receive(fd, text, sizeof text, NULL);
    close(fd);
    assert_string_equal(text, "");
    assert_true(clock_monotonic_us() - start_us < 4000000);
}

static void a_stream_carries_what_is_written_until_closed(void **state)
{
    struct fixture *fixture = *state;
    char text[4000];
    int fd = dial(fixture);
    const char *request = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    receive(fd, text, sizeof text, "one");
    assert_non_null(strstr(text, "data: one"));
    struct http_stream *stream = __atomic_load_n(&fixture->stream, __ATOMIC_ACQUIRE);
    assert_true(http_stream_write(stream, VIEW_LITERAL("data: two\n\n")));
    receive(fd, text, sizeof text, "two");
    assert_non_null(strstr(text, "data: two"));
    http_stream_close(stream);
    receive(fd, text, sizeof text, "0\r\n\r\n");
    assert_non_null(strstr(text, "0\r\n\r\n"));
    close(fd);
}

static void a_reader_who_left_or_sleeps_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    char text[4000];
    int fd = dial(fixture);
    const char *request = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    receive(fd, text, sizeof text, "one");
    struct http_stream *stream = __atomic_load_n(&fixture->stream, __ATOMIC_ACQUIRE);
    static char block[16384];
    memset(block, 'x', sizeof block);
    int writes = 0, refusals = 0; /* refused once may mean that the server's own thread is behind */
    while (writes < 10000 && refusals < 5) {
        bool is_taken = http_stream_write(stream, view_of(block, sizeof block));
        writes += is_taken;
        refusals = is_taken ? 0 : refusals + 1;
        if (!is_taken)
            usleep(50000);
    }
    assert_true(writes < 10000);
    http_stream_close(stream);
    usleep(2000000); /* and is cut off within the time a request has (1 s), the rest untaken */
    size_t total = 0, size;
    char last[8] = "";
    while ((size = (size_t)recv(fd, text, sizeof text, 0)) + 1 > 1) {
        total += size;
        if (size >= 7)
            memcpy(last, text + size - 7, 7);
    }
    assert_true(total > 0);
    assert_memory_not_equal(last, "\r\n0\r\n\r\n", 7);
    close(fd);
}

static void draining_waits_and_then_gives_up(void **state)
{
    struct fixture *fixture = *state;
    int fd = dial(fixture);
    const char *request = "GET /never HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    while (!__atomic_load_n(&fixture->kept, __ATOMIC_ACQUIRE))
        usleep(1000);
    assert_false(http_server_drain(fixture->server, 50));
    http_exchange_answer(fixture->kept, 200, "text/plain", VIEW_LITERAL("at last"));
    assert_true(http_server_drain(fixture->server, 1000));
    char text[2000];
    receive(fd, text, sizeof text, "at last");
    assert_non_null(strstr(text, "at last"));
    close(fd);
    assert_true(dial(fixture) < 0);
}

static void a_kept_exchange_does_not_keep_the_server(void **state)
{
    struct fixture *fixture = *state;
    int fd = dial(fixture);
    const char *request = "GET /never HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    while (!__atomic_load_n(&fixture->kept, __ATOMIC_ACQUIRE))
        usleep(1000);
    close(fd); /* and tear_down must not hang */
}

static void where_a_request_ends_is_beyond_doubt(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } requests[] = {
        {"Content-Length: 4\r\n\r\nbody", 200},
        {"Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody", 200},
        {"Transfer-Encoding: Chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", 200},
        {"Content-Length: 4\r\nContent-Length: 39\r\n\r\nbody", 400},
        {"Content-Length: 39\r\ncontent-length: 4\r\n\r\nbody", 400},
        {"Content-Length: 4, 4\r\n\r\nbody", 400},
        {"Content-Length: +4\r\n\r\nbody", 400},
        {"Content-Length: 4x\r\n\r\nbody", 400},
        {"Content-Length: \r\n\r\nbody", 400},
        {"Content-Length : 4\r\n\r\nbody", 400},
        {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
        {"Content-Length: 4\r\nTransfer-Encoding: identity\r\n\r\nbody", 400},
        {"Transfer-Encoding: identity\r\n\r\nbody", 400},
        {"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400},
        {"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char text[4000], request[1000], status[20];
        /* A second request behind it, which is answered or not seen at all, but never taken out of the first one's body. */
        snprintf(request, sizeof request, "POST /first HTTP/1.1\r\nHost: h\r\n%sGET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                 requests[i].headers);
        ask(*state, request, text, sizeof text);
        snprintf(status, sizeof status, "HTTP/1.1 %d ", requests[i].status);
        if (strncmp(text, status, strlen(status)) != 0)
            fail_msg("%s\nis answered %s", request, text);
        assert_int_equal(strstr(text, "GET|/second") != NULL, requests[i].status == 200);
    }
    char text[4000];
    ask(*state, "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", text, sizeof text);
    assert_non_null(strstr(text, " 400 "));
}

/* 16 KiB, where nothing else is set. */
static void headers_over_the_bound_are_431(void **state)
{
    static const struct {
        int value_size, status;
    } requests[] = {{16000, 200}, {16400, 431}, {20000, 431}, {40000, 431}, {200000, 431}};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char text[4000], status[20], *request = malloc((size_t)requests[i].value_size + 200);
        sprintf(request, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Long: %0*d\r\n\r\n", requests[i].value_size, 0);
        int fd = dial(*state);
        assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0); /* what is beyond the bound may find nobody to take it */
        receive(fd, text, sizeof text, NULL);
        close(fd);
        free(request);
        snprintf(status, sizeof status, "HTTP/1.1 %d ", requests[i].status);
        if (strncmp(text, status, strlen(status)) != 0)
            fail_msg("%d bytes are answered %s", requests[i].value_size, text);
    }
}

/* Two services that were given the same address by mistake: the second one says so, rather than taking half of the requests. */
static void an_address_is_taken_once(void **state)
{
    struct fixture *fixture = *state;
    char error[200] = "";
    struct http_server_settings settings = {.port = http_server_port(fixture->server)};
    struct http_handler handler = {fixture, handle, on_headers};
    assert_null(http_server_create(&settings, &handler, error, sizeof error));
    assert_non_null(strstr(error, "already in use"));
}

/* A restart does not wait for connections of the process before to be forgotten. */
static void an_address_is_free_again_at_once(void **state)
{
    struct fixture *fixture = *state;
    char text[4096], error[200] = "";
    int port = http_server_port(fixture->server);
    ask(fixture, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", text, sizeof text);
    http_server_destroy(fixture->server);
    struct http_server_settings settings = {.port = port};
    struct http_handler handler = {fixture, handle, on_headers};
    fixture->server = http_server_create(&settings, &handler, error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(fixture->server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_wall_clock_that_is_put_back_prolongs_no_wait(void **state)
{
    struct fixture *fixture = *state;
    int fd = dial(fixture);
    const char *request = "GET /never HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    while (!__atomic_load_n(&fixture->kept, __ATOMIC_ACQUIRE))
        usleep(1000);
    atomic_store(&wall_ahead_s, 3600); /* and in the next moment it is right again */
    alarm(20);
    assert_false(http_server_drain(fixture->server, 50));
    alarm(0);
    atomic_store(&wall_ahead_s, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_reaches_the_handler_whole),
        TEST(a_request_may_name_the_server_in_full),
        TEST(a_path_does_not_end_at_a_nul),
        TEST(an_answer_may_come_later_from_another_thread),
        TEST(a_body_over_the_bound_is_413),
        TEST(headers_can_be_refused_before_the_body),
        TEST(a_refused_sender_may_finish),
        TEST(who_asks_before_sending_is_told_at_once),
        TEST(a_refusal_is_json),
        TEST(a_sender_who_drips_is_cut_off),
        TEST(where_a_request_ends_is_beyond_doubt),
        TEST(headers_over_the_bound_are_431),
        TEST(a_stream_carries_what_is_written_until_closed),
        TEST(a_reader_who_left_or_sleeps_is_noticed),
        TEST(draining_waits_and_then_gives_up),
        TEST(a_wall_clock_that_is_put_back_prolongs_no_wait),
        TEST(a_kept_exchange_does_not_keep_the_server), TEST(an_address_is_taken_once), TEST(an_address_is_free_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
