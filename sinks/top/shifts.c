#include "sinks/top/shifts.h"

#include "base/time_text.h"
#include "schemas/alert_rules.h"
#include "schemas/kpi_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED = 300 };

struct shift_shown {
    struct view kpi, dimension, resolution, kind, direction, good;
    int64_t onset_ms, detected_ms;
    double before, after;
};

static struct shift_shown read_shift(const struct redis_answer *entry, struct arena *arena)
{
    return (struct shift_shown){
        .kpi = redis_answer_field(entry, "kpi"),
        .dimension = redis_answer_field(entry, "dimension"),
        .resolution = redis_answer_field(entry, "resolution"),
        .kind = redis_answer_field(entry, "kind"),
        .direction = redis_answer_field(entry, "direction"),
        .good = redis_answer_field(entry, "good"),
        .onset_ms = atoll(arena_text(arena, redis_answer_field(entry, "onset_at"))),
        .detected_ms = atoll(arena_text(arena, redis_answer_field(entry, "detected_at"))),
        .before = strtod(arena_text(arena, redis_answer_field(entry, "before")), NULL),
        .after = strtod(arena_text(arena, redis_answer_field(entry, "after")), NULL),
    };
}

/* --- which of them stand: as the page has it (sinks/dashboard/web/shift.js) */

static bool is_of_spread(const struct shift_shown *shift)
{
    return view_equal_text(shift->kind, "VARIANCE");
}

static bool is_spike(const struct shift_shown *shift)
{
    return view_equal_text(shift->kind, "SPIKE");
}

/* Another shift of the series took its place. */
static bool is_overtaken(const struct shift_shown *shift, const struct shift_shown others[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct shift_shown *other = &others[i];
        if (other->onset_ms > shift->onset_ms && !is_spike(other) && is_of_spread(other) == is_of_spread(shift) && view_equal(other->kpi, shift->kpi) &&
            view_equal(other->dimension, shift->dimension) && view_equal(other->resolution, shift->resolution))
            return true;
    }
    return false;
}

/* A stage's are those of its channels and products, once more. */
static bool is_of_stage(const struct shift_shown *shift)
{
    return shift->dimension.size > 6 && memcmp(shift->dimension.data, "stage=", 6) == 0;
}

static bool stands(const struct shift_shown *shift, const struct shift_shown others[], size_t count, int64_t now_ms)
{
    int64_t usual_after_ms = shift_usual_after_ms(view_equal_text(shift->resolution, "DAY") ? RESOLUTION_DAY : RESOLUTION_HOUR);
    return !is_spike(shift) && !is_of_stage(shift) && now_ms - shift->detected_ms < usual_after_ms && !is_overtaken(shift, others, count);
}

/* --- in words */

static const char *a_bucket(struct view resolution)
{
    return view_equal_text(resolution, "MINUTE") ? "a minute" : view_equal_text(resolution, "DAY") ? "a day" : "an hour";
}

/* Only a level's two numbers are values of the KPI ("0.946" of on_time_delivery is "94.6 %"); a variance's are how far its buckets
 * stray, a trend's are slopes. */
static void say_shift(char text[128], const struct shift_shown *shift, enum kpi_kind kpi)
{
    double before = shift->before, after = shift->after;
    const char *bucket = a_bucket(shift->resolution);
    char was[KPI_TEXT_SIZE], is[KPI_TEXT_SIZE];
    kpi_text_distance(was, kpi, before);
    kpi_text_distance(is, kpi, after);
    if (is_of_spread(shift)) {
        snprintf(text, 128, "varies by +-%s %s, was +-%s", is, bucket, was);
    } else if (view_equal_text(shift->kind, "TREND")) {
        snprintf(text, 128, "%s %s %s, %s %s before", after < 0 ? "falls" : "rises", is, bucket, before < 0 ? "fell" : "rose", was);
    } else {
        kpi_text_value(was, kpi, before);
        kpi_text_value(is, kpi, after);
        snprintf(text, 128, "%s -> %s", was, is);
    }
}

static void add_shift(struct frame *frame, const struct shift_shown *shift)
{
    enum kpi_id id;
    char saying[128], since[TIME_TEXT_SIZE];
    say_shift(saying, shift, kpi_from_name(shift->kpi, &id) ? kpi_names[id].kind : KPI_KIND_MEAN);
    time_text_format(since, shift->onset_ms);
    enum tone tone = view_equal_text(shift->good, "false") ? TONE_BAD : view_equal_text(shift->good, "true") ? TONE_GOOD : TONE_PLAIN;
    frame_add_line(frame, tone, "%-4.*s %-9.*s %.*s (%.*s): %s since %.10s %.5s UTC", VIEW_ARGUMENTS(shift->direction), VIEW_ARGUMENTS(shift->kind),
                   VIEW_ARGUMENTS(shift->kpi), VIEW_ARGUMENTS(shift->dimension), saying, since, since + 11);
}

enum outcome frame_add_shifts(struct frame *frame, struct redis_link *link, const struct frame_wish *wish, int most, struct arena *arena)
{
    struct resp commands = {0};
    resp_command(&commands, 6, "XREVRANGE");
    resp_key(&commands, wish->prefix, "shifts", (struct view){NULL, 0});
    resp_text(&commands, "+");
    resp_text(&commands, "-");
    resp_text(&commands, "COUNT");
    resp_integer(&commands, ASKED);
    struct redis_answer *entries = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &entries);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK || entries->count == 0)
        return outcome;
    struct shift_shown *shifts = arena_alloc(arena, entries->count * sizeof *shifts);
    for (size_t i = 0; i < entries->count; i++)
        shifts[i] = read_shift(&entries->items[i].items[1], arena);
    int shown = 0;
    for (size_t i = 0; i < entries->count && shown < most; i++) {
        if (!stands(&shifts[i], shifts, entries->count, wish->now_ms))
            continue;
        if (shown++ == 0) {
            frame_add_line(frame, TONE_PLAIN, " ");
            frame_add_line(frame, TONE_TITLE, "trend shifts that stand");
        }
        add_shift(frame, &shifts[i]);
    }
    return OUTCOME_OK;
}
