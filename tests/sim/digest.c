#include "tests/sim/digest.h"

#include "base/hash.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>

struct digest *digest_of(struct map *map, const char *what, struct view key)
{
    char name[512];
    int size = snprintf(name, sizeof name, "%s %.*s", what, VIEW_ARGUMENTS(key));
    void **place = map_place(map, view_of(name, (size_t)size));
    if (*place == NULL) {
        struct digest *digest = memory_zeroed(1, sizeof *digest);
        snprintf(digest->name, sizeof digest->name, "%.100s", name);
        *place = digest;
    }
    return *place;
}

void digest_add(struct digest *digest, struct view value)
{
    digest->hash = hash_mix(digest->hash ^ hash_bytes(value));
    digest->count++;
}

/* Event ids seen stand in an entry in an order that depends on when it was last loaded, and mean the same in any. So two entries
 * are equal here when they are made of the same bytes. */
static uint64_t hash_unordered(struct view value)
{
    uint64_t sum = value.size;
    for (size_t i = 0; i < value.size; i++)
        sum += hash_mix(1 + (unsigned char)value.data[i]);
    return sum;
}

static uint64_t hash_entry(const struct sim_record *record, digest_plain *plain)
{
    struct bytes kept = {0};
    if (record->value == NULL)
        return 0;
    if (plain == NULL)
        return hash_unordered(view_of(record->value, record->value_size));
    plain(record, &kept);
    uint64_t hash = hash_unordered(bytes_view(&kept));
    bytes_finish(&kept);
    return hash;
}

void digest_entries(struct map *map, struct world *world, digest_plain *plain)
{
    for (int p = 0; p < world->partition_count; p++) {
        for (size_t i = 0; i < world->checkpoint[p].count; i++) {
            const struct sim_record *record = &world->checkpoint[p].records[i];
            if (!sim_is_visible(record))
                continue;
            struct digest *digest = digest_of(map, "entry", view_of(record->key, record->key_size));
            if (world->is_tracing)
                fprintf(stderr, "entry %.*s at %zu: %zu bytes\n", (int)record->key_size, record->key, i,
                        record->value ? record->value_size : 0);
            digest->hash = hash_entry(record, plain);
        }
    }
}

/* What is zero is as good as absent: sums of nothing, tombstones that one run needed and the other did not. */
static bool is_nothing(const struct digest *digest)
{
    return digest == NULL || (digest->hash == 0 && digest->count == 0 && digest->sums[0] == 0 && digest->sums[1] == 0 &&
                              digest->sums[2] == 0 && digest->sums[3] == 0 && digest->sums[4] == 0);
}

void digest_compare(const struct map *wanted, const struct map *got, const char *how, char *failure, size_t failure_size)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(wanted, &at));) {
        const struct digest *want = slot->value;
        const struct digest *have = map_find(got, view_of(slot->key, slot->key_size));
        if (is_nothing(want) && is_nothing(have))
            continue;
        if (have && want->hash == have->hash && want->count == have->count &&
            memcmp(want->sums, have->sums, sizeof want->sums) == 0)
            continue;
        snprintf(failure, failure_size, "%s: %s: hash %016" PRIx64 "/%016" PRIx64 " count %" PRId64 "/%" PRId64 " n %" PRId64 "/%" PRId64 " sum %" PRId64
                 "/%" PRId64, how, want->name, want->hash, have ? have->hash : 0, want->count, have ? have->count : -1, want->sums[0], have ? have->sums[0] : -1,
                 want->sums[2], have ? have->sums[2] : -1);
        return;
    }
}
