/* A vocabulary is memory, never meaning: texts read with one say to the last bit what they say without. */
#include "tests/unit/cmocka_all.h"
#include "base/bytes.h"
#include "base/random.h"
#include "processors/journey/sentiment/judge.h"

static void assert_same(struct vocabulary *vocabulary, struct view source)
{
    struct sentiment known, slow;
    struct signals known_signals, slow_signals;
    text_judge(vocabulary, source, &known, &known_signals);
    text_judge(NULL, source, &slow, &slow_signals);
    assert_int_equal(known.label, slow.label);
    assert_true(known.score == slow.score && known.confidence == slow.confidence);
    assert_int_equal(known_signals.topics, slow_signals.topics);
    assert_int_equal(known_signals.cues, slow_signals.cues);
    assert_int_equal(known_signals.alarms.kinds, slow_signals.alarms.kinds);
    for (int kind = 0; kind < ALARM_COUNT; kind++) {
        assert_ptr_equal(known_signals.alarms.matched[kind].data, slow_signals.alarms.matched[kind].data);
        assert_int_equal(known_signals.alarms.matched[kind].size, slow_signals.alarms.matched[kind].size);
    }
}

static const char *const pieces[] = {
    "the", "delivery", "was", "not", "late", "LATE", "Late", "lawyer", "my", "caught", "fire", "don't", "can't", "wait", "sooooo", "slow",
    "j'aime", "pas", "die", "hate", "h\xc3\xa2te", "versp\xc3\xa4tet", "\xc3\x9c" "BEL", "funktioniert", "nicht", "garant\xc3\xad" "a", "m\xc3\x97n",
    "naïve\xe2\x80\x99s", "l\xc3\xa0", "abc123", "http://x.y", "www.a.b", "how", "do", "i", "#fail", "#tag_two", "a_b", "@shop", "&amp;", "it&#39;s",
    "fire&more", "rock'n'roll", ":-)", "<3", "!!!", "...", "?", "12,5", "caf\xe9", "\xf0\x9f\x98\xa1", "ok\xcc\x81", "x\xc3", "cancelled", "refund", "money",
    "back", "return_it", "averyveryverylongwordthatgoeson", "pneumonoultramicroscopic", "twentyfourletterslongword", "but", "very", "good", "bad",
};

static void random_text(struct random *random, struct bytes *out)
{
    bytes_clear(out);
    for (uint64_t i = 0, count = random_below(random, 30); i < count; i++) {
        const char *piece = pieces[random_below(random, sizeof pieces / sizeof *pieces)];
        bytes_append_text(out, piece);
        const char *behind = &" \0 \0, \0'\0-\0\n\0_"[2 * random_below(random, 7)];
        bytes_append_text(out, behind);
    }
}

static void known_words_say_the_same(void **state)
{
    (void)state;
    struct vocabulary *vocabulary = vocabulary_create();
    struct random random;
    random_init(&random, 7);
    struct bytes text = {0};
    for (int i = 0; i < 20000; i++) {
        random_text(&random, &text);
        assert_same(vocabulary, bytes_view(&text));
    }
    bytes_finish(&text);
    vocabulary_destroy(vocabulary);
}

/* More different words than it has places for, in one text and in many. */
static void a_full_vocabulary_says_the_same(void **state)
{
    (void)state;
    struct vocabulary *vocabulary = vocabulary_create();
    struct random random;
    random_init(&random, 11);
    struct bytes text = {0};
    for (int i = 0; i < 2000; i++) {
        bytes_clear(&text);
        for (int word = 0; word < (i % 10 ? 12 : 900); word++) {
            char letters[5] = {0};
            for (int k = 0; k < 4; k++)
                letters[k] = "abdeilnort"[random_below(&random, 10)];
            bytes_append_text(&text, letters);
            bytes_append_byte(&text, ' ');
        }
        assert_same(vocabulary, bytes_view(&text));
    }
    bytes_finish(&text);
    vocabulary_destroy(vocabulary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_words_say_the_same), cmocka_unit_test(a_full_vocabulary_says_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
