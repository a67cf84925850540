#include "processors/journey/matters/orders.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/time_zone.h"

#include <stdlib.h>

#define ACTIVATION_MS DAYS(14)

/* --- first orders --- */

static int64_t day_of(const struct journey_task *task, const struct moment *moment)
{
    return time_zone_day(task->shared->zone, moment->at_ms);
}

/* `first` and `second` are the earliest order and the earliest one on a later day. Both can be kept up to date without the
 * orders in between: an order before the first makes that one the second, if it is on a later day; one after it may only
 * become the second. */
static void first_orders_update(struct journey_task *task, struct cohort *cohort, const struct moment *moment, uint32_t tuple)
{
    if (cohort->has_first && !moment_is_before(moment, &cohort->first)) {
        bool is_later_day = day_of(task, moment) > day_of(task, &cohort->first);
        if (is_later_day && (!cohort->has_second || moment_is_before(moment, &cohort->second))) {
            cohort->second = *moment;
            cohort->has_second = true;
        }
        return;
    }
    if (cohort->has_first && day_of(task, &cohort->first) > day_of(task, moment)) {
        cohort->second = cohort->first;
        cohort->has_second = true;
    }
    cohort->first = *moment;
    cohort->has_first = true;
    cohort->tuple = tuple;
}

static void spending_add(struct room *room, struct cohort *cohort, uint32_t currency, int64_t amount_minor)
{
    for (uint32_t i = 0; i < cohort->spent_count; i++) {
        if (cohort->spent[i].currency == currency) {
            int64_t *spent = &cohort->spent[i].amount_minor;
            if (__builtin_add_overflow(*spent, amount_minor, spent))
                *spent = amount_minor < 0 ? INT64_MIN : INT64_MAX;
            return;
        }
    }
    cohort->spent = room_array_grow(room, cohort->spent, cohort->spent_count, sizeof *cohort->spent);
    cohort->spent[cohort->spent_count++] = (struct spending){currency, amount_minor};
}

/* --- use, as far as a first order may ask for it --- */

static void used_remove(struct cohort *cohort, uint32_t place)
{
    cohort->used_count--;
    memmove(cohort->used_at_ms + place, cohort->used_at_ms + place + 1,
            (cohort->used_count - place) * sizeof *cohort->used_at_ms);
}

/* Whether the first order is at any time F, use in [F, F + 14 d] is what counts, and F can only become earlier. So use after
 * the first order's 14 days never matters, nor does one between two others that are at most 14 days apart: wherever F is
 * before it and reaches it, F reaches an outer one too. */
static void used_thin(struct cohort *cohort)
{
    if (cohort->has_first) {
        while (cohort->used_count > 0 && cohort->used_at_ms[cohort->used_count - 1] > cohort->first.at_ms + ACTIVATION_MS)
            cohort->used_count--;
    }
    for (uint32_t i = 1; i + 1 < cohort->used_count;) {
        if (cohort->used_at_ms[i + 1] - cohort->used_at_ms[i - 1] <= ACTIVATION_MS)
            used_remove(cohort, i);
        else
            i++;
    }
}

static void used_add(struct room *room, struct cohort *cohort, int64_t at_ms)
{
    if (cohort->has_first && at_ms > cohort->first.at_ms + ACTIVATION_MS)
        return;
    uint32_t place = cohort->used_count;
    while (place > 0 && cohort->used_at_ms[place - 1] > at_ms)
        place--;
    /* The latest of many: the one before it would be thinned out. */
    if (place == cohort->used_count && place > 1 && at_ms - cohort->used_at_ms[place - 2] <= ACTIVATION_MS) {
        cohort->used_at_ms[place - 1] = at_ms;
        return;
    }
    cohort->used_at_ms = room_array_grow(room, cohort->used_at_ms, cohort->used_count, sizeof *cohort->used_at_ms);
    memmove(cohort->used_at_ms + place + 1, cohort->used_at_ms + place,
            (cohort->used_count - place) * sizeof *cohort->used_at_ms);
    cohort->used_at_ms[place] = at_ms;
    cohort->used_count++;
    used_thin(cohort);
}

void orders_used(struct customer *customer, const struct moment *moment)
{
    struct cohort *cohort = customer_cohort(customer);
    if (!cohort->has_used || moment_is_before(moment, &cohort->first_used))
        cohort->first_used = *moment;
    cohort->has_used = true;
    used_add(&customer->room, cohort, moment->at_ms);
}

void orders_onboarding_opened(struct customer *customer, int64_t at_ms)
{
    struct cohort *cohort = customer_cohort(customer);
    if (!cohort->has_onboarding || at_ms < cohort->onboarding_opened_at_ms)
        cohort->onboarding_opened_at_ms = at_ms;
    cohort->has_onboarding = true;
}

void orders_placed(struct journey_task *task, struct customer *customer, const struct order_placed *placed,
                   const struct moment *moment, uint32_t tuple)
{
    struct cohort *cohort = customer_cohort(customer);
    first_orders_update(task, cohort, moment, tuple);
    used_thin(cohort);
    cohort->order_count++;
    spending_add(&customer->room, cohort, strings_number(&task->dimensions.currencies, placed->currency), placed->amount_minor);
}

/* --- deliveries and returns --- */

struct order *orders_find(const struct customer *customer, uint64_t identity)
{
    for (uint32_t i = customer->order_count; i > 0; i--) {
        if (customer->orders[i - 1].identity == identity)
            return &customer->orders[i - 1];
    }
    return NULL;
}

static struct order *order_open(struct customer *customer, struct view order_id)
{
    uint64_t identity = identity_of(order_id);
    struct order *order = orders_find(customer, identity);
    if (order)
        return order;
    customer->orders = room_array_grow(&customer->room, customer->orders, customer->order_count, sizeof *customer->orders);
    order = &customer->orders[customer->order_count++];
    *order = (struct order){.identity = identity};
    customer->history_count++;
    return order;
}

void orders_delivered(struct customer *customer, const struct order_delivered *delivered, const struct moment *moment,
                      uint32_t tuple)
{
    struct order *order = order_open(customer, delivered->order_id);
    if (order->is_delivered && !moment_is_before(moment, &order->delivered))
        return;
    order->is_delivered = true;
    order->delivered = *moment;
    order->tuple = tuple;
    order->has_promise = delivered->has_promised_at;
    order->promised_at_ms = delivered->has_promised_at ? delivered->promised_at_ms : 0;
}

void orders_returned(struct customer *customer, const struct product_returned *returned)
{
    order_open(customer, returned->order_id)->is_returned = true;
}

void orders_set_stage(struct customer *customer, uint64_t identity, const struct moment *moment, uint8_t stage)
{
    struct cohort *cohort = customer->cohort;
    if (cohort && cohort->has_first && moment_compare(&cohort->first, moment) == 0)
        cohort->stage = stage;
    struct order *order = orders_find(customer, identity);
    if (order && order->is_delivered && moment_compare(&order->delivered, moment) == 0)
        order->stage = stage;
}

void order_contribute(const struct order *order, struct tally *tally)
{
    if (!order->is_delivered)
        return;
    int64_t at_ms = order->delivered.at_ms;
    if (order->has_promise)
        tally_add_rate(tally, place_at(KPI_ON_TIME_DELIVERY, order->tuple, order->stage, at_ms),
                       at_ms <= order->promised_at_ms, false);
    tally_add_rate(tally, place_at(KPI_RETURN_RATE, order->tuple, order->stage, at_ms), order->is_returned, false);
}

/* --- what is counted of first orders once they are old enough --- */

static bool is_used_within(const struct cohort *cohort, int64_t from_ms, int64_t to_ms)
{
    for (uint32_t i = 0; i < cohort->used_count; i++) {
        if (cohort->used_at_ms[i] >= from_ms && cohort->used_at_ms[i] <= to_ms)
            return true;
    }
    return false;
}

static void repeat_contribute(const struct cohort *cohort, enum kpi_id kpi, int64_t span_ms, struct tally *tally)
{
    int64_t limit_ms = cohort->first.at_ms + span_ms;
    if (tally_is_due(tally, limit_ms))
        tally_add_rate(tally, place_at(kpi, cohort->tuple, cohort->stage, limit_ms),
                       cohort->has_second && cohort->second.at_ms <= limit_ms, false);
}

void cohort_contribute(const struct customer *customer, struct tally *tally)
{
    const struct cohort *cohort = customer->cohort;
    if (cohort == NULL || !cohort->has_first)
        return;
    int64_t first_ms = cohort->first.at_ms, landmark_ms = first_ms + ACTIVATION_MS;
    if (tally_is_due(tally, landmark_ms))
        tally_add_rate(tally, place_at(KPI_ACTIVATION, cohort->tuple, cohort->stage, landmark_ms),
                       is_used_within(cohort, first_ms, landmark_ms), false);
    repeat_contribute(cohort, KPI_REPEAT_PURCHASE_180D, DAYS(180), tally);
    repeat_contribute(cohort, KPI_REPEAT_PURCHASE_365D, DAYS(365), tally);
    int64_t outcome_ms = first_ms + DAYS(180);
    if (!tally_is_due(tally, outcome_ms) || (cohort->has_second && cohort->second.at_ms <= landmark_ms))
        return;
    tally_add_uplift(tally, place_at(KPI_UPLIFT_ONBOARDING, 0, NO_STAGE, outcome_ms),
                     cohort->has_onboarding && cohort->onboarding_opened_at_ms <= landmark_ms,
                     cohort->has_second && cohort->second.at_ms <= outcome_ms);
}
