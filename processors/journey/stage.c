#include "processors/journey/stage.h"

#include "base/memory.h"

#include <stdlib.h>

enum stage stage_now(const struct customer *customer)
{
    if (customer->open_ticket_count > 0)
        return STAGE_SUPPORT;
    if (customer->cohort && customer->cohort->has_second)
        return STAGE_LOYALTY;
    return customer->cohort && customer->cohort->has_used ? STAGE_UTILIZATION : STAGE_ONBOARDING;
}

/* What may change the stage, as if the events had come in order. */
struct stage_change {
    struct moment moment;
    enum { TICKET_OPENS, TICKET_ENDS, SECOND_ORDER, FIRST_USE, FIRST_ACTIVITY } kind;
};

struct changes {
    struct journey_task *task;
    uint32_t count;
};

static void change_add(struct changes *changes, const struct moment *moment, int kind)
{
    struct journey_task *task = changes->task;
    if (changes->count == task->stage_change_capacity) {
        task->stage_change_capacity = task->stage_change_capacity ? 2 * task->stage_change_capacity : 64;
        task->stage_changes = memory_resize(task->stage_changes, task->stage_change_capacity * sizeof *task->stage_changes);
    }
    task->stage_changes[changes->count++] = (struct stage_change){*moment, kind};
}

static void ticket_changes(struct changes *changes, const struct ticket *ticket)
{
    bool is_open = false;
    for (uint32_t i = 0; i < ticket->count; i++) {
        uint8_t action = ticket->events[i].action;
        bool starts = action == TICKET_ACTION_OPENED || action == TICKET_ACTION_REOPENED;
        bool ends = action == TICKET_ACTION_RESOLVED || action == TICKET_ACTION_CLOSED;
        if (is_open ? ends : starts) {
            change_add(changes, &ticket->events[i].moment, is_open ? TICKET_ENDS : TICKET_OPENS);
            is_open = !is_open;
        }
    }
}

static int change_compare(const void *a, const void *b)
{
    const struct stage_change *first = a, *second = b;
    int order = moment_compare(&first->moment, &second->moment);
    return order ? order : (int)first->kind - (int)second->kind; /* one event may be two of them: first activity comes last */
}

/* A few, nearly in order already: each ticket's are. */
static void changes_sort(struct stage_change *changes, uint32_t count)
{
    enum { FEW = 64 };
    if (count > FEW) {
        qsort(changes, count, sizeof *changes, change_compare);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        struct stage_change change = changes[i];
        uint32_t at = i;
        for (; at > 0 && change_compare(&changes[at - 1], &change) > 0; at--)
            changes[at] = changes[at - 1];
        changes[at] = change;
    }
}

static uint32_t changes_collect(struct journey_task *task, const struct customer *customer)
{
    struct changes changes = {.task = task};
    for (uint32_t i = 0; i < customer->ticket_count; i++)
        ticket_changes(&changes, &customer->tickets[i]);
    if (customer->cohort && customer->cohort->has_second)
        change_add(&changes, &customer->cohort->second, SECOND_ORDER);
    if (customer->cohort && customer->cohort->has_used)
        change_add(&changes, &customer->cohort->first_used, FIRST_USE);
    change_add(&changes, &customer->first_activity, FIRST_ACTIVITY);
    changes_sort(task->stage_changes, changes.count);
    return changes.count;
}

struct path {
    uint32_t open_tickets;
    bool has_second_order, has_used, has_begun;
    enum stage stage;
    int64_t since_ms;
};

/* One change further: true when it moved the customer from *left to path->stage after *dwell_ms. */
static bool path_step(struct path *path, const struct stage_change *change, enum stage *left, int64_t *dwell_ms)
{
    path->open_tickets += change->kind == TICKET_OPENS;
    path->open_tickets -= change->kind == TICKET_ENDS;
    path->has_second_order |= change->kind == SECOND_ORDER;
    path->has_used |= change->kind == FIRST_USE;
    enum stage now = path->open_tickets       ? STAGE_SUPPORT
                     : path->has_second_order ? STAGE_LOYALTY
                     : path->has_used         ? STAGE_UTILIZATION
                                              : STAGE_ONBOARDING;
    bool is_move = path->has_begun && now != path->stage;
    *left = path->stage;
    *dwell_ms = change->moment.at_ms - path->since_ms;
    if (is_move || change->kind == FIRST_ACTIVITY)
        path->since_ms = change->moment.at_ms;
    path->stage = now;
    path->has_begun |= change->kind == FIRST_ACTIVITY;
    return is_move;
}

static void move_contribute(enum stage left, enum stage entered, int64_t dwell_ms, int64_t at_ms, struct tally *tally)
{
    tally_add_duration(tally, place_at(KPI_STAGE_DWELL, 0, (uint8_t)left, at_ms), dwell_ms);
    struct place place = place_at(KPI_STAGE_MOVES, 0, (uint8_t)left, at_ms);
    place.detail = (uint8_t)entered;
    tally_add_count(tally, place);
    tally_add_flow(tally, place_at(KPI_STAGE_CUSTOMERS, 0, (uint8_t)left, at_ms), -1, 0);
    tally_add_flow(tally, place_at(KPI_STAGE_CUSTOMERS, 0, (uint8_t)entered, at_ms), 1, 0);
}

/* The customer's newest event can make one move at most, out of where the way has led so far. */
static void newest_contribute(struct customer *customer, int64_t at_ms, struct tally *tally)
{
    struct stage_path *path = &customer->path;
    enum stage now = stage_now(customer);
    if (now == (enum stage)path->stage)
        return;
    move_contribute((enum stage)path->stage, now, at_ms - path->since_ms, at_ms, tally);
    path->stage = (uint8_t)now;
    path->since_ms = at_ms;
}

void stage_contribute(struct journey_task *task, struct customer *customer, int64_t from_ms, bool is_newest, struct tally *tally)
{
    if (!customer->has_activity)
        return;
    if (is_newest && customer->path.is_known) {
        newest_contribute(customer, from_ms, tally);
        return;
    }
    uint32_t count = changes_collect(task, customer);
    struct path path = {0};
    for (uint32_t i = 0; i < count; i++) {
        const struct stage_change *change = &task->stage_changes[i];
        enum stage left;
        int64_t dwell_ms;
        if (path_step(&path, change, &left, &dwell_ms) && change->moment.at_ms >= from_ms)
            move_contribute(left, path.stage, dwell_ms, change->moment.at_ms, tally);
        if (change->kind == FIRST_ACTIVITY && !is_newest)
            tally_add_flow(tally, place_at(KPI_STAGE_CUSTOMERS, 0, (uint8_t)path.stage, change->moment.at_ms), 1, 0);
    }
    customer->path = (struct stage_path){true, (uint8_t)path.stage, path.since_ms};
}
