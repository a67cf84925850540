/* Files in, touchpoints and rejected records out: the whole of `import` but Kafka. */
#include "ingest/import.h"

#include "base/arena.h"
#include "base/time_text.h"
#include "schemas/wire.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { CAUGHT_MAX = 64 };

/* What was sent, decoded. */
struct catcher {
    struct touchpoint touches[CAUGHT_MAX];
    struct rejected rejects[CAUGHT_MAX];
    size_t touch_count, reject_count;
    int refusals_left; /* the next so many sends find the queue full */
    struct arena arena;
    struct outlet outlet;
    struct clock_manual clock;
    atomic_bool stop;
    struct import_counts counts;
    struct bytes error;
    char folder[64];
    char *files[4];
    size_t file_count;
};

static enum outcome catch_one(void *target, const char *topic, struct view key, struct view value, int64_t timestamp_ms,
                              void *message_context)
{
    struct catcher *catcher = target;
    uint32_t schema_id;
    struct view avro;
    if (catcher->refusals_left > 0) {
        catcher->refusals_left--;
        return OUTCOME_RETRY;
    }
    assert_true(wire_split(arena_copy(&catcher->arena, value), &schema_id, &avro));
    if (strcmp(topic, "p.touchpoints") == 0) {
        struct touchpoint *touch = &catcher->touches[catcher->touch_count++];
        assert_int_equal(schema_id, 11);
        assert_true(touchpoint_decode(touch, avro, &catcher->arena));
        assert_true(view_equal(key, touch->customer_id));
        assert_int_equal(timestamp_ms, touch->received_at_ms);
    } else {
        assert_string_equal(topic, "p.touchpoints.rejected");
        assert_int_equal(schema_id, 12);
        assert_true(rejected_decode(&catcher->rejects[catcher->reject_count++], avro, &catcher->arena));
    }
    import_delivered(message_context, true, NULL);
    return OUTCOME_OK;
}

static int set_up(void **state)
{
    struct catcher *catcher = calloc(1, sizeof *catcher);
    arena_init(&catcher->arena);
    catcher->outlet = (struct outlet){catch_one, NULL, catcher, "p.touchpoints", "p.touchpoints.rejected", 11, 12};
    int64_t now_ms;
    time_text_parse(VIEW_LITERAL("2026-11-22T12:00:00Z"), &now_ms);
    clock_manual_init(&catcher->clock, now_ms);
    strcpy(catcher->folder, "/tmp/touchstream-import-XXXXXX");
    assert_non_null(mkdtemp(catcher->folder));
    *state = catcher;
    return 0;
}

static int tear_down(void **state)
{
    struct catcher *catcher = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", catcher->folder);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < catcher->file_count; i++)
        free(catcher->files[i]);
    arena_finish(&catcher->arena);
    bytes_finish(&catcher->error);
    free(catcher);
    return 0;
}

static char *put_file(struct catcher *catcher, const char *name, const char *text)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", catcher->folder, name) > 0);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    return path;
}

static void add_input(struct catcher *catcher, const char *name, const char *text)
{
    catcher->files[catcher->file_count++] = put_file(catcher, name, text);
}

static bool run(struct catcher *catcher, struct import_options options)
{
    options.files = catcher->files;
    options.file_count = catcher->file_count;
    return import_check_options(&options, &catcher->error) &&
           import_run(&options, &catcher->outlet, &catcher->clock.clock, &catcher->stop, &catcher->counts, &catcher->error);
}

#define EVENT(id, at, type, data)                                                                                      \
    "{\"event_id\": \"" id "\", \"customer_id\": \"c\", \"occurred_at\": \"" at                                        \
    "\", \"source\": \"s\", \"channel\": \"WEB\", \"type\": \"" type "\", \"data\": " data "}"
#define USED(id, at) EVENT(id, at, "ProductUsed", "{\"feature\": \"f\", \"seconds\": 1}")

static void lines_are_accepted_counted_and_refused(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.ndjson", USED("1", "2026-01-01T00:00:00Z") "\n\n" USED("2", "2026-01-02T00:00:00Z") "\r\n{broken\n"
              USED("1", "2026-01-01T00:00:00Z") "\n" USED("3", "2027-01-01T00:00:00Z"));
    assert_true(run(catcher, (struct import_options){0}));
    assert_int_equal(catcher->counts.accepted, 2);
    assert_int_equal(catcher->counts.duplicate, 1);
    assert_int_equal(catcher->counts.rejected, 2);
    assert_int_equal(catcher->touch_count, 3); /* a duplicate is sent: who counts it twice is a bug to be seen */
    assert_true(view_equal_text(catcher->rejects[0].code, "bad_json"));
    assert_true(view_equal_text(catcher->rejects[0].payload, "{broken"));
    assert_true(view_equal_text(catcher->rejects[1].code, "future"));
    assert_true(catcher->rejects[1].has_event_id);
    assert_int_equal(catcher->counts.delivered, 5);
}

static void an_array_in_a_json_file(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.json", "[" USED("1", "2026-01-01T00:00:00Z") ",\n 5, " USED("2", "2026-01-01T00:00:00Z") "]");
    assert_true(run(catcher, (struct import_options){0}));
    assert_int_equal(catcher->counts.accepted, 2);
    assert_int_equal(catcher->counts.rejected, 1);
}

static void an_empty_file_is_no_error(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.ndjson", "");
    add_input(catcher, "b.json", " \n");
    assert_true(run(catcher, (struct import_options){0}));
    assert_int_equal(catcher->counts.accepted + catcher->counts.rejected, 0);
}

static void a_missing_file_is_named(void **state)
{
    struct catcher *catcher = *state;
    catcher->files[catcher->file_count++] = strdup("/nowhere/x.ndjson");
    assert_false(run(catcher, (struct import_options){0}));
    assert_non_null(strstr(bytes_text(&catcher->error), "/nowhere/x.ndjson"));
}

/* Of such a file every row would be refused, and no refusal would say why. */
static void a_file_that_is_no_utf8_text_is_refused_whole(void **state)
{
    struct catcher *catcher = *state;
    static const struct {
        const char *name, *bytes, *said;
    } cases[] = {{"a.csv", "\xFF\xFEi", "UTF-16"},
                 {"b.json", "\xFE\xFF[", "UTF-16"},
                 {"c.csv.gz", "\x1F\x8B\x08\x08", "gunzip"},
                 {"d.ndjson", "\x28\xB5\x2F\xFDx", "zstd -d"},
                 {"e.xlsx", "PK\x03\x04\x14", "spreadsheet"},
                 {"f.csv", "\xD0\xCF\x11\xE0\xA1", "spreadsheet"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = put_file(catcher, cases[i].name, cases[i].bytes);
        struct import_options options = {.files = &path, .file_count = 1, .mapping = "olist"};
        bytes_clear(&catcher->error);
        assert_false(import_run(&options, &catcher->outlet, &catcher->clock.clock, &catcher->stop, &catcher->counts, &catcher->error));
        assert_non_null(strstr(bytes_text(&catcher->error), cases[i].name));
        assert_non_null(strstr(bytes_text(&catcher->error), cases[i].said));
        free(path);
    }
    assert_int_equal(catcher->counts.rejected, 0);
}

static void csv_without_a_mapping_is_refused_at_once(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.csv", "a,b\n1,2\n");
    assert_false(run(catcher, (struct import_options){0}));
    assert_non_null(strstr(bytes_text(&catcher->error), "--mapping"));
}

static const char answers_jq[] =
    "{event_id: .id, customer_id: .customer, occurred_at: (.at | ts), channel: \"EMAIL\", type: \"SurveyAnswered\",\n"
    " data: {survey_id: $file, kind: \"CSAT\", score: (.score | tonumber)}}";

static void csv_through_a_mapping(void **state)
{
    struct catcher *catcher = *state;
    char *mapping = put_file(catcher, "answers.jq", answers_jq);
    add_input(catcher, "wave1.csv", "id,customer,at,score\na1,c1,2026-01-01 10:00:00,5\na2,c2,2026-01-01,x\na3,c3,2026-01-01\n\"a4\",c4,2026-01-01,9\n");
    assert_true(run(catcher, (struct import_options){.mapping = mapping}));
    assert_int_equal(catcher->counts.accepted, 1);
    const struct touchpoint *touch = &catcher->touches[0];
    assert_true(view_equal_text(touch->source, "csv:answers"));
    assert_true(view_equal_text(touch->body.survey_answered.survey_id, "wave1"));
    struct uuid expected = uuid_of_source(VIEW_LITERAL("csv:answers"), VIEW_LITERAL("a1"));
    assert_true(uuid_equal(&touch->event_id, &expected));
    assert_int_equal(catcher->reject_count, 3);
    assert_true(view_equal_text(catcher->rejects[0].code, "bad_mapping")); /* jq's own complaint, with the place */
    assert_non_null(memmem(catcher->rejects[0].reason.data, catcher->rejects[0].reason.size, "line 3", 6));
    assert_true(view_equal_text(catcher->rejects[0].payload, "a2,c2,2026-01-01,x"));
    assert_true(view_equal_text(catcher->rejects[1].code, "bad_mapping")); /* ragged */
    assert_non_null(memmem(catcher->rejects[1].reason.data, catcher->rejects[1].reason.size, "3 fields", 8));
    assert_true(view_equal_text(catcher->rejects[2].code, "out_of_range"));
    assert_true(view_equal_text(catcher->rejects[2].path, "data.score"));
    free(mapping);
}

static void a_mapping_may_say_nothing_or_much(void **state)
{
    struct catcher *catcher = *state;
    char *mapping = put_file(catcher, "m.jq",
        "def use($id): {event_id: $id, customer_id: \"c\", occurred_at: \"2026-01-01T00:00:00Z\", channel: \"APP\", type: \"ProductUsed\", "
        "data: {feature: \"f\", seconds: 1}};\n"
        "if .n == \"0\" then empty elif .n == \"1\" then null elif .n == \"2\" then use(\"x\"), use(\"y\") elif .n == \"3\" then [use(\"z\"), null] else 5 end");
    add_input(catcher, "a.csv", "n\n0\n1\n2\n3\n4\n");
    assert_true(run(catcher, (struct import_options){.mapping = mapping, .source = "here"}));
    assert_int_equal(catcher->counts.accepted, 3);
    assert_true(view_equal_text(catcher->touches[0].source, "here"));
    assert_int_equal(catcher->counts.rejected, 1); /* 5 is no touchpoint */
    free(mapping);
}

static void a_mapping_that_does_not_compile_is_told_with_its_line(void **state)
{
    struct catcher *catcher = *state;
    char *mapping = put_file(catcher, "m.jq", "# one\n{a: }\n");
    add_input(catcher, "a.csv", "n\n0\n");
    assert_false(run(catcher, (struct import_options){.mapping = mapping}));
    assert_non_null(strstr(bytes_text(&catcher->error), "line 2"));
    bytes_clear(&catcher->error);
    assert_false(run(catcher, (struct import_options){.mapping = "nosuch"}));
    assert_non_null(strstr(bytes_text(&catcher->error), "olist"));
    free(mapping);
}

static void a_mapping_sees_no_environment_and_no_files(void **state)
{
    struct catcher *catcher = *state;
    setenv("SECRET", "s3cret", 1);
    char *mapping = put_file(catcher, "m.jq", "error([env, $ENV, (input | length)] | tojson)");
    add_input(catcher, "a.csv", "n\n0\n");
    assert_true(run(catcher, (struct import_options){.mapping = mapping}));
    assert_non_null(memmem(catcher->rejects[0].reason.data, catcher->rejects[0].reason.size, "[{},{},0]", 9));
    FILE *file = fopen(mapping, "w");
    fputs("include \"answers\"; 1", file);
    fclose(file);
    assert_false(run(catcher, (struct import_options){.mapping = mapping}));
    free(mapping);
}

static void side_tables_join_files(void **state)
{
    struct catcher *catcher = *state;
    static const char text[] =
        "# table: people people.csv id\n# table? extra extra.csv id\n# table: own $self id\n"
        "{event_id: .id, customer_id: $tables.people[.person][0].name, occurred_at: \"2026-01-01T00:00:00Z\", channel: \"APP\", "
        "type: \"ProductUsed\", data: {feature: ($tables.extra | tostring), seconds: ($tables.own[.id] | length)}}";
    char *mapping = put_file(catcher, "m.jq", text), *people = put_file(catcher, "people.csv", "id,name\np1,ann\np2,bob\n");
    add_input(catcher, "a.csv", "id,person\n1,p2\n1,p1\n");
    assert_true(run(catcher, (struct import_options){.mapping = mapping}));
    assert_int_equal(catcher->touch_count, 2);
    assert_true(view_equal_text(catcher->touches[0].customer_id, "bob"));
    assert_true(view_equal_text(catcher->touches[0].body.product_used.feature, "null"));
    assert_int_equal(catcher->touches[0].body.product_used.seconds, 2);

    char *elsewhere = put_file(catcher, "elsewhere.csv", "key,name\np2,zoe\np1,yan\n"), *given = NULL;
    assert_true(asprintf(&given, "people=%s:key", elsewhere) > 0);
    assert_true(run(catcher, (struct import_options){.mapping = mapping, .tables = given}));
    assert_true(view_equal_text(catcher->touches[2].customer_id, "zoe"));

    free(given);
    assert_true(asprintf(&given, "peopel=%s:key", elsewhere) > 0);
    assert_false(run(catcher, (struct import_options){.mapping = mapping, .tables = given}));
    assert_non_null(strstr(bytes_text(&catcher->error), "\"peopel\"; it declares people, extra, own"));

    free(put_file(catcher, "people.csv", "id,name\np1,ann\np2\n")); /* whoever is p2 would be nobody, for good */
    size_t before = catcher->touch_count;
    bytes_clear(&catcher->error);
    assert_false(run(catcher, (struct import_options){.mapping = mapping}));
    assert_non_null(strstr(bytes_text(&catcher->error), "people.csv line 3: 1 fields where the header has 2 columns"));
    assert_int_equal(catcher->touch_count, before);

    assert_int_equal(unlink(people), 0);
    assert_false(run(catcher, (struct import_options){.mapping = mapping}));
    assert_non_null(strstr(bytes_text(&catcher->error), "people"));
    free(mapping), free(people), free(elsewhere), free(given);
}

static void rebase_moves_the_newest_to_now_and_keeps_distances(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.ndjson", EVENT("1", "1997-01-01T00:00:00Z", "OrderDelivered", "{\"order_id\": \"o\", \"promised_at\": \"1997-01-03T00:00:00Z\"}"));
    add_input(catcher, "b.ndjson", EVENT("2", "1997-01-02T00:00:00Z", "SubscriptionChanged",
                                         "{\"subscription_id\": \"b\", \"action\": \"STARTED\", \"term_ends_at\": \"1997-02-02T00:00:00Z\"}")
                                   "\n{\"broken\": 1}\n");
    assert_true(run(catcher, (struct import_options){.rebase = "now"}));
    int64_t now_ms = clock_now_ms(&catcher->clock.clock);
    assert_int_equal(catcher->counts.accepted, 2);
    assert_int_equal(catcher->touches[1].occurred_at_ms, now_ms);
    assert_int_equal(catcher->touches[0].occurred_at_ms, now_ms - DAYS(1));
    assert_int_equal(catcher->touches[0].body.order_delivered.promised_at_ms, now_ms + DAYS(1));
    assert_int_equal(catcher->touches[1].body.subscription_changed.term_ends_at_ms, now_ms + DAYS(31));
}

static void speed_keeps_the_pace_of_the_events(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.ndjson", USED("1", "2026-01-01T00:00:00Z") "\n" USED("2", "2026-01-01T00:01:00Z"));
    int64_t begun_us = clock_monotonic_us();
    assert_true(run(catcher, (struct import_options){.speed = 600}));
    int64_t taken_us = clock_monotonic_us() - begun_us;
    assert_true(taken_us >= 100000); /* a minute at 600 times its pace */
}

static atomic_bool *stop_at_alarm;

static void alarm_stops(int signal)
{
    (void)signal;
    atomic_store(stop_at_alarm, true);
}

static void the_slowest_speed_is_slow(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.ndjson", USED("1", "2026-01-01T00:00:00Z") "\n" USED("2", "2026-01-01T00:01:00Z"));
    stop_at_alarm = &catcher->stop;
    signal(SIGALRM, alarm_stops);
    alarm(1);
    assert_true(run(catcher, (struct import_options){.speed = 1e-300}));
    assert_int_equal(catcher->counts.accepted, 1); /* the other's turn comes never */
}

static void a_full_queue_is_waited_for(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.ndjson", USED("1", "2026-01-01T00:00:00Z") "\n" USED("2", "2026-01-01T00:00:00Z") "\n{\n");
    catcher->refusals_left = 5;
    assert_true(run(catcher, (struct import_options){0}));
    assert_int_equal(catcher->counts.accepted, 2);
    assert_int_equal(catcher->counts.rejected, 1);
}

static void a_stop_ends_early_and_cleanly(void **state)
{
    struct catcher *catcher = *state;
    add_input(catcher, "a.ndjson", USED("1", "2026-01-01T00:00:00Z") "\n");
    atomic_store(&catcher->stop, true);
    assert_true(run(catcher, (struct import_options){0}));
    assert_int_equal(catcher->counts.accepted, 0);
}

static void options_that_cannot_be(void **state)
{
    struct catcher *catcher = *state;
    static const struct import_options wrong[] = {{.format = "xml"}, {.rebase = "soon"}, {.speed = -1}};
    add_input(catcher, "a.ndjson", "");
    for (size_t i = 0; i < 3; i++) {
        bytes_clear(&catcher->error);
        assert_false(run(catcher, wrong[i]));
        assert_true(catcher->error.size > 0);
    }
    bytes_clear(&catcher->error);
    assert_false(import_check_options(&(struct import_options){0}, &catcher->error));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_accepted_counted_and_refused),
        TEST(an_array_in_a_json_file),
        TEST(an_empty_file_is_no_error),
        TEST(a_missing_file_is_named),
        TEST(a_file_that_is_no_utf8_text_is_refused_whole),
        TEST(csv_without_a_mapping_is_refused_at_once),
        TEST(csv_through_a_mapping),
        TEST(a_mapping_may_say_nothing_or_much),
        TEST(a_mapping_that_does_not_compile_is_told_with_its_line),
        TEST(a_mapping_sees_no_environment_and_no_files),
        TEST(side_tables_join_files),
        TEST(rebase_moves_the_newest_to_now_and_keeps_distances),
        TEST(speed_keeps_the_pace_of_the_events),
        TEST(the_slowest_speed_is_slow),
        TEST(a_full_queue_is_waited_for),
        TEST(a_stop_ends_early_and_cleanly),
        TEST(options_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
