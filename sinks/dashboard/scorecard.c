/* GET /api/scorecard: the KPIs with a target, in the four perspectives of a balanced scorecard (Kaplan and Norton 1992). */
#include "sinks/dashboard/api.h"

#include "sinks/redis/stored_kpi.h"

#include <stdio.h>
#include <stdlib.h>

static const struct perspective {
    const char *name;
    const char *const *kpis;
} perspectives[] = {
    {"customer", (const char *const[]){"nps", "csat", "csat_top2", "ces", "ces_easy", "brand_nps", "review_stars",
                                       "sentiment", NULL}},
    {"process", (const char *const[]){"first_response_time", "resolution_time", "handoff_wait", "response_24h",
                                      "resolved_72h", "sla_first_response", "sla_resolution", "fcr", "on_time_delivery", NULL}},
    {"growth", (const char *const[]){"repeat_purchase_180d", "repeat_purchase_365d", "renewal_rate", "retention",
                                     "loyalty_share", "referral_rate", NULL}},
    {"learning", (const char *const[]){"survey_completion", "reopen_rate", "recurring", "first_time_fix", "activation",
                                       "return_rate", NULL}},
};
static const char *const scorecard_windows[] = {"30d", "90d"};
enum { PERSPECTIVE_COUNT = sizeof perspectives / sizeof *perspectives };

/* More than noise: the window before lies outside this window's 95 % interval. */
static void write_judgement(struct json_writer *json, struct view kpi)
{
    double low, high, previous;
    json_key(json, "is_change");
    if (stored_kpi_number(kpi, "low", &low) && stored_kpi_number(kpi, "high", &high) && stored_kpi_number(kpi, "previous", &previous))
        json_write_boolean(json, previous < low || previous > high);
    else
        json_write_null(json);
}

static void write_window(struct json_writer *json, const char *window, const struct redis_answer *answer)
{
    json_key(json, window);
    if (answer->kind != REDIS_TEXT) {
        json_write_null(json);
        return;
    }
    json_open_object(json);
    bytes_append(json->out, answer->text.data + 1, answer->text.size - 2);
    json->needs_comma = answer->text.size > 2;
    write_judgement(json, answer->text);
    json_close_object(json);
}

static void ask_kpi(struct api *api, struct resp *commands, const char *kpi, const char *window)
{
    char *place = arena_alloc(api->arena, strlen(kpi) + strlen(window) + 2);
    sprintf(place, "%s:%s", kpi, window);
    resp_command(commands, 3, "HGET");
    resp_key(commands, api->prefix, "kpi", view_of_text(place));
    resp_text(commands, "all");
}

enum outcome api_scorecard(struct api *api, struct bytes *out)
{
    struct resp commands = {0};
    for (int p = 0; p < PERSPECTIVE_COUNT; p++) {
        for (const char *const *kpi = perspectives[p].kpis; *kpi; kpi++) {
            ask_kpi(api, &commands, *kpi, scorecard_windows[0]);
            ask_kpi(api, &commands, *kpi, scorecard_windows[1]);
        }
    }
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &answers);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;

    struct json_writer json = json_writer_on(out);
    size_t at = 0;
    json_open_object(&json);
    json_key(&json, "groups");
    json_open_array(&json);
    for (int p = 0; p < PERSPECTIVE_COUNT; p++) {
        json_open_object(&json);
        json_key(&json, "name");
        json_write_text(&json, view_of_text(perspectives[p].name));
        json_key(&json, "kpis");
        json_open_array(&json);
        for (const char *const *kpi = perspectives[p].kpis; *kpi; kpi++, at += 2) {
            json_open_object(&json);
            json_key(&json, "kpi");
            json_write_text(&json, view_of_text(*kpi));
            write_window(&json, scorecard_windows[0], &answers[at]);
            write_window(&json, scorecard_windows[1], &answers[at + 1]);
            json_close_object(&json);
        }
        json_close_array(&json);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    return OUTCOME_OK;
}
