/* Redis keeps the place: ts:position:TOPIC:PARTITION, the next offset wanted, changed in the same MULTI as the results. */
#ifndef TS_SINKS_REDIS_POSITIONS_H
#define TS_SINKS_REDIS_POSITIONS_H

#include "base/map.h"
#include "sinks/redis/redis_link.h"

/* Where we are in the partitions that are ours, by our own book. Zero-initialised is empty and valid. */
struct positions {
    struct map next; /* "TOPIC:PARTITION" → int64_t * */
};

/* A partition that a batch touches, with the position before and after it. */
struct touched {
    const char *topic; /* as the records have it: the same text is the same pointer within a batch */
    int32_t partition;
    struct view name; /* "TOPIC:PARTITION", in the batch's arena */
    int64_t before, after;
};

struct touched_list {
    struct touched *items;
    size_t count;
};

void positions_finish(struct positions *positions); /* empty and valid again */

/* Asks Redis and notes the answer. Nothing there, or Redis away: 0, the beginning; if that is wrong, positions_check will say so. */
int64_t positions_ask(struct positions *positions, struct redis_link *link, const char *prefix, struct view name, struct arena *arena);

/* The partition is ours no longer: another sink may move its position. */
void positions_forget(struct positions *positions, struct view name);

struct view position_name(struct arena *arena, struct view topic, int32_t partition);

/* Adds a partition to the list, at the position of our book. */
struct touched *positions_touch(struct positions *positions, struct touched_list *list, struct view name);

/* Sets WATCH on the list's positions and compares them with Redis. REDO: somebody moved them. RETRY: Redis is away. */
enum outcome positions_check(const struct touched_list *list, struct redis_link *link, const char *prefix, struct arena *arena);

/* Compares the whole book with Redis, no batch being under way: a Redis that came back from a snapshot, or empty, stands where it stood
 * whether or not a record comes that would touch the partition. Outcomes as above. */
enum outcome positions_check_all(struct positions *positions, struct redis_link *link, const char *prefix);

/* SET for each, to be sent in the batch's MULTI. */
void positions_write(const struct touched_list *list, struct resp *commands, const char *prefix);

/* The batch is sent: our book is now where it ends. */
void positions_advance(struct positions *positions, const struct touched_list *list);

#endif
