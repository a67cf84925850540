/* Orders, and what the first of them say, as packed bytes. */
#include "processors/journey/memory/customer_pack.h"

enum { IS_DELIVERED = 1, HAS_PROMISE = 2, IS_RETURNED = 4 };

static void order_pack(struct packing *packing, const struct order *order)
{
    char *at = packed_put_word(packing_open(packing), order->identity);
    at = packed_put_byte(at, (order->is_delivered ? IS_DELIVERED : 0u) | (order->has_promise ? HAS_PROMISE : 0u) |
                                 (order->is_returned ? IS_RETURNED : 0u) | packed_stage(order->stage) << 4);
    if (order->is_delivered) {
        at = pack_moment(packing, at, &order->delivered);
        pack_name(packing, NAME_TUPLE, order->tuple);
        if (order->has_promise)
            at = pack_time(packing, at, order->promised_at_ms);
    }
    packing_close(packing, at);
}

static void order_unpack(struct packing *packing, struct unpack *in, struct order *order)
{
    *order = (struct order){.identity = unpack_word(in)};
    uint8_t what = unpack_byte(in);
    order->is_delivered = what & IS_DELIVERED;
    order->has_promise = what & HAS_PROMISE;
    order->is_returned = what & IS_RETURNED;
    order->stage = unpacked_stage(what >> 4);
    if (!order->is_delivered)
        return;
    order->delivered = unpack_moment(packing, in);
    order->tuple = unpack_name(packing, NAME_TUPLE);
    if (order->has_promise)
        order->promised_at_ms = unpack_time(packing, in);
}

enum {
    HAS_FIRST = 1,
    HAS_SECOND = 2,
    HAS_USED = 4,
    HAS_ONBOARDING = 8,
    IS_SILENT = 16,
    IS_WON_BACK = 32,
    HAS_USES = 64,
    HAS_SPENT = 128
};

static bool moment_is_set(const struct moment *moment)
{
    return moment->at_ms || moment->id_high || moment->id_low;
}

static void spending_pack(struct packing *packing, const struct cohort *cohort)
{
    char *at = packed_put(packing_open(packing), cohort->spent_count);
    for (uint32_t i = 0; i < cohort->spent_count; i++) {
        pack_name(packing, NAME_CURRENCY, cohort->spent[i].currency);
        at = packing_more(packing, packed_put_signed(at, cohort->spent[i].amount_minor));
    }
    packing_close(packing, at);
}

static void spending_unpack(struct packing *packing, struct cohort *cohort)
{
    struct unpack in = packing->in;
    cohort->spent_count = unpack_count(&in, 1);
    cohort->spent = room_array_bare(packing->room, cohort->spent_count, sizeof *cohort->spent);
    for (uint32_t i = 0; i < cohort->spent_count; i++) {
        cohort->spent[i].currency = unpack_name(packing, NAME_CURRENCY);
        cohort->spent[i].amount_minor = unpack_signed(&in);
    }
    packing->in = in;
}

static void cohort_pack(struct packing *packing, const struct cohort *cohort)
{
    bool is_silent = moment_is_set(&cohort->silent_since);
    char *at = packed_put_byte(packing_open(packing),
                               (cohort->has_first ? HAS_FIRST : 0u) | (cohort->has_second ? HAS_SECOND : 0u) |
                                   (cohort->has_used ? HAS_USED : 0u) | (cohort->has_onboarding ? HAS_ONBOARDING : 0u) |
                                   (is_silent ? IS_SILENT : 0u) | (cohort->is_won_back ? IS_WON_BACK : 0u) |
                                   (cohort->used_count ? HAS_USES : 0u) | (cohort->spent_count ? HAS_SPENT : 0u));
    at = packed_put(at, cohort->order_count);
    if (cohort->has_first) {
        at = pack_moment(packing, at, &cohort->first);
        pack_name(packing, NAME_TUPLE, cohort->tuple);
        at = packed_put_byte(at, cohort->stage);
    }
    if (cohort->has_second)
        at = pack_moment(packing, at, &cohort->second);
    if (cohort->has_used)
        at = pack_moment(packing, at, &cohort->first_used);
    if (cohort->has_onboarding)
        at = pack_time(packing, at, cohort->onboarding_opened_at_ms);
    if (is_silent)
        at = pack_moment(packing, at, &cohort->silent_since);
    packing_close(packing, at);
    if (cohort->used_count)
        pack_times(packing, cohort->used_at_ms, cohort->used_count);
    if (cohort->spent_count)
        spending_pack(packing, cohort);
}

static void cohort_unpack(struct packing *packing, struct cohort *cohort)
{
    struct unpack in = packing->in;
    uint8_t what = unpack_byte(&in);
    cohort->has_first = what & HAS_FIRST;
    cohort->has_second = what & HAS_SECOND;
    cohort->has_used = what & HAS_USED;
    cohort->has_onboarding = what & HAS_ONBOARDING;
    cohort->is_won_back = what & IS_WON_BACK;
    cohort->order_count = (uint32_t)unpack_unsigned(&in);
    if (cohort->has_first) {
        cohort->first = unpack_moment(packing, &in);
        cohort->tuple = unpack_name(packing, NAME_TUPLE);
        cohort->stage = unpack_byte(&in);
    }
    if (cohort->has_second)
        cohort->second = unpack_moment(packing, &in);
    if (cohort->has_used)
        cohort->first_used = unpack_moment(packing, &in);
    if (cohort->has_onboarding)
        cohort->onboarding_opened_at_ms = unpack_time(packing, &in);
    if (what & IS_SILENT)
        cohort->silent_since = unpack_moment(packing, &in);
    packing->in = in;
    if (what & HAS_USES)
        cohort->used_at_ms = unpack_times(packing, &cohort->used_count);
    if (what & HAS_SPENT)
        spending_unpack(packing, cohort);
}

void orders_pack(struct packing *packing, const struct customer *customer)
{
    for (uint32_t i = 0; i < customer->order_count; i++)
        order_pack(packing, &customer->orders[i]);
    if (customer->cohort)
        cohort_pack(packing, customer->cohort);
}

void orders_unpack(struct packing *packing, struct customer *customer, bool has_cohort)
{
    struct unpack in = packing->in;
    customer->orders = room_array_bare(packing->room, customer->order_count, sizeof *customer->orders);
    for (uint32_t i = 0; i < customer->order_count; i++)
        order_unpack(packing, &in, &customer->orders[i]);
    packing->in = in;
    if (has_cohort)
        cohort_unpack(packing, customer_cohort(customer));
}
