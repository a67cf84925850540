#include "processors/journey/sentiment/judge.h"

#include "processors/journey/sentiment/phrases.h"

#include <stdlib.h>

/* What a word is worth to each reader, asked the slow way once. A word that begins too many phrases is left as it is. */
static void word_learn(struct vocabulary *vocabulary, const struct text *text, struct token *token, struct view source)
{
    uint16_t phrases[WORD_PHRASES_MAX];
    size_t phrase_count, size = (size_t)(token->byte_end - token->byte_at);
    const unsigned char *bytes = (const unsigned char *)source.data + token->byte_at;
    token->word = vocabulary_find(vocabulary, bytes, size); /* it stood in this text before */
    if (token->word || !signals_beginning(text, token, phrases, &phrase_count))
        return;
    struct word *word = vocabulary_add(vocabulary, bytes, size);
    if (word == NULL)
        return;
    word->hash = token->hash;
    word->letter_count = (uint8_t)token->length;
    word->shouted = token->shouted;
    word->stretched = token->stretched;
    for (size_t i = 0; i < token->length; i++)
        word->letters[i] = (uint16_t)text->letters[token->at + i];
    word->phrase_count = (uint8_t)phrase_count;
    memcpy(word->phrases, phrases, phrase_count * sizeof *phrases);
    sentiment_weigh(word, text, token);
    token->word = word;
}

enum { FEW_TOKENS = 10 };

/* «Could be better», «je ne suis pas du tout satisfait»: the words add up to the contrary. In a few words the phrase is what is said; in longer texts there is
 * more to go by. How often such a label is right was counted on what few there are in the public sets. */
static void take_at_their_word(struct sentiment *sentiment, const struct text *text)
{
    static const double sure = 0.7;
    enum sentiment_class says;
    if (text->token_count > FEW_TOKENS || !phrases_say(text, &says) || says == sentiment->label)
        return;
    sentiment->label = says;
    sentiment->score = says == SENTIMENT_NEGATIVE ? -0.5 : says == SENTIMENT_POSITIVE ? 0.5 : 0;
    sentiment->confidence = sure;
}

/* «I will sue you», «The battery caught fire», «Plus jamais»: few words, none of them a judgement, are often taken for faintly positive. Who speaks of
 * leaving, law or danger in so few is not pleased, so what spoke for it speaks against it. In longer texts there is more to go by: turned over like this, more of the public
 * ones were judged wrongly than rightly. */
static void take_seriously(struct sentiment *sentiment, const struct text *text, const struct alarms *alarms)
{
    static const double faint = 0.6;
    if (alarms->kinds == 0 || text->token_count > FEW_TOKENS || sentiment->label != SENTIMENT_POSITIVE || sentiment->confidence >= faint)
        return;
    sentiment->label = SENTIMENT_NEGATIVE;
    sentiment->score = -sentiment->score;
}

void text_judge(struct vocabulary *vocabulary, struct view source, struct sentiment *sentiment, struct signals *signals)
{
    struct text text;
    if (vocabulary)
        vocabulary_turn(vocabulary);
    text_read_known(&text, source, vocabulary);
    for (size_t i = 0; vocabulary && i < text.token_count; i++) {
        if (text.tokens[i].is_plain && text.tokens[i].word == NULL)
            word_learn(vocabulary, &text, &text.tokens[i], source);
    }
    sentiment_of(sentiment, &text);
    take_at_their_word(sentiment, &text);
    signals_find(signals, &text, source);
    take_seriously(sentiment, &text, &signals->alarms);
}

int sentiment_command(FILE *in, FILE *out)
{
    struct vocabulary *vocabulary = vocabulary_create();
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, in)) >= 0) {
        struct sentiment sentiment;
        struct signals signals;
        text_judge(vocabulary, view_of(line, (size_t)size - (size > 0 && line[size - 1] == '\n')), &sentiment, &signals);
        fprintf(out, "%s\t%.4f\t%.4f\n", sentiment_class_name(sentiment.label), sentiment.score, sentiment.confidence);
    }
    free(line);
    vocabulary_destroy(vocabulary);
    return ferror(in) || fflush(out) != 0 ? 1 : 0;
}
