/* What a link makes of a Redis that answers late. */
#include "sinks/redis/redis_link.h"

#include "base/thread.h"
#include "tests/unit/cmocka_all.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sentinel and the primary that it names in one: whoever connects is answered command by command, until there have been `visits` of them. */
struct server {
    int socket, port, visits;
    int late_roles; /* so often ROLE is answered only with what is asked next */
    pthread_t thread;
};

static const char role[] = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";

static void say(int client, const char *text)
{
    assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* A command at a time: the link waits for each of its answers, or goes. */
static void serve(struct server *server, int client)
{
    char command[512], primary[80];
    bool owes_role = false;
    snprintf(primary, sizeof primary, "*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%d\r\n", snprintf(NULL, 0, "%d", server->port), server->port);
    for (ssize_t got; (got = recv(client, command, sizeof command - 1, 0)) > 0;) {
        command[got] = '\0';
        bool is_role = strstr(command, "ROLE") != NULL;
        if (is_role && server->late_roles > 0) {
            server->late_roles--;
            owes_role = true;
            continue;
        }
        if (is_role || owes_role)
            say(client, role);
        owes_role = false;
        if (!is_role)
            say(client, strstr(command, "SENTINEL") ? primary : strstr(command, "GET") ? "$5\r\nhello\r\n" : "+PONG\r\n");
    }
}

static void *serve_all(void *context)
{
    struct server *server = context;
    for (int left = server->visits; left > 0; left--) {
        int client = accept(server->socket, NULL, NULL);
        serve(server, client);
        close(client);
    }
    return NULL;
}

static void server_start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->socket = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->socket, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->socket, 8), 0);
    assert_int_equal(getsockname(server->socket, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    thread_start(&server->thread, serve_all, server);
}

static void an_answer_that_comes_late_is_not_taken_for_the_next(void **unused)
{
    (void)unused;
    struct server server = {.late_roles = 1, .visits = 4}; /* Sentinel and the primary, twice */
    char where[40], *sentinels[] = {where}, nothing[] = "", name[] = "mymaster";
    struct arena arena;
    struct redis_answer answer = {0};
    server_start(&server);
    snprintf(where, sizeof where, "127.0.0.1:%d", server.port);
    struct redis_settings settings = {.address = where, .sentinels = {sentinels, 1}, .sentinel_name = name, .sentinel_username = nothing, .sentinel_password = nothing,
                                      .username = nothing, .password = nothing, .prefix = nothing, .timeout_ms = 100};
    struct redis_link *link = redis_link_create_quiet(&settings);
    arena_init(&arena);
    assert_int_equal(redis_link_ask(link, &arena, &answer, "GET", "greeting", NULL), OUTCOME_RETRY);
    assert_non_null(strstr(redis_link_why_away(link), "ROLE"));
    assert_int_equal(redis_link_ask(link, &arena, &answer, "GET", "greeting", NULL), OUTCOME_OK);
    assert_true(answer.kind == REDIS_TEXT && view_equal_text(answer.text, "hello"));
    arena_finish(&arena);
    redis_link_destroy(link);
    pthread_join(server.thread, NULL);
    close(server.socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_answer_that_comes_late_is_not_taken_for_the_next)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
