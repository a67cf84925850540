/* Settings: one row each, beside the code they belong to; the row yields parsing, bounds, environment overrides,
 * errors that name file, line and key, and the reference page docs/CONFIGURATION.md.
 *
 *     struct sla_config { int64_t first_reply_ms; };
 *     const struct setting sla_settings[] = {
 *         SETTING_DURATION(struct sla_config, first_reply_ms, "sla.first_reply", .standard = HOURS(2),
 *                          .least = SECONDS(1), .most = DAYS(30), .about = "A customer should hear from us within this time."),
 *         SETTING_END
 *     };
 *
 * The file is YAML: nested mappings, keys joined by '.'; a key may also be written with its dots. Values are scalars or lists of scalars
 * (for SETTING_LIST), everything else needs a SETTING_TREE, whose owner reads the YAML subtree itself.
 * `TOUCHSTREAM_SLA_FIRST_REPLY` overrides sla.first_reply. */
#ifndef TS_BASE_SETTINGS_H
#define TS_BASE_SETTINGS_H

#include "base/bytes.h"
#include "base/view.h"

#include <stdint.h>

enum setting_kind {
    SETTING_KIND_TEXT,     /* char *, owned */
    SETTING_KIND_CHOICE,   /* char *, one of .choices ("a|b|c") */
    SETTING_KIND_INTEGER,  /* int64_t */
    SETTING_KIND_DECIMAL,  /* double */
    SETTING_KIND_DURATION, /* int64_t, ms; written "400d", "48h", "30m", "10s", "50ms" */
    SETTING_KIND_SIZE,     /* int64_t, bytes; written "64MiB", "1KiB", "12B" */
    SETTING_KIND_BOOLEAN,  /* bool */
    SETTING_KIND_LIST,     /* struct text_list */
    SETTING_KIND_TREE,     /* struct settings_node *: borrowed from the settings, NULL when absent */
};

struct text_list {
    char **items;
    size_t count;
};

/* The parsed YAML, for SETTING_TREE. Lives as long as the struct settings_file. */
struct settings_node {
    enum { SETTINGS_SCALAR, SETTINGS_LIST, SETTINGS_MAP } kind;
    int line;
    const char *key;    /* in a map */
    const char *scalar; /* kind SCALAR */
    struct settings_node *children;
    size_t child_count;
};

struct setting {
    const char *key;
    enum setting_kind kind;
    size_t offset;
    const char *standard_text;        /* TEXT, CHOICE, LIST (comma-separated) */
    double standard, least, most;     /* numbers, durations in ms, sizes in bytes; BOOLEAN: 0 or 1. least = most = 0: unbounded */
    const char *choices;
    const char *about;                /* one or two sentences for people; ends with a full stop */
    bool is_secret;                   /* never printed */
};

#define SETTING_ROW(type, field, name, kind_, ...) {.key = name, .kind = kind_, .offset = offsetof(type, field), __VA_ARGS__}
#define SETTING_TEXT(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_TEXT, __VA_ARGS__)
#define SETTING_CHOICE(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_CHOICE, __VA_ARGS__)
#define SETTING_INTEGER(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_INTEGER, __VA_ARGS__)
#define SETTING_DECIMAL(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_DECIMAL, __VA_ARGS__)
#define SETTING_DURATION(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_DURATION, __VA_ARGS__)
#define SETTING_BYTES(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_SIZE, __VA_ARGS__)
#define SETTING_BOOLEAN(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_BOOLEAN, __VA_ARGS__)
#define SETTING_LIST(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_LIST, __VA_ARGS__)
#define SETTING_TREE(type, field, name, ...) SETTING_ROW(type, field, name, SETTING_KIND_TREE, __VA_ARGS__)
#define SETTING_END {.key = NULL}

/* Which table fills which struct. */
struct settings_section {
    const struct setting *rows;
    void *into;
};

struct settings_file; /* owns the parsed YAML and all texts handed out */

/* Fills every section: defaults, then the file (NULL: none), then the environment. NULL and `error` (a complete line:
 * "FILE:LINE: KEY: what is wrong, what would be right") on any unknown key (with the nearest valid one), wrong type or bound. */
struct settings_file *settings_load(const char *path, const struct settings_section *sections, size_t section_count,
                                    struct bytes *error);
void settings_destroy(struct settings_file *file);

const struct settings_node *settings_node_find(const struct settings_node *map, const char *key);

/* For the owner of a SETTING_TREE that meets a key it does not know: always false, and `error` says "line N: WHERE.KEY: …" with
 * the nearest of `known` (NULL-terminated). */
bool settings_unknown_key(const struct settings_node *node, const char *where, const char *const *known, struct bytes *error);

/* Does the file or the environment say it? Otherwise it has its default. */
bool settings_is_given(const struct settings_file *file, const char *key);

/* A complaint of an owner about what it read, "line N: KEY: …" or "KEY: …", as the complete line of settings_load. */
void settings_complete_error(const struct settings_file *file, const char *path, const char *complaint, struct bytes *error);

/* The reference page: a Markdown table row for each setting. */
void settings_describe(const struct setting *rows, struct bytes *out);

#endif
