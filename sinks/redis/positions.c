#include "sinks/redis/positions.h"

#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void positions_finish(struct positions *positions)
{
    map_finish(&positions->next, free);
}

struct view position_name(struct arena *arena, struct view topic, int32_t partition)
{
    char *text = arena_alloc(arena, topic.size + 16);
    int size = sprintf(text, "%.*s:%" PRId32, VIEW_ARGUMENTS(topic), partition);
    return view_of(text, (size_t)size);
}

static int64_t *next_of(struct positions *positions, struct view name)
{
    int64_t **place = (int64_t **)map_place(&positions->next, name);
    if (*place == NULL)
        *place = memory_zeroed(1, sizeof **place);
    return *place;
}

int64_t positions_ask(struct positions *positions, struct redis_link *link, const char *prefix, struct view name, struct arena *arena)
{
    struct bytes key = {0};
    bytes_printf(&key, "%sposition:%.*s", prefix, VIEW_ARGUMENTS(name));
    struct redis_answer answer = {0};
    int64_t offset = 0;
    if (redis_link_ask(link, arena, &answer, "GET", bytes_text(&key), NULL) == OUTCOME_OK && answer.kind == REDIS_TEXT)
        offset = strtoll(arena_text(arena, answer.text), NULL, 10);
    bytes_finish(&key);
    *next_of(positions, name) = offset;
    return offset;
}

struct touched *positions_touch(struct positions *positions, struct touched_list *list, struct view name)
{
    int64_t next = *next_of(positions, name);
    list->items[list->count] = (struct touched){.name = name, .before = next, .after = next};
    return &list->items[list->count++];
}

enum outcome positions_check(const struct touched_list *list, struct redis_link *link, const char *prefix, struct arena *arena)
{
    struct resp commands = {0};
    resp_command(&commands, 1 + list->count, "WATCH");
    for (size_t i = 0; i < list->count; i++)
        resp_key(&commands, prefix, "position", list->items[i].name);
    resp_command(&commands, 1 + list->count, "MGET");
    for (size_t i = 0; i < list->count; i++)
        resp_key(&commands, prefix, "position", list->items[i].name);
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &answers);
    resp_finish(&commands);
    if (outcome != OUTCOME_OK)
        return outcome;
    if (answers[1].kind != REDIS_LIST)
        return OUTCOME_RETRY;
    for (size_t i = 0; i < list->count; i++) {
        const struct redis_answer *item = &answers[1].items[i];
        int64_t position = item->kind == REDIS_TEXT ? strtoll(arena_text(arena, item->text), NULL, 10) : 0;
        if (position != list->items[i].before) {
            log_info("redis holds another position, reading from there", "of", arena_text(arena, list->items[i].name), "ours",
                     LOG_NUMBER(list->items[i].before), "redis", LOG_NUMBER(position), NULL);
            return OUTCOME_REDO;
        }
    }
    return OUTCOME_OK;
}

void positions_write(const struct touched_list *list, struct resp *commands, const char *prefix)
{
    for (size_t i = 0; i < list->count; i++) {
        resp_command(commands, 3, "SET");
        resp_key(commands, prefix, "position", list->items[i].name);
        resp_integer(commands, list->items[i].after);
    }
}

void positions_advance(struct positions *positions, const struct touched_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        *next_of(positions, list->items[i].name) = list->items[i].after;
}
