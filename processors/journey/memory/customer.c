#include "processors/journey/memory/customer.h"

#include "base/memory.h"
#include "processors/journey/care/care.h"
#include "processors/journey/matters/stage.h"

#include <stdlib.h>

/* Most customers have a cohort and care: in one piece with them, and with the room for what hangs off them, they are made by clearing them,
 * and asked for together. */
struct home {
    struct customer customer; /* first */
    struct cohort cohort;
    struct care care;
    char room[CUSTOMER_ROOM_BYTES];
};

_Static_assert(offsetof(struct customer, evaluated_at_ms) == 64, "the first line is what resting.c asks for alone");

static struct home *home_of(struct customer *customer)
{
    return (struct home *)(void *)customer;
}

_Static_assert(sizeof(struct home) % 64 == 0, "each of several begins a cache line");

struct customer *customers_create(size_t count)
{
    struct home *homes = memory_resize_lines(NULL, 0, count * sizeof *homes);
    for (size_t i = 0; i < count; i++) {
        homes[i].customer = (struct customer){0};
        room_init(&homes[i].customer.room, homes[i].room, homes[i].room + sizeof homes[i].room);
    }
    return &homes->customer;
}

struct customer *customer_at(struct customer *customers, size_t place)
{
    return &home_of(customers)[place].customer;
}

/* What is unpacked takes three to five times what it was packed. Whose story is not long has nearly all of it at home; a larger run for them, too,
 * is memory that many awake do not need. By steps, that a run which is given back fits another; the most is less than what the C library maps and
 * unmaps each time. */
enum { LONG_STORY_BYTES = 640, ROOM_A_PACKED_BYTE = 3, ROOM_STEP_BYTES = 512, ROOM_BYTES_MOST = 96 * 1024 };

void customer_room_for(struct customer *customer, size_t packed_bytes)
{
    if (packed_bytes <= LONG_STORY_BYTES)
        return;
    size_t size = (packed_bytes * ROOM_A_PACKED_BYTE + ROOM_STEP_BYTES - 1) / ROOM_STEP_BYTES * ROOM_STEP_BYTES;
    size = size < ROOM_BYTES_MOST ? size : ROOM_BYTES_MOST;
    char *run = memory_allocate(size);
    room_init(&customer->room, run, run + size);
}

static void seldom_finish(struct room *room, struct seldom *seldom)
{
    if (seldom == NULL)
        return;
    room_give(room, seldom->subscriptions);
    room_give(room, seldom->units);
    room_give(room, seldom->visits);
    room_give(room, seldom->referrals);
    room_give(room, seldom->older_spans);
    room_give(room, seldom);
}

static void cohort_finish(struct room *room, struct cohort *cohort)
{
    if (cohort == NULL)
        return;
    room_give(room, cohort->used_at_ms);
    room_give(room, cohort->spent);
}

void ticket_finish(struct room *room, struct ticket *ticket)
{
    room_give(room, ticket->events);
    room_give(room, ticket->id);
    room_give(room, ticket->sla);
}

static void parts_finish(struct room *room, struct customer *customer)
{
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_finish(room, &customer->tickets[i]);
    for (uint32_t i = 0; i < customer->survey_count; i++)
        room_give(room, customer->surveys[i].other_answers_ms);
    room_give(room, customer->tickets);
    room_give(room, customer->surveys);
    room_give(room, customer->orders);
    room_give(room, customer->kept);
    cohort_finish(room, customer->cohort);
    seldom_finish(room, customer->seldom);
    care_finish(room, customer->care);
    dedupe_finish(room, &customer->seen);
}

void customer_clear(struct customer *customer)
{
    struct room room = customer->room;
    struct home *home = home_of(customer);
    if (room.outside)
        parts_finish(&room, customer);
    stage_forget(customer);
    if (room.begin == home->room) {
        room_empty(&room);
    } else {
        free(room.begin);
        room_init(&room, home->room, home->room + sizeof home->room);
    }
    *customer = (struct customer){.room = room};
}

struct seldom *customer_seldom(struct customer *customer)
{
    if (customer->seldom == NULL)
        customer->seldom = memset(room_take(&customer->room, sizeof *customer->seldom), 0, sizeof *customer->seldom);
    return customer->seldom;
}

struct cohort *customer_cohort(struct customer *customer)
{
    if (customer->cohort == NULL) {
        customer->cohort = &home_of(customer)->cohort;
        *customer->cohort = (struct cohort){0};
    }
    return customer->cohort;
}

struct care *customer_care(struct customer *customer)
{
    if (customer->care == NULL) {
        customer->care = &home_of(customer)->care;
        *customer->care = (struct care){.sealed_at_ms = INT64_MIN, .promises_from_ms = INT64_MIN, .pending_rests_ms = INT64_MIN};
    }
    return customer->care;
}
