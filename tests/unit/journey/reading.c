/* A library is memory, never meaning: a text read before says what it says to who never read anything. */
#include "tests/unit/cmocka_all.h"
#include "base/bytes.h"
#include "base/random.h"
#include "processors/journey/reading.h"

static void assert_same(struct libraries *libraries, struct view text)
{
    struct libraries *nothing_read = libraries_create();
    struct impression known = {.text = text}, fresh = {.text = text};
    reading_of_text(&known, libraries);
    reading_of_text(&fresh, nothing_read);
    assert_int_equal(known.sentiment.label, fresh.sentiment.label);
    assert_true(known.sentiment.score == fresh.sentiment.score && known.sentiment.confidence == fresh.sentiment.confidence);
    assert_int_equal(known.has_emotion, fresh.has_emotion);
    assert_int_equal(known.emotion, fresh.emotion);
    assert_int_equal(known.alarms, fresh.alarms);
    assert_int_equal(known.topic_count, fresh.topic_count);
    for (size_t i = 0; i < known.topic_count; i++)
        assert_ptr_equal(known.topics[i].data, fresh.topics[i].data);
    libraries_destroy(nothing_read);
}

static const char *const pieces[] = {"The parcel was late", "Thank you so much!", "my lawyer will write", "it caught fire", "I want a refund.", "How do I log in?"};

/* Texts that differ in a letter or in their length, some read again at once, some long after, some too long to be kept. */
static void a_text_read_again_says_the_same(void **state)
{
    (void)state;
    struct libraries *libraries = libraries_create();
    struct random random;
    random_init(&random, 5);
    struct bytes text = {0};
    for (int i = 0; i < 3000; i++) {
        if (random_below(&random, 3) > 0) {
            bytes_clear(&text);
            for (uint64_t left = 1 + random_below(&random, 12); left > 0; left--) {
                bytes_append_text(&text, pieces[random_below(&random, sizeof pieces / sizeof *pieces)]);
                bytes_append_byte(&text, " .!"[random_below(&random, 3)]);
            }
        }
        assert_same(libraries, bytes_view(&text));
    }
    bytes_finish(&text);
    libraries_destroy(libraries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_text_read_again_says_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
