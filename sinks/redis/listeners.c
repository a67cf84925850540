#include "sinks/redis/listeners.h"

void listeners_ask(struct resp *commands, const char *prefix)
{
    resp_command(commands, 3, "PUBSUB");
    resp_text(commands, "NUMSUB");
    resp_key(commands, prefix, "live:kpis", (struct view){NULL, 0});
    resp_command(commands, 2, "PUBSUB");
    resp_text(commands, "NUMPAT");
}

bool listeners_are_there(const struct redis_answer *answers)
{
    const struct redis_answer *channel = &answers[0], *patterns = &answers[1];
    bool is_known = channel->kind == REDIS_LIST && channel->count == 2 && channel->items[1].kind == REDIS_INTEGER &&
                    patterns->kind == REDIS_INTEGER;
    return !is_known || channel->items[1].integer > 0 || patterns->integer > 0;
}
