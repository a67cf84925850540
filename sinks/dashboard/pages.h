/* The files of the web page, embedded at build time (embed_pages.cmake). */
#ifndef TS_SINKS_DASHBOARD_PAGES_H
#define TS_SINKS_DASHBOARD_PAGES_H

#include <stddef.h>

struct page {
    const char *path, *content_type, *data;
    size_t size;
};

extern const struct page pages[]; /* ends with path NULL */

#endif
