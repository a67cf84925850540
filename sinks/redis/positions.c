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

/* −1, which Redis never holds, where we have not asked: the partition was taken from us when its records were already on their way. */
static int64_t *next_of(struct positions *positions, struct view name)
{
    int64_t **place = (int64_t **)map_place(&positions->next, name);
    if (*place == NULL) {
        *place = memory_allocate(sizeof **place);
        **place = -1;
    }
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

void positions_forget(struct positions *positions, struct view name)
{
    free(map_remove(&positions->next, name));
}

static void add_positions(struct resp *commands, const char *verb, const struct touched_list *list, const char *prefix)
{
    resp_command(commands, 1 + list->count, verb);
    for (size_t i = 0; i < list->count; i++)
        resp_key(commands, prefix, "position", list->items[i].name);
}

/* `answer` is MGET's of the list. */
static enum outcome compare(const struct touched_list *list, struct redis_link *link, const struct redis_answer *answer, struct arena *arena)
{
    if (answer->kind == REDIS_ERROR)
        redis_link_note_refusal(link, answer->text);
    if (answer->kind != REDIS_LIST)
        return OUTCOME_RETRY;
    for (size_t i = 0; i < list->count; i++) {
        const struct redis_answer *item = &answer->items[i];
        int64_t position = item->kind == REDIS_TEXT ? strtoll(arena_text(arena, item->text), NULL, 10) : 0;
        if (position != list->items[i].before) {
            log_info("redis holds another position, reading from there", "of", arena_text(arena, list->items[i].name), "ours",
                     LOG_NUMBER(list->items[i].before), "redis", LOG_NUMBER(position), NULL);
            return OUTCOME_REDO;
        }
    }
    return OUTCOME_OK;
}

enum outcome positions_check(const struct touched_list *list, struct redis_link *link, const char *prefix, struct arena *arena)
{
    struct resp commands = {0};
    add_positions(&commands, "WATCH", list, prefix);
    add_positions(&commands, "MGET", list, prefix);
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(link, &commands, arena, &answers);
    resp_finish(&commands);
    return outcome == OUTCOME_OK ? compare(list, link, &answers[1], arena) : outcome;
}

enum outcome positions_check_all(struct positions *positions, struct redis_link *link, const char *prefix)
{
    if (positions->next.count == 0)
        return OUTCOME_OK;
    struct arena arena;
    arena_init(&arena);
    struct touched_list list = {.items = arena_alloc(&arena, positions->next.count * sizeof *list.items)};
    const struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&positions->next, &at));)
        list.items[list.count++] = (struct touched){.name = view_of(slot->key, slot->key_size), .before = *(int64_t *)slot->value};
    struct resp commands = {0};
    add_positions(&commands, "MGET", &list, prefix);
    struct redis_answer *answers = NULL;
    enum outcome outcome = redis_link_send(link, &commands, &arena, &answers);
    if (outcome == OUTCOME_OK)
        outcome = compare(&list, link, &answers[0], &arena);
    resp_finish(&commands);
    arena_finish(&arena);
    return outcome;
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
