/* Which alerts are open now. Each kind has a list of its own in Redis (open_alerts.h); an answer takes the head of each that is wanted,
 * and of these the first ones by rank. */
#include "sinks/dashboard/api.h"
#include "sinks/redis/open_alerts.h"

#include <stdio.h>
#include <stdlib.h>

enum { OF_CUSTOMER_MOST = 1000 }; /* the journey stage keeps fewer of anybody */

struct ranked {
    struct view id;
    double rank;
};

struct found {
    struct ranked *alerts;
    size_t count;
};

static int highest_rank_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (y->rank > x->rank) - (y->rank < x->rank);
}

static void ask_list(struct api *api, struct resp *commands, const char *name, struct view more, enum severity least, int64_t limit)
{
    resp_command(commands, 8, "ZREVRANGEBYSCORE");
    resp_key(commands, api->prefix, name, more);
    resp_text(commands, "+inf");
    resp_integer(commands, open_alert_least_rank(least));
    resp_text(commands, "WITHSCORES");
    resp_text(commands, "LIMIT");
    resp_text(commands, "0");
    resp_integer(commands, limit);
}

/* The lists that are wanted, and behind them the counts. */
static enum outcome ask_ranked(struct api *api, const struct alerts_wish *wish, struct found *found, struct open_alert_counts *counts)
{
    struct resp commands = {0};
    struct redis_answer *answers = NULL;
    if (wish->customer_id.data)
        ask_list(api, &commands, OPEN_ALERTS_OF_CUSTOMER, wish->customer_id, wish->least, OF_CUSTOMER_MOST);
    for (int kind = 0; wish->customer_id.data == NULL && kind < ALERT_KIND_COUNT; kind++) {
        if (wish->kinds[kind])
            ask_list(api, &commands, OPEN_ALERTS_OF_KIND, view_of_text(alert_kind_name((enum alert_kind)kind)), wish->least, wish->limit);
    }
    size_t list_count = commands.command_count, most = 0;
    open_alerts_ask_counts(&commands, api->prefix);
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &answers);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    for (size_t i = 0; i < list_count; i++)
        most += answers[i].count / 2;
    *found = (struct found){.alerts = arena_zeroed(api->arena, most + 1, sizeof *found->alerts)};
    for (size_t i = 0; i < list_count; i++) {
        for (size_t j = 0; j + 1 < answers[i].count; j += 2)
            found->alerts[found->count++] =
                (struct ranked){answers[i].items[j].text, strtod(arena_text(api->arena, answers[i].items[j + 1].text), NULL)};
    }
    qsort(found->alerts, found->count, sizeof *found->alerts, highest_rank_first);
    open_alerts_read_counts(counts, answers + list_count);
    return OUTCOME_OK;
}

static enum outcome ask_json(struct api *api, const struct found *found, size_t count, struct redis_answer **json)
{
    struct resp commands = {0};
    *json = NULL;
    if (count == 0)
        return OUTCOME_OK;
    resp_command(&commands, 2 + count, "HMGET");
    resp_key(&commands, api->prefix, OPEN_ALERTS_JSON, (struct view){NULL, 0});
    for (size_t i = 0; i < count; i++)
        resp_view(&commands, found->alerts[i].id);
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, json);
    resp_finish(&commands);
    return outcome;
}

/* Of a customer's list, which has all kinds. A text that says so has its quotes escaped. */
static bool is_of_wanted_kind(const struct alerts_wish *wish, struct view json)
{
    char wanted[64];
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        int size = snprintf(wanted, sizeof wanted, "\"kind\":\"%s\"", alert_kind_name((enum alert_kind)kind));
        if (wish->kinds[kind] && memmem(json.data, json.size, wanted, (size_t)size))
            return true;
    }
    return false;
}

static void write_counts(struct json_writer *json, const struct open_alert_counts *counts)
{
    json_open_object(json);
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        const int64_t *of = counts->of[kind];
        if (of[SEVERITY_CRITICAL] + of[SEVERITY_WARNING] + of[SEVERITY_INFO] == 0)
            continue;
        json_key(json, alert_kind_name((enum alert_kind)kind));
        json_open_object(json);
        for (int severity = SEVERITY_COUNT; severity-- > 0;) {
            json_key(json, severity_name((enum severity)severity));
            json_write_integer(json, of[severity]);
        }
        json_close_object(json);
    }
    json_close_object(json);
}

static int64_t matching_of(const struct alerts_wish *wish, const struct open_alert_counts *counts)
{
    int64_t matching = 0;
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        for (int severity = (int)wish->least; wish->kinds[kind] && severity < SEVERITY_COUNT; severity++)
            matching += counts->of[kind][severity];
    }
    return matching;
}

enum outcome api_alerts_open(struct api *api, const struct alerts_wish *wish, struct bytes *out)
{
    struct found found = {0};
    struct open_alert_counts counts;
    struct redis_answer *json_of = NULL;
    enum outcome outcome = ask_ranked(api, wish, &found, &counts);
    bool is_of_customer = wish->customer_id.data != NULL;
    size_t asked = is_of_customer || (int64_t)found.count < wish->limit ? found.count : (size_t)wish->limit;
    if (outcome == OUTCOME_OK)
        outcome = ask_json(api, &found, asked, &json_of);
    if (outcome != OUTCOME_OK)
        return outcome;

    int64_t matching = is_of_customer ? 0 : matching_of(wish, &counts), written = 0;
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "open");
    write_counts(&json, &counts);
    json_key(&json, "alerts");
    json_open_array(&json);
    for (size_t i = 0; json_of && i < json_of->count; i++) {
        struct view alert = json_of->items[i].text; /* none: it ended between two questions */
        if (alert.size == 0 || (is_of_customer && !is_of_wanted_kind(wish, alert)))
            continue;
        matching += is_of_customer;
        if (written++ < wish->limit)
            json_write_raw(&json, alert);
    }
    json_close_array(&json);
    json_key(&json, "matching");
    json_write_integer(&json, matching);
    json_close_object(&json);
    return OUTCOME_OK;
}
