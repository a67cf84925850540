/* The trained model as one run of bytes: a header, buckets of quantised weights, the hashed lexicon.
 *
 * It is made by train/ and embedded by sentiment.c. Little-endian, as every machine we run on; model_open refuses
 * anything else by its magic number. Borrowed bytes, 8-byte aligned, read only: any thread. */
#ifndef TS_SENTIMENT_MODEL_H
#define TS_SENTIMENT_MODEL_H

#include "processors/journey/sentiment/features.h"
#include "processors/journey/sentiment/sentiment.h"

enum { MODEL_CLASSES = WEIGHT_CLASSES, MODEL_MAGIC = 0x32535354 /* TSS2 */, MODEL_BUCKET_SLOTS = 2 };

/* How much the model knows of a text: it is surer where it has seen the words before. */
enum model_sight {
    SIGHT_ALWAYS,
    SIGHT_WORDS,    /* share of word features with a weight, less ½ */
    SIGHT_PARTS,    /* the same of the parts of words */
    SIGHT_LENGTH,   /* ln(1 + word features) − 2½ */
    SIGHT_CONCEPTS, /* ln(1 + concepts) − 1 */
    SIGHT_COUNT
};

struct model_header {
    uint32_t magic;
    uint32_t bucket_bits, lexicon_bits; /* table sizes as powers of two */
    float step[GROUP_COUNT];            /* what one quantised unit of a group weighs */
    float plain[MODEL_CLASSES][PLAIN_COUNT];
    float sharpness[SIGHT_COUNT]; /* calibration: the logits are multiplied by exp of its product with the sights */
    float share;     /* calibration: of the even guess mixed into every answer, 0 … 1 */
    char version[28];
};

/* Two features whose hashes begin alike share a bucket; the check byte tells them, and strangers, apart: without it
 * the unseen words of a new trade would each get some other word's weight. */
struct model_bucket {
    uint8_t check[MODEL_BUCKET_SLOTS];
    int8_t weights[MODEL_BUCKET_SLOTS][MODEL_CLASSES];
};

struct model {
    const struct model_header *header;
    const struct model_bucket *buckets;
    struct lexicon lexicon;
};

static inline uint32_t model_bucket_of(uint32_t hash, uint32_t bucket_bits)
{
    return hash & ((1u << bucket_bits) - 1);
}

/* Never 0, which says «empty». */
static inline uint8_t model_check_of(uint32_t hash)
{
    uint8_t check = (uint8_t)(hash >> 24);
    return check ? check : 1;
}

/* False when these are not a model's bytes. */
bool model_open(struct model *out, struct view bytes);

/* Before calibration. */
void model_logits(const struct model *model, const struct features *features, float logits[MODEL_CLASSES],
                  float sights[SIGHT_COUNT]);

/* Readings and weights of a word alone. */
void model_weigh(const struct model *model, const struct text *text, const struct token *token, struct word *out);

void model_judge(const struct model *model, const struct text *text, struct sentiment *out);
void model_read(const struct model *model, struct view text, struct sentiment *out);

#endif
