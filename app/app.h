/* What every command is given, and the table they stand in. */
#ifndef TS_APP_APP_H
#define TS_APP_APP_H

#include "app/config.h"
#include "base/options.h"

#include <stdatomic.h>

enum exit_code { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct app {
    const char *config_path; /* NULL: defaults and environment only */
    struct config config;
    atomic_bool stop; /* set by SIGTERM and SIGINT: finish, commit, leave */
};

struct command {
    const char *name;
    const char *arguments; /* "FILE… [options]" */
    const char *summary;   /* one line */
    const char *details;   /* for `touchstream COMMAND --help`; may be NULL */
    /* argv without the program and the command. `--config`, `--log` and `--log-level` are taken already. */
    int (*run)(struct app *app, int argc, char **argv);
    const struct option *(*options)(void); /* for --help; may be NULL */
};

extern const struct command commands[]; /* ends with name NULL */

/* Parses, prints the complaint and says so: false → return EXIT_USAGE. */
bool app_parse_options(const char *command, int argc, char **argv, const struct option *options,
                       struct text_list *arguments);

/* For who was told to end before the work was done: says what was not done, and answers EXIT_FINE, for being told to end is no failure
 * (docs/CHANGES.md). */
int app_stopped_early(const char *command, const char *not_done);

#endif
