/* sim: the real worker loop on a simulated broker, under seeded faults; then an audit by a naive model.
 *
 *   sim [--subject toy|journey|kpi] [--seeds N] [--from SEED] [--seed SEED --trace] [--mutations]
 *
 * A seed decides everything: traffic, scheduling, crashes, freezes, errors at any call, rebalances, compaction. A failing one is
 * printed and replays the same. --mutations switches on each planted mistake of engine/mutation.h in turn and wants it found. */
#include "tests/sim/subject.h"

#include "base/log.h"
#include "base/memory.h"
#include "engine/mutation.h"
#include "engine/worker.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 3, DRAIN_TURNS_MAX = 20000, WALL_SET_MOST_MS = 2 * 3600000 };

enum mutation mutation_active;

static const struct sim_subject *const subjects[] = {&toy_subject, &journey_subject, &forgetful_journey_subject, &kpi_subject};
static const struct sim_subject *subject = &toy_subject;
static void *shared;

struct slot {
    struct broker *broker; /* NULL: nobody there */
    struct worker worker;
    int64_t frozen_until_ms;
};

struct sim {
    struct world world;
    struct runner_config config;
    struct slot slots[SLOTS];
    int64_t number; /* of the next input record */
    double traffic, kill, leave, freeze;
    bool is_draining;
    char failure[512];
};

/* --- workers */

static void slot_start(struct sim *sim, int number)
{
    struct slot *slot = &sim->slots[number];
    slot->broker = sim_broker_create(&sim->world, number);
    slot->frozen_until_ms = 0;
    if (slot->broker)
        worker_init(&slot->worker, &sim->config, number, slot->broker, NULL);
}

static void slot_end(struct slot *slot)
{
    slot->broker->port->close(slot->broker);
    worker_finish(&slot->worker);
    slot->broker = NULL;
}

static void slot_step(struct sim *sim, int number)
{
    struct slot *slot = &sim->slots[number];
    if (slot->broker == NULL) {
        if (sim->is_draining || world_chance(&sim->world, 0.1))
            slot_start(sim, number);
        return;
    }
    if (slot->frozen_until_ms > sim->world.clock.at_ms)
        return;
    sim_broker_freeze(slot->broker, false);
    if (!sim->is_draining) {
        if (world_chance(&sim->world, sim->kill)) {
            sim_broker_kill(slot->broker);
            sim->world.crashes++;
        } else if (world_chance(&sim->world, sim->leave)) {
            worker_close(&slot->worker);
            slot_end(slot);
            return;
        } else if (world_chance(&sim->world, sim->freeze)) {
            sim_broker_freeze(slot->broker, true);
            slot->frozen_until_ms = sim->world.clock.at_ms + random_below(&sim->world.random, 8000);
            return;
        }
    }
    if (worker_step(&slot->worker) == OUTCOME_STOP) {
        if (slot->worker.is_hopeless && !sim_broker_is_dead(slot->broker))
            snprintf(sim->failure, sizeof sim->failure, "a worker gave up for good");
        slot_end(slot);
    }
}

/* --- one seed */

static void configure(struct sim *sim, uint64_t seed)
{
    struct random *random = &sim->world.random;
    int outputs = 0;
    while (subject->processor->outputs[outputs])
        outputs++;
    world_init(&sim->world, seed, 1 + (int)(seed % 4), outputs);
    double storm = random_unit(random);
    sim->world.is_static = world_chance(&sim->world, 0.5);
    sim->world.faults = (struct sim_faults){.crash = 0.003 * storm,
                                            .retry = 0.05 * random_unit(random),
                                            .redo = 0.08 * random_unit(random),
                                            .stop = 0.003 * random_unit(random),
                                            .unheard = 0.05 * random_unit(random),
                                            .duplicate = 0.1 * random_unit(random)};
    sim->kill = 0.01 * random_unit(random) * storm;
    sim->leave = 0.01 * random_unit(random);
    sim->freeze = 0.01 * random_unit(random) * storm;
    sim->traffic = 0.1 + 0.6 * random_unit(random);
    sim->config = (struct runner_config){
        .processor = subject->processor,
        .shared = shared,
        .clock = &sim->world.clock.clock,
        .settings = {.commit_interval_ms = 1 + (int)random_below(random, 200),
                     .summary_interval_ms = 1 + (int)random_below(random, 1500),
                     .summary_interval_behind_ms = 1 + (int)random_below(random, 3000),
                     .batch_records_max = 1 + (int)random_below(random, 60),
                     .batch_bytes_max = 200 + random_below(random, 4000),
                     .checkpoint_interval_ms = 50 + (int)random_below(random, 5000),
                     .tick_after_ms = 1000,
                     .allowed_disorder_ms = subject->processor->allowed_disorder_ms,
                     .entries_max = 1000000,
                     .transaction_timeout_ms = 30000}};
}

/* Everything committed, and every partition in the hands of a worker that can close it. */
static bool is_drained(const struct sim *sim)
{
    for (int p = 0; p < sim->world.partition_count; p++) {
        if (sim->world.committed[p].offset < (int64_t)sim->world.input[p].count && sim->world.input[p].count)
            return false;
        bool is_live = false;
        for (int i = 0; i < SLOTS; i++) {
            const struct slot *slot = &sim->slots[i];
            const struct task *task = slot->broker ? task_table_find(&slot->worker.tasks, p) : NULL;
            if (slot->broker && slot->worker.txn.stage != TXN_IDLE)
                return false; /* it might time out while the others leave */
            const struct sim_broker *owner = sim->world.owner[p] >= 0 ? sim->world.members[sim->world.owner[p]].broker : NULL;
            is_live |= owner && task && task->stage == TASK_LIVE && &owner->broker == slot->broker;
        }
        if (!is_live)
            return false;
    }
    return true;
}

/* No faults any more, no ticks: what is there must be finished. */
static void drain(struct sim *sim)
{
    sim->is_draining = true;
    sim->world.faults = (struct sim_faults){0};
    sim->world.has_ticks = false;
    for (int i = 0; i < SLOTS; i++) { /* thawed now: nothing may be left for them to do, and then nobody steps them any more */
        sim->slots[i].frozen_until_ms = 0;
        if (sim->slots[i].broker)
            sim_broker_freeze(sim->slots[i].broker, false);
    }
    int turns = 0;
    for (; turns < DRAIN_TURNS_MAX && !is_drained(sim) && sim->failure[0] == '\0'; turns++) {
        sim->world.clock.at_ms += 5;
        slot_step(sim, turns % SLOTS);
    }
    if (turns == DRAIN_TURNS_MAX)
        snprintf(sim->failure, sizeof sim->failure, "stuck: the input is not worked off");
}

static void close_all(struct sim *sim)
{
    for (int i = 0; i < SLOTS; i++) {
        if (sim->slots[i].broker == NULL)
            continue;
        worker_close(&sim->slots[i].worker);
        slot_end(&sim->slots[i]);
    }
}

/* The same input in a quiet world: one worker, no fault, no pause. */
static struct sim *run_reference(const struct sim *sim)
{
    struct sim *quiet = memory_zeroed(1, sizeof *quiet);
    world_init(&quiet->world, 1, sim->world.partition_count, sim->world.output_count);
    quiet->world.clock.at_ms = sim->world.clock.at_ms;
    quiet->config = sim->config;
    quiet->config.clock = &quiet->world.clock.clock;
    quiet->world.is_tracing = sim->world.is_tracing;
    world_copy_input(&quiet->world, &sim->world);
    drain(quiet);
    close_all(quiet);
    return quiet;
}

static void judge(struct sim *sim)
{
    struct sim *quiet = subject->wants_reference ? run_reference(sim) : NULL;
    subject->audit(&sim->world, quiet ? &quiet->world : NULL, sim->failure, sizeof sim->failure);
    if (quiet == NULL)
        return;
    if (quiet->failure[0])
        snprintf(sim->failure, sizeof sim->failure, "reference: %.400s", quiet->failure);
    world_finish(&quiet->world);
    free(quiet);
}

static bool run_seed(uint64_t seed, int turns, bool is_tracing, struct world *totals)
{
    struct sim *sim = memory_zeroed(1, sizeof *sim);
    configure(sim, seed);
    sim->world.is_tracing = is_tracing;
    for (int turn = 0; turn < turns && sim->failure[0] == '\0'; turn++) {
        sim->world.clock.at_ms += random_below(&sim->world.random, 30);
        if (world_chance(&sim->world, 0.003))
            sim->world.clock.at_ms += random_below(&sim->world.random, 20000);
        if (world_chance(&sim->world, 0.002))
            sim->world.clock.set_by_ms = (int64_t)random_below(&sim->world.random, 2 * WALL_SET_MOST_MS) - WALL_SET_MOST_MS;
        if (world_chance(&sim->world, sim->traffic * 0.3))
            subject->append_input(&sim->world, &sim->number);
        if (world_chance(&sim->world, 0.01))
            world_compact(&sim->world);
        slot_step(sim, (int)random_below(&sim->world.random, SLOTS));
    }
    drain(sim);
    bool was_drained = sim->failure[0] == '\0';
    close_all(sim);
    if (was_drained && sim->world.violation[0])
        snprintf(sim->failure, sizeof sim->failure, "%s", sim->world.violation);
    else if (was_drained)
        judge(sim);
    totals->crashes += sim->world.crashes;
    totals->redos += sim->world.redos;
    totals->rebalances += sim->world.rebalances;
    totals->fences += sim->world.fences;
    totals->compactions += sim->world.compactions;
    bool is_good = sim->failure[0] == '\0';
    if (!is_good && mutation_active == MUTATION_NONE)
        printf("seed %llu: %s\n", (unsigned long long)seed, sim->failure);
    else if (!is_good && is_tracing)
        printf("%s\n", sim->failure);
    world_finish(&sim->world);
    free(sim);
    return is_good;
}

static int run_seeds(uint64_t from, int count, int turns)
{
    struct world totals = {0};
    int failed = 0;
    for (int i = 0; i < count; i++)
        failed += !run_seed(from + (uint64_t)i, turns, false, &totals);
    printf("%d seeds, %d failed; crashes %lld, redone transactions %lld, rebalances %lld, timed out %lld, compactions %lld\n", count,
           failed, (long long)totals.crashes, (long long)totals.redos, (long long)totals.rebalances, (long long)totals.fences,
           (long long)totals.compactions);
    return failed ? 1 : 0;
}

/* --- mutations */

static int run_mutations(int seeds, int turns)
{
#define MUTATION_ROW(name, about) {#name, about},
    static const struct {
        const char *name, *about;
    } rows[] = {MUTATIONS(MUTATION_ROW)};
    int survived = 0;
    struct world totals = {0};
    for (int i = 0; i < MUTATION_COUNT - 1; i++) {
        mutation_active = (enum mutation)(i + 1);
        int seed = 1;
        while (seed <= seeds && run_seed((uint64_t)seed, turns, false, &totals))
            seed++;
        bool is_found = seed <= seeds;
        survived += !is_found;
        printf("%-22s %s (%s)\n", rows[i].name, is_found ? "found" : "NOT FOUND", rows[i].about);
        if (is_found)
            printf("%-22s by seed %d\n", "", seed);
    }
    mutation_active = MUTATION_NONE;
    return survived ? 1 : 0;
}

static const struct sim_subject *subject_named(const char *name)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        if (strcmp(subjects[i]->name, name) == 0)
            return subjects[i];
    }
    fprintf(stderr, "no subject %s\n", name);
    exit(2);
}

static int run(bool has_mutations, bool is_tracing, uint64_t from, int seeds, int turns)
{
    if (has_mutations)
        return run_mutations(seeds, turns);
    if (!is_tracing)
        return run_seeds(from, seeds, turns);
    struct world totals = {0};
    return run_seed(from, turns, true, &totals) ? 0 : 1;
}

int main(int argc, char **argv)
{
    int seeds = 200, turns = 600;
    uint64_t from = 1;
    bool is_tracing = false, has_mutations = false;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--seeds") == 0 && has_value)
            seeds = atoi(argv[++i]);
        else if (strcmp(argv[i], "--turns") == 0 && has_value)
            turns = atoi(argv[++i]);
        else if (strcmp(argv[i], "--from") == 0 && has_value)
            from = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--mutation") == 0 && has_value)
            mutation_active = (enum mutation)atoi(argv[++i]);
        else if (strcmp(argv[i], "--seed") == 0 && has_value)
            from = strtoull(argv[++i], NULL, 10), seeds = 1;
        else if (strcmp(argv[i], "--subject") == 0 && has_value)
            subject = subject_named(argv[++i]);
        else if (strcmp(argv[i], "--trace") == 0)
            is_tracing = true;
        else if (strcmp(argv[i], "--mutations") == 0)
            has_mutations = true;
        else
            return fputs("usage: sim [--subject toy|journey|kpi] [--seeds N] [--from SEED] [--seed SEED] [--turns N] [--trace] "
                         "[--mutations]\n", stderr), 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    log_configure(is_tracing ? LOG_INFO : (enum log_level)(LOG_ERROR + 1), false, "sim");
    shared = subject->open ? subject->open() : NULL;
    int result = run(has_mutations, is_tracing, from, seeds, turns);
    if (subject->close)
        subject->close(shared);
    return result;
}
