/* The slab against a plain list of what was taken: pieces keep what was written to them, and pages come back to other sizes. */
#include "base/memory.h"
#include "base/random.h"
#include "base/slab.h"
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

struct piece {
    unsigned char *at;
    size_t size;
    unsigned char mark;
};

static struct piece piece_take(struct slab *slab, size_t size, unsigned char mark)
{
    struct piece piece = {slab_take(slab, size), size, mark};
    assert_int_equal((uintptr_t)piece.at % 8, 0);
    memset(piece.at, mark, size);
    return piece;
}

static void piece_give(struct slab *slab, struct piece *piece)
{
    for (size_t i = 0; i < piece->size; i++)
        assert_int_equal(piece->at[i], piece->mark);
    slab_give(slab, piece->at, piece->size);
    *piece = (struct piece){0};
}

static void a_piece_is_its_owners_alone(void **state)
{
    (void)state;
    enum { PIECES = 3000, ROUNDS = 300000 };
    struct slab slab = {0};
    struct random random;
    random_init(&random, 3);
    struct piece *pieces = memory_zeroed(PIECES, sizeof *pieces);
    for (int i = 0; i < ROUNDS; i++) {
        struct piece *piece = &pieces[random_below(&random, PIECES)];
        if (piece->at)
            piece_give(&slab, piece);
        else
            *piece = piece_take(&slab, random_below(&random, i % 100 ? 300 : 3000), (unsigned char)i);
    }
    for (int i = 0; i < PIECES; i++) {
        if (pieces[i].at)
            piece_give(&slab, &pieces[i]);
    }
    slab_finish(&slab);
    free(pieces);
}

/* All customers grow at the same time: what the smaller ones leave must serve the larger. */
static void pieces_that_grow_together_take_the_memory_of_the_largest(void **state)
{
    (void)state;
    enum { PIECES = 20000, LARGEST = 800 };
    struct slab slab = {0};
    struct piece *pieces = memory_zeroed(PIECES, sizeof *pieces);
    for (size_t size = 100; size <= LARGEST; size += 50) {
        for (size_t i = 0; i < PIECES; i++) {
            if (pieces[i].at)
                piece_give(&slab, &pieces[i]);
            pieces[i] = piece_take(&slab, size, (unsigned char)i);
        }
    }
    assert_in_range(slab.bytes, (size_t)PIECES * LARGEST, (size_t)PIECES * LARGEST * 11 / 10);
    for (size_t i = 0; i < PIECES; i++)
        piece_give(&slab, &pieces[i]);
    slab_finish(&slab);
    free(pieces);
}

static void a_small_piece_has_hardly_anything_beside_it(void **state)
{
    (void)state;
    enum { PIECES = 100000, SIZE = 136 };
    struct slab slab = {0};
    for (size_t i = 0; i < PIECES; i++)
        slab_take(&slab, SIZE);
    assert_in_range(slab.bytes, (size_t)PIECES * SIZE, (size_t)PIECES * SIZE * 102 / 100 + 512 * 1024);
    slab_finish(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_is_its_owners_alone),
        cmocka_unit_test(pieces_that_grow_together_take_the_memory_of_the_largest),
        cmocka_unit_test(a_small_piece_has_hardly_anything_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
