#include "processors/journey/matters/engagement.h"

uint64_t engagement_identity(const struct message_engaged *engaged)
{
    return identity_of_pair(view_of_text(message_kind_name(engaged->kind)), engaged->campaign);
}

struct engagement_unit *engagement_find(const struct customer *customer, uint64_t identity)
{
    struct seldom *seldom = customer->seldom;
    for (uint32_t i = seldom ? seldom->unit_count : 0; i > 0; i--) {
        if (seldom->units[i - 1].identity == identity)
            return &seldom->units[i - 1];
    }
    return NULL;
}

static struct engagement_unit *unit_open(struct journey_task *task, struct customer *customer,
                                         const struct message_engaged *engaged)
{
    uint64_t identity = engagement_identity(engaged);
    struct engagement_unit *unit = engagement_find(customer, identity);
    if (unit)
        return unit;
    struct seldom *seldom = customer_seldom(customer);
    seldom->units = room_array_grow(&customer->room, seldom->units, seldom->unit_count, sizeof *seldom->units);
    unit = &seldom->units[seldom->unit_count++];
    *unit = (struct engagement_unit){.identity = identity,
                                     .campaign = strings_number(&task->dimensions.campaigns, engaged->campaign),
                                     .kind = (uint8_t)engaged->kind,
                                     .opened_at_ms = INT64_MIN,
                                     .clicked_at_ms = INT64_MIN};
    customer->history_count++;
    return unit;
}

void engagement_apply(struct journey_task *task, struct customer *customer, const struct message_engaged *engaged,
                      const struct moment *moment, uint32_t tuple)
{
    if (engaged->action != ENGAGEMENT_DELIVERED && engaged->action != ENGAGEMENT_OPENED && engaged->action != ENGAGEMENT_CLICKED)
        return;
    struct engagement_unit *unit = unit_open(task, customer, engaged);
    if (engaged->action == ENGAGEMENT_OPENED && moment->at_ms > unit->opened_at_ms)
        unit->opened_at_ms = moment->at_ms;
    if (engaged->action == ENGAGEMENT_CLICKED && moment->at_ms > unit->clicked_at_ms)
        unit->clicked_at_ms = moment->at_ms;
    if (engaged->action == ENGAGEMENT_DELIVERED && (!unit->is_delivered || moment_is_before(moment, &unit->delivered))) {
        unit->is_delivered = true;
        unit->delivered = *moment;
        unit->tuple = tuple;
    }
}

void engagement_contribute(const struct engagement_unit *unit, struct tally *tally)
{
    if (!unit->is_delivered)
        return;
    int64_t at_ms = unit->delivered.at_ms;
    struct place place = place_at(KPI_ENGAGEMENT_OPEN, unit->tuple, NO_STAGE, at_ms);
    place.name = unit->campaign;
    place.detail = unit->kind;
    tally_add_rate(tally, place, unit->opened_at_ms >= at_ms, false);
    place.kpi = KPI_ENGAGEMENT_CLICK;
    tally_add_rate(tally, place, unit->clicked_at_ms >= at_ms, false);
}

void loyalty_apply(struct customer *customer, const struct loyalty_changed *changed, const struct moment *moment)
{
    if (changed->action != LOYALTY_ACTION_JOINED && changed->action != LOYALTY_ACTION_LEFT)
        return;
    struct seldom *seldom = customer_seldom(customer);
    if (seldom->has_loyalty && moment_is_before(moment, &seldom->loyalty_changed))
        return;
    seldom->has_loyalty = true;
    seldom->loyalty_changed = *moment;
    seldom->is_member = changed->action == LOYALTY_ACTION_JOINED;
}

void referral_apply(struct customer *customer, struct view customer_id, const struct referral_made *made, int64_t at_ms)
{
    if (!made->converted || view_equal(made->referred_customer_id, customer_id))
        return; /* oneself does not count */
    uint64_t person = identity_of(made->referred_customer_id);
    struct seldom *seldom = customer_seldom(customer);
    for (uint32_t i = 0; i < seldom->referral_count; i++) {
        if (seldom->referrals[i].person != person)
            continue;
        if (at_ms < seldom->referrals[i].at_ms)
            seldom->referrals[i].at_ms = at_ms;
        return;
    }
    seldom->referrals = room_array_grow(&customer->room, seldom->referrals, seldom->referral_count, sizeof *seldom->referrals);
    seldom->referrals[seldom->referral_count++] = (struct referral){person, at_ms};
    customer->history_count++;
}
