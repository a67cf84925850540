#include "sinks/top/frame.h"

#include "base/utf8.h"
#include "schemas/json_scan.h"
#include "schemas/kpi_text.h"
#include "sinks/redis/open_alerts.h"
#include "sinks/redis/stored_kpi.h"
#include "sinks/top/shifts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CASES_SHOWN = 12, CASES_LEAST = 3, SHIFTS_SHOWN = 5, SHIFTS_LEAST = 2, OFF_TARGET_SHOWN = 6, OFF_TARGET_LEAST = 2 };

/* What a small window shows: the tiles of the page's first view. */
static const enum kpi_id essentials[] = {
    KPI_NPS, KPI_CSAT, KPI_CES, KPI_REVIEW_STARS, KPI_SENTIMENT, KPI_FIRST_RESPONSE_TIME, KPI_RESOLUTION_TIME, KPI_BACKLOG,
    KPI_HOT_OPEN, KPI_RESPONSE_24H, KPI_SLA_FIRST_RESPONSE, KPI_FCR, KPI_ON_TIME_DELIVERY, KPI_RETURN_RATE,
    KPI_ACTIVE_CUSTOMERS, KPI_CHURN_RATE, KPI_SURVEY_COMPLETION, KPI_HANDOFF_WAIT, KPI_LOOP_CONTACT_24H,
};
enum { ESSENTIAL_COUNT = sizeof essentials / sizeof *essentials };
static const struct view NOTHING = {NULL, 0};

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

void frame_add_line(struct frame *frame, enum tone tone, const char *format, ...)
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

static void format_value(char text[KPI_TEXT_SIZE], enum kpi_kind kind, bool has, double value)
{
    if (has)
        kpi_text_value(text, kind, value);
    else
        snprintf(text, KPI_TEXT_SIZE, "-");
}

static void add_kpi(struct frame *frame, enum kpi_id id, struct view json)
{
    enum kpi_kind kind = kpi_names[id].kind;
    double value = 0, low = 0, high = 0, target = 0, previous = 0, n = 0;
    char value_text[32], range[72] = "", target_text[32] = "", previous_text[32] = "", low_text[32], high_text[32];
    bool has_value = stored_kpi_number(json, "value", &value);
    format_value(value_text, kind, has_value, value);
    if (stored_kpi_number(json, "low", &low) && stored_kpi_number(json, "high", &high)) {
        format_value(low_text, kind, true, low);
        format_value(high_text, kind, true, high);
        snprintf(range, sizeof range, "%s to %s", low_text, high_text);
    }
    if (stored_kpi_number(json, "target", &target))
        format_value(target_text, kind, true, target);
    if (stored_kpi_number(json, "previous", &previous))
        format_value(previous_text, kind, true, previous);
    stored_kpi_number(json, "n", &n);
    frame_add_line(frame, TONE_PLAIN, "%-26s %12s  %-24s %12s %12s %10.0f", kpi_names[id].name, value_text, range, target_text,
                   previous_text, n);
}

static void choose_kpis(bool chosen[KPI_COUNT_OF_ALL], const struct redis_answer *answers, int most)
{
    int count = 0;
    for (int i = 0; i < ESSENTIAL_COUNT + KPI_COUNT_OF_ALL && count < most; i++) {
        int id = i < ESSENTIAL_COUNT ? (int)essentials[i] : i - ESSENTIAL_COUNT;
        count += !chosen[id] && answers[id].kind == REDIS_TEXT;
        chosen[id] = true;
    }
}

static enum outcome add_kpis(struct frame *frame, struct redis_link *link, const struct frame_wish *wish, int most,
                             struct arena *arena)
{
    struct resp commands = {0};
    bool chosen[KPI_COUNT_OF_ALL] = {false};
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++) {
        char place[96];
        snprintf(place, sizeof place, "%s:%s", kpi_names[id].name, wish->window);
        resp_command(&commands, 3, "HGET");
        resp_key(&commands, wish->prefix, "kpi", view_of_text(place));
        resp_text(&commands, "all");
    }
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &answers);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    frame_add_line(frame, TONE_TITLE, "%-26s %12s  %-24s %12s %12s %10s", "KPI", "value", "95 %", "target", "before", "n");
    choose_kpis(chosen, answers, most);
    for (int id = 0; id < KPI_COUNT_OF_ALL; id++) {
        if (chosen[id] && answers[id].kind == REDIS_TEXT)
            add_kpi(frame, (enum kpi_id)id, answers[id].text);
    }
    return OUTCOME_OK;
}

/* --- open alerts ------------------------------------------------------------------------------------------------- */

static enum outcome ask_counts(struct open_alert_counts *counts, struct redis_link *link, const struct frame_wish *wish, struct arena *arena)
{
    struct resp commands = {0};
    struct redis_answer *answers = NULL;
    open_alerts_ask_counts(&commands, wish->prefix);
    enum outcome outcome = redis_link_send(link, &commands, arena, &answers);
    resp_finish(&commands);
    if (outcome == OUTCOME_OK)
        open_alerts_read_counts(counts, answers);
    return outcome;
}

/* How many of each severity, and of each kind while the line has room: "3 CRITICAL, 12 WARNING  (12 ABSENCE, 3 DEVICE)". */
static void add_counts(struct frame *frame, const struct open_alert_counts *counts)
{
    char line[FRAME_WIDTH_MAX] = "";
    int64_t of_severity[SEVERITY_COUNT] = {0};
    size_t size = 0;
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        for (int severity = 0; severity < SEVERITY_COUNT; severity++)
            of_severity[severity] += counts->of[kind][severity];
    }
    for (int severity = SEVERITY_COUNT; severity-- > 0;) {
        if (of_severity[severity])
            size += (size_t)snprintf(line + size, sizeof line - size, "%s%" PRId64 " %s", size ? ", " : "", of_severity[severity], severity_name((enum severity)severity));
    }
    if (size == 0)
        return;
    const char *between = "  (";
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        const int64_t *of = counts->of[kind];
        int64_t count = of[SEVERITY_INFO] + of[SEVERITY_WARNING] + of[SEVERITY_CRITICAL];
        if (count == 0 || size + 40 > sizeof line)
            continue;
        size += (size_t)snprintf(line + size, sizeof line - size, "%s%" PRId64 " %s", between, count, alert_kind_name((enum alert_kind)kind));
        between = ", ";
    }
    frame_add_line(frame, of_severity[SEVERITY_CRITICAL] ? TONE_BAD : TONE_PLAIN, "open alerts: %s)", line);
}

/* --- what is off its target -------------------------------------------------------------------------------------- */

/* `severity` and `text` of an alert's JSON; what it does not have stays null. */
static void alert_read(struct view json, struct arena *arena, struct view *severity, struct view *text)
{
    struct json_scan scan;
    struct view key;
    bool more = true;
    json_scan_init(&scan, json, JSON_RECORD_DEPTH_MAX);
    *severity = *text = NOTHING;
    if (!json_scan_open(&scan, '{'))
        return;
    for (bool is_first = true; json_scan_member(&scan, arena, is_first, &key, &more) && more; is_first = false) {
        struct view *wanted = view_equal_text(key, "severity") ? severity : view_equal_text(key, "text") ? text : NULL;
        if (wanted ? !json_scan_string(&scan, arena, wanted) : !json_scan_skip(&scan, NULL))
            return;
    }
}

static void add_off_target_line(struct frame *frame, struct view json, struct arena *arena)
{
    struct view severity, text;
    alert_read(json, arena, &severity, &text);
    if (text.size == 0)
        return; /* it ended between two questions */
    frame_add_line(frame, view_equal_text(severity, "INFO") ? TONE_PLAIN : TONE_BAD, "%-9.*s %.*s", VIEW_ARGUMENTS(severity), VIEW_ARGUMENTS(text));
}

struct off_target {
    int64_t count; /* in all */
    const struct redis_answer *alerts; /* the gravest; NULL: none */
};

static enum outcome ask_off_target(struct off_target *off_target, struct redis_link *link, const struct frame_wish *wish, int most, struct arena *arena)
{
    struct resp commands = {0};
    resp_command(&commands, 2, "ZCARD");
    resp_key(&commands, wish->prefix, "off_target", NOTHING);
    resp_command(&commands, 4, "ZREVRANGE");
    resp_key(&commands, wish->prefix, "off_target", NOTHING);
    resp_text(&commands, "0");
    resp_integer(&commands, most - 1);
    struct redis_answer *ranked = NULL, *alerts = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &ranked);
    size_t count = outcome == OUTCOME_OK ? ranked[1].count : 0;
    resp_clear(&commands);
    if (count > 0) {
        resp_command(&commands, 2 + count, "HMGET");
        resp_key(&commands, wish->prefix, "off_target:alerts", NOTHING);
        for (size_t i = 0; i < count; i++)
            resp_view(&commands, ranked[1].items[i].text);
        outcome = redis_link_send(link, &commands, arena, &alerts);
        *off_target = (struct off_target){ranked[0].integer, alerts};
    }
    resp_finish(&commands);
    return outcome;
}

/* Nothing at all where nothing is: most have their KPIs where they want them. */
static void add_off_target(struct frame *frame, const struct off_target *off_target, struct arena *arena)
{
    if (off_target->alerts == NULL)
        return;
    frame_add_line(frame, TONE_PLAIN, " ");
    if (off_target->count > (int64_t)off_target->alerts->count)
        frame_add_line(frame, TONE_TITLE, "off target, the gravest %zu of %" PRId64, off_target->alerts->count, off_target->count);
    else
        frame_add_line(frame, TONE_TITLE, "off target");
    for (size_t i = 0; i < off_target->alerts->count; i++)
        add_off_target_line(frame, off_target->alerts->items[i].text, arena);
}

/* --- cases ----------------------------------------------------------------------------------------------------- */

static void add_case(struct frame *frame, const struct redis_answer *hash, struct view score, struct arena *arena,
                     int64_t now_ms)
{
    char due_text[48] = "";
    struct view due = redis_answer_field(hash, "due_at");
    int64_t left_ms = due.size ? atoll(arena_text(arena, due)) - now_ms : 0;
    if (due.size) {
        char length[32];
        kpi_text_duration(length, fabs((double)left_ms));
        snprintf(due_text, sizeof due_text, left_ms < 0 ? "%s late" : "in %s", length);
    }
    struct view customer = redis_answer_field(hash, "customer"), state = redis_answer_field(hash, "state"), text = redis_answer_field(hash, "text");
    frame_add_line(frame, due.size && left_ms < 0 ? TONE_BAD : TONE_PLAIN, "%5.0f  %-20.*s %-16.*s %-14s %.*s",
                   strtod(arena_text(arena, score), NULL), VIEW_ARGUMENTS(customer), VIEW_ARGUMENTS(state), due_text,
                   VIEW_ARGUMENTS(text));
}

static enum outcome add_cases(struct frame *frame, struct redis_link *link, const struct frame_wish *wish, int most,
                              struct arena *arena)
{
    struct resp commands = {0};
    resp_command(&commands, 5, "ZREVRANGE");
    resp_key(&commands, wish->prefix, "hot", NOTHING);
    resp_text(&commands, "0");
    resp_integer(&commands, most - 1);
    resp_text(&commands, "WITHSCORES");
    struct redis_answer *ranked = NULL, *cases = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &ranked);
    resp_clear(&commands);
    for (size_t i = 0; outcome == OUTCOME_OK && i + 1 < ranked->count; i += 2) {
        resp_command(&commands, 2, "HGETALL");
        resp_key(&commands, wish->prefix, "case", ranked->items[i].text);
    }
    if (outcome == OUTCOME_OK)
        outcome = redis_link_send(link, &commands, arena, &cases);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    frame_add_line(frame, TONE_PLAIN, " ");
    frame_add_line(frame, TONE_TITLE, "%5s  %-20s %-16s %-14s %s", "score", "customer", "state", "due", "hot tickets");
    for (size_t i = 0; i + 1 < ranked->count; i += 2)
        add_case(frame, &cases[i / 2], ranked->items[i + 1].text, arena, wish->now_ms);
    if (ranked->count == 0)
        frame_add_line(frame, TONE_QUIET, "       nobody is waiting for us");
    return OUTCOME_OK;
}

static int between(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

enum outcome frame_fill(struct frame *frame, struct redis_link *link, const struct frame_wish *wish, struct arena *arena)
{
    bool is_bounded = wish->rows > 0;
    int cases = is_bounded ? between(wish->rows / 4, CASES_LEAST, CASES_SHOWN) : CASES_SHOWN;
    int shifts = is_bounded ? between(wish->rows / 8, SHIFTS_LEAST, SHIFTS_SHOWN) : SHIFTS_SHOWN;
    int off_targets = is_bounded ? between(wish->rows / 8, OFF_TARGET_LEAST, OFF_TARGET_SHOWN) : OFF_TARGET_SHOWN;
    struct off_target off_target = {0};
    struct open_alert_counts counts = {0};
    enum outcome outcome = ask_off_target(&off_target, link, wish, off_targets, arena);
    if (outcome == OUTCOME_OK)
        outcome = ask_counts(&counts, link, wish, arena);
    int missed = off_target.alerts ? (int)off_target.alerts->count + 2 : 0;
    int titles = 7; /* of the frame, the open alerts, and of three parts with two lines between them */
    int kpis = is_bounded ? between(wish->rows - cases - missed - shifts - titles, 1, KPI_COUNT_OF_ALL) : KPI_COUNT_OF_ALL;
    frame->count = 0;
    frame_add_line(frame, TONE_TITLE, "touchstream, last %s", wish->window);
    add_counts(frame, &counts);
    if (outcome == OUTCOME_OK)
        outcome = add_kpis(frame, link, wish, kpis, arena);
    if (outcome == OUTCOME_OK)
        outcome = add_cases(frame, link, wish, cases, arena);
    if (outcome == OUTCOME_OK)
        add_off_target(frame, &off_target, arena);
    if (outcome == OUTCOME_OK)
        outcome = frame_add_shifts(frame, link, wish, shifts, arena);
    if (outcome != OUTCOME_OK)
        frame_add_line(frame, TONE_BAD, "redis is away, trying again");
    return outcome;
}
