/* What the benches have in common: both stages with every setting at its standard and all schemas known, and what a process used. */
#ifndef TS_TESTS_BENCH_STAGES_H
#define TS_TESTS_BENCH_STAGES_H

#include "processors/journey/journey.h"
#include "processors/kpi/kpi.h"

enum { BENCH_SCHEMA_ID = 1 }; /* of touchpoints and deltas alike: they never meet in one topic */

struct bench_stages {
    struct journey_settings journey_settings; /* may be changed until a task is made */
    struct kpi_settings kpi_settings;
    struct settings_section sections[3];
    struct settings_file *file;
    struct journey_shared journey;
    struct kpi_shared kpi;
};

void bench_stages_open(struct bench_stages *stages); /* stays where it is; ends the process when it cannot */
void bench_stages_close(struct bench_stages *stages);

/* A touchpoint as it stands in Kafka, in place of what `out` held. */
void bench_encode_touchpoint(struct bytes *out, const struct touchpoint *touch);

double bench_cpu_seconds(void); /* of this process until now */
double bench_resident_bytes(void);

#endif
