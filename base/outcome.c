#include "base/outcome.h"

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {"ok", "park", "retry", "redo", "stop"};
    return names[outcome];
}
