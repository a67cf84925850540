#include "processors/journey/sentiment/sentiment.h"

#include "processors/journey/sentiment/model.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The model's bytes, in the program itself: one file to install, pages shared by all processes, nothing to go missing.
 * The path is set by CMakeLists.txt, which also rebuilds this file when the model changes. */
__asm__(".section .rodata\n"
        ".balign 64\n"
        "sentiment_model_begin:\n"
        ".incbin \"" SENTIMENT_MODEL_PATH "\"\n"
        "sentiment_model_end:\n"
        ".previous\n");
extern const char sentiment_model_begin[], sentiment_model_end[];

/* A few additions and comparisons: cheaper than remembering safely that it is open. */
static struct model embedded(void)
{
    struct model model;
    if (!model_open(&model, view_of(sentiment_model_begin, (size_t)(sentiment_model_end - sentiment_model_begin))))
        abort(); /* built from a broken file: the unit tests would not pass */
    return model;
}

void sentiment_of(struct sentiment *out, const struct text *text)
{
    struct model model = embedded();
    model_judge(&model, text, out);
}

void sentiment_weigh(struct word *out, const struct text *text, const struct token *token)
{
    struct model model = embedded();
    model_weigh(&model, text, token, out);
}

void sentiment_read(struct sentiment *out, struct view text)
{
    struct model model = embedded();
    model_read(&model, text, out);
}

const char *sentiment_class_name(enum sentiment_class label)
{
    static const char *const names[] = {"NEGATIVE", "NEUTRAL", "POSITIVE"};
    return names[label];
}

/* The model's own says nothing of how texts are read for it (features.c, lexicon.c, never.c, judge.c): whoever changes that counts on. */
enum { READING = 5 };

static char version[40];
static pthread_once_t version_once = PTHREAD_ONCE_INIT;

static void version_make(void)
{
    snprintf(version, sizeof version, "%s.%d", embedded().header->version, READING);
}

const char *sentiment_version(void)
{
    pthread_once(&version_once, version_make);
    return version;
}
