/* The table of entries against a plain map, through growth and removal; and what an entry weighs. */
#include "engine/entries.h"

#include "base/map.h"
#include "base/random.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>

static struct view key_of(char room[1200], uint32_t number)
{
    int size = snprintf(room, 1200, "customer-%u", number);
    if (number % 50 == 7) /* some long ones, and some beyond the largest of the slab's pieces */
        size = snprintf(room, 1200, "%0*u", (int)(20 + number % 1100), number);
    return view_of(room, (size_t)size);
}

static void what_is_added_is_found_until_it_is_removed(void **state)
{
    (void)state;
    struct entries entries;
    struct map model = {0};
    struct random random;
    random_init(&random, 7);
    entries_init(&entries);
    for (int i = 0; i < 200000; i++) {
        char room[1200];
        struct view key = key_of(room, random_below(&random, 5000));
        uint64_t hash = entries_hash(key);
        struct entry *found = entries_find(&entries, key, hash);
        assert_ptr_equal(found, map_find(&model, key));
        if (found == NULL) {
            *map_place(&model, key) = entries_add(&entries, key, hash);
        } else if (random_below(&random, 3) == 0) {
            entries_remove(&entries, found);
            map_remove(&model, key);
        }
    }
    assert_int_equal(entries.count, model.count);
    size_t at = 0, seen = 0;
    for (struct entry *entry; (entry = entries_next(&entries, &at)); seen++)
        assert_ptr_equal(map_find(&model, entry_key(entry)), entry);
    assert_int_equal(seen, model.count);
    entries_finish(&entries);
    map_finish(&model, NULL);
}

static void a_new_entry_has_seen_nothing_and_waits_for_nothing(void **state)
{
    (void)state;
    struct entries entries;
    entries_init(&entries);
    struct view key = VIEW_LITERAL("c-1");
    struct entry *entry = entries_add(&entries, key, entries_hash(key));
    assert_null(entry->state);
    assert_int_equal(entry->applied_offset, -1);
    assert_true(entry->timer_at_ms == TIMER_NEVER);
    assert_false(entry->is_deleted);
    assert_true(view_equal(entry_key(entry), key));
    entries_finish(&entries);
}

static void an_entry_weighs_less_than_seventy_bytes(void **state)
{
    (void)state;
    struct entries entries;
    entries_init(&entries);
    for (uint32_t i = 0; i < 700000; i++) {
        char room[32];
        int size = snprintf(room, sizeof room, "c-%u", i);
        struct view key = view_of(room, (size_t)size);
        entries_add(&entries, key, entries_hash(key));
    }
    assert_in_range(entries_memory_bytes(&entries) / entries.count, 50, 70);
    entries_finish(&entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_found_until_it_is_removed),
        cmocka_unit_test(a_new_entry_has_seen_nothing_and_waits_for_nothing),
        cmocka_unit_test(an_entry_weighs_less_than_seventy_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
