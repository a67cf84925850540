#include "base/settings.h"

#include "base/edit_distance.h"
#include "base/memory.h"
#include "base/settings_environment.h"
#include "base/settings_file.h"
#include "base/time_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct settings_file {
    struct settings_node *root; /* NULL: no file */
    const struct settings_section *sections;
    size_t section_count;
};

/* Where a value stands, for errors. */
struct place {
    const char *path; /* or "environment" */
    int line;         /* 0: none */
    const char *key;
};

static void complain(struct bytes *error, const struct place *place, const char *what)
{
    if (place->line)
        bytes_printf(error, "%s:%d: %s: %s", place->path, place->line, place->key, what);
    else
        bytes_printf(error, "%s: %s: %s", place->path, place->key, what);
}

/* --- one value ------------------------------------------------------------------------------------------------- */

static bool parse_size(const char *text, double *size_bytes)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824},
                 {"K", 1024}, {"M", 1048576}, {"G", 1073741824}};
    char *end;
    double value = strtod(text, &end);
    if (end == text || !isdigit((unsigned char)text[0]))
        return false;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcasecmp(end, units[i].name) == 0) {
            *size_bytes = value * units[i].bytes;
            return true;
        }
    }
    return false;
}

static bool parse_boolean(const char *text, bool *value)
{
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *value = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool parse_number(const struct setting *row, const char *text, double *value)
{
    char *end;
    int64_t duration_ms;
    switch (row->kind) {
    case SETTING_KIND_DURATION:
        if (!time_parse_duration(view_of_text(text), &duration_ms))
            return false;
        *value = (double)duration_ms;
        return true;
    case SETTING_KIND_SIZE:
        return parse_size(text, value);
    default:
        errno = 0;
        *value = strtod(text, &end);
        return end != text && *end == '\0' && isfinite(*value) && errno == 0 &&
               (row->kind == SETTING_KIND_DECIMAL || *value == floor(*value));
    }
}

static void format_number(const struct setting *row, double value, char text[64])
{
    if (row->kind == SETTING_KIND_DURATION)
        time_format_duration(text, (int64_t)value);
    else if (row->kind == SETTING_KIND_SIZE && value >= 1048576 && fmod(value, 1048576) == 0)
        snprintf(text, 64, "%.0fMiB", value / 1048576);
    else if (row->kind == SETTING_KIND_SIZE && value >= 1024 && fmod(value, 1024) == 0)
        snprintf(text, 64, "%.0fKiB", value / 1024);
    else
        snprintf(text, 64, "%.15g", value);
}

static void *target(const struct settings_section *section, const struct setting *row)
{
    return (char *)section->into + row->offset;
}

static void store_number(const struct setting *row, void *into, double value)
{
    if (row->kind == SETTING_KIND_DECIMAL)
        *(double *)into = value;
    else
        *(int64_t *)into = (int64_t)value;
}

static bool set_number(const struct setting *row, void *into, const char *text, const struct place *place,
                       struct bytes *error)
{
    static const char *const wants[] = {[SETTING_KIND_INTEGER] = "a whole number",
                                        [SETTING_KIND_DECIMAL] = "a number",
                                        [SETTING_KIND_DURATION] = "a duration such as 400d, 48h, 30m, 10s or 50ms",
                                        [SETTING_KIND_SIZE] = "a size such as 64MiB"};
    double value;
    char what[256], least[64], most[64];
    if (!parse_number(row, text, &value)) {
        snprintf(what, sizeof what, "'%.60s' is not %s", text, wants[row->kind]);
        complain(error, place, what);
        return false;
    }
    bool is_bounded = row->least != 0 || row->most != 0;
    if (is_bounded && (value < row->least || value > row->most)) {
        format_number(row, row->least, least);
        format_number(row, row->most, most);
        snprintf(what, sizeof what, "'%.60s' is out of bounds: %s to %s", text, least, most);
        complain(error, place, what);
        return false;
    }
    store_number(row, into, value);
    return true;
}

static bool choice_is_valid(const char *choices, const char *text)
{
    size_t size = strlen(text);
    for (const char *at = choices; *at;) {
        size_t length = strcspn(at, "|");
        if (length == size && memcmp(at, text, size) == 0)
            return true;
        at += length + (at[length] == '|');
    }
    return false;
}

static void list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

static void list_add(struct text_list *list, const char *text, size_t size)
{
    list->items = memory_resize(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count] = memory_zeroed(1, size + 1);
    memcpy(list->items[list->count++], text, size);
}

/* "a, b,c" */
static void list_set_from_text(struct text_list *list, const char *text)
{
    list_clear(list);
    while (text && *text) {
        text += strspn(text, " ,");
        size_t size = strcspn(text, ",");
        size_t trimmed = size;
        while (trimmed && text[trimmed - 1] == ' ')
            trimmed--;
        if (trimmed)
            list_add(list, text, trimmed);
        text += size;
    }
}

static bool set_scalar(const struct settings_section *section, const struct setting *row, const char *text,
                       const struct place *place, struct bytes *error)
{
    void *into = target(section, row);
    char what[256];
    switch (row->kind) {
    case SETTING_KIND_CHOICE:
        if (!choice_is_valid(row->choices, text)) {
            snprintf(what, sizeof what, "'%.60s' is not one of %s", text, row->choices);
            complain(error, place, what);
            return false;
        }
        /* fall through */
    case SETTING_KIND_TEXT:
        free(*(char **)into);
        *(char **)into = memory_copy_text(text);
        return true;
    case SETTING_KIND_BOOLEAN:
        if (!parse_boolean(text, into)) {
            snprintf(what, sizeof what, "'%.60s' is neither true nor false", text);
            complain(error, place, what);
            return false;
        }
        return true;
    case SETTING_KIND_LIST:
        list_set_from_text(into, text);
        return true;
    case SETTING_KIND_TREE:
        complain(error, place, "is a mapping or a list and cannot be a single value");
        return false;
    default:
        return set_number(row, into, text, place, error);
    }
}

static void set_standard(const struct settings_section *section, const struct setting *row)
{
    void *into = target(section, row);
    switch (row->kind) {
    case SETTING_KIND_TEXT:
    case SETTING_KIND_CHOICE:
        *(char **)into = memory_copy_text(row->standard_text ? row->standard_text : "");
        break;
    case SETTING_KIND_BOOLEAN:
        *(bool *)into = row->standard != 0;
        break;
    case SETTING_KIND_LIST:
        *(struct text_list *)into = (struct text_list){0};
        list_set_from_text(into, row->standard_text);
        break;
    case SETTING_KIND_TREE:
        *(struct settings_node **)into = NULL;
        break;
    default:
        store_number(row, into, row->standard);
    }
}

/* --- keys ------------------------------------------------------------------------------------------------------ */

static const struct setting *find_row(const struct settings_file *file, const char *key,
                                      const struct settings_section **section)
{
    for (size_t i = 0; i < file->section_count; i++) {
        for (const struct setting *row = file->sections[i].rows; row->key; row++) {
            if (strcmp(row->key, key) == 0) {
                *section = &file->sections[i];
                return row;
            }
        }
    }
    return NULL;
}

static bool is_prefix_of_a_key(const struct settings_file *file, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < file->section_count; i++) {
        for (const struct setting *row = file->sections[i].rows; row->key; row++) {
            if (strncmp(row->key, key, size) == 0 && row->key[size] == '.')
                return true;
        }
    }
    return false;
}

static const char *nearest_key(const struct settings_file *file, const char *key)
{
    struct nearest nearest = nearest_to(key);
    for (size_t i = 0; i < file->section_count; i++) {
        for (const struct setting *row = file->sections[i].rows; row->key; row++)
            nearest_offer(&nearest, row->key);
    }
    return nearest.name;
}

static bool unknown_key(const struct settings_file *file, const struct place *place, struct bytes *error)
{
    char what[256];
    if (is_prefix_of_a_key(file, place->key)) {
        complain(error, place, "is a group of settings, each on a line of its own beneath it");
        return false;
    }
    const char *nearest = nearest_key(file, place->key);
    snprintf(what, sizeof what, "there is no such setting; the nearest is '%s' (all: docs/CONFIGURATION.md)",
             nearest ? nearest : "none");
    complain(error, place, what);
    return false;
}

/* --- the file -------------------------------------------------------------------------------------------------- */

static bool set_list(const struct settings_section *section, const struct setting *row, const struct settings_node *node,
                     const struct place *place, struct bytes *error)
{
    struct text_list *list = target(section, row);
    list_clear(list);
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i].kind != SETTINGS_SCALAR) {
            complain(error, place, "is a list of single values");
            return false;
        }
        list_add(list, node->children[i].scalar, strlen(node->children[i].scalar));
    }
    return true;
}

static const char twice[] = "stands twice; one of the two must go";

static bool apply_node(struct settings_file *file, const char *path, const char *prefix, struct settings_node *node,
                       struct bytes *error)
{
    char key[256];
    snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", node->key);
    struct place place = {path, node->line, key};
    const struct settings_section *section = NULL;
    const struct setting *row = find_row(file, key, &section);

    if (row && settings_node_of(file->root, key) != node) {
        complain(error, &place, twice);
        return false;
    }
    if (row && row->kind == SETTING_KIND_TREE) {
        const struct settings_node *twin = settings_twin(node);
        if (twin) {
            bytes_printf(error, "%s:%d: %s.%s: %s", path, twin->line, key, twin->key, twice);
            return false;
        }
        *(struct settings_node **)target(section, row) = node;
        return true;
    }
    if (row && node->kind == SETTINGS_LIST && row->kind == SETTING_KIND_LIST)
        return set_list(section, row, node, &place, error);
    if (row && node->kind == SETTINGS_SCALAR)
        return set_scalar(section, row, node->scalar, &place, error);
    if (row && !(node->kind == SETTINGS_MAP && is_prefix_of_a_key(file, key))) {
        complain(error, &place, "wants a single value");
        return false;
    }
    if (node->kind == SETTINGS_SCALAR && node->scalar[0] == '\0' && is_prefix_of_a_key(file, key))
        return true; /* "kafka:" with nothing under it */
    if (node->kind != SETTINGS_MAP || !is_prefix_of_a_key(file, key))
        return unknown_key(file, &place, error);
    for (size_t i = 0; i < node->child_count; i++) {
        if (!apply_node(file, path, key, &node->children[i], error))
            return false;
    }
    return true;
}

static bool apply_file(struct settings_file *file, const char *path, struct bytes *error)
{
    file->root = settings_tree_read(path, error);
    if (file->root == NULL)
        return false;
    if (file->root->kind != SETTINGS_MAP) {
        bytes_printf(error, "%s:1: a configuration is a mapping of keys to values", path);
        return false;
    }
    for (size_t i = 0; i < file->root->child_count; i++) {
        if (!apply_node(file, path, "", &file->root->children[i], error))
            return false;
    }
    return true;
}

static bool apply_environment(struct settings_file *file, struct bytes *error)
{
    for (size_t i = 0; i < file->section_count; i++) {
        for (const struct setting *row = file->sections[i].rows; row->key; row++) {
            char name[SETTINGS_NAME_MAX];
            settings_environment_name(row->key, name);
            const char *text = getenv(name);
            struct place place = {"environment", 0, name};
            if (text && row->kind != SETTING_KIND_TREE && !set_scalar(&file->sections[i], row, text, &place, error))
                return false;
        }
    }
    return true;
}

struct settings_file *settings_load(const char *path, const struct settings_section *sections, size_t section_count,
                                    struct bytes *error)
{
    struct settings_file *file = memory_zeroed(1, sizeof *file);
    file->sections = sections;
    file->section_count = section_count;
    for (size_t i = 0; i < section_count; i++) {
        for (const struct setting *row = sections[i].rows; row->key; row++)
            set_standard(&sections[i], row);
    }
    if ((path && !apply_file(file, path, error)) || !apply_environment(file, error)) {
        settings_destroy(file);
        return NULL;
    }
    return file;
}

void settings_destroy(struct settings_file *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->section_count; i++) {
        for (const struct setting *row = file->sections[i].rows; row->key; row++) {
            void *into = target(&file->sections[i], row);
            if (row->kind == SETTING_KIND_TEXT || row->kind == SETTING_KIND_CHOICE) {
                free(*(char **)into);
                *(char **)into = NULL;
            } else if (row->kind == SETTING_KIND_LIST) {
                list_clear(into);
            }
        }
    }
    settings_tree_destroy(file->root);
    free(file);
}

const struct settings_node *settings_node_find(const struct settings_node *map, const char *key)
{
    for (size_t i = 0; map && i < map->child_count; i++) {
        if (map->children[i].key && strcmp(map->children[i].key, key) == 0)
            return &map->children[i];
    }
    return NULL;
}

/* --- what owners of trees say ----------------------------------------------------------------------------------- */

bool settings_unknown_key(const struct settings_node *node, const char *where, const char *const *known, struct bytes *error)
{
    const char *key = node->key ? node->key : "";
    struct nearest nearest = nearest_to(key);
    for (const char *const *name = known; *name; name++)
        nearest_offer(&nearest, *name);
    bytes_printf(error, "line %d: %s.%s: there is no such setting; the nearest is '%s'", node->line, where, key, nearest.name);
    return false;
}

bool settings_is_given(const struct settings_file *file, const char *key)
{
    char name[SETTINGS_NAME_MAX];
    settings_environment_name(key, name);
    return getenv(name) || settings_line_of(file->root, key) > 0;
}

void settings_complete_error(const struct settings_file *file, const char *path, const char *complaint, struct bytes *error)
{
    int line = 0, used = 0;
    char key[128] = "", name[SETTINGS_NAME_MAX];
    if (sscanf(complaint, "line %d: %n", &line, &used) == 1 && used)
        complaint += used;
    else if (sscanf(complaint, "%127[^:]", key) == 1)
        line = settings_line_of(file->root, key);
    settings_environment_name(key, name);
    if (key[0] && getenv(name)) /* it holds over the file */
        bytes_printf(error, "environment: %s: %s", name, complaint);
    else if (line)
        bytes_printf(error, "%s:%d: %s", path, line, complaint);
    else
        bytes_append_text(error, complaint);
}

/* --- the reference page ---------------------------------------------------------------------------------------- */

void settings_describe(const struct setting *rows, struct bytes *out)
{
    static const char *const kinds[] = {"text", "one of", "whole number", "number", "duration", "size", "true or false",
                                        "list", "mapping"};
    for (const struct setting *row = rows; row->key; row++) {
        char standard[64] = "", least[64], most[64];
        bool is_number = row->kind == SETTING_KIND_INTEGER || row->kind == SETTING_KIND_DECIMAL ||
                         row->kind == SETTING_KIND_DURATION || row->kind == SETTING_KIND_SIZE;
        if (is_number)
            format_number(row, row->standard, standard);
        else if (row->kind == SETTING_KIND_BOOLEAN)
            snprintf(standard, sizeof standard, "%s", row->standard != 0 ? "true" : "false");
        bytes_printf(out, "| `%s` | %s", row->key, kinds[row->kind]);
        if (row->choices) {
            for (const char *c = row->choices; *c; c++)
                bytes_printf(out, "%s%c", c == row->choices ? " " : "", *c == '|' ? ' ' : *c);
        }
        if (is_number && (row->least != 0 || row->most != 0)) {
            format_number(row, row->least, least);
            format_number(row, row->most, most);
            bytes_printf(out, ", %s to %s", least, most);
        }
        bytes_printf(out, " | %s%s%s | %s |\n", *standard || row->standard_text ? "`" : "",
                     row->standard_text ? row->standard_text : standard, *standard || row->standard_text ? "`" : "",
                     row->about ? row->about : "");
    }
}
