/* Every touchpoint from the beginning goes through the journey processor in memory, as in `explain`. A case is judged by the score with
 * which it was opened: nothing of what came later is in it. It went wrong if, within a time after that, the customer's ticket
 * was escalated, the customer left (a subscription lapsed or was cancelled, or 90 days of silence began), or the next score
 * they gave was a bad one again. precision at k: the share that went wrong among the k cases with the highest score;
 * AUC: how often a case that went wrong stood before one that did not, ties counted half. */
#include "app/backtest_cases.h"

#include "app/stages.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "engine/follow.h"
#include "engine/rehearsal.h"
#include "processors/journey/moment.h"
#include "schemas/wire.h"

#include <stdio.h>
#include <stdlib.h>

enum sign { SIGN_ACTIVE, SIGN_ESCALATED, SIGN_LEFT, SIGN_BAD_SCORE, SIGN_OTHER_SCORE };

/* What a customer did or had done, as far as it says how a case ended. */
struct trace {
    uint64_t customer;
    int64_t at_ms;
    enum sign sign;
};

struct opened_case {
    uint64_t customer;
    int64_t at_ms;
    double score;
    bool is_escalated, has_left, has_bad_score;
};

struct cases_backtest {
    struct rehearsal *journey;
    struct record_reader *touchpoints;
    struct arena arena;
    struct trace *traces;
    size_t trace_count, trace_capacity;
    struct opened_case *cases;
    size_t case_count, case_capacity;
    int64_t newest_ms, within_ms;
    bool lacks_schema; /* the registry is away: what cannot be read now must not be taken for nothing */
};

/* --- reading --- */

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 256;
    return memory_resize(items, *capacity * size);
}

static bool is_bad_score(const struct survey_answered *answer)
{
    switch (answer->kind) {
    case SURVEY_KIND_CSAT: return answer->score <= 2;
    case SURVEY_KIND_CES: return answer->score <= 3;
    default: return answer->score <= 6;
    }
}

static enum sign sign_of(const struct touchpoint *touch)
{
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        return touch->body.ticket_changed.action == TICKET_ACTION_ESCALATED ? SIGN_ESCALATED : SIGN_ACTIVE;
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
        return touch->body.subscription_changed.action == SUBSCRIPTION_ACTION_LAPSED ||
                       touch->body.subscription_changed.action == SUBSCRIPTION_ACTION_CANCELLED
                   ? SIGN_LEFT
                   : SIGN_ACTIVE;
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
        return is_bad_score(&touch->body.survey_answered) ? SIGN_BAD_SCORE : SIGN_OTHER_SCORE;
    case TOUCHPOINT_BODY_REVIEW_POSTED:
        return touch->body.review_posted.stars <= 2 ? SIGN_BAD_SCORE : SIGN_OTHER_SCORE;
    default:
        return SIGN_ACTIVE;
    }
}

static bool on_touchpoint(void *context, const struct record *record)
{
    struct cases_backtest *backtest = context;
    struct touchpoint touch;
    arena_reset(&backtest->arena);
    enum outcome outcome = OUTCOME_PARK;
    if (record->value.data)
        outcome = record_reader_read(backtest->touchpoints, record->value, &backtest->arena, &touch, NULL, NULL);
    backtest->lacks_schema = outcome_is_for_later(outcome);
    if (backtest->lacks_schema)
        return false;
    if (outcome == OUTCOME_OK && touch.body_kind != TOUCHPOINT_BODY_CASE_ACTED && touch.body_kind != TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN) {
        backtest->traces = grown(backtest->traces, backtest->trace_count, &backtest->trace_capacity, sizeof *backtest->traces);
        backtest->traces[backtest->trace_count++] =
            (struct trace){identity_of(touch.customer_id), touch.occurred_at_ms, sign_of(&touch)};
        if (touch.occurred_at_ms > backtest->newest_ms)
            backtest->newest_ms = touch.occurred_at_ms;
    }
    return rehearsal_feed(backtest->journey, record) != OUTCOME_STOP;
}

static void on_output(void *context, int topic, const struct record *output)
{
    struct cases_backtest *backtest = context;
    struct alert alert;
    struct view avro;
    uint32_t id;
    if (topic != JOURNEY_OUTPUT_ALERTS || !wire_split(output->value, &id, &avro) || !alert_decode(&alert, avro, &backtest->arena))
        return;
    if (alert.revision != 1 || !alert.customer_id.data || !view_equal(alert.alert_id, alert.case_id))
        return;
    backtest->cases = grown(backtest->cases, backtest->case_count, &backtest->case_capacity, sizeof *backtest->cases);
    backtest->cases[backtest->case_count++] =
        (struct opened_case){.customer = identity_of(alert.customer_id), .at_ms = alert.opened_at_ms, .score = alert.score};
}

/* --- how it ended --- */

static int trace_compare(const void *a, const void *b)
{
    const struct trace *first = a, *second = b;
    if (first->customer != second->customer)
        return first->customer < second->customer ? -1 : 1;
    return (first->at_ms > second->at_ms) - (first->at_ms < second->at_ms);
}

static size_t first_after(const struct cases_backtest *backtest, uint64_t customer, int64_t at_ms)
{
    size_t low = 0, high = backtest->trace_count;
    struct trace wanted = {.customer = customer, .at_ms = at_ms};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (trace_compare(&backtest->traces[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void case_end(const struct cases_backtest *backtest, struct opened_case *opened)
{
    int64_t until_ms = opened->at_ms + backtest->within_ms, last_ms = opened->at_ms;
    bool has_score = false;
    size_t i = first_after(backtest, opened->customer, opened->at_ms);
    for (; i < backtest->trace_count && backtest->traces[i].customer == opened->customer; i++) {
        const struct trace *trace = &backtest->traces[i];
        if (trace->at_ms > until_ms || trace->at_ms - last_ms > DAYS(90))
            break;
        last_ms = trace->at_ms;
        opened->is_escalated |= trace->sign == SIGN_ESCALATED;
        opened->has_left |= trace->sign == SIGN_LEFT;
        opened->has_bad_score |= trace->sign == SIGN_BAD_SCORE && !has_score;
        has_score |= trace->sign == SIGN_BAD_SCORE || trace->sign == SIGN_OTHER_SCORE;
    }
    bool is_same = i < backtest->trace_count && backtest->traces[i].customer == opened->customer;
    opened->has_left |= (is_same ? backtest->traces[i].at_ms : backtest->newest_ms) - last_ms > DAYS(90);
}

static bool went_wrong(const struct opened_case *opened)
{
    return opened->is_escalated || opened->has_left || opened->has_bad_score;
}

static int by_score(const void *a, const void *b)
{
    const struct opened_case *first = a, *second = b;
    if (first->score != second->score)
        return first->score > second->score ? -1 : 1;
    return (first->at_ms > second->at_ms) - (first->at_ms < second->at_ms);
}

/* Ends the cases, leaves out those whose time is not over, and ranks the rest. */
static void rank(struct cases_backtest *backtest)
{
    size_t kept = 0;
    qsort(backtest->traces, backtest->trace_count, sizeof *backtest->traces, trace_compare);
    for (size_t i = 0; i < backtest->case_count; i++) {
        struct opened_case opened = backtest->cases[i];
        case_end(backtest, &opened);
        if (went_wrong(&opened) || opened.at_ms + backtest->within_ms <= backtest->newest_ms)
            backtest->cases[kept++] = opened;
    }
    backtest->case_count = kept;
    qsort(backtest->cases, kept, sizeof *backtest->cases, by_score);
}

/* --- the figures --- */

static double precision_at(const struct cases_backtest *backtest, size_t k)
{
    size_t wrong = 0;
    for (size_t i = 0; i < k; i++)
        wrong += went_wrong(&backtest->cases[i]);
    return (double)wrong / (double)k;
}

/* Pairs in the right order, from the bottom up; those of one score together. */
static double area_under_curve(const struct cases_backtest *backtest)
{
    double pairs = 0, fine_below = 0, wrong = 0;
    for (size_t end = backtest->case_count; end > 0;) {
        size_t begin = end;
        double wrong_here = 0, fine_here = 0;
        while (begin > 0 && backtest->cases[begin - 1].score == backtest->cases[end - 1].score) {
            begin--;
            wrong_here += went_wrong(&backtest->cases[begin]);
            fine_here += !went_wrong(&backtest->cases[begin]);
        }
        pairs += wrong_here * (fine_below + fine_here / 2);
        fine_below += fine_here;
        wrong += wrong_here;
        end = begin;
    }
    return wrong > 0 && fine_below > 0 ? pairs / (wrong * fine_below) : -1;
}

static void write_count(struct json_writer *json, const char *name, size_t count)
{
    json_key(json, name);
    json_write_integer(json, (int64_t)count);
}

static void print_figures(const struct cases_backtest *backtest)
{
    static const size_t ranks[] = {1, 5, 10, 20, 50, 100, 200, 500};
    size_t count = backtest->case_count, wrong = 0, escalated = 0, left = 0, bad = 0;
    for (size_t i = 0; i < count; i++) {
        wrong += went_wrong(&backtest->cases[i]);
        escalated += backtest->cases[i].is_escalated;
        left += backtest->cases[i].has_left;
        bad += backtest->cases[i].has_bad_score;
    }
    struct bytes line = {0};
    struct json_writer json = json_writer_on(&line);
    json_open_object(&json);
    write_count(&json, "cases", count);
    write_count(&json, "went_wrong", wrong);
    write_count(&json, "escalated", escalated);
    write_count(&json, "left", left);
    write_count(&json, "bad_score", bad);
    json_key(&json, "precision_at");
    json_open_object(&json);
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks && ranks[i] <= count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", ranks[i]);
        json_key(&json, name);
        json_write_decimal(&json, precision_at(backtest, ranks[i]));
    }
    if (count > 0) {
        json_key(&json, "all");
        json_write_decimal(&json, precision_at(backtest, count));
    }
    json_close_object(&json);
    double area = area_under_curve(backtest);
    json_key(&json, "auc");
    if (area < 0)
        json_write_raw(&json, VIEW_LITERAL("null"));
    else
        json_write_decimal(&json, area);
    json_close_object(&json);
    printf("%s\n", bytes_text(&line));
    bytes_finish(&line);
}

/* --- the command --- */

static enum outcome read_log(struct cases_backtest *backtest, struct app *app)
{
    struct bytes topic = {0};
    bytes_printf(&topic, "%stouchpoints", app->config.kafka.topic_prefix);
    struct scan scan = {.topic = bytes_text(&topic), .since_ms = INT64_MIN, .context = backtest, .on_record = on_touchpoint};
    enum outcome outcome = scan_run(&scan, &app->config.kafka, &app->stop);
    bytes_finish(&topic);
    return outcome;
}

int backtest_cases(struct app *app, int64_t within_ms)
{
    struct cases_backtest backtest = {.newest_ms = INT64_MIN, .within_ms = within_ms};
    struct registry *registry = registry_create(&app->config.registry);
    struct journey_shared journey;
    struct schema_ids ids;
    int code = EXIT_FAILED;
    for (size_t i = 0; i < sizeof ids.of_topic / sizeof *ids.of_topic; i++)
        ids.of_topic[i] = 1; /* what is written stays here */
    arena_init(&backtest.arena);
    if (stage_open_journey(&journey, &app->config, registry, &ids)) {
        backtest.touchpoints = journey.touchpoints;
        backtest.journey = rehearsal_create(&journey_processor, &journey, app->config.engine.allowed_disorder_ms, 1, on_output, &backtest);
        bool is_read = read_log(&backtest, app) == OUTCOME_OK && !backtest.lacks_schema;
        if (atomic_load(&app->stop)) { /* a part of the events makes other figures */
            fprintf(stderr, "touchstream backtest cases: stopped early, so there are no figures\n");
            code = EXIT_FINE;
        } else if (is_read) {
            rank(&backtest);
            print_figures(&backtest);
            code = EXIT_FINE;
        }
        rehearsal_destroy(backtest.journey);
        stage_close_journey(&journey);
    }
    registry_destroy(registry);
    arena_finish(&backtest.arena);
    free(backtest.traces);
    free(backtest.cases);
    return code;
}
