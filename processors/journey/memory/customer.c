#include "processors/journey/memory/customer.h"

#include "base/memory.h"
#include "processors/journey/care/care.h"
#include "processors/journey/matters/stage.h"

#include <stdlib.h>

/* Most customers have a cohort and care: in one piece with them they are made by clearing them, and asked for together. */
struct room {
    struct customer customer; /* first */
    struct cohort cohort;
    struct care care;
};

static struct room *room_of(struct customer *customer)
{
    return (struct room *)(void *)customer;
}

struct customer *customer_create(void)
{
    return memory_zeroed(1, sizeof(struct room));
}

static void seldom_destroy(struct seldom *seldom)
{
    if (seldom == NULL)
        return;
    free(seldom->subscriptions);
    free(seldom->units);
    free(seldom->visits);
    free(seldom->referrals);
    free(seldom->older_spans);
    free(seldom);
}

static void cohort_finish(struct cohort *cohort)
{
    if (cohort == NULL)
        return;
    free(cohort->used_at_ms);
    free(cohort->spent);
}

void ticket_finish(struct ticket *ticket)
{
    free(ticket->events);
    free(ticket->id);
    free(ticket->sla);
}

void customer_clear(struct customer *customer)
{
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_finish(&customer->tickets[i]);
    for (uint32_t i = 0; i < customer->survey_count; i++)
        free(customer->surveys[i].other_answers_ms);
    free(customer->tickets);
    free(customer->surveys);
    free(customer->orders);
    cohort_finish(customer->cohort);
    seldom_destroy(customer->seldom);
    care_finish(customer->care);
    dedupe_finish(&customer->seen);
    stage_forget(customer);
    *customer = (struct customer){0};
}

struct seldom *customer_seldom(struct customer *customer)
{
    if (customer->seldom == NULL)
        customer->seldom = memory_zeroed(1, sizeof *customer->seldom);
    return customer->seldom;
}

struct cohort *customer_cohort(struct customer *customer)
{
    if (customer->cohort == NULL) {
        customer->cohort = &room_of(customer)->cohort;
        *customer->cohort = (struct cohort){0};
    }
    return customer->cohort;
}

struct care *customer_care(struct customer *customer)
{
    if (customer->care == NULL) {
        customer->care = &room_of(customer)->care;
        *customer->care = (struct care){.sealed_at_ms = INT64_MIN, .promises_from_ms = INT64_MIN, .pending_rests_ms = INT64_MIN};
    }
    return customer->care;
}

/* The capacity is a function of the count, so that it need not be kept: it is reached exactly when one more must fit. */
static bool is_full_at(uint32_t count)
{
    return (count & (count - 1)) == 0;
}

void *customer_array_grow(void *array, uint32_t count, size_t item_size)
{
    if (!is_full_at(count))
        return array;
    return memory_resize(array, (count ? 2 * count : 1) * item_size);
}

static uint32_t capacity_of(uint32_t count)
{
    uint32_t capacity = count ? 1 : 0;
    while (capacity < count)
        capacity *= 2;
    return capacity;
}

void *customer_array_sized(uint32_t count, size_t item_size)
{
    if (count == 0)
        return NULL;
    void *array = memory_allocate(capacity_of(count) * item_size); /* zeroed by the allocator it would take its slow way */
    return memset(array, 0, count * item_size);
}

void *customer_array_shrink(void *array, uint32_t count, size_t item_size)
{
    uint32_t capacity = capacity_of(count);
    if (capacity > 0)
        return memory_resize(array, capacity * item_size);
    free(array);
    return NULL;
}
