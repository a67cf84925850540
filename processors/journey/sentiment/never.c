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

enum { LANGUAGES = sizeof spellings / sizeof *spellings, NEVERS_MAX = 3, DEGREES_MAX = 16 };

static struct {
    uint32_t nevers[NEVERS_MAX], degrees[DEGREES_MAX];
    size_t never_count, degree_count;
} words[LANGUAGES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void build(void)
{
    for (size_t i = 0; i < LANGUAGES; i++) {
        words[i].never_count = text_hashes(spellings[i].nevers, words[i].nevers, NEVERS_MAX);
        words[i].degree_count = text_hashes(spellings[i].degrees, words[i].degrees, DEGREES_MAX);
    }
}

static bool is_among(uint32_t hash, const uint32_t *hashes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hashes[i] == hash)
            return true;
    }
    return false;
}

size_t never_reaches(const struct text *text, size_t negator, size_t until)
{
    pthread_once(&once, build);
    size_t end = until < text->token_count ? until : text->token_count;
    for (size_t i = 0; i < LANGUAGES; i++) {
        if (!is_among(text->tokens[negator].hash, words[i].nevers, words[i].never_count))
            continue;
        for (size_t at = negator + 1; at < end; at++)
            end = is_among(text->tokens[at].hash, words[i].degrees, words[i].degree_count) ? at : end;
    }
    return end < text->token_count ? end : until;
}
