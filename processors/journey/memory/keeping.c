#include "processors/journey/memory/keeping.h"

#include "base/memory.h"
#include "processors/journey/memory/number_table.h"
#include "processors/journey/memory/resting.h"

#include <stdlib.h>

enum {
    STRAYS_TOGETHER = 16, /* what one customer is given of those at a time */
    KEPT_MOST = 4096      /* by one customer: some 100 KB of their entry; whatever they bring beyond goes to others */
};

void keeping_finish(struct keeping *keeping)
{
    free(keeping->estate);
    free(keeping->strays.items);
}

/* --- values and names --- */

/* Names are of tuples where no kind of them is for the value alone. */
static struct packed_name name_of(struct dimensions *dimensions, const struct value *value)
{
    const struct strings *strings = value->strings;
    uint32_t number = value->number;
    struct tuple tuple = {.channel = NO_CHANNEL};
    if (strings == &dimensions->teams)
        return (struct packed_name){number, NAME_TEAM};
    if (strings == &dimensions->segments)
        return (struct packed_name){number, NAME_SEGMENT};
    if (strings == &dimensions->currencies)
        return (struct packed_name){number, NAME_CURRENCY};
    if (strings == &dimensions->campaigns)
        return (struct packed_name){number, NAME_CAMPAIGN};
    if (strings == &dimensions->topics)
        return (struct packed_name){dimensions_topic_set_uncapped(dimensions, &strings->items[number], 1), NAME_TOPIC_SET};
    if (strings == &dimensions->products)
        tuple.product = number;
    else if (strings == &dimensions->regions)
        tuple.region = number;
    else if (strings == &dimensions->sources)
        tuple.source = number;
    else
        tuple.attributes[strings - dimensions->attributes] = number;
    return (struct packed_name){dimensions_number(dimensions, &tuple), NAME_TUPLE};
}

static void tuple_is_kept(struct dimensions *dimensions, const struct tuple *tuple)
{
    dimensions->products.is_kept[tuple->product] = true;
    dimensions->segments.is_kept[tuple->segment] = true;
    dimensions->regions.is_kept[tuple->region] = true;
    dimensions->sources.is_kept[tuple->source] = true;
    for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
        dimensions->attributes[i].is_kept[tuple->attributes[i]] = true;
}

void keeping_is_kept(struct dimensions *dimensions, const struct packed_name *name)
{
    uint32_t topics[TOPIC_SET_MAX];
    switch ((enum name_kind)name->kind) {
    case NAME_TUPLE: tuple_is_kept(dimensions, &dimensions->tuples[name->number]); break;
    case NAME_TEAM: dimensions->teams.is_kept[name->number] = true; break;
    case NAME_SEGMENT: dimensions->segments.is_kept[name->number] = true; break;
    case NAME_CURRENCY: dimensions->currencies.is_kept[name->number] = true; break;
    case NAME_CAMPAIGN: dimensions->campaigns.is_kept[name->number] = true; break;
    case NAME_TOPIC_SET:
        for (size_t left = dimensions_topics(dimensions, name->number, topics); left > 0; left--)
            dimensions->topics.is_kept[topics[left - 1]] = true;
        break;
    case NAME_KIND_COUNT: break;
    }
}

/* --- keeping --- */

static void keep(struct customer *customer, const struct packed_name *name)
{
    customer->kept = room_array_grow(&customer->room, customer->kept, customer->kept_count, sizeof *customer->kept);
    customer->kept[customer->kept_count++] = *name;
}

static bool is_full(const struct customer *customer)
{
    return customer->kept_count >= KEPT_MOST;
}

static void keep_value(struct journey_task *task, struct customer *customer, const struct value *value)
{
    struct packed_name name = name_of(&task->dimensions, value);
    keep(customer, &name);
}

static void strays_find(struct values *strays, struct strings *strings)
{
    for (uint32_t number = 1; number < strings->count; number++) {
        if (strings->is_kept[number] || number == strings->other)
            continue;
        strings->is_kept[number] = true;
        values_add(strays, strings, number);
    }
}

static void strays_find_all(struct keeping *keeping, struct dimensions *dimensions)
{
    struct strings *const all[] = {&dimensions->products, &dimensions->segments, &dimensions->regions,   &dimensions->sources,
                                   &dimensions->teams,    &dimensions->topics,   &dimensions->campaigns, &dimensions->currencies};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        strays_find(&keeping->strays, all[i]);
    for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
        strays_find(&keeping->strays, &dimensions->attributes[i]);
    keeping->has_loaded = false;
}

void keeping_take(struct journey_task *task, struct customer *customer, bool is_replay)
{
    struct values *unkept = &task->dimensions.unkept;
    struct keeping *keeping = &task->keeping;
    for (; unkept->count > 0; unkept->count--) {
        const struct value *value = &unkept->items[unkept->count - 1];
        if (is_full(customer))
            values_add(&keeping->strays, value->strings, value->number);
        else
            keep_value(task, customer, value);
    }
    keeping->has_strays |= keeping->strays.count > 0;
    if (is_replay)
        return; /* who kept them may be yet to come */
    if (keeping->has_loaded)
        strays_find_all(keeping, &task->dimensions);
    for (int left = STRAYS_TOGETHER; left > 0 && keeping->strays.count > 0 && !is_full(customer); left--)
        keep_value(task, customer, &keeping->strays.items[--keeping->strays.count]);
    keeping->has_strays = keeping->strays.count > 0;
}

void keeping_expect_strays(struct journey_task *task)
{
    task->keeping.has_loaded = task->keeping.has_strays = true;
}

/* --- estates --- */

void keeping_leave(struct journey_task *task, const struct customer *customer)
{
    struct keeping *keeping = &task->keeping;
    for (uint32_t i = 0; i < customer->kept_count; i++) {
        keeping->estate = GROWN(keeping->estate, keeping->estate_count, keeping->estate_capacity);
        keeping->estate[keeping->estate_count++] = customer->kept[i];
    }
}

bool keeping_wants_heir(void *context)
{
    const struct journey_task *task = context;
    return task->keeping.estate_count > 0;
}

void keeping_inherit(struct journey_task *task, struct entry *entry)
{
    struct keeping *keeping = &task->keeping;
    if (keeping->estate_count == 0)
        return;
    struct customer *customer = customer_wake(task, entry);
    while (keeping->estate_count > 0 && !is_full(customer))
        keep(customer, &keeping->estate[--keeping->estate_count]);
}
