#include "processors/journey/matters/subscriptions.h"

#include "base/clock.h"

#define GRACE_MS DAYS(30)

void subscriptions_changed(struct customer *customer, const struct subscription_changed *changed, const struct moment *moment,
                           uint32_t tuple)
{
    struct seldom *seldom = customer_seldom(customer);
    seldom->subscriptions =
        room_array_grow(&customer->room, seldom->subscriptions, seldom->subscription_count, sizeof *seldom->subscriptions);
    uint32_t place = seldom->subscription_count++;
    while (place > 0 && moment_is_before(moment, &seldom->subscriptions[place - 1].moment)) {
        seldom->subscriptions[place] = seldom->subscriptions[place - 1];
        place--;
    }
    seldom->subscriptions[place] = (struct subscription_event){.moment = *moment,
                                                               .identity = identity_of(changed->subscription_id),
                                                               .term_ends_at_ms = changed->has_term_ends_at ? changed->term_ends_at_ms : 0,
                                                               .tuple = tuple,
                                                               .action = (uint8_t)changed->action,
                                                               .has_term = changed->has_term_ends_at,
                                                               .next_at_ms = NEVER_MS};
    customer->history_count++;
}

void subscriptions_set_stage(struct customer *customer, const struct moment *moment, uint8_t stage)
{
    struct seldom *seldom = customer->seldom;
    for (uint32_t i = seldom ? seldom->subscription_count : 0; i > 0; i--) {
        if (moment_compare(&seldom->subscriptions[i - 1].moment, moment) == 0)
            seldom->subscriptions[i - 1].stage = stage;
    }
}

static bool starts_term(const struct subscription_event *change)
{
    return change->has_term &&
           (change->action == SUBSCRIPTION_ACTION_STARTED || change->action == SUBSCRIPTION_ACTION_RENEWED);
}

void subscription_contribute(const struct seldom *seldom, uint32_t number, struct tally *tally)
{
    const struct subscription_event *change = &seldom->subscriptions[number];
    if (!starts_term(change) || !tally_is_due(tally, change->term_ends_at_ms))
        return;
    int64_t limit_ms = change->term_ends_at_ms + GRACE_MS;
    bool is_renewed = false;
    for (uint32_t i = number + 1; i < seldom->subscription_count && !is_renewed; i++) {
        const struct subscription_event *later = &seldom->subscriptions[i];
        is_renewed = later->identity == change->identity && later->action == SUBSCRIPTION_ACTION_RENEWED &&
                     later->moment.at_ms <= limit_ms;
    }
    tally_add_rate(tally, place_at(KPI_RENEWAL_RATE, change->tuple, change->stage, change->term_ends_at_ms), is_renewed,
                   !tally_is_due(tally, limit_ms + 1));
}

const struct subscription_event *subscriptions_latest(const struct customer *customer, uint64_t identity)
{
    const struct seldom *seldom = customer->seldom;
    for (uint32_t i = seldom ? seldom->subscription_count : 0; i > 0; i--) {
        if (seldom->subscriptions[i - 1].identity == identity)
            return &seldom->subscriptions[i - 1];
    }
    return NULL;
}

const struct subscription_event *subscriptions_first_start(const struct customer *customer)
{
    const struct seldom *seldom = customer->seldom;
    for (uint32_t i = 0; seldom && i < seldom->subscription_count; i++) {
        if (seldom->subscriptions[i].action == SUBSCRIPTION_ACTION_STARTED)
            return &seldom->subscriptions[i];
    }
    return NULL;
}

int64_t subscriptions_renew_at_ms(const struct customer *customer)
{
    int64_t renew_at_ms = NEVER_MS;
    const struct seldom *seldom = customer->seldom;
    for (uint32_t i = 0; seldom && i < seldom->subscription_count; i++) {
        const struct subscription_event *change = &seldom->subscriptions[i];
        bool is_last = true;
        for (uint32_t j = i + 1; j < seldom->subscription_count && is_last; j++)
            is_last = seldom->subscriptions[j].identity != change->identity;
        if (is_last && starts_term(change) && change->term_ends_at_ms < renew_at_ms)
            renew_at_ms = change->term_ends_at_ms;
    }
    return renew_at_ms;
}
