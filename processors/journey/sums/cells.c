#include "processors/journey/sums/cells.h"

void cells_init(struct cells *cells)
{
    *cells = (struct cells){0};
    number_table_init(&cells->table);
}

void cells_finish(struct cells *cells)
{
    number_table_finish(&cells->table);
    free(cells->items);
    free(cells->bins.items);
}

void cells_clear(struct cells *cells)
{
    number_table_clear(&cells->table);
    cells->bins.count = 0;
}

static bool cell_is_same(const void *items, uint32_t number, const void *key)
{
    return place_is_same(&((const struct cell *)items)[number].place, key);
}

static uint64_t cell_hash(const void *items, uint32_t number)
{
    return place_hash(&((const struct cell *)items)[number].place);
}

static struct cell *cell_of(struct cells *cells, const struct place *key, uint32_t hash)
{
    struct number_table *table = &cells->table;
    uint32_t *place = number_table_place(table, hash, cell_is_same, cells->items, key);
    if (*place)
        return &cells->items[*place - 1];
    uint32_t number = table->count;
    cells->items = GROWN_LINES(cells->items, number, cells->capacity);
    cells->items[number] = (struct cell){.place = *key, .first_bin = -1};
    number_table_added(table, place, cell_hash, cells->items);
    return &cells->items[number];
}

static bool has_squares(enum kpi_id kpi)
{
    return kpi_names[kpi].kind == KPI_KIND_MEAN || kpi_names[kpi].kind == KPI_KIND_DURATION;
}

static void change_apply(struct cells *cells, const struct cell_change *change)
{
    const struct contribution *what = change->what;
    struct cell *cell = cell_of(cells, &what->place, change->hash);
    int32_t times = change->times;
    cell->n += times * what->n;
    cell->num += times * what->num;
    cell->immature += times * what->immature;
    cell->sum = (int64_t)((uint64_t)cell->sum + (uint64_t)times * (uint64_t)what->sum); /* as kpi_sums_add */
    if (has_squares((enum kpi_id)what->place.kpi))
        cell->sum_squares += times * ((kpi_wide)what->sum * what->sum);
    if (what->bin >= 0)
        bins_add(&cells->bins, &cell->first_bin, what->bin, times);
}

static void changes_apply(struct cells *cells)
{
    for (uint32_t i = 0; i < cells->change_count; i++) {
        uint32_t number = *number_table_begin(&cells->table, cells->changes[i].hash);
        if (number)
            __builtin_prefetch(&cells->items[number - 1]);
    }
    for (uint32_t i = 0; i < cells->change_count; i++)
        change_apply(cells, &cells->changes[i]);
    cells->change_count = 0;
}

static inline void change_note(struct cells *cells, const struct contribution *what, int times)
{
    if (cells->change_count == CHANGES_MAX)
        changes_apply(cells);
    uint32_t hash = place_hash(&what->place);
    __builtin_prefetch(number_table_begin(&cells->table, hash));
    cells->changes[cells->change_count++] = (struct cell_change){what, hash, times};
}

void cells_add(struct cells *cells, const struct contribution *contribution, int times)
{
    change_note(cells, contribution, times);
    changes_apply(cells);
}

/* Not memcmp, whose call costs more than all of it. */
static inline bool contribution_is_same(const struct contribution *one, const struct contribution *other)
{
    _Static_assert(sizeof *one == 48, "six words");
    uint64_t words[6], others[6], differs = 0;
    memcpy(words, one, sizeof words);
    memcpy(others, other, sizeof others);
    for (int i = 0; i < 6; i++)
        differs |= words[i] ^ others[i];
    return differs == 0;
}

/* How many of these come before the one that is the same; AHEAD: none of the next few is. */
enum { AHEAD = 16 };

static size_t distance_to(const struct contribution *wanted, const struct contribution *items, size_t count)
{
    size_t most = count < AHEAD ? count : AHEAD;
    for (size_t i = 0; i < most; i++) {
        if (items[i].place.kpi == wanted->place.kpi && contribution_is_same(wanted, &items[i]))
            return i;
    }
    return AHEAD;
}

/* Most of what stood before stands after, in the same order: skip what is equal from both ends, and look a little ahead for what else
 * is. What is missed comes and goes at one place, which costs time, and has the kpi stage told of it for nothing. */
void cells_add_difference(struct cells *cells, const struct tally *before, const struct tally *after)
{
    const struct contribution *old = before->items, *new = after->items;
    size_t i = 0, k = 0, old_end = before->count, new_end = after->count;
    for (; i < old_end && k < new_end && contribution_is_same(&old[i], &new[k]); i++)
        k++;
    for (; old_end > i && new_end > k && contribution_is_same(&old[old_end - 1], &new[new_end - 1]); old_end--)
        new_end--;
    while (i < old_end && k < new_end) {
        size_t more = distance_to(&old[i], &new[k], new_end - k);
        if (more == 0) {
            i++, k++;
        } else if (more < AHEAD) {
            for (; more > 0; more--)
                change_note(cells, &new[k++], 1);
        } else {
            change_note(cells, &old[i++], -1);
        }
    }
    for (; i < old_end; i++)
        change_note(cells, &old[i], -1);
    for (; k < new_end; k++)
        change_note(cells, &new[k], 1);
    changes_apply(cells);
}
