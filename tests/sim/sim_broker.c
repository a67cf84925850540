/* The port over a world. Each call may fail in every way its promise allows, and the worker may die before or after it. */
#include "tests/sim/world.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static struct sim_broker *self_of(struct broker *broker)
{
    return (struct sim_broker *)broker;
}

static void trace(const struct sim_broker *self, const char *call, enum outcome outcome)
{
    if (self->world->is_tracing)
        fprintf(stderr, "%8lld slot %d epoch %d %s -> %s%s\n",
                (long long)(self->world->clock.at_ms - 1700000000000), self->slot, self->epoch, call, outcome_name(outcome),
                self->is_dead ? " (dead)" : "");
}

static bool may_die(struct sim_broker *self)
{
    if (world_chance(self->world, self->world->faults.crash)) {
        sim_broker_kill(&self->broker);
        self->world->crashes++;
    }
    return self->is_dead;
}

static struct sim_producer *producer_of(struct sim_broker *self)
{
    return &self->world->producers[self->slot];
}

static bool is_fenced(struct sim_broker *self)
{
    return producer_of(self)->epoch != self->epoch;
}

/* --- consuming */

static bool is_kicked(const struct sim_broker *self)
{
    return self->world->members[self->member].broker != self;
}

static void hear_of_loss(struct sim_broker *self)
{
    if (!is_kicked(self) || self->event == BROKER_LOST || self->is_event_out ||
        self->world->clock.at_ms < self->lost_known_at_ms)
        return;
    self->event = BROKER_LOST;
    self->event_count = 0;
    for (int p = 0; p < self->world->partition_count; p++) {
        if (self->places[p].is_assigned)
            self->event_partitions[self->event_count++] = p;
    }
}

static size_t read_partition(struct sim_broker *self, int partition, size_t most, size_t count, struct broker_batch *batch)
{
    struct world *world = self->world;
    const struct sim_log *log = &world->input[partition];
    struct sim_place *place = &self->places[partition];
    if (place->position > 0 && world_chance(world, world->faults.duplicate))
        place->position -= 1 + random_below(&world->random, place->position < 5 ? (uint32_t)place->position : 5);
    size_t end = log_stable_end(log);
    for (; place->position < end && count < most; place->position++) {
        const struct sim_record *from = &log->records[place->position];
        if (!sim_is_visible(from))
            continue;
        self->records[count++] = (struct record){.topic = VIEW_LITERAL("input"),
                                                 .partition = partition,
                                                 .offset = (int64_t)place->position,
                                                 .timestamp_ms = from->timestamp_ms,
                                                 .key = view_of(from->key, from->key_size),
                                                 .value = view_of(from->value, from->value_size)};
    }
    if (place->position == end)
        self->ends[batch->end_count++] = (struct broker_place){partition, (int64_t)end};
    return count;
}

/* What was on its way when the partition was paused. */
static size_t read_stragglers(struct sim_broker *self, int partition, size_t count)
{
    struct world *world = self->world;
    size_t end = log_stable_end(&world->input[partition]);
    if (end == 0 || count + 3 > sizeof self->records / sizeof *self->records || !world_chance(world, world->faults.duplicate))
        return count;
    struct sim_place kept = self->places[partition];
    struct broker_batch ignored = {0};
    self->places[partition].position = random_below(&world->random, (uint32_t)end);
    count = read_partition(self, partition, count + 3, count, &ignored);
    self->places[partition] = kept;
    return count;
}

static void read_input(struct sim_broker *self, size_t records_max, struct broker_batch *batch)
{
    struct world *world = self->world;
    size_t most = records_max < 512 ? records_max : 512;
    if (most)
        most = random_below(&world->random, (uint32_t)most + 1);
    int first = (int)random_below(&world->random, (uint32_t)world->partition_count);
    size_t count = 0;
    for (int i = 0; i < world->partition_count && count < most; i++) {
        int partition = (first + i) % world->partition_count;
        if (self->places[partition].is_assigned && !self->places[partition].is_paused)
            count = read_partition(self, partition, most, count, batch);
        else if (self->places[partition].is_assigned)
            count = read_stragglers(self, partition, count);
    }
    batch->records = self->records;
    batch->count = count;
    batch->ends = self->ends;
}

static enum outcome sim_poll(struct broker *broker, size_t records_max, int wait_ms, bool gathers, struct broker_batch *batch)
{
    struct sim_broker *self = self_of(broker);
    struct world *world = self->world;
    *batch = (struct broker_batch){0};
    if (may_die(self))
        return OUTCOME_STOP;
    world->clock.at_ms += random_below(&world->random, (uint32_t)wait_ms + 2) / (gathers ? 1 : 2);
    world_turn(world);
    hear_of_loss(self);
    if (!is_kicked(self) && (self->event == BROKER_NOTHING || world_chance(world, 0.5)))
        world->members[self->member].generation = world->generation;
    if (records_max)
        read_input(self, records_max, batch);
    if (self->event != BROKER_NOTHING && !self->is_event_out) {
        batch->event = self->event;
        batch->partitions = self->event_partitions;
        batch->partition_count = self->event_count;
        self->is_event_out = true;
    }
    trace(self, batch->event == BROKER_NOTHING    ? "poll"
                : batch->event == BROKER_ASSIGNED ? "poll ASSIGNED"
                : batch->event == BROKER_REVOKED  ? "poll REVOKED"
                                                  : "poll LOST",
          OUTCOME_OK);
    return OUTCOME_OK;
}

static bool is_offset_pending(const struct world *world, int32_t partition)
{
    for (int i = 0; i < WORLD_PRODUCERS_MAX; i++) {
        const struct sim_producer *producer = &world->producers[i];
        for (size_t j = 0; j < producer->offset_count; j++) {
            if (producer->offsets[j].partition == partition)
                return true;
        }
    }
    return false;
}

static enum outcome sim_committed(struct broker *broker, struct broker_commit *commits, size_t count)
{
    struct sim_broker *self = self_of(broker);
    if (may_die(self))
        return OUTCOME_STOP;
    enum outcome outcome = world_chance(self->world, self->world->faults.retry) ? OUTCOME_RETRY : OUTCOME_OK;
    for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++) {
        if (is_offset_pending(self->world, commits[i].partition))
            outcome = OUTCOME_RETRY;
        else
            commits[i] = self->world->committed[commits[i].partition];
    }
    trace(self, "committed", outcome);
    return outcome;
}

static void answered(struct sim_broker *self)
{
    self->event = BROKER_NOTHING;
    self->is_event_out = false;
    self->event_count = 0;
}

static enum outcome sim_assign(struct broker *broker, const struct broker_place *places, size_t count)
{
    struct sim_broker *self = self_of(broker);
    if (may_die(self))
        return OUTCOME_STOP;
    if (self->event != BROKER_ASSIGNED || !self->is_event_out || count != self->event_count)
        world_violate(self->world, "assign without being asked");
    for (size_t i = 0; i < count; i++)
        self->places[places[i].partition] = (struct sim_place){.is_assigned = true, .is_paused = true};
    answered(self);
    trace(self, "assign", OUTCOME_OK);
    return OUTCOME_OK;
}

static enum outcome sim_resume(struct broker *broker, int32_t partition, int64_t offset)
{
    struct sim_broker *self = self_of(broker);
    if (may_die(self))
        return OUTCOME_STOP;
    if (world_chance(self->world, self->world->faults.retry))
        return OUTCOME_RETRY;
    struct sim_place *place = &self->places[partition];
    if (!place->is_assigned || offset < 0 || (size_t)offset > self->world->input[partition].count)
        world_violate(self->world, "resume of what is not ours, or beyond its end");
    *place = (struct sim_place){.is_assigned = true, .position = (size_t)offset};
    trace(self, "resume", OUTCOME_OK);
    return OUTCOME_OK;
}

static enum outcome sim_unassign(struct broker *broker, const int32_t *partitions, size_t count)
{
    struct sim_broker *self = self_of(broker);
    struct world *world = self->world;
    if (may_die(self))
        return OUTCOME_STOP;
    bool is_lost = self->event == BROKER_LOST;
    if (!self->is_event_out || self->event == BROKER_ASSIGNED)
        world_violate(world, "unassign without being asked");
    for (size_t i = 0; i < count; i++) {
        self->places[partitions[i]] = (struct sim_place){0};
        if (!is_lost && world->owner[partitions[i]] == self->member && !is_kicked(self))
            world->owner[partitions[i]] = -1;
    }
    answered(self);
    if (is_lost) { /* join again */
        for (int i = 0; i < WORLD_MEMBERS_MAX; i++) {
            if (world->members[i].is_known)
                continue;
            world->members[i] = (struct sim_member){
                .is_known = true, .generation = world->generation, .seen_at_ms = world->clock.at_ms, .broker = self, .slot = self->slot};
            self->member = i;
            break;
        }
    }
    trace(self, "unassign", OUTCOME_OK);
    return OUTCOME_OK;
}

static int64_t sim_begin_offset(struct broker *broker, int32_t partition)
{
    (void)broker, (void)partition;
    return 0; /* nothing is deleted here */
}

static int64_t sim_end_offset(struct broker *broker, int32_t partition)
{
    return (int64_t)self_of(broker)->world->input[partition].count;
}

/* --- producing */

/* What every transactional call begins with: dying, being fenced, the faults. OK: do it. */
static enum outcome call_begins(struct sim_broker *self, bool may_redo)
{
    struct world *world = self->world;
    if (may_die(self) || is_fenced(self) || world_chance(world, world->faults.stop))
        return OUTCOME_STOP;
    if (world_chance(world, world->faults.retry))
        return OUTCOME_RETRY;
    if (!may_redo)
        return OUTCOME_OK;
    if (producer_of(self)->is_broken || world_chance(world, world->faults.redo)) {
        producer_of(self)->is_broken = true;
        world->redos++;
        return OUTCOME_REDO;
    }
    return OUTCOME_OK;
}

static enum outcome sim_begin(struct broker *broker)
{
    struct sim_broker *self = self_of(broker);
    enum outcome outcome = call_begins(self, false);
    struct sim_producer *producer = producer_of(self);
    if (outcome == OUTCOME_OK && producer->transaction)
        world_violate(self->world, "begin within a transaction");
    if (outcome == OUTCOME_OK) {
        producer->transaction = ++self->world->last_transaction;
        producer->began_at_ms = self->world->clock.at_ms;
        producer->has_committed_unheard = false;
    }
    trace(self, "begin", outcome);
    return outcome;
}

static struct sim_log *log_of(struct world *world, const struct broker_message *message)
{
    return message->topic == BROKER_TO_CHECKPOINT ? &world->checkpoint[message->partition]
                                                  : &world->outputs[message->topic][message->partition];
}

static enum outcome sim_produce(struct broker *broker, const struct broker_message *messages, size_t count, size_t *taken)
{
    struct sim_broker *self = self_of(broker);
    struct world *world = self->world;
    *taken = 0;
    enum outcome outcome = call_begins(self, true);
    if (outcome != OUTCOME_OK && outcome != OUTCOME_RETRY)
        return outcome;
    if (producer_of(self)->transaction == 0)
        world_violate(world, "produce outside of a transaction");
    size_t most = outcome == OUTCOME_RETRY ? random_below(&world->random, (uint32_t)count) : count;
    for (; *taken < most; ++*taken) {
        const struct broker_message *message = &messages[*taken];
        if (world->is_tracing && message->topic == BROKER_TO_CHECKPOINT)
            fprintf(stderr, "          slot %d checkpoint of %d: %.*s %s (offset %zu)\n", self->slot, message->partition,
                    VIEW_ARGUMENTS(message->key), message->value.data ? "value" : "tombstone",
                    log_of(world, message)->count);
        log_append(log_of(world, message), SIM_OPEN, producer_of(self)->transaction, message->key, message->value,
                   message->timestamp_ms);
        struct sim_log *log = log_of(world, message);
        log->records[log->count - 1].died_at_offset = message->died_at_offset;
        log->records[log->count - 1].note = message->note;
        log->records[log->count - 1].appended_at_ms = world->clock.at_ms;
    }
    trace(self, "produce", outcome);
    return outcome;
}

static enum outcome sim_send_offsets(struct broker *broker, const struct broker_commit *commits, size_t count)
{
    struct sim_broker *self = self_of(broker);
    struct world *world = self->world;
    enum outcome outcome = call_begins(self, true);
    struct sim_producer *producer = producer_of(self);
    if (outcome == OUTCOME_OK && producer->transaction == 0)
        world_violate(world, "offsets outside of a transaction");
    if (outcome == OUTCOME_OK && (is_kicked(self) || world->members[self->member].generation != world->generation)) {
        producer->is_broken = true;
        outcome = OUTCOME_REDO;
    }
    for (size_t i = 0; i < count && world->is_tracing; i++)
        fprintf(stderr, "          slot %d offset of %d: %lld %s\n", self->slot, commits[i].partition,
                (long long)commits[i].offset, commits[i].metadata);
    if (outcome == OUTCOME_OK) {
        memcpy(producer->offsets, commits, count * sizeof *commits);
        producer->offset_count = count;
        may_die(self);
    }
    trace(self, "send_offsets", outcome);
    return self->is_dead ? OUTCOME_STOP : outcome;
}

static bool has_offset_of(const struct sim_producer *producer, int partition)
{
    for (size_t i = 0; i < producer->offset_count; i++) {
        if (producer->offsets[i].partition == partition)
            return true;
    }
    return false;
}

/* Entries without their partition's offset in the same transaction: the group could not refuse them from a zombie. */
static void check_fencing(struct world *world, const struct sim_producer *producer)
{
    for (int p = 0; p < world->partition_count; p++) {
        const struct sim_log *log = &world->checkpoint[p];
        for (size_t i = log->count; i-- > 0 && !has_offset_of(producer, p);) {
            if (log->records[i].state == SIM_OPEN && log->records[i].transaction == producer->transaction)
                world_violate(world, "entries were committed without their partition's offset");
        }
    }
}

static enum outcome sim_commit(struct broker *broker)
{
    struct sim_broker *self = self_of(broker);
    struct world *world = self->world;
    struct sim_producer *producer = producer_of(self);
    if (!self->is_dead && !is_fenced(self) && producer->has_committed_unheard) { /* asked again: the answer is the same */
        producer->has_committed_unheard = false;
        return OUTCOME_OK;
    }
    enum outcome outcome = call_begins(self, true);
    if (outcome == OUTCOME_OK) {
        if (producer->transaction == 0)
            world_violate(world, "commit outside of a transaction");
        check_fencing(world, producer);
        world_end_transaction(world, producer, true);
        if (may_die(self))
            outcome = OUTCOME_STOP;
        else if (world_chance(world, world->faults.unheard)) {
            producer->has_committed_unheard = true;
            outcome = OUTCOME_RETRY;
        }
    }
    trace(self, "commit", outcome);
    return outcome;
}

static enum outcome sim_abort(struct broker *broker)
{
    struct sim_broker *self = self_of(broker);
    struct sim_producer *producer = producer_of(self);
    enum outcome outcome = call_begins(self, false);
    if (outcome == OUTCOME_OK && producer->has_committed_unheard)
        outcome = OUTCOME_STOP; /* librdkafka: a commit is under way, its end unknown */
    if (outcome == OUTCOME_OK)
        world_end_transaction(self->world, producer, false);
    trace(self, "abort", outcome);
    return outcome;
}

static enum outcome sim_tick(struct broker *broker, int32_t partition, int64_t timestamp_ms)
{
    struct sim_broker *self = self_of(broker);
    if (may_die(self) || !self->world->has_ticks)
        return OUTCOME_RETRY;
    world_append_input(self->world, partition, (struct view){0}, (struct view){0}, timestamp_ms);
    return OUTCOME_OK;
}

/* --- reading checkpoints */

static enum outcome sim_reader_add(struct broker *broker, int32_t partition)
{
    struct sim_broker *self = self_of(broker);
    if (may_die(self))
        return OUTCOME_STOP;
    self->is_reading[partition] = true;
    self->read_at[partition] = 0;
    return OUTCOME_OK;
}

static void sim_reader_remove(struct broker *broker, int32_t partition)
{
    self_of(broker)->is_reading[partition] = false;
}

static enum outcome sim_reader_poll(struct broker *broker, size_t records_max, int wait_ms, struct broker_batch *batch)
{
    struct sim_broker *self = self_of(broker);
    struct world *world = self->world;
    *batch = (struct broker_batch){.records = self->records, .ends = self->ends};
    if (may_die(self))
        return OUTCOME_STOP;
    world->clock.at_ms += random_below(&world->random, (uint32_t)wait_ms + 1);
    size_t most = random_below(&world->random, records_max < 512 ? (uint32_t)records_max : 512) + 1;
    for (int p = 0; p < world->partition_count; p++) {
        if (!self->is_reading[p])
            continue;
        const struct sim_log *log = &world->checkpoint[p];
        size_t end = log_stable_end(log);
        for (; self->read_at[p] < end && batch->count < most; self->read_at[p]++) {
            const struct sim_record *from = &log->records[self->read_at[p]];
            if (sim_is_visible(from))
                self->records[batch->count++] = (struct record){.topic = VIEW_LITERAL("checkpoint"),
                                                                .partition = p,
                                                                .offset = (int64_t)self->read_at[p],
                                                                .timestamp_ms = from->value ? from->timestamp_ms
                                                                                            : from->died_at_offset,
                                                                .note = from->value ? 0 : from->note,
                                                                .key = view_of(from->key, from->key_size),
                                                                .value = view_of(from->value, from->value_size)};
        }
        if (self->read_at[p] == log->count)
            self->ends[batch->end_count++] = (struct broker_place){p, (int64_t)log->count};
    }
    return OUTCOME_OK;
}

/* Keys here live where chance has put them. */
static int32_t sim_input_partitions(struct broker *broker)
{
    (void)broker;
    return 0;
}

static int32_t sim_partition_count(struct broker *broker, int topic)
{
    const struct world *world = self_of(broker)->world;
    return topic == BROKER_TO_CHECKPOINT ? world->partition_count : world->output_partitions;
}

/* --- coming and going */

static void sim_close(struct broker *broker)
{
    struct sim_broker *self = self_of(broker);
    struct world *world = self->world;
    if (!self->is_dead && !is_kicked(self) && !world->is_static) {
        for (int p = 0; p < world->partition_count; p++) {
            if (world->owner[p] == self->member)
                world->owner[p] = -1;
        }
        world->members[self->member] = (struct sim_member){0};
        world->generation++;
    } else if (!is_kicked(self)) {
        world->members[self->member].broker = NULL; /* crashed, or static: the group waits for it until its session ends */
    }
    free(self);
}

static enum outcome sim_origin_ids(struct broker *broker, bool is_fresh, struct broker_ids *ids)
{
    (void)broker, (void)is_fresh;
    *ids = (struct broker_ids){{WORLD_INPUT_ID, WORLD_CHECKPOINT_ID}};
    return OUTCOME_OK;
}

static bool sim_is_input_gone(struct broker *broker)
{
    (void)broker;
    return false;
}

static bool sim_is_output_gone(struct broker *broker)
{
    (void)broker;
    return false;
}

static const struct broker_port sim_port = {
    .poll = sim_poll,
    .committed = sim_committed,
    .assign = sim_assign,
    .resume = sim_resume,
    .unassign = sim_unassign,
    .begin_offset = sim_begin_offset,
    .end_offset = sim_end_offset,
    .input_partitions = sim_input_partitions,
    .origin_ids = sim_origin_ids,
    .is_input_gone = sim_is_input_gone,
    .is_output_gone = sim_is_output_gone,
    .begin = sim_begin,
    .produce = sim_produce,
    .send_offsets = sim_send_offsets,
    .commit = sim_commit,
    .abort = sim_abort,
    .tick = sim_tick,
    .reader_add = sim_reader_add,
    .reader_remove = sim_reader_remove,
    .reader_poll = sim_reader_poll,
    .partition_count = sim_partition_count,
    .close = sim_close,
};

/* The same static member back: it gets its partitions at once, to be assigned anew. */
static void take_place(struct sim_broker *self, int number)
{
    struct world *world = self->world;
    self->member = number;
    world->members[number] = (struct sim_member){
        .is_known = true, .generation = world->generation, .seen_at_ms = world->clock.at_ms, .broker = self, .slot = self->slot};
    for (int p = 0; p < world->partition_count; p++) {
        if (world->owner[p] != number)
            continue;
        self->event = BROKER_ASSIGNED;
        self->event_partitions[self->event_count++] = p;
    }
}

struct broker *sim_broker_create(struct world *world, int slot)
{
    struct sim_broker *self = memory_zeroed(1, sizeof *self);
    *self = (struct sim_broker){.broker = {&sim_port}, .world = world, .slot = slot};
    struct sim_producer *producer = &world->producers[slot];
    if (producer->transaction)
        world_end_transaction(world, producer, false);
    producer->has_committed_unheard = false;
    self->epoch = ++producer->epoch;

    int number = -1;
    for (int i = 0; i < WORLD_MEMBERS_MAX; i++) {
        const struct sim_member *member = &world->members[i];
        if (world->is_static && member->is_known && member->slot == slot)
            number = i;
    }
    for (int i = 0; i < WORLD_MEMBERS_MAX && number < 0; i++) {
        if (!world->members[i].is_known)
            number = i;
    }
    if (number < 0) { /* all seats taken by the dead: come back when a session is over */
        free(self);
        return NULL;
    }
    take_place(self, number);
    world_balance(world);
    return &self->broker;
}

void sim_broker_kill(struct broker *broker)
{
    self_of(broker)->is_dead = true;
}

void sim_broker_freeze(struct broker *broker, bool is_frozen)
{
    self_of(broker)->is_frozen = is_frozen;
}

bool sim_broker_is_dead(const struct broker *broker)
{
    return ((const struct sim_broker *)broker)->is_dead;
}
