#include "processors/journey/sentiment/names.h"

#include <pthread.h>

/* Who does it, or will; and to whom. */
static const char name_spelling[] = "sue";
static const char before_spelling[] =
    "i we you they will would can could may might must shall should to gonna i'll we'll they'll i'd we'd i'm we're let's lets ill "
    "cannot can't won't don't didn't wouldn't shouldn't couldn't people customers and or ever even just";
static const char behind_spelling[] = "you them him her us your for over everyone everybody";

enum { BEFORE_REACH = 2 };

static struct word_list names, before, behind;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void)
{
    names = word_list_read(name_spelling);
    before = word_list_read(before_spelling);
    behind = word_list_read(behind_spelling);
}

static bool is_word_among(const struct token *token, const struct word_list *list)
{
    return token->kind == TOKEN_WORD && word_list_has(list, token->hash);
}

/* A sentence begins with a capital, whatever the word. */
static bool begins_sentence(const struct text *text, struct view source, size_t at)
{
    if (at == 0)
        return true;
    const struct token *last = &text->tokens[at - 1];
    bool is_end = last->kind == TOKEN_MARKS && memchr(".!?:\"(", (int)(text->letters[last->at] & 0x7f), 6);
    return is_end || memchr(source.data + last->byte_end, '\n', (size_t)(text->tokens[at].byte_at - last->byte_end));
}

static bool somebody_does(const struct text *text, size_t at)
{
    for (size_t back = 1; back <= BEFORE_REACH && back <= at && text->tokens[at - back].kind == TOKEN_WORD; back++) {
        if (is_word_among(&text->tokens[at - back], &before))
            return true;
    }
    return at + 1 < text->token_count && is_word_among(&text->tokens[at + 1], &behind);
}

bool names_is_name(const struct text *text, struct view source, size_t byte_at)
{
    pthread_once(&once, build);
    size_t at = 0;
    while (at < text->token_count && text->tokens[at].byte_at != byte_at)
        at++;
    if (at == text->token_count || !is_word_among(&text->tokens[at], &names))
        return false;
    char first = source.data[byte_at];
    bool is_capital = first >= 'A' && first <= 'Z' && !text->tokens[at].shouted;
    return (is_capital && !begins_sentence(text, source, at)) || !somebody_does(text, at);
}
