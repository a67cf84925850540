/* The auditor: what the toy processor should have done, worked out from the input alone with plain arrays and loops, and compared
 * with every committed output, every entry and every committed offset of a world in which all workers have left cleanly. */
#ifndef TS_TESTS_SIM_TOY_MODEL_H
#define TS_TESTS_SIM_TOY_MODEL_H

#include "tests/sim/toy.h"
#include "tests/sim/world.h"

/* Leaves `failure` empty when all is as it should be. */
void toy_model_audit(struct world *world, char *failure, size_t failure_size);

#endif
