#include "processors/kpi/alerting.h"

#include "base/utf8.h"
#include "schemas/wire.h"

#include <string.h>

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

bool alerting_is_part(const struct series_state *state)
{
    return !view_equal_text(state->dimension, "all");
}

bool alerting_is_about(const struct series_state *state, const struct text_list *sets)
{
    for (size_t i = 0; i < sets->count; i++)
        if (alerting_is_part(state) ? is_of_set(state->dimension, sets->items[i]) : strcmp(sets->items[i], "all") == 0)
            return true;
    return false;
}

struct view alerting_id(const char *rule, struct view scope, char id[UUID_TEXT_SIZE + 1])
{
    static const struct uuid space = {{0x74, 0x6f, 0x75, 0x63, 0x68, 0x50, 0x40, 0, 0x80, 0, 0x74, 0x61, 0x72, 0x67, 0x65, 0x74}};
    struct bytes name = {0};
    bytes_printf(&name, "%s %.*s", rule, VIEW_ARGUMENTS(scope));
    struct uuid uuid = uuid_version5(&space, bytes_view(&name));
    bytes_finish(&name);
    uuid_format(&uuid, id);
    return view_of(id, UUID_TEXT_SIZE);
}

struct view alerting_words(struct view dimension, char words[ALERTING_WORDS_MAX])
{
    static const char *const read_as_they_are[] = {"%2C", "%3D", "%25"};
    size_t size = 0;
    for (size_t at = 0; at < dimension.size && size < ALERTING_WORDS_MAX; at++) {
        words[size] = dimension.data[at];
        for (size_t i = 0; i < sizeof read_as_they_are / sizeof *read_as_they_are && dimension.size - at >= 3; i++) {
            if (memcmp(dimension.data + at, read_as_they_are[i], 3) != 0)
                continue;
            words[size] = ",=%"[i];
            at += 2;
            break;
        }
        size++;
    }
    return utf8_prefix(view_of(words, size), ALERTING_WORDS_MAX - 1);
}

bool alerting_is_history(const struct step *step, int64_t at_ms)
{
    const struct kpi_task *task = step->task;
    return at_ms < step->record_at_ms - task->shared->historical_after_ms;
}

void alerting_send(struct step *step, const struct alert *alert)
{
    const struct kpi_task *task = step->task;
    struct bytes *value = outbox_begin(step->outbox, KPI_OUTPUT_ALERTS, OUTBOX_BY_KEY, alert->alert_id, step->record_at_ms);
    wire_begin(value, task->shared->ids.alert);
    alert_encode(value, alert);
    outbox_end(step->outbox);
}
