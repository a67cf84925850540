#include "processors/journey/sentiment/phrases.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of those that are said in one sense alone; «peut mieux faire» and «if it could be any better» are not. */
static const struct {
    enum sentiment_class says;
    const char *phrases; /* with | between them */
} spellings[] = {
    {SENTIMENT_NEGATIVE,
     "could be better|could be a lot better|could be much better|could have been better|expected better|expected more|"
     "far from perfect|far from good|far from satisfied|much to be desired|a lot to be desired|anything but good|"
     "anything but satisfied|less than satisfied|less than impressed|nowhere near good|not at all satisfied|not at all happy|"
     "not at all helpful|couldn't be worse|could not be worse"},
    {SENTIMENT_NEGATIVE,
     "könnte besser sein|könnte besser|hätte besser sein können|geht auch besser|zu wünschen übrig|alles andere als gut|"
     "alles andere als toll|alles andere als zufrieden"},
    {SENTIMENT_NEGATIVE,
     "pas du tout satisfait|pas du tout satisfaite|pas du tout satisfaits|pas du tout satisfaites|pas du tout content|"
     "pas du tout contente|pas du tout contents|pourrait être mieux|pourrait être meilleur|pourrait être meilleure|"
     "pourrait mieux faire|laisse à désirer|laissent à désirer"},
    {SENTIMENT_NEGATIVE,
     "potrebbe essere meglio|potrebbe essere migliore|si può fare di meglio|per niente soddisfatto|per niente soddisfatta|"
     "per niente contento|per niente contenta|a desiderare"},
    {SENTIMENT_NEGATIVE,
     "podría ser mejor|podria ser mejor|podría mejorar|nada satisfecho|nada satisfecha|nada contento|nada contenta|"
     "mucho que desear|bastante que desear"},
    {SENTIMENT_NEGATIVE,
     "poderia ser melhor|podia ser melhor|pode melhorar|nada satisfeito|nada satisfeita|nem um pouco satisfeito|"
     "nem um pouco satisfeita|deixa a desejar|deixou a desejar"},
    {SENTIMENT_NEUTRAL,
     "could be worse|could have been worse|könnte schlechter sein|könnte schlimmer sein|pourrait être pire|potrebbe andare peggio|"
     "podría ser peor|poderia ser pior"},
    {SENTIMENT_POSITIVE,
     "couldn't be better|could not be better|couldn't have been better|could not have been better|can't complain|cannot complain|"
     "nothing to complain|couldn't be happier|could not be happier|couldn't ask for more|not bad at all|not far from perfect|"
     "not far from good"},
    {SENTIMENT_POSITIVE,
     "könnte nicht besser sein|besser geht es nicht|besser geht's nicht|nicht meckern|nichts auszusetzen|nichts zu meckern|"
     "gar nicht schlecht|nichts zu wünschen übrig"},
    {SENTIMENT_POSITIVE,
     "peut pas mieux|rien à redire|pas mal du tout"},
    {SENTIMENT_POSITIVE,
     "non potrebbe essere meglio|niente da ridire|non mi lamento|nulla a desiderare|niente a desiderare"},
    {SENTIMENT_POSITIVE,
     "no podría ser mejor|no puedo quejarme|no me puedo quejar|nada que objetar"},
    {SENTIMENT_POSITIVE,
     "não poderia ser melhor|não tenho do que reclamar|nada a reclamar|não deixa a desejar|não deixou a desejar|nao deixa a desejar"},
};

enum { PHRASES_MAX = 128, SPELLING_MAX = 64, FIRSTS = 1024 };

static struct {
    struct phrase {
        struct word_list words;
        enum sentiment_class says;
    } items[PHRASES_MAX];
    size_t count;
    uint64_t firsts[FIRSTS / 64]; /* may a word of this hash begin one? */
} phrases;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void add(const char *spelling, size_t size, enum sentiment_class says)
{
    char text[SPELLING_MAX];
    if (phrases.count == PHRASES_MAX || size >= sizeof text)
        abort(); /* an error in the list */
    snprintf(text, sizeof text, "%.*s", (int)size, spelling);
    struct phrase *phrase = &phrases.items[phrases.count++];
    *phrase = (struct phrase){word_list_read(text), says};
    uint32_t first = phrase->words.items[0] % FIRSTS;
    phrases.firsts[first / 64] |= (uint64_t)1 << first % 64;
}

static void build(void)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        for (const char *at = spellings[i].phrases; *at;) {
            size_t size = strcspn(at, "|");
            add(at, size, spellings[i].says);
            at += size + (at[size] != '\0');
        }
}

static bool stands_at(const struct phrase *phrase, const struct text *text, size_t at)
{
    size_t i = 0;
    while (i < phrase->words.count && at + i < text->token_count && text->tokens[at + i].hash == phrase->words.items[i])
        i++;
    return i == phrase->words.count;
}

/* The longest, so that «não poderia ser melhor» is not what is in it; the next word begins behind it. */
static const struct phrase *longest_at(const struct text *text, size_t at)
{
    const struct phrase *longest = NULL;
    uint32_t first = text->tokens[at].hash % FIRSTS;
    if ((phrases.firsts[first / 64] >> first % 64 & 1) == 0)
        return NULL;
    for (size_t i = 0; i < phrases.count; i++)
        if (stands_at(&phrases.items[i], text, at) && (longest == NULL || phrases.items[i].words.count > longest->words.count))
            longest = &phrases.items[i];
    return longest;
}

bool phrases_say(const struct text *text, enum sentiment_class *out)
{
    bool is_said = false;
    pthread_once(&once, build);
    for (size_t at = 0; at < text->token_count;) {
        const struct phrase *phrase = longest_at(text, at);
        if (phrase) {
            *out = phrase->says;
            is_said = true;
        }
        at += phrase ? phrase->words.count : 1;
    }
    return is_said;
}
