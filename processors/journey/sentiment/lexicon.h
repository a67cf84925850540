/* Words whose meaning we know before any training: «late», «verspätet», «atrasado» are one concept, with a polarity.
 *
 * Concepts are what carries over from one language and trade to another; lexicon.txt is ours, the trainer hashes it into
 * the model. The same spelling may mean different things (English «die», German «die»): each entry names its languages,
 * and common words vote on the language of the text first. */
#ifndef TS_SENTIMENT_LEXICON_H
#define TS_SENTIMENT_LEXICON_H

#include "processors/journey/sentiment/text.h"

enum { LANGUAGE_COUNT = 8 }; /* en de fr it pt es ar hi: bits 0 … 7 of `languages` */

enum lexicon_kind {
    LEXICON_EMPTY,
    LEXICON_CONCEPT,
    LEXICON_NEGATOR,      /* turns what follows: not, kein, sans */
    LEXICON_NEGATOR_BOTH, /* and what stands before: «gefällt mir nicht», «j'aime pas» */
    LEXICON_INTENSIFIER,
    LEXICON_BUT, /* what follows weighs more than what was said before */
    LEXICON_COMMON /* says nothing but the language */
};

struct lexicon_entry {
    uint32_t hash; /* of the word, the two words, or the beginning of a word */
    uint8_t concept_id;
    uint8_t kind;
    uint8_t languages;
    int8_t polarity; /* -3 … 3 */
};

struct lexicon {
    const struct lexicon_entry *entries; /* open addressing, linear; a power of two, never full */
    uint32_t mask;
};

/* What one token may be, the better reading last: short beginnings, longer ones, the whole word. All are kept until the
 * text's language is known: French «hate» (hâte) must not hide English «hate». */
enum { READINGS_MAX = 8 };

struct readings {
    const struct lexicon_entry *entries[READINGS_MAX];
    uint8_t count;
    uint8_t votes[LANGUAGE_COUNT]; /* for the language of the text */
};

/* The salt of an entry that is the beginning of a word («funktionier*»). */
enum { LEXICON_BEGINNING = 0x5bd1e995 };

/* What a word or symbol may be, alone. */
void lexicon_read(const struct lexicon *lexicon, const struct text *text, const struct token *token, struct readings *out);

/* For each token what the lexicon knows of it in the text's language (`entries[i] == NULL`: nothing). An entry of two
 * words stands at the second one, the first then has none; `has_own_negator`: one of the two denies («ne marche», «pas satisfait»).
 * `pairs`: of each token with the one before, hashed. Returns the languages (bits) the text seems to be in. */
unsigned lexicon_mark(const struct lexicon *lexicon, const struct text *text, const uint32_t *pairs,
                      const struct lexicon_entry **entries, bool *has_own_negator);

#endif
