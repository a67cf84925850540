#include "app/sentiment.h"

#include "processors/journey/sentiment/judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int sentiment_file_command(struct app *app, int argc, char **argv)
{
    struct text_list arguments = {0};
    if (!app_parse_options("sentiment", argc, argv, (struct option[]){OPTIONS_END}, &arguments))
        return EXIT_USAGE;
    if (arguments.count > 1) {
        fprintf(stderr, "touchstream sentiment: wants one file at most (touchstream sentiment --help)\n");
        return EXIT_USAGE;
    }
    bool from_file = arguments.count == 1 && strcmp(arguments.items[0], "-") != 0;
    FILE *in = from_file ? fopen(arguments.items[0], "r") : stdin;
    if (!in) {
        fprintf(stderr, "touchstream sentiment: %s: %s\n", arguments.items[0], strerror(errno));
        return EXIT_FAILED;
    }
    errno = 0;
    int status = sentiment_command(in, stdout), why = errno;
    if (status && ferror(in) && !atomic_load(&app->stop))
        fprintf(stderr, "touchstream sentiment: %s: %s\n", from_file ? arguments.items[0] : "standard input", strerror(why));
    if (from_file)
        fclose(in);
    return status == 0 || atomic_load(&app->stop) ? EXIT_FINE : EXIT_FAILED;
}
