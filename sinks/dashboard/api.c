#include "sinks/dashboard/api.h"

#include "schemas/kpi_names.h"
#include "sinks/redis/stored_kpi.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const windows[] = {"5m", "1h", "24h", "7d", "30d", "90d"};
enum { WINDOW_COUNT = sizeof windows / sizeof *windows, SERIES_MAX = 50, POINTS_MAX = 2200 };
static const struct view NOTHING = {NULL, 0};

/* --- small helpers ----------------------------------------------------------------------------------------------- */

static struct view joined(struct api *api, struct view a, struct view b)
{
    char *text = arena_alloc(api->arena, a.size + b.size + 2);
    int size = sprintf(text, "%.*s:%.*s", VIEW_ARGUMENTS(a), VIEW_ARGUMENTS(b));
    return view_of(text, (size_t)size);
}

/* Members of a JSON object text, without its braces; what we stored ourselves is always an object. */
static void append_members(struct json_writer *json, struct view object)
{
    if (object.size <= 2)
        return;
    if (json->needs_comma)
        bytes_append_byte(json->out, ',');
    bytes_append(json->out, object.data + 1, object.size - 2);
    json->needs_comma = true;
}

static bool is_json_text(struct view value)
{
    return value.size && (value.data[0] == '[' || value.data[0] == '{');
}

static bool is_number_text(struct view value)
{
    if (value.size == 0 || value.size > 24)
        return false;
    for (size_t i = 0; i < value.size; i++) {
        if (memchr("0123456789.-+e", value.data[i], 14) == NULL)
            return false;
    }
    return value.data[0] != '+' && value.data[value.size - 1] != '.';
}

/* Fields that hold numbers, truths, and texts that hold JSON (ours, from the sink), as such; all others are text whatever they
 * look like: a customer may be called "007". */
static bool is_numeric_field(struct view name)
{
    static const char *const names[] = {"score", "revision", "events", "orders", "open_ticket_count", "mean_sentiment",
                                        "last_nps", "last_csat", "last_ces", "churn_risk", "hot_score"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (view_equal_text(name, names[i]))
            return true;
    }
    return name.size > 3 && memcmp(name.data + name.size - 3, "_at", 3) == 0;
}

static bool is_json_field(struct view name)
{
    static const char *const names[] = {"reasons", "spent", "open_tickets", "open_cases", "variables"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (view_equal_text(name, names[i]))
            return true;
    }
    return false;
}

static bool is_truth_field(struct view name)
{
    return view_equal_text(name, "loyalty_member") || view_equal_text(name, "historical");
}

static void write_hash(struct json_writer *json, const struct redis_answer *hash)
{
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        struct view name = hash->items[i].text, value = hash->items[i + 1].text;
        json_key_view(json, name);
        if (value.size == 0)
            json_write_null(json);
        else if ((is_json_field(name) && is_json_text(value)) || (is_numeric_field(name) && is_number_text(value)) ||
                 is_truth_field(name))
            json_write_raw(json, value);
        else
            json_write_text(json, value);
    }
}

/* --- KPIs -------------------------------------------------------------------------------------------------------- */

bool api_is_window(struct view name)
{
    for (int i = 0; i < WINDOW_COUNT; i++) {
        if (view_equal_text(name, windows[i]))
            return true;
    }
    return false;
}

static bool is_wanted(struct view filter, const char *name)
{
    return filter.data == NULL || view_equal_text(filter, name);
}

/* `answers`: one for each KPI and window that is wanted, in the order of api_kpis' questions. */
static void write_kpis(const struct redis_answer *answers, struct view kpi, struct view window, struct view dimension, struct bytes *out)
{
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "kpis");
    json_open_array(&json);
    for (int k = 0; k < KPI_COUNT_OF_ALL; k++) {
        for (int w = 0; w < WINDOW_COUNT; w++) {
            if (!is_wanted(kpi, kpi_names[k].name) || !is_wanted(window, windows[w]))
                continue;
            const struct redis_answer *answer = answers++;
            if (answer->kind != REDIS_TEXT)
                continue;
            json_open_object(&json);
            json_key(&json, "kpi");
            json_write_text(&json, view_of_text(kpi_names[k].name));
            json_key(&json, "window");
            json_write_text(&json, view_of_text(windows[w]));
            json_key(&json, "dimension");
            json_write_text(&json, dimension);
            append_members(&json, answer->text);
            json_close_object(&json);
        }
    }
    json_close_array(&json);
    json_close_object(&json);
}

enum outcome api_kpis(struct api *api, struct view kpi, struct view window, struct view dimension, struct bytes *out)
{
    struct resp commands = {0};
    if (dimension.data == NULL)
        dimension = VIEW_LITERAL("all");
    for (int k = 0; k < KPI_COUNT_OF_ALL; k++) {
        for (int w = 0; w < WINDOW_COUNT; w++) {
            if (!is_wanted(kpi, kpi_names[k].name) || !is_wanted(window, windows[w]))
                continue;
            resp_command(&commands, 3, "HGET");
            resp_key(&commands, api->prefix, "kpi", joined(api, view_of_text(kpi_names[k].name), view_of_text(windows[w])));
            resp_view(&commands, dimension);
        }
    }
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &answers);
    size_t count = commands.command_count;
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (count == 0)
        return OUTCOME_PARK;
    write_kpis(answers, kpi, window, dimension, out);
    return OUTCOME_OK;
}

/* --- series ------------------------------------------------------------------------------------------------------ */

struct breakdown {
    struct view dimension, now;
    double n;
};

static int most_n_first(const void *a, const void *b)
{
    const struct breakdown *x = a, *y = b;
    return (y->n > x->n) - (y->n < x->n);
}

/* "channel=EMAIL" is one of "channel"; "product=P1,channel=EMAIL" is not. */
static bool is_value_of(struct view dimension, struct view by)
{
    return dimension.size > by.size + 1 && memcmp(dimension.data, by.data, by.size) == 0 &&
           dimension.data[by.size] == '=' && memchr(dimension.data, ',', dimension.size) == NULL;
}

/* `by` is a dimension, for all its values, or one series as Redis names it: `channel=EMAIL`, `all`. */
static bool is_chosen(struct view dimension, struct view by)
{
    if (by.data == NULL)
        return view_equal_text(dimension, "all");
    return view_equal(dimension, by) || is_value_of(dimension, by);
}

static size_t choose_dimensions(const struct redis_answer *hash, struct view by, struct breakdown *chosen)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        struct breakdown one = {.dimension = hash->items[i].text, .now = hash->items[i + 1].text};
        if (!is_chosen(one.dimension, by))
            continue;
        stored_kpi_number(one.now, "n", &one.n);
        chosen[count++] = one;
    }
    qsort(chosen, count, sizeof *chosen, most_n_first);
    return count < SERIES_MAX ? count : SERIES_MAX;
}

/* XREVRANGE's answer, newest first, as [[end_ms, value, n], …], oldest first. */
static void write_points(struct json_writer *json, const struct redis_answer *entries)
{
    json_open_array(json);
    for (size_t i = entries->count; i-- > 0;) {
        const struct redis_answer *entry = &entries->items[i];
        if (entry->kind != REDIS_LIST || entry->count < 2)
            continue;
        struct view value = redis_answer_field(&entry->items[1], "value"), n = redis_answer_field(&entry->items[1], "n");
        json_open_array(json);
        json_write_integer(json, strtoll(entry->items[0].text.data, NULL, 10));
        if (is_number_text(value))
            json_write_raw(json, value);
        else
            json_write_null(json);
        if (is_number_text(n))
            json_write_raw(json, n);
        else
            json_write_null(json);
        json_close_array(json);
    }
    json_close_array(json);
}

/* The values that a window has now, by dimension. */
static enum outcome ask_window(struct api *api, struct view kpi, struct view window, struct redis_answer **hash)
{
    struct resp commands = {0};
    resp_command(&commands, 2, "HGETALL");
    resp_key(&commands, api->prefix, "kpi", joined(api, kpi, window));
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, hash);
    resp_finish(&commands);
    return outcome;
}

static enum outcome ask_points(struct api *api, struct view kpi, const struct breakdown *chosen, size_t count, struct redis_answer **streams)
{
    struct resp commands = {0};
    for (size_t i = 0; i < count; i++) {
        resp_command(&commands, 6, "XREVRANGE");
        resp_key(&commands, api->prefix, "series", joined(api, kpi, chosen[i].dimension));
        resp_text(&commands, "+");
        resp_text(&commands, "-");
        resp_text(&commands, "COUNT");
        resp_integer(&commands, POINTS_MAX);
    }
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, streams);
    resp_finish(&commands);
    return outcome;
}

enum outcome api_series(struct api *api, struct view kpi, struct view by, struct view window, struct bytes *out)
{
    enum kpi_id id;
    if (!kpi_from_name(kpi, &id))
        return OUTCOME_PARK;
    if (window.data == NULL)
        window = VIEW_LITERAL("30d");
    struct redis_answer *hash = NULL, *streams = NULL;
    enum outcome outcome = ask_window(api, kpi, window, &hash);
    if (outcome != OUTCOME_OK)
        return outcome;
    struct breakdown *chosen = arena_zeroed(api->arena, hash->count / 2 + 1, sizeof *chosen);
    size_t count = choose_dimensions(hash, by, chosen);
    outcome = ask_points(api, kpi, chosen, count, &streams);
    if (outcome != OUTCOME_OK)
        return outcome;

    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "kpi");
    json_write_text(&json, kpi);
    json_key(&json, "by");
    json_write_text(&json, by);
    json_key(&json, "window");
    json_write_text(&json, window);
    json_key(&json, "series");
    json_open_array(&json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&json);
        json_key(&json, "dimension");
        json_write_text(&json, chosen[i].dimension);
        json_key(&json, "now");
        json_write_raw(&json, chosen[i].now);
        json_key(&json, "points");
        write_points(&json, &streams[i]);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    return OUTCOME_OK;
}

/* --- cases, alerts, customers ------------------------------------------------------------------------------------ */

enum outcome api_hot(struct api *api, int64_t limit, struct bytes *out)
{
    struct resp commands = {0};
    resp_command(&commands, 5, "ZREVRANGE");
    resp_key(&commands, api->prefix, "hot", NOTHING);
    resp_text(&commands, "0");
    resp_integer(&commands, limit - 1);
    resp_text(&commands, "WITHSCORES");
    struct redis_answer *ranked = NULL, *cases = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &ranked);
    resp_clear(&commands);
    for (size_t i = 0; outcome == OUTCOME_OK && i + 1 < ranked->count; i += 2) {
        resp_command(&commands, 2, "HGETALL");
        resp_key(&commands, api->prefix, "case", ranked->items[i].text);
    }
    if (outcome == OUTCOME_OK)
        outcome = redis_link_send(api->link, &commands, api->arena, &cases);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;

    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "cases");
    json_open_array(&json);
    for (size_t i = 0; i + 1 < ranked->count; i += 2) {
        json_open_object(&json);
        json_key(&json, "case_id");
        json_write_text(&json, ranked->items[i].text);
        json_key(&json, "priority"); /* Redis itself says 70.200000000000003 */
        json_write_decimal(&json, strtod(arena_text(api->arena, ranked->items[i + 1].text), NULL));
        write_hash(&json, &cases[i / 2]);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    return OUTCOME_OK;
}

enum outcome api_off_target(struct api *api, int64_t limit, struct bytes *out)
{
    struct resp commands = {0};
    resp_command(&commands, 4, "ZREVRANGE");
    resp_key(&commands, api->prefix, "off_target", NOTHING);
    resp_text(&commands, "0");
    resp_integer(&commands, limit - 1);
    struct redis_answer *ranked = NULL, *alerts = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &ranked);
    size_t count = outcome == OUTCOME_OK ? ranked->count : 0;
    resp_clear(&commands);
    if (count > 0) {
        resp_command(&commands, 2 + count, "HMGET");
        resp_key(&commands, api->prefix, "off_target:alerts", NOTHING);
        for (size_t i = 0; i < count; i++)
            resp_view(&commands, ranked->items[i].text);
        outcome = redis_link_send(api->link, &commands, api->arena, &alerts);
    }
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "off_target");
    json_open_array(&json);
    for (size_t i = 0; i < count && i < alerts->count; i++)
        if (is_json_text(alerts->items[i].text))
            json_write_raw(&json, alerts->items[i].text);
    json_close_array(&json);
    json_close_object(&json);
    return OUTCOME_OK;
}

/* The `json` fields of a stream's newest entries. */
static void write_stream(struct json_writer *json, const struct redis_answer *entries)
{
    json_open_array(json);
    for (size_t i = 0; i < entries->count; i++) {
        struct view record = entries->items[i].count == 2 ? redis_answer_field(&entries->items[i].items[1], "json") : NOTHING;
        if (is_json_text(record))
            json_write_raw(json, record);
    }
    json_close_array(json);
}

static void ask_newest(struct api *api, struct resp *commands, const char *stream, struct view id, int64_t limit)
{
    resp_command(commands, 6, "XREVRANGE");
    resp_key(commands, api->prefix, stream, id);
    resp_text(commands, "+");
    resp_text(commands, "-");
    resp_text(commands, "COUNT");
    resp_integer(commands, limit);
}

enum outcome api_stream_newest(struct api *api, const char *stream, int64_t limit, struct bytes *out)
{
    struct resp commands = {0};
    ask_newest(api, &commands, stream, NOTHING, limit);
    struct redis_answer *entries = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &entries);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, stream);
    write_stream(&json, entries);
    json_close_object(&json);
    return OUTCOME_OK;
}

enum outcome api_customer(struct api *api, struct view customer_id, struct bytes *out)
{
    struct resp commands = {0};
    resp_command(&commands, 2, "HGETALL");
    resp_key(&commands, api->prefix, "customer", customer_id);
    ask_newest(api, &commands, "journey", customer_id, 100);
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &answers);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answers[0].count == 0 && answers[1].count == 0)
        return OUTCOME_PARK;
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "customer");
    json_open_object(&json);
    write_hash(&json, &answers[0]);
    json_close_object(&json);
    json_key(&json, "journey");
    write_stream(&json, &answers[1]);
    json_close_object(&json);
    return OUTCOME_OK;
}

enum outcome api_case_customer(struct api *api, struct view case_id, struct view *customer_id)
{
    struct resp commands = {0};
    resp_command(&commands, 3, "HGET");
    resp_key(&commands, api->prefix, "case", case_id);
    resp_text(&commands, "customer");
    struct redis_answer *answer = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &answer);
    resp_finish(&commands);
    *customer_id = outcome == OUTCOME_OK && answer->kind == REDIS_TEXT && answer->text.size ? answer->text : NOTHING;
    return outcome;
}

enum outcome api_health(struct api *api, struct bytes *out)
{
    struct resp commands = {0};
    resp_command(&commands, 2, "HGETALL");
    resp_key(&commands, api->prefix, "health", NOTHING);
    struct redis_answer *hash = NULL;
    enum outcome outcome = redis_link_send(api->link, &commands, api->arena, &hash);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "services");
    json_open_object(&json);
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        json_key_view(&json, hash->items[i].text);
        json_write_raw(&json, hash->items[i + 1].text);
    }
    json_close_object(&json);
    json_close_object(&json);
    return OUTCOME_OK;
}
