#include "tests/sim/world.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

/* --- logs */

static char *copy_of(struct view view)
{
    if (view.data == NULL)
        return NULL;
    char *copy = memory_allocate(view.size + 1);
    memcpy(copy, view.data, view.size);
    copy[view.size] = '\0';
    return copy;
}

void log_append(struct sim_log *log, enum sim_state state, int64_t transaction, struct view key, struct view value,
                int64_t timestamp_ms)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->records = memory_resize(log->records, log->capacity * sizeof *log->records);
    }
    log->records[log->count++] = (struct sim_record){.state = state,
                                                     .timestamp_ms = timestamp_ms,
                                                     .transaction = transaction,
                                                     .key = copy_of(key),
                                                     .value = copy_of(value),
                                                     .key_size = key.size,
                                                     .value_size = value.size};
}

size_t log_stable_end(const struct sim_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->records[i].state == SIM_OPEN)
            return i;
    }
    return log->count;
}

static void log_finish(struct sim_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->records[i].key);
        free(log->records[i].value);
    }
    free(log->records);
}

static void log_end_transaction(struct sim_log *log, int64_t transaction, bool is_commit)
{
    bool is_touched = false;
    for (size_t i = log->count; i-- > 0;) {
        struct sim_record *record = &log->records[i];
        if (record->transaction != transaction)
            continue;
        is_touched = true;
        record->state = is_commit ? SIM_COMMITTED : SIM_ABORTED;
    }
    if (is_touched)
        log_append(log, SIM_CONTROL, 0, (struct view){0}, (struct view){0}, 0);
}

/* --- the world */

void world_init(struct world *world, uint64_t seed, int partitions, int outputs)
{
    *world = (struct world){.partition_count = partitions,
                            .output_count = outputs,
                            .output_partitions = 3,
                            .has_ticks = true,
                            .session_ms = 3000,
                            .transaction_ms = 5000};
    random_init(&world->random, seed);
    clock_manual_init(&world->clock, 1700000000000);
    for (int i = 0; i < WORLD_PARTITIONS_MAX; i++) {
        world->owner[i] = -1;
        world->committed[i] = (struct broker_commit){.partition = i, .offset = -1};
    }
}

void world_finish(struct world *world)
{
    for (int p = 0; p < WORLD_PARTITIONS_MAX; p++) {
        log_finish(&world->input[p]);
        log_finish(&world->checkpoint[p]);
        for (int t = 0; t < WORLD_OUTPUTS_MAX; t++)
            log_finish(&world->outputs[t][p]);
    }
}

bool world_chance(struct world *world, double probability)
{
    return random_unit(&world->random) < probability;
}

void world_violate(struct world *world, const char *what)
{
    if (world->violation[0] == '\0')
        snprintf(world->violation, sizeof world->violation, "%s", what);
}

void world_append_input(struct world *world, int partition, struct view key, struct view value, int64_t timestamp_ms)
{
    log_append(&world->input[partition], SIM_COMMITTED, 0, key, value, timestamp_ms);
}

void world_copy_input(struct world *to, const struct world *from)
{
    for (int p = 0; p < from->partition_count; p++) {
        for (size_t i = 0; i < from->input[p].count; i++) {
            const struct sim_record *record = &from->input[p].records[i];
            log_append(&to->input[p], record->state, 0, view_of(record->key, record->key_size),
                       view_of(record->value, record->value_size), record->timestamp_ms);
        }
    }
}

void world_end_transaction(struct world *world, struct sim_producer *producer, bool is_commit)
{
    for (int p = 0; p < WORLD_PARTITIONS_MAX; p++) {
        log_end_transaction(&world->checkpoint[p], producer->transaction, is_commit);
        for (int t = 0; t < world->output_count; t++)
            log_end_transaction(&world->outputs[t][p], producer->transaction, is_commit);
    }
    for (size_t i = 0; i < producer->offset_count && is_commit; i++) {
        struct broker_commit *committed = &world->committed[producer->offsets[i].partition];
        if (producer->offsets[i].offset < committed->offset)
            world_violate(world, "a committed offset went back");
        *committed = producer->offsets[i];
    }
    producer->offset_count = 0;
    producer->transaction = 0;
    producer->is_broken = false;
}

/* --- the group: cooperative and sticky */

static int members_count(const struct world *world)
{
    int count = 0;
    for (int i = 0; i < WORLD_MEMBERS_MAX; i++)
        count += world->members[i].is_known;
    return count;
}

static int owned_count(const struct world *world, int member)
{
    int count = 0;
    for (int p = 0; p < world->partition_count; p++)
        count += world->owner[p] == member;
    return count;
}

static void event_add(struct sim_broker *broker, enum broker_event event, int partition)
{
    broker->event = event;
    broker->event_partitions[broker->event_count++] = partition;
}

static bool can_take_event(const struct sim_broker *broker)
{
    return broker && !broker->is_dead && broker->event == BROKER_NOTHING;
}

static void revoke_surplus(struct world *world, int member, int quota)
{
    struct sim_broker *broker = world->members[member].broker;
    int surplus = owned_count(world, member) - quota;
    for (int p = 0; p < world->partition_count && surplus > 0; p++) {
        if (world->owner[p] != member || !broker->places[p].is_assigned)
            continue;
        event_add(broker, BROKER_REVOKED, p);
        surplus--;
    }
}

static int neediest_member(const struct world *world, int quota)
{
    int best = -1;
    for (int i = 0; i < WORLD_MEMBERS_MAX; i++) {
        const struct sim_member *member = &world->members[i];
        bool is_open = member->is_known && member->broker && !member->broker->is_dead &&
                       (member->broker->event == BROKER_NOTHING ||
                        (member->broker->event == BROKER_ASSIGNED && !member->broker->is_event_out));
        if (is_open && owned_count(world, i) < quota && (best < 0 || owned_count(world, i) < owned_count(world, best)))
            best = i;
    }
    return best;
}

void world_balance(struct world *world)
{
    int count = members_count(world);
    if (count == 0)
        return;
    int quota = (world->partition_count + count - 1) / count;
    for (int i = 0; i < WORLD_MEMBERS_MAX; i++) {
        if (world->members[i].is_known && can_take_event(world->members[i].broker) && owned_count(world, i) > quota)
            revoke_surplus(world, i, quota);
    }
    bool is_changed = false;
    for (int p = 0; p < world->partition_count; p++) {
        if (world->owner[p] >= 0)
            continue;
        int member = neediest_member(world, quota);
        if (member < 0)
            continue;
        world->owner[p] = member;
        event_add(world->members[member].broker, BROKER_ASSIGNED, p);
        is_changed = true;
    }
    if (is_changed) {
        world->generation++;
        world->rebalances++;
    }
}

static void kick(struct world *world, int number)
{
    struct sim_member *member = &world->members[number];
    for (int p = 0; p < world->partition_count; p++) {
        if (world->owner[p] == number)
            world->owner[p] = -1;
    }
    if (member->broker)
        member->broker->lost_known_at_ms = world->clock.at_ms + random_below(&world->random, 1500);
    *member = (struct sim_member){0};
    world->generation++;
}

void world_turn(struct world *world)
{
    for (int i = 0; i < WORLD_MEMBERS_MAX; i++) {
        struct sim_member *member = &world->members[i];
        if (!member->is_known)
            continue;
        if (member->broker && !member->broker->is_dead && !member->broker->is_frozen)
            member->seen_at_ms = world->clock.at_ms;
        if (world->clock.at_ms - member->seen_at_ms > world->session_ms)
            kick(world, i);
    }
    for (int i = 0; i < WORLD_PRODUCERS_MAX; i++) {
        struct sim_producer *producer = &world->producers[i];
        if (producer->transaction && world->clock.at_ms - producer->began_at_ms > world->transaction_ms) {
            world_end_transaction(world, producer, false);
            producer->epoch++;
            world->fences++;
        }
    }
    world_balance(world);
}

/* --- compaction */

enum { TOMBSTONE_KEPT_MS = 600000 };

static bool has_value_between(const struct sim_log *log, const struct sim_record *record, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++) {
        const struct sim_record *other = &log->records[i];
        if (other->state == SIM_COMMITTED && other->key_size == record->key_size &&
            (record->key_size == 0 || memcmp(other->key, record->key, record->key_size) == 0))
            return true;
    }
    return false;
}

void world_compact(struct world *world)
{
    world->compactions++;
    for (int p = 0; p < world->partition_count; p++) {
        struct sim_log *log = &world->checkpoint[p];
        size_t end = log_stable_end(log);
        for (size_t i = 0; i < end; i++) {
            struct sim_record *record = &log->records[i];
            if (record->state != SIM_COMMITTED)
                continue;
            /* A tombstone goes too, but never before the values it buries, nor before whoever read those has come to it
             * (delete.retention.ms; a day by default, from when compaction first met it, whatever its own date). */
            bool is_old = world->clock.at_ms - record->appended_at_ms > TOMBSTONE_KEPT_MS;
            bool is_superseded = has_value_between(log, record, i + 1, end) ||
                                 (record->value == NULL && is_old && !has_value_between(log, record, 0, i));
            if (is_superseded && world_chance(world, 0.8))
                record->state = SIM_COMPACTED;
        }
    }
}
