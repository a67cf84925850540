#include "sinks/top/frame.h"

#include "base/utf8.h"
#include "schemas/kpi_names.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CASES_SHOWN = 12, SHIFTS_SHOWN = 5 };
static const struct view NOTHING = {NULL, 0};

static void add_line(struct frame *frame, enum tone tone, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Texts come from customers: nothing that steers a terminal may reach it. */
static void make_harmless(char *text)
{
    struct view all = view_of_text(text);
    for (size_t at = 0; at < all.size;) {
        size_t begin = at;
        uint32_t c = utf8_next(all, &at);
        bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || c == 0xfffd;
        for (size_t i = begin; is_control && i < at; i++)
            text[i] = ' ';
    }
}

static void add_line(struct frame *frame, enum tone tone, const char *format, ...)
{
    if (frame->count == FRAME_LINES_MAX)
        return;
    struct frame_line *line = &frame->lines[frame->count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->text, sizeof line->text, format, arguments);
    va_end(arguments);
    size_t whole = utf8_prefix(view_of(line->text, strlen(line->text)), sizeof line->text - 4).size;
    line->text[whole] = '\0';
    make_harmless(line->text);
    line->tone = tone;
}

/* --- KPIs -------------------------------------------------------------------------------------------------------- */

static bool number_of(struct view json, const char *key, double *value)
{
    char wanted[64];
    int size = snprintf(wanted, sizeof wanted, "\"%s\":", key);
    const char *at = memmem(json.data, json.size, wanted, (size_t)size);
    if (at == NULL || at[size] == 'n')
        return false;
    *value = strtod(at + size, NULL);
    return true;
}

static void format_duration(char text[32], double ms)
{
    if (fabs(ms) >= 86400000)
        snprintf(text, 32, "%.1f d", ms / 86400000);
    else if (fabs(ms) >= 3600000)
        snprintf(text, 32, "%.1f h", ms / 3600000);
    else if (fabs(ms) >= 60000)
        snprintf(text, 32, "%.1f min", ms / 60000);
    else
        snprintf(text, 32, "%.1f s", ms / 1000);
}

static void format_value(char text[32], enum kpi_kind kind, bool has, double value)
{
    if (!has)
        snprintf(text, 32, "-");
    else if (kind == KPI_KIND_RATE || kind == KPI_KIND_CHURN || kind == KPI_KIND_SHARE)
        snprintf(text, 32, "%.1f %%", 100 * value);
    else if (kind == KPI_KIND_UPLIFT)
        snprintf(text, 32, "%+.1f pp", 100 * value);
    else if (kind == KPI_KIND_DURATION)
        format_duration(text, value);
    else if (kind == KPI_KIND_MEAN)
        snprintf(text, 32, "%.2f", value);
    else
        snprintf(text, 32, "%.0f", value);
}

static void add_kpi(struct frame *frame, enum kpi_id id, struct view json)
{
    enum kpi_kind kind = kpi_names[id].kind;
    double value = 0, low = 0, high = 0, target = 0, previous = 0, n = 0;
    char value_text[32], range[72] = "", target_text[32] = "", previous_text[32] = "", low_text[32], high_text[32];
    bool has_value = number_of(json, "value", &value);
    format_value(value_text, kind, has_value, value);
    if (number_of(json, "low", &low) && number_of(json, "high", &high)) {
        format_value(low_text, kind, true, low);
        format_value(high_text, kind, true, high);
        snprintf(range, sizeof range, "%s to %s", low_text, high_text);
    }
    if (number_of(json, "target", &target))
        format_value(target_text, kind, true, target);
    if (number_of(json, "previous", &previous))
        format_value(previous_text, kind, true, previous);
    number_of(json, "n", &n);
    add_line(frame, TONE_PLAIN, "%-26s %12s  %-24s %12s %12s %10.0f", kpi_names[id].name, value_text, range, target_text,
             previous_text, n);
}

static enum outcome add_kpis(struct frame *frame, struct redis_link *link, const char *prefix, const char *window,
                             struct arena *arena)
{
    struct resp commands = {0};
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++) {
        char place[96];
        snprintf(place, sizeof place, "%s:%s", kpi_names[id].name, window);
        resp_command(&commands, 3, "HGET");
        resp_key(&commands, prefix, "kpi", view_of_text(place));
        resp_text(&commands, "all");
    }
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &answers);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    add_line(frame, TONE_TITLE, "%-26s %12s  %-24s %12s %12s %10s", "KPI", "value", "95 %", "target", "before", "n");
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++) {
        if (answers[id].kind == REDIS_TEXT)
            add_kpi(frame, (enum kpi_id)id, answers[id].text);
    }
    return OUTCOME_OK;
}

/* --- cases and shifts -------------------------------------------------------------------------------------------- */

static struct view field_of(const struct redis_answer *hash, const char *name)
{
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        if (view_equal_text(hash->items[i].text, name))
            return hash->items[i + 1].text;
    }
    return NOTHING;
}

static void add_case(struct frame *frame, const struct redis_answer *hash, struct view score, struct arena *arena,
                     int64_t now_ms)
{
    char due_text[48] = "";
    struct view due = field_of(hash, "due_at");
    int64_t left_ms = due.size ? atoll(arena_text(arena, due)) - now_ms : 0;
    if (due.size) {
        char length[32];
        format_duration(length, fabs((double)left_ms));
        snprintf(due_text, sizeof due_text, left_ms < 0 ? "%s late" : "in %s", length);
    }
    struct view customer = field_of(hash, "customer"), state = field_of(hash, "state"), text = field_of(hash, "text");
    add_line(frame, due.size && left_ms < 0 ? TONE_BAD : TONE_PLAIN, "%5.0f  %-20.*s %-16.*s %-14s %.*s",
             strtod(arena_text(arena, score), NULL), VIEW_ARGUMENTS(customer), VIEW_ARGUMENTS(state), due_text,
             VIEW_ARGUMENTS(text));
}

static enum outcome add_cases(struct frame *frame, struct redis_link *link, const char *prefix, struct arena *arena,
                              int64_t now_ms)
{
    struct resp commands = {0};
    resp_command(&commands, 5, "ZREVRANGE");
    resp_key(&commands, prefix, "hot", NOTHING);
    resp_text(&commands, "0");
    resp_integer(&commands, CASES_SHOWN - 1);
    resp_text(&commands, "WITHSCORES");
    struct redis_answer *ranked = NULL, *cases = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &ranked);
    resp_clear(&commands);
    for (size_t i = 0; outcome == OUTCOME_OK && i + 1 < ranked->count; i += 2) {
        resp_command(&commands, 2, "HGETALL");
        resp_key(&commands, prefix, "case", ranked->items[i].text);
    }
    if (outcome == OUTCOME_OK)
        outcome = redis_link_send(link, &commands, arena, &cases);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    add_line(frame, TONE_PLAIN, " ");
    add_line(frame, TONE_TITLE, "%5s  %-20s %-16s %-14s %s", "score", "customer", "state", "due", "hot tickets");
    for (size_t i = 0; i + 1 < ranked->count; i += 2)
        add_case(frame, &cases[i / 2], ranked->items[i + 1].text, arena, now_ms);
    if (ranked->count == 0)
        add_line(frame, TONE_QUIET, "       nobody is waiting for us");
    return OUTCOME_OK;
}

static enum outcome add_shifts(struct frame *frame, struct redis_link *link, const char *prefix, struct arena *arena)
{
    struct resp commands = {0};
    resp_command(&commands, 6, "XREVRANGE");
    resp_key(&commands, prefix, "shifts", NOTHING);
    resp_text(&commands, "+");
    resp_text(&commands, "-");
    resp_text(&commands, "COUNT");
    resp_integer(&commands, SHIFTS_SHOWN);
    struct redis_answer *entries = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &entries);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK || entries->count == 0)
        return outcome;
    add_line(frame, TONE_PLAIN, " ");
    add_line(frame, TONE_TITLE, "trend shifts");
    for (size_t i = 0; i < entries->count; i++) {
        const struct redis_answer *entry = &entries->items[i].items[1];
        add_line(frame, TONE_PLAIN, "%-4.*s %-9.*s %.*s (%.*s): %.*s -> %.*s", VIEW_ARGUMENTS(field_of(entry, "direction")),
                 VIEW_ARGUMENTS(field_of(entry, "kind")), VIEW_ARGUMENTS(field_of(entry, "kpi")),
                 VIEW_ARGUMENTS(field_of(entry, "dimension")), VIEW_ARGUMENTS(field_of(entry, "before")),
                 VIEW_ARGUMENTS(field_of(entry, "after")));
    }
    return OUTCOME_OK;
}

enum outcome frame_fill(struct frame *frame, struct redis_link *link, const char *prefix, const char *window,
                        struct arena *arena, int64_t now_ms)
{
    frame->count = 0;
    add_line(frame, TONE_TITLE, "touchstream, last %s", window);
    enum outcome outcome = add_kpis(frame, link, prefix, window, arena);
    if (outcome == OUTCOME_OK)
        outcome = add_cases(frame, link, prefix, arena, now_ms);
    if (outcome == OUTCOME_OK)
        outcome = add_shifts(frame, link, prefix, arena);
    if (outcome != OUTCOME_OK)
        add_line(frame, TONE_BAD, "redis is away, trying again");
    return outcome;
}
