/* A customer's text as tokens: the one reading of a text that sentiment, words and topics share.
 *
 * Bytes become code points (UTF-8; a byte that is not UTF-8 is read as Latin-1, so nothing is ever refused), lower-cased,
 * letters repeated three times or more cut to two, HTML's five common entities resolved. Tokens are words, numbers,
 * runs of punctuation, symbols (emoji), emoticons, @names and links. English clitics stay in their word (don't),
 * French and Italian elisions part from it (j'aime -> j aime).
 *
 * No allocation, no state: any thread, a `struct text` each (about 40 KiB, so on a stack it wants a normal one). */
#ifndef TS_SENTIMENT_TEXT_H
#define TS_SENTIMENT_TEXT_H

#include "base/view.h"

#include <stdint.h>

enum {
    TEXT_BYTES_MAX = 4096, /* what is longer is judged by its first 4 KiB */
    TEXT_TOKENS_MAX = 1024
};

enum token_kind {
    TOKEN_WORD,
    TOKEN_NUMBER, /* every digit stored as 0: «0000» says more to a reader of sentiment than «1987» */
    TOKEN_MARKS,  /* a run of one punctuation character, at most three stored */
    TOKEN_SYMBOL, /* one emoji or other symbol */
    TOKEN_SMILE,
    TOKEN_FROWN,
    TOKEN_NAME, /* @somebody */
    TOKEN_LINK
};

struct token {
    uint32_t hash;         /* of its letters */
    uint16_t at, length;   /* letters[at .. at + length); of a known word, in `word` */
    uint16_t byte_at, byte_end; /* where it stood in the source */
    uint8_t kind;
    bool shouted;   /* two letters or more, all capitals */
    bool stretched; /* like sooooo */
    bool tagged;    /* #word */
    bool is_plain;  /* a word that its bytes alone decide: one that a vocabulary may keep */
    const struct word *word; /* met before (vocabulary.h): its letters are there, not here; NULL: not */
};

struct text {
    size_t letter_count, token_count;
    uint32_t letters[TEXT_BYTES_MAX];
    struct token tokens[TEXT_TOKENS_MAX];
};

void text_read(struct text *out, struct view source);

/* With the words that this vocabulary knows (vocabulary.h; NULL: none). */
struct vocabulary;
void text_read_known(struct text *out, struct view source, struct vocabulary *vocabulary);

/* Hashing a word letter by letter, so that every prefix has a hash of its own on the way. */
enum { TEXT_HASH_START = 0x811c9dc5 };

static inline uint32_t text_hash_step(uint32_t hash, uint32_t letter)
{
    return (hash ^ letter) * 0x9e3779b1u + (hash >> 15);
}

static inline uint32_t text_hash_end(uint32_t hash)
{
    hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
    hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
    return hash ^ (hash >> 16);
}

/* A few words to look for, by their hashes. */
enum { WORD_LIST_MAX = 48 };

struct word_list {
    uint32_t items[WORD_LIST_MAX];
    size_t count;
};

/* From words with spaces between them; ends the program when there are too many, an error in the list. */
struct word_list word_list_read(const char *spelling);

static inline bool word_list_has(const struct word_list *list, uint32_t hash)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == hash)
            return true;
    }
    return false;
}

/* Two hashes as one, the order mattering. */
static inline uint32_t text_hash_pair(uint32_t first, uint32_t second)
{
    return text_hash_end((first * 0x9e3779b1u + 0x7f4a7c15u) ^ second);
}

/* Base letters of U+00C0 … U+017F. */
extern const char text_latin_base[];

/* The letter without its accent, for Latin letters up to U+017F; others unchanged. */
static inline uint32_t text_base_letter(uint32_t letter)
{
    return letter >= 0xc0 && letter < 0x180 ? (uint32_t)text_latin_base[letter - 0xc0] : letter;
}

#endif
