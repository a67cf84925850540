/* A session of the page: good until its end, for who knows the token, and for nobody who changed a letter of it. */
#include "sinks/dashboard/access.h"
#include "tests/unit/cmocka_all.h"

#define TOKEN VIEW_LITERAL("what readers know")
#define CHANCE VIEW_LITERAL("0123456789abcdef")
enum { END_S = 1800000000 };

static bool is_ours(struct view token, struct view session)
{
    int64_t ends_at_s;
    return access_session_read(token, session, &ends_at_s);
}

static void a_session_is_read_with_its_end(void **state)
{
    (void)state;
    struct bytes session = {0};
    int64_t ends_at_s;
    access_session_print(TOKEN, END_S, CHANCE, &session);
    assert_true(access_session_read(TOKEN, bytes_view(&session), &ends_at_s));
    assert_int_equal(ends_at_s, END_S);
    assert_false(is_ours(VIEW_LITERAL("another token"), bytes_view(&session)));
    bytes_finish(&session);
}

static void no_letter_of_it_can_be_changed(void **state)
{
    (void)state;
    struct bytes session = {0};
    access_session_print(TOKEN, END_S, CHANCE, &session);
    for (size_t i = 0; i < session.size; i++) {
        char kept = session.data[i];
        session.data[i] = kept == '9' ? '8' : '9'; /* a later end, among others */
        if (session.data[i] != kept)
            assert_false(is_ours(TOKEN, bytes_view(&session)));
        session.data[i] = kept;
    }
    assert_false(is_ours(TOKEN, view_of(session.data, session.size - 1)));
    bytes_append_byte(&session, '0');
    assert_false(is_ours(TOKEN, bytes_view(&session)));
    bytes_finish(&session);
}

static void what_is_no_session_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", ".", "1800000000", "1800000000.", "99999999999999999999999999.00", "-1.x", "01800000000.0", "1800000000..", "1800000000.0", "1800000000.0.", "1800000000.0.0",
                                       "1800000000.00000000000000000000000000000000000000000000000.0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(is_ours(TOKEN, view_of_text(texts[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_read_with_its_end),
        cmocka_unit_test(no_letter_of_it_can_be_changed),
        cmocka_unit_test(what_is_no_session_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
