/* Who is forgotten leaves Redis (READINGS 43): their journey and snapshot at once (project_customers.c), here what stands among others':
 * entries of ts:alerts, open alerts, follow-ups, and what those who referred them have of it in their journeys and follow-ups. Two sets say who that is:
 * ts:referrers:ID, and ts:referred:ID the other way round, so that a referrer who is forgotten is named in no set. The alerts are read
 * through in Redis, once a batch: people are seldom forgotten, and an index by customer would be one more thing to write for every alert.
 *
 * Alerts come on a lane of their own, perhaps later than the word that their customer is gone. But the last revision of a forgotten
 * customer's alert names nobody, and so it clears those before it, and the list of open ones of the customer whom they named.
 *
 * Follow-ups come on that lane, too, and have no such last word. So it is kept who was forgotten when, as ts:forgotten: hashes of ids, for as long as
 * follow-ups are; whoever brings a follow-up looks there (project_followups.c). What is dated later is of a customer who has come back, and stays. */
#include "sinks/redis/open_alerts.h"
#include "sinks/redis/projection.h"

static const char script[] =
    "local gone = {c = {}, a = {}}\n"
    "local function names(json, person)\n"
    "  local is_read, event = pcall(cjson.decode, json)\n"
    "  return is_read and type(event.data) == 'table' and event.data.referred_customer_id == person\n"
    "end\n"
    "local function value_of(entry, field)\n"
    "  for i = 1, #entry[2], 2 do\n"
    "    if entry[2][i] == field then return entry[2][i + 1] end\n"
    "  end\n"
    "end\n"
    "local function followup_forget(owner, followup)\n"
    "  redis.call('ZREM', KEYS[2], followup)\n"
    "  redis.call('DEL', ARGV[1] .. followup)\n"
    "  redis.call('SREM', ARGV[2] .. owner, followup)\n"
    "end\n"
    "local function is_about(followup, person)\n"
    "  local is_read, variables = pcall(cjson.decode, redis.call('HGET', ARGV[1] .. followup, 'variables') or '')\n"
    "  return is_read and type(variables) == 'table' and variables.referred == person\n"
    "end\n"
    "local function referrer_forget(referrer, person)\n"
    "  for _, followup in ipairs(redis.call('SMEMBERS', ARGV[2] .. referrer)) do\n"
    "    if is_about(followup, person) then followup_forget(referrer, followup) end\n"
    "  end\n"
    "  for _, entry in ipairs(redis.call('XRANGE', ARGV[5] .. referrer, '-', '+')) do\n"
    "    if names(value_of(entry, 'json') or '', person) then redis.call('XDEL', ARGV[5] .. referrer, entry[1]) end\n"
    "  end\n"
    "end\n"
    "local function open_alert_forget(alert)\n"
    "  local is_read, record = pcall(cjson.decode, redis.call('HGET', KEYS[3], alert) or '')\n"
    "  if not is_read then return end\n"
    "  redis.call('HDEL', KEYS[3], alert)\n"
    "  redis.call('ZREM', ARGV[6] .. record.kind, alert)\n"
    "  if type(record.customer_id) == 'string' then redis.call('ZREM', ARGV[7] .. record.customer_id, alert) end\n"
    "end\n"
    "for i = 9, #ARGV, 3 do\n"
    "  local id, at = ARGV[i + 1], tonumber(ARGV[i + 2])\n"
    "  gone[ARGV[i]][id] = at\n"
    "  if ARGV[i] == 'a' then open_alert_forget(id) end\n"
    "  if ARGV[i] == 'c' then\n"
    "    redis.call('ZADD', KEYS[4], 'GT', at, redis.sha1hex(id))\n"
    "    for _, followup in ipairs(redis.call('SMEMBERS', ARGV[2] .. id)) do\n"
    "      if tonumber(redis.call('ZSCORE', KEYS[2], followup) or 0) <= at then followup_forget(id, followup) end\n"
    "    end\n"
    "    for _, referrer in ipairs(redis.call('SMEMBERS', ARGV[3] .. id)) do\n"
    "      referrer_forget(referrer, id)\n"
    "      redis.call('SREM', ARGV[4] .. referrer, id)\n"
    "    end\n"
    "    for _, person in ipairs(redis.call('SMEMBERS', ARGV[4] .. id)) do redis.call('SREM', ARGV[3] .. person, id) end\n"
    "    redis.call('DEL', ARGV[3] .. id, ARGV[4] .. id)\n"
    "  end\n"
    "end\n"
    "for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do\n"
    "  local alert, customer = value_of(entry, 'alert_id'), value_of(entry, 'customer_id')\n"
    "  local is_before = gone.c[customer] and tonumber(value_of(entry, 'changed_at') or 0) <= gone.c[customer]\n"
    "  if customer ~= '' and (is_before or gone.a[alert]) then redis.call('XDEL', KEYS[1], entry[1]) end\n"
    "end\n"
    "redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', '(' .. ARGV[8])";

static void note(struct projection *projection, const char *what, struct view id, int64_t at_ms)
{
    resp_text(&projection->forgotten, what);
    resp_view(&projection->forgotten, id);
    resp_integer(&projection->forgotten, at_ms);
    projection->forgotten_count++;
}

void forgotten_note_customer(struct projection *projection, struct view customer_id, int64_t at_ms)
{
    note(projection, "c", customer_id, at_ms);
}

void forgotten_note_alert(struct projection *projection, struct view alert_id)
{
    note(projection, "a", alert_id, 0);
}

void forgotten_write(struct projection *projection)
{
    struct resp *commands = &projection->commands;
    if (projection->forgotten_count == 0)
        return;
    resp_command(commands, 15 + 3 * projection->forgotten_count, "EVAL");
    resp_view(commands, VIEW_LITERAL(script));
    resp_text(commands, "4");
    resp_key(commands, projection->prefix, "alerts", (struct view){NULL, 0});
    resp_key(commands, projection->prefix, "followups", (struct view){NULL, 0});
    resp_key(commands, projection->prefix, OPEN_ALERTS_JSON, (struct view){NULL, 0});
    resp_key(commands, projection->prefix, FORGOTTEN_WHEN, (struct view){NULL, 0});
    resp_key(commands, projection->prefix, "followup", VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, "followups", VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, "referrers", VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, "referred", VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, "journey", VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, OPEN_ALERTS_OF_KIND, VIEW_LITERAL(""));
    resp_key(commands, projection->prefix, OPEN_ALERTS_OF_CUSTOMER, VIEW_LITERAL(""));
    resp_integer(commands, projection->now_ms - FOLLOWUPS_KEPT_MS);
    bytes_append_view(&commands->bytes, bytes_view(&projection->forgotten.bytes));
    forgotten_clear(projection);
}

void forgotten_clear(struct projection *projection)
{
    resp_clear(&projection->forgotten);
    projection->forgotten_count = 0;
}
