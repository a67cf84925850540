#include "sinks/redis/series_hours.h"

#include "base/hash.h"
#include "base/memory.h"
#include "schemas/kpi_names.h"

#include <stdlib.h>

enum {
    KNOWN_HOURS_MAX = 192,  /* a little more than the week that is told again */
    KNOWN_SERIES_MAX = 20000 /* some 60 MB; one more and all are forgotten: a script each, once */
};

/* Hours that we know to be in Redis as we last told them, in order. */
struct series_known {
    int64_t told_until_ms;  /* the newest hour we ever sent */
    int64_t newest_at_ms;   /* no hour in Redis is newer; INT64_MAX: not known yet */
    uint32_t count;
    struct known_hour {
        int64_t end_at_ms;
        uint64_t hash; /* of value and n */
    } hours[KNOWN_HOURS_MAX];
};

struct series_question {
    struct series_question *next;
    struct series_known *known;
    size_t answer;
};

struct told_hour {
    const struct kpi_closed_hour *hour;
    uint32_t rank; /* the later record's word stands */
    bool is_empty; /* it is to go */
};

struct series_told {
    struct series_told *next;
    struct view key;
    struct told_hour *hours;
    size_t count, capacity;
    uint32_t record_count;
};

static void forget_told(struct series_hours *hours)
{
    map_finish(&hours->told, NULL);
    hours->told = (struct map){0};
    hours->first = NULL;
    hours->last = NULL;
}

static void forget_known(struct series_hours *hours)
{
    map_finish(&hours->known, free);
    hours->known = (struct map){0};
    hours->generation++;
}

void series_hours_forget(struct series_hours *hours)
{
    forget_known(hours);
    forget_told(hours);
}

void series_hours_finish(struct series_hours *hours)
{
    series_hours_forget(hours);
}

/* --- what a batch tells ------------------------------------------------------------------------------------------ */

static struct series_told *told_open(struct series_hours *hours, const struct kpi *kpi, struct arena *arena)
{
    char *key = arena_alloc(arena, kpi->kpi.size + kpi->dimension.size + 1);
    memcpy(key, kpi->kpi.data, kpi->kpi.size);
    key[kpi->kpi.size] = ':';
    memcpy(key + kpi->kpi.size + 1, kpi->dimension.data, kpi->dimension.size);
    struct view name = view_of(key, kpi->kpi.size + kpi->dimension.size + 1);
    struct series_told **place = (struct series_told **)map_place(&hours->told, name);
    if (*place)
        return *place;
    *place = arena_zeroed(arena, 1, sizeof **place);
    (*place)->key = name;
    if (hours->last == NULL)
        hours->last = &hours->first;
    *hours->last = *place;
    hours->last = &(*place)->next;
    return *place;
}

void series_hours_tell(struct series_hours *hours, const struct kpi *kpi, struct arena *arena)
{
    if (kpi->closed.count == 0)
        return;
    struct series_told *told = told_open(hours, kpi, arena);
    if (told->capacity - told->count < kpi->closed.count) {
        size_t capacity = (told->count + kpi->closed.count) * 2;
        struct told_hour *wider = arena_alloc(arena, capacity * sizeof *wider);
        if (told->count)
            memcpy(wider, told->hours, told->count * sizeof *wider);
        told->hours = wider;
        told->capacity = capacity;
    }
    enum kpi_id id;
    bool is_gauge = kpi_from_name(kpi->kpi, &id) && kpi_names[id].kind == KPI_KIND_GAUGE;
    for (size_t i = 0; i < kpi->closed.count; i++)
        told->hours[told->count++] = (struct told_hour){
            .hour = &kpi->closed.items[i], .rank = told->record_count, .is_empty = kpi->closed.items[i].n == 0 && !is_gauge};
    told->record_count++;
}

static int compare_told(const void *a, const void *b)
{
    const struct told_hour *left = a, *right = b;
    if (left->hour->end_at_ms != right->hour->end_at_ms)
        return left->hour->end_at_ms < right->hour->end_at_ms ? -1 : 1;
    return (left->rank > right->rank) - (left->rank < right->rank);
}

/* In order, each hour once. */
static void merge(struct series_told *told)
{
    if (told->record_count < 2)
        return;
    qsort(told->hours, told->count, sizeof *told->hours, compare_told);
    size_t kept = 0;
    for (size_t i = 0; i < told->count; i++) {
        if (kept && told->hours[kept - 1].hour->end_at_ms == told->hours[i].hour->end_at_ms)
            kept--;
        told->hours[kept++] = told->hours[i];
    }
    told->count = kept;
}

/* --- what Redis has ---------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct kpi_closed_hour *hour)
{
    uint64_t bits;
    memcpy(&bits, &hour->value, sizeof bits);
    return hash_mix(bits ^ hash_mix((uint64_t)hour->n));
}

static uint32_t known_find(const struct series_known *known, int64_t end_at_ms)
{
    uint32_t low = 0, high = known->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (known->hours[middle].end_at_ms < end_at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_known(const struct series_known *known, const struct kpi_closed_hour *hour)
{
    uint32_t at = known_find(known, hour->end_at_ms);
    return at < known->count && known->hours[at].end_at_ms == hour->end_at_ms && known->hours[at].hash == hash_of(hour);
}

static void know(struct series_known *known, const struct kpi_closed_hour *hour)
{
    uint32_t at = known_find(known, hour->end_at_ms);
    struct known_hour now = {hour->end_at_ms, hash_of(hour)};
    if (at < known->count && known->hours[at].end_at_ms == hour->end_at_ms) {
        known->hours[at] = now;
    } else if (known->count < KNOWN_HOURS_MAX) {
        memmove(known->hours + at + 1, known->hours + at, (known->count - at) * sizeof *known->hours);
        known->hours[at] = now;
        known->count++;
    } else if (at > 0) { /* the oldest goes */
        memmove(known->hours, known->hours + 1, (at - 1) * sizeof *known->hours);
        known->hours[at - 1] = now;
    }
}

static void known_reset(struct series_known *known)
{
    known->count = 0;
    known->told_until_ms = INT64_MIN;
    known->newest_at_ms = INT64_MAX;
}

static struct series_known *known_open(struct series_hours *hours, struct view key)
{
    struct series_known **place = (struct series_known **)map_place(&hours->known, key);
    if (*place == NULL) {
        *place = memory_allocate(sizeof **place);
        known_reset(*place);
    }
    return *place;
}

/* What is known stays where it is: a batch under way may still answer for it. */
void series_hours_gone(struct series_hours *hours, struct view series)
{
    struct series_told *told = map_find(&hours->told, series);
    struct series_known *known = map_find(&hours->known, series);
    if (told)
        told->count = 0;
    if (known)
        known_reset(known);
}

/* --- commands ---------------------------------------------------------------------------------------------------- */

/* KEYS: the stream. ARGV: how long before the newest an hour may have ended, then (end, value, n) oldest first, value ""
 * for an hour that is to go. Everything from the first hour that is new or differs is taken off, the id set back, and written again, merged
 * with what was told. */
static const char put_hours_script[] =
    "local key, at, told = KEYS[1], 2, #ARGV\n"
    "local tail = redis.call('XRANGE', key, ARGV[2], '+')\n"
    "local ends, i, count = {}, 1, #tail\n"
    "for j = 1, count do ends[j] = tonumber(tail[j][1]:sub(1, -3)) end\n"
    "while at <= told and i <= count do\n" /* told again, as it is: nothing to do up to here */
    "  local e, want = tail[i][2], tonumber(ARGV[at])\n"
    "  if ends[i] < want then i = i + 1\n"
    "  elseif ends[i] > want and ARGV[at + 1] == '' then at = at + 3\n" /* gone already */
    "  elseif ends[i] == want and e[2] == ARGV[at + 1] and e[4] == ARGV[at + 2] then i = i + 1 at = at + 3\n"
    "  else break end\n"
    "end\n"
    "local newest = math.max(ends[count] or 0, tonumber(ARGV[told - 2]))\n"
    "if at > told then return newest end\n"
    "if i <= count then\n"
    "  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1][1]\n"
    "  if first == tail[i][1] then redis.call('DEL', key)\n"
    "  else\n"
    "    for from = i, count, 1000 do\n"
    "      local ids = {}\n"
    "      for j = from, math.min(count, from + 999) do ids[#ids + 1] = tail[j][1] end\n"
    "      redis.call('XDEL', key, unpack(ids))\n"
    "    end\n"
    "    redis.call('XSETID', key, string.format('%d-0', math.min(ends[i], tonumber(ARGV[at])) - 1))\n"
    "  end\n"
    "end\n"
    "while at <= told or i <= count do\n"
    "  local want, have = tonumber(ARGV[at]), ends[i]\n"
    "  if want and (not have or want <= have) then\n"
    "    if ARGV[at + 1] ~= '' then redis.call('XADD', key, ARGV[at], 'value', ARGV[at + 1], 'n', ARGV[at + 2]) end\n"
    "    if want == have then i = i + 1 end\n"
    "    at = at + 3\n"
    "  else\n"
    "    redis.call('XADD', key, tail[i][1], 'value', tail[i][2][2], 'n', tail[i][2][4])\n"
    "    i = i + 1\n"
    "  end\n"
    "end\n"
    "redis.call('XTRIM', key, 'MINID', string.format('%d', newest - ARGV[1]))\n"
    "return newest";

static void write_by_script(const struct series_told *told, size_t from, struct resp *commands, const char *prefix)
{
    resp_command(commands, 5 + 3 * (told->count - from), "EVAL");
    resp_view(commands, VIEW_LITERAL(put_hours_script));
    resp_text(commands, "1");
    resp_key(commands, prefix, "series", told->key);
    resp_integer(commands, SERIES_KEPT_MS);
    for (size_t i = from; i < told->count; i++) {
        resp_integer(commands, told->hours[i].hour->end_at_ms);
        if (told->hours[i].is_empty)
            resp_text(commands, "");
        else
            resp_decimal(commands, told->hours[i].hour->value);
        resp_integer(commands, told->hours[i].hour->n);
    }
}

static void write_appended(const struct series_told *told, size_t from, struct resp *commands, const char *prefix)
{
    for (size_t i = from; i < told->count; i++) {
        if (told->hours[i].is_empty)
            continue;
        resp_command(commands, 9, "XADD");
        resp_key(commands, prefix, "series", told->key);
        resp_view(commands, VIEW_LITERAL("MINID"));
        resp_integer(commands, told->hours[i].hour->end_at_ms - SERIES_KEPT_MS);
        resp_integer(commands, told->hours[i].hour->end_at_ms);
        resp_view(commands, VIEW_LITERAL("value"));
        resp_decimal(commands, told->hours[i].hour->value);
        resp_view(commands, VIEW_LITERAL("n"));
        resp_integer(commands, told->hours[i].hour->n);
    }
}

static void ask_newest(struct series_questions *questions, size_t answer, struct series_known *known, struct arena *arena)
{
    struct series_question *question = arena_alloc(arena, sizeof *question);
    *question = (struct series_question){questions->first, known, answer};
    questions->first = question;
}

static void write_one(struct series_hours *hours, struct series_told *told, struct resp *commands, const char *prefix,
                      struct arena *arena, struct series_questions *questions)
{
    if (told->count == 0) /* gone meanwhile */
        return;
    struct series_known *known = known_open(hours, told->key);
    merge(told);
    size_t from = 0;
    while (from < told->count && is_known(known, told->hours[from].hour))
        from++;
    if (from == told->count)
        return;
    int64_t until_ms = told->hours[told->count - 1].hour->end_at_ms;
    if (until_ms > known->told_until_ms)
        known->told_until_ms = until_ms;
    if (told->hours[from].hour->end_at_ms > known->newest_at_ms) {
        write_appended(told, from, commands, prefix);
    } else {
        if (known->newest_at_ms == INT64_MAX)
            ask_newest(questions, commands->command_count, known, arena);
        write_by_script(told, from, commands, prefix);
    }
    if (known->newest_at_ms < until_ms)
        known->newest_at_ms = until_ms;
    for (; from < told->count; from++)
        know(known, told->hours[from].hour);
}

void series_hours_write(struct series_hours *hours, struct resp *commands, const char *prefix, struct arena *arena,
                        struct series_questions *questions)
{
    if (hours->known.count > KNOWN_SERIES_MAX)
        forget_known(hours);
    *questions = (struct series_questions){.generation = hours->generation};
    for (struct series_told *told = hours->first; told; told = told->next)
        write_one(hours, told, commands, prefix, arena, questions);
    forget_told(hours);
}

void series_hours_learn(struct series_hours *hours, const struct series_questions *questions, const struct redis_answer *answers)
{
    if (questions->generation != hours->generation)
        return;
    for (const struct series_question *question = questions->first; question; question = question->next) {
        const struct redis_answer *answer = &answers[question->answer];
        if (answer->kind != REDIS_INTEGER)
            continue;
        /* Batches sent since then are in told_until. */
        bool is_ours = answer->integer < question->known->told_until_ms;
        question->known->newest_at_ms = is_ours ? question->known->told_until_ms : answer->integer;
    }
}
