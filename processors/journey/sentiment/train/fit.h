/* Training: multinomial logistic regression with soft targets, then quantised into a model's bytes. */
#ifndef TS_SENTIMENT_FIT_H
#define TS_SENTIMENT_FIT_H

#include "processors/journey/sentiment/model.h"
#include "processors/journey/sentiment/train/corpus.h"

/* What the model sees of every sample, read once and kept for all fits. */
struct fit_sight {
    uint32_t *hashes;
    uint32_t counts[GROUP_COUNT];
    float plain[PLAIN_COUNT];
};

struct fit_data {
    const struct corpus *corpus;
    struct fit_sight *sights;
    struct lexicon_entry *lexicon;
};

struct fit_settings {
    float strength;            /* of the pull towards zero (L2) */
    float scale[GROUP_COUNT];  /* how freely a group may speak: larger is freer */
    float plain_scale, source_scale;
    int iterations, seen_least; /* a feature must occur in so many samples */
    int bucket_bits;
};

extern const struct fit_settings fit_standard;

bool fit_data_read(struct fit_data *out, const struct corpus *corpus, const char *lexicon_path);

/* Train on the samples with use[i]; the bytes are malloc'ed. Uncalibrated: the logits as they are. */
struct view fit_model(const struct fit_data *data, const bool *use, const struct fit_settings *settings);

/* fit_model, and calibrated on parts of the samples that the fits for it left out: a fold, then whole sources. */
struct view fit_model_calibrated(const struct fit_data *data, const bool *use, const struct fit_settings *settings);

/* A model's answer for a sample, from its kept features. */
void fit_logits(const struct fit_data *data, struct view model, size_t sample, float logits[MODEL_CLASSES],
                float sights[SIGHT_COUNT]);

#endif
