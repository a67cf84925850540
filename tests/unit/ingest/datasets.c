/* The shipped mappings on the real data sets beside the repository, against figures counted otherwise (from the files by
 * hand, with Python's csv). Skipped where the sets are not. */
#include "ingest/import.h"

#include "schemas/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA "../shared/data/"

struct census {
    uint64_t by_kind[TOUCHPOINT_BODY_COUNT], by_action[TICKET_ACTION_COUNT], late, stars, begun_twice, nps_sum;
    int64_t amount, newest_ms;
    struct arena arena;
};

/* Is the first line the beginning of what follows? */
static bool begins_twice(struct view text)
{
    const char *end = memchr(text.data, '\n', text.size);
    size_t line = end ? (size_t)(end - text.data) : 0, rest = line ? text.size - line - 1 : 0;
    if (line > 3 && memcmp(text.data + line - 3, "…", 3) == 0)
        line -= 3;
    return line && line <= rest && memcmp(text.data, end + 1, line) == 0;
}

static enum outcome look(void *target, const char *topic, struct view key, struct view value, int64_t timestamp_ms, void *context)
{
    struct census *census = target;
    struct touchpoint touch;
    struct view avro;
    uint32_t id;
    (void)key, (void)timestamp_ms, (void)context;
    if (strcmp(topic, "touchpoints") != 0)
        return OUTCOME_OK;
    arena_reset(&census->arena);
    assert_true(wire_split(value, &id, &avro) && touchpoint_decode(&touch, avro, &census->arena));
    census->by_kind[touch.body_kind]++;
    census->newest_ms = touch.occurred_at_ms > census->newest_ms ? touch.occurred_at_ms : census->newest_ms;
    if (touch.body_kind == TOUCHPOINT_BODY_ORDER_PLACED)
        census->amount += touch.body.order_placed.amount_minor;
    if (touch.body_kind == TOUCHPOINT_BODY_ORDER_DELIVERED)
        census->late += touch.occurred_at_ms > touch.body.order_delivered.promised_at_ms;
    if (touch.body_kind == TOUCHPOINT_BODY_REVIEW_POSTED)
        census->stars += (uint64_t)touch.body.review_posted.stars, census->begun_twice += begins_twice(touch.body.review_posted.text);
    if (touch.body_kind == TOUCHPOINT_BODY_TICKET_CHANGED)
        census->by_action[touch.body.ticket_changed.action]++;
    return OUTCOME_OK;
}

static void take(struct census *census, struct import_counts *counts, struct import_options options)
{
    if (access(options.files[0], R_OK) != 0)
        skip();
    struct outlet outlet = {look, NULL, census, "touchpoints", "rejected", 1, 2};
    struct bytes error = {0};
    atomic_bool stop = false;
    arena_init(&census->arena);
    assert_true(import_run(&options, &outlet, &clock_system, &stop, counts, &error));
    arena_finish(&census->arena);
    bytes_finish(&error);
}

static void olist(void **state)
{
    (void)state;
    char *files[] = {DATA "olist_subset/open/olist_orders_dataset.csv", DATA "olist_subset/open/olist_order_reviews_dataset.csv"};
    struct census census = {0};
    struct import_counts counts = {0};
    take(&census, &counts, (struct import_options){.files = files, .file_count = 2, .mapping = "olist",
                                                   .tables = "products=" DATA "olist_subset/shared/olist_products_dataset.csv"});
    assert_int_equal(counts.rejected, 0);
    assert_int_equal(census.by_kind[TOUCHPOINT_BODY_ORDER_PLACED], 4119);
    assert_int_equal(census.by_kind[TOUCHPOINT_BODY_ORDER_DELIVERED], 2603);
    assert_int_equal(census.late, 204);
    assert_int_equal(census.by_kind[TOUCHPOINT_BODY_REVIEW_POSTED], 4160);
    assert_int_equal(census.amount, 71485374);
}

static void helpdesk(void **state)
{
    (void)state;
    char *files[] = {DATA "helpdesk_polato/helpdesk.csv"};
    struct census census = {0};
    struct import_counts counts = {0};
    take(&census, &counts, (struct import_options){.files = files, .file_count = 1, .mapping = "helpdesk"});
    assert_int_equal(counts.rejected, 0);
    assert_int_equal(counts.duplicate, 0);
    assert_int_equal(census.by_action[TICKET_ACTION_OPENED], 4580);
    assert_int_equal(census.by_action[TICKET_ACTION_RESOLVED], 4983 + 2); /* every «Resolve ticket» and RESOLVED */
    assert_int_equal(census.by_action[TICKET_ACTION_CLOSED], 4574 + 3 + 1 + 2);
    assert_int_equal(census.by_action[TICKET_ACTION_PENDING], 1463);
}

static void cdnow(void **state)
{
    (void)state;
    char *files[] = {DATA "cdnow/open/CDNOW_sample.txt"};
    struct census census = {0};
    struct import_counts counts = {0};
    int64_t before_ms = clock_now_ms(&clock_system);
    take(&census, &counts, (struct import_options){.files = files, .file_count = 1, .mapping = "cdnow", .rebase = "now"});
    assert_int_equal(counts.accepted, 6919);
    assert_true(census.newest_ms >= before_ms && census.newest_ms <= clock_now_ms(&clock_system));
}

static void reviews_and_answers(void **state)
{
    (void)state;
    char *reviews[] = {DATA "trustpilot_travel/trustpilot_reviews.csv"}, *answers[] = {DATA "nps_garden_store_fr/open/nps.csv"};
    struct census census = {0};
    struct import_counts counts = {0}, more = {0};
    take(&census, &counts, (struct import_options){.files = reviews, .file_count = 1, .mapping = "trustpilot"});
    assert_int_equal(census.by_kind[TOUCHPOINT_BODY_REVIEW_POSTED], 914);
    assert_int_equal(census.begun_twice, 0); /* who gives no title has the text's beginning for one */
    assert_int_equal(counts.rejected, 0);
    take(&census, &more, (struct import_options){.files = answers, .file_count = 1, .mapping = "nps_garden"});
    assert_int_equal(more.rows, 6882);
    assert_int_equal(more.rejected, 10); /* they have no period */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(olist),
        cmocka_unit_test(helpdesk),
        cmocka_unit_test(cdnow),
        cmocka_unit_test(reviews_and_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
