#include "processors/journey/sentiment/signals.h"

#include "processors/journey/sentiment/names.h"
#include "processors/journey/sentiment/vocabulary.h"

#include <pthread.h>
#include <stdlib.h>

/* All lists in one dictionary: a text is looked through once, whoever asks. Kinds of each list begin at its base. */
enum { ALARM_BASE = TOPIC_COUNT, CUE_BASE = ALARM_BASE + ALARM_COUNT };

static struct dictionary dictionary;
static pthread_once_t once = PTHREAD_ONCE_INIT; /* not C11's call_once, which ThreadSanitizer does not understand */

static void build(void)
{
    if (!dictionary_add(&dictionary, topic_lists, topic_list_count, 0) ||
        !dictionary_add(&dictionary, alarm_lists, alarm_list_count, ALARM_BASE) ||
        !dictionary_add(&dictionary, cue_lists, cue_list_count, CUE_BASE))
        abort(); /* a typing error in one of the lists */
}

struct search {
    struct signals *signals;
    const struct text *text;
    struct view source;
};

static void found(void *context, int kind, struct view matched)
{
    const struct search *search = context;
    struct signals *signals = search->signals;
    if (kind < ALARM_BASE) {
        signals->topics |= 1u << kind;
        return;
    }
    if (kind >= CUE_BASE) {
        signals->cues |= 1u << (kind - CUE_BASE);
        return;
    }
    if (names_is_name(search->text, search->source, (size_t)(matched.data - search->source.data)))
        return;
    struct alarms *alarms = &signals->alarms;
    if (!(alarms->kinds & 1u << (kind - ALARM_BASE)))
        alarms->matched[kind - ALARM_BASE] = matched;
    alarms->kinds |= 1u << (kind - ALARM_BASE);
}

void signals_find(struct signals *out, const struct text *text, struct view source)
{
    *out = (struct signals){0};
    pthread_once(&once, build);
    dictionary_search(&dictionary, text, source, found, &(struct search){out, text, source});
}

bool signals_beginning(const struct text *text, const struct token *token, uint16_t *out, size_t *count)
{
    pthread_once(&once, build);
    return dictionary_beginning(&dictionary, text, token, out, WORD_PHRASES_MAX, count);
}

void signals_read(struct signals *out, struct view source)
{
    struct text text;
    text_read(&text, source);
    signals_find(out, &text, source);
}
