/* The labelled texts under ../shared/data, for training and for the quality table. Cold code: it may allocate. */
#ifndef TS_SENTIMENT_CORPUS_H
#define TS_SENTIMENT_CORPUS_H

#include "base/view.h"
#include "processors/journey/sentiment/sentiment.h"

enum { CORPUS_FOLDS = 5 };

/* Sets whose licence lets us derive weights are trained on; the others only judge, as trades never seen. */
enum source_use { SOURCE_TRAINS, SOURCE_JUDGES };

struct source {
    const char *name;
    enum source_use use;
    int classes;  /* 2: only NEGATIVE and POSITIVE occur */
    float weight; /* of one of its texts in training */
    const char *remark; /* figures of others, for the table */
};

struct sample {
    struct view text;
    int source; /* index into corpus_sources */
    int fold;   /* 0 … 4 from the text alone: doubles stay together */
    enum sentiment_class label;
    float target[3]; /* what to train towards: soft where the raters were unsure */
    float weight;
};

struct corpus {
    struct sample *samples;
    size_t count;
};

extern const struct source corpus_sources[];
extern const int corpus_source_count;

/* Reads what there is below `folder`; sets that are absent are left out. False when nothing is there. */
bool corpus_read(struct corpus *out, const char *folder);

#endif
