#include "processors/journey/sums/totals.h"

#include "processors/journey/sums/cells.h"
#include "processors/journey/sums/expansions.h"

/* Most cells are met once or twice, so twice as many would save a hundredth of the work; so many of each partition stay in the caches. */
enum { CELLS_MAX = 2048 - CHANGES_MAX };

struct totals {
    struct dimensions *dimensions;
    struct worker_totals *worker; /* NULL until the first that is not held */
    bool is_held;
    struct cells cells;
    struct expansions expansions;
    int64_t reached_ms;
};

struct totals *totals_create(struct dimensions *dimensions)
{
    struct totals *totals = memory_zeroed(1, sizeof *totals);
    totals->dimensions = dimensions;
    totals->reached_ms = INT64_MIN;
    cells_init(&totals->cells);
    expansions_init(&totals->expansions, dimensions);
    return totals;
}

void totals_destroy(struct totals *totals)
{
    if (totals == NULL)
        return;
    if (totals->worker)
        worker_totals_leave(totals->worker, totals);
    cells_finish(&totals->cells);
    expansions_finish(&totals->expansions);
    free(totals);
}

static void roll_up(struct totals *totals);

void totals_reach(struct totals *totals, int64_t at_ms)
{
    if (at_ms > totals->reached_ms)
        totals->reached_ms = at_ms;
}

void totals_add(struct totals *totals, const struct contribution *contribution, int times)
{
    cells_add(&totals->cells, contribution, times);
}

void totals_add_difference(struct totals *totals, const struct tally *before, const struct tally *after)
{
    cells_add_difference(&totals->cells, before, after);
    if (totals->cells.table.count >= CELLS_MAX && totals->worker && !totals->is_held)
        roll_up(totals);
}

/* --- once a batch: cells to series --- */

/* Who is active is the denominator of two more: told once, it is heard by all three. */
static const uint8_t active_kpis[] = {KPI_LOYALTY_SHARE, KPI_REFERRAL_RATE, KPI_ACTIVE_CUSTOMERS};

static const uint8_t *hearers_of(const struct totals *totals, const struct place *place, size_t *count)
{
    bool is_person = place->kpi == KPI_ACTIVE_CUSTOMERS && totals->dimensions->tuples[place->tuple].channel == NO_CHANNEL;
    *count = is_person ? sizeof active_kpis : 1;
    return is_person ? active_kpis : &place->kpi;
}

static void cell_roll_up(struct totals *totals, const struct cell *cell)
{
    struct worker_addition what = {.minute = cell->place.minute,
                                   .first_bin = cell->first_bin,
                                   .bins = totals->cells.bins.items,
                                   .sums = {cell->n, cell->num, cell->sum, cell->immature, cell->sum_squares}};
    struct place key = expansion_key(&cell->place);
    const struct expansion *expansion = expansions_of(&totals->expansions, totals->worker, &key, cell->hash);
    size_t kpi_count;
    const uint8_t *kpis = hearers_of(totals, &cell->place, &kpi_count);
    for (size_t i = 0; i < kpi_count; i++)
        worker_totals_add(totals->worker, (enum kpi_id)kpis[i], &totals->expansions.expanded[expansion->first], expansion->count, &what);
}

/* What a cell will need is asked for some cells ahead, one step at a time, each of which reads what the one before it asked for. By force
 * inline: gcc takes a function that does nothing but prefetch for one that does nothing, and leaves out the call. */
enum expected { EXPECT_PLACE, EXPECT_EXPANSION, EXPECT_DIMENSIONS };

__attribute__((always_inline)) static inline void expansion_expect(struct totals *totals, uint32_t number, enum expected what)
{
    const struct expansions *expansions = &totals->expansions;
    if (number >= totals->cells.table.count)
        return;
    struct cell *cell = &totals->cells.items[number];
    if (what == EXPECT_PLACE) {
        struct place key = expansion_key(&cell->place);
        cell->hash = place_hash(&key);
    }
    const uint32_t *place = number_table_begin(&expansions->table, cell->hash);
    if (what == EXPECT_PLACE)
        __builtin_prefetch(place);
    else if (*place && what == EXPECT_EXPANSION)
        __builtin_prefetch(&expansions->items[*place - 1]);
    else if (*place)
        __builtin_prefetch(&expansions->expanded[expansions->items[*place - 1].first]);
}

void totals_hear(struct totals *totals, const struct outbox *outbox)
{
    totals->is_held |= outbox_is_muted(outbox);
    if (totals->worker == NULL && !totals->is_held)
        totals->worker = worker_totals_join(outbox, totals);
}

static void roll_up(struct totals *totals)
{
    if (totals->is_held)
        return;
    enum { AHEAD = 24 };
    for (uint32_t i = 0; i < AHEAD; i++)
        expansion_expect(totals, i, EXPECT_PLACE);
    for (uint32_t i = 0; i < totals->cells.table.count; i++) {
        expansion_expect(totals, i + AHEAD, EXPECT_PLACE);
        expansion_expect(totals, i + 16, EXPECT_EXPANSION);
        expansion_expect(totals, i + 8, EXPECT_DIMENSIONS);
        cell_roll_up(totals, &totals->cells.items[i]);
    }
    cells_clear(&totals->cells);
}

void totals_flush(struct totals *totals, const struct totals_target *target)
{
    totals->is_held = false;
    if (totals->worker == NULL)
        totals->worker = worker_totals_join(target->outbox, totals);
    struct totals *const *members;
    size_t count = worker_totals_members(totals->worker, &members);
    struct totals_target reached = *target;
    for (size_t i = 0; i < count; i++) {
        roll_up(members[i]);
        if (members[i]->reached_ms > reached.clock_ms)
            reached.clock_ms = members[i]->reached_ms;
    }
    worker_totals_send(totals->worker, &reached);
}
