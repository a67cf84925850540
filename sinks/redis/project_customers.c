/* Customers in Redis: one snapshot hash, fed by two topics with fields of their own each (so that neither can overwrite what
 * the other knows better), and the latest touchpoints as a stream. */
#include "base/json_writer.h"
#include "schemas/json_form.h"
#include "sinks/redis/projection.h"

static const struct view NOTHING = {NULL, 0};

/* What the two topics write, besides customer_id, which both do. Of who is forgotten each takes away its own: when both are read again from their
 * beginnings, the word of one may come when the other is already telling of one who has come back. The tombstone takes the other's as well, if it is
 * of before. */
static const char *const enriched_fields[] = {"stage", "events", "orders", "open_ticket_count", "mean_sentiment", "last_nps", "last_csat", "last_ces",
                                              "first_seen_at", "last_touchpoint_at", "churn_risk", "hot_score"};
static const char *const journey_fields[] = {"last_seen_at", "stage_since_at", "spent", "open_tickets", "open_cases", "loyalty_member", "renews_at",
                                             "preferred_channel", "segment"};

/* KEYS: ts:customer:ID, ts:journey:ID. ARGV: what was last touched later stays; fields. */
static const char forget_script[] =
    "if tonumber(redis.call('HGET', KEYS[1], 'last_touchpoint_at') or 0) > tonumber(ARGV[1]) then return end\n"
    "redis.call('HDEL', KEYS[1], unpack(ARGV, 2))\n"
    "if #KEYS == 2 then redis.call('DEL', KEYS[2]) end\n"
    "if redis.call('HLEN', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end";

enum { ENRICHED_FIELDS = sizeof enriched_fields / sizeof *enriched_fields, JOURNEY_FIELDS = sizeof journey_fields / sizeof *journey_fields };

static void forget_enriched(struct projection *projection, struct view customer_id, int64_t until_ms)
{
    struct resp *commands = &projection->commands;
    resp_command(commands, 6 + ENRICHED_FIELDS, "EVAL");
    resp_text(commands, forget_script);
    resp_text(commands, "2");
    resp_key(commands, projection->prefix, "customer", customer_id);
    resp_key(commands, projection->prefix, "journey", customer_id);
    resp_integer(commands, until_ms);
    for (size_t i = 0; i < ENRICHED_FIELDS; i++)
        resp_text(commands, enriched_fields[i]);
}

static void forget_journey(struct projection *projection, struct view customer_id)
{
    struct resp *commands = &projection->commands;
    resp_command(commands, 5 + JOURNEY_FIELDS, "EVAL");
    resp_text(commands, forget_script);
    resp_text(commands, "1");
    resp_key(commands, projection->prefix, "customer", customer_id);
    resp_integer(commands, INT64_MAX);
    for (size_t i = 0; i < JOURNEY_FIELDS; i++)
        resp_text(commands, journey_fields[i]);
}

enum { ENTRY_ARGUMENTS = 3 + 2 * 3 };

/* What XADD has after its key. */
static void add_entry(struct projection *projection, const struct enriched_touchpoint *enriched)
{
    struct resp *commands = &projection->commands;
    bytes_clear(&projection->scratch);
    record_to_json(&projection->scratch, &enriched_touchpoint_shape, enriched);
    resp_text(commands, "MAXLEN");
    resp_integer(commands, projection->settings->journey_entries_max);
    resp_text(commands, "*");
    resp_field(commands, "type", view_of_text(touchpoint_body_kind_name(enriched->touch.body_kind)));
    resp_field_integer(commands, "occurred_at", true, enriched->touch.occurred_at_ms);
    resp_field(commands, "json", bytes_view(&projection->scratch));
}

static void add_to_journey(struct projection *projection, const struct enriched_touchpoint *enriched)
{
    struct resp *commands = &projection->commands;
    resp_command(commands, 2 + ENTRY_ARGUMENTS, "XADD");
    resp_key(commands, projection->prefix, "journey", enriched->touch.customer_id);
    add_entry(projection, enriched);
}

/* KEYS: ts:forgotten, ts:journey:REFERRER, ts:referrers:REFERRED, ts:referred:REFERRER. ARGV: both of them, when it was received, and an
 * entry. */
static const char referral_script[] =
    "local forgotten = redis.call('ZSCORE', KEYS[1], redis.sha1hex(ARGV[2]))\n"
    "if forgotten and tonumber(ARGV[3]) <= tonumber(forgotten) then return end\n"
    "redis.call('XADD', KEYS[2], unpack(ARGV, 4))\n"
    "redis.call('SADD', KEYS[3], ARGV[1])\n"
    "redis.call('SADD', KEYS[4], ARGV[2])";

/* It names somebody else: whose journey does is kept for forgotten.c. Their partitions know nothing of each other, so who is named may be
 * forgotten already. */
static void add_referral(struct projection *projection, const struct enriched_touchpoint *enriched)
{
    struct resp *commands = &projection->commands;
    struct view referrer = enriched->touch.customer_id, referred = enriched->touch.body.referral_made.referred_customer_id;
    resp_command(commands, 10 + ENTRY_ARGUMENTS, "EVAL");
    resp_text(commands, referral_script);
    resp_text(commands, "4");
    resp_key(commands, projection->prefix, FORGOTTEN_WHEN, NOTHING);
    resp_key(commands, projection->prefix, "journey", referrer);
    resp_key(commands, projection->prefix, "referrers", referred);
    resp_key(commands, projection->prefix, "referred", referrer);
    resp_view(commands, referrer);
    resp_view(commands, referred);
    resp_integer(commands, enriched->touch.received_at_ms);
    add_entry(projection, enriched);
}

/* Of who never comes back nothing would leave otherwise. */
static void journey_keep(struct projection *projection, struct view customer_id)
{
    resp_command(&projection->commands, 3, "PEXPIREAT");
    resp_key(&projection->commands, projection->prefix, "journey", customer_id);
    resp_integer(&projection->commands, projection->now_ms + projection->settings->journey_kept_ms);
}

/* Until when what is told of them is of who was forgotten. A forgetting may be dated back; it was not known before it was received. */
static int64_t forgotten_at_ms(const struct touchpoint *touch)
{
    return touch->occurred_at_ms > touch->received_at_ms ? touch->occurred_at_ms : touch->received_at_ms;
}

static void project_forgotten(struct projection *projection, const struct touchpoint *touch)
{
    forget_enriched(projection, touch->customer_id, INT64_MAX);
    forgotten_note_customer(projection, touch->customer_id, forgotten_at_ms(touch));
}

void project_enriched(struct projection *projection, const struct enriched_touchpoint *enriched)
{
    if (enriched->touch.body_kind == TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN) {
        project_forgotten(projection, &enriched->touch);
        return;
    }
    struct resp *commands = &projection->commands;
    const struct customer_snapshot *customer = &enriched->customer;
    if (enriched->touch.body_kind == TOUCHPOINT_BODY_REFERRAL_MADE)
        add_referral(projection, enriched);
    else
        add_to_journey(projection, enriched);
    if (projection->is_superseded)
        return;
    journey_keep(projection, enriched->touch.customer_id);
    resp_command(commands, 2 + 2 * 13, "HSET");
    resp_key(commands, projection->prefix, "customer", enriched->touch.customer_id);
    resp_field(commands, "customer_id", enriched->touch.customer_id);
    resp_field(commands, "stage", view_of_text(stage_name(enriched->stage)));
    resp_field_integer(commands, "events", true, customer->events);
    resp_field_integer(commands, "orders", true, customer->orders);
    resp_field_integer(commands, "open_ticket_count", true, customer->open_tickets);
    resp_field_decimal(commands, "mean_sentiment", customer->has_mean_sentiment, customer->mean_sentiment);
    resp_field_integer(commands, "last_nps", customer->has_last_nps, customer->last_nps);
    resp_field_integer(commands, "last_csat", customer->has_last_csat, customer->last_csat);
    resp_field_integer(commands, "last_ces", customer->has_last_ces, customer->last_ces);
    resp_field_integer(commands, "first_seen_at", true, customer->first_seen_at_ms);
    resp_field_integer(commands, "last_touchpoint_at", true, enriched->touch.occurred_at_ms);
    resp_field_decimal(commands, "churn_risk", true, enriched->churn_risk);
    resp_field_decimal(commands, "hot_score", true, enriched->hot_score);
}

static struct view list_json(struct projection *projection, const struct journey *journey, int which)
{
    bytes_clear(&projection->scratch);
    struct json_writer json = json_writer_on(&projection->scratch);
    size_t count = which == 0 ? journey->spent.count : which == 1 ? journey->open_tickets.count : journey->open_cases.count;
    json_open_array(&json);
    for (size_t i = 0; i < count; i++) {
        struct bytes item = {0};
        if (which == 2)
            json_write_text(&json, journey->open_cases.items[i]);
        else if (which == 1)
            record_to_json(&item, &journey_open_ticket_shape, &journey->open_tickets.items[i]);
        else
            record_to_json(&item, &journey_spending_shape, &journey->spent.items[i]);
        if (which != 2)
            json_write_raw(&json, bytes_view(&item));
        bytes_finish(&item);
    }
    json_close_array(&json);
    return bytes_view(&projection->scratch);
}

void project_journey(struct projection *projection, const struct journey *journey)
{
    struct resp *commands = &projection->commands;
    resp_command(commands, 2 + 2 * 10, "HSET");
    resp_key(commands, projection->prefix, "customer", journey->customer_id);
    resp_field(commands, "customer_id", journey->customer_id);
    resp_field_integer(commands, "last_seen_at", true, journey->last_seen_at_ms);
    resp_field_integer(commands, "stage_since_at", true, journey->stage_since_at_ms);
    resp_field(commands, "spent", list_json(projection, journey, 0));
    resp_field(commands, "open_tickets", list_json(projection, journey, 1));
    resp_field(commands, "open_cases", list_json(projection, journey, 2));
    resp_field(commands, "loyalty_member", journey->loyalty_member ? VIEW_LITERAL("true") : VIEW_LITERAL("false"));
    resp_field_integer(commands, "renews_at", journey->has_renews_at, journey->renews_at_ms);
    resp_field(commands, "preferred_channel",
               journey->has_preferred_channel ? view_of_text(channel_name(journey->preferred_channel)) : NOTHING);
    resp_field(commands, "segment", journey->segment);
}

/* Whom journey.kept forgets, nothing but this tells of. */
void project_journey_gone(struct projection *projection, struct view customer_id, int64_t at_ms)
{
    forget_journey(projection, customer_id);
    forget_enriched(projection, customer_id, at_ms);
    forgotten_note_customer(projection, customer_id, at_ms);
}
