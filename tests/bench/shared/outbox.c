#include "tests/bench/shared/outbox.h"

#include "base/hash.h"
#include "schemas/wire.h"

#include <string.h>

struct bytes *outbox_begin(struct outbox *outbox, int topic, int32_t partition, struct view key, int64_t timestamp_ms)
{
    (void)partition, (void)key, (void)timestamp_ms;
    outbox->topic = topic;
    bytes_clear(&outbox->value);
    return &outbox->value;
}

void outbox_end(struct outbox *outbox)
{
    outbox->records[outbox->topic]++;
    if (!outbox->is_hashing)
        return;
    if (outbox->topic == JOURNEY_OUTPUT_DELTAS) {
        bytes_append(&outbox->deltas, &outbox->value.size, sizeof outbox->value.size);
        bytes_append_view(&outbox->deltas, bytes_view(&outbox->value));
        return;
    }
    outbox->hashes[outbox->topic] += hash_mix(hash_bytes(bytes_view(&outbox->value)));
}

static uint64_t delta_hash(const struct kpi_delta *delta)
{
    uint64_t series = hash_bytes(delta->kpi) ^ hash_mix(hash_bytes(delta->dimension)), hash = 0;
    for (size_t i = 0; i < delta->buckets.count; i++) {
        struct kpi_delta_bucket bucket = delta->buckets.items[i];
        uint64_t bins = 0;
        for (size_t bin = 0; bin < bucket.histogram.count; bin++)
            bins += hash_mix(hash_mix((uint64_t)bucket.histogram.items[bin].index) + (uint64_t)bucket.histogram.items[bin].count);
        const int64_t numbers[] = {bucket.minute, bucket.n, bucket.num, bucket.sum, bucket.immature, bucket.sum_squares_low, bucket.sum_squares_high, (int64_t)bins};
        hash += hash_mix(series ^ hash_bytes(view_of(numbers, sizeof numbers)));
    }
    return hash;
}

void bench_outbox_hash_deltas(struct outbox *outbox, struct arena *arena)
{
    for (size_t at = 0, size; at < outbox->deltas.size; at += sizeof size + size) {
        struct kpi_delta delta;
        struct view avro;
        uint32_t schema_id;
        memcpy(&size, outbox->deltas.data + at, sizeof size);
        if (wire_split(view_of(outbox->deltas.data + at + sizeof size, size), &schema_id, &avro) && kpi_delta_decode(&delta, avro, arena))
            outbox->hashes[JOURNEY_OUTPUT_DELTAS] += delta_hash(&delta);
    }
    bytes_clear(&outbox->deltas);
}

int32_t outbox_partition_count(const struct outbox *outbox, int topic)
{
    (void)topic;
    return outbox->partitions;
}

bool outbox_is_muted(const struct outbox *outbox)
{
    (void)outbox;
    return false;
}

bool outbox_sums_are_muted(const struct outbox *outbox)
{
    (void)outbox;
    return false;
}

size_t bench_outbox_total(const struct outbox *outbox)
{
    size_t total = 0;
    for (int topic = 0; topic < BENCH_TOPICS; topic++)
        total += outbox->records[topic];
    return total;
}
