#include "processors/journey/sentiment/dictionary.h"

#include "processors/journey/sentiment/vocabulary.h"

enum { GOES_ON_LETTERS_MIN = 3 };

static uint32_t hash_of(const struct text *text, const struct token *token, size_t length)
{
    uint32_t hash = TEXT_HASH_START;
    for (size_t i = 0; i < length; i++)
        hash = text_hash_step(hash, text_base_letter(token->word ? token->word->letters[i] : text->letters[token->at + i]));
    return text_hash_end(hash);
}

static bool phrase_read(struct phrase *out, char *spelling)
{
    static struct text text; /* under the lists' pthread_once */
    *out = (struct phrase){0};
    for (char *rest = NULL, *word = strtok_r(spelling, "_", &rest); word; word = strtok_r(NULL, "_", &rest)) {
        size_t size = strlen(word), at = out->word_count;
        bool goes_on = word[size - 1] == '*';
        text_read(&text, view_of(word, size - goes_on));
        if (text.token_count != 1 || text.tokens[0].kind != TOKEN_WORD || at == PHRASE_WORDS_MAX ||
            (goes_on && text.letter_count < GOES_ON_LETTERS_MIN))
            return false;
        out->hashes[at] = hash_of(&text, &text.tokens[0], text.letter_count);
        out->lengths[at] = (uint8_t)text.letter_count;
        out->goes_on[at] = goes_on;
        out->word_count++;
    }
    return out->word_count > 0;
}

static bool phrase_put(struct dictionary *dictionary, const struct phrase *phrase)
{
    if (dictionary->count == PHRASES_MAX)
        return false;
    size_t at = phrase->hashes[0] % PHRASE_PLACES;
    while (dictionary->places[at])
        at = (at + 1) % PHRASE_PLACES;
    dictionary->phrases[dictionary->count] = *phrase;
    dictionary->places[at] = (uint16_t)++dictionary->count;
    return true;
}

bool dictionary_add(struct dictionary *dictionary, const struct dictionary_list *lists, size_t list_count, int kind_base)
{
    bool good = true;
    for (size_t i = 0; i < list_count; i++)
        for (const char *at = lists[i].phrases; *at;) {
            char spelling[128];
            struct phrase phrase;
            size_t size = strcspn(at, " ");
            if (size > 0 && size < sizeof spelling) {
                memcpy(spelling, at, size);
                spelling[size] = 0;
                if (phrase_read(&phrase, spelling)) {
                    phrase.kind = kind_base + lists[i].kind;
                    good &= phrase_put(dictionary, &phrase);
                } else {
                    good = false;
                }
            }
            at += size + (at[size] == ' ');
        }
    return good;
}

/* Words are compared by their hashes: 32 bits over a few hundred phrases. */
static bool word_fits(const struct text *text, size_t at, const struct phrase *phrase, size_t word)
{
    if (at >= text->token_count || text->tokens[at].kind != TOKEN_WORD)
        return false;
    const struct token *token = &text->tokens[at];
    if (phrase->goes_on[word] ? token->length < phrase->lengths[word] : token->length != phrase->lengths[word])
        return false;
    return hash_of(text, token, phrase->lengths[word]) == phrase->hashes[word];
}

static bool phrase_fits(const struct text *text, size_t at, const struct phrase *phrase)
{
    for (size_t word = 1; word < phrase->word_count; word++)
        if (!word_fits(text, at + word, phrase, word))
            return false;
    return true;
}

bool dictionary_beginning(const struct dictionary *dictionary, const struct text *text, const struct token *token, uint16_t *out,
                          size_t most, size_t *count)
{
    uint32_t hash = TEXT_HASH_START;
    *count = 0;
    for (size_t length = 1; token->kind == TOKEN_WORD && length <= token->length; length++) {
        hash = text_hash_step(hash, text_base_letter(text->letters[token->at + length - 1]));
        if (length < GOES_ON_LETTERS_MIN && length < token->length)
            continue;
        uint32_t mine = text_hash_end(hash);
        for (size_t at = mine % PHRASE_PLACES; dictionary->places[at]; at = (at + 1) % PHRASE_PLACES) {
            const struct phrase *phrase = &dictionary->phrases[dictionary->places[at] - 1];
            if (phrase->hashes[0] != mine || (length < token->length && !phrase->goes_on[0]))
                continue;
            if (*count == most)
                return false;
            out[(*count)++] = (uint16_t)(dictionary->places[at] - 1);
        }
    }
    return true;
}

void dictionary_search(const struct dictionary *dictionary, const struct text *text, struct view source,
                       void (*found)(void *context, int kind, struct view matched), void *context)
{
    for (size_t t = 0; t < text->token_count; t++) {
        const struct token *token = &text->tokens[t];
        uint16_t own[PHRASES_MAX];
        const uint16_t *beginning = own;
        size_t count;
        if (token->word) {
            beginning = token->word->phrases;
            count = token->word->phrase_count;
        } else {
            dictionary_beginning(dictionary, text, token, own, PHRASES_MAX, &count);
        }
        for (size_t i = 0; i < count; i++) {
            const struct phrase *phrase = &dictionary->phrases[beginning[i]];
            if (!phrase_fits(text, t, phrase))
                continue;
            size_t end = text->tokens[t + phrase->word_count - 1].byte_end;
            found(context, phrase->kind, view_of(source.data + token->byte_at, end - token->byte_at));
        }
    }
}
