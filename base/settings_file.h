/* Reading the YAML file of the settings; see settings.h for what it means. */
#ifndef TS_BASE_SETTINGS_FILE_H
#define TS_BASE_SETTINGS_FILE_H

#include "base/settings.h"

/* NULL: `error` says why, with file and line. */
struct settings_node *settings_tree_read(const char *path, struct bytes *error);
void settings_tree_destroy(struct settings_node *root);

/* Where a key stands, written with its dots or nested; 0: not in the file. */
int settings_line_of(const struct settings_node *map, const char *key);

#endif
