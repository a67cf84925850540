#include "processors/journey/sentiment/text.h"

#include "processors/journey/sentiment/vocabulary.h"

#include <stdlib.h>

/* A cursor over the source: one code point at a time, entities resolved. */
struct cursor {
    const unsigned char *bytes;
    size_t size, at;
};

static const struct entity {
    const char *name;
    size_t size;
    uint32_t letter;
} entities[] = {
    {"amp;", 4, '&'}, {"lt;", 3, '<'}, {"gt;", 3, '>'}, {"quot;", 5, '"'}, {"#39;", 4, '\''},
};

static uint32_t cursor_entity(const struct cursor *cursor, size_t at, size_t *length)
{
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (cursor->size - at > entities[i].size &&
            memcmp(cursor->bytes + at + 1, entities[i].name, entities[i].size) == 0) {
            *length = entities[i].size + 1;
            return entities[i].letter;
        }
    *length = 1;
    return '&';
}

/* Broken bytes are read as Latin-1: that is what they nearly always are. */
static uint32_t cursor_multibyte(const struct cursor *cursor, size_t at, size_t *length)
{
    unsigned lead = cursor->bytes[at];
    size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    *length = 1;
    if (lead < 0xc2 || lead > 0xf4 || cursor->size - at <= more)
        return lead;
    uint32_t letter = lead & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        unsigned byte = cursor->bytes[at + i];
        if ((byte & 0xc0) != 0x80)
            return lead;
        letter = letter << 6 | (byte & 0x3f);
    }
    *length = more + 1;
    return letter;
}

static inline uint32_t cursor_look(const struct cursor *cursor, size_t at, size_t *length)
{
    if (at >= cursor->size) {
        *length = 0;
        return 0;
    }
    unsigned byte = cursor->bytes[at];
    if (byte == '&')
        return cursor_entity(cursor, at, length);
    if (byte < 0x80) {
        *length = 1;
        return byte;
    }
    uint32_t letter = cursor_multibyte(cursor, at, length);
    return letter == 0x2019 || letter == 0x2018 || letter == 0xb4 || letter == 0x92 ? '\'' : letter;
}

const char text_latin_base[] = "aaaaaaaceeeeiiiidnooooo*ouuuuytsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
                               "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
                               "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/* What most texts are made of, decided without a look at anything else: 1 small letter, 2 capital, 3 digit. */
static const uint8_t ascii_class[256] = {
    ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1,
    ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1,
    ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['A'] = 2, ['B'] = 2, ['C'] = 2, ['D'] = 2, ['E'] = 2, ['F'] = 2, ['G'] = 2,
    ['H'] = 2, ['I'] = 2, ['J'] = 2, ['K'] = 2, ['L'] = 2, ['M'] = 2, ['N'] = 2, ['O'] = 2, ['P'] = 2, ['Q'] = 2, ['R'] = 2,
    ['S'] = 2, ['T'] = 2, ['U'] = 2, ['V'] = 2, ['W'] = 2, ['X'] = 2, ['Y'] = 2, ['Z'] = 2, ['0'] = 3, ['1'] = 3, ['2'] = 3,
    ['3'] = 3, ['4'] = 3, ['5'] = 3, ['6'] = 3, ['7'] = 3, ['8'] = 3, ['9'] = 3,
};

static bool is_digit(uint32_t letter)
{
    return letter - '0' < 10;
}

/* Marks that sit on a letter or join emoji: they vanish. */
static bool is_silent(uint32_t letter)
{
    return letter >= 0x300 && ((letter < 0x370) || (letter >= 0x64b && letter <= 0x652) || letter == 0x640 ||
                               letter == 0x200d || (letter >= 0xfe00 && letter <= 0xfe0f) ||
                               (letter >= 0x1f3fb && letter <= 0x1f3ff));
}

static bool is_letter(uint32_t letter)
{
    if (letter < 0x80)
        return (letter | 0x20) - 'a' < 26;
    if (letter < 0x370)
        return letter >= 0xc0 && letter != 0xd7 && letter != 0xf7;
    return (letter < 0x2000 && letter != 0x964 && letter != 0x60c && letter != 0x61f) ||
           (letter >= 0x3040 && letter < 0xd800) || (letter >= 0xf900 && letter < 0xfe00);
}

static bool is_space(uint32_t letter)
{
    return letter <= ' ' || letter == 0x7f || (letter >= 0x80 && letter <= 0xa0) ||
           (letter >= 0x2000 && letter <= 0x200f) || letter == 0x3000 || letter == 0xfeff;
}

static bool is_symbol(uint32_t letter)
{
    return (letter >= 0x2100 && letter < 0x3000) || letter >= 0x10000 || letter == 0xa3 || letter == 0x20ac;
}

/* Beyond Latin, Greek and Cyrillic: Arabic alef, yeh and teh marbuta are written one way or the other. */
static uint32_t lower_of(uint32_t letter)
{
    if (letter < 0x80)
        return letter - 'A' < 26 ? letter + 32 : letter;
    if (letter < 0x100)
        return letter >= 0xc0 && letter <= 0xde && letter != 0xd7 ? letter + 32 : letter;
    if (letter < 0x180) {
        bool odd_is_capital = (letter >= 0x139 && letter <= 0x148) || (letter >= 0x179 && letter <= 0x17e);
        return (letter & 1) == odd_is_capital && letter != 0x138 && letter != 0x149 ? letter + 1 : letter;
    }
    if (letter >= 0x391 && letter <= 0x42f)
        return letter <= 0x3a9 ? letter + 32 : letter >= 0x410 ? letter + 32 : letter >= 0x400 ? letter + 80 : letter;
    if (letter == 0x622 || letter == 0x623 || letter == 0x625)
        return 0x627;
    return letter == 0x629 ? 0x647 : letter == 0x649 ? 0x64a : letter;
}

static struct token *token_open(struct text *out, enum token_kind kind, size_t byte_at)
{
    struct token *token = &out->tokens[out->token_count];
    *token = (struct token){.at = (uint16_t)out->letter_count, .kind = kind, .byte_at = (uint16_t)byte_at};
    return token;
}

static void token_close(struct text *out, struct token *token, size_t byte_end)
{
    uint32_t hash = TEXT_HASH_START;
    for (size_t i = token->at; i < out->letter_count; i++)
        hash = text_hash_step(hash, out->letters[i]);
    token->length = (uint16_t)(out->letter_count - token->at);
    token->hash = text_hash_end(hash ^ (token->kind << 8));
    token->byte_end = (uint16_t)byte_end;
    out->token_count++;
}

static void put_letter(struct text *out, uint32_t letter)
{
    out->letters[out->letter_count++] = letter; /* never more letters than bytes, so there is room */
}

/* After an apostrophe: does what follows belong to the word before (don't, we're) or begin one (j'aime)? */
static bool is_clitic(const struct cursor *cursor, size_t at)
{
    char tail[3] = "";
    size_t count = 0, length;
    uint32_t letter;
    while (is_letter(letter = cursor_look(cursor, at, &length))) {
        if (count == 2 || letter >= 0x80)
            return false;
        tail[count++] = (char)lower_of(letter);
        at += length;
    }
    if (count == 1)
        return strchr("tsmdn", tail[0]) != NULL;
    return count == 2 && (!strcmp(tail, "re") || !strcmp(tail, "ve") || !strcmp(tail, "ll"));
}

/* A word while it is read: how it is written is part of what it says. */
struct spelling {
    size_t repeats, capitals, letters;
    uint32_t last;
};

static void word_letter(struct text *out, struct token *token, struct spelling *spelling, uint32_t lower, bool capital)
{
    spelling->capitals += capital;
    spelling->letters++;
    spelling->repeats = lower == spelling->last ? spelling->repeats + 1 : 0;
    spelling->last = lower;
    if (spelling->repeats < 2)
        put_letter(out, lower);
    else
        token->stretched = true;
}

/* The bytes of a plain word from here on, 0 when it is none: ASCII letters and digits, Latin letters with accents (U+00C0 to U+017F,
 * two bytes each), and behind them a byte that cannot go on with the word whatever comes next. */
static size_t plain_word_size(const struct cursor *cursor)
{
    const unsigned char *bytes = cursor->bytes + cursor->at;
    size_t left = cursor->size - cursor->at, size = 0;
    while (size < left) {
        unsigned byte = bytes[size];
        if (ascii_class[byte])
            size++;
        else if (byte >= 0xc3 && byte <= 0xc5 && size + 1 < left && (bytes[size + 1] & 0xc0) == 0x80 &&
                 !(byte == 0xc3 && (bytes[size + 1] == 0x97 || bytes[size + 1] == 0xb7)))
            size += 2;
        else
            return byte < 0x80 && byte != '\'' && byte != '&' && size <= WORD_BYTES_MAX ? size : 0;
    }
    return size <= WORD_BYTES_MAX ? size : 0;
}

/* A word met before, taken as it is known. */
static bool read_known_word(struct text *out, struct cursor *cursor, size_t size, struct vocabulary *vocabulary)
{
    const struct word *word = vocabulary_find(vocabulary, cursor->bytes + cursor->at, size);
    if (word == NULL)
        return false;
    out->tokens[out->token_count++] = (struct token){.hash = word->hash,
                                                     .length = word->letter_count,
                                                     .byte_at = (uint16_t)cursor->at,
                                                     .byte_end = (uint16_t)(cursor->at + size),
                                                     .kind = TOKEN_WORD,
                                                     .shouted = word->shouted,
                                                     .stretched = word->stretched,
                                                     .is_plain = true,
                                                     .word = word};
    cursor->at += size;
    return true;
}

static void read_word(struct text *out, struct cursor *cursor, bool tagged)
{
    struct token *token = token_open(out, TOKEN_WORD, cursor->at);
    struct spelling spelling = {0};
    size_t length, next_length;
    for (;;) {
        unsigned class = cursor->at < cursor->size ? ascii_class[cursor->bytes[cursor->at]] : 0;
        if (class == 3) {
            put_letter(out, '0');
            spelling.letters++;
            spelling.last = 0;
        } else if (class) {
            word_letter(out, token, &spelling, cursor->bytes[cursor->at] | 0x20, class == 2);
        }
        if (class) {
            cursor->at++;
            continue;
        }
        uint32_t letter = cursor_look(cursor, cursor->at, &length);
        if (letter == '\'' && spelling.last != '\'' && is_clitic(cursor, cursor->at + length)) {
            put_letter(out, letter);
            spelling.last = letter;
        } else if (is_letter(letter) || (letter == '_' && tagged)) {
            if (!is_silent(letter))
                word_letter(out, token, &spelling, lower_of(letter), lower_of(letter) != letter);
        } else {
            break;
        }
        cursor->at += length;
    }
    token->shouted = spelling.letters >= 2 && spelling.capitals == spelling.letters;
    token->tagged = tagged;
    token_close(out, token, cursor->at);
    if (cursor_look(cursor, cursor->at, &length) == '\'' && is_letter(cursor_look(cursor, cursor->at + length, &next_length)))
        cursor->at += length; /* an elision's apostrophe */
}

static void read_number(struct text *out, struct cursor *cursor)
{
    struct token *token = token_open(out, TOKEN_NUMBER, cursor->at);
    size_t length;
    uint32_t letter;
    while (is_digit(letter = cursor_look(cursor, cursor->at, &length)) || letter == '.' || letter == ',') {
        size_t next_length;
        if (!is_digit(letter) && !is_digit(cursor_look(cursor, cursor->at + length, &next_length)))
            break;
        if (out->letter_count - token->at < 4u)
            put_letter(out, is_digit(letter) ? '0' : '.');
        cursor->at += length;
    }
    token_close(out, token, cursor->at);
}

/* An @name or a link: its letters to the next space. A link's are not kept, they say nothing. */
static void read_run(struct text *out, struct cursor *cursor, enum token_kind kind)
{
    struct token *token = token_open(out, kind, cursor->at);
    size_t length;
    uint32_t letter;
    while (!is_space(letter = cursor_look(cursor, cursor->at, &length)) && length > 0) {
        if (kind == TOKEN_NAME && out->letter_count > token->at && !is_letter(letter) && !is_digit(letter) && letter != '_')
            break;
        if (kind == TOKEN_NAME)
            put_letter(out, lower_of(letter));
        cursor->at += length;
    }
    token_close(out, token, cursor->at);
}

static bool starts_with(const struct cursor *cursor, const char *text)
{
    size_t size = strlen(text);
    return cursor->size - cursor->at >= size && memcmp(cursor->bytes + cursor->at, text, size) == 0;
}

/* :-) ;D =( :'( <3 (: and their like: eyes, a nose perhaps, a mouth. Returns its length in bytes, 0 when there is none. */
static size_t emoticon_at(const struct cursor *cursor, enum token_kind *kind)
{
    const unsigned char *p = cursor->bytes + cursor->at;
    size_t left = cursor->size - cursor->at, at = 1;
    if (starts_with(cursor, "<3") || starts_with(cursor, "&lt;3")) {
        *kind = TOKEN_SMILE;
        return *p == '<' ? 2 : 5;
    }
    if (left >= 2 && (*p == '(' || *p == ')') && (p[1] == ':' || p[1] == ';' || p[1] == '=') &&
        (left == 2 || p[2] <= ' ')) {
        *kind = *p == '(' ? TOKEN_SMILE : TOKEN_FROWN;
        return 2;
    }
    if (left < 2 || !strchr(":;=", *p))
        return 0;
    if (p[at] == '-' || p[at] == '\'' || p[at] == 'o' || p[at] == '^')
        at++;
    if (at >= left || p[at] <= ' ')
        return 0;
    bool ends = at + 1 == left || p[at + 1] <= ' ' || !is_letter(p[at + 1]);
    if (strchr(")]}*", p[at]) || (strchr("DpP3", p[at]) && ends))
        *kind = TOKEN_SMILE;
    else if (strchr("([{|", p[at]) || (strchr("/\\cC@sSxX", p[at]) && ends && *p != '='))
        *kind = TOKEN_FROWN;
    else
        return 0;
    while (at + 1 < left && p[at + 1] == p[at]) /* :))) */
        at++;
    return at + 1;
}

static void read_emoticon(struct text *out, struct cursor *cursor, enum token_kind kind, size_t length)
{
    struct token *token = token_open(out, kind, cursor->at);
    cursor->at += length;
    token_close(out, token, cursor->at);
}

static void read_marks(struct text *out, struct cursor *cursor, uint32_t first, size_t length)
{
    bool symbol = is_symbol(first);
    struct token *token = token_open(out, symbol ? TOKEN_SYMBOL : TOKEN_MARKS, cursor->at);
    put_letter(out, first == 0x61f ? '?' : first == 0x2026 ? '.' : first);
    cursor->at += length;
    while (cursor_look(cursor, cursor->at, &length) == first && length > 0) {
        if (out->letter_count - token->at < 3u && !symbol)
            put_letter(out, first);
        cursor->at += length;
    }
    token_close(out, token, cursor->at);
}

/* An untagged word: known, or read letter by letter. */
static void read_any_word(struct text *out, struct cursor *cursor, struct vocabulary *vocabulary)
{
    size_t size = vocabulary ? plain_word_size(cursor) : 0;
    if (size && read_known_word(out, cursor, size, vocabulary))
        return;
    read_word(out, cursor, false);
    out->tokens[out->token_count - 1].is_plain = size > 0;
}

/* What begins with neither letter nor digit: emoticons, @names, #tags, punctuation, emoji. */
static void read_other(struct text *out, struct cursor *cursor, uint32_t letter, size_t length)
{
    enum token_kind kind = TOKEN_SMILE;
    size_t next_length, emoticon = emoticon_at(cursor, &kind);
    uint32_t next = cursor_look(cursor, cursor->at + length, &next_length);
    if (emoticon > 0) {
        read_emoticon(out, cursor, kind, emoticon);
    } else if (letter == '@' && is_letter(next)) {
        read_run(out, cursor, TOKEN_NAME);
    } else if (letter == '#' && is_letter(next) && !is_silent(next)) {
        cursor->at += length;
        read_word(out, cursor, true);
    } else {
        read_marks(out, cursor, letter, length);
    }
}

void text_read(struct text *out, struct view source)
{
    text_read_known(out, source, NULL);
}

void text_read_known(struct text *out, struct view source, struct vocabulary *vocabulary)
{
    struct cursor cursor = {(const unsigned char *)source.data,
                            source.size < TEXT_BYTES_MAX ? source.size : TEXT_BYTES_MAX, 0};
    out->letter_count = out->token_count = 0;
    while (cursor.at < cursor.size && out->token_count < TEXT_TOKENS_MAX) {
        unsigned byte = cursor.bytes[cursor.at];
        if (byte == ' ') {
            cursor.at++;
            continue;
        }
        if (ascii_class[byte] && ascii_class[byte] < 3 && byte != 'h' && byte != 'w') { /* what most texts are made of */
            read_any_word(out, &cursor, vocabulary);
            continue;
        }
        size_t length;
        uint32_t letter = cursor_look(&cursor, cursor.at, &length);
        if (is_space(letter) || is_silent(letter)) {
            cursor.at += length;
        } else if (is_letter(letter)) {
            if ((letter == 'h' || letter == 'w') &&
                (starts_with(&cursor, "http://") || starts_with(&cursor, "https://") || starts_with(&cursor, "www.")))
                read_run(out, &cursor, TOKEN_LINK);
            else
                read_any_word(out, &cursor, vocabulary);
        } else if (is_digit(letter)) {
            read_number(out, &cursor);
        } else {
            read_other(out, &cursor, letter, length);
        }
    }
}

struct word_list word_list_read(const char *spelling)
{
    struct word_list list = {.count = 0};
    struct text text;
    text_read(&text, view_of_text(spelling));
    if (text.token_count > WORD_LIST_MAX)
        abort();
    while (list.count < text.token_count) {
        list.items[list.count] = text.tokens[list.count].hash;
        list.count++;
    }
    return list;
}
