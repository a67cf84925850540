#include "processors/kpi/comparison.h"

#include "base/clock.h"
#include "base/memory.h"
#include "processors/kpi/packed.h"
#include "schemas/records.h"
#include "schemas/wire.h"

#include <stdlib.h>

enum { PATIENCE_MS = MINUTES(5) };

struct comparison {
    int32_t finder; /* partition */
    struct bytes question;
    struct bytes answers; /* of those who have told, one after the other; at the finder alone */
    int32_t told;         /* how many have */
};

/* What is asked, and of whom. */
struct question {
    int32_t partitions;
    struct view dimension;
    struct whole whole;
    struct view shift; /* as it will be published, in Avro, without its drivers */
};

/* --- the question, in bytes */

static void pack_sums(struct bytes *out, const struct kpi_sums *sums)
{
    pack(out, sums->n);
    pack(out, sums->num);
    pack(out, sums->sum);
}

static struct kpi_sums unpack_sums(struct unpacker *in)
{
    struct kpi_sums sums = {.n = unpack(in)};
    sums.num = unpack(in);
    sums.sum = unpack(in);
    return sums;
}

static void question_write(struct bytes *out, const struct question *question)
{
    pack(out, question->partitions);
    pack_view(out, view_of_text(kpi_names[question->whole.kpi].name));
    pack_view(out, question->dimension);
    pack(out, question->whole.periods.grid);
    pack(out, question->whole.periods.onset);
    pack(out, question->whole.periods.last);
    pack(out, question->whole.periods.step);
    pack(out, question->whole.periods.times);
    pack_sums(out, &question->whole.sums.before);
    pack_sums(out, &question->whole.sums.after);
    pack_double(out, question->whole.item_variance);
    pack_view(out, question->shift);
}

/* From a topic: any bytes at all. */
static bool question_read(struct question *out, struct view bytes)
{
    struct unpacker in = {bytes.data, bytes.data + bytes.size, false};
    int64_t partitions = unpack(&in);
    struct view name = unpack_view(&in);
    *out = (struct question){.partitions = (int32_t)partitions, .dimension = unpack_view(&in)};
    int64_t grid = unpack(&in), onset = unpack(&in), last = unpack(&in), step = unpack(&in), times = unpack(&in);
    out->whole.sums.before = unpack_sums(&in);
    out->whole.sums.after = unpack_sums(&in);
    out->whole.item_variance = unpack_double(&in);
    out->shift = unpack_view(&in);
    out->whole.periods = (struct periods){(enum grid)grid, (int32_t)onset, (int32_t)last, (int32_t)step, (int32_t)times};
    bool is_sound = !in.is_broken && in.at == in.end && partitions > 0 && partitions <= INT32_MAX && grid >= 0 && grid < GRID_COUNT;
    return is_sound && onset > INT32_MIN / 4 && last < INT32_MAX / 4 && last >= onset && step > last - onset && step < INT32_MAX / 64 &&
           times > 0 && times <= 16 && kpi_from_name(name, &out->whole.kpi) && drivers_are_known(kpi_names[out->whole.kpi].kind);
}

/* --- the parts that lie here */

/* Takes the first off `rest`. false: there is none left. */
static bool next_component(struct view *rest, struct view *component)
{
    if (rest->size == 0)
        return false;
    const char *comma = memchr(rest->data, ',', rest->size);
    *component = view_of(rest->data, comma ? (size_t)(comma - rest->data) : rest->size);
    size_t taken = component->size + (comma != NULL);
    *rest = view_of(rest->data + taken, rest->size - taken);
    return true;
}

/* "product=boots,channel=EMAIL" has "channel=EMAIL". */
static bool has_component(struct view dimension, struct view wanted)
{
    struct view component;
    while (next_component(&dimension, &component))
        if (view_equal(component, wanted))
            return true;
    return false;
}

/* It has all that the whole has, and one more. */
static bool is_part_of(struct view dimension, struct view whole)
{
    struct view component;
    if (dimension_component_count(dimension) != dimension_component_count(whole) + 1)
        return false;
    if (dimension_component_count(whole) == 0)
        return true;
    while (next_component(&whole, &component))
        if (!has_component(dimension, component))
            return false;
    return true;
}

void comparison_own_part(struct bytes *out, struct view dimension, struct view whole)
{
    struct view component;
    while (next_component(&dimension, &component)) {
        if (has_component(whole, component))
            continue;
        if (out->size)
            bytes_append_byte(out, ',');
        bytes_append_view(out, component);
    }
}

static size_t drivers_here(const struct kpi_task *task, const struct question *question, struct driver drivers[DRIVERS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < task->series.count; i++) {
        const struct series_state *state = task->series.items[i];
        struct driver driver = {.dimension = state->dimension};
        if (state->series.kpi != question->whole.kpi || !is_part_of(state->dimension, question->dimension))
            continue;
        struct period_sums sums = drivers_sums(&state->series, &question->whole.periods);
        if (drivers_effect(&driver, &question->whole, &sums))
            count = drivers_keep(drivers, count, &driver);
    }
    return count;
}

/* --- answers, in bytes */

static void answer_write(struct bytes *out, const struct driver drivers[], size_t count)
{
    pack(out, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        pack_view(out, drivers[i].dimension);
        pack_double(out, drivers[i].share);
        pack_double(out, drivers[i].rate_effect);
        pack_double(out, drivers[i].mix_effect);
        pack_double(out, drivers[i].weight);
    }
}

static void answer_read(struct unpacker *in, struct driver drivers[DRIVERS_MAX], size_t *count)
{
    for (size_t left = unpack_count(in); left > 0; left--) {
        struct driver driver = {.dimension = unpack_view(in)};
        driver.share = unpack_double(in);
        driver.rate_effect = unpack_double(in);
        driver.mix_effect = unpack_double(in);
        driver.weight = unpack_double(in);
        *count = drivers_keep(drivers, *count, &driver);
    }
}

/* Of all answers one after the other, those that stand out most; in views of `answers`. false: these are none. */
static bool answers_read(struct view answers, struct driver drivers[DRIVERS_MAX], size_t *count)
{
    struct unpacker in = {answers.data, answers.data + answers.size, false};
    *count = 0;
    while (in.at < in.end)
        answer_read(&in, drivers, count);
    return !in.is_broken;
}

/* --- telling each other */

static void send(struct step *step, enum delta_kind kind, int32_t partition, struct view key, struct view comparison)
{
    const struct kpi_task *task = step->task;
    struct kpi_delta out = {.kind = kind,
                            .kpi = VIEW_LITERAL(""),
                            .dimension = VIEW_LITERAL(""),
                            .source_partition = task->partition,
                            .clock_at_ms = step->clock_ms,
                            .comparison = comparison};
    struct bytes *value = outbox_begin(step->outbox, KPI_OUTPUT_DELTAS, partition, key, step->record_at_ms);
    wire_begin(value, task->shared->ids.kpi_delta);
    kpi_delta_encode(value, &out);
    outbox_end(step->outbox);
}

/* The series hears of it, too, for an alert may speak of the shift. Which one is said at the end: a row may show two, an odd one that is the last of a
 * new level, and hours and days end at once; before that was so whatever was found then was meant. */
static void explain(struct step *step, const struct question *question, const struct trend_shift *shift, const struct driver drivers[], size_t count)
{
    struct bytes key = {0}, told = {0};
    bytes_printf(&key, "%s|%.*s", kpi_names[question->whole.kpi].name, VIEW_ARGUMENTS(question->dimension));
    pack(&told, shift->detected_at_ms);
    answer_write(&told, drivers, count);
    pack(&told, shift->resolution);
    pack(&told, shift->kind);
    send(step, DELTA_KIND_TOLD, ((const struct kpi_task *)step->task)->partition, bytes_view(&key), bytes_view(&told));
    bytes_finish(&key);
    bytes_finish(&told);
}

bool comparison_hear_explained(struct step *step, struct series_state *state, const struct kpi_delta *delta)
{
    struct driver drivers[DRIVERS_MAX];
    size_t count = 0;
    if (!delta->comparison.data)
        return false;
    struct unpacker in = {delta->comparison.data, delta->comparison.data + delta->comparison.size, false};
    int64_t detected_at_ms = unpack(&in);
    if (in.at < in.end)
        answer_read(&in, drivers, &count);
    bool is_of_any = in.at == in.end;
    int64_t resolution = is_of_any ? 0 : unpack(&in), kind = is_of_any ? 0 : unpack(&in);
    if (in.is_broken || in.at != in.end)
        return false;
    if (state && (is_of_any || (state->shift.grid == resolution && state->shift.kind == kind)))
        shift_alert_explained(step, state, detected_at_ms, drivers, count);
    return true;
}

static void publish(struct step *step, const struct question *question, const struct driver drivers[], size_t count)
{
    struct trend_shift shift;
    struct shift_driver items[DRIVERS_MAX];
    if (!trend_shift_decode(&shift, question->shift, step->arena))
        return;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct shift_driver){.dimension = drivers[i].dimension,
                                         .share = drivers[i].share,
                                         .rate_effect = drivers[i].rate_effect,
                                         .mix_effect = drivers[i].mix_effect};
    shift.drivers.items = items;
    shift.drivers.count = count;
    publish_explained(step, &shift);
    if (count > 0)
        explain(step, question, &shift, drivers, count);
}

static void ask(struct step *step, struct view shift_id, struct view question, int32_t partitions)
{
    struct bytes key = {0};
    bytes_append_text(&key, KPI_SHIFT_KEY);
    bytes_append_view(&key, shift_id);
    for (int32_t partition = 0; partition < partitions; partition++)
        send(step, DELTA_KIND_ASKED, partition, bytes_view(&key), question);
    bytes_finish(&key);
}

bool comparison_begin(struct step *step, const struct series_state *state, enum grid grid, int32_t onset, int32_t last,
                      const struct trend_shift *shift)
{
    struct question question = {.partitions = outbox_partition_count(step->outbox, KPI_OUTPUT_DELTAS),
                                .dimension = state->dimension};
    bool is_of_values = shift->kind == SHIFT_KIND_LEVEL || shift->kind == SHIFT_KIND_SPIKE;
    if (!is_of_values || !drivers_are_known(state->series.kind) ||
        !drivers_whole(&question.whole, &state->series, grid, onset, last, shift->before, shift->after))
        return false;
    struct bytes avro = {0}, bytes = {0};
    trend_shift_encode(&avro, shift);
    question.shift = bytes_view(&avro);
    if (question.partitions == 1) {
        struct driver drivers[DRIVERS_MAX];
        publish(step, &question, drivers, drivers_here(step->task, &question, drivers));
    } else {
        question_write(&bytes, &question);
        ask(step, shift->shift_id, bytes_view(&bytes), question.partitions);
    }
    bytes_finish(&avro);
    bytes_finish(&bytes);
    return true;
}

/* --- hearing */

static void answer(struct step *step, struct view key, int32_t finder, const struct question *question)
{
    struct driver drivers[DRIVERS_MAX];
    struct bytes bytes = {0};
    answer_write(&bytes, drivers, drivers_here(step->task, question, drivers));
    send(step, DELTA_KIND_TOLD, finder, key, bytes_view(&bytes));
    bytes_finish(&bytes);
}

/* One that is asked again is a shift found again: the answers are to the newer question. */
static void begin(struct entry *entry, const struct kpi_delta *delta)
{
    if (entry->state)
        comparison_destroy(entry->state);
    struct comparison *comparison = memory_zeroed(1, sizeof *comparison);
    comparison->finder = delta->source_partition;
    bytes_append_view(&comparison->question, delta->comparison);
    entry->state = comparison;
}

static bool hear_question(struct step *step, struct entry *entry, const struct kpi_delta *delta)
{
    const struct kpi_task *task = step->task;
    struct question question;
    int32_t partitions = outbox_partition_count(step->outbox, KPI_OUTPUT_DELTAS);
    if (!question_read(&question, delta->comparison) || delta->source_partition < 0 || delta->source_partition >= partitions)
        return false;
    bool is_ours = delta->source_partition == task->partition, is_early = step->clock_ms < delta->clock_at_ms;
    if (is_ours || is_early)
        begin(entry, delta);
    else
        entry->is_deleted = true;
    entry->timer_at_ms = delta->clock_at_ms + (is_ours ? PATIENCE_MS : 0);
    if (!is_early)
        answer(step, entry_key(entry), delta->source_partition, &question);
    return true;
}

static void conclude(struct step *step, const struct comparison *comparison)
{
    struct question question;
    struct driver drivers[DRIVERS_MAX];
    size_t count;
    if (!question_read(&question, bytes_view(&comparison->question)))
        return;
    answers_read(bytes_view(&comparison->answers), drivers, &count);
    publish(step, &question, drivers, count);
}

static bool hear_answer(struct step *step, struct entry *entry, const struct kpi_delta *delta)
{
    struct comparison *comparison = entry->state;
    struct question question;
    struct driver drivers[DRIVERS_MAX];
    size_t count;
    if (!answers_read(delta->comparison, drivers, &count))
        return false;
    if (!comparison) { /* published without it */
        entry->is_deleted = true;
        return true;
    }
    bytes_append_view(&comparison->answers, delta->comparison);
    comparison->told++;
    if (question_read(&question, bytes_view(&comparison->question)) && comparison->told < question.partitions)
        return true;
    conclude(step, comparison);
    entry->is_deleted = true;
    return true;
}

bool comparison_hear(struct step *step, struct entry *entry, const struct kpi_delta *delta)
{
    if (!delta->comparison.data)
        return false;
    return (delta->kind == DELTA_KIND_ASKED ? hear_question : hear_answer)(step, entry, delta);
}

void comparison_timer(struct step *step, struct entry *entry)
{
    const struct kpi_task *task = step->task;
    const struct comparison *comparison = entry->state;
    struct question question;
    if (comparison->finder == task->partition)
        conclude(step, comparison);
    else if (question_read(&question, bytes_view(&comparison->question)))
        answer(step, entry_key(entry), comparison->finder, &question);
    entry->is_deleted = true;
}

/* --- checkpoints */

void comparison_save(const struct comparison *comparison, struct bytes *out)
{
    pack(out, comparison->finder);
    pack(out, comparison->told);
    pack_view(out, bytes_view(&comparison->question));
    pack_view(out, bytes_view(&comparison->answers));
}

struct comparison *comparison_load(struct view saved)
{
    struct unpacker in = {saved.data, saved.data + saved.size, false};
    struct comparison *comparison = memory_zeroed(1, sizeof *comparison);
    comparison->finder = unpack_int32(&in);
    comparison->told = (int32_t)unpack_within(&in, 0, PACKED_INDEX_MOST);
    bytes_append_view(&comparison->question, unpack_view(&in));
    bytes_append_view(&comparison->answers, unpack_view(&in));
    if (!in.is_broken && in.at == in.end)
        return comparison;
    comparison_destroy(comparison);
    return NULL;
}

void comparison_destroy(struct comparison *comparison)
{
    bytes_finish(&comparison->question);
    bytes_finish(&comparison->answers);
    free(comparison);
}
