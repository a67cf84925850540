/* What few customers have: subscriptions, campaigns, visits, referrals, loyalty, earlier stretches of activity. */
#include "processors/journey/memory/customer_pack.h"

static void subscription_pack(struct packing *packing, const struct subscription_event *change)
{
    char *at = pack_moment(packing, packing_open(packing), &change->moment);
    at = packed_put_word(at, change->identity);
    pack_name(packing, NAME_TUPLE, change->tuple);
    at = packed_put_byte(at, change->action);
    at = packed_put_byte(at, change->stage);
    at = packed_put_byte(at, change->has_term);
    at = pack_time(packing, at, change->term_ends_at_ms);
    at = pack_time(packing, at, change->next_at_ms);
    packing_close(packing, at);
}

static void subscription_unpack(struct packing *packing, struct unpack *in, struct subscription_event *change)
{
    change->moment = unpack_moment(packing, in);
    change->identity = unpack_word(in);
    change->tuple = unpack_name(packing, NAME_TUPLE);
    change->action = unpack_byte(in);
    change->stage = unpack_byte(in);
    change->has_term = unpack_byte(in) != 0;
    change->term_ends_at_ms = unpack_time(packing, in);
    change->next_at_ms = unpack_time(packing, in);
}

static void unit_pack(struct packing *packing, const struct engagement_unit *unit)
{
    char *at = packed_put_word(packing_open(packing), unit->identity);
    at = packed_put_byte(at, unit->is_delivered);
    if (unit->is_delivered)
        at = pack_moment(packing, at, &unit->delivered);
    pack_name(packing, NAME_TUPLE, unit->tuple);
    pack_name(packing, NAME_CAMPAIGN, unit->campaign);
    at = packed_put_byte(at, unit->kind);
    at = pack_time(packing, at, unit->opened_at_ms);
    at = pack_time(packing, at, unit->clicked_at_ms);
    packing_close(packing, at);
}

static void unit_unpack(struct packing *packing, struct unpack *in, struct engagement_unit *unit)
{
    unit->identity = unpack_word(in);
    unit->is_delivered = unpack_byte(in) != 0;
    if (unit->is_delivered)
        unit->delivered = unpack_moment(packing, in);
    unit->tuple = unpack_name(packing, NAME_TUPLE);
    unit->campaign = unpack_name(packing, NAME_CAMPAIGN);
    unit->kind = unpack_byte(in);
    unit->opened_at_ms = unpack_time(packing, in);
    unit->clicked_at_ms = unpack_time(packing, in);
}

static void visit_pack(struct packing *packing, const struct visit *visit)
{
    char *at = pack_moment(packing, packing_open(packing), &visit->moment);
    at = packed_put_word(at, visit->visit);
    at = packed_put_word(at, visit->ticket);
    pack_name(packing, NAME_TUPLE, visit->tuple);
    at = packed_put_byte(at, visit->stage);
    at = packed_put_byte(at, visit->is_fixed);
    at = pack_time(packing, at, visit->next_at_ms);
    packing_close(packing, at);
}

static void visit_unpack(struct packing *packing, struct unpack *in, struct visit *visit)
{
    visit->moment = unpack_moment(packing, in);
    visit->visit = unpack_word(in);
    visit->ticket = unpack_word(in);
    visit->tuple = unpack_name(packing, NAME_TUPLE);
    visit->stage = unpack_byte(in);
    visit->is_fixed = unpack_byte(in) != 0;
    visit->next_at_ms = unpack_time(packing, in);
}

static void relations_pack(struct packing *packing, const struct seldom *seldom)
{
    char *at = packed_put(packing_open(packing), seldom->referral_count);
    for (uint32_t i = 0; i < seldom->referral_count; i++) {
        at = packed_put_word(at, seldom->referrals[i].person);
        at = packing_more(packing, pack_time(packing, at, seldom->referrals[i].at_ms));
    }
    at = packed_put(at, seldom->older_span_count);
    for (uint32_t i = 0; i < seldom->older_span_count; i++) {
        at = pack_time(packing, at, seldom->older_spans[i].first_ms);
        at = packing_more(packing, pack_time(packing, at, seldom->older_spans[i].last_ms));
    }
    at = packed_put_byte(at, (unsigned)seldom->has_loyalty | (unsigned)seldom->is_member << 1);
    if (seldom->has_loyalty)
        at = pack_moment(packing, at, &seldom->loyalty_changed);
    packing_close(packing, at);
}

static void relations_unpack(struct packing *packing, struct unpack *in, struct seldom *seldom)
{
    seldom->referral_count = unpack_count(in, 9);
    seldom->referrals = room_array_sized(packing->room, seldom->referral_count, sizeof *seldom->referrals);
    for (uint32_t i = 0; i < seldom->referral_count; i++) {
        seldom->referrals[i].person = unpack_word(in);
        seldom->referrals[i].at_ms = unpack_time(packing, in);
    }
    seldom->older_span_count = unpack_count(in, 2);
    seldom->older_spans = room_array_sized(packing->room, seldom->older_span_count, sizeof *seldom->older_spans);
    for (uint32_t i = 0; i < seldom->older_span_count; i++) {
        seldom->older_spans[i].first_ms = unpack_time(packing, in);
        seldom->older_spans[i].last_ms = unpack_time(packing, in);
    }
    uint8_t flags = unpack_byte(in);
    seldom->has_loyalty = flags & 1;
    seldom->is_member = flags >> 1 & 1;
    if (seldom->has_loyalty)
        seldom->loyalty_changed = unpack_moment(packing, in);
}

void seldom_pack(struct packing *packing, const struct seldom *seldom)
{
    pack_unsigned(&packing->body, seldom->subscription_count);
    for (uint32_t i = 0; i < seldom->subscription_count; i++)
        subscription_pack(packing, &seldom->subscriptions[i]);
    pack_unsigned(&packing->body, seldom->unit_count);
    for (uint32_t i = 0; i < seldom->unit_count; i++)
        unit_pack(packing, &seldom->units[i]);
    pack_unsigned(&packing->body, seldom->visit_count);
    for (uint32_t i = 0; i < seldom->visit_count; i++)
        visit_pack(packing, &seldom->visits[i]);
    relations_pack(packing, seldom);
}

void seldom_unpack(struct packing *packing, struct seldom *seldom)
{
    struct unpack in = packing->in;
    seldom->subscription_count = unpack_count(&in, 14);
    seldom->subscriptions = room_array_sized(packing->room, seldom->subscription_count, sizeof *seldom->subscriptions);
    for (uint32_t i = 0; i < seldom->subscription_count; i++)
        subscription_unpack(packing, &in, &seldom->subscriptions[i]);
    seldom->unit_count = unpack_count(&in, 5);
    seldom->units = room_array_sized(packing->room, seldom->unit_count, sizeof *seldom->units);
    for (uint32_t i = 0; i < seldom->unit_count; i++)
        unit_unpack(packing, &in, &seldom->units[i]);
    seldom->visit_count = unpack_count(&in, 20);
    seldom->visits = room_array_sized(packing->room, seldom->visit_count, sizeof *seldom->visits);
    for (uint32_t i = 0; i < seldom->visit_count; i++)
        visit_unpack(packing, &in, &seldom->visits[i]);
    relations_unpack(packing, &in, seldom);
    packing->in = in;
}
