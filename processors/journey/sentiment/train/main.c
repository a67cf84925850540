/* sentiment-train DATA LEXICON MODEL: train on the licensed sets below DATA and write the model's bytes.
 *
 * The version is the format's number and a fingerprint of the bytes: whoever trains again can see whether it is the same. */
#include "processors/journey/sentiment/train/fit.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

static bool file_write(const char *path, struct view bytes)
{
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
    return file && fclose(file) == 0 && good;
}

int main(int count, char **arguments)
{
    struct corpus corpus;
    struct fit_data data;
    if (count != 4) {
        fprintf(stderr, "usage: %s DATA LEXICON MODEL\n", arguments[0]);
        return 2;
    }
    if (!corpus_read(&corpus, arguments[1]) || !fit_data_read(&data, &corpus, arguments[2])) {
        fprintf(stderr, "%s: no labelled texts below %s\n", arguments[0], arguments[1]);
        return 1;
    }
    bool *use = calloc(corpus.count, 1);
    size_t used = 0;
    for (size_t i = 0; i < corpus.count; i++)
        used += use[i] = corpus_sources[corpus.samples[i].source].use == SOURCE_TRAINS;
    struct view model = fit_model_calibrated(&data, use, &fit_standard);
    struct model_header *header = (struct model_header *)(uintptr_t)model.data;
    snprintf(header->version, sizeof header->version, "2-%08x", hash_murmur2(model));
    if (!file_write(arguments[3], model)) {
        perror(arguments[3]);
        return 1;
    }
    printf("%s: version %s, %zu texts, %zu bytes, share %.3f, sharpness", arguments[3], header->version, used, model.size,
           (double)header->share);
    for (int sight = 0; sight < SIGHT_COUNT; sight++)
        printf(" %+.2f", (double)header->sharpness[sight]);
    printf("\n");
    return 0;
}
