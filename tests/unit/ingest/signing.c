/* Signatures as senders make them, and what is not quite one. The expected ones were made with openssl's command:
 *   printf '1700000000.{"id": 1}' | openssl dgst -sha256 -hmac whsec_k */
#include "ingest/signing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define STAMPED "624fc1344aaffc2ecdf6761a4b2a66202038b7ac395e12683ae42fe6a099176f"
#define PLAIN "8f2e3bd4a0e9dfd3c2779a5eefc5ef360fb8df3694e401e7ad84838f65138194"
#define PLAIN_BASE64 "jy471KDp39PCd5pe78XvNg+43zaU5AHnrYSDj2UTgZQ="
#define ISO "d5459fc29baf82b1ecf15124dec079edfa22d0056c2e121f539427489e469c8f"
#define SHA1 "9622d033b3ccaa4bba53b3cc37617417c70dff36"
#define OTHER "0000000000000000000000000000000000000000000000000000000000000000"

enum { AT = 1700000000 };

static bool is_right(const struct signing *signing, const char *given, const char *stamp, const char *body, int64_t seconds_later)
{
    return signing_is_right(signing, view_of_text(given), view_of_text(stamp), view_of_text(body), (AT + seconds_later) * 1000);
}

static const struct signing plain = {.secret = {"whsec_k", 7}, .separator = ""};

static void a_stamp_and_signatures_in_one_header(void **state)
{
    (void)state;
    static const char body[] = "{\"id\": 1}";
    static const char *const good[] = {
        "t=1700000000,v1=" STAMPED,
        "t=1700000000,v1=" STAMPED ",v0=" OTHER,
        "t=1700000000,v0=" OTHER ",v1=" STAMPED,
        "t=1700000000,v1=" OTHER ",v1=" STAMPED, /* while a secret is being changed */
        "t=1700000000,v1=" STAMPED ",v1=" OTHER,
        "v1=" STAMPED ",t=1700000000",
        " t=1700000000 , v1=" STAMPED " ,",
        "t=1700000000,,odd,v1=" STAMPED,
    };
    static const char *const bad[] = {
        "t=1700000000,v1=" OTHER,
        "t=1700000000,v0=" STAMPED,
        "t=1700000000,v1",
        "t=1700000000,v1=",
        "t=1700000000",
        "t=1700000001,v1=" STAMPED,
        "t=01700000000,v1=" STAMPED,
        "t=,v1=" STAMPED,
        "t,v1=" STAMPED,
        "v1=" STAMPED,
        "t=1700000000.,v1=" STAMPED,
        "t=-1700000000,v1=" STAMPED,
        "t=9999999999999999999999999,v1=" STAMPED,
        "t=1700000000,t=1700000000,v1=" STAMPED,
        "t=1700000000,v1=" STAMPED "0",
        "t=1700000000,v1= " STAMPED,
        ",",
        "=",
        "",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!is_right(&plain, good[i], NULL, body, 0))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (is_right(&plain, bad[i], NULL, body, 0))
            fail_msg("taken: %s", bad[i]);
    assert_false(is_right(&plain, good[0], NULL, "{\"id\": 2}", 0));
    assert_false(is_right(&(struct signing){.secret = {"whsec_l", 7}, .separator = ""}, good[0], NULL, body, 0));
    assert_false(is_right(&(struct signing){.secret = {"whsec_k", 7}, .separator = "", .hash = SIGNATURE_SHA1}, good[0], NULL, body, 0));
}

static void a_stamp_holds_for_five_minutes_either_way(void **state)
{
    (void)state;
    static const struct signing apart = {.secret = {"whsec_k", 7}, .separator = "."};
    for (int sign = -1; sign <= 1; sign += 2) {
        assert_true(is_right(&plain, "t=1700000000,v1=" STAMPED, NULL, "{\"id\": 1}", sign * 300));
        assert_false(is_right(&plain, "t=1700000000,v1=" STAMPED, NULL, "{\"id\": 1}", sign * 301));
        assert_true(is_right(&apart, "sha256=" STAMPED, "1700000000", "{\"id\": 1}", sign * 300));
        assert_false(is_right(&apart, "sha256=" STAMPED, "1700000000", "{\"id\": 1}", sign * 301));
    }
}

static void a_stamp_in_a_header_of_its_own(void **state)
{
    (void)state;
    static const struct signing apart = {.secret = {"whsec_k", 7}, .separator = "."};
    assert_true(is_right(&apart, STAMPED, "1700000000", "{\"id\": 1}", 0));
    assert_false(is_right(&apart, STAMPED, "1700000001", "{\"id\": 1}", 0));
    assert_false(is_right(&apart, STAMPED, "", "{\"id\": 1}", 0));
    assert_false(is_right(&plain, STAMPED, "1700000000", "{\"id\": 1}", 0)); /* no separator between */
    /* Zendesk's is a time of day right before the body; how old it is nobody asks. */
    assert_true(is_right(&plain, ISO, "2026-01-01T00:00:00Z", "{\"id\": 1}", 0));
    /* What was signed, cut in another place: the stamp would be no time and as old as it likes. */
    assert_false(is_right(&apart, "6e0fa0ea61f42fbd037b6d79d5746799e6a3492f64da3949b8f67762c2d15597", "1700000000.{\"a\": \"b", "c\"}", 86400));
}

static void over_the_body_alone(void **state)
{
    (void)state;
    static const char body[] = "{\"id\": 1}";
    static const struct signing old = {.secret = {"whsec_k", 7}, .separator = "", .hash = SIGNATURE_SHA1};
    assert_true(is_right(&plain, PLAIN, NULL, body, 0));
    assert_true(is_right(&plain, "SHA256=" PLAIN, NULL, body, 0));
    assert_true(is_right(&plain, PLAIN_BASE64, NULL, body, 0));
    assert_true(is_right(&plain, "sha256=" PLAIN_BASE64, NULL, body, 0));
    assert_false(is_right(&plain, "sha256=", NULL, body, 0));
    assert_false(is_right(&plain, PLAIN, NULL, "{\"id\": 1} ", 0));
    assert_true(is_right(&old, "sha1=" SHA1, NULL, body, 0));
    assert_true(is_right(&old, SHA1, NULL, body, 0));
    assert_false(is_right(&plain, "sha1=" SHA1, NULL, body, 0)); /* only where it was said */
    assert_false(is_right(&plain, SHA1, NULL, body, 0));
    assert_false(is_right(&old, "sha256=" PLAIN, NULL, body, 0));
    assert_false(is_right(&old, "sha1=" PLAIN, NULL, body, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_and_signatures_in_one_header),
        cmocka_unit_test(a_stamp_holds_for_five_minutes_either_way),
        cmocka_unit_test(a_stamp_in_a_header_of_its_own),
        cmocka_unit_test(over_the_body_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
