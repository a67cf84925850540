#include "tests/sim/toy_model.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MAX = 64 };

struct model_key {
    char key[32];
    bool is_alive;
    int64_t count, sum, quiets, timer_at_ms, applied;
    struct bytes said; /* every output line expected for this key, in order */
    size_t heard;      /* of `said`, seen in the committed outputs */
};

struct model {
    struct model_key keys[KEYS_MAX];
    int key_count;
    int64_t clock_ms, count, sum;
    struct bytes rejected;
    char *failure;
    size_t failure_size;
};

static void fail(struct model *model, const char *what, int partition, const char *key, const char *wanted, const char *got)
{
    if (model->failure[0] == '\0')
        snprintf(model->failure, model->failure_size, "%s: partition %d key %s wanted [%s] got [%s]", what, partition, key,
                 wanted, got);
}

static struct model_key *key_of(struct model *model, struct view key)
{
    for (int i = 0; i < model->key_count; i++) {
        if (view_equal_text(key, model->keys[i].key))
            return &model->keys[i];
    }
    struct model_key *made = &model->keys[model->key_count++];
    *made = (struct model_key){.timer_at_ms = INT64_MAX, .applied = -1};
    snprintf(made->key, sizeof made->key, "%.*s", VIEW_ARGUMENTS(key));
    return made;
}

static void die(struct model_key *key, int64_t offset)
{
    key->is_alive = false;
    key->count = key->sum = key->quiets = 0;
    key->timer_at_ms = INT64_MAX;
    key->applied = offset;
}

static void apply(struct model *model, const struct sim_record *record, int64_t offset, const struct toy_input *input)
{
    struct model_key *key = key_of(model, view_of(record->key, record->key_size));
    key->applied = offset;
    key->is_alive = true;
    if (input->is_forget) {
        bytes_printf(&key->said, "forget %" PRId64 " %" PRId64 " %" PRId64 "\n", offset, key->count, key->sum);
        die(key, offset);
        return;
    }
    key->count++;
    key->sum += input->number;
    key->quiets = 0;
    key->timer_at_ms = (input->at_ms > model->clock_ms ? input->at_ms : model->clock_ms) + TOY_QUIET_MS;
    bytes_printf(&key->said, "add %" PRId64 " %" PRId64 " %" PRId64 "\n", offset, key->count, key->sum);
    model->count++;
    model->sum += input->number;
    if (key->count == TOY_COUNT_MAX) {
        bytes_printf(&key->said, "full %" PRId64 " %" PRId64 " %" PRId64 "\n", offset, key->count, key->sum);
        die(key, offset);
    }
}

static struct model_key *due_first(struct model *model)
{
    struct model_key *first = NULL;
    for (int i = 0; i < model->key_count; i++) {
        struct model_key *key = &model->keys[i];
        if (!key->is_alive || key->timer_at_ms > model->clock_ms)
            continue;
        if (first == NULL || key->timer_at_ms < first->timer_at_ms ||
            (key->timer_at_ms == first->timer_at_ms && strcmp(key->key, first->key) < 0))
            first = key;
    }
    return first;
}

static void fire(struct model *model, int64_t offset)
{
    struct model_key *key;
    while ((key = due_first(model))) {
        key->applied = offset;
        bool is_gone = ++key->quiets > TOY_QUIETS_MAX;
        bytes_printf(&key->said, "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", is_gone ? "gone" : "quiet", offset,
                     key->count, key->sum, key->timer_at_ms);
        if (is_gone)
            die(key, offset);
        else
            key->timer_at_ms += TOY_QUIET_MS * (key->quiets + 1);
    }
}

static void model_run(struct model *model, const struct sim_log *input)
{
    for (size_t offset = 0; offset < input->count; offset++) {
        const struct sim_record *record = &input->records[offset];
        struct toy_input parsed;
        int64_t at_ms;
        if (record->key == NULL) {
            at_ms = record->timestamp_ms;
        } else if (toy_parse(view_of(record->value, record->value_size), &parsed)) {
            apply(model, record, (int64_t)offset, &parsed);
            at_ms = parsed.at_ms - TOY_DISORDER_MS;
        } else {
            bytes_printf(&model->rejected, "%zu\n", offset);
            continue;
        }
        if (at_ms > model->clock_ms)
            model->clock_ms = at_ms;
        fire(model, (int64_t)offset);
    }
}

/* --- comparing */

/* Keys begin with "pN-": the input partition they belong to. */
static int partition_of_key(const struct sim_record *record)
{
    return record->key[1] - '0';
}

static void hear(struct model *model, int partition, const struct sim_record *record)
{
    struct model_key *key = key_of(model, view_of(record->key, record->key_size));
    size_t left = key->said.size - key->heard;
    const char *wanted = key->said.data ? key->said.data + key->heard : "";
    const char *end = left ? memchr(wanted, '\n', left) : NULL;
    size_t size = end ? (size_t)(end - wanted) : 0;
    if (size == record->value_size && memcmp(wanted, record->value, size) == 0) {
        key->heard += size + 1;
        return;
    }
    char want[80], got[80];
    snprintf(want, sizeof want, "%.*s", (int)size, wanted);
    snprintf(got, sizeof got, "%.*s", (int)record->value_size, record->value);
    fail(model, "output", partition, key->key, want, got);
}

static void compare_outputs(struct world *world, struct model *model, int partition)
{
    for (int out = 0; out < world->output_partitions; out++) {
        const struct sim_log *log = &world->outputs[TOY_OUT][out];
        for (size_t i = 0; i < log->count; i++) {
            if (sim_is_visible(&log->records[i]) && partition_of_key(&log->records[i]) == partition)
                hear(model, partition, &log->records[i]);
        }
    }
    for (int i = 0; i < model->key_count; i++) {
        struct model_key *key = &model->keys[i];
        if (key->heard < key->said.size)
            fail(model, "output missing", partition, key->key, bytes_text(&key->said) + key->heard, "");
    }
}

/* For whoever hunts a seed: what there was to do, and what was expected of it. */
static void model_dump(const struct model *model, const struct sim_log *input, int partition)
{
    for (size_t i = 0; i < input->count; i++)
        fprintf(stderr, "input %d/%zu %s %s\n", partition, i, input->records[i].key ? input->records[i].key : "tick",
                input->records[i].key ? input->records[i].value : "");
    for (int i = 0; i < model->key_count; i++)
        fprintf(stderr, "expected of %s:\n%.*s", model->keys[i].key, (int)model->keys[i].said.size,
                model->keys[i].said.data ? model->keys[i].said.data : "");
}

static void compare_sums(struct world *world, struct model *model, int partition)
{
    int64_t count = 0, sum = 0;
    for (int out = 0; out < world->output_partitions; out++) {
        const struct sim_log *log = &world->outputs[TOY_SUMS][out];
        for (size_t i = 0; i < log->count; i++) {
            const struct sim_record *record = &log->records[i];
            if (!sim_is_visible(record) || atoi(record->key) != partition)
                continue;
            char text[64];
            int64_t some = 0, more = 0;
            snprintf(text, sizeof text, "%.*s", (int)record->value_size, record->value);
            sscanf(text, "%" SCNd64 " %" SCNd64, &some, &more);
            count += some;
            sum += more;
        }
    }
    char wanted[64], got[64];
    snprintf(wanted, sizeof wanted, "%" PRId64 " %" PRId64, model->count, model->sum);
    snprintf(got, sizeof got, "%" PRId64 " %" PRId64, count, sum);
    if (strcmp(wanted, got) != 0)
        fail(model, "sums", partition, "", wanted, got);
}

/* Rejected records go by their key, so several of these partitions hold them; the offsets of one input partition are looked for. */
static void compare_rejected(struct world *world, struct model *model, int partition)
{
    size_t wanted = 0, got = 0;
    for (size_t i = 0; i < model->rejected.size; i++)
        wanted += model->rejected.data[i] == '\n';
    for (int out = 0; out < world->output_partitions; out++) {
        const struct sim_log *log = &world->outputs[TOY_REJECTED][out];
        for (size_t i = 0; i < log->count; i++)
            got += sim_is_visible(&log->records[i]) && partition_of_key(&log->records[i]) == partition;
    }
    char want[32], have[32];
    snprintf(want, sizeof want, "%zu", wanted);
    snprintf(have, sizeof have, "%zu", got);
    if (wanted != got)
        fail(model, "rejected", partition, "", want, have);
}

static void entry_text(char *out, size_t size, const int64_t fields[5])
{
    snprintf(out, size, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, fields[0], fields[1], fields[2], fields[3],
             fields[4]);
}

static void compare_entries(struct world *world, struct model *model, int partition)
{
    const struct sim_log *log = &world->checkpoint[partition];
    for (int i = 0; i < model->key_count; i++) {
        struct model_key *key = &model->keys[i];
        const struct sim_record *last = NULL;
        for (size_t at = 0; at < log->count; at++) {
            const struct sim_record *record = &log->records[at];
            if (sim_is_visible(record) && view_equal_text(view_of(record->key, record->key_size), key->key))
                last = record;
        }
        char wanted[120] = "nothing", got[120] = "nothing";
        if (key->is_alive)
            entry_text(wanted, sizeof wanted,
                       (int64_t[]){key->applied, key->timer_at_ms, key->count, key->sum, key->quiets});
        if (last && last->value) {
            int64_t fields[5];
            memcpy(fields, last->value, sizeof fields);
            entry_text(got, sizeof got, fields);
        }
        if (strcmp(wanted, got) != 0)
            fail(model, "entry", partition, key->key, wanted, got);
    }
}

/* After a clean stop a restart replays nothing: the marker stands at the committed offset. */
static void compare_offsets(struct world *world, struct model *model, int partition)
{
    const struct broker_commit *committed = &world->committed[partition];
    if (world->input[partition].count == 0)
        return;
    char wanted[200];
    snprintf(wanted, sizeof wanted, "touchstream 1 1 %zu %" PRId64 " topic=" WORLD_INPUT_ID " state=" WORLD_CHECKPOINT_ID, world->input[partition].count, model->clock_ms);
    if (strcmp(wanted, committed->metadata) != 0)
        fail(model, "marker", partition, "", wanted, committed->metadata);
}

void toy_model_audit(struct world *world, char *failure, size_t failure_size)
{
    for (int partition = 0; partition < world->partition_count; partition++) {
        struct model model = {.clock_ms = INT64_MIN / 2, .failure = failure, .failure_size = failure_size};
        model_run(&model, &world->input[partition]);
        compare_outputs(world, &model, partition);
        compare_sums(world, &model, partition);
        compare_rejected(world, &model, partition);
        compare_entries(world, &model, partition);
        compare_offsets(world, &model, partition);
        if (world->is_tracing && failure[0])
            model_dump(&model, &world->input[partition], partition);
        for (int i = 0; i < model.key_count; i++)
            bytes_finish(&model.keys[i].said);
        bytes_finish(&model.rejected);
    }
}
