/* Who guesses at tokens: how often, from one address and from all, and whom that does not stop. */
#include "base/guesses.h"
#include "base/clock.h"
#include "tests/unit/cmocka_all.h"

#include <arpa/inet.h>
#include <stdio.h>

static struct http_peer peer_of(const char *address)
{
    struct http_peer peer;
    assert_int_equal(inet_pton(AF_INET6, address, peer.bytes), 1);
    return peer;
}

static struct http_peer peer_number(int i)
{
    char address[64];
    snprintf(address, sizeof address, "::ffff:192.0.%d.%d", i / 256, i % 256);
    return peer_of(address);
}

static int guess_count;

static void guess(struct guesses *guesses, struct http_peer peer, int64_t now_ms)
{
    char token[32];
    snprintf(token, sizeof token, "guess %d", guess_count++);
    guesses_note_wrong(guesses, &peer, GUESS_TOKEN, view_of_text(token), now_ms);
}

/* Guesses until it must wait: how many. */
static int guess_until_refused(struct guesses *guesses, struct http_peer peer, int64_t now_ms)
{
    int count = 0;
    for (; count < 1000 && guesses_wait_s(guesses, &peer, GUESS_TOKEN, now_ms) == 0; count++)
        guess(guesses, peer, now_ms);
    return count;
}

static int setup(void **state)
{
    return (*state = guesses_create()) == NULL;
}

static int teardown(void **state)
{
    guesses_destroy(*state);
    return 0;
}

static void an_address_has_some_and_then_one_now_and_then(void **state)
{
    struct guesses *guesses = *state;
    struct http_peer one = peer_of("::ffff:192.0.2.1"), other = peer_of("::ffff:192.0.2.2");
    int64_t at_ms = HOURS(1);
    assert_int_equal(guess_until_refused(guesses, one, at_ms), GUESSES_AT_ONCE);
    assert_int_equal(guesses_wait_s(guesses, &one, GUESS_TOKEN, at_ms), GUESSES_EACH_MS / 1000);
    assert_int_equal(guesses_wait_s(guesses, &other, GUESS_TOKEN, at_ms), 0);
    at_ms += GUESSES_EACH_MS - 1;
    assert_int_equal(guesses_wait_s(guesses, &one, GUESS_TOKEN, at_ms), 1); /* never 0 while it is refused */
    at_ms += 1;
    assert_int_equal(guess_until_refused(guesses, one, at_ms), 1);
    at_ms += DAYS(1); /* and not more for having been silent */
    assert_int_equal(guess_until_refused(guesses, one, at_ms), GUESSES_AT_ONCE);
}

static void a_session_owes_nothing_for_tokens(void **state)
{
    struct guesses *guesses = *state;
    struct http_peer one = peer_of("::ffff:192.0.2.1");
    assert_int_equal(guess_until_refused(guesses, one, 0), GUESSES_AT_ONCE);
    assert_int_equal(guesses_wait_s(guesses, &one, GUESS_SESSION, 0), 0);
    for (int i = 0; i < GUESSES_AT_ONCE; i++)
        guesses_note_wrong(guesses, &one, GUESS_SESSION, VIEW_LITERAL("s"), 0);
    assert_int_equal(guesses_wait_s(guesses, &one, GUESS_SESSION, 0), GUESSES_EACH_MS / 1000);
}

static void a_network_of_ipv6_is_one_address(void **state)
{
    struct guesses *guesses = *state;
    assert_int_equal(guess_until_refused(guesses, peer_of("2001:db8:1:2::1"), 0), GUESSES_AT_ONCE);
    assert_int_equal(guess_until_refused(guesses, peer_of("2001:db8:1:2:ffff::2"), 0), 0);
    assert_int_equal(guess_until_refused(guesses, peer_of("2001:db8:1:3::1"), 0), GUESSES_AT_ONCE);
}

static void all_addresses_have_some_together_but_for_who_was_right(void **state)
{
    struct guesses *guesses = *state;
    struct http_peer known = peer_of("::ffff:198.51.100.1");
    int64_t at_ms = HOURS(1);
    guesses_note_right(guesses, &known, GUESS_TOKEN, VIEW_LITERAL("the token"), at_ms);
    for (int i = 0; i < GUESSES_OF_ALL_AT_ONCE; i++) {
        struct http_peer peer = peer_number(i);
        assert_int_equal(guesses_wait_s(guesses, &peer, GUESS_TOKEN, at_ms), 0);
        guess(guesses, peer, at_ms);
    }
    struct http_peer next = peer_number(GUESSES_OF_ALL_AT_ONCE);
    assert_int_equal(guesses_wait_s(guesses, &next, GUESS_TOKEN, at_ms), GUESSES_OF_ALL_EACH_MS / 1000);
    assert_int_equal(guesses_wait_s(guesses, &next, GUESS_TOKEN, at_ms + GUESSES_OF_ALL_EACH_MS), 0);
    assert_int_equal(guess_until_refused(guesses, known, at_ms), GUESSES_AT_ONCE); /* its own limit it has all the same */
}

/* From so many addresses as nobody can remember: what one of them owes is not forgotten sooner than it is paid. */
static void many_addresses_do_not_make_one_forgotten(void **state)
{
    struct guesses *guesses = *state;
    struct http_peer one = peer_of("::ffff:203.0.113.1");
    int64_t at_ms = HOURS(1), end_ms = at_ms + GUESSES_EACH_MS;
    assert_int_equal(guess_until_refused(guesses, one, at_ms), GUESSES_AT_ONCE);
    for (int i = 0; at_ms < end_ms; i++, at_ms += 10) {
        struct http_peer peer = peer_number(i);
        if (guesses_wait_s(guesses, &peer, GUESS_TOKEN, at_ms) == 0)
            guess(guesses, peer, at_ms);
        assert_true(guesses_wait_s(guesses, &one, GUESS_TOKEN, at_ms) > 0);
    }
}

static void what_was_wrong_is_known_to_be_and_what_was_right_of_sessions_alone(void **state)
{
    struct guesses *guesses = *state;
    struct http_peer peer = peer_number(1);
    guesses_note_wrong(guesses, &peer, GUESS_TOKEN, VIEW_LITERAL("a"), 0);
    assert_true(guesses_were_wrong(guesses, GUESS_TOKEN, VIEW_LITERAL("a")));
    assert_false(guesses_were_wrong(guesses, GUESS_SESSION, VIEW_LITERAL("a")));
    assert_false(guesses_were_wrong(guesses, GUESS_TOKEN, VIEW_LITERAL("b")));
    guesses_note_right(guesses, &peer, GUESS_SESSION, VIEW_LITERAL("s"), 0);
    guesses_note_right(guesses, &peer, GUESS_TOKEN, VIEW_LITERAL("t"), 0);
    assert_true(guesses_were_right(guesses, GUESS_SESSION, VIEW_LITERAL("s")));
    assert_false(guesses_were_right(guesses, GUESS_TOKEN, VIEW_LITERAL("s")));
    assert_false(guesses_were_right(guesses, GUESS_TOKEN, VIEW_LITERAL("t")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_has_some_and_then_one_now_and_then, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_owes_nothing_for_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(a_network_of_ipv6_is_one_address, setup, teardown),
        cmocka_unit_test_setup_teardown(all_addresses_have_some_together_but_for_who_was_right, setup, teardown),
        cmocka_unit_test_setup_teardown(many_addresses_do_not_make_one_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_wrong_is_known_to_be_and_what_was_right_of_sessions_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
