/* Small pieces of memory by the million, without an allocator's header on each: pages of one size class, by steps of 8 bytes.
 *
 * A page all of whose pieces are free serves any class again: when everything grows a little, the pages of the smaller class follow.
 * Memory once taken from the system stays ours until the end. One thread at a time. */
#ifndef TS_BASE_SLAB_H
#define TS_BASE_SLAB_H

#include <stddef.h>

enum { SLAB_CLASS_BYTES = 8, SLAB_CLASSES = 128, SLAB_PIECE_MAX = (SLAB_CLASSES - 1) * SLAB_CLASS_BYTES };

struct slab_page;

struct slab {
    struct slab_page *open[SLAB_CLASSES]; /* those with something free, per class; doubly linked */
    struct slab_page *empty;
    void **blocks; /* what the pages are cut from */
    size_t block_count, block_pages_left;
    char *block_at;
    size_t bytes; /* of all pages and larger pieces */
};

/* Zero-initialised is empty and valid. */

/* At least `size` bytes, aligned to 8, uninitialised. Beyond SLAB_PIECE_MAX they come from malloc. */
void *slab_take(struct slab *slab, size_t size);

/* What taking so much will touch, asked for ahead: first the page, then, once that may be there, the piece. */
void slab_page_expect(const struct slab *slab, size_t size);
void slab_piece_expect(const struct slab *slab, size_t size);
/* The same before giving. */
void slab_give_expect(const void *piece, size_t size);

/* `size` as it was taken. */
void slab_give(struct slab *slab, void *piece, size_t size);

/* All pages at once. Pieces beyond SLAB_PIECE_MAX must have been given back. */
void slab_finish(struct slab *slab);

#endif
