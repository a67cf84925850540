#include "processors/journey/sentiment/train/fit.h"

#include "base/hash.h"

#include <math.h>
#include <stdlib.h>

/* Calibration asks how sure the model may be of texts that its training did not hold. Two kinds of them meet it in life:
 * more of the same (a held-out sixth stands for them) and other trades (whole sources left out in turn). The first count
 * double; confidence comes out a little low for them and a little high elsewhere. */
enum { SIXTH, LEAVE_AIRLINE, LEAVE_RATED, LEAVE_UMSAB, RUN_COUNT };

static bool is_left_out(const struct sample *sample, int run)
{
    const char *name = corpus_sources[sample->source].name;
    switch (run) {
    case SIXTH:
        return hash_mix(hash_murmur2(sample->text)) % 6 == 0;
    case LEAVE_AIRLINE:
        return strcmp(name, "airline") == 0;
    case LEAVE_UMSAB:
        return strncmp(name, "umsab", 5) == 0;
    default:
        return strncmp(name, "vader", 5) == 0 || strcmp(name, "trustpilot") == 0;
    }
}

struct answer {
    float logits[MODEL_CLASSES];
    int label;
    double weight;
};

static size_t answers_collect(struct answer *answers, const struct fit_data *data, const bool *use,
                              const struct fit_settings *settings, int run)
{
    size_t count = 0, samples = data->corpus->count;
    bool *rest = calloc(samples, 1);
    for (size_t i = 0; i < samples; i++)
        rest[i] = use[i] && !is_left_out(&data->corpus->samples[i], run);
    struct view model = fit_model(data, rest, settings);
    for (size_t i = 0; i < samples; i++)
        if (use[i] && !rest[i]) {
            fit_logits(data, model, i, answers[count].logits);
            answers[count++].label = (int)data->corpus->samples[i].label;
        }
    for (size_t i = 0; i < count; i++)
        answers[i].weight = (run == SIXTH ? 1.0 : 0.5 / (RUN_COUNT - 1)) / (double)count;
    free((void *)(uintptr_t)model.data);
    free(rest);
    return count;
}

static double surprise(const struct answer *answers, size_t count, double sharpness, double share)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (int class = 0; class < MODEL_CLASSES; class ++)
            sum += exp(sharpness * (double)(answers[i].logits[class] - answers[i].logits[answers[i].label]));
        total -= answers[i].weight * log((1 - share) / sum + share / MODEL_CLASSES);
    }
    return total;
}

struct view fit_model_calibrated(const struct fit_data *data, const bool *use, const struct fit_settings *settings)
{
    struct answer *answers = calloc(RUN_COUNT * data->corpus->count, sizeof *answers);
    size_t count = 0;
    for (int run = 0; run < RUN_COUNT; run++)
        count += answers_collect(answers + count, data, use, settings, run);
    double best = INFINITY;
    struct view model = fit_model(data, use, settings);
    struct model_header *header = (struct model_header *)(uintptr_t)model.data;
    for (double sharpness = 0.3; sharpness < 2; sharpness += 0.02)
        for (double share = 0; share < 0.3; share += 0.02) {
            double value = surprise(answers, count, sharpness, share);
            if (value < best) {
                best = value;
                header->sharpness = (float)sharpness;
                header->share = (float)share;
            }
        }
    free(answers);
    return model;
}
