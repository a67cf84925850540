#include "processors/journey/matters/activity.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

#define SILENCE_MS DAYS(90)

/* --- stretches of activity --- */

/* One more instant in a sorted list of stretches, which has room for one more; joins what is closer than the silence. */
static uint32_t span_insert(struct activity_span *spans, uint32_t count, int64_t at_ms)
{
    uint32_t place = count;
    while (place > 0 && spans[place - 1].first_ms > at_ms)
        place--;
    memmove(spans + place + 1, spans + place, (count - place) * sizeof *spans);
    spans[place] = (struct activity_span){at_ms, at_ms};
    count++;
    for (uint32_t i = place > 0 ? place - 1 : 0; i + 1 < count && i <= place + 1;) {
        if (spans[i + 1].first_ms - spans[i].last_ms >= SILENCE_MS) {
            i++;
            continue;
        }
        if (spans[i + 1].last_ms > spans[i].last_ms)
            spans[i].last_ms = spans[i + 1].last_ms;
        memmove(spans + i + 1, spans + i + 2, (count - i - 2) * sizeof *spans);
        count--;
    }
    return count;
}

static void spans_add(struct customer *customer, int64_t at_ms)
{
    struct activity_span *latest = &customer->activity;
    if (!customer->has_activity) {
        *latest = (struct activity_span){at_ms, at_ms};
        return;
    }
    if (at_ms >= latest->first_ms && at_ms - latest->last_ms < SILENCE_MS) {
        if (at_ms > latest->last_ms)
            latest->last_ms = at_ms;
        return;
    }
    bool is_only = customer->seldom == NULL || customer->seldom->older_span_count == 0;
    if (is_only && at_ms < latest->first_ms && latest->first_ms - at_ms < SILENCE_MS) {
        latest->first_ms = at_ms; /* the first events often come out of order */
        return;
    }
    struct seldom *seldom = customer_seldom(customer);
    uint32_t count = seldom->older_span_count;
    struct activity_span *all = room_take(&customer->room, (count + 2) * sizeof *all);
    if (count)
        memcpy(all, seldom->older_spans, count * sizeof *all);
    all[count] = *latest;
    count = span_insert(all, count + 1, at_ms);
    *latest = all[--count];
    room_give(&customer->room, seldom->older_spans);
    seldom->older_spans = all;
    seldom->older_span_count = count;
}

static void segment_apply(struct customer *customer, uint32_t segment, const struct moment *moment)
{
    if (segment == 0 || (customer->segment && moment_is_before(moment, &customer->segment_said)))
        return;
    customer->segment = segment;
    customer->segment_said = *moment;
}

void activity_apply(struct customer *customer, const struct touchpoint *touch, uint32_t segment, const struct moment *moment)
{
    segment_apply(customer, segment, moment);
    if (!activity_is_one(touch))
        return;
    spans_add(customer, moment->at_ms);
    if (!customer->has_activity || moment_is_before(moment, &customer->first_activity))
        customer->first_activity = *moment;
    customer->has_activity = true;
    int64_t minute = moment->at_ms / MINUTES(1) + 1;
    if (minute > customer->channel_minutes[touch->channel])
        customer->channel_minutes[touch->channel] = (uint32_t)minute;
}

static void channel_contribute(const struct journey_task *task, const struct customer *customer, int channel, struct tally *tally)
{
    if (customer->channel_minutes[channel] == 0)
        return;
    int64_t minute = (int64_t)customer->channel_minutes[channel] - 1;
    tally_add_flow(tally, place_at(KPI_ACTIVE_CUSTOMERS, task->channel_tuples[channel], NO_STAGE, MINUTES(minute)), 1, 0);
}

void activity_contribute(struct journey_task *task, const struct customer *customer, int channel, struct tally *tally)
{
    if (!customer->has_activity)
        return;
    uint32_t tuple = dimensions_of_segment(&task->dimensions, customer->segment);
    int64_t last_ms = customer->activity.last_ms;
    tally_add_flow(tally, place_at(KPI_ACTIVE_CUSTOMERS, tuple, NO_STAGE, last_ms), 1, 0);
    if (channel != ALL_CHANNELS)
        channel_contribute(task, customer, channel, tally);
    for (int each = 0; channel == ALL_CHANNELS && each < CHANNEL_COUNT; each++)
        channel_contribute(task, customer, each, tally);
    /* The denominators of loyalty_share and referral_rate are the same customers: totals.c sends them there, too. */
    const struct seldom *seldom = customer->seldom;
    if (seldom && seldom->is_member)
        tally_add_flow(tally, place_at(KPI_LOYALTY_SHARE, tuple, NO_STAGE, last_ms), 0, 1);
    if (seldom == NULL || seldom->referral_count == 0)
        return;
    int64_t referred_at_ms = INT64_MIN;
    for (uint32_t i = 0; i < seldom->referral_count; i++) {
        if (seldom->referrals[i].at_ms > referred_at_ms)
            referred_at_ms = seldom->referrals[i].at_ms;
    }
    tally_add_flow(tally, place_at(KPI_REFERRAL_RATE, tuple, NO_STAGE, referred_at_ms), 0, 1);
}

/* --- alive --- */

/* Walks the spans [from, to) of being alive, in order; to is NEVER_MS while it lasts. */
struct life {
    const struct customer *customer;
    uint32_t stretch;      /* next stretch of activity */
    uint32_t subscription; /* next subscription event */
    uint32_t running;      /* subscriptions, after those before it */
};

static struct activity_span stretch_of(const struct customer *customer, uint32_t number)
{
    uint32_t older = customer->seldom ? customer->seldom->older_span_count : 0;
    return number < older ? customer->seldom->older_spans[number] : customer->activity;
}

static uint32_t stretch_count(const struct customer *customer)
{
    return customer->has_activity ? 1 + (customer->seldom ? customer->seldom->older_span_count : 0) : 0;
}

static bool starts_running(const struct subscription_event *change)
{
    return change->action == SUBSCRIPTION_ACTION_STARTED || change->action == SUBSCRIPTION_ACTION_RENEWED;
}

/* Takes the next change into account. Is any subscription running after it? */
static bool subscription_next(struct life *life)
{
    const struct subscription_event *changes = life->customer->seldom->subscriptions;
    const struct subscription_event *change = &changes[life->subscription];
    bool was_running = false;
    for (uint32_t i = life->subscription; i > 0; i--) {
        if (changes[i - 1].identity != change->identity)
            continue;
        was_running = starts_running(&changes[i - 1]);
        break;
    }
    life->subscription++;
    life->running += (uint32_t)starts_running(change) - (uint32_t)was_running;
    return life->running > 0;
}

/* The next span in which a subscription runs, or that a stretch of activity began before `start_ms` continues. */
static bool subscribed_span(struct life *life, bool is_alive, int64_t start_ms, struct activity_span *span)
{
    const struct seldom *seldom = life->customer->seldom;
    while (life->subscription < seldom->subscription_count) {
        int64_t at_ms = seldom->subscriptions[life->subscription].moment.at_ms;
        bool is_running = subscription_next(life);
        if (is_running && !is_alive) {
            is_alive = true;
            start_ms = at_ms;
        } else if (!is_running && is_alive) {
            is_alive = false;
            if (at_ms > start_ms) {
                *span = (struct activity_span){start_ms, at_ms};
                return true;
            }
        }
    }
    *span = (struct activity_span){start_ms, NEVER_MS};
    return is_alive;
}

static bool life_next(struct life *life, struct activity_span *span)
{
    const struct customer *customer = life->customer;
    const struct seldom *seldom = customer->seldom;
    bool has_subscription = seldom && seldom->subscription_count > 0;
    if (life->subscription > 0)
        return subscribed_span(life, false, 0, span);
    int64_t subscribed_at_ms = has_subscription ? seldom->subscriptions[0].moment.at_ms : NEVER_MS;
    if (life->stretch < stretch_count(customer)) {
        struct activity_span stretch = stretch_of(customer, life->stretch);
        if (stretch.first_ms < subscribed_at_ms) {
            life->stretch++;
            /* The first subscription is activity too: it lies in a stretch, and takes over what it finds alive. */
            if (stretch.last_ms >= subscribed_at_ms)
                return subscribed_span(life, true, stretch.first_ms, span);
            *span = (struct activity_span){stretch.first_ms, stretch.last_ms + SILENCE_MS};
            return true;
        }
    }
    return has_subscription && subscribed_span(life, false, 0, span);
}

void life_contribute(struct journey_task *task, const struct customer *customer, struct tally *tally)
{
    uint32_t tuple = dimensions_of_segment(&task->dimensions, customer->segment);
    struct life life = {.customer = customer};
    struct activity_span span;
    int64_t ended_at_ms = NEVER_MS;
    while (life_next(&life, &span)) {
        ended_at_ms = NEVER_MS;
        tally_add_flow(tally, place_at(KPI_CHURN_RATE, tuple, NO_STAGE, span.first_ms), 1, 0);
        if (!tally_is_due(tally, span.last_ms))
            continue;
        tally_add_flow(tally, place_at(KPI_CHURN_RATE, tuple, NO_STAGE, span.last_ms), -1, 0);
        ended_at_ms = span.last_ms;
    }
    if (ended_at_ms != NEVER_MS)
        tally_add_flow(tally, place_at(KPI_CHURN_RATE, tuple, NO_STAGE, ended_at_ms), 0, 1);
}

bool life_is_alive_at(const struct customer *customer, int64_t at_ms)
{
    struct life life = {.customer = customer};
    struct activity_span span;
    while (life_next(&life, &span)) {
        if (span.first_ms <= at_ms && at_ms < span.last_ms)
            return true;
    }
    return false;
}
