#include "app/explain_dimensions.h"

#include "base/edit_distance.h"
#include "base/memory.h"
#include "base/percent_text.h"

#include <stdlib.h>
#include <string.h>

enum { NAMED_MOST = 12 };

void dimensions_seen_finish(struct dimensions_seen *seen)
{
    map_finish(&seen->names, NULL);
}

void dimensions_seen_note(struct dimensions_seen *seen, struct view series, const char *kpi)
{
    size_t size = strlen(kpi);
    if (series.size > size && memcmp(series.data, kpi, size) == 0 && series.data[size] == '|')
        map_place(&seen->names, view_of(series.data + size + 1, series.size - size - 1));
}

struct view dimensions_seen_like(const struct dimensions_seen *seen, const char *asked)
{
    struct bytes wanted = {0}, has = {0};
    struct view found = {NULL, 0};
    percent_decode(&wanted, view_of_text(asked));
    const struct map_slot *slot;
    for (size_t at = 0; found.data == NULL && (slot = map_next(&seen->names, &at));) {
        struct view name = view_of(slot->key, slot->key_size);
        percent_decode(&has, name);
        if (view_equal(bytes_view(&has), bytes_view(&wanted)) || view_equal_text(bytes_view(&has), asked))
            found = name;
    }
    bytes_finish(&wanted);
    bytes_finish(&has);
    return found;
}

/* Up to the value of the first: "channel=". */
static bool has_same_name(struct view name, const char *asked)
{
    size_t size = strcspn(asked, "=") + 1;
    return name.size > size && memcmp(name.data, asked, size) == 0;
}

struct candidate {
    char *name;
    size_t distance;
};

static int nearest_first(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    return one->distance != other->distance ? (one->distance > other->distance) - (one->distance < other->distance)
                                            : strcmp(one->name, other->name);
}

void dimensions_seen_describe(const struct dimensions_seen *seen, const char *asked, struct bytes *out)
{
    struct candidate *found = memory_zeroed(seen->names.count + 1, sizeof *found);
    size_t count = 0;
    const struct map_slot *slot;
    for (int others = 0; count == 0 && others < 2; others++)
        for (size_t at = 0; (slot = map_next(&seen->names, &at));)
            if (others || has_same_name(view_of(slot->key, slot->key_size), asked)) {
                found[count].name = memory_zeroed(1, slot->key_size + 1);
                memcpy(found[count].name, slot->key, slot->key_size);
                found[count].distance = edit_distance(asked, found[count].name);
                count++;
            }
    qsort(found, count, sizeof *found, nearest_first);
    for (size_t i = 0; i < count && i < NAMED_MOST; i++)
        bytes_printf(out, "%s%s", i ? "; " : "", found[i].name);
    if (count > NAMED_MOST)
        bytes_printf(out, " and %zu more", count - NAMED_MOST);
    for (size_t i = 0; i < count; i++)
        free(found[i].name);
    free(found);
}
