/* Words met before, with all that any reader of texts finds out about one word.
 *
 * A few hundred words make up most of what customers write, and nearly everything that is asked of a text is asked word by word: its
 * letters lowered and hashed, what the lexicon knows of it, which phrases begin with it, the weights of its runs of letters.
 * A word met again brings the answers along. Only memory, never meaning: every answer is what the slow way gives, and a
 * text reads the same with a vocabulary, without one, or with one that has forgotten everything.
 *
 * Plain words alone are kept: letters and digits, Latin ones with accents, nothing behind them that could belong to them
 * (an apostrophe, an entity). About 450 KiB; one thread. */
#ifndef TS_SENTIMENT_VOCABULARY_H
#define TS_SENTIMENT_VOCABULARY_H

#include "processors/journey/sentiment/dictionary.h"
#include "processors/journey/sentiment/lexicon.h"

enum { WORD_BYTES_MAX = 24, WORD_PHRASES_MAX = 6, WEIGHT_CLASSES = 3, WEIGHT_SEEN = WEIGHT_CLASSES, WEIGHT_SUMS };

struct word {
    uint64_t spelling[WORD_BYTES_MAX / 8]; /* as it was written: vocabulary.c */
    uint8_t size;               /* 0: a free place */
    uint8_t letter_count;
    bool shouted, stretched;
    uint8_t part_count, phrase_count;
    uint16_t letters[WORD_BYTES_MAX]; /* as in struct text */
    uint16_t phrases[WORD_PHRASES_MAX]; /* that begin with it: numbers of the dictionary of signals.c */
    uint32_t hash;
    uint32_t read_in;           /* the number of the text it was last met in */
    struct readings readings;
    /* Sums of the model's weights, and at WEIGHT_SEEN how many features have one. */
    int16_t own[WEIGHT_SUMS], negated[WEIGHT_SUMS], parts[WEIGHT_SUMS];
};

struct vocabulary;

struct vocabulary *vocabulary_create(void);
void vocabulary_destroy(struct vocabulary *vocabulary);

/* A new text begins: words met in it stay where they are until the next. */
void vocabulary_turn(struct vocabulary *vocabulary);

/* NULL: not known. */
const struct word *vocabulary_find(struct vocabulary *vocabulary, const unsigned char *bytes, size_t size);

/* A place for a word that is not known, its bytes set, the rest zero. NULL: all places it could have are taken by words of this text. */
struct word *vocabulary_add(struct vocabulary *vocabulary, const unsigned char *bytes, size_t size);

#endif
