/* What the model sees of a text: hashed features in two groups and a few plain numbers.
 *
 * The trainer and the reader use this one function, so they cannot come to see different things. Which features help
 * was decided on folds of the training data (docs/SENTIMENT.md). */
#ifndef TS_SENTIMENT_FEATURES_H
#define TS_SENTIMENT_FEATURES_H

#include "processors/journey/sentiment/vocabulary.h"

enum {
    FEATURES_WORDS_MAX = 3 * TEXT_TOKENS_MAX,              /* a word, negated, with the one before */
    FEATURES_PARTS_MAX = TEXT_BYTES_MAX + TEXT_TOKENS_MAX, /* a word of n letters has n - 1 runs of four, its ends included */
    FEATURES_CONCEPTS_MAX = 2 * TEXT_TOKENS_MAX,           /* a concept, with the one before */
};

enum feature_group { GROUP_WORDS, GROUP_PARTS, GROUP_CONCEPTS, GROUP_COUNT };

/* The plain numbers, each about 0 … 3. */
enum plain {
    PLAIN_ONE,
    PLAIN_GOOD,
    PLAIN_BAD,
    PLAIN_BALANCE,
    PLAIN_NO_POLARITY,
    PLAIN_STRONG_GOOD,
    PLAIN_STRONG_BAD,
    PLAIN_END_BALANCE,
    PLAIN_START_BALANCE,
    PLAIN_BUT_BALANCE,
    PLAIN_NEGATORS,
    PLAIN_INTENSIFIERS,
    PLAIN_LENGTH,
    PLAIN_EXCLAMATIONS,
    PLAIN_QUESTIONS,
    PLAIN_ENDS_ASKING,
    PLAIN_ELLIPSES,
    PLAIN_SHOUTED,
    PLAIN_STRETCHED,
    PLAIN_SMILES,
    PLAIN_FROWNS,
    PLAIN_LINKS,
    PLAIN_NAMES,
    PLAIN_TAGS,
    PLAIN_NUMBERS,
    PLAIN_LANGUAGE, /* LANGUAGE_COUNT of them */
    PLAIN_COUNT = PLAIN_LANGUAGE + LANGUAGE_COUNT
};

/* What words that a vocabulary knows bring to a group: their weights, added up, and how many features they stand for. */
struct known_weights {
    int32_t sums[WEIGHT_SUMS];
    size_t count;
};

struct features {
    struct known_weights known[GROUP_COUNT];
    size_t word_count, part_count, concept_count;
    float plain[PLAIN_COUNT];
    uint32_t words[FEATURES_WORDS_MAX];
    uint32_t parts[FEATURES_PARTS_MAX];
    uint32_t concepts[FEATURES_CONCEPTS_MAX];
};

/* One word's, alone: itself, itself negated, its parts. `out` has room for as many as the word has letters; returns how many there are. */
uint32_t feature_of_word(uint32_t word_hash);
uint32_t feature_of_negated(uint32_t word_hash);
size_t features_of_parts(const struct text *text, const struct token *token, uint32_t *out);

void features_read(struct features *out, const struct text *text, const struct lexicon *lexicon);

#endif
