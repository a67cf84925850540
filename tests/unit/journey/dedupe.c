#include "processors/journey/memory/packing.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct dedupe_bounds bounds = {DAYS(30), 65536};

static struct room room; /* none of its own: all from the C library */

static struct uuid id_of(uint32_t number)
{
    struct uuid id = {{0}};
    memcpy(id.bytes + 12, &number, sizeof number); /* ids that differ in their last bytes alone are ids all the same */
    return id;
}

static bool is_new(struct dedupe *dedupe, uint32_t number, int64_t received_at_ms, const struct dedupe_bounds *within)
{
    uint64_t forgotten = 0;
    struct uuid id = id_of(number);
    return dedupe_first_sight(&room, dedupe, &id, received_at_ms, within, &forgotten);
}

static void an_id_is_new_once(void **state)
{
    (void)state;
    struct dedupe dedupe = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        assert_true(is_new(&dedupe, i, DAYS(20000) + i, &bounds));
        assert_false(is_new(&dedupe, i / 2, DAYS(20000) + i, &bounds));
    }
    assert_int_equal(dedupe.count, 5000);
    dedupe_finish(&room, &dedupe);
}

static void an_id_counts_for_thirty_days(void **state)
{
    (void)state;
    struct dedupe dedupe = {0};
    assert_true(is_new(&dedupe, 1, DAYS(20000), &bounds));
    assert_false(is_new(&dedupe, 1, DAYS(20030), &bounds));
    assert_true(is_new(&dedupe, 1, DAYS(20030) + SECONDS(2), &bounds));
    assert_false(is_new(&dedupe, 1, DAYS(20050), &bounds)); /* received again on day 20030 */
    dedupe_finish(&room, &dedupe);
}

static void old_ids_make_room(void **state)
{
    (void)state;
    struct dedupe dedupe = {0};
    for (uint32_t i = 0; i < 100000; i++)
        assert_true(is_new(&dedupe, i, DAYS(20000) + i * MINUTES(10), &bounds));
    assert_true(dedupe.capacity <= 16384); /* 30 days of them are 4,320 */
    dedupe_finish(&room, &dedupe);
}

static void at_the_bound_the_oldest_leave(void **state)
{
    (void)state;
    const struct dedupe_bounds narrow = {DAYS(30), 1000};
    struct dedupe dedupe = {0};
    uint64_t forgotten = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        struct uuid id = id_of(i);
        assert_true(dedupe_first_sight(&room, &dedupe, &id, DAYS(20000) + i * 1000, &narrow, &forgotten));
        assert_true(dedupe.count <= 1000);
    }
    assert_true(forgotten >= 4000);
    assert_false(is_new(&dedupe, 4999, DAYS(20000) + 5000000, &narrow));
    assert_false(is_new(&dedupe, 4200, DAYS(20000) + 5000000, &narrow));
    assert_true(is_new(&dedupe, 10, DAYS(20000) + 5000000, &narrow));
    dedupe_finish(&room, &dedupe);
}

enum { KNOWN_MAX = 2000 };

/* Some are mentioned, twice even, some with another time, too, and some are not. */
static void mention(struct packing *packing, const struct moment *moments, const struct moment *others, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 3) {
        char *at = pack_moment(packing, packing_open(packing), &moments[i]);
        at = pack_moment(packing, at, &moments[i]);
        packing_close(packing, pack_moment(packing, at, &others[i]));
    }
}

static void assert_mentioned(struct packing *packing, const struct moment *moments, const struct moment *others, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 3) {
        struct moment first = unpack_moment(packing, &packing->in), second = unpack_moment(packing, &packing->in);
        struct moment third = unpack_moment(packing, &packing->in);
        assert_int_equal(moment_compare(&first, &moments[i]), 0);
        assert_int_equal(moment_compare(&second, &moments[i]), 0);
        assert_int_equal(moment_compare(&third, &others[i]), 0);
    }
    assert_true(unpacking_end(packing));
}

static void packed_and_unpacked_it_knows_the_same(void **state)
{
    (void)state;
    static struct packing packing;
    static struct moment moments[KNOWN_MAX], others[KNOWN_MAX];
    for (uint32_t i = 0; i < KNOWN_MAX; i++) {
        struct uuid id = id_of(i), other = id_of(i % 2 ? i : i + KNOWN_MAX);
        moments[i] = moment_of(DAYS(20000) - i, &id);
        others[i] = moment_of(i % 4 ? DAYS(20001) + i : -DAYS(i), &other);
    }
    for (uint32_t count = 0; count < KNOWN_MAX; count += count < 200 ? 7 : 400) {
        struct dedupe dedupe = {0}, again = {0};
        struct bytes bytes = {0};
        for (uint32_t i = 0; i < count; i++)
            is_new(&dedupe, i, DAYS(20000) + SECONDS(i), &bounds);
        packing_begin(&packing, DAYS(20000), &dedupe);
        mention(&packing, moments, others, count);
        packing_end(&packing, &bytes);
        unpacking_begin(&packing, bytes_view(&bytes), &room, &again);
        assert_mentioned(&packing, moments, others, count);
        for (uint32_t i = 0; i < count; i++)
            assert_false(is_new(&again, i, DAYS(20030) + SECONDS(i), &bounds));
        assert_int_equal(again.count, count);
        assert_true(is_new(&again, count, DAYS(20001), &bounds));
        dedupe_finish(&room, &dedupe);
        dedupe_finish(&room, &again);
        bytes_finish(&bytes);
    }
    packing_finish(&packing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_new_once),
        cmocka_unit_test(an_id_counts_for_thirty_days),
        cmocka_unit_test(old_ids_make_room),
        cmocka_unit_test(at_the_bound_the_oldest_leave),
        cmocka_unit_test(packed_and_unpacked_it_knows_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
