#include "processors/journey/sentiment/never.h"

#include <pthread.h>

/* `nevers` deny; a word of `degrees` behind one compares with all that was before. Not «more»: nie mehr, plus jamais and nunca más are the end of
 * something. Nor «better»: the model knows «never better» and «never worse», and figures fell with them. */
static const struct {
    const char *nevers, *degrees;
} spellings[] = {
    {"never", "so such"},
    {"nie niemals", "so solch solche solchen solcher solches"},
    {"jamais", "aussi si autant tel telle pareil pareille"},
    {"mai", "così cosi tanto tanta simile"},
    {"nunca jamás jamas", "tan tanto tanta semejante"},
    {"nunca jamais", "tão tao tanto tanta tamanho tamanha"},
};

enum { LANGUAGES = sizeof spellings / sizeof *spellings };

static struct {
    struct word_list nevers, degrees;
} words[LANGUAGES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void)
{
    for (size_t i = 0; i < LANGUAGES; i++) {
        words[i].nevers = word_list_read(spellings[i].nevers);
        words[i].degrees = word_list_read(spellings[i].degrees);
    }
}

size_t never_reaches(const struct text *text, size_t negator, size_t until)
{
    pthread_once(&once, build);
    size_t end = until < text->token_count ? until : text->token_count;
    for (size_t i = 0; i < LANGUAGES; i++) {
        if (!word_list_has(&words[i].nevers, text->tokens[negator].hash))
            continue;
        for (size_t at = negator + 1; at < end; at++)
            end = word_list_has(&words[i].degrees, text->tokens[at].hash) ? at : end;
    }
    return end < text->token_count ? end : until;
}
