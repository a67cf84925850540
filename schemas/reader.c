#include "schemas/reader.h"
#include "base/log.h"
#include "base/memory.h"
#include "schemas/avro_io.h"
#include "schemas/json_form.h"
#include "schemas/layout.h"
#include "schemas/wire.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A topic sees a handful of writers' schemas in its life. Beyond this many, values of further ids are parked. */
enum { IDS_MAX = 256 };

struct known_id {
    uint32_t id;
    struct avro_foreign *foreign; /* NULL: the same layout as ours */
};

struct record_reader {
    const struct record_shape *shape;
    struct registry *registry;
    pthread_mutex_t lock; /* taken to add only */
    /* Filled from the front and never changed after: whoever sees a count sees the entries below it. */
    struct known_id ids[IDS_MAX];
    atomic_uint id_count;
    atomic_bool is_waiting; /* for the registry to say what an id is; told once */
};

struct record_reader *record_reader_create(const struct record_shape *shape, struct registry *registry)
{
    struct record_reader *reader = memory_zeroed(1, sizeof *reader);
    reader->shape = shape;
    reader->registry = registry;
    pthread_mutex_init(&reader->lock, NULL);
    return reader;
}

void record_reader_destroy(struct record_reader *reader)
{
    if (reader == NULL)
        return;
    for (unsigned i = 0; i < atomic_load(&reader->id_count); i++)
        avro_foreign_destroy(reader->ids[i].foreign);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}

static const struct known_id *find_id(struct record_reader *reader, uint32_t id)
{
    unsigned count = atomic_load_explicit(&reader->id_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        if (reader->ids[i].id == id)
            return &reader->ids[i];
    }
    return NULL;
}

/* Takes `foreign`. NULL: no room. */
static const struct known_id *add_id(struct record_reader *reader, uint32_t id, struct avro_foreign *foreign)
{
    pthread_mutex_lock(&reader->lock);
    const struct known_id *known = find_id(reader, id);
    unsigned count = atomic_load_explicit(&reader->id_count, memory_order_relaxed);
    if (known == NULL && count < IDS_MAX) {
        reader->ids[count] = (struct known_id){id, foreign};
        known = &reader->ids[count];
        foreign = NULL;
        atomic_store_explicit(&reader->id_count, count + 1, memory_order_release);
    }
    pthread_mutex_unlock(&reader->lock);
    avro_foreign_destroy(foreign);
    return known;
}

void record_reader_learn(struct record_reader *reader, uint32_t schema_id)
{
    add_id(reader, schema_id, NULL);
}

static void say(struct json_fault *fault, struct arena *arena, const char *text)
{
    *fault = (struct json_fault){"wrong_type", VIEW_LITERAL(""), view_of_text(arena_text(arena, view_of_text(text)))};
}

static void note_registry(struct record_reader *reader, uint32_t id, enum outcome outcome, const char *error)
{
    bool is_waiting = outcome == OUTCOME_RETRY;
    if (outcome == OUTCOME_STOP)
        log_error("the schema registry refuses a schema that records need", "schema id", LOG_NUMBER(id), "error", error, NULL);
    if (atomic_exchange(&reader->is_waiting, is_waiting) == is_waiting)
        return;
    if (is_waiting)
        log_warning("records wait for a schema that the registry does not give", "schema id", LOG_NUMBER(id), "url",
                    registry_shown_url(reader->registry), "error", error, NULL);
    else
        log_info("the registry answers again", "url", registry_shown_url(reader->registry), NULL);
}

static enum outcome ask_registry(struct record_reader *reader, uint32_t id, struct arena *arena,
                                 const struct known_id **known, struct json_fault *fault)
{
    char error[512] = "no schema registry to ask for the schema's id";
    struct view schema_json;
    enum outcome outcome =
        reader->registry ? registry_schema(reader->registry, id, &schema_json, error, sizeof error) : OUTCOME_PARK;
    if (reader->registry)
        note_registry(reader, id, outcome, error);
    if (outcome != OUTCOME_OK) {
        say(fault, arena, error);
        return outcome;
    }
    struct avro_foreign *foreign = NULL;
    if (!schema_same_layout(schema_json, view_of_text(reader->shape->schema_json))) {
        foreign = avro_foreign_create(schema_json, error, sizeof error);
        if (foreign == NULL) {
            say(fault, arena, error);
            return OUTCOME_PARK;
        }
    }
    *known = add_id(reader, id, foreign);
    if (*known == NULL)
        say(fault, arena, "too many different schema ids in this topic");
    return *known ? OUTCOME_OK : OUTCOME_PARK;
}

static bool convert(struct record_reader *reader, struct avro_foreign *foreign, struct view *avro, struct arena *arena,
                    struct json_fault *fault)
{
    struct bytes ours = {0};
    struct avro_fault found;
    bool is_carried = avro_foreign_convert(foreign, reader->shape, *avro, &ours, &found);
    if (is_carried) {
        *avro = arena_copy(arena, bytes_view(&ours));
    } else {
        say(fault, arena, found.text);
        fault->code = found.code;
        fault->path = arena_copy(arena, view_of_text(found.path));
    }
    bytes_finish(&ours);
    return is_carried;
}

static enum outcome read_value(struct record_reader *reader, struct view value, struct arena *arena, void *out, struct view *avro,
                               struct json_fault *fault)
{
    uint32_t id;
    struct view body;
    if (!wire_split(value, &id, &body)) {
        say(fault, arena, "the value has no schema id in front");
        return OUTCOME_PARK;
    }
    const struct known_id *known = find_id(reader, id);
    if (known == NULL) {
        enum outcome outcome = ask_registry(reader, id, arena, &known, fault);
        if (outcome != OUTCOME_OK)
            return outcome;
    }
    if (known->foreign && !convert(reader, known->foreign, &body, arena, fault))
        return OUTCOME_PARK;
    if (!reader->shape->decode(out, body, arena)) {
        say(fault, arena, "the bytes do not follow their schema");
        return OUTCOME_PARK;
    }
    if (avro)
        *avro = body;
    return OUTCOME_OK;
}

enum outcome record_reader_read(struct record_reader *reader, struct view value, struct arena *arena, void *out,
                                struct view *avro, const char **why)
{
    struct json_fault fault;
    enum outcome outcome = read_value(reader, value, arena, out, avro, &fault);
    if (outcome != OUTCOME_OK && why)
        *why = fault.reason.data; /* of arena_text, which ends it with a NUL */
    return outcome;
}

enum outcome record_reader_judge(struct record_reader *reader, struct view value, struct arena *arena, void *out, struct json_fault *fault)
{
    return read_value(reader, value, arena, out, NULL, fault);
}
