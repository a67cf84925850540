#include "processors/journey/sentiment/train/pack.h"

#include "processors/journey/sentiment/train/lexicon_build.h"

#include <math.h>
#include <stdlib.h>

static float strength_of(const struct pack_feature *feature)
{
    return fmaxf(fabsf(feature->weights[0]), fmaxf(fabsf(feature->weights[1]), fabsf(feature->weights[2])));
}

static int strongest_first(const void *a, const void *b)
{
    float x = strength_of(a), y = strength_of(b);
    uint32_t p = ((const struct pack_feature *)a)->hash, q = ((const struct pack_feature *)b)->hash;
    return x != y ? (x < y) - (x > y) : (p > q) - (p < q);
}

/* The very strongest one in two thousand are cut short, so that the many small weights keep their digits. */
static float step_of(const struct pack_feature *features, size_t count, uint8_t group)
{
    size_t members = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        members += features[i].group == group;
    for (size_t i = 0; i < count; i++)
        if (features[i].group == group && at++ == members / 2000)
            return strength_of(&features[i]) / 127;
    return 1;
}

static bool slot_fill(struct model_bucket *bucket, uint8_t check, const int8_t weights[MODEL_CLASSES])
{
    for (int slot = 0; slot < MODEL_BUCKET_SLOTS; slot++) {
        if (bucket->check[slot] == check)
            return false;
        if (bucket->check[slot] == 0) {
            bucket->check[slot] = check;
            memcpy(bucket->weights[slot], weights, MODEL_CLASSES);
            return true;
        }
    }
    return false;
}

struct view pack_model(struct pack_feature *features, size_t count, float plain[MODEL_CLASSES][PLAIN_COUNT],
                       const struct lexicon_entry *lexicon, int bucket_bits)
{
    size_t buckets_size = sizeof(struct model_bucket) << bucket_bits;
    size_t size = sizeof(struct model_header) + buckets_size + (sizeof *lexicon << LEXICON_BITS);
    char *bytes = calloc(1, size);
    struct model_header *header = (struct model_header *)(void *)bytes;
    struct model_bucket *buckets = (struct model_bucket *)(void *)(bytes + sizeof *header);
    *header = (struct model_header){.magic = MODEL_MAGIC, .bucket_bits = (uint32_t)bucket_bits, .lexicon_bits = LEXICON_BITS};
    memcpy(header->plain, plain, sizeof header->plain);
    memcpy(bytes + sizeof *header + buckets_size, lexicon, sizeof *lexicon << LEXICON_BITS);
    qsort(features, count, sizeof *features, strongest_first);
    for (uint8_t group = 0; group < GROUP_COUNT; group++)
        header->step[group] = step_of(features, count, group);
    for (size_t i = 0; i < count; i++) {
        int8_t weights[MODEL_CLASSES];
        bool any = false;
        for (int class = 0; class < MODEL_CLASSES; class ++) {
            float units = roundf(features[i].weights[class] / header->step[features[i].group]);
            weights[class] = (int8_t)fmaxf(-127, fminf(127, units));
            any |= weights[class] != 0;
        }
        if (any)
            slot_fill(&buckets[model_bucket_of(features[i].hash, header->bucket_bits)], model_check_of(features[i].hash), weights);
    }
    return view_of(bytes, size);
}
