#include "sinks/dashboard/question.h"

#include "base/edit_distance.h"
#include "schemas/kpi_names.h"
#include "sinks/redis/open_alerts.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIST_LIMIT = 50, LIST_LIMIT_MOST = 500 };

/* Parameters whose values are checked. Dimensions may have any name. */
enum { TAKES_KPI = 1, NEEDS_KPI = 2, TAKES_WINDOW = 4, TAKES_LIMIT = 8, TAKES_ALERTS = 16 };

#define CUSTOMERS "customers/"
static const struct question {
    const char *path;
    unsigned takes;
} questions[] = {{"kpis", TAKES_KPI | TAKES_WINDOW},
                 {"series", TAKES_KPI | NEEDS_KPI | TAKES_WINDOW},
                 {"hot", TAKES_LIMIT},
                 {"alerts", TAKES_LIMIT},
                 {"alerts/open", TAKES_LIMIT | TAKES_ALERTS},
                 {"off_target", TAKES_LIMIT},
                 {"shifts", TAKES_LIMIT},
                 {"scorecard", 0},
                 {"health", 0},
                 {CUSTOMERS, 0}};

/* The customer's id; null: about something else, or about nobody. */
static struct view customer_of(struct view what)
{
    static const size_t size = sizeof CUSTOMERS - 1;
    bool is_customer = what.size > size && memcmp(what.data, CUSTOMERS, size) == 0;
    return is_customer ? view_of(what.data + size, what.size - size) : (struct view){NULL, 0};
}

static const struct question *question_find(struct view what)
{
    if (customer_of(what).data)
        what = VIEW_LITERAL(CUSTOMERS);
    else if (view_equal_text(what, CUSTOMERS))
        return NULL;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        if (view_equal_text(what, questions[i].path))
            return &questions[i];
    }
    return NULL;
}

bool question_exists(struct view what)
{
    return question_find(what) != NULL;
}

/* --- parameters -------------------------------------------------------------------------------------------------- */

static bool refuse(struct http_exchange *exchange, const char *reason)
{
    http_exchange_refuse(exchange, 400, "bad_parameter", reason);
    return false;
}

static bool check_kpi(struct http_exchange *exchange, bool is_needed)
{
    enum kpi_id id;
    struct view kpi = http_exchange_query(exchange, "kpi");
    if (kpi.data == NULL)
        return !is_needed || refuse(exchange, "kpi: which one? /api/series?kpi=nps, say");
    if (kpi_from_name(kpi, &id))
        return true;
    char given[64], reason[192];
    snprintf(given, sizeof given, "%.*s", VIEW_ARGUMENTS(kpi));
    struct nearest nearest = nearest_to(given);
    for (int i = 0; i < KPI_COUNT_OF_ALL; i++)
        nearest_offer(&nearest, kpi_names[i].name);
    snprintf(reason, sizeof reason, "kpi: there is none of that name; the nearest is '%s'", nearest.name);
    return refuse(exchange, reason);
}

static bool check_window(struct http_exchange *exchange)
{
    struct view window = http_exchange_query(exchange, "window");
    return window.data == NULL || api_is_window(window) || refuse(exchange, "window: one of 5m 1h 24h 7d 30d 90d");
}

/* 0: it is no number from 1 on. */
static int64_t limit_of(const struct http_exchange *exchange)
{
    struct view text = http_exchange_query(exchange, "limit");
    char digits[16] = "";
    if (text.data == NULL)
        return LIST_LIMIT;
    if (text.size == 0 || text.size >= sizeof digits)
        return 0;
    memcpy(digits, text.data, text.size);
    if (strspn(digits, "0123456789") != text.size)
        return 0;
    int64_t limit = atoll(digits);
    return limit > LIST_LIMIT_MOST ? LIST_LIMIT_MOST : limit;
}

/* The next of a list of names with commas between them; false: there is none left. */
static bool next_name(struct view *list, struct view *name)
{
    if (list->data == NULL)
        return false;
    const char *comma = list->size ? memchr(list->data, ',', list->size) : NULL;
    *name = comma ? view_of(list->data, (size_t)(comma - list->data)) : *list;
    *list = comma ? view_of(comma + 1, list->size - name->size - 1) : (struct view){NULL, 0};
    return true;
}

/* Which kinds of alerts; absent: all that may be open without being cases. Returns the name that is none of them, null when all are. */
static struct view kinds_of(const struct http_exchange *exchange, bool kinds[ALERT_KIND_COUNT])
{
    struct view list = http_exchange_query(exchange, "kind"), name;
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++)
        kinds[kind] = list.data == NULL && open_alerts_has_kind((enum alert_kind)kind);
    while (next_name(&list, &name)) {
        enum alert_kind kind;
        if (!alert_kind_from_name(name, &kind) || !open_alerts_has_kind(kind))
            return name;
        kinds[kind] = true;
    }
    return (struct view){NULL, 0};
}

static bool check_alerts(struct http_exchange *exchange)
{
    bool kinds[ALERT_KIND_COUNT];
    enum severity least;
    char given[64], reason[192];
    struct view severity = http_exchange_query(exchange, "severity"), wrong = kinds_of(exchange, kinds);
    if (severity.data && !severity_from_name(severity, &least))
        return refuse(exchange, "severity: CRITICAL, WARNING (both) or INFO (all)");
    if (wrong.data == NULL)
        return true;
    snprintf(given, sizeof given, "%.*s", VIEW_ARGUMENTS(wrong));
    struct nearest nearest = nearest_to(given);
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        if (open_alerts_has_kind((enum alert_kind)kind))
            nearest_offer(&nearest, alert_kind_name((enum alert_kind)kind));
    }
    snprintf(reason, sizeof reason, "kind: no alert but a case (/api/hot) is of that kind; names with commas between them%s%s%s",
             nearest.name ? ", the nearest is '" : ", SLA_BREACH,ABSENCE, say", nearest.name ? nearest.name : "", nearest.name ? "'" : "");
    return refuse(exchange, reason);
}

bool question_check(struct http_exchange *exchange, struct view what)
{
    const struct question *question = question_find(what);
    if ((question->takes & TAKES_KPI) && !check_kpi(exchange, question->takes & NEEDS_KPI))
        return false;
    if ((question->takes & TAKES_WINDOW) && !check_window(exchange))
        return false;
    if ((question->takes & TAKES_ALERTS) && !check_alerts(exchange))
        return false;
    return !(question->takes & TAKES_LIMIT) || limit_of(exchange) > 0 ||
           refuse(exchange, "limit: a whole number from 1 on; more than 500 are never answered");
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

static enum outcome ask_alerts_open(struct api *api, const struct http_exchange *exchange, struct bytes *body)
{
    struct alerts_wish wish = {.customer_id = http_exchange_query(exchange, "customer"), .limit = limit_of(exchange)};
    kinds_of(exchange, wish.kinds);
    severity_from_name(http_exchange_query(exchange, "severity"), &wish.least);
    return api_alerts_open(api, &wish, body);
}

enum outcome question_ask(struct api *api, const struct http_exchange *exchange, struct view what, struct bytes *body)
{
    struct view kpi = http_exchange_query(exchange, "kpi"), window = http_exchange_query(exchange, "window");
    if (view_equal_text(what, "kpis"))
        return api_kpis(api, kpi, window, http_exchange_query(exchange, "dimension"), body);
    if (view_equal_text(what, "series"))
        return api_series(api, kpi, http_exchange_query(exchange, "by"), window, body);
    if (view_equal_text(what, "hot"))
        return api_hot(api, limit_of(exchange), body);
    if (view_equal_text(what, "off_target"))
        return api_off_target(api, limit_of(exchange), body);
    if (view_equal_text(what, "alerts/open"))
        return ask_alerts_open(api, exchange, body);
    if (view_equal_text(what, "alerts") || view_equal_text(what, "shifts"))
        return api_stream_newest(api, view_equal_text(what, "alerts") ? "alerts" : "shifts", limit_of(exchange), body);
    if (view_equal_text(what, "scorecard"))
        return api_scorecard(api, body);
    return view_equal_text(what, "health") ? api_health(api, body) : api_customer(api, customer_of(what), body);
}
