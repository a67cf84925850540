#include "processors/journey/memory/persist.h"

#include "base/hash.h"
#include "base/memory.h"
#include "processors/journey/care/cases.h"
#include "processors/journey/forget.h"
#include "processors/journey/matters/subscriptions.h"
#include "processors/journey/matters/surveys.h"
#include "processors/journey/memory/customer_pack.h"
#include "processors/journey/memory/keeping.h"
#include "processors/journey/memory/resting.h"
#include "processors/journey/tickets/tickets.h"
#include "schemas/wire.h"

#include <stdlib.h>

enum { NAMING_SAID_MAX = 64 };

/* --- names as texts: numbers are a task's own --- */

/* Texts once each, then names that refer to them. */
struct naming {
    struct bytes texts, names;
    struct {
        const struct strings *table;
        uint32_t number;
    } said[NAMING_SAID_MAX]; /* the first texts: looked up, so that they are not said twice */
    uint32_t count;
};

static void text_refer(struct naming *naming, const struct strings *table, uint32_t number)
{
    if (number == 0) {
        pack_unsigned(&naming->names, 0);
        return;
    }
    for (uint32_t i = 0; i < naming->count && i < NAMING_SAID_MAX; i++) {
        if (naming->said[i].table == table && naming->said[i].number == number) {
            pack_unsigned(&naming->names, i + 1);
            return;
        }
    }
    if (naming->count < NAMING_SAID_MAX) {
        naming->said[naming->count].table = table;
        naming->said[naming->count].number = number;
    }
    pack_text(&naming->texts, strings_text(table, number));
    pack_unsigned(&naming->names, ++naming->count);
}

/* Region, source and attributes, which few configurations have in a rollup: with their names, since other attributes may be
 * configured when this is read. */
static void extras_refer(struct naming *naming, const struct dimensions *dimensions, const struct tuple *tuple)
{
    const struct rollup_plan *plan = dimensions->plan;
    bool has_extras = tuple->region || tuple->source;
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->attribute_count; i++)
        count += tuple->attributes[i] != 0;
    pack_unsigned(&naming->names, has_extras || count ? count + 1 : 0);
    if (!has_extras && count == 0)
        return;
    text_refer(naming, &dimensions->regions, tuple->region);
    text_refer(naming, &dimensions->sources, tuple->source);
    for (uint32_t i = 0; i < plan->attribute_count; i++) {
        if (tuple->attributes[i] == 0)
            continue;
        pack_text(&naming->names, view_of_text(plan->attributes[i]));
        text_refer(naming, &dimensions->attributes[i], tuple->attributes[i]);
    }
}

static void name_refer(struct naming *naming, const struct dimensions *dimensions, const struct packed_name *name)
{
    pack_unsigned(&naming->names, name->kind);
    switch ((enum name_kind)name->kind) {
    case NAME_TUPLE: {
        const struct tuple *tuple = &dimensions->tuples[name->number];
        pack_unsigned(&naming->names, tuple->channel);
        text_refer(naming, &dimensions->products, tuple->product);
        text_refer(naming, &dimensions->segments, tuple->segment);
        extras_refer(naming, dimensions, tuple);
        break;
    }
    case NAME_TEAM: text_refer(naming, &dimensions->teams, name->number); break;
    case NAME_SEGMENT: text_refer(naming, &dimensions->segments, name->number); break;
    case NAME_CURRENCY: text_refer(naming, &dimensions->currencies, name->number); break;
    case NAME_CAMPAIGN: text_refer(naming, &dimensions->campaigns, name->number); break;
    case NAME_TOPIC_SET: {
        uint32_t topics[TOPIC_SET_MAX];
        size_t count = dimensions_topics(dimensions, name->number, topics);
        pack_unsigned(&naming->names, count);
        for (size_t i = 0; i < count; i++)
            text_refer(naming, &dimensions->topics, topics[i]);
        break;
    }
    case NAME_KIND_COUNT: break;
    }
}

static void names_save(struct journey_task *task, struct bytes *out)
{
    struct naming *naming = task->naming ? task->naming : (task->naming = memory_zeroed(1, sizeof *naming));
    bytes_clear(&naming->texts);
    bytes_clear(&naming->names);
    naming->count = 0;
    struct packed_name name;
    while (unpacking_name_next(&task->packing, &name))
        name_refer(naming, &task->dimensions, &name);
    pack_unsigned(out, naming->count);
    bytes_append_view(out, bytes_view(&naming->texts));
    pack_unsigned(out, task->packing.name_count);
    bytes_append_view(out, bytes_view(&naming->names));
}

void naming_destroy(struct naming *naming)
{
    if (naming == NULL)
        return;
    bytes_finish(&naming->texts);
    bytes_finish(&naming->names);
    free(naming);
}

/* Texts of a checkpoint, while one is read. */
struct texts {
    struct view *items;
    uint32_t count;
    struct unpack *in;
};

static struct view text_referred(struct texts *texts)
{
    uint64_t place = unpack_unsigned(texts->in);
    if (place > 0 && place <= texts->count)
        return texts->items[place - 1];
    texts->in->has_failed |= place > 0;
    return view_of("", 0);
}

static void extras_read(struct texts *texts, struct dimensions *dimensions, struct tuple *tuple)
{
    uint64_t count = unpack_unsigned(texts->in);
    if (count == 0)
        return;
    tuple->region = strings_number_uncapped(&dimensions->regions, text_referred(texts));
    tuple->source = strings_number_uncapped(&dimensions->sources, text_referred(texts));
    for (uint64_t left = count - 1; left > 0 && !texts->in->has_failed; left--) {
        struct view name = unpack_text(texts->in), value = text_referred(texts);
        for (uint32_t i = 0; i < dimensions->plan->attribute_count; i++) {
            if (view_equal_text(name, dimensions->plan->attributes[i]))
                tuple->attributes[i] = strings_number_uncapped(&dimensions->attributes[i], value);
        }
    }
}

static uint32_t tuple_read(struct texts *texts, struct dimensions *dimensions)
{
    struct tuple tuple = {.channel = (uint32_t)unpack_unsigned(texts->in)};
    tuple.product = strings_number_uncapped(&dimensions->products, text_referred(texts));
    tuple.segment = strings_number_uncapped(&dimensions->segments, text_referred(texts));
    extras_read(texts, dimensions, &tuple);
    texts->in->has_failed |= tuple.channel != NO_CHANNEL && tuple.channel >= CHANNEL_COUNT;
    return texts->in->has_failed ? 0 : dimensions_number(dimensions, &tuple);
}

static uint32_t topics_read(struct texts *texts, struct dimensions *dimensions)
{
    struct view topics[TOPIC_SET_MAX];
    uint32_t count = unpack_count(texts->in, 1);
    texts->in->has_failed |= count > TOPIC_SET_MAX;
    for (uint32_t i = 0; i < count && !texts->in->has_failed; i++)
        topics[i] = text_referred(texts);
    return texts->in->has_failed ? 0 : dimensions_topic_set_uncapped(dimensions, topics, count);
}

static uint32_t name_read(struct texts *texts, struct dimensions *dimensions, uint64_t kind)
{
    switch (kind) {
    case NAME_TUPLE: return tuple_read(texts, dimensions);
    case NAME_TEAM: return strings_number_uncapped(&dimensions->teams, text_referred(texts));
    case NAME_SEGMENT: return strings_number_uncapped(&dimensions->segments, text_referred(texts));
    case NAME_CURRENCY: return strings_number_uncapped(&dimensions->currencies, text_referred(texts));
    case NAME_CAMPAIGN: return strings_number_uncapped(&dimensions->campaigns, text_referred(texts));
    case NAME_TOPIC_SET: return topics_read(texts, dimensions);
    default: texts->in->has_failed = true; return 0;
    }
}

/* The names of a checkpoint, as numbers of this task. */
static void names_load(struct journey_task *task, struct unpack *in, struct bytes *out)
{
    struct texts texts = {.count = unpack_count(in, 1), .in = in};
    texts.items = arena_alloc(&task->save_arena, (texts.count + 1) * sizeof *texts.items);
    for (uint32_t i = 0; i < texts.count; i++)
        texts.items[i] = unpack_text(in);
    struct packing *packing = &task->packing;
    bool is_kept = false;
    packing_names_begin(packing);
    for (uint32_t count = unpack_count(in, 2); count > 0 && !in->has_failed; count--) {
        uint64_t kind = unpack_unsigned(in);
        struct packed_name name = {name_read(&texts, &task->dimensions, kind), kind & 7};
        pack_name(packing, (enum name_kind)name.kind, name.number);
        if (is_kept)
            keeping_is_kept(&task->dimensions, &name);
        is_kept |= name.kind == NAME_KEPT_BEGIN.kind && name.number == NAME_KEPT_BEGIN.number;
    }
    keeping_expect_strays(task);
    packing_names_write(packing, out);
}

/* --- private bytes: version, timer, names, what is packed behind them, and a check of all that --- */

enum { CHECK_SIZE = 4 };

static uint32_t check_of(struct view bytes)
{
    return hash_murmur2(bytes);
}

static void private_save(struct journey_task *task, struct view packed, int64_t timer_at_ms, struct bytes *out)
{
    struct unpack in = {(const unsigned char *)packed.data, (const unsigned char *)packed.data + packed.size, false};
    pack_unsigned(out, PERSIST_VERSION);
    pack_unsigned(out, timer_at_ms == TIMER_NEVER ? 0 : packed_zigzag(timer_at_ms) + 1);
    unpacking_names(&task->packing, &in);
    names_save(task, out);
    bytes_append(out, in.at, (size_t)(in.end - in.at));
    uint32_t check = check_of(bytes_view(out));
    bytes_append(out, &check, sizeof check);
}

static bool private_load(struct journey_task *task, struct entry *entry, struct view bytes)
{
    struct unpack in = {(const unsigned char *)bytes.data, (const unsigned char *)bytes.data + bytes.size - CHECK_SIZE, false};
    uint32_t check;
    if (bytes.size < CHECK_SIZE || unpack_unsigned(&in) != PERSIST_VERSION)
        return false;
    memcpy(&check, bytes.data + bytes.size - CHECK_SIZE, sizeof check);
    if (check != check_of(view_of(bytes.data, bytes.size - CHECK_SIZE)))
        return false;
    uint64_t timer = unpack_unsigned(&in);
    entry->timer_at_ms = timer ? packed_unzigzag(timer - 1) : TIMER_NEVER;
    bytes_clear(&task->save_bytes);
    names_load(task, &in, &task->save_bytes);
    bytes_append(&task->save_bytes, in.at, (size_t)(in.end - in.at));
    if (!in.has_failed)
        resting_set(task, entry, bytes_view(&task->save_bytes));
    return !in.has_failed;
}

/* --- the public record --- */

static void tickets_describe(struct journey_task *task, const struct customer *customer, struct journey *out, struct arena *arena)
{
    out->open_tickets.items = arena_zeroed(arena, (size_t)customer->open_ticket_count + 1, sizeof *out->open_tickets.items);
    for (uint32_t i = 0; i < customer->ticket_count && out->open_tickets.count < customer->open_ticket_count; i++) {
        const struct ticket *ticket = &customer->tickets[i];
        struct ticket_state state;
        if (ticket->id == NULL)
            continue;
        ticket_state_at(task, ticket, INT64_MAX, &state);
        struct view team = strings_sent_text(&task->dimensions.teams, state.team);
        out->open_tickets.items[out->open_tickets.count++] =
            (struct journey_open_ticket){.ticket_id = view_of_text(ticket->id),
                                         .team = team.size ? team : (struct view){NULL, 0},
                                         .has_priority = state.priority != NO_DETAIL,
                                         .priority = state.priority != NO_DETAIL ? (enum priority)state.priority : PRIORITY_LOW,
                                         .opened_at_ms = state.opened_at_ms,
                                         .has_due_at = true,
                                         .due_at_ms = state.resolution_due_ms,
                                         .handoffs = (int32_t)state.handoffs};
    }
}

static void spending_describe(struct journey_task *task, const struct cohort *cohort, struct journey *out, struct arena *arena)
{
    out->orders = (int32_t)cohort->order_count;
    out->spent.items = arena_zeroed(arena, (size_t)cohort->spent_count + 1, sizeof *out->spent.items);
    out->spent.count = cohort->spent_count;
    for (uint32_t i = 0; i < cohort->spent_count; i++)
        out->spent.items[i] =
            (struct journey_spending){.currency = strings_text(&task->dimensions.currencies, cohort->spent[i].currency),
                                      .amount_minor = cohort->spent[i].amount_minor};
}

static void scores_describe(const struct customer *customer, struct journey *out)
{
    int nps = surveys_last_score(customer, SURVEY_KIND_NPS), csat = surveys_last_score(customer, SURVEY_KIND_CSAT);
    int ces = surveys_last_score(customer, SURVEY_KIND_CES);
    out->has_last_nps = nps >= 0;
    out->last_nps = nps;
    out->has_last_csat = csat >= 0;
    out->last_csat = csat;
    out->has_last_ces = ces >= 0;
    out->last_ces = ces;
    out->has_mean_sentiment = customer->sentiment_count > 0;
    if (out->has_mean_sentiment)
        out->mean_sentiment = (double)customer->sentiment_sum / KPI_SENTIMENT_SCALE / customer->sentiment_count;
}

static void cases_describe(const struct customer *customer, struct journey *out, struct arena *arena)
{
    const struct care *care = customer->care;
    out->churn_risk = customer->churn_thousandths / 1000.0;
    if (care == NULL)
        return;
    out->open_cases.items = arena_zeroed(arena, (size_t)care->case_count + 1, sizeof *out->open_cases.items);
    for (uint32_t i = 0; i < care->case_count; i++) {
        char id[UUID_TEXT_SIZE + 1];
        uuid_format(&care->cases[i].id, id);
        if (case_is_live((enum alert_state)care->cases[i].state))
            out->open_cases.items[out->open_cases.count++] = arena_copy(arena, view_of(id, UUID_TEXT_SIZE));
    }
}

static void journey_describe(struct journey_task *task, const struct customer *customer, struct journey *out, struct arena *arena)
{
    out->first_seen_at_ms = customer_first_seen_ms(customer);
    out->last_seen_at_ms = customer_last_seen_ms(customer);
    out->stage = (enum stage)customer->stage;
    out->stage_since_at_ms = customer->stage_since_at_ms;
    out->events = (int64_t)customer->events;
    out->loyalty_member = customer->seldom && customer->seldom->is_member;
    int64_t renews_at_ms = subscriptions_renew_at_ms(customer);
    out->has_renews_at = renews_at_ms != NEVER_MS;
    out->renews_at_ms = out->has_renews_at ? renews_at_ms : 0;
    struct view segment = strings_sent_text(&task->dimensions.segments, customer->segment);
    out->segment = segment.size ? segment : (struct view){NULL, 0};
    if (customer->cohort)
        spending_describe(task, customer->cohort, out, arena);
    tickets_describe(task, customer, out, arena);
    out->has_preferred_channel = customer_preferred_channel(customer, &out->preferred_channel);
    scores_describe(customer, out);
    cases_describe(customer, out, arena);
}

/* For somebody at rest task->guest is filled; clear it afterwards. */
static const struct customer *customer_look(struct journey_task *task, const struct entry *entry, struct view *packed)
{
    static const struct customer nobody; /* an entry whose only record was parked */
    const struct customer *customer = entry->state ? entry->state : &nobody;
    if (entry->state && customer_is_resting(entry)) {
        *packed = resting_bytes(entry);
        customer_unpack(&task->packing, *packed, task->guest);
        return task->guest;
    }
    bytes_clear(&task->pack_bytes);
    customer_pack(&task->packing, customer, &task->pack_bytes);
    *packed = bytes_view(&task->pack_bytes);
    return customer;
}

/* That nothing more is heard of them is no deadline to be kept: it follows from the settings of whoever reads this. */
static int64_t deadline_of(const struct journey_task *task, const struct entry *entry, const struct customer *customer)
{
    bool is_lapse = customer->has_activity && entry->timer_at_ms == forget_lapse_ms(task, customer->activity.last_ms);
    return is_lapse ? TIMER_NEVER : entry->timer_at_ms;
}

void persist_save(struct journey_task *task, struct entry *entry, struct bytes *value)
{
    keeping_inherit(task, entry);
    struct view packed;
    struct arena *arena = &task->save_arena;
    struct bytes *private = &task->save_bytes;
    bytes_clear(private);
    struct journey journey = {.customer_id = entry_key(entry), .applied_offset = entry->applied_offset};
    const struct customer *customer = customer_look(task, entry, &packed);
    private_save(task, packed, deadline_of(task, entry, customer), private);
    journey_describe(task, customer, &journey, arena);
    journey.private = bytes_view(private);
    wire_begin(value, task->shared->ids.journey);
    journey_encode(value, &journey);
    arena_reset(arena);
    customer_clear(task->guest);
}

bool persist_load(struct journey_task *task, struct entry *entry, struct view value)
{
    uint32_t schema_id;
    struct view avro;
    struct journey journey;
    bool is_read = wire_split(value, &schema_id, &avro) && journey_decode(&journey, avro, &task->save_arena) &&
                   private_load(task, entry, journey.private);
    if (is_read)
        entry->applied_offset = journey.applied_offset;
    if (is_read && journey.last_seen_at_ms > 0 && entry->timer_at_ms == TIMER_NEVER)
        entry->timer_at_ms = forget_lapse_ms(task, journey.last_seen_at_ms);
    arena_reset(&task->save_arena);
    return is_read;
}
