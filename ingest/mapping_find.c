/* Where a mapping's program is: a path, the operator's own folder, or inside the binary. */
#include "ingest/mapping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROGRAM_BYTES_MAX = 1 << 20 };

struct shipped_mapping {
    const char *name, *program;
};
extern const struct shipped_mapping shipped_mappings[]; /* made of mappings/ at build time; ends with a NULL name */

static bool is_path(const char *name)
{
    size_t size = strlen(name);
    return strchr(name, '/') || (size > 3 && strcmp(name + size - 3, ".jq") == 0);
}

bool mapping_find(const char *name, const char *directory, struct bytes *program, struct bytes *error)
{
    if (is_path(name)) {
        if (bytes_append_file(program, name, PROGRAM_BYTES_MAX))
            return true;
        bytes_printf(error, "%s: cannot be read: %s", name, strerror(errno));
        return false;
    }
    if (directory && *directory) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.jq", directory, name);
        if (bytes_append_file(program, path, PROGRAM_BYTES_MAX))
            return true;
    }
    for (const struct shipped_mapping *shipped = shipped_mappings; shipped->name; shipped++) {
        if (strcmp(shipped->name, name) == 0) {
            bytes_append_text(program, shipped->program);
            return true;
        }
    }
    bytes_printf(error, "there is no mapping \"%s\"; shipped are", name);
    for (const struct shipped_mapping *shipped = shipped_mappings; shipped->name; shipped++)
        bytes_printf(error, "%s %s", shipped == shipped_mappings ? "" : ",", shipped->name);
    bytes_append_text(error, "; a path to a .jq file is taken as well");
    return false;
}

struct view mapping_short_name(const char *name)
{
    const char *begin = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    size_t size = strlen(begin);
    if (size > 3 && strcmp(begin + size - 3, ".jq") == 0)
        size -= 3;
    return view_of(begin, size);
}
