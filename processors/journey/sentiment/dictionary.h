/* Phrases of one to four words, each of some kind, found in a text: what words.c, topics.c and emotion.c are lists for.
 *
 * A list is written as text: phrases parted by spaces, the words of a phrase by `_`, and `*` after a word for «whatever it
 * goes on with». Accents and case do not matter, so lists are written as people type. */
#ifndef TS_SENTIMENT_DICTIONARY_H
#define TS_SENTIMENT_DICTIONARY_H

#include "processors/journey/sentiment/text.h"

enum { PHRASE_WORDS_MAX = 4, PHRASES_MAX = 2048, PHRASE_PLACES = 8192 };

struct dictionary_list {
    int kind;
    const char *phrases;
};

struct phrase {
    uint32_t hashes[PHRASE_WORDS_MAX];
    uint8_t lengths[PHRASE_WORDS_MAX]; /* letters */
    bool goes_on[PHRASE_WORDS_MAX];
    uint8_t word_count;
    int kind;
};

struct dictionary {
    struct phrase phrases[PHRASES_MAX];
    uint16_t places[PHRASE_PLACES]; /* by the hash of the first word: number of the phrase + 1, 0 empty */
    size_t count;
};

/* To a dictionary that began as zeroes, once, before any search: the lists' phrases, with kind_base added to their kinds.
 * False when a list is malformed or too long; the unit tests look at every shipped list. */
bool dictionary_add(struct dictionary *dictionary, const struct dictionary_list *lists, size_t list_count, int kind_base);

/* The numbers of the phrases whose first word this token is, `most` at most. False: there are more. */
bool dictionary_beginning(const struct dictionary *dictionary, const struct text *text, const struct token *token, uint16_t *out,
                          size_t most, size_t *count);

/* Calls `found` for every phrase in the text, which was read from `source`, in its order. Reads the dictionary only: any thread. */
void dictionary_search(const struct dictionary *dictionary, const struct text *text, struct view source,
                       void (*found)(void *context, int kind, struct view matched), void *context);

#endif
