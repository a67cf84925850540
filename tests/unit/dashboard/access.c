/* A session of the page: good until its end, for who knows the token, and for nobody who changed a letter of it. */
#include "sinks/dashboard/access.h"
#include "tests/unit/cmocka_all.h"

#define TOKEN VIEW_LITERAL("what readers know")
enum { END_S = 1800000000 };

static void a_session_holds_until_its_end(void **state)
{
    (void)state;
    struct bytes session = {0};
    access_session_print(TOKEN, END_S, &session);
    assert_true(access_session_holds(TOKEN, bytes_view(&session), END_S - 1));
    assert_false(access_session_holds(TOKEN, bytes_view(&session), END_S));
    assert_false(access_session_holds(VIEW_LITERAL("another token"), bytes_view(&session), END_S - 1));
    bytes_finish(&session);
}

static void no_letter_of_it_can_be_changed(void **state)
{
    (void)state;
    struct bytes session = {0};
    access_session_print(TOKEN, END_S, &session);
    for (size_t i = 0; i < session.size; i++) {
        char kept = session.data[i];
        session.data[i] = kept == '9' ? '8' : '9'; /* a later end, among others */
        if (session.data[i] != kept)
            assert_false(access_session_holds(TOKEN, bytes_view(&session), 0));
        session.data[i] = kept;
    }
    assert_false(access_session_holds(TOKEN, view_of(session.data, session.size - 1), 0));
    bytes_append_byte(&session, '0');
    assert_false(access_session_holds(TOKEN, bytes_view(&session), 0));
    bytes_finish(&session);
}

static void what_is_no_session_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", ".", "1800000000", "1800000000.", "99999999999999999999999999.00", "-1.x", "01800000000.0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(access_session_holds(TOKEN, view_of_text(texts[i]), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_holds_until_its_end),
        cmocka_unit_test(no_letter_of_it_can_be_changed),
        cmocka_unit_test(what_is_no_session_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
