#include "sinks/notify/inhibition.h"

#include "base/memory.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_names.h"
#include "sinks/notify/receivers.h"

#include <stdlib.h>

enum { INHIBITORS_MAX = 10000 };

struct inhibitor {
    struct subject subject; /* not of a KPI: of the data */
    int32_t revision;       /* the newest seen */
    int64_t from_ms, until_ms;
};

struct subject subject_of(const struct alert *alert)
{
    enum kpi_id kpi;
    bool is_kpi = alert->kind == ALERT_KIND_KPI_THRESHOLD || alert->kind == ALERT_KIND_TREND_SHIFT || alert->kind == ALERT_KIND_SLA_BURN;
    if (!is_kpi)
        return (struct subject){.kpi = -1};
    return (struct subject){.is_kpi = true,
                            .is_part = alert->dimension.size > 0 && !view_equal_text(alert->dimension, "all"),
                            .kind = alert->kind,
                            .kpi = kpi_from_name(alert->kpi, &kpi) ? (int)kpi : -1};
}

void inhibition_finish(struct inhibition *inhibition)
{
    map_finish(&inhibition->inhibitors, free);
}

/* Bounded; what is over matters to nobody but who was away meanwhile. */
static void drop_ended(struct map *inhibitors)
{
    struct map open = {0};
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(inhibitors, &at));) {
        struct inhibitor *inhibitor = slot->value;
        if (inhibitor->until_ms == INT64_MAX)
            *map_place(&open, view_of(slot->key, slot->key_size)) = inhibitor;
        else
            free(inhibitor);
    }
    map_finish(inhibitors, NULL);
    *inhibitors = open;
}

bool inhibition_takes(struct inhibition *inhibition, const struct alert *alert)
{
    struct subject subject = subject_of(alert);
    bool is_whole = subject.is_kpi && !subject.is_part && subject.kpi >= 0, is_data = alert->kind == ALERT_KIND_DATA_QUALITY;
    if (!is_whole && !is_data)
        return false;
    bool inhibits = !alert_is_over(alert->state) && !alert->historical && (is_whole || alert->severity >= SEVERITY_WARNING);
    struct inhibitor *inhibitor = map_find(&inhibition->inhibitors, alert->alert_id);
    if (inhibitor ? alert->revision <= inhibitor->revision : !inhibits)
        return false;
    if (!inhibitor) {
        if (inhibition->inhibitors.count >= INHIBITORS_MAX)
            drop_ended(&inhibition->inhibitors);
        inhibitor = memory_zeroed(1, sizeof *inhibitor);
        inhibitor->subject = subject;
        *map_place(&inhibition->inhibitors, alert->alert_id) = inhibitor;
    }
    bool did = inhibitor->until_ms == INT64_MAX;
    inhibitor->revision = alert->revision;
    if (inhibits && !did) {
        inhibitor->from_ms = alert->changed_at_ms;
        inhibitor->until_ms = INT64_MAX;
    } else if (!inhibits && did) {
        inhibitor->until_ms = alert->changed_at_ms;
    }
    return inhibits != did;
}

static bool concerns(const struct inhibitor *inhibitor, const struct subject *subject)
{
    return !inhibitor->subject.is_kpi ||
           (subject->is_part && subject->kind == inhibitor->subject.kind && subject->kpi == inhibitor->subject.kpi);
}

int64_t inhibition_end_ms(const struct inhibition *inhibition, const struct subject *subject, int64_t at_ms)
{
    for (bool has_moved = subject->is_kpi; has_moved;) { /* one may end within another */
        has_moved = false;
        size_t at = 0;
        for (const struct map_slot *slot; (slot = map_next(&inhibition->inhibitors, &at));) {
            const struct inhibitor *inhibitor = slot->value;
            if (!concerns(inhibitor, subject) || at_ms < inhibitor->from_ms || at_ms >= inhibitor->until_ms)
                continue;
            at_ms = inhibitor->until_ms;
            has_moved = true;
        }
    }
    return at_ms;
}
