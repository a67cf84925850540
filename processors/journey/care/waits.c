#include "processors/journey/care/waits.h"

#include "processors/journey/tickets/tickets.h"

static void wait_add(struct waits *waits, int64_t from_ms, int64_t to_ms)
{
    if (waits->count < WAITS_MAX && to_ms > from_ms)
        waits->items[waits->count++] = (struct wait){from_ms, to_ms};
}

static void ticket_add(struct waits *waits, const struct ticket *ticket)
{
    const struct ticket_glance *glance = ticket_glance(ticket);
    if (glance->waits_over < 2) {
        if (glance->waits_over)
            wait_add(waits, glance->waited_from_ms, glance->waited_to_ms);
        wait_add(waits, glance->waits_since_ms, NEVER_MS);
        return;
    }
    int64_t from_ms = NEVER_MS;
    for (uint32_t i = 0; i < ticket->count; i++) {
        const struct ticket_event *event = &ticket->events[i];
        if (from_ms == NEVER_MS && ticket_event_begins_wait(event)) {
            from_ms = event->moment.at_ms;
        } else if (from_ms != NEVER_MS && ticket_event_ends_wait(event)) {
            wait_add(waits, from_ms, event->moment.at_ms);
            from_ms = NEVER_MS;
        }
    }
    if (from_ms != NEVER_MS)
        wait_add(waits, from_ms, NEVER_MS);
}

/* They are few, and nearly in order. */
static void sort(struct waits *waits)
{
    for (uint32_t i = 1; i < waits->count; i++) {
        struct wait wait = waits->items[i];
        uint32_t at = i;
        for (; at > 0 && waits->items[at - 1].from_ms > wait.from_ms; at--)
            waits->items[at] = waits->items[at - 1];
        waits->items[at] = wait;
    }
}

static void join(struct waits *waits)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < waits->count; i++) {
        struct wait *last = kept ? &waits->items[kept - 1] : NULL;
        if (last && waits->items[i].from_ms <= last->to_ms)
            last->to_ms = waits->items[i].to_ms > last->to_ms ? waits->items[i].to_ms : last->to_ms;
        else
            waits->items[kept++] = waits->items[i];
    }
    waits->count = kept;
}

void waits_collect(struct waits *waits, const struct customer *customer, const uint32_t *tickets, uint32_t ticket_count)
{
    waits->count = 0;
    for (uint32_t i = 0; i < ticket_count; i++)
        ticket_add(waits, &customer->tickets[tickets[i]]);
    sort(waits);
    join(waits);
}

int64_t waits_time_apart(const struct waits *waits, int64_t from_ms, int64_t to_ms)
{
    int64_t apart_ms = to_ms - from_ms;
    for (uint32_t i = waits->count; i > 0 && waits->items[i - 1].to_ms > from_ms; i--) {
        const struct wait *wait = &waits->items[i - 1];
        int64_t begin_ms = wait->from_ms > from_ms ? wait->from_ms : from_ms;
        int64_t end_ms = wait->to_ms < to_ms ? wait->to_ms : to_ms;
        if (end_ms > begin_ms)
            apart_ms -= end_ms - begin_ms;
    }
    return apart_ms;
}

bool customer_waits(const struct customer *customer, int64_t at_ms)
{
    for (uint32_t i = 0; i < customer->ticket_count; i++) {
        const struct ticket *ticket = &customer->tickets[i];
        const struct ticket_glance *glance = ticket_glance(ticket);
        bool waits = !glance->waits_over && glance->waits_since_ms <= at_ms;
        for (uint32_t j = 0; glance->waits_over && j < ticket->count && ticket->events[j].moment.at_ms <= at_ms; j++)
            waits = ticket_event_begins_wait(&ticket->events[j]) || (waits && !ticket_event_ends_wait(&ticket->events[j]));
        if (waits)
            return true;
    }
    return false;
}
