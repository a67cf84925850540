#include "processors/journey/memory/resting.h"

#include "base/log.h"
#include "base/memory.h"
#include "processors/journey/memory/customer_pack.h"

#include <stdlib.h>

/* A run with its size before it: two bytes, or LONG_SIZE and then four. */
struct resting {
    uint16_t size;
    char bytes[];
};

enum { LONG_SIZE = UINT16_MAX };

enum { RESTING_BIT = 1 };

static struct resting *resting_of(const struct entry *entry)
{
    return (struct resting *)((uintptr_t)entry->state & ~(uintptr_t)RESTING_BIT);
}

bool customer_is_resting(const struct entry *entry)
{
    return (uintptr_t)entry->state & RESTING_BIT;
}

static struct view bytes_of(const struct resting *resting)
{
    if (resting->size != LONG_SIZE)
        return view_of(resting->bytes, resting->size);
    uint32_t size;
    memcpy(&size, resting->bytes, sizeof size);
    return view_of(resting->bytes + sizeof size, size);
}

static size_t size_with(size_t bytes_size)
{
    return sizeof(struct resting) + (bytes_size < LONG_SIZE ? 0 : sizeof(uint32_t)) + bytes_size;
}

struct view resting_bytes(const struct entry *entry)
{
    return bytes_of(resting_of(entry));
}

void resting_set(struct journey_task *task, struct entry *entry, struct view bytes)
{
    struct resting *resting = slab_take(&task->resting, size_with(bytes.size));
    char *at = resting->bytes;
    resting->size = bytes.size < LONG_SIZE ? (uint16_t)bytes.size : LONG_SIZE;
    if (resting->size == LONG_SIZE) {
        uint32_t size = (uint32_t)bytes.size;
        memcpy(at, &size, sizeof size);
        at += sizeof size;
    }
    memcpy(at, bytes.data, bytes.size);
    entry->state = (void *)((uintptr_t)resting | RESTING_BIT);
}

static void resting_free(struct journey_task *task, struct resting *resting)
{
    slab_give(&task->resting, resting, size_with(bytes_of(resting).size));
}

/* --- those awake, nearly by when they were touched last ---
 *
 * Moving somebody to the front at every event would touch their two neighbours' memory, too, which is in no cache. They gain a chance
 * instead, a few at most, and who comes to the end of the list with one left goes to its front for it: so who is heard of often stays
 * longer than who was heard of last. Resting and waking cost as much as what is remembered is long: who has a long history gains more
 * at once, and keeps more, one for each doubling. */

enum { CHANCES_LEAST_MAX = 3, HISTORY_SHORT = 8 };

static void chances_give(struct customer *customer)
{
    uint32_t beyond = customer->history_count / HISTORY_SHORT;
    unsigned doublings = beyond ? 32 - (unsigned)__builtin_clz(beyond) : 0;
    unsigned most = CHANCES_LEAST_MAX + doublings, chances = customer->chances + 1 + doublings;
    customer->chances = (uint8_t)(chances < most ? chances : most);
}

static void list_remove(struct journey_task *task, struct customer *customer)
{
    *(customer->newer ? &customer->newer->older : &task->newest) = customer->older;
    *(customer->older ? &customer->older->newer : &task->oldest) = customer->newer;
}

static void list_add(struct journey_task *task, struct customer *customer)
{
    customer->newer = NULL;
    customer->older = task->newest;
    *(task->newest ? &task->newest->newer : &task->oldest) = customer;
    task->newest = customer;
}

enum { MADE_TOGETHER = 16 };

static void spare_add(struct journey_task *task, struct customer *customer)
{
    customer->older = task->spare;
    task->spare = customer;
}

static void struct_put_by(struct journey_task *task, struct customer *customer)
{
    customer_clear(customer);
    spare_add(task, customer);
}

static void structs_make(struct journey_task *task)
{
    struct customer *customers = customers_create(MADE_TOGETHER);
    task->homes = GROWN(task->homes, task->home_count, task->home_capacity);
    task->homes[task->home_count++] = customers;
    for (size_t i = MADE_TOGETHER; i > 0; i--)
        spare_add(task, customer_at(customers, i - 1));
}

static struct customer *struct_take(struct journey_task *task)
{
    if (task->spare == NULL)
        structs_make(task);
    struct customer *customer = task->spare;
    task->spare = customer->older;
    customer->older = NULL;
    return customer;
}

/* --- memory asked for ahead ---
 *
 * Inlined by force: gcc takes a function that does nothing but prefetch for one that does nothing, and leaves out the call. */

enum { CACHE_LINE = 64, EXPECTED_BYTES = 256 /* what half of the resting ones have */ };

#define INLINE_EXPECTATION __attribute__((always_inline)) static inline

/* By number: bytes may be NULL, which a prefetch does not mind. */
INLINE_EXPECTATION void bytes_expect(const void *bytes, size_t from, size_t to)
{
    for (size_t at = from; at < to; at += CACHE_LINE)
        __builtin_prefetch((const void *)((uintptr_t)bytes + at));
}

/* Struct, cohort and care, and as much of the room behind them as is used. */
enum { AWAKE_BYTES = sizeof(struct customer) + sizeof(struct cohort) + sizeof(struct care), LONG_BYTES_EXPECTED = 4096 };

static size_t bytes_in_one_piece(const struct customer *customer)
{
    return (size_t)(customer->room.at - (const char *)customer);
}

/* Somebody with a long story has their arrays elsewhere. */
static bool has_long_story(const struct customer *customer)
{
    return customer->room.outside || bytes_in_one_piece(customer) > AWAKE_BYTES + CUSTOMER_ROOM_BYTES;
}

/* Of those arrays the newest items are looked at. */
INLINE_EXPECTATION void newest_expect(const void *array, uint32_t count, size_t item_size, uint32_t expected)
{
    bytes_expect(array, (count > expected ? count - expected : 0) * item_size, count * item_size);
}

INLINE_EXPECTATION void parts_expect(const struct customer *customer)
{
    __builtin_prefetch(customer->seen.ids);
    newest_expect(customer->tickets, customer->ticket_count, sizeof *customer->tickets, 4);
    newest_expect(customer->surveys, customer->survey_count, sizeof *customer->surveys, 1);
}

/* What hangs off the parts, once those are there: before the text of the event is read, after which all of this is asked for. */
INLINE_EXPECTATION void details_expect(const struct customer *customer)
{
    const struct care *care = customer->care;
    if (care) {
        newest_expect(care->facts, care->fact_count, sizeof *care->facts, 4);
        if (care->fact_codes & FACT_OPENERS)
            bytes_expect(care->facts, 0, 2 * CACHE_LINE); /* cases are read from the beginning */
    }
    if (customer->ticket_count)
        bytes_expect(customer->tickets[customer->ticket_count - 1].events, 0, 2 * CACHE_LINE);
    __builtin_prefetch(customer->orders);
    const struct cohort *cohort = customer->cohort;
    if (cohort) {
        newest_expect(cohort->used_at_ms, cohort->used_count, sizeof *cohort->used_at_ms, 1);
        __builtin_prefetch(cohort->spent);
    }
}

void customer_expect(const struct entry *entry)
{
    if (customer_is_resting(entry)) {
        bytes_expect(resting_of(entry), 2 * CACHE_LINE, EXPECTED_BYTES);
        slab_give_expect(resting_of(entry), size_with(resting_of(entry)->size));
        return;
    }
    const struct customer *customer = entry->state;
    bool is_long = has_long_story(customer);
    bytes_expect(customer, 2 * CACHE_LINE, is_long ? AWAKE_BYTES : bytes_in_one_piece(customer));
    if (is_long)
        parts_expect(customer);
}

/* --- to rest --- */

static struct customer *next_to_rest(struct journey_task *task)
{
    while (task->oldest->chances) {
        struct customer *customer = task->oldest;
        customer->chances--;
        list_remove(task, customer);
        list_add(task, customer);
    }
    return task->oldest;
}

/* Packing reads all of a customer, and of the oldest little is in a cache. So the next one to rest is chosen already, and all of them asked for
 * while an event is worked on, and the first lines of the two after that, from which it is chosen again. */
static void follower_expect(struct journey_task *task)
{
    if (task->oldest == NULL)
        return;
    const struct customer *next = next_to_rest(task);
    bool is_long = has_long_story(next);
    bytes_expect(next, CACHE_LINE, is_long ? AWAKE_BYTES : bytes_in_one_piece(next));
    if (is_long) {
        size_t used = (size_t)(next->room.at - next->room.begin);
        bytes_expect(next->room.begin, 0, used < LONG_BYTES_EXPECTED ? used : LONG_BYTES_EXPECTED);
    }
    if (next->newer)
        __builtin_prefetch(next->newer->newer);
}

static void rest(struct journey_task *task, struct customer *customer)
{
    struct entry *entry = customer->entry;
    bytes_clear(&task->pack_bytes);
    customer_pack(&task->packing, customer, &task->pack_bytes);
    size_t size = size_with(task->pack_bytes.size);
    slab_page_expect(&task->resting, size);
    list_remove(task, customer);
    task->awake_count--;
    follower_expect(task);
    slab_piece_expect(&task->resting, size);
    struct_put_by(task, customer);
    resting_set(task, entry, bytes_view(&task->pack_bytes));
}

/* Tasks come and go; those there are, the one that asks among them, have equal shares of journey.awake_max, and one customer at least.
 * Is there no room for another? */
static bool share_is_full(const struct journey_task *task)
{
    int64_t tasks = atomic_load_explicit(&task->shared->task_count, memory_order_relaxed);
    return task->awake_count > 0 && ((int64_t)task->awake_count + 1) * tasks > task->shared->settings->awake_max;
}

static struct customer *room_make(struct journey_task *task, struct entry *entry)
{
    while (share_is_full(task))
        rest(task, next_to_rest(task));
    struct customer *customer = struct_take(task);
    task->awake_count++;
    customer->entry = entry;
    list_add(task, customer);
    return customer;
}

/* --- the ways in and out --- */

struct customer *customer_begin(struct journey_task *task, struct entry *entry)
{
    struct customer *customer = room_make(task, entry);
    entry->state = customer;
    return customer;
}

struct customer *customer_wake(struct journey_task *task, struct entry *entry)
{
    struct customer *customer = entry->state;
    if (!customer_is_resting(entry)) {
        chances_give(customer);
        if (has_long_story(customer))
            details_expect(customer);
        return customer;
    }
    customer = room_make(task, entry);
    struct resting *resting = resting_of(entry);
    if (!customer_unpack(&task->packing, bytes_of(resting), customer)) {
        log_error("a customer's packed memory does not read: this is a defect of the program", NULL); /* a checkpoint's was checked */
        abort();
    }
    resting_free(task, resting);
    entry->state = customer;
    return customer;
}

void customer_release(struct journey_task *task, struct entry *entry)
{
    if (entry->state == NULL)
        return;
    if (customer_is_resting(entry)) {
        resting_free(task, resting_of(entry));
    } else {
        struct customer *customer = entry->state;
        list_remove(task, customer);
        task->awake_count--;
        struct_put_by(task, customer);
    }
    entry->state = NULL;
}

void resting_finish(struct journey_task *task)
{
    for (size_t i = 0; i < task->home_count; i++)
        free(task->homes[i]);
    free(task->homes);
    bytes_finish(&task->pack_bytes);
    slab_finish(&task->resting);
}
