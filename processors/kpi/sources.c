#include "processors/kpi/sources.h"

#include "base/memory.h"
#include "processors/kpi/packed.h"

#include <stdlib.h>

enum { SET_BACK_ROUNDS = 2 };

void sources_init(struct sources *sources, int64_t rounds_behind)
{
    *sources = (struct sources){.offset = -1, .clock_ms = INT64_MIN, .pace = INT64_MIN,
                                .rounds_behind = rounds_behind > 0 ? rounds_behind : 1};
}

void sources_finish(struct sources *sources)
{
    free(sources->items);
    free(sources->history);
    sources_init(sources, sources->rounds_behind);
}

static struct source *source_open(struct sources *sources, int32_t partition)
{
    for (size_t i = 0; i < sources->count; i++)
        if (sources->items[i].partition == partition)
            return &sources->items[i];
    sources->items = GROWN(sources->items, sources->count, sources->capacity);
    struct source *source = &sources->items[sources->count++];
    *source = (struct source){.partition = partition, .clock_ms = INT64_MIN};
    return source;
}

static void remember(struct sources *sources, struct moment moment)
{
    if (sources->history_count == SOURCES_HISTORY_MAX) {
        sources->history_count /= 2;
        memmove(sources->history, sources->history + sources->history_count, sources->history_count * sizeof moment);
    }
    sources->history = GROWN(sources->history, sources->history_count, sources->history_capacity);
    sources->history[sources->history_count++] = moment;
}

/* The last moment at or before the offset; NULL: forgotten. */
static const struct moment *recall(const struct sources *sources, int64_t offset)
{
    size_t low = 0, high = sources->history_count;
    if (high && sources->history[high - 1].offset <= offset)
        return &sources->history[high - 1];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sources->history[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &sources->history[low - 1] : NULL;
}

static bool is_silent(const struct sources *sources, const struct source *source)
{
    return sources->spoken - source->spoken_at > SOURCES_SILENT_AFTER * (int64_t)sources->count;
}

static int64_t smallest_clock(const struct sources *sources)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < sources->count; i++)
        if (!is_silent(sources, &sources->items[i]) && sources->items[i].clock_ms < least)
            least = sources->items[i].clock_ms;
    return least;
}

static bool is_anybody_behind(const struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        if (sources->items[i].is_behind && !is_silent(sources, &sources->items[i]))
            return true;
    return false;
}

static bool has_gone_round(const struct sources *sources, int64_t rounds)
{
    return sources->spoken - sources->flushed_at >= rounds * (int64_t)sources->count;
}

static bool is_time_to_flush(const struct sources *sources, int64_t pace, bool was_behind)
{
    if (sources->is_behind)
        return has_gone_round(sources, sources->rounds_behind);
    return was_behind || pace > sources->pace || (pace < sources->pace && has_gone_round(sources, SET_BACK_ROUNDS));
}

int64_t sources_speak(struct sources *sources, const struct word *word)
{
    if (word->offset <= sources->offset) {
        const struct moment *then = recall(sources, word->offset);
        return then ? then->clock_ms : INT64_MIN;
    }
    struct source *source = source_open(sources, word->partition);
    source->clock_ms = word->clock_ms > source->clock_ms ? word->clock_ms : source->clock_ms;
    source->spoken_at = ++sources->spoken;
    source->is_behind = word->is_behind;
    sources->offset = word->offset;
    bool was_behind = sources->is_behind;
    sources->is_behind = is_anybody_behind(sources);
    bool is_flush = is_time_to_flush(sources, word->pace, was_behind);
    if (is_flush) {
        sources->pace = word->pace;
        sources->flushed_at = sources->spoken;
    }
    int64_t now_ms = smallest_clock(sources);
    bool is_later = now_ms > sources->clock_ms;
    sources->clock_ms = is_later ? now_ms : sources->clock_ms;
    if (is_later || is_flush || was_behind != sources->is_behind)
        remember(sources, (struct moment){word->offset, sources->clock_ms, is_flush, sources->is_behind});
    return sources->clock_ms;
}

bool sources_is_flush(const struct sources *sources, int64_t offset)
{
    const struct moment *moment = recall(sources, offset);
    return moment && moment->offset == offset && moment->is_flush;
}

bool sources_was_behind(const struct sources *sources, int64_t offset)
{
    const struct moment *moment = recall(sources, offset);
    return moment && moment->is_behind;
}

void sources_save(const struct sources *sources, struct bytes *out)
{
    pack(out, sources->spoken);
    pack(out, sources->offset);
    pack(out, sources->clock_ms);
    pack(out, sources->pace);
    pack(out, (int64_t)sources->count);
    for (size_t i = 0; i < sources->count; i++) {
        pack(out, sources->items[i].partition);
        pack(out, sources->items[i].clock_ms);
        pack(out, sources->items[i].spoken_at);
    }
    pack(out, (int64_t)sources->history_count);
    struct moment last = {0};
    for (size_t i = 0; i < sources->history_count; i++) {
        const struct moment *moment = &sources->history[i];
        pack(out, (moment->offset - last.offset) * 2 + moment->is_flush);
        pack(out, (int64_t)((uint64_t)moment->clock_ms - (uint64_t)last.clock_ms));
        last = *moment;
    }
    pack(out, sources->flushed_at);
    pack(out, sources->is_behind);
    for (size_t i = 0; i < sources->count; i++)
        pack(out, sources->items[i].is_behind);
}

/* Checkpoints of before do not have it: then nobody was behind. */
static void load_behind(struct sources *sources, struct unpacker *in)
{
    sources->flushed_at = sources->spoken;
    if (in->at == in->end)
        return;
    sources->flushed_at = unpack_position(in);
    sources->is_behind = unpack(in);
    for (size_t i = 0; i < sources->count; i++)
        sources->items[i].is_behind = unpack(in);
}

bool sources_load(struct sources *sources, struct unpacker *in)
{
    sources_finish(sources);
    sources->spoken = unpack_position(in);
    sources->offset = unpack_position(in);
    sources->clock_ms = unpack_instant_or(in, INT64_MIN);
    sources->pace = unpack(in); /* compared, and nothing else */
    for (size_t left = unpack_count(in); left > 0 && !in->is_broken; left--) {
        struct source *source = source_open(sources, unpack_int32(in));
        source->clock_ms = unpack_instant_or(in, INT64_MIN);
        source->spoken_at = unpack_position(in);
    }
    struct moment last = {0};
    for (size_t left = unpack_count(in); left > 0 && !in->is_broken; left--) {
        int64_t step = unpack_position(in);
        last.is_flush = step & 1;
        last.offset += step >> 1;
        last.clock_ms = (int64_t)((uint64_t)last.clock_ms + (uint64_t)unpack(in));
        bool is_clock = last.clock_ms == INT64_MIN || (last.clock_ms >= -PACKED_INSTANT_MOST && last.clock_ms <= PACKED_INSTANT_MOST);
        in->is_broken |= !is_clock || last.offset < -PACKED_POSITION_MOST || last.offset > PACKED_POSITION_MOST;
        remember(sources, last);
    }
    load_behind(sources, in);
    return !in->is_broken;
}

/* How many moments in a row nobody was behind, then somebody, and so on. */
void sources_save_behind(const struct sources *sources, struct bytes *out)
{
    bool was_behind = false;
    int64_t run = 0;
    for (size_t i = 0; i < sources->history_count; i++) {
        if (sources->history[i].is_behind != was_behind) {
            pack(out, run);
            run = 0;
            was_behind = !was_behind;
        }
        run++;
    }
    pack(out, run);
}

void sources_load_behind(struct sources *sources, struct unpacker *in)
{
    bool is_behind = false;
    for (size_t i = 0; i < sources->history_count && !in->is_broken && in->at != in->end; is_behind = !is_behind)
        for (int64_t run = unpack(in); run > 0 && i < sources->history_count; run--)
            sources->history[i++].is_behind = is_behind;
}
