#include "tests/sim/subject.h"
#include "tests/sim/toy_model.h"

#include <stdio.h>

enum { KEYS_PER_PARTITION = 6 };

static void append_input(struct world *world, int64_t *number)
{
    int count = 1 + (int)random_below(&world->random, 12);
    for (int i = 0; i < count; i++) {
        int partition = (int)random_below(&world->random, (uint32_t)world->partition_count);
        char key[32], value[64];
        int key_size = snprintf(key, sizeof key, "p%d-c%u", partition, random_below(&world->random, KEYS_PER_PARTITION));
        int64_t at_ms = world->clock.at_ms - random_below(&world->random, 4000);
        if (world_chance(world, 0.02))
            at_ms -= 60000;
        int value_size = world_chance(world, 0.05)   ? snprintf(value, sizeof value, "%lld forget", (long long)at_ms)
                         : world_chance(world, 0.03) ? snprintf(value, sizeof value, "nonsense %lld", (long long)*number)
                                                     : snprintf(value, sizeof value, "%lld %u", (long long)at_ms,
                                                                random_below(&world->random, 100));
        ++*number;
        world_append_input(world, partition, view_of(key, (size_t)key_size), view_of(value, (size_t)value_size),
                           world->clock.at_ms);
    }
}

static void audit(struct world *world, struct world *reference, char *failure, size_t failure_size)
{
    (void)reference;
    toy_model_audit(world, failure, failure_size);
}

const struct sim_subject toy_subject = {
    .name = "toy", .processor = &toy_processor, .append_input = append_input, .audit = audit};
