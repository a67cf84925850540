#include "base/clock.h"
#include "base/json_writer.h"
#include "schemas/alert_rules.h"
#include "schemas/json_form.h"
#include "sinks/redis/projection.h"

#include <ctype.h>

#define CASES_KEPT_MS DAYS(90)

static struct view state_text(enum alert_state state, struct arena *arena)
{
    char *lower = (char *)arena_text(arena, view_of_text(alert_state_name(state)));
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return view_of_text(lower);
}

/* Is somebody still to act on the case now? Only then it stands in ts:hot (READINGS 46). */
static bool is_waiting_for_us(enum alert_state state)
{
    return state == ALERT_STATE_OPEN || state == ALERT_STATE_ACKNOWLEDGED || state == ALERT_STATE_IN_PROGRESS ||
           state == ALERT_STATE_WAITING_CUSTOMER;
}

static struct view reasons_json(struct projection *projection, const struct alert *alert)
{
    bytes_clear(&projection->scratch);
    struct json_writer json = json_writer_on(&projection->scratch);
    json_open_array(&json);
    for (size_t i = 0; i < alert->reasons.count; i++) {
        const struct alert_reason *reason = &alert->reasons.items[i];
        char event_id[UUID_TEXT_SIZE + 1];
        uuid_format(&reason->event_id, event_id);
        json_open_object(&json);
        json_key(&json, "code");
        json_write_text(&json, reason->code);
        json_key(&json, "points");
        json_write_decimal(&json, reason->points);
        json_key(&json, "event_id");
        json_write_text(&json, reason->has_event_id ? view_of_text(event_id) : (struct view){NULL, 0});
        json_key(&json, "text");
        json_write_text(&json, reason->text);
        json_close_object(&json);
    }
    json_close_array(&json);
    return arena_copy(projection->arena, bytes_view(&projection->scratch));
}

static void project_case(struct projection *projection, const struct alert *alert)
{
    struct resp *commands = &projection->commands;
    resp_command(commands, 2 + 2 * 16, "HSET");
    resp_key(commands, projection->prefix, "case", alert->case_id);
    resp_field(commands, "customer", alert->customer_id);
    resp_field(commands, "ticket", alert->ticket_id);
    resp_field(commands, "kind", view_of_text(alert_kind_name(alert->kind)));
    resp_field(commands, "rule", alert->rule);
    resp_field(commands, "severity", view_of_text(severity_name(alert->severity)));
    resp_field(commands, "state", state_text(alert->state, projection->arena));
    resp_text(commands, "score");
    resp_decimal(commands, alert->score);
    resp_field(commands, "reasons", reasons_json(projection, alert));
    resp_field(commands, "text", alert->text);
    resp_field(commands, "owner", alert->owner);
    resp_field(commands, "actor", alert->actor);
    resp_text(commands, "opened_at");
    resp_integer(commands, alert->opened_at_ms);
    resp_field_integer(commands, "due_at", alert->has_due_at, alert->due_at_ms);
    resp_text(commands, "changed_at");
    resp_integer(commands, alert->changed_at_ms);
    resp_text(commands, "revision");
    resp_integer(commands, alert->revision);
    resp_field(commands, "historical", alert->historical ? VIEW_LITERAL("true") : VIEW_LITERAL("false"));

    /* What is over stays as long as its topic keeps it, or Redis would grow for ever. */
    bool is_over = alert_is_over(alert->state);
    resp_command(commands, is_over ? 3 : 2, is_over ? "PEXPIREAT" : "PERSIST");
    resp_key(commands, projection->prefix, "case", alert->case_id);
    if (is_over)
        resp_integer(commands, projection->now_ms + CASES_KEPT_MS);

    bool is_listed = is_waiting_for_us(alert->state);
    resp_command(commands, is_listed ? 4 : 3, is_listed ? "ZADD" : "ZREM");
    resp_key(commands, projection->prefix, "hot", (struct view){NULL, 0});
    if (is_listed)
        resp_decimal(commands, alert->score);
    resp_view(commands, alert->case_id);
}

void project_alert(struct projection *projection, const struct alert *alert)
{
    struct resp *commands = &projection->commands;
    struct bytes json = {0};
    record_to_json(&json, &alert_shape, alert);

    resp_command(commands, 5 + 2 * 21, "XADD");
    resp_key(commands, projection->prefix, "alerts", (struct view){NULL, 0});
    resp_text(commands, "MAXLEN");
    resp_integer(commands, ALERTS_ENTRIES_MAX);
    resp_text(commands, "*");
    resp_field(commands, "alert_id", alert->alert_id);
    resp_text(commands, "revision");
    resp_integer(commands, alert->revision);
    resp_field(commands, "case_id", alert->case_id);
    resp_field(commands, "rule", alert->rule);
    resp_field(commands, "kind", view_of_text(alert_kind_name(alert->kind)));
    resp_field(commands, "severity", view_of_text(severity_name(alert->severity)));
    resp_field(commands, "state", state_text(alert->state, projection->arena));
    resp_field(commands, "customer_id", alert->customer_id);
    resp_field(commands, "ticket_id", alert->ticket_id);
    resp_field(commands, "kpi", alert->kpi);
    resp_field(commands, "dimension", alert->dimension);
    resp_text(commands, "score");
    resp_decimal(commands, alert->score);
    resp_field(commands, "text", alert->text);
    resp_text(commands, "opened_at");
    resp_integer(commands, alert->opened_at_ms);
    resp_text(commands, "changed_at");
    resp_integer(commands, alert->changed_at_ms);
    resp_field_integer(commands, "due_at", alert->has_due_at, alert->due_at_ms);
    resp_field(commands, "reasons", reasons_json(projection, alert));
    resp_field(commands, "owner", alert->owner);
    resp_field(commands, "actor", alert->actor);
    resp_field(commands, "historical", alert->historical ? VIEW_LITERAL("true") : VIEW_LITERAL("false"));
    resp_field(commands, "json", bytes_view(&json));

    resp_command(commands, 3, "PUBLISH");
    resp_key(commands, projection->prefix, "live:alerts", (struct view){NULL, 0});
    resp_view(commands, bytes_view(&json));

    bool is_case = alert->case_id.data && view_equal(alert->alert_id, alert->case_id);
    bool is_forgotten = alert->customer_id.data == NULL && alert->kpi.data == NULL && alert->dimension.data == NULL && alert->state == ALERT_STATE_EXPIRED;
    if (is_case)
        project_case(projection, alert);
    else if (!is_forgotten)
        project_open_alert(projection, alert, bytes_view(&json));
    if (is_forgotten)
        forgotten_note_alert(projection, alert->alert_id); /* which also takes it from the list of a customer whom it no longer names */
    bytes_finish(&json);
}

static struct view drivers_json(struct projection *projection, const struct trend_shift *shift)
{
    bytes_clear(&projection->scratch);
    struct json_writer json = json_writer_on(&projection->scratch);
    json_open_array(&json);
    for (size_t i = 0; i < shift->drivers.count; i++) {
        struct bytes driver = {0};
        record_to_json(&driver, &shift_driver_shape, &shift->drivers.items[i]);
        json_write_raw(&json, bytes_view(&driver));
        bytes_finish(&driver);
    }
    json_close_array(&json);
    return bytes_view(&projection->scratch);
}

void project_shift(struct projection *projection, const struct trend_shift *shift)
{
    struct resp *commands = &projection->commands;
    struct bytes json = {0};
    record_to_json(&json, &trend_shift_shape, shift);

    resp_command(commands, 5 + 2 * 18, "XADD");
    resp_key(commands, projection->prefix, "shifts", (struct view){NULL, 0});
    resp_text(commands, "MAXLEN");
    resp_integer(commands, ALERTS_ENTRIES_MAX);
    resp_text(commands, "*");
    resp_field(commands, "shift_id", shift->shift_id);
    resp_field(commands, "kpi", shift->kpi);
    resp_field(commands, "dimension", shift->dimension);
    resp_field(commands, "resolution", view_of_text(resolution_name(shift->resolution)));
    resp_field(commands, "kind", view_of_text(shift_kind_name(shift->kind)));
    resp_field(commands, "direction", view_of_text(direction_name(shift->direction)));
    resp_text(commands, "onset_at");
    resp_integer(commands, shift->onset_at_ms);
    resp_text(commands, "detected_at");
    resp_integer(commands, shift->detected_at_ms);
    resp_text(commands, "before");
    resp_decimal(commands, shift->before);
    resp_text(commands, "after");
    resp_decimal(commands, shift->after);
    resp_text(commands, "confidence");
    resp_decimal(commands, shift->confidence);
    resp_text(commands, "low");
    resp_decimal(commands, shift->low);
    resp_text(commands, "high");
    resp_decimal(commands, shift->high);
    resp_field_integer(commands, "ended_at", shift->has_ended_at, shift->ended_at_ms);
    resp_field(commands, "good", !shift->has_good ? VIEW_LITERAL("") : shift->good ? VIEW_LITERAL("true") : VIEW_LITERAL("false"));
    resp_field(commands, "drivers", drivers_json(projection, shift));
    resp_text(commands, "revision");
    resp_integer(commands, shift->revision);
    resp_field(commands, "json", bytes_view(&json));

    resp_command(commands, 3, "PUBLISH");
    resp_key(commands, projection->prefix, "live:shifts", (struct view){NULL, 0});
    resp_view(commands, bytes_view(&json));
    bytes_finish(&json);
}
