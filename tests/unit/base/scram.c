/* SCRAM as RFC 7677 (section 3) and RFC 5802 tell it, and what a server may get wrong. */
#include "base/scram.h"

#include "tests/unit/cmocka_all.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define BOTH_NONCES NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST "r=" BOTH_NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

static bool answer_to(const char *message, struct bytes *out)
{
    struct scram scram;
    struct bytes first = {0};
    scram_begin(&scram, SCRAM_SHA_256, "user", NONCE, &first);
    bool is_answered = scram_answer(&scram, view_of_text(message), "pencil", out);
    scram_finish(&scram);
    bytes_finish(&first);
    return is_answered;
}

static void as_the_rfc_has_it(void **state)
{
    (void)state;
    struct scram scram;
    struct bytes out = {0};
    scram_begin(&scram, SCRAM_SHA_256, "user", NONCE, &out);
    assert_string_equal(bytes_text(&out), "n,,n=user,r=" NONCE);
    bytes_clear(&out);
    assert_true(scram_answer(&scram, view_of_text(SERVER_FIRST), "pencil", &out));
    assert_string_equal(bytes_text(&out), "c=biws,r=" BOTH_NONCES ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    assert_true(scram_is_server(&scram, VIEW_LITERAL("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
    assert_false(scram_is_server(&scram, VIEW_LITERAL("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
    assert_false(scram_is_server(&scram, VIEW_LITERAL("e=other-error")));
    assert_false(scram_is_server(&scram, VIEW_LITERAL("v=")));
    scram_finish(&scram);
    bytes_finish(&out);
}

static void names_with_commas(void **state)
{
    (void)state;
    struct scram scram;
    struct bytes out = {0};
    scram_begin(&scram, SCRAM_SHA_512, "night, =watch", "abc", &out);
    assert_string_equal(bytes_text(&out), "n,,n=night=2C =3Dwatch,r=abc");
    scram_finish(&scram);
    bytes_finish(&out);
}

static void servers_that_are_none(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "", "e=no", "r=" BOTH_NONCES, "r=" BOTH_NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==", "r=" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096" /* adds nothing of its own */,
        "r=other%hvYDpWUa2RaTCAfuxFIlj,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=" BOTH_NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
        "r=" BOTH_NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1", "r=" BOTH_NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999",
        "r=" BOTH_NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001" /* a second and more of our work */, "r=" BOTH_NONCES ",s=?,i=4096", "r=" BOTH_NONCES ",s=,i=4096"};
    struct bytes out = {0};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        assert_false(answer_to(messages[i], &out));
        assert_int_equal(out.size, 0);
    }
    assert_true(answer_to(SERVER_FIRST, &out));
    bytes_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_rfc_has_it),
        cmocka_unit_test(names_with_commas),
        cmocka_unit_test(servers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
