#include "processors/journey/sentiment/train/lexicon_build.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const language_names[LANGUAGE_COUNT] = {"en", "de", "fr", "it", "pt", "es", "ar", "hi"};
enum { GERMAN = 1 << 1, ARABIC = 1 << 6, ALL_LANGUAGES = (1 << LANGUAGE_COUNT) - 1, ENTRIES_MOST = (1 << LEXICON_BITS) * 3 / 4, WORD_SIZE_MAX = 128 };

struct builder {
    struct lexicon_entry *entries;
    size_t count;
    struct lexicon_entry current; /* concept, kind, polarity and languages of the line being read */
};

/* One spelling in one meaning is one entry, whatever the number of its languages. */
static bool entry_put(struct builder *builder, uint32_t hash)
{
    const uint32_t mask = (1u << LEXICON_BITS) - 1;
    uint32_t at = hash & mask;
    for (; builder->entries[at].kind; at = (at + 1) & mask)
        if (builder->entries[at].hash == hash && builder->entries[at].concept_id == builder->current.concept_id) {
            builder->entries[at].languages |= builder->current.languages;
            return true;
        }
    builder->entries[at] = builder->current;
    builder->entries[at].hash = hash;
    return ++builder->count < ENTRIES_MOST;
}

static bool spelling_put(struct builder *builder, struct view spelling, bool beginning)
{
    static struct text text;
    text_read(&text, spelling);
    if (text.token_count == 2 && !beginning)
        return entry_put(builder, text_hash_pair(text.tokens[0].hash, text.tokens[1].hash));
    if (text.token_count != 1)
        return false;
    if (!beginning)
        return entry_put(builder, text.tokens[0].hash);
    uint32_t hash = TEXT_HASH_START;
    for (size_t i = 0; i < text.letter_count; i++)
        hash = text_hash_step(hash, text.letters[i]);
    return entry_put(builder, text_hash_end(hash ^ LEXICON_BEGINNING));
}

/* As people type without accents: ae for ä in German, plain letters elsewhere. Latin-1 letters in UTF-8 and œ will do. */
static size_t unaccented(struct view word, bool german, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < word.size; i++) {
        unsigned char lead = (unsigned char)word.data[i];
        if (lead != 0xc3 || i + 1 == word.size) {
            out[size++] = (char)lead;
            continue;
        }
        uint32_t letter = 0xc0 | ((unsigned char)word.data[++i] & 0x3f);
        out[size++] = (char)text_base_letter(letter);
        if (letter == 0xdf)
            out[size++] = 's';
        else if (german && (letter == 0xe4 || letter == 0xf6 || letter == 0xfc))
            out[size++] = 'e';
    }
    return size;
}

/* Arabic writes «the» and «and» onto the word. */
static bool joined_put(struct builder *builder, struct view word, bool beginning)
{
    static const char *const joined[] = {"ال", "و", "وال"};
    bool good = true;
    for (size_t i = 0; i < sizeof joined / sizeof *joined && good; i++) {
        char whole[WORD_SIZE_MAX + 8];
        int size = snprintf(whole, sizeof whole, "%s%.*s", joined[i], VIEW_ARGUMENTS(word));
        good = spelling_put(builder, view_of(whole, (size_t)size), beginning);
    }
    return good;
}

static bool word_put(struct builder *builder, char *word)
{
    char plain[WORD_SIZE_MAX];
    size_t size = strlen(word);
    if (size >= sizeof plain)
        return false;
    bool beginning = size > 1 && word[size - 1] == '*';
    size -= beginning;
    for (size_t i = 0; i < size; i++)
        word[i] = word[i] == '_' ? ' ' : word[i];
    size_t plain_size = unaccented(view_of(word, size), builder->current.languages == GERMAN, plain);
    bool good = spelling_put(builder, view_of(word, size), beginning);
    if (good && (plain_size != size || memcmp(plain, word, size) != 0))
        good = spelling_put(builder, view_of(plain, plain_size), beginning);
    if (good && builder->current.languages == ARABIC && builder->current.kind == LEXICON_CONCEPT)
        good = joined_put(builder, view_of(word, size), beginning);
    return good;
}

static bool concept_open(struct builder *builder, const char *meaning)
{
    static const struct {
        const char *name;
        enum lexicon_kind kind;
    } kinds[] = {{"negator", LEXICON_NEGATOR},         {"negator-both", LEXICON_NEGATOR_BOTH}, {"but", LEXICON_BUT},
                 {"intensifier", LEXICON_INTENSIFIER}, {"common", LEXICON_COMMON}};
    builder->current.concept_id++;
    builder->current.kind = LEXICON_CONCEPT;
    builder->current.polarity = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(meaning, kinds[i].name) == 0) {
            builder->current.kind = (uint8_t)kinds[i].kind;
            return true;
        }
    builder->current.polarity = (int8_t)((meaning[0] - '0') * (meaning[1] == '-' ? -1 : 1));
    return meaning[0] >= '0' && meaning[0] <= '3';
}

static bool line_read(struct builder *builder, char *line)
{
    char *rest = NULL, *first = strtok_r(line, " \n", &rest);
    if (!first || *first == '#')
        return true;
    if (strcmp(first, "=") == 0) {
        char *name = strtok_r(NULL, " \n", &rest), *meaning = strtok_r(NULL, " \n", &rest);
        return name && meaning && concept_open(builder, meaning);
    }
    builder->current.languages = strcmp(first, "*") == 0 ? ALL_LANGUAGES : 0;
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        if (strcmp(first, language_names[i]) == 0)
            builder->current.languages = (uint8_t)(1 << i);
    if (!builder->current.languages)
        return false;
    for (char *word; (word = strtok_r(NULL, " \n", &rest));)
        if (!word_put(builder, word))
            fprintf(stderr, "lexicon: cannot use «%s»\n", word);
    return true;
}

bool lexicon_build(struct lexicon_entry *entries, const char *path)
{
    struct builder builder = {.entries = entries};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0, number = 0;
    bool good = file != NULL;
    memset(entries, 0, sizeof *entries << LEXICON_BITS);
    while (good && getline(&line, &room, file) >= 0) {
        number++;
        good = line_read(&builder, line);
    }
    if (!good)
        fprintf(stderr, "lexicon: %s, line %zu: not understood\n", path, number);
    free(line);
    if (file)
        fclose(file);
    return good;
}
