/* A borrowed run of bytes: never owned, never NUL-terminated, valid as long as what it points into.
 * `data == NULL` says «null» (an absent string); an empty string has a non-NULL `data` and size 0. */
#ifndef TS_BASE_VIEW_H
#define TS_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct view {
    const char *data;
    size_t size;
};

/* For printf's "%.*s". */
#define VIEW_ARGUMENTS(v) (int)(v).size, ((v).data ? (v).data : "")
#define VIEW_LITERAL(text) ((struct view){(text), sizeof(text) - 1})

static inline struct view view_of(const void *data, size_t size)
{
    return (struct view){(const char *)data, size};
}

static inline struct view view_of_text(const char *text)
{
    return text ? view_of(text, strlen(text)) : (struct view){NULL, 0};
}

static inline bool view_equal(struct view a, struct view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool view_equal_text(struct view a, const char *text)
{
    return view_equal(a, view_of_text(text));
}

/* Byte order, the shorter first among equals: the order of Kafka keys and of event ids. */
static inline int view_compare(struct view a, struct view b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

#endif
