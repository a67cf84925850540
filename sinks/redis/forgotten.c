/* Who is forgotten leaves Redis (READINGS 43): the keys of their own at once (project_customers.c), here what stands among others':
 * entries of ts:alerts and follow-ups. The alerts are read through in Redis, once a batch: people are seldom forgotten, and an index
 * by customer would be one more thing to write for every alert.
 *
 * Alerts come on a lane of their own, perhaps later than the word that their customer is gone. But the last revision of a forgotten
 * customer's alert names nobody, and so it clears those before it. */
#include "sinks/redis/projection.h"

static const char script[] =
    "local gone = {c = {}, a = {}}\n"
    "for i = 3, #ARGV, 2 do\n"
    "  gone[ARGV[i]][ARGV[i + 1]] = true\n"
    "  if ARGV[i] == 'c' then\n"
    "    local own = ARGV[2] .. ARGV[i + 1]\n"
    "    for _, id in ipairs(redis.call('SMEMBERS', own)) do\n"
    "      redis.call('ZREM', KEYS[2], id)\n"
    "      redis.call('DEL', ARGV[1] .. id)\n"
    "    end\n"
    "    redis.call('DEL', own)\n"
    "  end\n"
    "end\n"
    "for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do\n"
    "  local alert, customer\n"
    "  for i = 1, #entry[2], 2 do\n"
    "    if entry[2][i] == 'alert_id' then alert = entry[2][i + 1] end\n"
    "    if entry[2][i] == 'customer_id' then customer = entry[2][i + 1] end\n"
    "  end\n"
    "  if customer ~= '' and (gone.c[customer] or gone.a[alert]) then redis.call('XDEL', KEYS[1], entry[1]) end\n"
    "end";

static void note(struct projection *projection, const char *what, struct view id)
{
    resp_text(&projection->forgotten, what);
    resp_view(&projection->forgotten, id);
    projection->forgotten_count++;
}

void forgotten_note_customer(struct projection *projection, struct view customer_id)
{
    note(projection, "c", customer_id);
}

void forgotten_note_alert(struct projection *projection, struct view alert_id)
{
    note(projection, "a", alert_id);
}

void forgotten_write(struct projection *projection)
{
    struct resp *commands = &projection->commands;
    if (projection->forgotten_count == 0)
        return;
    resp_command(commands, 7 + 2 * projection->forgotten_count, "EVAL");
    resp_view(commands, VIEW_LITERAL(script));
    resp_text(commands, "2");
    resp_key(commands, projection->prefix, "alerts", (struct view){NULL, 0});
    resp_key(commands, projection->prefix, "followups", (struct view){NULL, 0});
    resp_key(commands, projection->prefix, "followup", VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, "followups", VIEW_LITERAL(""));
    bytes_append_view(&commands->bytes, bytes_view(&projection->forgotten.bytes));
    forgotten_clear(projection);
}

void forgotten_clear(struct projection *projection)
{
    resp_clear(&projection->forgotten);
    projection->forgotten_count = 0;
}
