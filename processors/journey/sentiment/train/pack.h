/* Weights into the bytes of a model (model.h). */
#ifndef TS_SENTIMENT_PACK_H
#define TS_SENTIMENT_PACK_H

#include "processors/journey/sentiment/model.h"

struct pack_feature {
    uint32_t hash;
    uint8_t group;
    float weights[MODEL_CLASSES];
};

/* Sorts `features`. The bytes are malloc'ed. Where a bucket is full the weakest features stay out. */
struct view pack_model(struct pack_feature *features, size_t count, float plain[MODEL_CLASSES][PLAIN_COUNT],
                       const struct lexicon_entry *lexicon, int bucket_bits);

#endif
