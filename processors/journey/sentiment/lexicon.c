#include "processors/journey/sentiment/lexicon.h"

#include "processors/journey/sentiment/vocabulary.h"

enum { BEGINNING_LETTERS_MIN = 3 };

static void look_up(const struct lexicon *lexicon, uint32_t hash, struct readings *out)
{
    for (uint32_t at = hash & lexicon->mask; lexicon->entries[at].kind; at = (at + 1) & lexicon->mask) {
        if (lexicon->entries[at].hash != hash)
            continue;
        if (out->count == READINGS_MAX)
            memmove(out->entries, out->entries + 1, --out->count * sizeof *out->entries);
        out->entries[out->count++] = &lexicon->entries[at];
    }
}

static void look_up_beginnings(const struct lexicon *lexicon, const struct text *text, const struct token *token,
                               struct readings *out)
{
    uint32_t hash = TEXT_HASH_START;
    for (size_t i = 0; i < token->length; i++) {
        hash = text_hash_step(hash, text->letters[token->at + i]);
        if (i + 1 >= BEGINNING_LETTERS_MIN)
            look_up(lexicon, text_hash_end(hash ^ LEXICON_BEGINNING), out);
    }
}

static const struct lexicon_entry *reading_in(const struct readings *readings, unsigned languages)
{
    for (size_t i = readings->count; i-- > 0;)
        if (readings->entries[i]->languages & languages)
            return readings->entries[i]->kind == LEXICON_COMMON ? NULL : readings->entries[i];
    return NULL;
}

/* Common words count double: content words are borrowed, «the» is not. */
static void vote(struct readings *readings)
{
    for (size_t k = 0; k < readings->count; k++) {
        const struct lexicon_entry *entry = readings->entries[k];
        for (unsigned language = 0; language < LANGUAGE_COUNT; language++)
            readings->votes[language] =
                (uint8_t)(readings->votes[language] + (entry->languages >> language & 1) * (entry->kind == LEXICON_COMMON ? 2 : 1));
    }
}

void lexicon_read(const struct lexicon *lexicon, const struct text *text, const struct token *token, struct readings *out)
{
    out->count = 0;
    memset(out->votes, 0, sizeof out->votes);
    if (token->kind == TOKEN_WORD)
        look_up_beginnings(lexicon, text, token, out);
    if (token->kind == TOKEN_WORD || token->kind == TOKEN_SYMBOL)
        look_up(lexicon, token->hash, out);
    vote(out);
}

/* Two words in a row say more than either: «no» is common in Portuguese, «no funciona» is Spanish. */
static void vote_as_pair(const struct readings *pair, unsigned votes[LANGUAGE_COUNT])
{
    for (size_t k = 0; k < pair->count; k++) {
        for (unsigned language = 0; language < LANGUAGE_COUNT; language++)
            votes[language] += (pair->entries[k]->languages >> language & 1) * 2;
    }
}

/* All languages when nothing was recognised. */
static unsigned languages_by_vote(const struct readings *const *readings, const struct readings *pairs, size_t count)
{
    unsigned votes[LANGUAGE_COUNT] = {0}, most = 0, languages = 0;
    for (size_t i = 0; i < count; i++) {
        for (unsigned language = 0; language < LANGUAGE_COUNT; language++)
            votes[language] += readings[i]->votes[language];
        vote_as_pair(&pairs[i], votes);
    }
    for (unsigned language = 0; language < LANGUAGE_COUNT; language++)
        most = votes[language] > most ? votes[language] : most;
    for (unsigned language = 0; language < LANGUAGE_COUNT; language++)
        if (votes[language] * 4 > most * 3 || most == 0)
            languages |= 1u << language;
    return languages;
}

static bool is_negator(const struct lexicon_entry *entry)
{
    return entry && (entry->kind == LEXICON_NEGATOR || entry->kind == LEXICON_NEGATOR_BOTH);
}

unsigned lexicon_mark(const struct lexicon *lexicon, const struct text *text, const uint32_t *pairs,
                      const struct lexicon_entry **entries, bool *has_own_negator)
{
    struct readings own[TEXT_TOKENS_MAX], both[TEXT_TOKENS_MAX];
    const struct readings *readings[TEXT_TOKENS_MAX];
    for (size_t i = 0; i < text->token_count; i++) {
        const struct token *token = &text->tokens[i];
        readings[i] = token->word ? &token->word->readings : &own[i];
        if (token->word == NULL)
            lexicon_read(lexicon, text, token, &own[i]);
        both[i].count = 0;
        if (i > 0)
            look_up(lexicon, pairs[i], &both[i]);
    }
    unsigned languages = languages_by_vote(readings, both, text->token_count);
    for (size_t i = 0; i < text->token_count; i++) {
        has_own_negator[i] = false;
        entries[i] = reading_in(readings[i], languages);
        const struct lexicon_entry *pair = reading_in(&both[i], languages);
        if (pair) {
            has_own_negator[i] = is_negator(entries[i - 1]) || is_negator(entries[i]);
            entries[i - 1] = NULL;
            entries[i] = pair;
        }
    }
    return languages;
}
