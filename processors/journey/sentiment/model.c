#include "processors/journey/sentiment/model.h"

#include <math.h>

bool model_open(struct model *out, struct view bytes)
{
    const struct model_header *header = (const struct model_header *)(const void *)bytes.data;
    if (bytes.size < sizeof *header || header->magic != MODEL_MAGIC || header->bucket_bits > 20 || header->lexicon_bits > 20)
        return false;
    size_t buckets_size = sizeof(struct model_bucket) << header->bucket_bits;
    size_t lexicon_size = sizeof(struct lexicon_entry) << header->lexicon_bits;
    if (bytes.size != sizeof *header + buckets_size + lexicon_size)
        return false;
    out->header = header;
    out->buckets = (const struct model_bucket *)(const void *)(bytes.data + sizeof *header);
    out->lexicon.entries = (const struct lexicon_entry *)(const void *)(bytes.data + sizeof *header + buckets_size);
    out->lexicon.mask = (1u << header->lexicon_bits) - 1;
    return true;
}

enum { AHEAD = 16 }; /* the table is larger than a core's nearest caches: ask for a bucket before it is needed */

static inline void add_slot(const struct model_bucket *bucket, int slot, uint8_t check, int32_t sums[MODEL_CLASSES])
{
    int32_t mine = -(bucket->check[slot] == check); /* a mask: a branch here would be wrong half of the time */
    sums[0] += bucket->weights[slot][0] & mine;
    sums[1] += bucket->weights[slot][1] & mine;
    sums[2] += bucket->weights[slot][2] & mine;
}

/* A group's sum divided by the root of its size: the evidence of a long text grows, but not with every repetition. */
static void add_group(const struct model *model, enum feature_group group, const uint32_t *hashes, size_t count,
                      float logits[MODEL_CLASSES])
{
    uint32_t bits = model->header->bucket_bits;
    int32_t sums[MODEL_CLASSES] = {0};
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch(&model->buckets[model_bucket_of(hashes[i + AHEAD], bits)]);
        struct model_bucket bucket = model->buckets[model_bucket_of(hashes[i], bits)];
        add_slot(&bucket, 0, model_check_of(hashes[i]), sums);
        add_slot(&bucket, 1, model_check_of(hashes[i]), sums);
    }
    float scale = count ? model->header->step[group] / sqrtf((float)count) : 0;
    for (int class = 0; class < MODEL_CLASSES; class ++)
        logits[class] += (float)sums[class] * scale;
}

void model_logits(const struct model *model, const struct features *features, float logits[MODEL_CLASSES])
{
    for (int class = 0; class < MODEL_CLASSES; class ++) {
        logits[class] = 0;
        for (int i = 0; i < PLAIN_COUNT; i++)
            logits[class] += model->header->plain[class][i] * features->plain[i];
    }
    add_group(model, GROUP_WORDS, features->words, features->word_count, logits);
    add_group(model, GROUP_PARTS, features->parts, features->part_count, logits);
    add_group(model, GROUP_CONCEPTS, features->concepts, features->concept_count, logits);
}

void model_judge(const struct model *model, const struct text *text, struct sentiment *out)
{
    struct features features;
    float logits[MODEL_CLASSES], most = -INFINITY;
    double odds[MODEL_CLASSES], sum = 0;
    features_read(&features, text, &model->lexicon);
    model_logits(model, &features, logits);
    for (int class = 0; class < MODEL_CLASSES; class ++)
        most = fmaxf(most, logits[class]);
    for (int class = 0; class < MODEL_CLASSES; class ++)
        sum += odds[class] = exp((double)(model->header->sharpness * (logits[class] - most)));
    double share = (double)model->header->share;
    for (int class = 0; class < MODEL_CLASSES; class ++)
        odds[class] = odds[class] / sum * (1 - share) + share / MODEL_CLASSES;
    out->label = SENTIMENT_NEUTRAL;
    for (int class = 0; class < MODEL_CLASSES; class ++)
        if (odds[class] > odds[out->label])
            out->label = (enum sentiment_class)class;
    out->score = odds[SENTIMENT_POSITIVE] - odds[SENTIMENT_NEGATIVE];
    out->confidence = odds[out->label];
}

void model_read(const struct model *model, struct view source, struct sentiment *out)
{
    struct text text;
    text_read(&text, source);
    model_judge(model, &text, out);
}
