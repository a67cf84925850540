/* KPIs in Redis. A batch holds some ten values of each KPI and window: they go into one HSET, which is a look-up of the key and an answer
 * for all of them. */
#include "base/json_writer.h"
#include "sinks/redis/projection.h"

static void write_optional(struct json_writer *json, const char *key, bool has, double value)
{
    json_key(json, key);
    if (has)
        json_write_decimal(json, value);
    else
        json_write_null(json);
}

static void write_values(struct json_writer *json, const struct kpi *kpi)
{
    write_optional(json, "value", kpi->has_value, kpi->value);
    json_key(json, "n");
    json_write_integer(json, kpi->n);
    write_optional(json, "numerator", kpi->has_numerator, kpi->numerator);
    write_optional(json, "denominator", kpi->has_denominator, kpi->denominator);
    write_optional(json, "low", kpi->has_low, kpi->low);
    write_optional(json, "high", kpi->has_high, kpi->high);
    json_key(json, "low_n");
    json_write_boolean(json, kpi->low_n);
    json_key(json, "maturity");
    json_write_decimal(json, kpi->maturity);
    write_optional(json, "target", kpi->has_target, kpi->target);
    write_optional(json, "previous", kpi->has_previous, kpi->previous);
    json_key(json, "at");
    json_write_integer(json, kpi->at_ms);
}

/* What only durations and uplifts have. */
static void write_extras(struct json_writer *json, const struct kpi *kpi)
{
    if (kpi->has_sum) {
        json_key(json, "sum");
        json_write_integer(json, kpi->sum);
        write_optional(json, "p50", kpi->has_p50, kpi->p50);
        write_optional(json, "p50_low", kpi->has_p50_low, kpi->p50_low);
        write_optional(json, "p50_high", kpi->has_p50_high, kpi->p50_high);
        write_optional(json, "p90", kpi->has_p90, kpi->p90);
        write_optional(json, "p99", kpi->has_p99, kpi->p99);
    }
    if (kpi->has_exposed_n) {
        write_optional(json, "ratio", kpi->has_ratio, kpi->ratio);
        write_optional(json, "exposed_n", true, (double)kpi->exposed_n);
        write_optional(json, "exposed_hits", kpi->has_exposed_hits, (double)kpi->exposed_hits);
        write_optional(json, "other_n", kpi->has_other_n, (double)kpi->other_n);
        write_optional(json, "other_hits", kpi->has_other_hits, (double)kpi->other_hits);
    }
}

static struct view joined(struct projection *projection, struct view kpi, struct view more)
{
    struct bytes *scratch = &projection->scratch;
    bytes_clear(scratch);
    bytes_append_view(scratch, kpi);
    bytes_append_byte(scratch, ':');
    bytes_append_view(scratch, more);
    return bytes_view(scratch);
}

static struct kpi_place *place_open(struct projection *projection, const struct kpi *kpi)
{
    struct kpi_places *places = &projection->kpis;
    struct view name = joined(projection, kpi->kpi, kpi->window);
    struct kpi_place **found = (struct kpi_place **)map_place(&places->by_name, name);
    if (*found)
        return *found;
    struct kpi_place *place = *found = arena_zeroed(projection->arena, 1, sizeof *place);
    place->name = arena_copy(projection->arena, name);
    place->last = &place->first;
    if (places->last == NULL)
        places->last = &places->first;
    *places->last = place;
    places->last = &place->next;
    return place;
}

/* The published object names its place; the stored one is the rest of it. */
static size_t write_whole(struct bytes *out, const struct kpi *kpi)
{
    bytes_clear(out);
    struct json_writer json = json_writer_on(out);
    json_open_object(&json);
    json_key(&json, "kpi");
    json_write_text(&json, kpi->kpi);
    json_key(&json, "dimension");
    json_write_text(&json, kpi->dimension);
    json_key(&json, "window");
    json_write_text(&json, kpi->window);
    size_t named_bytes = out->size + 1; /* and the comma */
    write_values(&json, kpi);
    write_extras(&json, kpi);
    json_close_object(&json);
    return named_bytes;
}

void project_kpi(struct projection *projection, const struct kpi *kpi)
{
    series_hours_tell(&projection->hours, kpi, projection->arena);
    if (projection->is_superseded)
        return;
    struct kpi_place *place = place_open(projection, kpi);
    struct kpi_value *value = arena_zeroed(projection->arena, 1, sizeof *value);
    value->dimension = kpi->dimension;
    value->named_bytes = write_whole(&projection->scratch, kpi);
    value->json = arena_copy(projection->arena, bytes_view(&projection->scratch));
    *place->last = value;
    place->last = &value->next;
    place->count++;
}

void kpis_forget(struct projection *projection)
{
    map_finish(&projection->kpis.by_name, NULL);
    projection->kpis = (struct kpi_places){0};
}

const struct kpi_place *kpis_write(struct projection *projection)
{
    struct resp *commands = &projection->commands;
    const struct kpi_place *places = projection->kpis.first;
    for (const struct kpi_place *place = places; place; place = place->next) {
        resp_command(commands, 2 + 2 * place->count, "HSET");
        resp_key(commands, projection->prefix, "kpi", place->name);
        for (const struct kpi_value *value = place->first; value; value = value->next) {
            struct view json = value->json;
            resp_view(commands, value->dimension);
            resp_two(commands, VIEW_LITERAL("{"), view_of(json.data + value->named_bytes, json.size - value->named_bytes));
        }
    }
    kpis_forget(projection);
    return places;
}

void kpis_publish(const struct kpi_place *places, const char *prefix, struct resp *commands)
{
    for (const struct kpi_place *place = places; place; place = place->next) {
        for (const struct kpi_value *value = place->first; value; value = value->next) {
            resp_command(commands, 3, "PUBLISH");
            resp_key(commands, prefix, "live:kpis", (struct view){NULL, 0});
            resp_view(commands, value->json);
        }
    }
}

/* Which every KPI has. A tombstone of it comes when it has been empty for as long again: the series has ended, and its hours are older than ts:series goes back. */
#define LONGEST_WINDOW "90d"

void project_kpi_gone(struct projection *projection, struct view key, int64_t at_ms)
{
    (void)at_ms;
    const char *first = memchr(key.data, '|', key.size);
    if (first == NULL)
        return;
    size_t kpi_size = (size_t)(first - key.data), rest = key.size - kpi_size - 1;
    const char *second = memchr(first + 1, '|', rest);
    if (second == NULL)
        return;
    struct view kpi = view_of(key.data, kpi_size), window = view_of(first + 1, (size_t)(second - first) - 1);
    struct view dimension = view_of(second + 1, rest - window.size - 1);
    struct view place = joined(projection, kpi, window);
    resp_command(&projection->commands, 3, "HDEL");
    resp_key(&projection->commands, projection->prefix, "kpi", place);
    resp_view(&projection->commands, dimension);
    if (view_equal_text(window, LONGEST_WINDOW)) {
        struct view series = joined(projection, kpi, dimension);
        resp_command(&projection->commands, 2, "DEL");
        resp_key(&projection->commands, projection->prefix, "series", series);
        series_hours_gone(&projection->hours, series);
    }
}
