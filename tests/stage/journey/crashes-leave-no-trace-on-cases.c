/* A long, hard life of one customer, told twice: once undisturbed, once with crashes after fuzzy checkpoints anywhere. Every alert and
 * follow-up must come out once, in the same order, with the same bytes; and nothing may grow without bound. */
#include "tests/stage/journey/desk.h"

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void ticket_event(struct desk *desk, uint64_t *seed, int64_t at_ms)
{
    static const char *const actions[] = {"OPENED", "OPENED", "CUSTOMER_REPLIED", "AGENT_REPLIED", "HANDED_OFF",
                                          "PENDING", "RESOLVED", "REOPENED", "CLOSED"};
    static const char *const texts[] = {"", ",\"text\":\"This is terrible, I want my money back\"", ",\"text\":\"My lawyer will call you\"",
                                        ",\"text\":\"Thank you, lovely\"", ",\"text\":\"I am switching to another provider\""};
    char data[256];
    snprintf(data, sizeof data, "\"ticket_id\":\"t%u\",\"action\":\"%s\",\"team\":\"team%u\"%s", random_next(seed) % 9,
             actions[random_next(seed) % 9], random_next(seed) % 3, random_next(seed) % 4 ? "" : texts[random_next(seed) % 5]);
    desk_add(desk, at_ms, "TicketChanged", data);
}

static void rating_event(struct desk *desk, uint64_t *seed, int64_t at_ms)
{
    char data[256];
    snprintf(data, sizeof data, "\"survey_id\":\"s%u\",\"kind\":\"%s\",\"score\":%u", random_next(seed) % 50,
             random_next(seed) % 2 ? "NPS" : "CSAT", 1 + random_next(seed) % 5);
    desk_add(desk, at_ms, "SurveyAnswered", data);
}

static void act_event(struct desk *desk, uint64_t *seed, int64_t at_ms)
{
    static const char *const verbs[] = {"ACKNOWLEDGED", "ASSIGNED", "CONTACTED", "CLOSED", "CLOSED", "REOPENED", "SNOOZED"};
    if (desk_case(desk))
        desk_act(desk, at_ms, desk_case(desk)->case_id, verbs[random_next(seed) % 7], random_next(seed) % 2 ? "3h" : NULL);
}

static void other_event(struct desk *desk, uint64_t *seed, int64_t at_ms)
{
    char data[256];
    switch (random_next(seed) % 5) {
    case 0:
        snprintf(data, sizeof data, "\"order_id\":\"o%u\",\"amount_minor\":%u,\"currency\":\"EUR\"", random_next(seed) % 99,
                 random_next(seed) % 9000);
        desk_add(desk, at_ms, "OrderPlaced", data);
        break;
    case 1:
        snprintf(data, sizeof data, "\"order_id\":\"o%u\"", random_next(seed) % 99);
        desk_add(desk, at_ms, "OrderDelivered", data);
        break;
    case 2:
        snprintf(data, sizeof data, "\"device_id\":\"d%u\",\"code\":\"E\",\"severity\":\"%s\"", random_next(seed) % 200,
                 random_next(seed) % 3 ? "CRITICAL" : "INFO");
        desk_add(desk, at_ms, "DeviceReported", data);
        break;
    case 3: desk_add(desk, at_ms, "ProductUsed", "\"feature\":\"light\",\"seconds\":60"); break;
    default: desk_add(desk, at_ms, "ReviewPosted", "\"stars\":1,\"text\":\"bad, bad, bad\""); break;
    }
}

static void live(struct desk *desk, uint64_t seed, uint32_t count, bool crashes)
{
    uint64_t crash_seed = seed ^ 0x5eed;
    int64_t now_ms = 0;
    desk_open(desk);
    for (uint32_t i = 0; i < count; i++) {
        now_ms += random_next(&seed) % 8 == 0 ? HOURS(random_next(&seed) % 60) : MINUTES(random_next(&seed) % 90);
        int64_t at_ms = random_next(&seed) % 5 ? now_ms : now_ms - MINUTES(random_next(&seed) % 3000); /* some are late */
        desk->received_late_ms = now_ms - at_ms;
        switch (random_next(&seed) % 7) {
        case 0: rating_event(desk, &seed, at_ms); break;
        case 1: act_event(desk, &seed, at_ms); break;
        case 2: desk_tick(desk, now_ms); break;
        case 3: other_event(desk, &seed, at_ms); break;
        default: ticket_event(desk, &seed, at_ms); break;
        }
        if (!crashes || random_next(&crash_seed) % 10)
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

static void crashes_leave_no_trace(void **state)
{
    static struct desk calm, crashed;
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        live(&calm, seed, 400, false);
        live(&crashed, seed, 400, true);
        assert_true(calm.alert_count > 50);
        assert_int_equal(calm.alert_count, crashed.alert_count);
        assert_string_equal(bytes_text(&calm.told), bytes_text(&crashed.told));
        desk_close(&calm);
        desk_close(&crashed);
    }
}

static void nothing_grows_without_bound(void **state)
{
    static struct desk desk;
    (void)state;
    live(&desk, 99, 4000, false);
    const struct customer *customer = driver_entry(desk.driver, VIEW_LITERAL("c-1"))->state;
    assert_non_null(customer->care);
    assert_true(customer->care->fact_count <= FACTS_MAX);
    assert_true(customer->care->case_count <= FACTS_MAX);
    assert_true(customer->care->alert_count <= desk.settings.cases.alerts_max);
    assert_true(customer->care->pending_count <= desk.settings.cases.followups_max);
    for (size_t i = 0; i < desk.followup_count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_false(view_equal(desk.followups[i].followup_id, desk.followups[j].followup_id));
    }
    desk_close(&desk);
}

static void revisions_count_up_by_one(void **state)
{
    static struct desk desk;
    (void)state;
    live(&desk, 7, 1500, false);
    for (size_t i = 0; i < desk.alert_count; i++) {
        int32_t before = 0;
        for (size_t j = 0; j < i; j++)
            before = view_equal(desk.alerts[j].alert_id, desk.alerts[i].alert_id) ? desk.alerts[j].revision : before;
        if (desk.alerts[i].revision != before + 1)
            fail_msg("%.*s: %d after %d", VIEW_ARGUMENTS(desk.alerts[i].rule), desk.alerts[i].revision, before);
        assert_true(desk.alerts[i].score >= 0 && desk.alerts[i].score <= 100);
    }
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashes_leave_no_trace),
        cmocka_unit_test(nothing_grows_without_bound),
        cmocka_unit_test(revisions_count_up_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
