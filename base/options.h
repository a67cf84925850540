/* Command-line options of one command: a table that yields parsing, errors and --help.
 * `--name value`, `--name=value`; everything else is an argument; `--` ends the options. */
#ifndef TS_BASE_OPTIONS_H
#define TS_BASE_OPTIONS_H

#include "base/bytes.h"
#include "base/settings.h"

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char *, borrowed from argv */
    OPTION_INTEGER,  /* int64_t; "10k", "5M" are understood */
    OPTION_DECIMAL,  /* double */
    OPTION_DURATION, /* int64_t, ms: "400d", "10s" */
};

struct option {
    const char *name;     /* "--rebase" */
    enum option_kind kind;
    void *into;           /* keeps its value when the option is absent */
    const char *value;    /* how help calls the value: "FILE" */
    const char *about;
};

#define OPTIONS_END {.name = NULL}

/* What an int64_t begins with where every number that people may give means something. */
#define NOT_GIVEN INT64_MIN

/* false: `error` is a complete line for the user (unknown option with the nearest one, missing or wrong value).
 * `arguments` becomes the front of argv, from which what was understood has gone: nothing to free. NULL when the command takes none. */
bool options_parse(int argc, char **argv, const struct option *options, struct text_list *arguments, struct bytes *error);

void options_help(const struct option *options, struct bytes *out);

#endif
