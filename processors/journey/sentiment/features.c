#include "processors/journey/sentiment/features.h"

#include "processors/journey/sentiment/never.h"

#include <math.h>

enum { NEGATION_REACH = 4, PART_LETTERS = 4 };

/* So that one word in two roles is two features. */
enum salt {
    SALT_WORD = 0x1000193,
    SALT_NEGATED = 0x2c1b3c6d,
    SALT_PAIR = 0x297a2d39,
    SALT_PART = 0x4cf5ad43,
    SALT_CONCEPT = 0x27d4eb2f,
    SALT_CONCEPT_PAIR = 0x165667b1
};

static void put_word(struct features *out, uint32_t hash, enum salt salt)
{
    out->words[out->word_count++] = text_hash_pair(hash, salt);
}

static void put_concept(struct features *out, uint32_t hash, enum salt salt)
{
    out->concepts[out->concept_count++] = text_hash_pair(hash, salt);
}

#define MARK(letter) ((uint64_t)1 << (letter))

static bool ends_clause(const struct text *text, const struct token *token)
{
    const uint64_t ends = MARK(0) | MARK('.') | MARK(',') | MARK(';') | MARK(':') | MARK('!') | MARK('?') | MARK('(') | MARK(')') | MARK('"');
    if (token->kind != TOKEN_MARKS)
        return false;
    uint32_t letter = text->letters[token->at] & 0x7f;
    return letter < 64 && (ends >> letter & 1);
}

/* negated[i]: a negator stands up to four tokens before in the same clause (or right behind, where the language does so). */
static void mark_negation(const struct text *text, const struct lexicon_entry **entries, bool *negated)
{
    size_t until = 0;
    for (size_t i = 0; i < text->token_count; i++) {
        if (ends_clause(text, &text->tokens[i]))
            until = 0;
        negated[i] = i < until;
        if (!entries[i] || (entries[i]->kind != LEXICON_NEGATOR && entries[i]->kind != LEXICON_NEGATOR_BOTH))
            continue;
        negated[i] = false; /* ne … pas, not … never: one negation */
        until = never_reaches(text, i, i + 1 + NEGATION_REACH);
        if (entries[i]->kind == LEXICON_NEGATOR_BOTH)
            for (size_t back = i; back-- > 0 && i - back <= 3 && !ends_clause(text, &text->tokens[back]);)
                negated[back] = true;
    }
}

uint32_t feature_of_word(uint32_t word_hash)
{
    return text_hash_pair(word_hash, SALT_WORD);
}

uint32_t feature_of_negated(uint32_t word_hash)
{
    return text_hash_pair(word_hash, SALT_NEGATED);
}

static void add_known(struct known_weights *out, const int16_t weights[WEIGHT_SUMS], size_t count)
{
    for (int i = 0; i < WEIGHT_SUMS; i++)
        out->sums[i] += weights[i];
    out->count += count;
}

static void read_word_alone(struct features *out, const struct token *token, bool is_negated)
{
    if (token->word) {
        add_known(&out->known[GROUP_WORDS], token->word->own, 1);
        if (is_negated)
            add_known(&out->known[GROUP_WORDS], token->word->negated, 1);
        return;
    }
    put_word(out, token->hash, SALT_WORD);
    if (is_negated && token->kind == TOKEN_WORD)
        put_word(out, token->hash, SALT_NEGATED);
}

static void read_words(struct features *out, const struct text *text, const uint32_t *pairs, const bool *negated)
{
    for (size_t i = 0; i < text->token_count; i++) {
        const struct token *token = &text->tokens[i];
        read_word_alone(out, token, negated[i]);
        put_word(out, pairs[i], SALT_PAIR);
    }
}

/* Runs of four letters within words, the word's ends marked, accents taken off: they bridge inflection, typing errors and
 * languages that share roots. Runs of three, five or six letters beside them added time but nothing else. */
size_t features_of_parts(const struct text *text, const struct token *token, uint32_t *out)
{
    uint32_t padded[64 + 2];
    size_t count = 0, length = token->length < 64 ? token->length : 64, part_count = 0;
    padded[count++] = '_';
    for (size_t i = 0; i < length; i++)
        padded[count++] = text_base_letter(text->letters[token->at + i]);
    padded[count++] = '_';
    for (size_t start = 0; start + PART_LETTERS <= count; start++) {
        uint32_t hash = SALT_PART;
        for (size_t i = 0; i < PART_LETTERS; i++)
            hash = text_hash_step(hash, padded[start + i]);
        out[part_count++] = text_hash_end(hash);
    }
    return part_count;
}

static void read_parts(struct features *out, const struct text *text)
{
    for (size_t t = 0; t < text->token_count; t++) {
        const struct token *token = &text->tokens[t];
        if (token->word)
            add_known(&out->known[GROUP_PARTS], token->word->parts, token->word->part_count);
        else if (token->kind == TOKEN_WORD)
            out->part_count += features_of_parts(text, token, out->parts + out->part_count);
    }
}

struct balance {
    float good, bad;
};

static void balance_add(struct balance *balance, float points)
{
    *(points > 0 ? &balance->good : &balance->bad) += fabsf(points);
}

static float balance_of(const struct balance *balance)
{
    return (balance->good - balance->bad) / (1 + balance->good + balance->bad);
}

/* A negated good is bad, a negated bad only half good («not bad»). */
static float points_of(const struct lexicon_entry *entry, bool is_negated, bool is_intensified)
{
    float points = entry->polarity;
    if (is_negated)
        points *= points > 0 ? -0.8f : -0.5f;
    return is_intensified ? points * 1.4f : points;
}

static void read_concepts(struct features *out, const struct text *text, const struct lexicon_entry **entries,
                          const bool *negated)
{
    struct balance all = {0}, end = {0}, start = {0}, after_but = {0};
    uint32_t before = 0;
    bool intensified = false, has_but = false;
    float *plain = out->plain;
    for (size_t i = 0; i < text->token_count; i++) {
        if (ends_clause(text, &text->tokens[i]))
            before = 0, intensified = false;
        if (!entries[i])
            continue;
        if (entries[i]->kind == LEXICON_NEGATOR || entries[i]->kind == LEXICON_NEGATOR_BOTH)
            plain[PLAIN_NEGATORS] += 1;
        if (entries[i]->kind == LEXICON_BUT)
            has_but = true, after_but = (struct balance){0};
        if (entries[i]->kind == LEXICON_INTENSIFIER)
            intensified = true, plain[PLAIN_INTENSIFIERS] += 1;
        if (entries[i]->kind != LEXICON_CONCEPT)
            continue;
        uint32_t mine = entries[i]->concept_id * 2u + negated[i];
        float points = points_of(entries[i], negated[i], intensified);
        put_concept(out, mine, SALT_CONCEPT);
        if (before)
            put_concept(out, before * 512 + mine, SALT_CONCEPT_PAIR);
        before = mine + 1;
        intensified = false;
        if (points == 0)
            continue;
        balance_add(&all, points);
        balance_add(i * 3 >= text->token_count * 2 ? &end : i * 3 < text->token_count ? &start : &(struct balance){0}, points);
        if (has_but)
            balance_add(&after_but, points);
        plain[PLAIN_STRONG_GOOD] += points >= 2.5f;
        plain[PLAIN_STRONG_BAD] += points <= -2.5f;
    }
    plain[PLAIN_GOOD] = log1pf(all.good);
    plain[PLAIN_BAD] = log1pf(all.bad);
    plain[PLAIN_BALANCE] = 2 * balance_of(&all);
    plain[PLAIN_NO_POLARITY] = all.good + all.bad == 0;
    plain[PLAIN_END_BALANCE] = balance_of(&end);
    plain[PLAIN_START_BALANCE] = balance_of(&start);
    plain[PLAIN_BUT_BALANCE] = balance_of(&after_but);
}

static void read_marks(float *plain, uint32_t first, size_t length)
{
    plain[PLAIN_EXCLAMATIONS] += first == '!';
    plain[PLAIN_QUESTIONS] += first == '?';
    plain[PLAIN_ELLIPSES] += first == '.' && length > 1;
}

static void read_manner(struct features *out, const struct text *text)
{
    float *plain = out->plain;
    for (size_t i = 0; i < text->token_count; i++) {
        const struct token *token = &text->tokens[i];
        if (token->tagged)
            plain[PLAIN_TAGS] += 1;
        switch ((enum token_kind)token->kind) {
        case TOKEN_WORD:
            if (token->shouted)
                plain[PLAIN_SHOUTED] += 1;
            if (token->stretched)
                plain[PLAIN_STRETCHED] += 1;
            break;
        case TOKEN_MARKS: read_marks(plain, text->letters[token->at], token->length); break;
        case TOKEN_NUMBER: plain[PLAIN_NUMBERS] += 1; break;
        case TOKEN_SMILE: plain[PLAIN_SMILES] += 1; break;
        case TOKEN_FROWN: plain[PLAIN_FROWNS] += 1; break;
        case TOKEN_LINK: plain[PLAIN_LINKS] += 1; break;
        case TOKEN_NAME: plain[PLAIN_NAMES] += 1; break;
        case TOKEN_SYMBOL: break;
        }
    }
    const struct token *last = text->token_count ? &text->tokens[text->token_count - 1] : NULL;
    plain[PLAIN_ENDS_ASKING] = last && last->kind == TOKEN_MARKS && last->length && text->letters[last->at] == '?';
    for (size_t i = 0; i < PLAIN_LANGUAGE; i++)
        if (i >= PLAIN_STRONG_GOOD && i != PLAIN_END_BALANCE && i != PLAIN_START_BALANCE && i != PLAIN_BUT_BALANCE)
            plain[i] = plain[i] == 0 ? 0 : log1pf(plain[i]); /* most are 0, and the logarithm is not for free */
    plain[PLAIN_LENGTH] = log1pf((float)text->token_count) / 2;
    plain[PLAIN_ONE] = 1;
}

void features_read(struct features *out, const struct text *text, const struct lexicon *lexicon)
{
    const struct lexicon_entry *entries[TEXT_TOKENS_MAX];
    bool negated[TEXT_TOKENS_MAX], has_own_negator[TEXT_TOKENS_MAX];
    uint32_t pairs[TEXT_TOKENS_MAX];
    for (size_t i = 0; i < text->token_count; i++)
        pairs[i] = text_hash_pair(i > 0 ? text->tokens[i - 1].hash : 0, text->tokens[i].hash);
    out->word_count = out->part_count = out->concept_count = 0;
    memset(out->known, 0, sizeof out->known);
    memset(out->plain, 0, sizeof out->plain);
    unsigned languages = lexicon_mark(lexicon, text, pairs, entries, has_own_negator);
    mark_negation(text, entries, negated);
    read_words(out, text, pairs, negated);
    read_parts(out, text);
    for (size_t i = 0; i < text->token_count; i++)
        negated[i] = negated[i] && !has_own_negator[i]; /* ne (suis) pas satisfait, ne marche pas: one negation */
    read_concepts(out, text, entries, negated);
    read_manner(out, text);
    for (unsigned language = 0; language < LANGUAGE_COUNT; language++)
        out->plain[PLAIN_LANGUAGE + language] = languages == 1u << language;
}
