/* What cases contribute to the KPIs is a function of the set of events: told in order, shuffled, and by what they add up to. */
#include "tests/stage/journey/desk.h"

struct told {
    int64_t at_ms;
    const char *type, *data;
};

enum { EVENTS_MAX = 24 };

static void tell_all(struct desk *desk, const struct told *events, const uint32_t *order, uint32_t count)
{
    desk_open(desk);
    for (uint32_t i = 0; i < count; i++)
        desk_add_as(desk, order[i], events[order[i]].at_ms, events[order[i]].type, events[order[i]].data);
    desk_tick(desk, DAYS(390));
}

/* The id under which a case opened by event `number` is known, as the processor makes it. */
static struct view case_id(struct desk *desk, uint32_t number)
{
    char id[16];
    int size = snprintf(id, sizeof id, "e%u", number);
    struct uuid event = uuid_of_source(VIEW_LITERAL("test"), view_of(id, (size_t)size));
    struct moment moment = moment_of(0, &event);
    struct uuid own = case_id_of(VIEW_LITERAL("c-1"), &moment);
    char text[UUID_TEXT_SIZE + 1];
    uuid_format(&own, text);
    return arena_copy(&desk->arena, view_of(text, UUID_TEXT_SIZE));
}

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static uint32_t life_of(struct desk *scratch, uint64_t *seed, struct told *events)
{
    static const char *const verbs[] = {"ACKNOWLEDGED", "ASSIGNED", "CONTACTED", "CLOSED", "CLOSED", "CLOSED", "REOPENED", "SNOOZED"};
    uint32_t openers[EVENTS_MAX], opener_count = 0, count = 6 + random_next(seed) % (EVENTS_MAX - 6);
    int64_t at_ms = 0;
    for (uint32_t i = 0; i < count; i++) {
        char data[256];
        bool acts = opener_count > 0 && random_next(seed) % 2;
        at_ms += random_next(seed) % 4 == 0 && at_ms < DAYS(200) ? DAYS(random_next(seed) % 40) : MINUTES(random_next(seed) % 3000);
        if (acts) {
            struct view id = case_id(scratch, openers[random_next(seed) % opener_count]);
            snprintf(data, sizeof data, "\"case_id\":\"%.*s\",\"action\":\"%s\",\"actor\":\"ada\"", VIEW_ARGUMENTS(id),
                     verbs[random_next(seed) % 8]);
        } else {
            uint32_t score = random_next(seed) % 11;
            snprintf(data, sizeof data, "\"survey_id\":\"s%u\",\"kind\":\"NPS\",\"score\":%u", i, score);
            if (score <= 3)
                openers[opener_count++] = i;
        }
        events[i] = (struct told){at_ms, acts ? "CaseActed" : "SurveyAnswered", arena_copy(&scratch->arena, view_of(data, strlen(data) + 1)).data};
    }
    return count;
}

static void shuffled_lives_add_up_alike(void **state)
{
    static const enum kpi_id kpis[] = {KPI_HOT_OPEN, KPI_LOOP_CONTACT_24H, KPI_LOOP_CLOSE_TIME, KPI_LOOP_RECOVERED};
    (void)state;
    struct desk scratch = {0}, in_order, shuffled;
    int64_t recovered = 0, closed = 0;
    arena_init(&scratch.arena);
    uint64_t seed = 20261122;
    for (int life = 0; life < 300; life++) {
        struct told events[EVENTS_MAX];
        uint32_t order[EVENTS_MAX], count = life_of(&scratch, &seed, events);
        for (uint32_t i = 0; i < count; i++)
            order[i] = i;
        tell_all(&in_order, events, order, count);
        for (uint32_t i = count; i > 1; i--) {
            uint32_t j = random_next(&seed) % i, kept = order[i - 1];
            order[i - 1] = order[j];
            order[j] = kept;
        }
        tell_all(&shuffled, events, order, count);
        for (size_t k = 0; k < sizeof kpis / sizeof *kpis; k++) {
            bool is_alike = desk_n(&in_order, kpis[k]) == desk_n(&shuffled, kpis[k]) &&
                            desk_num(&in_order, kpis[k]) == desk_num(&shuffled, kpis[k]);
            if (!is_alike)
                fail_msg("life %d: %s", life, kpi_names[kpis[k]].name);
        }
        recovered += desk_num(&in_order, KPI_LOOP_RECOVERED);
        closed += desk_n(&in_order, KPI_LOOP_CLOSE_TIME);
        assert_int_equal(desk_n(&in_order, KPI_HOT_OPEN), 0); /* all have expired */
        desk_close(&in_order);
        desk_close(&shuffled);
    }
    assert_true(recovered > 30 && closed > 100); /* the lives are not all the same */
    arena_finish(&scratch.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shuffled_lives_add_up_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
