/* The embedded model on texts whose mood nobody would dispute, and the promises of sentiment.h. */
#include "tests/unit/cmocka_all.h"
#include "processors/journey/sentiment/judge.h"
#include "processors/journey/sentiment/model.h"
#include "processors/journey/sentiment/signals.h"

#include <stdlib.h>

static struct sentiment judge(const char *source)
{
    struct sentiment sentiment;
    sentiment_read(&sentiment, view_of_text(source));
    return sentiment;
}

static void plain_praise_and_complaints_are_seen_in_eight_languages(void **state)
{
    (void)state;
    static const char *const good[] = {
        "Thank you so much, the staff was great and everything arrived on time!",
        "Super Service, schnelle Lieferung, gerne wieder!",
        "Très satisfait, livraison rapide et équipe très aimable, merci !",
        "Ottimo servizio, consegna veloce, lo consiglio a tutti!",
        "Produto excelente, chegou antes do prazo, recomendo!",
        "Excelente servicio, muy amables y rápidos, lo recomiendo.",
        "شكرا لكم، الخدمة ممتازة والتوصيل سريع جدا",
        "बहुत अच्छी सेवा, सामान समय पर मिला, धन्यवाद",
        "bahut acchi service, dhanyavad",
    };
    static const char *const bad[] = {
        "Worst service ever. My package never arrived and nobody answers. I want a refund.",
        "Schrecklicher Kundenservice, das Gerät ist kaputt und niemand antwortet.",
        "Service lamentable, toujours pas livré, je suis très déçu.",
        "Pessimo servizio, il pacco non è mai arrivato, mi sento truffato.",
        "Produto veio com defeito, ninguém responde, péssimo atendimento, quero meu dinheiro de volta.",
        "Pésimo servicio, el producto llegó roto y nadie responde.",
        "خدمة سيئة والمنتج وصل مكسور ولا يردون",
        "बहुत खराब सेवा, सामान टूटा हुआ मिला",
        "bekar service, paise barbad, bahut kharab",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(judge(good[i]).label, SENTIMENT_POSITIVE);
        assert_int_equal(judge(bad[i]).label, SENTIMENT_NEGATIVE);
    }
}

static void reviews_of_films_and_things_have_their_own_words(void **state)
{
    (void)state;
    assert_int_equal(judge("A masterpiece, gripping and beautifully acted.").label, SENTIMENT_POSITIVE);
    assert_int_equal(judge("The plot was predictable and the acting wooden.").label, SENTIMENT_NEGATIVE);
    assert_int_equal(judge("Flimsy and bulky, it leaks and the lid peeled off.").label, SENTIMENT_NEGATIVE);
    assert_int_equal(judge("Never disappoints. Can't complain!").label, SENTIMENT_POSITIVE);
    assert_int_equal(judge("Thanks for nothing").label, SENTIMENT_NEGATIVE);
}

static void a_text_it_cannot_read_makes_it_modest(void **state)
{
    (void)state;
    struct sentiment read = judge("good good wonderful thanks"), unread = judge("qxzv wkjq good vvkx zzqk jjxw qqpz wwzk xxkq");
    assert_true(read.confidence > 0.8);
    assert_true(unread.confidence < 0.7);
}

static void negation_turns_the_mood(void **state)
{
    (void)state;
    assert_true(judge("The food was good.").score > 0.2);
    assert_true(judge("The food was not good.").score < -0.2);
    assert_true(judge("caissier sympathique").score > 0.2);
    assert_true(judge("caissier peu sympathique").score < 0);
}

/* «ne suis pas satisfait» and «ne marche pas» deny once, though the lexicon knows «pas satisfait» and «ne marche»; and which language «no» is, what
 * stands beside it says. */
static void one_negation_is_not_two(void **state)
{
    (void)state;
    static const char *const bad[] = {"Je ne suis pas satisfait", "Je ne suis pas satisfait du tout", "Ça ne marche pas", "Je ne suis pas content du tout",
                                      "No funciona", "La app no funciona", "Não funciona", "Non funziona"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (judge(bad[i]).label != SENTIMENT_NEGATIVE)
            fail_msg("not negative: %s", bad[i]);
    assert_int_equal(judge("Ce n'est pas mal").label, SENTIMENT_POSITIVE);
}

static void few_words_of_leaving_and_danger_are_no_praise(void **state)
{
    (void)state;
    static const char *const bad[] = {"I will sue you", "The battery caught fire", "It burned my hand", "It exploded", "I got an electric shock",
                                      "Cancel my subscription immediately", "Plus jamais"};
    struct sentiment sentiment;
    struct signals signals;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        text_judge(NULL, view_of_text(bad[i]), &sentiment, &signals);
        if (sentiment.label != SENTIMENT_NEGATIVE || sentiment.score >= 0)
            fail_msg("not negative: %s", bad[i]);
    }
    text_judge(NULL, view_of_text("The police officer at your hospital desk was wonderful, thank you!"), &sentiment, &signals);
    assert_int_equal(sentiment.label, SENTIMENT_POSITIVE);
}

static void a_set_phrase_says_what_none_of_its_words_do(void **state)
{
    (void)state;
    static const struct {
        enum sentiment_class says;
        const char *text;
    } cases[] = {
        {SENTIMENT_NEGATIVE, "It could be better"}, {SENTIMENT_NEGATIVE, "Pas du tout satisfait"}, {SENTIMENT_NEGATIVE, "Ça pourrait être mieux."},
        {SENTIMENT_NEGATIVE, "Könnte besser sein"}, {SENTIMENT_NEGATIVE, "potrebbe essere meglio"}, {SENTIMENT_NEGATIVE, "Podría ser mejor"},
        {SENTIMENT_NEGATIVE, "Poderia ser melhor"}, {SENTIMENT_NEGATIVE, "Far from perfect"}, {SENTIMENT_NEGATIVE, "Deja mucho que desear"},
        {SENTIMENT_NEGATIVE, "Couldn't be worse"}, {SENTIMENT_NEUTRAL, "Could be worse."}, {SENTIMENT_POSITIVE, "It could not be better!"},
        {SENTIMENT_POSITIVE, "Besser geht es nicht"}, {SENTIMENT_POSITIVE, "On ne peut pas mieux"}, {SENTIMENT_POSITIVE, "Lässt nichts zu wünschen übrig"},
        {SENTIMENT_POSITIVE, "Não poderia ser melhor"}, {SENTIMENT_POSITIVE, "non lascia nulla a desiderare"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sentiment sentiment;
        struct signals signals;
        text_judge(NULL, view_of_text(cases[i].text), &sentiment, &signals);
        if (sentiment.label != cases[i].says || (sentiment.score < 0) != (cases[i].says == SENTIMENT_NEGATIVE))
            fail_msg("%s: %s %g", cases[i].text, sentiment_class_name(sentiment.label), sentiment.score);
    }
}

/* «Never so …» compares, and denies nothing of what comes behind. */
static void never_so_is_as_never_before(void **state)
{
    (void)state;
    static const char *const bad[] = {"I have never been so disappointed in my life", "I've never seen such terrible service", "Never have I been so angry.",
                                      "noch nie war ich so enttäuscht", "je n'ai jamais été aussi déçu", "nunca he estado tan decepcionado"};
    static const char *const good[] = {"I have never been so happy with a purchase", "never been so happy", "noch nie war ich so zufrieden"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (judge(bad[i]).label != SENTIMENT_NEGATIVE)
            fail_msg("%s: %g", bad[i], judge(bad[i]).score);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (judge(good[i]).label != SENTIMENT_POSITIVE)
            fail_msg("%s: %g", good[i], judge(good[i]).score);
    assert_true(judge("I was never disappointed").score > 0);
    assert_true(judge("It never worked so I sent it back").score < 0);
}

static void a_question_of_fact_is_not_a_mood(void **state)
{
    (void)state;
    assert_true(judge("@united what time does flight 123 to Denver leave tomorrow?").score > -0.6);
    assert_int_equal(judge("Which gate does the train leave from on Monday?").label, SENTIMENT_NEUTRAL);
}

static void score_and_confidence_keep_their_ranges_whatever_the_bytes(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int round = 0; round < 2000; round++) {
        size_t size = round % 50 == 0 ? 20000 : (size_t)round % 300;
        char *bytes = malloc(size ? size : 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)((random = random * 1664525 + 1013904223) >> 24);
        struct sentiment first, again;
        sentiment_read(&first, view_of(bytes, size));
        sentiment_read(&again, view_of(bytes, size));
        assert_true(first.score >= -1 && first.score <= 1);
        assert_true(first.confidence > 0.33 && first.confidence <= 1);
        assert_true(first.score == again.score && first.confidence == again.confidence && first.label == again.label);
        free(bytes);
    }
}

static void a_text_of_nothing_is_neutral(void **state)
{
    (void)state;
    assert_int_equal(judge("").label, SENTIMENT_NEUTRAL);
    assert_int_equal(judge("   \n").label, SENTIMENT_NEUTRAL);
    struct sentiment none;
    sentiment_read(&none, (struct view){0});
    assert_int_equal(none.label, SENTIMENT_NEUTRAL);
}

static void the_command_prints_a_line_for_every_line(void **state)
{
    (void)state;
    char input[] = "I love this!\n\nhorrible, never again", *output = NULL;
    size_t size = 0;
    FILE *in = fmemopen(input, sizeof input - 1, "r"), *out = open_memstream(&output, &size);
    assert_int_equal(sentiment_command(in, out), 0);
    fclose(in);
    fclose(out);
    char labels[3][16];
    double score[3], confidence[3];
    assert_int_equal(sscanf(output, "%15[A-Z]\t%lf\t%lf\n%15[A-Z]\t%lf\t%lf\n%15[A-Z]\t%lf\t%lf\n", labels[0], &score[0], &confidence[0],
                            labels[1], &score[1], &confidence[1], labels[2], &score[2], &confidence[2]),
                     9);
    assert_string_equal(labels[0], "POSITIVE");
    assert_string_equal(labels[1], "NEUTRAL");
    assert_string_equal(labels[2], "NEGATIVE");
    free(output);
}

static void what_is_not_a_model_is_refused(void **state)
{
    (void)state;
    struct model model;
    char bytes[4096] = "not a model";
    assert_false(model_open(&model, view_of(bytes, sizeof bytes)));
    assert_false(model_open(&model, view_of(bytes, 3)));
    assert_true(strlen(sentiment_version()) >= 5);
}

static void emotions_follow_label_and_cues(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        enum mood mood;
    } cases[] = {
        {"OMG this is amazing, I love it so much!!!", MOOD_EXCITED},
        {"The service was good.", MOOD_SATISFIED},
        {"How do I change my address? I don't understand the form??", MOOD_CONFUSED},
        {"I do not understand this form at all", MOOD_CONFUSED},
        {"Terrible. Broken again and nobody helps.", MOOD_FRUSTRATED},
        {"", MOOD_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sentiment sentiment = judge(cases[i].source);
        struct signals signals;
        signals_read(&signals, view_of_text(cases[i].source));
        assert_int_equal(mood_of(&sentiment, signals.cues, view_of_text(cases[i].source)), cases[i].mood);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_praise_and_complaints_are_seen_in_eight_languages),
        cmocka_unit_test(reviews_of_films_and_things_have_their_own_words),
        cmocka_unit_test(a_text_it_cannot_read_makes_it_modest),
        cmocka_unit_test(negation_turns_the_mood),
        cmocka_unit_test(one_negation_is_not_two),
                                       cmocka_unit_test(few_words_of_leaving_and_danger_are_no_praise),
                                       cmocka_unit_test(a_set_phrase_says_what_none_of_its_words_do),
        cmocka_unit_test(never_so_is_as_never_before),
        cmocka_unit_test(a_question_of_fact_is_not_a_mood),
        cmocka_unit_test(score_and_confidence_keep_their_ranges_whatever_the_bytes),
        cmocka_unit_test(a_text_of_nothing_is_neutral),
        cmocka_unit_test(the_command_prints_a_line_for_every_line),
        cmocka_unit_test(what_is_not_a_model_is_refused),
        cmocka_unit_test(emotions_follow_label_and_cues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
