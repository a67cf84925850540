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
    float logits[MODEL_CLASSES], sights[SIGHT_COUNT];
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
            fit_logits(data, model, i, answers[count].logits, answers[count].sights);
            answers[count++].label = (int)data->corpus->samples[i].label;
        }
    for (size_t i = 0; i < count; i++)
        answers[i].weight = (run == SIXTH ? 1.0 : 0.5 / (RUN_COUNT - 1)) / (double)count;
    free((void *)(uintptr_t)model.data);
    free(rest);
    return count;
}

/* What is fitted: the sharpness of each sight, and last the share. */
enum { UNKNOWNS = SIGHT_COUNT + 1 };

static double surprise(const struct answer *answers, size_t count, const double unknowns[UNKNOWNS])
{
    double total = 0, share = unknowns[SIGHT_COUNT];
    if (share < 0 || share > 0.5)
        return INFINITY;
    for (size_t i = 0; i < count; i++) {
        double sum = 0, sharpness = 0;
        for (int sight = 0; sight < SIGHT_COUNT; sight++)
            sharpness += unknowns[sight] * (double)answers[i].sights[sight];
        sharpness = exp(sharpness);
        for (int class = 0; class < MODEL_CLASSES; class ++)
            sum += exp(sharpness * (double)(answers[i].logits[class] - answers[i].logits[answers[i].label]));
        total -= answers[i].weight * log((1 - share) / sum + share / MODEL_CLASSES);
    }
    return total;
}

/* One unknown after the other, by steps that get smaller: six smooth unknowns need no more. */
static void least_surprise(const struct answer *answers, size_t count, double unknowns[UNKNOWNS])
{
    double best = surprise(answers, count, unknowns);
    for (double step = 0.32; step > 0.004;) {
        bool is_better = false;
        for (int k = 0; k < UNKNOWNS; k++)
            for (int sign = -1; sign <= 1; sign += 2) {
                double before = unknowns[k];
                unknowns[k] += sign * step * (k == SIGHT_COUNT ? 0.1 : 1);
                double value = surprise(answers, count, unknowns);
                if (value < best - 1e-9) {
                    best = value;
                    is_better = true;
                } else {
                    unknowns[k] = before;
                }
            }
        step = is_better ? step : step / 2;
    }
}

struct view fit_model_calibrated(const struct fit_data *data, const bool *use, const struct fit_settings *settings)
{
    struct answer *answers = calloc(RUN_COUNT * data->corpus->count, sizeof *answers);
    double unknowns[UNKNOWNS] = {[SIGHT_COUNT] = 0.02};
    size_t count = 0;
    for (int run = 0; run < RUN_COUNT; run++)
        count += answers_collect(answers + count, data, use, settings, run);
    struct view model = fit_model(data, use, settings);
    struct model_header *header = (struct model_header *)(uintptr_t)model.data;
    least_surprise(answers, count, unknowns);
    for (int sight = 0; sight < SIGHT_COUNT; sight++)
        header->sharpness[sight] = (float)unknowns[sight];
    header->share = (float)unknowns[SIGHT_COUNT];
    free(answers);
    return model;
}
