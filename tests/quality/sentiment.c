/* The quality table of sentiment: accuracy, macro-F1 and calibration a set, texts per second, targets met or missed.
 *
 * Two-class sets (reviews without a middle) are judged by the sign of the score; their confidence is that of the sign. */
#include "processors/journey/sentiment/train/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BINS = 15 };

/* Expected calibration error: answers sorted into bins by confidence; how far is each bin's mean from its accuracy? */
struct calibration {
    double count[BINS], sure[BINS], right[BINS];
};

static void calibration_add(struct calibration *calibration, double confidence, bool right)
{
    int bin = (int)(confidence * BINS);
    bin = bin < BINS ? bin : BINS - 1;
    calibration->count[bin] += 1;
    calibration->sure[bin] += confidence;
    calibration->right[bin] += right;
}

static double calibration_error(const struct calibration *calibration)
{
    double total = 0, apart = 0;
    for (int bin = 0; bin < BINS; bin++) {
        total += calibration->count[bin];
        apart += fabs(calibration->sure[bin] - calibration->right[bin]);
    }
    return total > 0 ? apart / total : 0;
}

struct tally {
    double table[3][3]; /* [true label][answer] */
    double signs, signs_right;
    struct calibration three, two;
};

static void tally_add(struct tally *tally, enum sentiment_class label, const struct sentiment *answer)
{
    tally->table[label][answer->label] += 1;
    calibration_add(&tally->three, answer->confidence, label == answer->label);
    if (label == SENTIMENT_NEUTRAL)
        return;
    /* The three probabilities follow from label, score and confidence: they add up to one. */
    double magnitude = fabs(answer->score);
    double either = answer->label == SENTIMENT_NEUTRAL ? 1 - answer->confidence : 2 * answer->confidence - magnitude;
    bool right = (answer->score > 0) == (label == SENTIMENT_POSITIVE);
    tally->signs += 1;
    tally->signs_right += right;
    calibration_add(&tally->two, 0.5 + magnitude / either / 2, right);
}

static double tally_accuracy(const struct tally *tally, double *macro_f1)
{
    double all = 0, right = 0;
    *macro_f1 = 0;
    for (int class = 0; class < 3; class ++) {
        double truly = 0, answered = 0;
        for (int other = 0; other < 3; other++) {
            truly += tally->table[class][other];
            answered += tally->table[other][class];
        }
        all += truly;
        right += tally->table[class][class];
        *macro_f1 += truly + answered > 0 ? 2 * tally->table[class][class] / (truly + answered) / 3 : 0;
    }
    return all > 0 ? right / all : 0;
}

static bool tally_print(const struct tally *tally, const struct source *source)
{
    double f1, accuracy = tally_accuracy(tally, &f1), count = 0;
    for (int class = 0; class < 3; class ++)
        count += tally->table[class][0] + tally->table[class][1] + tally->table[class][2];
    if (count == 0) {
        printf("%-14s skipped: not below the data folder\n", source->name);
        return false;
    }
    printf("%-14s %6.0f  ", source->name, count);
    if (source->classes == 3)
        printf("%5.3f  %5.3f  %5.3f", accuracy, f1, calibration_error(&tally->three));
    else
        printf("    -      -      -");
    printf("  %6.3f  %6.3f   %s\n", tally->signs_right / tally->signs, calibration_error(&tally->two), source->remark);
    return true;
}

static void judge_folds(struct tally *tallies, const struct corpus *corpus, const char *lexicon_path)
{
    struct fit_data data;
    bool *use = calloc(corpus->count, 1);
    if (!fit_data_read(&data, corpus, lexicon_path))
        exit(2);
    for (int fold = 0; fold < CORPUS_FOLDS; fold++) {
        struct model model;
        for (size_t i = 0; i < corpus->count; i++)
            use[i] = corpus_sources[corpus->samples[i].source].use == SOURCE_TRAINS && corpus->samples[i].fold != fold;
        struct view bytes = fit_model_calibrated(&data, use, &fit_standard);
        model_open(&model, bytes);
        for (size_t i = 0; i < corpus->count; i++) {
            const struct sample *sample = &corpus->samples[i];
            struct sentiment answer;
            if (corpus_sources[sample->source].use != SOURCE_TRAINS || sample->fold != fold)
                continue;
            model_read(&model, sample->text, &answer);
            tally_add(&tallies[sample->source], sample->label, &answer);
        }
        free((void *)(uintptr_t)bytes.data);
        fprintf(stderr, "fold %d of %d done\n", fold + 1, CORPUS_FOLDS);
    }
    free(use);
}

static void judge_unseen(struct tally *tallies, const struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        const struct sample *sample = &corpus->samples[i];
        struct sentiment answer;
        if (corpus_sources[sample->source].use != SOURCE_JUDGES)
            continue;
        sentiment_read(&answer, sample->text);
        tally_add(&tallies[sample->source], sample->label, &answer);
    }
}

/* Processor time, not the clock's: the question is what one core can do. */
static double texts_per_second(const struct corpus *corpus, double *mean_size)
{
    struct timespec from, to;
    double count = 0, bytes = 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < corpus->count; i++)
            if (strcmp(corpus_sources[corpus->samples[i].source].name, "airline") == 0) {
                struct sentiment answer;
                sentiment_read(&answer, corpus->samples[i].text);
                count += 1;
                bytes += (double)corpus->samples[i].text.size;
            }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    *mean_size = count > 0 ? bytes / count : 0;
    return count / ((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
}

static bool target(const char *what, double value, double wanted, bool at_most)
{
    bool met = at_most ? value <= wanted : value >= wanted;
    printf("%-52s %10.3f   %s %.3f   %s\n", what, value, at_most ? "at most" : "at least", wanted, met ? "met" : "MISSED");
    return met;
}

static bool targets_print(const struct tally *tallies, double speed)
{
    bool all = target("texts/s on one core", speed, 200000, false);
    for (int source = 0; source < corpus_source_count; source++) {
        const struct tally *tally = &tallies[source];
        const char *name = corpus_sources[source].name;
        double f1, accuracy = tally_accuracy(tally, &f1);
        if (accuracy > 0 && strcmp(name, "airline") == 0) {
            all &= target("airline, held-out fifths: accuracy", accuracy, 0.78, false);
            all &= target("airline, held-out fifths: macro-F1", f1, 0.70, false);
            all &= target("airline, held-out fifths: calibration error", calibration_error(&tally->three), 0.06, true);
        }
        if (accuracy > 0 && (strcmp(name, "yelp") == 0 || strcmp(name, "olist pt") == 0 || strcmp(name, "ryanair") == 0)) {
            char line[64];
            snprintf(line, sizeof line, "%s, unseen, two classes: accuracy", name);
            all &= target(line, tally->signs_right / tally->signs, 0.80, false);
            snprintf(line, sizeof line, "%s, unseen, two classes: calibration error", name);
            all &= target(line, calibration_error(&tally->two), 0.06, true);
        }
    }
    return all;
}

int main(int count, char **arguments)
{
    struct corpus corpus;
    if (count != 3) {
        fprintf(stderr, "usage: %s DATA LEXICON\n", arguments[0]);
        return 2;
    }
    if (!corpus_read(&corpus, arguments[1])) {
        printf("skipped: no labelled texts below %s\n", arguments[1]);
        return 0;
    }
    struct tally *tallies = calloc((size_t)corpus_source_count, sizeof *tallies);
    judge_folds(tallies, &corpus, arguments[2]);
    judge_unseen(tallies, &corpus);
    printf("sentiment, model %s\n\n", sentiment_version());
    printf("%-14s %6s  %5s  %5s  %5s  %6s  %6s   %s\n", "set", "texts", "acc", "F1", "ECE", "2-acc", "2-ECE", "others, for comparison");
    for (int use = SOURCE_TRAINS; use <= SOURCE_JUDGES; use++) {
        printf(use == SOURCE_TRAINS ? "held-out fifths\n" : "never seen in training\n");
        for (int source = 0; source < corpus_source_count; source++)
            if ((int)corpus_sources[source].use == use)
                tally_print(&tallies[source], &corpus_sources[source]);
    }
    double size, speed = texts_per_second(&corpus, &size);
    printf("\n%.0f texts/s on one core, mean %.0f bytes\n\n", speed, size);
    return targets_print(tallies, speed) ? 0 : 1;
}
