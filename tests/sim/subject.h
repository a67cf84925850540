/* What a simulation is about: a processor, the traffic it gets, and who judges what came of it. */
#ifndef TS_TESTS_SIM_SUBJECT_H
#define TS_TESTS_SIM_SUBJECT_H

#include "tests/sim/world.h"

struct sim_subject {
    const char *name;
    const struct processor *processor;
    void *(*open)(void); /* what the tasks share; NULL: nothing */
    void (*close)(void *shared);
    void (*append_input)(struct world *world, int64_t *number); /* a few records */
    /* Leaves `failure` empty when all is as it should be. `reference` has the same input, worked off by one worker without any
     * fault; NULL when not asked for. */
    void (*audit)(struct world *world, struct world *reference, char *failure, size_t failure_size);
    bool wants_reference;
};

extern const struct sim_subject toy_subject;
extern const struct sim_subject journey_subject;
extern const struct sim_subject forgetful_journey_subject;
extern const struct sim_subject kpi_subject;

#endif
