/* What a text says about the customer's mood: three classes with a calibrated confidence.
 *
 * A linear model over hashed words, word pairs, character n-grams and the concepts of a eight-language lexicon, trained by
 * `sentiment-train` (train/) and embedded in the program. Method, data, figures and limits: docs/SENTIMENT.md.
 *
 * All functions: any thread, no allocation, no state; the same text gives the same answer in every process. They want
 * about 280 KiB of stack. Any bytes are read, broken UTF-8 included; of long texts the first 4 KiB. */
#ifndef TS_SENTIMENT_SENTIMENT_H
#define TS_SENTIMENT_SENTIMENT_H

#include "base/view.h"

/* Named apart from the schema's enum sentiment_label, in the same order. */
enum sentiment_class { SENTIMENT_NEGATIVE, SENTIMENT_NEUTRAL, SENTIMENT_POSITIVE };

struct sentiment {
    enum sentiment_class label;
    double score;      /* -1 … 1: probability of positive less probability of negative */
    double confidence; /* 1/3 … 1: how often a label given so surely is right */
};

struct text; /* text.h: for who wants more of the same reading */
struct token;
struct word;

void sentiment_of(struct sentiment *out, const struct text *text);
/* What the lexicon and the model know of a word by itself, into what a vocabulary keeps of it. */
void sentiment_weigh(struct word *out, const struct text *text, const struct token *token);
void sentiment_read(struct sentiment *out, struct view text);

/* NEGATIVE, NEUTRAL or POSITIVE. */
const char *sentiment_class_name(enum sentiment_class label);

/* Of the embedded model; it changes whenever the same text might be judged otherwise. */
const char *sentiment_version(void);

#endif
