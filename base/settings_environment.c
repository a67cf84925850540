#include "base/settings_environment.h"

#include "base/edit_distance.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

extern char **environ;

void settings_environment_name(const char *key, char name[SETTINGS_NAME_MAX])
{
    size_t size = strlen(SETTINGS_ENVIRONMENT_PREFIX);
    memcpy(name, SETTINGS_ENVIRONMENT_PREFIX, size);
    for (const char *c = key; *c && size < SETTINGS_NAME_MAX - 1; c++)
        name[size++] = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
    name[size] = '\0';
}

static bool is_among(const char *name, const char *const *others)
{
    for (; *others; others++) {
        if (strcmp(name, *others) == 0)
            return true;
    }
    return false;
}

/* The setting whose variable is spelled most alike; *distance 0: it is the one. */
static const struct setting *nearest_row(const struct settings_section *sections, size_t section_count, const char *name,
                                         size_t *distance)
{
    const struct setting *nearest = NULL;
    *distance = SIZE_MAX;
    for (size_t i = 0; i < section_count; i++) {
        for (const struct setting *row = sections[i].rows; row->key; row++) {
            char of_row[SETTINGS_NAME_MAX];
            settings_environment_name(row->key, of_row);
            size_t now = strcmp(of_row, name) == 0 ? 0 : edit_distance(name, of_row) + 1;
            if (now < *distance) {
                *distance = now;
                nearest = row;
            }
        }
    }
    return nearest;
}

static void look_at(const struct settings_section *sections, size_t section_count, const char *name,
                    const struct settings_listener *listener)
{
    char what[512], nearest_name[SETTINGS_NAME_MAX];
    size_t distance;
    const struct setting *nearest = nearest_row(sections, section_count, name, &distance);
    if (nearest == NULL || (distance == 0 && nearest->kind != SETTING_KIND_TREE))
        return;
    settings_environment_name(nearest->key, nearest_name);
    if (distance == 0)
        snprintf(what, sizeof what, "has no effect: %s is a mapping or a list, which only the file can hold", nearest->key);
    else
        snprintf(what, sizeof what, "has no effect: there is no such setting; the nearest is %s (%s)", nearest_name, nearest->key);
    listener->tell(listener->context, name, what);
}

void settings_environment_doubts(const struct settings_section *sections, size_t section_count, const char *const *others,
                                 const struct settings_listener *listener)
{
    for (char **entry = environ; entry && *entry; entry++) {
        char name[SETTINGS_NAME_MAX];
        size_t size = strcspn(*entry, "=");
        if (strncmp(*entry, SETTINGS_ENVIRONMENT_PREFIX, strlen(SETTINGS_ENVIRONMENT_PREFIX)) != 0 || size >= sizeof name)
            continue;
        memcpy(name, *entry, size);
        name[size] = '\0';
        if (!is_among(name, others))
            look_at(sections, section_count, name, listener);
    }
}
