/* An order that is not delivered, a product that nobody uses, a term that ends without a word: told at their time, and ended by what comes. */
#include "base/time_text.h"
#include "tests/stage/journey/desk.h"

#include <unistd.h>

#define WATCH_ALL "alerts.absence.delivery_after: 14d\nalerts.absence.use: true\n"

static const char *const rules[] = {"absence.delivery", "absence.use", "absence.renewal"};

static char config_path[] = "/tmp/absence-test-XXXXXX";

/* `config`: lines of the file; NULL: as shipped. */
static void open_with(struct desk *desk, const char *config)
{
    FILE *file = fopen(config_path, "w");
    assert_non_null(file);
    fputs(config ? config : "", file);
    fclose(file);
    desk_open_with(desk, config_path);
}

static void order(struct desk *desk, int64_t at_ms, const char *id, int64_t promised_ms)
{
    char data[256], promised[TIME_TEXT_SIZE];
    time_text_format(promised, DESK_START_MS + promised_ms);
    int size = snprintf(data, sizeof data, "\"order_id\":\"%s\",\"amount_minor\":4900,\"currency\":\"EUR\"", id);
    if (promised_ms)
        snprintf(data + size, sizeof data - (size_t)size, "},\"attributes\":{\"promised_at\":\"%s\"", promised);
    desk_add(desk, at_ms, "OrderPlaced", data);
}

static void delivered(struct desk *desk, int64_t at_ms, const char *id)
{
    char data[128];
    snprintf(data, sizeof data, "\"order_id\":\"%s\"", id);
    desk_add(desk, at_ms, "OrderDelivered", data);
}

static void returned(struct desk *desk, int64_t at_ms, const char *id)
{
    char data[128];
    snprintf(data, sizeof data, "\"order_id\":\"%s\",\"reason\":\"broken\"", id);
    desk_add(desk, at_ms, "ProductReturned", data);
}

static void used(struct desk *desk, int64_t at_ms)
{
    desk_add(desk, at_ms, "ProductUsed", "\"feature\":\"light\",\"seconds\":60");
}

static void subscription(struct desk *desk, int64_t at_ms, const char *id, const char *action, int64_t term_ends_ms)
{
    char data[256], ends[TIME_TEXT_SIZE + 2] = "null", text[TIME_TEXT_SIZE];
    time_text_format(text, DESK_START_MS + term_ends_ms);
    if (term_ends_ms)
        snprintf(ends, sizeof ends, "\"%s\"", text);
    snprintf(data, sizeof data, "\"subscription_id\":\"%s\",\"action\":\"%s\",\"term_ends_at\":%s", id, action, ends);
    desk_add(desk, at_ms, "SubscriptionChanged", data);
}

static size_t count_of(const struct desk *desk, const char *rule)
{
    size_t count = 0;
    for (size_t i = 0; i < desk->alert_count; i++)
        count += view_equal_text(desk->alerts[i].rule, rule);
    return count;
}

static size_t absences(const struct desk *desk)
{
    return count_of(desk, rules[0]) + count_of(desk, rules[1]) + count_of(desk, rules[2]);
}

static void check_text(const struct alert *alert, const char *text)
{
    assert_non_null(alert);
    if (!view_equal_text(alert->text, text))
        fail_msg("it says: %.*s", VIEW_ARGUMENTS(alert->text));
    assert_true(view_equal(alert->text, alert->reasons.items[0].text));
}

/* An event comes `late_ms` after it happened. */
#define LATE(desk, late_ms, what)                                                                                      \
    do {                                                                                                               \
        (desk)->received_late_ms = (late_ms);                                                                          \
        what;                                                                                                          \
        (desk)->received_late_ms = 0;                                                                                  \
    } while (0)

/* --- deliveries --- */

static void an_order_that_does_not_come_is_told_once_its_promise_and_a_day_have_passed(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, 0, "o1", DAYS(3));
    desk_tick(&desk, DAYS(4) - 1);
    assert_int_equal(absences(&desk), 0);
    desk_tick(&desk, DAYS(4) + MINUTES(5)); /* whenever it is noticed */
    const struct alert *alert = desk_rule(&desk, rules[0]);
    check_text(alert, "Order o1 has not been delivered; it was due by 2026-01-04 00:00 UTC");
    assert_int_equal(alert->kind, ALERT_KIND_ABSENCE);
    assert_int_equal(alert->severity, SEVERITY_WARNING);
    assert_int_equal(alert->state, ALERT_STATE_OPEN);
    assert_int_equal(alert->opened_at_ms, DESK_START_MS + DAYS(4));
    assert_int_equal(alert->due_at_ms, DESK_START_MS + DAYS(3));
    assert_true(view_equal_text(alert->customer_id, "c-1") && !alert->historical && alert->ticket_id.data == NULL);
    assert_true(alert->reasons.items[0].has_event_id && uuid_equal(&alert->reasons.items[0].event_id, &desk.last.touch.event_id));
    desk_tick(&desk, DAYS(5));
    assert_int_equal(absences(&desk), 1);
    delivered(&desk, DAYS(6), "o1");
    alert = desk_rule(&desk, rules[0]);
    check_text(alert, "Order o1 was delivered on 2026-01-07 00:00 UTC");
    assert_int_equal(alert->state, ALERT_STATE_RESOLVED);
    assert_int_equal(alert->revision, 2);
    desk_tick(&desk, DAYS(90));
    assert_int_equal(absences(&desk), 2);
    desk_close(&desk);
}

static void who_was_alarmed_for_nothing_is_told(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, 0, "o1", DAYS(3));
    desk_tick(&desk, DAYS(5));
    assert_int_equal(absences(&desk), 1);
    LATE(&desk, DAYS(4), delivered(&desk, DAYS(2), "o1"));
    check_text(desk_rule(&desk, rules[0]), "Order o1 was delivered on 2026-01-03 00:00 UTC, in time: we heard of it late");
    assert_int_equal(desk_rule(&desk, rules[0])->state, ALERT_STATE_RESOLVED);
    desk_close(&desk);
}

static void what_came_or_went_back_is_not_missed(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, 0, "o1", DAYS(3));
    delivered(&desk, DAYS(4), "o1"); /* at the very deadline */
    delivered(&desk, DAYS(4), "o2");
    LATE(&desk, DAYS(4), order(&desk, 1, "o2", DAYS(3))); /* out of order */
    order(&desk, DAYS(5), "o3", DAYS(8));
    returned(&desk, DAYS(6), "o3");
    order(&desk, DAYS(6), "o4", DAYS(9));
    desk_tick(&desk, DAYS(11));
    assert_int_equal(absences(&desk), 1);
    returned(&desk, DAYS(12), "o4");
    check_text(desk_rule(&desk, rules[0]), "Order o4 was returned on 2026-01-13 00:00 UTC");
    assert_int_equal(desk_rule(&desk, rules[0])->state, ALERT_STATE_RESOLVED);
    desk_close(&desk);
}

/* Within the allowed disorder an event may still come that was in time: it is the partition's clock that counts. */
static void nothing_is_missed_before_the_clock_has_passed_it(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, 0, "o1", DAYS(3));
    desk_add(&desk, DAYS(4) + 1000, "ReviewPosted", "\"stars\":4,\"text\":\"\"");
    assert_true(driver_clock_ms(desk.driver) < DESK_START_MS + DAYS(4));
    assert_int_equal(absences(&desk), 0);
    assert_int_equal(driver_entry(desk.driver, VIEW_LITERAL("c-1"))->timer_at_ms, DESK_START_MS + DAYS(4));
    LATE(&desk, 2000, delivered(&desk, DAYS(4), "o1"));
    desk_tick(&desk, DAYS(9));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
}

/* Shops that never say what became of an order, or sell what nobody delivers, are left alone. */
static void an_order_without_a_promise_is_missed_where_that_was_asked_for(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, 0, "o1", 0);
    desk_tick(&desk, DAYS(100));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
    open_with(&desk, "alerts: {absence: {delivery_after: 10d}}\n");
    order(&desk, 0, "o1", 0);
    order(&desk, 0, "o2", DAYS(20));
    desk_tick(&desk, DAYS(10));
    assert_int_equal(absences(&desk), 1);
    check_text(desk_rule(&desk, rules[0]), "Order o1 has not been delivered; it was due by 2026-01-11 00:00 UTC");
    desk_tick(&desk, DAYS(21));
    assert_int_equal(absences(&desk), 2);
    desk_close(&desk);
}

static void a_promise_that_was_changed_is_the_one_that_holds(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, HOURS(2), "o1", DAYS(9));
    LATE(&desk, HOURS(3), order(&desk, 0, "o1", DAYS(3))); /* the older word comes later */
    desk_tick(&desk, DAYS(10) - 1);
    assert_int_equal(absences(&desk), 0);
    desk_tick(&desk, DAYS(10));
    assert_int_equal(absences(&desk), 1);
    order(&desk, DAYS(11), "o1", DAYS(15)); /* new promises do not deliver it */
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 1);
    desk_close(&desk);
}

/* --- use --- */

static void who_does_not_begin_is_told_of_on_day_14(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, 0, "o1", 0);
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 0); /* not everybody sends ProductUsed */
    desk_close(&desk);
    open_with(&desk, "alerts.absence.use: true\n");
    order(&desk, 0, "o1", 0);
    order(&desk, DAYS(2), "o2", 0);
    desk_tick(&desk, DAYS(14) - 1);
    assert_int_equal(absences(&desk), 0);
    desk_tick(&desk, DAYS(15));
    const struct alert *alert = desk_rule(&desk, rules[1]);
    check_text(alert, "The product has not been used since order o1; first use was expected by 2026-01-15 00:00 UTC");
    assert_int_equal(alert->opened_at_ms, DESK_START_MS + DAYS(14));
    assert_int_equal(alert->severity, SEVERITY_INFO);
    desk_tick(&desk, DAYS(17));
    assert_int_equal(absences(&desk), 1);
    used(&desk, DAYS(18));
    used(&desk, DAYS(19));
    assert_int_equal(absences(&desk), 2);
    check_text(desk_rule(&desk, rules[1]), "The product is in use since 2026-01-19 00:00 UTC");
    desk_close(&desk);
}

static void use_in_time_is_enough_whenever_it_is_heard_of(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, "alerts.absence.use: true\n");
    order(&desk, 0, "o1", 0);
    used(&desk, DAYS(13));
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
    open_with(&desk, "alerts.absence.use: true\n");
    used(&desk, 0);
    order(&desk, DAYS(1), "o1", 0); /* they tried it first */
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
    open_with(&desk, "alerts.absence.use: true\n");
    order(&desk, 0, "o1", 0);
    desk_tick(&desk, DAYS(15));
    LATE(&desk, DAYS(3), used(&desk, DAYS(13)));
    check_text(desk_rule(&desk, rules[1]), "The product is in use since 2026-01-14 00:00 UTC, in time: we heard of it late");
    desk_close(&desk);
}

static void use_counts_from_what_they_began_with(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, "alerts.absence: {use: true, renewal: false}\n");
    order(&desk, DAYS(5), "o1", 0);
    LATE(&desk, DAYS(4), subscription(&desk, DAYS(1), "s1", "STARTED", 0)); /* they began earlier than we knew */
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 1);
    check_text(desk_rule(&desk, rules[1]), "The product has not been used since subscription s1; first use was expected by 2026-01-16 00:00 UTC");
    LATE(&desk, DAYS(20), order(&desk, 1, "o0", 0)); /* even earlier, but they are told of already */
    assert_int_equal(absences(&desk), 1);
    subscription(&desk, DAYS(21), "s1", "CANCELLED", 0);
    check_text(desk_rule(&desk, rules[1]), "No use is expected any more: subscription s1 is over");
    assert_int_equal(desk_rule(&desk, rules[1])->state, ALERT_STATE_RESOLVED);
    desk_close(&desk);
    open_with(&desk, "alerts.absence.use: true\n");
    order(&desk, 0, "o1", 0);
    order(&desk, 1, "o2", 0);
    returned(&desk, DAYS(2), "o1");
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
    open_with(&desk, "alerts.absence.use: true\n");
    subscription(&desk, DAYS(2), "s1", "CANCELLED", 0);
    LATE(&desk, DAYS(1), subscription(&desk, DAYS(1), "s1", "STARTED", 0)); /* it is over */
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
}

/* --- renewals --- */

static void a_term_that_ends_without_a_word_is_told_after_a_week(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    subscription(&desk, 0, "s1", "STARTED", DAYS(30));
    desk_tick(&desk, DAYS(37) - 1);
    assert_int_equal(absences(&desk), 0);
    desk_tick(&desk, DAYS(38));
    const struct alert *alert = desk_rule(&desk, rules[2]);
    check_text(alert, "Subscription s1 was neither renewed nor ended; its term was over on 2026-01-31 00:00 UTC");
    assert_int_equal(alert->opened_at_ms, DESK_START_MS + DAYS(37));
    assert_int_equal(alert->due_at_ms, DESK_START_MS + DAYS(30));
    subscription(&desk, DAYS(39), "s1", "STARTED", DAYS(30)); /* another system tells the same term */
    assert_int_equal(absences(&desk), 1);
    subscription(&desk, DAYS(40), "s1", "RENEWED", DAYS(60));
    check_text(desk_rule(&desk, rules[2]), "Subscription s1 was renewed on 2026-02-10 00:00 UTC");
    assert_int_equal(desk_rule(&desk, rules[2])->state, ALERT_STATE_RESOLVED);
    struct view first = desk_rule(&desk, rules[2])->alert_id;
    desk_tick(&desk, DAYS(67));
    assert_int_equal(absences(&desk), 3);
    assert_int_equal(desk_rule(&desk, rules[2])->state, ALERT_STATE_OPEN);
    assert_false(view_equal(desk_rule(&desk, rules[2])->alert_id, first)); /* another term, another alert */
    LATE(&desk, DAYS(10), subscription(&desk, DAYS(59), "s1", "CANCELLED", 0));
    check_text(desk_rule(&desk, rules[2]), "Subscription s1 was cancelled on 2026-03-01 00:00 UTC, in time: we heard of it late");
    desk_tick(&desk, DAYS(200));
    assert_int_equal(absences(&desk), 4);
    desk_close(&desk);
}

static void a_term_that_was_settled_is_not_missed(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    subscription(&desk, 0, "s1", "STARTED", DAYS(30));
    subscription(&desk, DAYS(25), "s1", "RENEWED", DAYS(300));
    subscription(&desk, DAYS(25), "s2", "LAPSED", 0);
    LATE(&desk, DAYS(25), subscription(&desk, 1, "s2", "STARTED", DAYS(24))); /* out of order */
    subscription(&desk, DAYS(26), "s3", "STARTED", DAYS(40));
    subscription(&desk, DAYS(27), "s3", "RENEWED", 0); /* for ever */
    desk_tick(&desk, DAYS(100));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
}

/* --- all of them --- */

static void begin_three(struct desk *desk)
{
    order(desk, 0, "o1", DAYS(3));
    subscription(desk, 1, "s1", "STARTED", DAYS(30));
}

static void each_is_switched_off_by_one_setting(void **state)
{
    struct desk desk;
    (void)state;
    for (int off = 0; off < 3; off++) {
        char config[256];
        snprintf(config, sizeof config, "alerts: {absence: {delivery: %s, use: %s, renewal: %s}}\n", off == 0 ? "false" : "true",
                 off == 1 ? "false" : "true", off == 2 ? "false" : "true");
        open_with(&desk, config);
        begin_three(&desk);
        desk_tick(&desk, DAYS(20));
        desk_tick(&desk, DAYS(50));
        for (int rule = 0; rule < 3; rule++)
            assert_int_equal(count_of(&desk, rules[rule]) > 0, rule != off);
        desk_close(&desk);
    }
    open_with(&desk, NULL);
    begin_three(&desk);
    desk.settings.cases.absence.delivery = false; /* before the next start of the process */
    desk_tick(&desk, DAYS(20));
    assert_int_equal(absences(&desk), 0);
    desk_close(&desk);
}

static void what_never_comes_expires(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, WATCH_ALL);
    begin_three(&desk);
    for (int day = 4; day < 100; day++)
        desk_tick(&desk, DAYS(day));
    static const int64_t opened_days[] = {4, 14, 37};
    for (int rule = 0; rule < 3; rule++) {
        const struct alert *alert = desk_rule(&desk, rules[rule]);
        assert_int_equal(count_of(&desk, rules[rule]), 2);
        assert_int_equal(alert->state, ALERT_STATE_EXPIRED);
        assert_int_equal(alert->changed_at_ms, DESK_START_MS + DAYS(opened_days[rule] + 30));
    }
    delivered(&desk, DAYS(101), "o1");
    used(&desk, DAYS(101));
    subscription(&desk, DAYS(101), "s1", "CANCELLED", 0);
    assert_int_equal(absences(&desk), 6); /* nobody asks any more */
    desk_close(&desk);
}

static void the_past_is_told_as_the_past_or_not_at_all(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    desk_nps(&desk, DAYS(50), "s1", 9); /* the clock is there */
    LATE(&desk, DAYS(50), order(&desk, 0, "o1", DAYS(3))); /* an alert of it would have expired */
    assert_int_equal(absences(&desk), 0);
    LATE(&desk, DAYS(20), order(&desk, DAYS(30), "o2", DAYS(33)));
    assert_int_equal(absences(&desk), 1);
    assert_true(desk_rule(&desk, rules[0])->historical);
    assert_int_equal(desk_rule(&desk, rules[0])->opened_at_ms, DESK_START_MS + DAYS(34));
    LATE(&desk, DAYS(18), delivered(&desk, DAYS(32), "o2"));
    assert_int_equal(desk_rule(&desk, rules[0])->state, ALERT_STATE_RESOLVED);
    assert_true(desk_rule(&desk, rules[0])->historical);
    desk_close(&desk);
}

static void the_case_of_the_customer_is_named(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, NULL);
    order(&desk, 0, "o1", DAYS(3));
    desk_nps(&desk, DAYS(3), "n1", 1);
    desk_tick(&desk, DAYS(5)); /* follow-ups wait while a case is open, this does not */
    assert_true(view_equal(desk_rule(&desk, rules[0])->case_id, desk_case(&desk)->case_id));
    desk_close(&desk);
}

static void who_is_forgotten_is_watched_no_more(void **state)
{
    struct desk desk;
    (void)state;
    open_with(&desk, WATCH_ALL);
    begin_three(&desk);
    desk_tick(&desk, DAYS(5));
    assert_int_equal(absences(&desk), 1);
    desk_add(&desk, DAYS(6), "CustomerForgotten", "");
    const struct alert *alert = desk_rule(&desk, rules[0]);
    assert_int_equal(alert->state, ALERT_STATE_EXPIRED);
    assert_null(alert->customer_id.data);
    assert_null(strstr(arena_text(&desk.arena, alert->text), "o1"));
    desk_tick(&desk, DAYS(100));
    assert_int_equal(absences(&desk), 2);
    order(&desk, DAYS(101), "o1", DAYS(103)); /* another life */
    desk_tick(&desk, DAYS(104));
    assert_int_equal(absences(&desk), 3);
    desk_close(&desk);
}

/* --- any order, any crash --- */

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void anything(struct desk *desk, uint64_t *seed, int64_t at_ms, int64_t least_promise_ms)
{
    static const char *const actions[] = {"STARTED", "STARTED", "RENEWED", "LAPSED", "CANCELLED"};
    char id[16];
    uint32_t kind = random_next(seed) % 12;
    int64_t then_ms = (least_promise_ms ? least_promise_ms : at_ms) + HOURS(random_next(seed) % 240 + 1);
    snprintf(id, sizeof id, "x%u", random_next(seed) % 9);
    switch (kind) {
    case 0: delivered(desk, at_ms, id); break;
    case 1: returned(desk, at_ms, id); break;
    case 2: used(desk, at_ms); break;
    case 3: case 4: case 5: subscription(desk, at_ms, id, actions[random_next(seed) % 5], then_ms); break;
    case 6: desk_nps(desk, at_ms, id, least_promise_ms ? 8 : (int)(random_next(seed) % 11)); break; /* whose case it is does depend on it */
    default: order(desk, at_ms, id, random_next(seed) % 3 ? then_ms : 0); break;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The alerts about absences, as sorted lines. */
static const char *sorted_absences(struct desk *desk)
{
    static const char *lines[DESK_ALERTS_MAX];
    size_t count = 0;
    struct bytes out = {0};
    for (size_t i = 0; i < desk->alert_count; i++) {
        struct bytes line = {0};
        if (desk->alerts[i].kind != ALERT_KIND_ABSENCE)
            continue;
        record_to_json(&line, &alert_shape, &desk->alerts[i]);
        lines[count++] = arena_text(&desk->arena, bytes_view(&line));
        bytes_finish(&line);
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++)
        bytes_printf(&out, "%s\n", lines[i]);
    const char *text = arena_text(&desk->arena, bytes_view(&out));
    bytes_finish(&out);
    return text;
}

enum { LIFE_EVENTS = 16 };

/* Each event has its own seed, and so says the same whenever it is told. Nothing is due before all have been. */
static void tell_shuffled(struct desk *desk, uint64_t seed, uint64_t shuffle)
{
    uint32_t numbers[LIFE_EVENTS];
    open_with(desk, WATCH_ALL);
    for (uint32_t i = 0; i < LIFE_EVENTS; i++) {
        uint32_t place = shuffle ? random_next(&shuffle) % (i + 1) : i;
        numbers[i] = numbers[place];
        numbers[place] = i;
    }
    for (uint32_t i = 0; i < LIFE_EVENTS; i++) {
        uint64_t own = seed * 1000 + numbers[i];
        random_next(&own);
        desk->events = numbers[i];
        int64_t at_ms = HOURS(15 * numbers[i]);
        LATE(desk, HOURS(15 * LIFE_EVENTS) - at_ms, anything(desk, &own, at_ms, DAYS(12)));
    }
    for (int64_t at_ms = DAYS(12); at_ms <= DAYS(40); at_ms += MINUTES(30))
        desk_tick(desk, at_ms);
}

static void the_order_of_arrival_does_not_matter(void **state)
{
    static struct desk sorted, shuffled;
    size_t told = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        tell_shuffled(&sorted, seed, 0);
        tell_shuffled(&shuffled, seed, seed + 77);
        assert_string_equal(sorted_absences(&sorted), sorted_absences(&shuffled));
        told += absences(&sorted);
        desk_close(&sorted);
        desk_close(&shuffled);
    }
    assert_true(told > 120);
}

static void somebody_else(struct desk *desk, int64_t at_ms)
{
    struct touchpoint touch = {.customer_id = VIEW_LITERAL("c-2"), .occurred_at_ms = DESK_START_MS + at_ms, .received_at_ms = DESK_START_MS + at_ms,
                               .source = VIEW_LITERAL("test"), .channel = CHANNEL_WEB, .body_kind = TOUCHPOINT_BODY_PRODUCT_USED,
                               .body.product_used = {.feature = VIEW_LITERAL("light"), .seconds = 1}};
    struct bytes value = {0};
    memcpy(touch.event_id.bytes, &at_ms, sizeof at_ms);
    wire_begin(&value, 1);
    touchpoint_encode(&value, &touch);
    assert_int_equal(driver_feed(desk->driver, touch.customer_id, bytes_view(&value), touch.received_at_ms), OUTCOME_OK);
    bytes_finish(&value);
    desk_commit(desk);
}

/* `is_disturbed`: c-1 rests after each event, and is recovered from a checkpoint now and then. */
static void live(struct desk *desk, uint64_t seed, bool is_disturbed)
{
    uint64_t crash_seed = seed ^ 0x5eed;
    int64_t now_ms = 0;
    open_with(desk, is_disturbed ? WATCH_ALL "journey.awake_max: 1\n" : WATCH_ALL);
    for (uint32_t i = 0; i < 250; i++) {
        now_ms += HOURS(random_next(&seed) % 20) + 1;
        int64_t late_ms = random_next(&seed) % 4 ? 0 : HOURS(random_next(&seed) % 400);
        LATE(desk, late_ms, anything(desk, &seed, now_ms - late_ms, 0));
        somebody_else(desk, now_ms);
        if (!is_disturbed || random_next(&crash_seed) % 6)
            continue;
        if (random_next(&crash_seed) % 2) {
            driver_checkpoint_begin(desk->driver);
            driver_checkpoint_write(desk->driver, 10);
        } else {
            driver_recover(desk->driver);
            desk_commit(desk);
        }
    }
    desk_tick(desk, now_ms + DAYS(100));
}

static void neither_rest_nor_crashes_leave_a_trace(void **state)
{
    static struct desk calm, disturbed;
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        live(&calm, seed, false);
        live(&disturbed, seed, true);
        assert_true(absences(&calm) > 30);
        assert_string_equal(bytes_text(&calm.told), bytes_text(&disturbed.told));
        desk_close(&calm);
        desk_close(&disturbed);
    }
}

/* Whatever happens: one alert a fingerprint at a time, its revisions in order. */
static void each_alert_keeps_the_rules(void **state)
{
    static struct desk desk;
    (void)state;
    for (uint64_t seed = 21; seed <= 24; seed++) {
        live(&desk, seed, false);
        for (size_t i = 0; i < desk.alert_count; i++) {
            const struct alert *alert = &desk.alerts[i], *before = NULL;
            for (size_t j = 0; j < i; j++)
                before = view_equal(desk.alerts[j].alert_id, alert->alert_id) ? &desk.alerts[j] : before;
            if (alert->kind != ALERT_KIND_ABSENCE)
                continue;
            assert_int_equal(alert->revision, before ? before->revision + 1 : 1);
            assert_true(before ? before->state == ALERT_STATE_OPEN && alert->state != ALERT_STATE_OPEN : alert->state == ALERT_STATE_OPEN);
            assert_true(alert->changed_at_ms >= alert->opened_at_ms && alert->opened_at_ms >= alert->due_at_ms);
        }
        desk_close(&desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_that_does_not_come_is_told_once_its_promise_and_a_day_have_passed),
        cmocka_unit_test(who_was_alarmed_for_nothing_is_told),
        cmocka_unit_test(what_came_or_went_back_is_not_missed),
        cmocka_unit_test(nothing_is_missed_before_the_clock_has_passed_it),
        cmocka_unit_test(an_order_without_a_promise_is_missed_where_that_was_asked_for),
        cmocka_unit_test(a_promise_that_was_changed_is_the_one_that_holds),
        cmocka_unit_test(who_does_not_begin_is_told_of_on_day_14),
        cmocka_unit_test(use_in_time_is_enough_whenever_it_is_heard_of),
        cmocka_unit_test(use_counts_from_what_they_began_with),
        cmocka_unit_test(a_term_that_ends_without_a_word_is_told_after_a_week),
        cmocka_unit_test(a_term_that_was_settled_is_not_missed),
        cmocka_unit_test(each_is_switched_off_by_one_setting),
        cmocka_unit_test(what_never_comes_expires),
        cmocka_unit_test(the_past_is_told_as_the_past_or_not_at_all),
        cmocka_unit_test(the_case_of_the_customer_is_named),
        cmocka_unit_test(who_is_forgotten_is_watched_no_more),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(neither_rest_nor_crashes_leave_a_trace),
        cmocka_unit_test(each_alert_keeps_the_rules),
    };
    int descriptor = mkstemp(config_path);
    if (descriptor < 0)
        return 1;
    close(descriptor);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(config_path);
    return failed;
}
