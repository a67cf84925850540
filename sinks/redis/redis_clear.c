#include "sinks/redis/redis_sink.h"

/* Every key that begins with the prefix, whatever characters that has. */
static void pattern_of(const char *prefix, struct bytes *pattern)
{
    for (const char *c = prefix; *c; c++)
        bytes_printf(pattern, strchr("*?[]^-\\", *c) ? "\\%c" : "%c", *c);
    bytes_append_text(pattern, "*");
}

enum outcome redis_sink_clear(const struct redis_settings *redis, int64_t *deleted)
{
    struct redis_link *link = redis_link_create(redis);
    struct arena arena;
    arena_init(&arena);
    struct bytes pattern = {0};
    pattern_of(redis->prefix, &pattern);
    const char *cursor = "0";
    enum outcome outcome;
    *deleted = 0;
    do {
        struct redis_answer page = {0};
        outcome = redis_link_ask(link, &arena, &page, "SCAN", cursor, "MATCH", bytes_text(&pattern), "COUNT", "1000", NULL);
        if (outcome == OUTCOME_OK && (page.kind != REDIS_LIST || page.count != 2)) {
            redis_link_note_refusal(link, page.text);
            outcome = OUTCOME_STOP;
        }
        if (outcome != OUTCOME_OK)
            break;
        cursor = arena_text(&arena, page.items[0].text);
        struct resp commands = {0};
        for (size_t i = 0; i < page.items[1].count; i++) {
            resp_command(&commands, 2, "DEL");
            resp_view(&commands, page.items[1].items[i].text);
        }
        *deleted += (int64_t)page.items[1].count;
        outcome = redis_link_send(link, &commands, &arena, NULL);
        resp_finish(&commands);
    } while (outcome == OUTCOME_OK && strcmp(cursor, "0") != 0);
    bytes_finish(&pattern);
    arena_finish(&arena);
    redis_link_destroy(link);
    return outcome;
}
