/* Follow-ups in Redis: ts:followups by due time, a hash each, and a set for each customer, so that they are found when the customer is
 * forgotten.
 *
 * They leave when they were due longer ago than their topic keeps them, or Redis would grow for ever. "Now" is when the newest record at
 * hand was written to Kafka, and no clock of ours: the same records leave the same database. */
#include "base/json_writer.h"
#include "sinks/redis/projection.h"

enum { LEAVE_AT_ONCE_MIN = 100 };

/* KEYS: ts:followups, ts:forgotten. ARGV: the beginnings of follow-ups' and customers' keys, due before, how many at once; then the batch's own, id and
 * customer each. */
static const char script[] =
    "local function leave(id)\n"
    "  local customer = redis.call('HGET', ARGV[1] .. id, 'customer')\n"
    "  if customer then redis.call('SREM', ARGV[2] .. customer, id) end\n"
    "  redis.call('DEL', ARGV[1] .. id)\n"
    "  redis.call('ZREM', KEYS[1], id)\n"
    "end\n"
    "for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3], 'LIMIT', 0, ARGV[4])) do leave(id) end\n"
    "if redis.call('EXISTS', KEYS[2]) == 0 then return end\n"
    "for i = 5, #ARGV, 2 do\n"
    "  local forgotten = redis.call('ZSCORE', KEYS[2], redis.sha1hex(ARGV[i + 1]))\n"
    "  local due = forgotten and redis.call('ZSCORE', KEYS[1], ARGV[i])\n"
    "  if due and tonumber(due) <= tonumber(forgotten) then leave(ARGV[i]) end\n"
    "end";

static struct view variables_json(struct projection *projection, const struct follow_up *followup)
{
    bytes_clear(&projection->scratch);
    struct json_writer json = json_writer_on(&projection->scratch);
    json_open_object(&json);
    for (size_t i = 0; i < followup->variables.count; i++) {
        json_key_view(&json, followup->variables.items[i].key);
        json_write_text(&json, followup->variables.items[i].value);
    }
    json_close_object(&json);
    return bytes_view(&projection->scratch);
}

void project_followup(struct projection *projection, const struct follow_up *followup)
{
    if (followup->due_at_ms < projection->now_ms - FOLLOWUPS_KEPT_MS)
        return;
    projection->followup_count++;
    resp_view(&projection->followups, followup->followup_id);
    resp_view(&projection->followups, followup->customer_id);
    struct resp *commands = &projection->commands;
    char cause[UUID_TEXT_SIZE + 1];
    uuid_format(&followup->cause, cause);
    resp_command(commands, 4, "ZADD");
    resp_key(commands, projection->prefix, "followups", (struct view){NULL, 0});
    resp_integer(commands, followup->due_at_ms);
    resp_view(commands, followup->followup_id);
    resp_command(commands, 3, "SADD");
    resp_key(commands, projection->prefix, "followups", followup->customer_id);
    resp_view(commands, followup->followup_id);
    resp_command(commands, 2 + 2 * 8, "HSET");
    resp_key(commands, projection->prefix, "followup", followup->followup_id);
    resp_field(commands, "followup_id", followup->followup_id);
    resp_field(commands, "customer", followup->customer_id);
    resp_field(commands, "kind", view_of_text(follow_up_kind_name(followup->kind)));
    resp_field(commands, "cause", view_of_text(cause));
    resp_field(commands, "channel", view_of_text(channel_name(followup->channel)));
    resp_field_integer(commands, "due_at", true, followup->due_at_ms);
    resp_field_integer(commands, "expires_at", true, followup->expires_at_ms);
    resp_field(commands, "variables", variables_json(projection, followup));
}

/* More may leave than came, so whatever is too much gets less. */
void followups_trim(struct projection *projection)
{
    struct resp *commands = &projection->commands;
    if (projection->followup_count == 0)
        return;
    resp_command(commands, 9 + 2 * projection->followup_count, "EVAL");
    resp_text(commands, script);
    resp_text(commands, "2");
    resp_key(commands, projection->prefix, "followups", (struct view){NULL, 0});
    resp_key(commands, projection->prefix, FORGOTTEN_WHEN, (struct view){NULL, 0});
    resp_key(commands, projection->prefix, "followup", VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, "followups", VIEW_LITERAL(""));
    resp_integer(commands, projection->now_ms - FOLLOWUPS_KEPT_MS - 1);
    resp_integer(commands, LEAVE_AT_ONCE_MIN + 2 * (int64_t)projection->followup_count);
    bytes_append_view(&commands->bytes, bytes_view(&projection->followups.bytes));
    followups_clear(projection);
}

void followups_clear(struct projection *projection)
{
    resp_clear(&projection->followups);
    projection->followup_count = 0;
}
