/* Every command of the program, in the order in which help lists them. */
#include "app/app.h"

#include <stdio.h>

static int settings_command(struct app *app, int argc, char **argv)
{
    (void)app;
    if (!app_parse_options("settings", argc, argv, (struct option[]){OPTIONS_END}, NULL))
        return EXIT_USAGE;
    struct bytes text = {0};
    config_describe(&text);
    fwrite(text.data, 1, text.size, stdout);
    bytes_finish(&text);
    return EXIT_FINE;
}

const struct command commands[] = {
    {"settings", "", "prints the reference page of all settings (docs/CONFIGURATION.md)", NULL, settings_command, NULL},
    {NULL}};
