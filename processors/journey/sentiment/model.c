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

static inline void add_slot(const struct model_bucket *bucket, int slot, uint8_t check, int32_t sums[WEIGHT_SUMS])
{
    int32_t mine = -(bucket->check[slot] == check); /* a mask: a branch here would be wrong half of the time */
    sums[0] += bucket->weights[slot][0] & mine;
    sums[1] += bucket->weights[slot][1] & mine;
    sums[2] += bucket->weights[slot][2] & mine;
    sums[WEIGHT_SEEN] -= mine;
}

static void add_weights(const struct model *model, const uint32_t *hashes, size_t count, int32_t sums[WEIGHT_SUMS])
{
    uint32_t bits = model->header->bucket_bits;
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch(&model->buckets[model_bucket_of(hashes[i + AHEAD], bits)]);
        struct model_bucket bucket = model->buckets[model_bucket_of(hashes[i], bits)];
        add_slot(&bucket, 0, model_check_of(hashes[i]), sums);
        add_slot(&bucket, 1, model_check_of(hashes[i]), sums);
    }
}

static void weigh(const struct model *model, const uint32_t *hashes, size_t count, int16_t out[WEIGHT_SUMS])
{
    int32_t sums[WEIGHT_SUMS] = {0};
    add_weights(model, hashes, count, sums);
    for (int i = 0; i < WEIGHT_SUMS; i++)
        out[i] = (int16_t)sums[i]; /* two slots of a few dozen weights of 8 bits: there is room */
}

void model_weigh(const struct model *model, const struct text *text, const struct token *token, struct word *out)
{
    uint32_t own = feature_of_word(token->hash), negated = feature_of_negated(token->hash), parts[WORD_BYTES_MAX];
    lexicon_read(&model->lexicon, text, token, &out->readings);
    out->part_count = (uint8_t)features_of_parts(text, token, parts);
    weigh(model, &own, 1, out->own);
    weigh(model, &negated, 1, out->negated);
    weigh(model, parts, out->part_count, out->parts);
}

/* A group's sum divided by the root of its size: the evidence of a long text grows, but not with every repetition. Returns
 * the share of its features that have a weight. */
static float add_group(const struct model *model, enum feature_group group, const uint32_t *hashes, size_t count,
                       const struct known_weights *known, float logits[MODEL_CLASSES])
{
    int32_t sums[WEIGHT_SUMS];
    memcpy(sums, known->sums, sizeof sums);
    add_weights(model, hashes, count, sums);
    count += known->count;
    float scale = count ? model->header->step[group] / sqrtf((float)count) : 0;
    for (int class = 0; class < MODEL_CLASSES; class ++)
        logits[class] += (float)sums[class] * scale;
    return count ? (float)sums[WEIGHT_SEEN] / (float)count : 0;
}

void model_logits(const struct model *model, const struct features *features, float logits[MODEL_CLASSES],
                  float sights[SIGHT_COUNT])
{
    const struct known_weights *known = features->known;
    for (int class = 0; class < MODEL_CLASSES; class ++)
        logits[class] = 0;
    for (int i = 0; i < PLAIN_COUNT; i++) {
        for (int class = 0; features->plain[i] != 0 && class < MODEL_CLASSES; class ++) /* most are 0 */
            logits[class] += model->header->plain[class][i] * features->plain[i];
    }
    float words = add_group(model, GROUP_WORDS, features->words, features->word_count, &known[GROUP_WORDS], logits);
    float parts = add_group(model, GROUP_PARTS, features->parts, features->part_count, &known[GROUP_PARTS], logits);
    add_group(model, GROUP_CONCEPTS, features->concepts, features->concept_count, &known[GROUP_CONCEPTS], logits);
    sights[SIGHT_ALWAYS] = 1;
    sights[SIGHT_WORDS] = words - 0.5f;
    sights[SIGHT_PARTS] = parts - 0.5f;
    sights[SIGHT_LENGTH] = log1pf((float)(features->word_count + known[GROUP_WORDS].count)) - 2.5f;
    sights[SIGHT_CONCEPTS] = log1pf((float)(features->concept_count + known[GROUP_CONCEPTS].count)) - 1;
}

void model_judge(const struct model *model, const struct text *text, struct sentiment *out)
{
    struct features features;
    float logits[MODEL_CLASSES], sights[SIGHT_COUNT], most = -INFINITY, sharpness = 0;
    double odds[MODEL_CLASSES], sum = 0;
    features_read(&features, text, &model->lexicon);
    model_logits(model, &features, logits, sights);
    for (int sight = 0; sight < SIGHT_COUNT; sight++)
        sharpness += model->header->sharpness[sight] * sights[sight];
    sharpness = expf(sharpness);
    for (int class = 0; class < MODEL_CLASSES; class ++)
        most = fmaxf(most, logits[class]);
    for (int class = 0; class < MODEL_CLASSES; class ++)
        sum += odds[class] = exp((double)(sharpness * (logits[class] - most)));
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
