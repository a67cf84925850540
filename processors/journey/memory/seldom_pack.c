/* What few customers have: subscriptions, campaigns, visits, referrals, loyalty, earlier stretches of activity. */
#include "processors/journey/memory/customer_pack.h"

static void subscription_pack(struct packing *packing, const struct subscription_event *change)
{
    pack_moment(packing, &change->moment);
    pack_word(&packing->body, change->identity);
    pack_name(packing, NAME_TUPLE, change->tuple);
    pack_number(packing, change->action);
    pack_number(packing, change->stage);
    pack_number(packing, change->has_term);
    pack_time(packing, change->term_ends_at_ms);
    pack_time(packing, change->next_at_ms);
}

static void subscription_unpack(struct packing *packing, struct subscription_event *change)
{
    change->moment = unpack_moment(packing);
    change->identity = unpack_word(&packing->in);
    change->tuple = unpack_name(packing, NAME_TUPLE);
    change->action = (uint8_t)unpack_number(packing);
    change->stage = (uint8_t)unpack_number(packing);
    change->has_term = unpack_number(packing) != 0;
    change->term_ends_at_ms = unpack_time(packing);
    change->next_at_ms = unpack_time(packing);
}

static void unit_pack(struct packing *packing, const struct engagement_unit *unit)
{
    pack_word(&packing->body, unit->identity);
    pack_number(packing, unit->is_delivered);
    if (unit->is_delivered)
        pack_moment(packing, &unit->delivered);
    pack_name(packing, NAME_TUPLE, unit->tuple);
    pack_name(packing, NAME_CAMPAIGN, unit->campaign);
    pack_number(packing, unit->kind);
    pack_time(packing, unit->opened_at_ms);
    pack_time(packing, unit->clicked_at_ms);
}

static void unit_unpack(struct packing *packing, struct engagement_unit *unit)
{
    unit->identity = unpack_word(&packing->in);
    unit->is_delivered = unpack_number(packing) != 0;
    if (unit->is_delivered)
        unit->delivered = unpack_moment(packing);
    unit->tuple = unpack_name(packing, NAME_TUPLE);
    unit->campaign = unpack_name(packing, NAME_CAMPAIGN);
    unit->kind = (uint8_t)unpack_number(packing);
    unit->opened_at_ms = unpack_time(packing);
    unit->clicked_at_ms = unpack_time(packing);
}

static void visit_pack(struct packing *packing, const struct visit *visit)
{
    pack_moment(packing, &visit->moment);
    pack_word(&packing->body, visit->visit);
    pack_word(&packing->body, visit->ticket);
    pack_name(packing, NAME_TUPLE, visit->tuple);
    pack_number(packing, visit->stage);
    pack_number(packing, visit->is_fixed);
    pack_time(packing, visit->next_at_ms);
}

static void visit_unpack(struct packing *packing, struct visit *visit)
{
    visit->moment = unpack_moment(packing);
    visit->visit = unpack_word(&packing->in);
    visit->ticket = unpack_word(&packing->in);
    visit->tuple = unpack_name(packing, NAME_TUPLE);
    visit->stage = (uint8_t)unpack_number(packing);
    visit->is_fixed = unpack_number(packing) != 0;
    visit->next_at_ms = unpack_time(packing);
}

void seldom_pack(struct packing *packing, const struct seldom *seldom)
{
    pack_number(packing, seldom->subscription_count);
    for (uint32_t i = 0; i < seldom->subscription_count; i++)
        subscription_pack(packing, &seldom->subscriptions[i]);
    pack_number(packing, seldom->unit_count);
    for (uint32_t i = 0; i < seldom->unit_count; i++)
        unit_pack(packing, &seldom->units[i]);
    pack_number(packing, seldom->visit_count);
    for (uint32_t i = 0; i < seldom->visit_count; i++)
        visit_pack(packing, &seldom->visits[i]);
    pack_number(packing, seldom->referral_count);
    for (uint32_t i = 0; i < seldom->referral_count; i++) {
        pack_word(&packing->body, seldom->referrals[i].person);
        pack_time(packing, seldom->referrals[i].at_ms);
    }
    pack_number(packing, seldom->older_span_count);
    for (uint32_t i = 0; i < seldom->older_span_count; i++) {
        pack_time(packing, seldom->older_spans[i].first_ms);
        pack_time(packing, seldom->older_spans[i].last_ms);
    }
    pack_number(packing, (unsigned)seldom->has_loyalty | (unsigned)seldom->is_member << 1);
    if (seldom->has_loyalty)
        pack_moment(packing, &seldom->loyalty_changed);
}

static void relations_unpack(struct packing *packing, struct seldom *seldom)
{
    seldom->referral_count = unpack_count(&packing->in, 9);
    seldom->referrals = room_array_sized(packing->room, seldom->referral_count, sizeof *seldom->referrals);
    for (uint32_t i = 0; i < seldom->referral_count; i++) {
        seldom->referrals[i].person = unpack_word(&packing->in);
        seldom->referrals[i].at_ms = unpack_time(packing);
    }
    seldom->older_span_count = unpack_count(&packing->in, 2);
    seldom->older_spans = room_array_sized(packing->room, seldom->older_span_count, sizeof *seldom->older_spans);
    for (uint32_t i = 0; i < seldom->older_span_count; i++) {
        seldom->older_spans[i].first_ms = unpack_time(packing);
        seldom->older_spans[i].last_ms = unpack_time(packing);
    }
    uint64_t flags = unpack_number(packing);
    seldom->has_loyalty = flags & 1;
    seldom->is_member = flags >> 1 & 1;
    if (seldom->has_loyalty)
        seldom->loyalty_changed = unpack_moment(packing);
}

void seldom_unpack(struct packing *packing, struct seldom *seldom)
{
    seldom->subscription_count = unpack_count(&packing->in, 14);
    seldom->subscriptions = room_array_sized(packing->room, seldom->subscription_count, sizeof *seldom->subscriptions);
    for (uint32_t i = 0; i < seldom->subscription_count; i++)
        subscription_unpack(packing, &seldom->subscriptions[i]);
    seldom->unit_count = unpack_count(&packing->in, 12);
    seldom->units = room_array_sized(packing->room, seldom->unit_count, sizeof *seldom->units);
    for (uint32_t i = 0; i < seldom->unit_count; i++)
        unit_unpack(packing, &seldom->units[i]);
    seldom->visit_count = unpack_count(&packing->in, 20);
    seldom->visits = room_array_sized(packing->room, seldom->visit_count, sizeof *seldom->visits);
    for (uint32_t i = 0; i < seldom->visit_count; i++)
        visit_unpack(packing, &seldom->visits[i]);
    relations_unpack(packing, seldom);
}
