#include "processors/kpi/alerting.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/percent_text.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "schemas/touchpoint_rules.h"
#include "schemas/wire.h"

#include <string.h>

/* --- its life --- */

/* Did it happen so long before the record that told us that nobody is to be called? */
static bool is_history(const struct step *step, int64_t at_ms)
{
    const struct kpi_task *task = step->task;
    return at_ms < step->record_at_ms - task->shared->historical_after_ms - task->shared->behind_ms;
}

/* Were it to open now, it would be the same alert once more. */
static bool is_same(const struct alert_life *life, int64_t at_ms, int64_t again_ms)
{
    return again_ms > 0 && life->revision > 0 && at_ms - life->changed_at_ms < again_ms;
}

static void open_life(struct alert_life *life, int64_t at_ms, int64_t again_ms, bool is_historical)
{
    life->is_historical = is_historical;
    if (is_same(life, at_ms, again_ms))
        return;
    life->opened_at_ms = at_ms;
    life->revision = 0;
}

bool alerting_move(struct step *step, struct alert_life *life, uint8_t level, int64_t at_ms, int64_t again_ms)
{
    return alerting_move_late(step, life, level, at_ms, 0, again_ms);
}

bool alerting_move_late(struct step *step, struct alert_life *life, uint8_t level, int64_t at_ms, int64_t late_ms, int64_t again_ms)
{
    if (!level && !life->level)
        return false;
    bool is_historical = is_history(step, at_ms + late_ms), is_news_now = level && life->is_historical && !is_historical;
    if (level == life->level && !is_news_now)
        return false;
    if (!life->level)
        open_life(life, at_ms, again_ms, is_historical);
    else if (level) /* once it was news, it stays so */
        life->is_historical &= is_historical;
    life->level = level;
    life->revision++;
    life->changed_at_ms = at_ms;
    return true;
}

void alerting_save(const struct alert_life *life, bool has_window, struct bytes *out)
{
    pack(out, life->revision);
    if (life->revision == 0)
        return;
    if (has_window)
        pack(out, life->window);
    pack(out, life->level);
    pack(out, life->is_historical);
    pack(out, life->opened_at_ms);
    pack(out, life->changed_at_ms);
}

/* A checkpoint that was written before there was this rule ends before it: then there was no alert. */
void alerting_load(struct alert_life *life, bool has_window, struct unpacker *in)
{
    life->revision = in->at == in->end ? 0 : unpack_revision(in);
    if (life->revision == 0)
        return;
    if (has_window)
        life->window = (uint8_t)unpack_within(in, 0, WINDOW_COUNT - 1);
    life->level = (uint8_t)unpack_within(in, 0, ALERT_HIGH);
    life->is_historical = unpack(in);
    life->opened_at_ms = unpack_instant(in);
    life->changed_at_ms = unpack_instant(in);
}

/* --- when it arrived --- */

int32_t alerting_newest_minute(const struct step *step)
{
    int64_t minute = step->record_at_ms / MINUTES(1) + FUTURE_MS_MAX / MINUTES(1);
    return step->record_at_ms > 0 && minute < PACKED_INDEX_MOST ? (int32_t)minute : PACKED_INDEX_MOST; /* a record without a date bounds nothing */
}

/* --- whom it is about --- */

/* Is "product=P1,channel=WEB" one of "product+channel"? */
static bool is_of_set(struct view dimension, const char *set)
{
    const char *at = dimension.data, *end = at + dimension.size;
    for (;;) {
        size_t size = strcspn(set, "+");
        bool is_named = (size_t)(end - at) > size && memcmp(at, set, size) == 0 && at[size] == '=';
        const char *comma = is_named ? memchr(at, ',', (size_t)(end - at)) : NULL;
        set += size;
        if (!is_named || (*set == '+') != (comma != NULL))
            return false;
        if (!comma)
            return true;
        at = comma + 1;
        set++;
    }
}

static bool is_part(const struct series_state *state)
{
    return !view_equal_text(state->dimension, "all");
}

bool alerting_is_about(const struct series_state *state, const struct text_list *sets)
{
    for (size_t i = 0; i < sets->count; i++)
        if (is_part(state) ? is_of_set(state->dimension, sets->items[i]) : strcmp(sets->items[i], "all") == 0)
            return true;
    return false;
}

enum severity alerting_severity(const struct series_state *state, uint8_t level)
{
    static const enum severity of_whole[] = {[ALERT_LOW] = SEVERITY_WARNING, [ALERT_HIGH] = SEVERITY_CRITICAL};
    static const enum severity of_part[] = {[ALERT_LOW] = SEVERITY_INFO, [ALERT_HIGH] = SEVERITY_WARNING};
    return (is_part(state) ? of_part : of_whole)[level];
}

/* --- what is told --- */

struct view alerting_words(struct view dimension, char words[ALERTING_WORDS_MAX])
{
    struct bytes text = {0};
    percent_decode_only(&text, dimension, ",=%");
    struct view cut = utf8_prefix(bytes_view(&text), ALERTING_WORDS_MAX - 1);
    memcpy(words, cut.data, cut.size);
    bytes_finish(&text);
    return view_of(words, cut.size);
}

static struct view id_of(struct view rule, struct view scope, char id[UUID_TEXT_SIZE + 1])
{
    static const struct uuid space = {{0x74, 0x6f, 0x75, 0x63, 0x68, 0x50, 0x40, 0, 0x80, 0, 0x74, 0x61, 0x72, 0x67, 0x65, 0x74}};
    struct bytes name = {0};
    bytes_printf(&name, "%.*s %.*s", VIEW_ARGUMENTS(rule), VIEW_ARGUMENTS(scope));
    struct uuid uuid = uuid_version5(&space, bytes_view(&name));
    bytes_finish(&name);
    uuid_format(&uuid, id);
    return view_of(id, UUID_TEXT_SIZE);
}

void alerting_tell(struct step *step, const struct alert_life *life, struct view scope, struct alert *alert, struct view why)
{
    const struct kpi_task *task = step->task;
    char id[UUID_TEXT_SIZE + 1];
    struct alert_reason reason = {.code = alert->rule, .points = alert->score, .text = why};
    alert->alert_id = id_of(alert->rule, scope, id);
    alert->revision = life->revision;
    alert->opened_at_ms = life->opened_at_ms;
    alert->changed_at_ms = life->changed_at_ms;
    alert->historical = life->is_historical;
    alert->reasons.items = &reason;
    alert->reasons.count = why.data != NULL;
    struct bytes *value = outbox_begin(step->outbox, KPI_OUTPUT_ALERTS, OUTBOX_BY_KEY, alert->alert_id, step->record_at_ms);
    wire_begin(value, task->shared->ids.alert);
    alert_encode(value, alert);
    outbox_end(step->outbox);
}

/* --- about the data */

uint8_t alerting_level_of_data(const struct alert_life *life, int64_t at_ms, int64_t again_ms)
{
    bool goes_on = life->level || is_same(life, at_ms, again_ms);
    return goes_on && at_ms - life->opened_at_ms >= DATA_GRAVE_MS ? ALERT_LOW : ALERT_HIGH;
}

struct view alerting_source_of(struct view key, const char *prefix)
{
    size_t size = key.size - strlen(prefix);
    char *dimension = memory_allocate(size);
    memcpy(dimension, key.data + strlen(prefix), size);
    return view_of(dimension, size);
}

void alerting_tell_of_data(struct step *step, const struct alert_life *life, const char *rule, struct view dimension, enum alert_state told, uint8_t level,
                             struct view text, struct view why)
{
    struct kpi_task *task = step->task;
    bytes_clear(&task->scratch);
    bytes_printf(&task->scratch, "%.*s %lld", VIEW_ARGUMENTS(dimension), (long long)life->opened_at_ms);
    struct alert alert = {.rule = view_of_text(rule),
                          .kind = ALERT_KIND_DATA_QUALITY,
                          .severity = level == ALERT_HIGH ? SEVERITY_WARNING : SEVERITY_INFO,
                          .state = told,
                          .dimension = dimension,
                          .text = text};
    alerting_tell(step, life, bytes_view(&task->scratch), &alert, why);
}
