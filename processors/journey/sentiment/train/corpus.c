#include "processors/journey/sentiment/train/corpus.h"

#include "base/hash.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum source_id { AIRLINE, VADER_TWEETS, VADER_AMAZON, UMSAB_FIRST, TRUSTPILOT = UMSAB_FIRST + 8, YELP, OLIST, RYANAIR, TWEETEVAL, GERMEVAL, GARDEN };

static const char *const umsab_languages[8] = {"english", "german", "french", "italian",
                                               "portuguese", "spanish", "arabic", "hindi"};

const struct source corpus_sources[] = {
    [AIRLINE] = {"airline", SOURCE_TRAINS, 3, 1.0f, "VADER .49 (F1 .46), naive Bayes .78 (.69), SVM .79"},
    [VADER_TWEETS] = {"vader tweets", SOURCE_TRAINS, 3, 1.0f, ""},
    [VADER_AMAZON] = {"vader amazon", SOURCE_TRAINS, 3, 1.0f, ""},
    [UMSAB_FIRST] = {"umsab en", SOURCE_TRAINS, 3, 1.0f, "F1: fastText .51, XLM-T .71"},
    {"umsab de", SOURCE_TRAINS, 3, 1.0f, "F1: fastText .60, XLM-T .77"},
    {"umsab fr", SOURCE_TRAINS, 3, 1.0f, "F1: fastText .55, XLM-T .71"},
    {"umsab it", SOURCE_TRAINS, 3, 1.0f, "F1: fastText .55, XLM-T .69"},
    {"umsab pt", SOURCE_TRAINS, 3, 1.0f, "F1: fastText .55, XLM-T .75"},
    {"umsab es", SOURCE_TRAINS, 3, 1.0f, "F1: fastText .50, XLM-T .68"},
    {"umsab ar", SOURCE_TRAINS, 3, 1.0f, ""},
    {"umsab hi", SOURCE_JUDGES, 3, 0, "labels barely better than chance: XLM-T itself .56"},
    [TRUSTPILOT] = {"trustpilot", SOURCE_TRAINS, 3, 2.0f, ""},
    [YELP] = {"yelp", SOURCE_JUDGES, 2, 0, "VADER .73"},
    [OLIST] = {"olist pt", SOURCE_JUDGES, 2, 0, "naive Bayes .85, trained on it"},
    [RYANAIR] = {"ryanair", SOURCE_JUDGES, 2, 0, ""},
    [TWEETEVAL] = {"tweeteval", SOURCE_JUDGES, 3, 0, ""},
    [GERMEVAL] = {"germeval de", SOURCE_JUDGES, 3, 0, ""},
    [GARDEN] = {"garden nps fr", SOURCE_JUDGES, 2, 0, ""},
};
const int corpus_source_count = sizeof corpus_sources / sizeof *corpus_sources;

static struct view file_read(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return (struct view){0};
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = malloc((size_t)size + 1); /* lives as long as the program: samples borrow */
    size_t got = data ? fread(data, 1, (size_t)size, file) : 0;
    fclose(file);
    return view_of(data, got);
}

/* One field of a separated line, quotes undone in place. False at the end of the data; *last: it ended its record. */
static bool field_next(char **at, char *end, char separator, struct view *field, bool *last)
{
    char *from = *at, *to = from;
    if (from >= end)
        return false;
    if (*from == '"' && separator == ',') {
        char *read = from + 1;
        to = from;
        while (read < end && (*read != '"' || (read + 1 < end && read[1] == '"'))) {
            read += *read == '"';
            *to++ = *read++;
        }
        *field = view_of(from, (size_t)(to - from));
        to = read + 1;
    } else {
        while (to < end && *to != separator && *to != '\n')
            to++;
        size_t size = (size_t)(to - from);
        *field = view_of(from, size - (size > 0 && from[size - 1] == '\r'));
    }
    if (to < end && *to == '\r')
        to++;
    *last = to >= end || *to == '\n';
    *at = to + 1;
    return true;
}

enum { FIELDS_MAX = 32 };

static bool record_next(char **at, char *end, char separator, struct view *fields)
{
    bool last = false;
    memset(fields, 0, FIELDS_MAX * sizeof *fields);
    for (int i = 0; !last; i++) {
        struct view field;
        if (!field_next(at, end, separator, &field, &last))
            return i > 0;
        if (i < FIELDS_MAX)
            fields[i] = field;
    }
    return true;
}

static double number_of(struct view text)
{
    char copy[32];
    snprintf(copy, sizeof copy, "%.*s", VIEW_ARGUMENTS(text));
    return text.size ? strtod(copy, NULL) : NAN;
}

static struct sample *sample_add(struct corpus *corpus, enum source_id source, struct view text, int label)
{
    if (text.size < 2)
        return NULL;
    if ((corpus->count & (corpus->count - 1)) == 0)
        corpus->samples = realloc(corpus->samples, (corpus->count ? 2 * corpus->count : 1) * sizeof(struct sample));
    struct sample *sample = &corpus->samples[corpus->count++];
    *sample = (struct sample){.text = text, .source = source, .label = (enum sentiment_class)label,
                              .weight = corpus_sources[source].weight};
    for (int class = 0; class < 3; class ++)
        sample->target[class] = class == label;
    return sample;
}

static int label_of_word(struct view word)
{
    return view_equal_text(word, "negative") ? SENTIMENT_NEGATIVE
           : view_equal_text(word, "positive") ? SENTIMENT_POSITIVE
                                               : SENTIMENT_NEUTRAL;
}

/* Where raters agreed by 0.67 only, a sixth of the probability goes to the two other classes. */
static void airline_read(struct corpus *corpus, const char *folder)
{
    struct view file = file_read(folder, "airline_tweets/open/Tweets.csv"), fields[FIELDS_MAX];
    char *at = (char *)(uintptr_t)file.data, *end = at + file.size;
    for (bool head = true; record_next(&at, end, ',', fields); head = false) {
        struct sample *sample = head ? NULL : sample_add(corpus, AIRLINE, fields[8], label_of_word(fields[1]));
        float sure = (1 + (float)number_of(fields[2])) / 2;
        for (int class = 0; sample && class < 3; class ++)
            sample->target[class] = class == (int)sample->label ? sure : (1 - sure) / 2;
    }
}

/* Mean ratings -4 … 4: up to half a point is neutral, less and less surely so from a quarter on; from three quarters on
 * the sign is sure. */
static void rated_read(struct corpus *corpus, const char *folder, const char *name, enum source_id source)
{
    struct view file = file_read(folder, name), fields[FIELDS_MAX];
    char *at = (char *)(uintptr_t)file.data, *end = at + file.size;
    while (record_next(&at, end, '\t', fields)) {
        double rating = number_of(fields[1]);
        int sign = rating < 0 ? SENTIMENT_NEGATIVE : SENTIMENT_POSITIVE;
        struct sample *sample = sample_add(corpus, source, fields[2], fabs(rating) < 0.5 ? SENTIMENT_NEUTRAL : sign);
        if (!sample)
            continue;
        memset(sample->target, 0, sizeof sample->target);
        sample->target[SENTIMENT_NEUTRAL] = (float)fmax(0, fmin(1, 1.5 - 2 * fabs(rating)));
        sample->target[sign] = 1 - sample->target[SENTIMENT_NEUTRAL];
    }
}

/* Labels without a word on how sure they are: tweets' raters agree on about nine in ten. */
static void sample_blur(struct sample *sample)
{
    for (int class = 0; sample && class < 3; class ++)
        sample->target[class] = 0.85f * sample->target[class] + 0.05f;
}

static void lines_read(struct corpus *corpus, const char *folder, const char *stem, enum source_id source)
{
    char name[128];
    snprintf(name, sizeof name, "%s_text.txt", stem);
    struct view texts = file_read(folder, name), text_fields[FIELDS_MAX], label_fields[FIELDS_MAX];
    snprintf(name, sizeof name, "%s_labels.txt", stem);
    struct view labels = file_read(folder, name);
    char *text_at = (char *)(uintptr_t)texts.data, *text_end = text_at + texts.size;
    char *label_at = (char *)(uintptr_t)labels.data, *label_end = label_at + labels.size;
    while (record_next(&text_at, text_end, '\n', text_fields) && record_next(&label_at, label_end, '\n', label_fields))
        sample_blur(sample_add(corpus, source, text_fields[0], label_fields[0].data[0] - '0'));
}

/* Files of stars or points: below `bad` negative, above `good` positive, between neutral (left out of two-class sets). */
struct starred {
    const char *name;
    enum source_id source;
    char separator;
    int text_field, stars_field;
    double bad, good;
};

static void starred_read(struct corpus *corpus, const char *folder, const struct starred *set)
{
    struct view file = file_read(folder, set->name), fields[FIELDS_MAX];
    char *at = (char *)(uintptr_t)file.data, *end = at + file.size;
    while (record_next(&at, end, set->separator, fields)) {
        double stars = number_of(fields[set->stars_field]);
        if (isnan(stars) || view_equal_text(fields[set->text_field], "NA") ||
            !strchr("0123456789", fields[set->stars_field].data[0]))
            continue;
        int label = stars < set->bad ? SENTIMENT_NEGATIVE : stars > set->good ? SENTIMENT_POSITIVE : SENTIMENT_NEUTRAL;
        if (label != SENTIMENT_NEUTRAL || corpus_sources[set->source].classes == 3)
            sample_add(corpus, set->source, fields[set->text_field], label);
    }
}

static const struct starred starred_sets[] = {
    {"trustpilot_travel/trustpilot_reviews.csv", TRUSTPILOT, ',', 4, 2, 3, 3},
    {"uci_sentences/yelp_labelled.txt", YELP, '\t', 0, 1, 0.5, 0.5},
    {"olist_subset/open/olist_order_reviews_dataset.csv", OLIST, ',', 4, 2, 3, 3},
    {"ryanair_reviews/ryanair_reviews.csv", RYANAIR, ',', 6, 2, 5, 6},
    {"nps_garden_store_fr/open/nps.csv", GARDEN, ',', 5, 2, 7, 8},
};

static void germeval_read(struct corpus *corpus, const char *folder)
{
    struct view file = file_read(folder, "germeval2017/dev.tsv"), fields[FIELDS_MAX];
    char *at = (char *)(uintptr_t)file.data, *end = at + file.size;
    for (bool head = true; record_next(&at, end, '\t', fields); head = false)
        if (!head)
            sample_add(corpus, GERMEVAL, fields[4], label_of_word(fields[2]));
}

/* The same text whatever its case, spaces and marks. */
static uint32_t gist_of(struct view text)
{
    char letters[512];
    size_t count = 0;
    for (size_t i = 0; i < text.size && count < sizeof letters; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte >= 0x80 || isalnum(byte))
            letters[count++] = (char)tolower(byte);
    }
    return hash_murmur2(view_of(letters, count));
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Most of tweeteval is in umsab too: what training has seen must not judge. Doubles also share a fold. */
static void doubles_part(struct corpus *corpus)
{
    uint32_t *trained = malloc((corpus->count + 1) * sizeof *trained);
    size_t trained_count = 0, kept = 0;
    for (size_t i = 0; i < corpus->count; i++)
        if (corpus_sources[corpus->samples[i].source].use == SOURCE_TRAINS)
            trained[trained_count++] = gist_of(corpus->samples[i].text);
    qsort(trained, trained_count, sizeof *trained, by_number);
    for (size_t i = 0; i < corpus->count; i++) {
        struct sample *sample = &corpus->samples[i];
        uint32_t gist = gist_of(sample->text);
        sample->fold = (int)(hash_mix(gist) % CORPUS_FOLDS);
        if (corpus_sources[sample->source].use == SOURCE_TRAINS ||
            !bsearch(&gist, trained, trained_count, sizeof *trained, by_number))
            corpus->samples[kept++] = *sample;
    }
    corpus->count = kept;
    free(trained);
}

bool corpus_read(struct corpus *out, const char *folder)
{
    *out = (struct corpus){0};
    airline_read(out, folder);
    rated_read(out, folder, "vader_icwsm2014/tweets_GroundTruth.txt", VADER_TWEETS);
    rated_read(out, folder, "vader_icwsm2014/amazonReviewSnippets_GroundTruth.txt", VADER_AMAZON);
    for (int i = 0; i < 8; i++) {
        char stem[64];
        snprintf(stem, sizeof stem, "umsab/%s/train", umsab_languages[i]);
        lines_read(out, folder, stem, (enum source_id)(UMSAB_FIRST + i));
        snprintf(stem, sizeof stem, "umsab/%s/val", umsab_languages[i]);
        lines_read(out, folder, stem, (enum source_id)(UMSAB_FIRST + i));
    }
    lines_read(out, folder, "tweeteval_sentiment/val", TWEETEVAL);
    for (size_t i = 0; i < sizeof starred_sets / sizeof *starred_sets; i++)
        starred_read(out, folder, &starred_sets[i]);
    germeval_read(out, folder);
    doubles_part(out);
    return out->count > 0;
}
