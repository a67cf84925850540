/* Alarming words and topics: found in six languages, as whole words, with the text that matched. */
#include "tests/unit/cmocka_all.h"
#include "processors/journey/sentiment/signals.h"

static struct alarms alarms_in(const char *source)
{
    struct signals signals;
    signals_read(&signals, view_of_text(source));
    return signals.alarms;
}

static void leaving_law_and_safety_are_found_in_six_languages(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        enum alarm_kind kind;
    } cases[] = {
        {"I'm done, cancel my subscription today", ALARM_LEAVING},
        {"Hiermit kündige ich", ALARM_LEAVING},
        {"je veux resilier mon contrat", ALARM_LEAVING},
        {"mando la disdetta", ALARM_LEAVING},
        {"Nunca mais compro nessa loja", ALARM_LEAVING},
        {"quiero darme de baja", ALARM_LEAVING},
        {"You will hear from my LAWYER", ALARM_LAW},
        {"Mein Rechtsanwalt meldet sich", ALARM_LAW},
        {"je vais porter plainte", ALARM_LAW},
        {"mi rivolgo a un avvocato", ALARM_LAW},
        {"vou procurar o Procon", ALARM_LAW},
        {"mi abogado les llamará", ALARM_LAW},
        {"the charger caught fire last night", ALARM_SAFETY},
        {"Das Netzteil hat Feuer gefangen", ALARM_SAFETY},
        {"mon fils s'est brûlé, direction les urgences", ALARM_SAFETY},
        {"sono finito al pronto soccorso", ALARM_SAFETY},
        {"o carregador explodiu", ALARM_SAFETY},
        {"la batería explotó", ALARM_SAFETY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(alarms_in(cases[i].source).kinds, 1u << cases[i].kind);
}

static void the_matched_words_are_returned_as_the_customer_wrote_them(void **state)
{
    (void)state;
    struct alarms alarms = alarms_in("Enough. I'll SUE you, my Lawyer says");
    assert_true(view_equal_text(alarms.matched[ALARM_LAW], "SUE"));
    assert_null(alarms.matched[ALARM_SAFETY].data);
    alarms = alarms_in("it Caught  fire!");
    assert_true(view_equal_text(alarms.matched[ALARM_SAFETY], "Caught  fire"));
}

static void ordinary_texts_raise_no_alarm(void **state)
{
    (void)state;
    static const char *const calm[] = {"this album is fire", "Susan issued a ticket", "please cancel order 12", "The courtyard was lovely",
                                       "I never said that", "", "see you again next time",
                                       "last time I checked it worked", "meine Lebensgefährtin fährt mit", "moins cher que la concurrence",
                                       "a great place of hospitality"};
    for (size_t i = 0; i < sizeof calm / sizeof *calm; i++)
        assert_int_equal(alarms_in(calm[i]).kinds, 0);
}

static void a_name_is_no_lawsuit(void **state)
{
    (void)state;
    static const char *const calm[] = {"Is Sue there today?", "Sue was very helpful", "I spoke to Sue about it", "we and Sue, your colleague, agreed",
                                       "is sue there today?", "Please thank you Sue your help was great", "Hello. Sue called me back"};
    static const char *const threats[] = {"I will sue you", "I'LL SUE!", "we are going to sue", "I really will sue the lot of you", "sue them!", "Sue them!",
                                          "Enough. Sue you is what I'll do", "people should sue", "suing you is all that is left", "I have sued before"};
    for (size_t i = 0; i < sizeof calm / sizeof *calm; i++)
        if (alarms_in(calm[i]).kinds)
            fail_msg("%s", calm[i]);
    for (size_t i = 0; i < sizeof threats / sizeof *threats; i++)
        if (alarms_in(threats[i]).kinds != 1u << ALARM_LAW)
            fail_msg("%s", threats[i]);
}

static void topics_name_what_a_text_is_about(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        uint32_t topics;
    } cases[] = {
        {"Where is my parcel? The courier never came", 1u << TOPIC_DELIVERY},
        {"Die Rechnung stimmt nicht", 1u << TOPIC_BILLING},
        {"je veux un remboursement", 1u << TOPIC_REFUND},
        {"l'app va in crash, app lenta", 1u << TOPIC_APP | 1u << TOPIC_WAITING},
        {"esqueci minha senha", 1u << TOPIC_ACCOUNT},
        {"el paquete llegó roto", 1u << TOPIC_DELIVERY | 1u << TOPIC_DAMAGE},
        {"nothing to see", 0},
        {"Please delete my personal data", 0},
        {"Das Personal war freundlich", 1u << TOPIC_STAFF},
        {"El personal muy amable", 1u << TOPIC_STAFF},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct signals signals;
        signals_read(&signals, view_of_text(cases[i].source));
        assert_int_equal(signals.topics, cases[i].topics);
    }
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        assert_true(topic_name((enum topic)topic)[0] != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaving_law_and_safety_are_found_in_six_languages),
        cmocka_unit_test(the_matched_words_are_returned_as_the_customer_wrote_them),
        cmocka_unit_test(ordinary_texts_raise_no_alarm),
        cmocka_unit_test(a_name_is_no_lawsuit),
        cmocka_unit_test(topics_name_what_a_text_is_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
