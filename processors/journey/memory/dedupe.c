#include "processors/journey/memory/dedupe.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

/* A table's capacity is 48, 64, 96, 128 …, and seven eighths of it are used: what is awake has to be in the caches, and nobody is looked for beyond the
 * first larger id. */
enum { GROW_BY = 4, TABLE_LEAST = 48 };

void dedupe_finish(struct room *room, struct dedupe *dedupe)
{
    room_give(room, dedupe->ids);
    *dedupe = (struct dedupe){0};
}

static bool is_table(const struct dedupe *dedupe)
{
    return dedupe->capacity > DEDUPE_SCANNED_MAX;
}

static uint32_t home_of(const struct dedupe *dedupe, uint64_t id)
{
    return (uint32_t)((id >> 32) * dedupe->capacity >> 32);
}

static uint32_t place_after(const struct dedupe *dedupe, uint32_t place)
{
    return place + 1 < dedupe->capacity ? place + 1 : 0;
}

static uint32_t used_most(uint32_t capacity)
{
    return capacity / 8 * 7;
}

/* Where `id` is, if it is there. */
static uint32_t place_of(const struct dedupe *dedupe, uint64_t id)
{
    if (!is_table(dedupe)) {
        uint32_t place = 0;
        while (place < dedupe->count && dedupe->ids[place] != id)
            place++;
        return place;
    }
    uint32_t place = home_of(dedupe, id);
    while (dedupe->ids[place] != 0 && dedupe->ids[place] < id)
        place = place_after(dedupe, place);
    return place;
}

static uint32_t capacity_for(uint32_t count)
{
    if (count <= DEDUPE_SCANNED_MAX)
        return (count + GROW_BY - 1) / GROW_BY * GROW_BY;
    uint32_t capacity = TABLE_LEAST;
    while (used_most(capacity) < count)
        capacity = capacity % 3 ? capacity / 2 * 3 : capacity / 3 * 4;
    return capacity;
}

static void allocate(struct room *room, struct dedupe *dedupe, uint32_t capacity)
{
    dedupe->capacity = capacity;
    dedupe->count = 0;
    dedupe->ids = room_take(room, capacity * (sizeof(uint64_t) + sizeof(uint32_t)));
    if (is_table(dedupe))
        memset(dedupe->ids, 0, capacity * sizeof(uint64_t)); /* no id, no second */
}

/* On its way through a table the smaller id takes a place and the larger one goes on: so the table looks the same in whatever
 * order they came, and so does the checkpoint. It is not there yet. */
void dedupe_put_into_table(struct dedupe *dedupe, uint64_t id, uint32_t second)
{
    uint32_t *seconds = dedupe_seconds(dedupe);
    uint32_t place = home_of(dedupe, id);
    for (; dedupe->ids[place] != 0; place = place_after(dedupe, place)) {
        if (dedupe->ids[place] < id)
            continue;
        uint64_t larger = dedupe->ids[place];
        uint32_t its_second = seconds[place];
        dedupe->ids[place] = id;
        seconds[place] = second;
        id = larger;
        second = its_second;
    }
    dedupe->ids[place] = id;
    seconds[place] = second;
    dedupe->count++;
}

/* A new table with those received after second `kept_after`, and room for `more`. */
static void rebuild(struct room *room, struct dedupe *dedupe, int64_t kept_after, uint32_t more)
{
    struct dedupe old = *dedupe;
    uint32_t kept = 0, end = dedupe_end(&old);
    for (uint32_t i = 0; i < end; i++)
        kept += old.ids[i] != 0 && dedupe_seconds(&old)[i] > kept_after;
    allocate(room, dedupe, capacity_for(kept + more));
    for (uint32_t i = 0; i < end; i++) {
        if (old.ids[i] != 0 && dedupe_seconds(&old)[i] > kept_after)
            dedupe_put(dedupe, old.ids[i], dedupe_seconds(&old)[i]);
    }
    room_give(room, old.ids);
}

static bool is_full(const struct dedupe *dedupe)
{
    if (!is_table(dedupe))
        return dedupe->count >= dedupe->capacity;
    return dedupe->count >= used_most(dedupe->capacity);
}

static int compare_seconds(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

/* The bound is reached with ids that are all young: let go of the oldest sixteenth, so that this happens seldom. */
static void forget_oldest(struct room *room, struct dedupe *dedupe, uint64_t *forgotten)
{
    uint32_t *seconds = memory_allocate(dedupe->count * sizeof *seconds);
    uint32_t count = 0, before = dedupe->count;
    for (uint32_t i = 0; i < dedupe_end(dedupe); i++) {
        if (dedupe->ids[i] != 0)
            seconds[count++] = dedupe_seconds(dedupe)[i];
    }
    qsort(seconds, count, sizeof *seconds, compare_seconds);
    rebuild(room, dedupe, seconds[count / 16], 1);
    free(seconds);
    *forgotten += before - dedupe->count;
}

bool dedupe_first_sight(struct room *room, struct dedupe *dedupe, const struct uuid *event_id, int64_t received_at_ms,
                        const struct dedupe_bounds *bounds, uint64_t *forgotten)
{
    uint64_t id = dedupe_mixed(moment_read_big_endian(event_id->bytes), moment_read_big_endian(event_id->bytes + 8));
    int64_t second = received_at_ms / 1000, kept_after = (received_at_ms - bounds->kept_ms) / 1000 - 1;
    second = second < 0 ? 0 : second > UINT32_MAX ? UINT32_MAX : second;
    if (dedupe->capacity > 0) {
        uint32_t place = place_of(dedupe, id);
        if (place < dedupe_end(dedupe) && dedupe->ids[place] == id) {
            bool is_first = dedupe_seconds(dedupe)[place] <= kept_after;
            if (is_first)
                dedupe_seconds(dedupe)[place] = (uint32_t)second;
            return is_first;
        }
    }
    if (dedupe->count >= bounds->count)
        rebuild(room, dedupe, kept_after, 1);
    if (dedupe->count >= bounds->count)
        forget_oldest(room, dedupe, forgotten);
    if (dedupe->capacity == 0 || is_full(dedupe))
        rebuild(room, dedupe, kept_after, 1);
    dedupe_put(dedupe, id, (uint32_t)second);
    return true;
}

void dedupe_reserve(struct room *room, struct dedupe *dedupe, uint32_t count)
{
    allocate(room, dedupe, capacity_for(count));
}
