#include "processors/journey/matters/stage.h"

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

/* The customer's way as if the events had come in order: what may change the stage, and where that led. */
struct stage_change {
    struct moment moment;
    enum { TICKET_OPENS, TICKET_ENDS, SECOND_ORDER, FIRST_USE, FIRST_ACTIVITY } kind;
    bool has_second_order, has_used, has_begun;
    uint8_t stage; /* from here on */
    uint32_t open_tickets;
    int64_t since_ms; /* in this stage since */
};

struct stage_path {
    struct stage_change *changes; /* sorted */
    uint32_t count, capacity;
};

void stage_path_destroy(struct stage_path *path)
{
    if (path == NULL)
        return;
    free(path->changes);
    free(path);
}

void stage_forget(struct customer *customer)
{
    stage_path_destroy(customer->path);
    customer->path = NULL;
}

static void change_add(struct stage_path *path, const struct moment *moment, int kind)
{
    if (path->count == path->capacity) {
        path->capacity = path->capacity ? 2 * path->capacity : 64;
        path->changes = memory_resize(path->changes, path->capacity * sizeof *path->changes);
    }
    path->changes[path->count++] = (struct stage_change){.moment = *moment, .kind = kind};
}

static void ticket_changes(struct stage_path *path, const struct ticket *ticket, int64_t from_ms)
{
    bool is_open = false;
    for (uint32_t i = 0; i < ticket->count; i++) {
        uint8_t action = ticket->events[i].action;
        bool starts = action == TICKET_ACTION_OPENED || action == TICKET_ACTION_REOPENED;
        bool ends = action == TICKET_ACTION_RESOLVED || action == TICKET_ACTION_CLOSED;
        if (is_open ? ends : starts) {
            if (ticket->events[i].moment.at_ms >= from_ms)
                change_add(path, &ticket->events[i].moment, is_open ? TICKET_ENDS : TICKET_OPENS);
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
    enum { FEW = 32 };
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

/* Where a change leads from what was before it. */
static void change_follow(struct stage_change *change, const struct stage_change *before)
{
    static const struct stage_change nothing = {.stage = STAGE_ONBOARDING};
    if (before == NULL)
        before = &nothing;
    change->open_tickets = before->open_tickets + (change->kind == TICKET_OPENS) - (change->kind == TICKET_ENDS);
    change->has_second_order = before->has_second_order || change->kind == SECOND_ORDER;
    change->has_used = before->has_used || change->kind == FIRST_USE;
    change->has_begun = before->has_begun || change->kind == FIRST_ACTIVITY;
    change->stage = change->open_tickets       ? STAGE_SUPPORT
                    : change->has_second_order ? STAGE_LOYALTY
                    : change->has_used         ? STAGE_UTILIZATION
                                               : STAGE_ONBOARDING;
    bool is_move = before->has_begun && change->stage != before->stage;
    change->since_ms = is_move || change->kind == FIRST_ACTIVITY ? change->moment.at_ms : before->since_ms;
}

static uint32_t changes_before(const struct stage_path *path, int64_t from_ms)
{
    uint32_t count = path->count; /* from the end: what is news is nearly always late in the way */
    while (count > 0 && path->changes[count - 1].moment.at_ms >= from_ms)
        count--;
    return count;
}

/* The way from `from_ms` on is read again; what was before stays. */
static void path_read(struct stage_path *path, const struct customer *customer, int64_t from_ms)
{
    uint32_t kept = path->count = changes_before(path, from_ms);
    for (uint32_t i = 0; i < customer->ticket_count; i++) {
        const struct ticket *ticket = &customer->tickets[i];
        if (ticket->count && ticket->events[ticket->count - 1].moment.at_ms >= from_ms)
            ticket_changes(path, ticket, from_ms);
    }
    const struct cohort *cohort = customer->cohort;
    if (cohort && cohort->has_second && cohort->second.at_ms >= from_ms)
        change_add(path, &cohort->second, SECOND_ORDER);
    if (cohort && cohort->has_used && cohort->first_used.at_ms >= from_ms)
        change_add(path, &cohort->first_used, FIRST_USE);
    if (customer->first_activity.at_ms >= from_ms)
        change_add(path, &customer->first_activity, FIRST_ACTIVITY);
    changes_sort(path->changes + kept, path->count - kept);
    for (uint32_t i = kept; i < path->count; i++)
        change_follow(&path->changes[i], i ? &path->changes[i - 1] : NULL);
}

/* A short way is read when it is asked for; a long one stays with the customer and is followed. */
static const struct stage_path *path_of(struct journey_task *task, struct customer *customer)
{
    enum { SHORT = 16 };
    if (customer->path)
        return customer->path;
    if (customer->ticket_count > SHORT) {
        customer->path = memory_zeroed(1, sizeof *customer->path);
        path_read(customer->path, customer, INT64_MIN);
        return customer->path;
    }
    if (task->stage_path == NULL)
        task->stage_path = memory_zeroed(1, sizeof *task->stage_path);
    task->stage_path->count = 0;
    path_read(task->stage_path, customer, INT64_MIN);
    return task->stage_path;
}

void stage_follow(struct customer *customer, int64_t from_ms)
{
    if (customer->path)
        path_read(customer->path, customer, from_ms);
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

/* Nothing but a beginning: no ticket, no second order, no use. */
static bool has_just_begun(const struct customer *customer)
{
    const struct cohort *cohort = customer->cohort;
    return customer->ticket_count == 0 && (cohort == NULL || !(cohort->has_second || cohort->has_used));
}

static void beginning_contribute(const struct customer *customer, int64_t from_ms, struct tally *tally)
{
    int64_t at_ms = customer->first_activity.at_ms;
    if (at_ms >= from_ms)
        tally_add_flow(tally, place_at(KPI_STAGE_CUSTOMERS, 0, STAGE_ONBOARDING, at_ms), 1, 0);
}

void stage_contribute(struct journey_task *task, struct customer *customer, int64_t from_ms, struct tally *tally)
{
    if (!customer->has_activity)
        return;
    if (has_just_begun(customer)) {
        beginning_contribute(customer, from_ms, tally);
        return;
    }
    const struct stage_path *path = path_of(task, customer);
    for (uint32_t i = changes_before(path, from_ms); i < path->count; i++) {
        const struct stage_change *change = &path->changes[i], *before = i ? change - 1 : NULL;
        int64_t at_ms = change->moment.at_ms;
        if (before && before->has_begun && change->stage != before->stage)
            move_contribute((enum stage)before->stage, (enum stage)change->stage, at_ms - before->since_ms, at_ms, tally);
        if (change->kind == FIRST_ACTIVITY)
            tally_add_flow(tally, place_at(KPI_STAGE_CUSTOMERS, 0, change->stage, at_ms), 1, 0);
    }
}
