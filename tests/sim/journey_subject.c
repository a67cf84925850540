/* The journey stage under the simulation. There is no naive model of it here (tests/oracle has one); what is shown is that faults
 * leave no trace: whatever a quiet run of the same input says, a stormy one says too, byte for byte and in the same order for
 * every key; KPI deltas, which are summed up over batches of any length, add up to the same; every customer's entry holds the same. */
#include "tests/sim/digest.h"
#include "tests/sim/subject.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "engine/entries.h"
#include "processors/journey/journey.h"
#include "processors/journey/memory/resting.h"
#include "schemas/json_form.h"
#include "schemas/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_ID = 1, CUSTOMERS = 5, HASTE = 2000 /* a simulated minute is a day and a half of events */ };

/* --- what the tasks share */

struct open_journey {
    struct journey_settings settings;
    struct settings_section sections[2]; /* of the file, as long as it lives */
    struct settings_file *file;
    struct journey_shared shared; /* handed out */
};

static struct open_journey opened;

static void *open_shared(void)
{
    struct bytes error = {0};
    opened.sections[0] = (struct settings_section){journey_setting_rows, &opened.settings};
    opened.sections[1] = (struct settings_section){case_setting_rows, &opened.settings.cases};
    opened.file = settings_load(NULL, opened.sections, 2, &error);
    opened.settings.awake_max = 2; /* so that most rest, and are woken again */
    opened.settings.rollup_values_max = 3; /* so that many are over */
    opened.shared = (struct journey_shared){.settings = &opened.settings,
                                            .time_zone = "UTC",
                                            .touchpoints = record_reader_create(&touchpoint_shape, NULL),
                                            .ids = {SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID, SCHEMA_ID}};
    record_reader_learn(opened.shared.touchpoints, SCHEMA_ID);
    if (opened.file && journey_shared_init(&opened.shared, &error))
        return &opened.shared;
    fprintf(stderr, "%s\n", bytes_text(&error));
    exit(2);
}

static void close_shared(void *shared)
{
    (void)shared;
    journey_shared_finish(&opened.shared);
    record_reader_destroy(opened.shared.touchpoints);
    settings_destroy(opened.file);
}

/* --- traffic */

static int body_write(struct random *random, bool may_be_forgotten, char *type, char *data, size_t size)
{
    static const char *const actions[] = {"OPENED",   "AGENT_REPLIED", "CUSTOMER_REPLIED", "RESOLVED", "REOPENED",
                                          "HANDED_OFF", "PENDING",     "CLOSED",           "ESCALATED"};
    static const char *const texts[] = {"null", "\"this is terrible, I am angry\"", "\"thank you, great help\"", "\"where is it\""};
    static const char *const subscriptions[] = {"STARTED", "RENEWED", "LAPSED", "CANCELLED"};
    uint32_t number = random_below(random, 6);
    const char *text = texts[random_below(random, 4)];
    switch (random_below(random, 16)) {
    case 0:
        strcpy(type, "OrderPlaced");
        return snprintf(data, size, "\"order_id\":\"o%u\",\"amount_minor\":%u,\"currency\":\"EUR\"", number, 100 + number);
    case 1:
        strcpy(type, "OrderDelivered");
        return snprintf(data, size, "\"order_id\":\"o%u\"", number);
    case 2:
        strcpy(type, "ProductReturned");
        return snprintf(data, size, "\"order_id\":\"o%u\",\"reason\":\"broken\"", number);
    case 3:
        strcpy(type, "SurveySent");
        return snprintf(data, size, "\"survey_id\":\"s%u\",\"kind\":\"NPS\"", number);
    case 4:
    case 5:
        strcpy(type, "SurveyAnswered");
        return snprintf(data, size, "\"survey_id\":\"s%u\",\"kind\":\"NPS\",\"score\":%u,\"comment\":%s", number,
                        random_below(random, 11), text);
    case 6:
        strcpy(type, "ReviewPosted");
        return snprintf(data, size, "\"stars\":%u,\"text\":\"bad and slow\"", 1 + random_below(random, 5));
    case 7:
        strcpy(type, "SubscriptionChanged");
        return snprintf(data, size, "\"subscription_id\":\"b%u\",\"action\":\"%s\"", number % 2, subscriptions[random_below(random, 4)]);
    case 8:
        strcpy(type, random_below(random, 3) || !may_be_forgotten ? "ProductUsed" : "CustomerForgotten");
        return strcmp(type, "ProductUsed") ? snprintf(data, size, " ") : snprintf(data, size, "\"feature\":\"f\",\"seconds\":60");
    default:
        strcpy(type, "TicketChanged");
        return snprintf(data, size, "\"ticket_id\":\"t%u\",\"action\":\"%s\",\"team\":%s,\"text\":%s", number % 3,
                        actions[random_below(random, 9)], number % 2 ? "\"blue\"" : "\"red\"", text);
    }
}

static void append_one(struct world *world, int64_t *number, struct arena *arena)
{
    struct random *random = &world->random;
    int partition = (int)random_below(random, (uint32_t)world->partition_count);
    char type[40], data[256], text[1024], key[32];
    /* One stays, and was the first: where nobody is left nobody remembers which values had come (memory/keeping.h). */
    uint32_t customer = world->input[partition].count ? random_below(random, CUSTOMERS) : 0;
    body_write(random, customer != 0, type, data, sizeof data);
    int key_size = snprintf(key, sizeof key, "p%d-c%u", partition, customer);
    int64_t event = world_chance(world, 0.05) && *number > 5 ? *number - random_below(random, 5) : ++*number;
    int size = snprintf(text, sizeof text,
                        "{\"event_id\":\"e%" PRId64 "\",\"customer_id\":\"%s\",\"occurred_at\":\"2026-01-01T00:00:00.000Z\","
                        "\"source\":\"sim\",\"channel\":\"EMAIL\",\"product\":\"p%u\",\"segment\":\"s%u\",\"type\":\"%s\",\"data\":{%s}}",
                        event, key, random_below(random, 6), random_below(random, 2), type, data);
    struct touchpoint touch;
    struct json_fault fault;
    if (!touchpoint_from_json(&touch, view_of(text, (size_t)size), (struct view){NULL, 0}, arena, &fault)) {
        fprintf(stderr, "%s: %.*s %.*s\n", text, VIEW_ARGUMENTS(fault.path), VIEW_ARGUMENTS(fault.reason));
        exit(2);
    }
    touch.received_at_ms = 1700000000000 + (world->clock.at_ms - 1700000000000) * HASTE;
    touch.occurred_at_ms = touch.received_at_ms - random_below(random, 1000 * 3600);
    struct bytes value = {0};
    wire_begin(&value, SCHEMA_ID);
    touchpoint_encode(&value, &touch);
    if (world_chance(world, 0.01) && world->input[partition].count)
        value.size -= 3; /* does not decode */
    world_append_input(world, partition, view_of(key, (size_t)key_size), bytes_view(&value), touch.received_at_ms);
    bytes_finish(&value);
}

static void append_input(struct world *world, int64_t *number)
{
    struct arena arena;
    arena_init(&arena);
    for (int left = 1 + (int)random_below(&world->random, 8); left > 0; left--)
        append_one(world, number, &arena);
    arena_finish(&arena);
}

/* --- judging */

static void hear_delta(struct map *map, struct view value, struct arena *arena)
{
    struct kpi_delta delta;
    uint32_t id;
    struct view avro;
    if (!wire_split(value, &id, &avro) || !kpi_delta_decode(&delta, avro, arena) || delta.kind == DELTA_KIND_CLOCK)
        return;
    for (size_t i = 0; i < delta.buckets.count; i++) {
        const struct kpi_delta_bucket *bucket = &delta.buckets.items[i];
        char name[400];
        int size = snprintf(name, sizeof name, "%d %.*s %.*s %" PRId64, (int)delta.kind, VIEW_ARGUMENTS(delta.kpi),
                            VIEW_ARGUMENTS(delta.dimension), bucket->minute);
        struct digest *digest = digest_of(map, "delta", view_of(name, (size_t)size));
        const int64_t more[] = {bucket->n, bucket->num, bucket->sum, bucket->sum_squares_low, bucket->immature};
        for (size_t j = 0; j < 5; j++)
            digest->sums[j] = delta.kind == DELTA_KIND_HEARD ? more[j] : (int64_t)((uint64_t)digest->sums[j] + (uint64_t)more[j]); /* once is as often as twice */
    }
}

static void hear_outputs(struct map *map, struct world *world)
{
    struct arena arena;
    arena_init(&arena);
    for (int topic = 0; topic < world->output_count; topic++) {
        for (int p = 0; p < world->output_partitions; p++) {
            for (size_t i = 0; i < world->outputs[topic][p].count; i++) {
                const struct sim_record *record = &world->outputs[topic][p].records[i];
                struct view value = view_of(record->value, record->value_size);
                if (!sim_is_visible(record))
                    continue;
                if (topic == JOURNEY_OUTPUT_DELTAS)
                    hear_delta(map, value, &arena);
                else
                    digest_add(digest_of(map, journey_processor.outputs[topic], view_of(record->key, record->key_size)), value);
            }
        }
    }
    arena_finish(&arena);
}

/* Without what a customer keeps for all (memory/keeping.h): whose it is hangs on what was saved when. That it is somebody's shows in the sums. */
static void entry_plain(const struct sim_record *record, struct bytes *out)
{
    struct view key = view_of(record->key, record->key_size);
    struct entries entries;
    entries_init(&entries);
    struct entry *entry = entries_add(&entries, key, entries_hash(key));
    void *task = journey_processor.task_create(&opened.shared, 0);
    if (journey_processor.entry_load(task, entry, view_of(record->value, record->value_size))) {
        customer_wake(task, entry)->kept_count = 0;
        journey_processor.entry_save(task, entry, out);
    }
    journey_processor.entry_free(task, entry);
    journey_processor.task_destroy(task);
    entries_finish(&entries);
}

static void audit(struct world *world, struct world *reference, char *failure, size_t failure_size)
{
    struct map got = {0}, wanted = {0};
    hear_outputs(&got, world);
    hear_outputs(&wanted, reference);
    digest_entries(&got, world, entry_plain);
    digest_entries(&wanted, reference, entry_plain);
    digest_compare(&wanted, &got, "wanted", failure, failure_size);
    if (failure[0] == '\0')
        digest_compare(&got, &wanted, "not wanted", failure, failure_size);
    if (failure[0] == '\0' && got.count < 3)
        snprintf(failure, failure_size, "nothing was said at all");
    map_finish(&got, free);
    map_finish(&wanted, free);
}

/* The same, where whoever is not heard of for three hours is forgotten (journey.kept). */
static void *open_forgetful(void)
{
    struct journey_shared *shared = open_shared();
    opened.settings.kept_ms = HOURS(3);
    return shared;
}

const struct sim_subject forgetful_journey_subject = {.name = "forgetful_journey",
                                                      .processor = &journey_processor,
                                                      .open = open_forgetful,
                                                      .close = close_shared,
                                                      .append_input = append_input,
                                                      .audit = audit,
                                                      .wants_reference = true};

const struct sim_subject journey_subject = {.name = "journey",
                                            .processor = &journey_processor,
                                            .open = open_shared,
                                            .close = close_shared,
                                            .append_input = append_input,
                                            .audit = audit,
                                            .wants_reference = true};
