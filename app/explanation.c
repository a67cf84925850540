#include "app/explanation.h"

#include "app/app.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/time_text.h"
#include "schemas/json_form.h"
#include "schemas/kpi_names.h"

#include <stdio.h>

static bool kpi_of(const struct bytes *avro, struct arena *arena, struct kpi *kpi)
{
    return avro->size && kpi_decode(kpi, bytes_view(avro), arena);
}

/* Gauges, churn and people counts are made of everything that ever flowed; windows do not bound them. */
static bool is_bounded_by_window(enum kpi_id id)
{
    enum kpi_kind kind = kpi_names[id].kind;
    return kind != KPI_KIND_GAUGE && kind != KPI_KIND_CHURN;
}

static bool is_within(const struct explanation *explanation, const struct addition *addition, int64_t at_ms)
{
    const struct window *w = explanation->window;
    int64_t grid_ms = w->grid == GRID_MINUTE ? MINUTES(1) : HOURS(1);
    int64_t from_ms = at_ms / grid_ms * grid_ms + grid_ms - w->length_ms; /* READINGS 4 */
    if (w->grid == GRID_DAY)
        from_ms = time_zone_day_start_ms(explanation->zone, time_zone_day(explanation->zone, at_ms) + 1 - w->buckets);
    return !is_bounded_by_window(explanation->kpi) || (addition->minute_at_ms >= from_ms && addition->minute_at_ms <= at_ms);
}

static void print_addition(const struct addition *addition, struct bytes *line)
{
    char text[UUID_TEXT_SIZE + 1], at[TIME_TEXT_SIZE];
    bytes_clear(line);
    struct json_writer json = json_writer_on(line);
    json_open_object(&json);
    uuid_format(&addition->event_id, text);
    json_key(&json, "event_id");
    json_write_text(&json, addition->has_event ? view_of_text(text) : (struct view){NULL, 0});
    json_key(&json, "customer_id");
    json_write_text(&json, view_of_text(addition->customer_id));
    json_key(&json, "type");
    json_write_text(&json, view_of_text(addition->has_event ? addition->type : "time passed"));
    time_text_format(at, addition->occurred_at_ms);
    json_key(&json, "occurred_at");
    json_write_text(&json, addition->has_event ? view_of_text(at) : (struct view){NULL, 0});
    time_text_format(at, addition->minute_at_ms);
    json_key(&json, "counts_at");
    json_write_text(&json, view_of_text(at));
    json_key(&json, "n");
    json_write_integer(&json, addition->n);
    json_key(&json, "num");
    json_write_integer(&json, addition->num);
    json_key(&json, "sum");
    json_write_integer(&json, addition->sum);
    json_close_object(&json);
    printf("%s\n", bytes_text(line));
}

static void print_kpi(struct json_writer *json, const char *name, bool has, const struct kpi *kpi)
{
    struct bytes text = {0};
    if (has)
        record_to_json(&text, &kpi_shape, kpi);
    json_key(json, name);
    json_write_raw(json, has ? bytes_view(&text) : VIEW_LITERAL("null"));
    bytes_finish(&text);
}

static void say_what_there_is(const struct explanation *explanation)
{
    struct bytes names = {0};
    dimensions_seen_describe(&explanation->seen, explanation->by, &names);
    fprintf(stderr, "touchstream explain: nothing has ever counted for %s (what there is by: kpi.rollups, docs/KPIS.md)%s%s\n",
            explanation->by, names.size ? "; there is " : "", names.size ? bytes_text(&names) : "");
    bytes_finish(&names);
}

int explanation_print(struct explanation *explanation)
{
    struct kpi computed = {0}, published = {0};
    struct bytes line = {0};
    bool has_computed = kpi_of(&explanation->computed, &explanation->arena, &computed);
    bool has_published = kpi_of(&explanation->published, &explanation->arena, &published);
    int64_t at_ms = has_computed ? computed.at_ms : explanation->newest_ms, n = 0, num = 0, sum = 0;
    for (size_t i = 0; i < explanation->addition_count; i++) {
        const struct addition *addition = &explanation->additions[i];
        if (!is_within(explanation, addition, at_ms))
            continue;
        print_addition(addition, &line);
        n += addition->n;
        num += addition->num;
        sum += addition->sum;
    }
    bytes_clear(&line);
    struct json_writer json = json_writer_on(&line);
    json_open_object(&json);
    json_key(&json, "n");
    json_write_integer(&json, n);
    json_key(&json, "num");
    json_write_integer(&json, num);
    json_key(&json, "sum");
    json_write_integer(&json, sum);
    print_kpi(&json, "computed", has_computed, &computed);
    print_kpi(&json, "published", has_published, &published);
    json_close_object(&json);
    printf("%s\n", bytes_text(&line));
    bytes_finish(&line);
    if (explanation->addition_count == 0 && !has_published && strcmp(explanation->by, "all") != 0)
        say_what_there_is(explanation);
    return EXIT_FINE;
}
