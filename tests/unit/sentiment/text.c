/* The reading of a text: what counts as a word, and that no bytes can upset it. */
#include "tests/unit/cmocka_all.h"
#include "processors/journey/sentiment/text.h"

#include <stdio.h>
#include <stdlib.h>

static struct text text;

static const char *token_as_text(size_t index)
{
    static char out[256];
    size_t size = 0;
    for (size_t i = 0; i < text.tokens[index].length; i++) {
        uint32_t letter = text.letters[text.tokens[index].at + i];
        size += (size_t)sprintf(out + size, letter < 0x80 ? "%c" : "<%x>", letter);
    }
    out[size] = 0;
    return out;
}

static void read_text(const char *source)
{
    text_read(&text, view_of_text(source));
}

static void words_are_lower_cased_and_stay_with_their_clitics(void **state)
{
    (void)state;
    read_text("I DON'T like it, we\u2019re leaving");
    assert_string_equal(token_as_text(1), "don't");
    assert_true(text.tokens[1].kind == TOKEN_WORD);
    assert_string_equal(token_as_text(5), "we're");
    assert_int_equal(text.token_count, 7);
}

static void french_elisions_become_words_of_their_own(void **state)
{
    (void)state;
    read_text("j'aime l'équipe, ça n'a pas marché");
    assert_string_equal(token_as_text(0), "j");
    assert_string_equal(token_as_text(1), "aime");
    assert_string_equal(token_as_text(3), "<e9>quipe");
    assert_string_equal(token_as_text(6), "n");
}

static void capitals_and_stretching_are_remembered(void **state)
{
    (void)state;
    read_text("SOOOOO good");
    assert_string_equal(token_as_text(0), "soo");
    assert_true(text.tokens[0].shouted);
    assert_true(text.tokens[0].stretched);
    assert_false(text.tokens[1].shouted);
}

static void emoticons_names_tags_and_links_are_told_apart(void **state)
{
    (void)state;
    read_text("@united thanks :-) #fail :( http://t.co/x &lt;3 ok");
    const enum token_kind kinds[] = {TOKEN_NAME, TOKEN_WORD, TOKEN_SMILE, TOKEN_WORD, TOKEN_FROWN, TOKEN_LINK, TOKEN_SMILE, TOKEN_WORD};
    assert_int_equal(text.token_count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(text.tokens[i].kind, kinds[i]);
    assert_true(text.tokens[3].tagged);
    assert_string_equal(token_as_text(0), "@united");
}

static void numbers_lose_their_value_and_repeated_marks_their_count(void **state)
{
    (void)state;
    read_text("paid 1,299.50 twice!!!!!!!");
    assert_string_equal(token_as_text(1), "0.00");
    assert_string_equal(token_as_text(3), "!!!");
}

static void accents_typed_in_latin_1_read_as_in_utf_8(void **state)
{
    (void)state;
    read_text("d\xe9""fectueux");
    uint32_t broken = text.tokens[0].hash;
    read_text("d\u00e9""fectueux");
    assert_int_equal(text.tokens[0].hash, broken);
}

static void tokens_know_where_they_stood(void **state)
{
    (void)state;
    const char *source = "é &amp; LAWYER!";
    read_text(source);
    assert_int_equal(text.token_count, 4);
    assert_memory_equal(source + text.tokens[2].byte_at, "LAWYER", 6);
    assert_int_equal(text.tokens[2].byte_end - text.tokens[2].byte_at, 6);
}

static void any_bytes_of_any_length_are_read(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 3000; round++) {
        size_t size = round % 7 == 0 ? 5000 : (size_t)round % 90;
        char *bytes = malloc(size ? size : 1); /* its end is its end: a sanitizer sees a step beyond */
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = round % 3 ? (char)(random >> 24) : ":;=()&#@'<ltamp3\xc3\xf0\xe2 "[(random >> 24) % 20];
        }
        text_read(&text, view_of(bytes, size));
        assert_true(text.token_count <= TEXT_TOKENS_MAX && text.letter_count <= TEXT_BYTES_MAX);
        for (size_t i = 0; i < text.token_count; i++)
            assert_true(text.tokens[i].byte_at < text.tokens[i].byte_end && text.tokens[i].byte_end <= size);
        free(bytes);
    }
}

static void an_absent_text_has_no_tokens(void **state)
{
    (void)state;
    text_read(&text, (struct view){0});
    assert_int_equal(text.token_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_lower_cased_and_stay_with_their_clitics),
        cmocka_unit_test(french_elisions_become_words_of_their_own),
        cmocka_unit_test(capitals_and_stretching_are_remembered),
        cmocka_unit_test(emoticons_names_tags_and_links_are_told_apart),
        cmocka_unit_test(numbers_lose_their_value_and_repeated_marks_their_count),
        cmocka_unit_test(accents_typed_in_latin_1_read_as_in_utf_8),
        cmocka_unit_test(tokens_know_where_they_stood),
        cmocka_unit_test(any_bytes_of_any_length_are_read),
        cmocka_unit_test(an_absent_text_has_no_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
