/* Which values of a dimension have series of their own, and which are summed up as `_other`, is decided once: after a crash everything is
 * taken from where it was added, whatever became of who brought a value. */
#include "tests/stage/journey/life.h"

#define TWO_PLACES "kpi:\n  rollups: [product, team, product+team]\n  rollup_values_max: 2\n"

static void begin(struct life *life)
{
    life_begin(life);
    life_configure(life, TWO_PLACES);
}

static void ticket(struct life *life, const char *customer_id, const char *product, const char *action)
{
    char more[80], data[80];
    snprintf(more, sizeof more, "\"product\":\"%s\",", product);
    snprintf(data, sizeof data, "\"ticket_id\":\"t-%s\",\"action\":\"%s\"", customer_id, action);
    life->customer_id = customer_id;
    life_add_with(life, HOURS(life->events), "TicketChanged", data, more);
}

/* Counted, and not remembered. */
static void review(struct life *life, const char *customer_id, const char *product)
{
    char more[80];
    snprintf(more, sizeof more, "\"product\":\"%s\",", product);
    life->customer_id = customer_id;
    life_add_with(life, HOURS(life->events), "ReviewPosted", "\"stars\":5,\"text\":\"as it is\"", more);
}

static void forget(struct life *life, const char *customer_id)
{
    life->customer_id = customer_id;
    life_add(life, HOURS(life->events), "CustomerForgotten", "");
}

static void save_all(struct life *life)
{
    driver_checkpoint_begin(life->driver);
    assert_true(driver_checkpoint_write(life->driver, 100));
}

static void assert_backlog(struct life *life, const char *product, int64_t wanted)
{
    char series[80];
    snprintf(series, sizeof series, "backlog product=%s", product);
    assert_int_equal(life_sums(life, series).n, wanted);
}

/* C is over, before a crash and after it, and its ticket leaves from where it came in. */
static void over_is_over(struct life *life)
{
    ticket(life, "c-over", "C", "OPENED");
    assert_backlog(life, "_other", 1);
    driver_recover(life->driver);
    ticket(life, "c-over", "C", "RESOLVED");
    assert_backlog(life, "_other", 0);
    assert_backlog(life, "C", 0);
    review(life, "c-late", "B");
    assert_true(life_sums(life, "review_count product=B").n > 0);
    assert_int_equal(life_sums(life, "review_count product=_other").n, 0);
}

static void a_value_that_was_only_counted_keeps_its_place(void **state)
{
    (void)state;
    struct life life;
    begin(&life);
    ticket(&life, "c-1", "A", "OPENED");
    review(&life, "c-2", "B");
    save_all(&life);
    over_is_over(&life);
    life_end(&life);
}

static void whoever_brought_it_may_be_forgotten(void **state)
{
    (void)state;
    struct life life;
    begin(&life);
    ticket(&life, "c-1", "A", "OPENED");
    review(&life, "c-2", "B");
    save_all(&life);
    forget(&life, "c-2");
    save_all(&life);
    over_is_over(&life);
    life_end(&life);
}

static void and_whoever_has_it_from_them(void **state)
{
    (void)state;
    struct life life;
    begin(&life);
    review(&life, "c-1", "A");
    review(&life, "c-2", "B");
    review(&life, "c-3", "A");
    save_all(&life);
    forget(&life, "c-2");
    driver_recover(life.driver);
    forget(&life, "c-1");
    save_all(&life);
    driver_recover(life.driver);
    over_is_over(&life);
    life_end(&life);
}

/* From a checkpoint of before there was anybody who keeps anything: those who come keep what is known from it. */
static void what_nobody_kept_is_kept_from_now_on(void **state)
{
    (void)state;
    struct life life;
    begin(&life);
    ticket(&life, "c-1", "A", "OPENED");
    ticket(&life, "c-2", "B", "OPENED");
    static const char *const all[] = {"c-1", "c-2"};
    for (size_t i = 0; i < 2; i++)
        ((struct customer *)driver_entry(life.driver, view_of_text(all[i]))->state)->kept_count = 0;
    save_all(&life);
    driver_recover(life.driver);
    review(&life, "c-3", "A");
    forget(&life, "c-2"); /* whose ticket said that there is B */
    save_all(&life);
    over_is_over(&life);
    life_end(&life);
}

/* An entry has a size; what one customer brings beyond falls to others. */
static void one_customer_keeps_so_much_and_no_more(void **state)
{
    (void)state;
    struct life life;
    begin(&life);
    life_configure(&life, "kpi:\n  rollups: [product]\n  rollup_values_max: 4200\n");
    for (int i = 0; i < 4199; i++) {
        char product[16];
        snprintf(product, sizeof product, "P%d", i);
        review(&life, "c-1", product);
    }
    review(&life, "c-1", "B");
    for (int i = 0; i < 10; i++)
        review(&life, "c-2", "B");
    assert_int_equal(life_customer(&life)->kept_count, 4096);
    save_all(&life);
    driver_recover(life.driver);
    over_is_over(&life);
    life_end(&life);
}

/* What is over must not take a place because it is read back first. */
static void all_the_others_are_no_value(void **state)
{
    (void)state;
    static const char *const names[] = {"c-p", "c-q", "c-r", "c-s", "c-t", "c-u", "c-v", "c-w", "c-x", "c-y"};
    for (size_t i = 0; i + 2 < sizeof names / sizeof *names; i++) { /* one or another is the first to be saved */
        struct life life;
        begin(&life);
        ticket(&life, names[i], "A", "OPENED");
        ticket(&life, names[i + 1], "B", "OPENED");
        ticket(&life, names[i + 2], "C", "OPENED");
        driver_checkpoint_begin(life.driver);
        assert_false(driver_checkpoint_write(life.driver, 1));
        driver_recover(life.driver);
        ticket(&life, names[i], "A", "RESOLVED");
        ticket(&life, names[i + 1], "B", "RESOLVED");
        ticket(&life, names[i + 2], "C", "RESOLVED");
        assert_backlog(&life, "A", 0);
        assert_backlog(&life, "B", 0);
        assert_backlog(&life, "_other", 0);
        life_end(&life);
    }
}

/* Of its topics, the first that its text is found to be about; whichever of them was known first in this life of the processor. */
static void a_ticket_of_two_topics_leaves_from_where_it_came_in(void **state)
{
    (void)state;
    static const char *const ids[] = {"c-p", "c-q", "c-r", "c-s", "c-t", "c-u"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) { /* one or another is read back before the other */
        struct life life;
        begin(&life);
        life_configure(&life, "kpi.rollups: [topic]\n");
        life.customer_id = "c-1";
        life_add_with(&life, 0, "TicketChanged", "\"ticket_id\":\"a\",\"action\":\"OPENED\"", "\"attributes\":{\"topic\":\"refund\"},");
        life.customer_id = ids[i];
        life_add(&life, HOURS(1), "TicketChanged", "\"ticket_id\":\"b\",\"action\":\"OPENED\",\"text\":\"The invoice is wrong, I want a refund\"");
        assert_int_equal(life_sums(&life, "backlog topic=billing").n, 1);
        life.customer_id = "c-2";
        life_add_with(&life, HOURS(2), "TicketChanged", "\"ticket_id\":\"c\",\"action\":\"OPENED\"", "\"attributes\":{\"topic\":\"billing\"},");
        save_all(&life);
        driver_recover(life.driver);
        life.customer_id = ids[i];
        life_add(&life, HOURS(3), "TicketChanged", "\"ticket_id\":\"b\",\"action\":\"RESOLVED\"");
        assert_int_equal(life_sums(&life, "backlog topic=billing").n, 1);
        assert_int_equal(life_sums(&life, "backlog topic=refund").n, 1);
        life_end(&life);
    }
}

/* --- lives of many, with and without crashes --- */

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void something_happens(struct life *life, uint64_t *seed)
{
    static const char *const actions[] = {"OPENED", "OPENED", "HANDED_OFF", "RESOLVED", "CLOSED"};
    char customer_id[16], more[80], data[120];
    snprintf(customer_id, sizeof customer_id, "c-%u", random_next(seed) % 8);
    snprintf(more, sizeof more, "\"product\":\"P%u\",", random_next(seed) % 5);
    snprintf(data, sizeof data, "\"ticket_id\":\"t%u\",\"action\":\"%s\",\"team\":\"team%u\"", random_next(seed) % 3, actions[random_next(seed) % 5],
             random_next(seed) % 5);
    life->customer_id = customer_id;
    switch (random_next(seed) % 12) {
    case 0: life_add(life, HOURS(life->events), "CustomerForgotten", ""); break;
    case 1:
    case 2:
    case 3: life_add_with(life, HOURS(life->events), "ReviewPosted", "\"stars\":5,\"text\":\"as it is\"", more); break;
    default: life_add_with(life, HOURS(life->events), "TicketChanged", data, more); break;
    }
}

static void live(struct life *life, uint64_t seed, bool crashes)
{
    uint64_t crash_seed = seed ^ 0x5eed;
    begin(life);
    review(life, "c-0", "P0"); /* somebody stays: where nobody is left, nobody remembers */
    review(life, "c-stays", "P0");
    for (int i = 0; i < 60; i++) {
        something_happens(life, &seed);
        uint32_t fate = random_next(&crash_seed) % 12;
        if (crashes && fate < 3) {
            driver_checkpoint_begin(life->driver);
            driver_checkpoint_write(life->driver, 1 + fate * 3);
        } else if (crashes && fate == 3) {
            driver_recover(life->driver);
        }
    }
}

static void every_part_is_what_it_is_without_crashes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct life calm, crashed;
        live(&calm, seed, false);
        live(&crashed, seed, true);
        size_t at = 0;
        for (struct map_slot *slot; (slot = map_next(&crashed.sums, &at));) {
            struct view series = view_of(slot->key, slot->key_size);
            if (series.data[0] == ' ')
                continue; /* when a source was heard of: no sum */
            const struct life_series *got = slot->value, *wanted = map_find(&calm.sums, series);
            struct kpi_sums left = got->sums;
            if (wanted)
                kpi_sums_add(&left, &wanted->sums, -1);
            if (!kpi_sums_are_zero(&left))
                fail_msg("seed %d: %.*s", (int)seed, VIEW_ARGUMENTS(series));
        }
        life_end(&calm);
        life_end(&crashed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_was_only_counted_keeps_its_place),
        cmocka_unit_test(whoever_brought_it_may_be_forgotten),
        cmocka_unit_test(and_whoever_has_it_from_them),
        cmocka_unit_test(what_nobody_kept_is_kept_from_now_on),
        cmocka_unit_test(one_customer_keeps_so_much_and_no_more),
        cmocka_unit_test(all_the_others_are_no_value),
        cmocka_unit_test(a_ticket_of_two_topics_leaves_from_where_it_came_in),
        cmocka_unit_test(every_part_is_what_it_is_without_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
