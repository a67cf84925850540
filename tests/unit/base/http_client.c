/* What a caller sees of servers that are busy or slow, and of being asked to stop meanwhile. */
#include "base/clock.h"
#include "base/http_client.h"
#include "base/http_server.h"
#include "tests/unit/cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct http_server *server;
    struct http_exchange *_Atomic silent; /* the request that gets no answer */
    const char *retry_after;              /* with a 429; NULL: no answer at all */
    atomic_bool stop;
    struct http_response response;
};

static void handle(void *context, struct http_exchange *exchange)
{
    struct fixture *fixture = context;
    if (!fixture->retry_after) {
        atomic_store(&fixture->silent, exchange);
        return;
    }
    http_exchange_add_header(exchange, "Retry-After", fixture->retry_after);
    http_exchange_answer(exchange, 429, "text/plain", VIEW_LITERAL("later"));
}

static int set_up(void **state)
{
    static struct fixture fixture;
    char error[256];
    fixture = (struct fixture){0};
    struct http_handler handler = {&fixture, handle, NULL};
    http_client_global_init();
    fixture.server = http_server_create(&(struct http_server_settings){.address = "127.0.0.1"}, &handler, error, sizeof error);
    assert_non_null(fixture.server);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_server_destroy(fixture->server);
    bytes_finish(&fixture->response.body);
    return 0;
}

static bool ask(struct fixture *fixture)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", http_server_port(fixture->server));
    struct http_client *client = http_client_create();
    struct http_request request = {.method = "POST", .url = url, .timeout_ms = 20000, .stop = &fixture->stop};
    bool is_answered = http_client_send(client, &request, &fixture->response);
    http_client_destroy(client);
    return is_answered;
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    struct fixture *fixture = *state;
    fixture->retry_after = "17";
    assert_true(ask(fixture));
    assert_int_equal(fixture->response.status, 429);
    assert_int_equal(fixture->response.retry_after_s, 17);
    bytes_finish(&fixture->response.body);

    char date[64];
    time_t then = time(NULL) + 100;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&then));
    fixture->retry_after = date;
    assert_true(ask(fixture));
    assert_in_range(fixture->response.retry_after_s, 80, 100);
}

static void *stop_once_asked(void *context)
{
    struct fixture *fixture = context;
    while (!atomic_load(&fixture->silent))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_store(&fixture->stop, true);
    return NULL;
}

static void who_is_asked_to_stop_does_not_wait_for_a_slow_server(void **state)
{
    struct fixture *fixture = *state;
    pthread_t thread;
    int64_t begun_us = clock_monotonic_us();
    pthread_create(&thread, NULL, stop_once_asked, fixture);
    assert_false(ask(fixture));
    assert_int_equal(fixture->response.status, 0);
    assert_in_range(clock_monotonic_us() - begun_us, 0, 10000000); /* of 20 s */
    pthread_join(thread, NULL);
    http_exchange_answer(atomic_load(&fixture->silent), 200, "text/plain", VIEW_LITERAL(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(retry_after_is_seconds_or_a_date, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_asked_to_stop_does_not_wait_for_a_slow_server, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
