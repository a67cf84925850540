/* What is bought: orders, deliveries, returns, subscriptions. */
#include "ingest/generate/lives_private.h"

#include "base/clock.h"

static const struct view returns[] = {WORD("damaged"), WORD("wrong item"), WORD("changed mind"), WORD("late")};
static const struct view currencies[] = {WORD("EUR"), WORD("USD"), WORD("GBP")};

uint32_t lives_tell_order(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = lives_anyone(lives), number = ++lives->numbers;
    bool is_offer = lives->options.mix == MIX_FULL && random_below(&lives->random, 10) == 0;
    touch->body.order_placed = (struct order_placed){.order_id = lives_id(lives, 'O', number),
                                                     .amount_minor = 500 + random_below(&lives->random, 50000),
                                                     .currency = CHOOSE(currencies),
                                                     .has_offer = is_offer,
                                                     .offer = (enum offer)random_below(&lives->random, OFFER_COUNT)};
    lives_ring_put(&lives->orders, (struct matter_open){.customer = customer, .number = number}, touch->received_at_ms);
    return customer;
}

uint32_t lives_tell_delivery(struct lives *lives, struct touchpoint *touch, int64_t now_ms)
{
    struct matter_open order;
    if (!lives_ring_take(&lives->orders, now_ms, DAYS(4), &order))
        order = (struct matter_open){.customer = lives_anyone(lives), .number = ++lives->numbers};
    uint32_t late_in_100 = story_is_bad_day(&lives->story, touch->product) ? 60 : 8;
    bool is_late = lives->options.mix == MIX_FULL && random_below(&lives->random, 100) < late_in_100;
    int64_t distance_ms = 3600000 + (int64_t)random_below(&lives->random, 3 * 86400) * 1000;
    touch->body.order_delivered = (struct order_delivered){.order_id = lives_id(lives, 'O', order.number),
                                                           .has_promised_at = true,
                                                           .promised_at_ms = now_ms + (is_late ? -distance_ms : distance_ms)};
    return order.customer;
}

uint32_t lives_tell_return(struct lives *lives, struct touchpoint *touch)
{
    uint32_t waiting = lives->orders.tail - lives->orders.head, number = ++lives->numbers, customer = lives_anyone(lives);
    if (lives->orders.tail > 0 && waiting < RING_SIZE / 2) { /* one of the latest delivered, where there is one */
        const struct matter_open *order = &lives->orders.items[(lives->orders.head - 1) % RING_SIZE];
        if (lives->orders.head > 0) {
            number = order->number;
            customer = order->customer;
        }
    }
    touch->body.product_returned = (struct product_returned){lives_id(lives, 'O', number), CHOOSE(returns)};
    return customer;
}

uint32_t lives_tell_subscription(struct lives *lives, struct touchpoint *touch, int64_t now_ms)
{
    struct matter_open one;
    bool goes_on = random_below(&lives->random, 2) && lives_ring_take(&lives->subscriptions, now_ms, DAYS(45), &one);
    if (!goes_on)
        one = (struct matter_open){.customer = lives_anyone(lives), .number = ++lives->numbers};
    enum subscription_action action = !goes_on                                     ? SUBSCRIPTION_ACTION_STARTED
                                      : random_below(&lives->random, 100) < 80 ? SUBSCRIPTION_ACTION_RENEWED
                                      : random_below(&lives->random, 2)        ? SUBSCRIPTION_ACTION_LAPSED
                                                                               : SUBSCRIPTION_ACTION_CANCELLED;
    bool is_alive = action <= SUBSCRIPTION_ACTION_RENEWED;
    touch->body.subscription_changed = (struct subscription_changed){.subscription_id = lives_id(lives, 'B', one.number),
                                                                     .action = action,
                                                                     .has_term_ends_at = is_alive,
                                                                     .term_ends_at_ms = now_ms + INT64_C(30) * 86400000,
                                                                     .has_amount_minor = is_alive,
                                                                     .amount_minor = 999,
                                                                     .currency = is_alive ? currencies[0] : (struct view){0}};
    if (is_alive)
        lives_ring_put(&lives->subscriptions, one, now_ms);
    return one.customer;
}
