/* Opens when the slowest partition has been data.lag_after (5 min) late for two fifths of that time (2 min), so that who catches up after a restart is
 * not told; a WARNING for a day (alerting.h). Over when it is less than half as late. A partition that says nothing any more is as late as its last
 * word is old: the others go on without it (sources.h), but the numbers lack what it has. After four weeks it is forgotten: a topic that was made
 * anew may have fewer. */
#include "processors/kpi/lag_watch.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/time_text.h"
#include "processors/kpi/alerting.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_text.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 300 };
static const int64_t forgotten_after_ms = DAYS(28), again_ms = HOURS(1);

static struct lag_place *place_of(struct lag_watch *watch, int32_t partition)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->places[i].partition == partition)
            return &watch->places[i];
    watch->places = GROWN(watch->places, watch->count, watch->capacity);
    struct lag_place *place = &watch->places[watch->count++];
    *place = (struct lag_place){.partition = partition, .clock_ms = INT64_MIN, .spoken_ms = INT64_MIN};
    return place;
}

static const struct lag_place *slowest(const struct lag_watch *watch, int64_t now_ms)
{
    const struct lag_place *least = NULL;
    for (size_t i = 0; i < watch->count; i++) {
        const struct lag_place *place = &watch->places[i];
        if (now_ms - place->spoken_ms < forgotten_after_ms && (!least || place->clock_ms < least->clock_ms))
            least = place;
    }
    return least;
}

static void tell(struct step *step, const struct lag_watch *watch, uint8_t level, const struct lag_place *place, int64_t late_ms)
{
    char text[TEXT_MAX], why[TEXT_MAX], late[KPI_TEXT_SIZE], at[TIME_TEXT_SIZE];
    bool is_open = watch->life.level > 0, is_off = ((const struct kpi_task *)step->task)->shared->settings->lag_after_ms == 0;
    enum alert_state told = is_open ? ALERT_STATE_OPEN : is_off ? ALERT_STATE_EXPIRED : ALERT_STATE_RESOLVED;
    kpi_text_duration(late, (double)late_ms);
    time_text_format(at, place->clock_ms);
    if (is_open)
        snprintf(text, sizeof text, "touchpoints are read %s late: KPIs lack what has come since", late);
    else
        snprintf(text, sizeof text, is_off ? "touchpoints that are read late alert no more: the settings have changed" : "touchpoints are read in time again");
    snprintf(why, sizeof why, "partition %d of touchpoints has been read up to %s: its journey process is down or has too much to do, or its clock is behind Kafka's",
             place->partition, at);
    alerting_tell_of_data(step, &watch->life, ALERT_RULE_OF_LAG, VIEW_LITERAL("all"), told, level, view_of_text(text),
                          is_open ? view_of_text(why) : (struct view){NULL, 0});
}

static uint8_t level_now(const struct step *step, struct lag_watch *watch, int64_t late_ms)
{
    const struct kpi_task *task = step->task;
    int64_t limit_ms = task->shared->settings->lag_after_ms, now_ms = step->record_at_ms;
    bool is_late = limit_ms > 0 && late_ms >= (watch->life.level ? limit_ms / 2 : limit_ms);
    if (!is_late)
        watch->late_since_ms = INT64_MAX;
    else if (now_ms < watch->late_since_ms) /* just now, or Kafka's clock was set back */
        watch->late_since_ms = now_ms;
    if (!is_late || (!watch->life.level && now_ms - watch->late_since_ms < limit_ms * 2 / 5))
        return 0;
    return alerting_level_of_data(&watch->life, now_ms, again_ms);
}

bool lag_watch_look(struct step *step, struct lag_watch *watch)
{
    const struct lag_place *last = slowest(watch, step->record_at_ms);
    int64_t behind_ms = ((const struct kpi_task *)step->task)->shared->behind_ms, late_since_ms = watch->late_since_ms;
    int64_t late_ms = last ? step->record_at_ms - last->clock_ms - behind_ms : 0;
    uint8_t before = watch->life.level, level = level_now(step, watch, late_ms);
    bool is_moved = last && alerting_move(step, &watch->life, level, step->record_at_ms, again_ms);
    if (is_moved)
        tell(step, watch, level ? level : before, last, late_ms);
    return is_moved || watch->late_since_ms != late_since_ms;
}

void lag_watch_hear(struct step *step, struct lag_watch *watch, int32_t partition, int64_t clock_ms)
{
    struct lag_place *place = place_of(watch, partition);
    place->clock_ms = clock_ms > place->clock_ms ? clock_ms : place->clock_ms;
    place->spoken_ms = step->record_at_ms;
    lag_watch_look(step, watch);
}

void lag_watch_finish(struct lag_watch *watch)
{
    free(watch->places);
    *watch = (struct lag_watch){.late_since_ms = INT64_MAX};
}

void lag_watch_save(const struct lag_watch *watch, struct bytes *out)
{
    pack(out, (int64_t)watch->count);
    for (size_t i = 0; i < watch->count; i++) {
        pack(out, watch->places[i].partition);
        pack(out, watch->places[i].clock_ms);
        pack(out, watch->places[i].spoken_ms);
    }
    pack(out, watch->late_since_ms);
    alerting_save(&watch->life, false, out);
}

void lag_watch_load(struct lag_watch *watch, struct unpacker *in)
{
    lag_watch_finish(watch);
    if (in->at == in->end)
        return;
    for (size_t left = unpack_count(in); left > 0 && !in->is_broken; left--) {
        struct lag_place *place = place_of(watch, unpack_int32(in));
        place->clock_ms = unpack_instant_or(in, INT64_MIN);
        place->spoken_ms = unpack_instant_or(in, INT64_MIN);
    }
    watch->late_since_ms = unpack_instant_or(in, INT64_MAX);
    alerting_load(&watch->life, false, in);
}
