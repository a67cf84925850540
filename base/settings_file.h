/* Reading the YAML file of the settings; see settings.h for what it means. */
#ifndef TS_BASE_SETTINGS_FILE_H
#define TS_BASE_SETTINGS_FILE_H

#include "base/settings.h"

/* NULL: `error` says why, with file and line. */
struct settings_node *settings_tree_read(const char *path, struct bytes *error);
void settings_tree_destroy(struct settings_node *root);

/* What a key has, written with its dots or nested: the first, if it stands twice. NULL: not in the file. */
const struct settings_node *settings_node_of(const struct settings_node *map, const char *key);
int settings_line_of(const struct settings_node *map, const char *key); /* 0: not in the file */

/* The second of two equal keys in one mapping, however deep: whoever reads the tree would take one of them. NULL: there is none. */
const struct settings_node *settings_twin(const struct settings_node *tree);

#endif
