#include "processors/journey/sentiment/train/fit.h"

#include "processors/journey/sentiment/train/lexicon_build.h"
#include "processors/journey/sentiment/train/minimise.h"
#include "processors/journey/sentiment/train/pack.h"

#include <math.h>
#include <stdlib.h>

const struct fit_settings fit_standard = {
    .strength = 0.7f,
    .scale = {1.0f, 0.7f, 0.5f},
    .plain_scale = 0.5f,
    .source_scale = 0.06f,
    .iterations = 150,
    .seen_least = 3,
    .bucket_bits = 16,
};

bool fit_data_read(struct fit_data *out, const struct corpus *corpus, const char *lexicon_path)
{
    static struct text text;
    static struct features features;
    *out = (struct fit_data){.corpus = corpus,
                             .sights = calloc(corpus->count, sizeof(struct fit_sight)),
                             .lexicon = calloc(1u << LEXICON_BITS, sizeof(struct lexicon_entry))};
    if (!lexicon_build(out->lexicon, lexicon_path))
        return false;
    struct lexicon lexicon = {out->lexicon, (1u << LEXICON_BITS) - 1};
    for (size_t i = 0; i < corpus->count; i++) {
        struct fit_sight *sight = &out->sights[i];
        text_read(&text, corpus->samples[i].text);
        features_read(&features, &text, &lexicon);
        const uint32_t *groups[GROUP_COUNT] = {features.words, features.parts, features.concepts};
        const size_t counts[GROUP_COUNT] = {features.word_count, features.part_count, features.concept_count};
        uint32_t *to = sight->hashes = malloc((counts[0] + counts[1] + counts[2] + 1) * sizeof(uint32_t));
        for (int group = 0; group < GROUP_COUNT; to += counts[group++]) {
            memcpy(to, groups[group], counts[group] * sizeof(uint32_t));
            sight->counts[group] = (uint32_t)counts[group];
        }
        memcpy(sight->plain, features.plain, sizeof sight->plain);
    }
    return true;
}

/* Hash → number of the feature, for those seen often enough. */
enum { TABLE_BITS = 22, TABLE_MASK = (1 << TABLE_BITS) - 1 };

struct numbering {
    uint32_t *hash, *seen, *last, *number;
    uint8_t *group;
    uint32_t count;
};

static uint32_t numbering_place(const struct numbering *numbering, uint32_t hash)
{
    uint32_t at = (hash * 0x9e3779b1u) >> (32 - TABLE_BITS);
    while (numbering->seen[at] && numbering->hash[at] != hash)
        at = (at + 1) & TABLE_MASK;
    return at;
}

static void numbering_make(struct numbering *out, const struct fit_data *data, const bool *use, int seen_least)
{
    const size_t size = 1u << TABLE_BITS;
    *out = (struct numbering){calloc(size, 4), calloc(size, 4), calloc(size, 4), calloc(size, 4), calloc(size, 1), 0};
    for (size_t i = 0; i < data->corpus->count; i++) {
        const uint32_t *hash = data->sights[i].hashes;
        for (uint8_t group = 0; use[i] && group < GROUP_COUNT; group++)
            for (uint32_t k = 0; k < data->sights[i].counts[group]; k++, hash++) {
                uint32_t at = numbering_place(out, *hash);
                if (out->last[at] == i + 1)
                    continue;
                out->hash[at] = *hash;
                out->group[at] = group;
                out->last[at] = (uint32_t)i + 1;
                out->seen[at]++;
            }
    }
    for (size_t at = 0; at < size; at++)
        out->number[at] = out->seen[at] >= (uint32_t)seen_least ? out->count++ : UINT32_MAX;
}

static void numbering_free(struct numbering *numbering)
{
    free(numbering->hash);
    free(numbering->seen);
    free(numbering->last);
    free(numbering->number);
    free(numbering->group);
}

/* The training samples as numbers. A parameter block is three floats, one a class. */
struct problem {
    const struct fit_data *data;
    const struct fit_settings *settings;
    size_t row_count, block_count;
    uint32_t plain_block, source_block; /* where those blocks begin */
    struct row {
        uint32_t sample, *numbers, counts[GROUP_COUNT];
        float scales[GROUP_COUNT];
    } *rows;
};

static void row_make(struct row *row, const struct problem *problem, const struct numbering *numbering, uint32_t sample)
{
    const struct fit_sight *sight = &problem->data->sights[sample];
    const uint32_t *hash = sight->hashes;
    *row = (struct row){.sample = sample, .numbers = malloc((sight->counts[0] + sight->counts[1] + sight->counts[2] + 1) * 4)};
    uint32_t *to = row->numbers;
    for (int group = 0; group < GROUP_COUNT; group++) {
        row->scales[group] = sight->counts[group] ? problem->settings->scale[group] / sqrtf((float)sight->counts[group]) : 0;
        for (uint32_t k = 0; k < sight->counts[group]; k++, hash++) {
            uint32_t number = numbering->number[numbering_place(numbering, *hash)];
            if (number != UINT32_MAX) {
                *to++ = number;
                row->counts[group]++;
            }
        }
    }
}

static void row_logits(const struct problem *problem, const struct row *row, const float *at, float logits[3])
{
    const struct fit_sight *sight = &problem->data->sights[row->sample];
    const float *source = at + 3 * (problem->source_block + (size_t)problem->data->corpus->samples[row->sample].source);
    const uint32_t *number = row->numbers;
    for (int class = 0; class < 3; class ++)
        logits[class] = source[class] * problem->settings->source_scale;
    for (int group = 0; group < GROUP_COUNT; group++) {
        float sums[3] = {0};
        for (uint32_t k = 0; k < row->counts[group]; k++, number++)
            for (int class = 0; class < 3; class ++)
                sums[class] += at[3 * (size_t)*number + class];
        for (int class = 0; class < 3; class ++)
            logits[class] += sums[class] * row->scales[group];
    }
    for (size_t i = 0; i < PLAIN_COUNT; i++)
        for (int class = 0; class < 3; class ++)
            logits[class] += at[3 * (problem->plain_block + i) + class] * sight->plain[i] * problem->settings->plain_scale;
}

static void row_gradient(const struct problem *problem, const struct row *row, const float errors[3], float *gradient)
{
    const struct fit_sight *sight = &problem->data->sights[row->sample];
    float *source = gradient + 3 * (problem->source_block + (size_t)problem->data->corpus->samples[row->sample].source);
    const uint32_t *number = row->numbers;
    for (int class = 0; class < 3; class ++)
        source[class] += errors[class] * problem->settings->source_scale;
    for (int group = 0; group < GROUP_COUNT; group++) {
        float scaled[3];
        for (int class = 0; class < 3; class ++)
            scaled[class] = errors[class] * row->scales[group];
        for (uint32_t k = 0; k < row->counts[group]; k++, number++)
            for (int class = 0; class < 3; class ++)
                gradient[3 * (size_t)*number + class] += scaled[class];
    }
    for (size_t i = 0; i < PLAIN_COUNT; i++)
        for (int class = 0; class < 3; class ++)
            gradient[3 * (problem->plain_block + i) + class] += errors[class] * sight->plain[i] * problem->settings->plain_scale;
}

/* Weighted cross-entropy plus the pull towards zero. */
static double problem_value(const float *at, float *gradient, void *context)
{
    const struct problem *problem = context;
    double value = 0;
    for (size_t i = 0; i < 3 * problem->block_count; i++) {
        value += 0.5 * (double)problem->settings->strength * (double)at[i] * (double)at[i];
        gradient[i] = problem->settings->strength * at[i];
    }
    for (size_t i = 0; i < problem->row_count; i++) {
        const struct sample *sample = &problem->data->corpus->samples[problem->rows[i].sample];
        float logits[3], errors[3];
        row_logits(problem, &problem->rows[i], at, logits);
        float most = fmaxf(logits[0], fmaxf(logits[1], logits[2]));
        float sum = expf(logits[0] - most) + expf(logits[1] - most) + expf(logits[2] - most);
        for (int class = 0; class < 3; class ++) {
            float log_chance = logits[class] - most - logf(sum);
            value -= (double)(sample->weight * sample->target[class] * log_chance);
            errors[class] = sample->weight * (expf(log_chance) - sample->target[class]);
        }
        row_gradient(problem, &problem->rows[i], errors, gradient);
    }
    return value;
}

struct view fit_model(const struct fit_data *data, const bool *use, const struct fit_settings *settings)
{
    struct numbering numbering;
    numbering_make(&numbering, data, use, settings->seen_least);
    struct problem problem = {.data = data, .settings = settings, .plain_block = numbering.count,
                              .source_block = numbering.count + PLAIN_COUNT,
                              .block_count = numbering.count + PLAIN_COUNT + (size_t)corpus_source_count,
                              .rows = calloc(data->corpus->count, sizeof(struct row))};
    for (size_t i = 0; i < data->corpus->count; i++)
        if (use[i])
            row_make(&problem.rows[problem.row_count++], &problem, &numbering, (uint32_t)i);
    float *at = calloc(3 * problem.block_count, sizeof(float));
    minimise(at, 3 * problem.block_count, settings->iterations, problem_value, &problem);

    struct pack_feature *features = calloc(numbering.count, sizeof *features);
    for (size_t place = 0; place < 1u << TABLE_BITS; place++) {
        uint32_t number = numbering.number[place];
        if (number == UINT32_MAX)
            continue;
        features[number] = (struct pack_feature){.hash = numbering.hash[place], .group = numbering.group[place]};
        for (int class = 0; class < 3; class ++)
            features[number].weights[class] = at[3 * (size_t)number + class] * settings->scale[numbering.group[place]];
    }
    float plain[MODEL_CLASSES][PLAIN_COUNT];
    for (size_t i = 0; i < PLAIN_COUNT; i++)
        for (int class = 0; class < 3; class ++)
            plain[class][i] = at[3 * (problem.plain_block + i) + class] * settings->plain_scale;
    struct view bytes = pack_model(features, numbering.count, plain, data->lexicon, settings->bucket_bits);
    for (size_t i = 0; i < problem.row_count; i++)
        free(problem.rows[i].numbers);
    free(problem.rows);
    free(features);
    free(at);
    numbering_free(&numbering);
    return bytes;
}

void fit_logits(const struct fit_data *data, struct view bytes, size_t sample, float logits[MODEL_CLASSES],
                float sights[SIGHT_COUNT])
{
    static struct features features;
    struct model model;
    const struct fit_sight *sight = &data->sights[sample];
    model_open(&model, bytes);
    features.word_count = sight->counts[GROUP_WORDS];
    features.part_count = sight->counts[GROUP_PARTS];
    features.concept_count = sight->counts[GROUP_CONCEPTS];
    memcpy(features.words, sight->hashes, features.word_count * 4);
    memcpy(features.parts, sight->hashes + features.word_count, features.part_count * 4);
    memcpy(features.concepts, sight->hashes + features.word_count + features.part_count, features.concept_count * 4);
    memcpy(features.plain, sight->plain, sizeof features.plain);
    model_logits(&model, &features, logits, sights);
}
