#include "tests/bench/shared/stages.h"

#include "schemas/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void bench_stages_open(struct bench_stages *stages)
{
    struct bytes error = {0};
    *stages = (struct bench_stages){0};
    stages->sections[0] = (struct settings_section){journey_setting_rows, &stages->journey_settings};
    stages->sections[1] = (struct settings_section){case_setting_rows, &stages->journey_settings.cases};
    stages->sections[2] = (struct settings_section){kpi_setting_rows, &stages->kpi_settings};
    stages->file = settings_load(NULL, stages->sections, 3, &error);
    stages->journey = (struct journey_shared){.settings = &stages->journey_settings, .time_zone = "UTC", .ids = {1, 1, 1, 1, 1, 1}};
    stages->journey.touchpoints = record_reader_create(&touchpoint_shape, NULL);
    stages->kpi = (struct kpi_shared){.settings = &stages->kpi_settings, .ids = {1, 2, 3, 4}};
    stages->kpi.deltas = record_reader_create(&kpi_delta_shape, NULL);
    record_reader_learn(stages->journey.touchpoints, BENCH_SCHEMA_ID);
    record_reader_learn(stages->kpi.deltas, BENCH_SCHEMA_ID);
    if (stages->file && journey_shared_init(&stages->journey, &error) && kpi_shared_init(&stages->kpi, &error))
        return;
    fprintf(stderr, "bench: %s\n", bytes_text(&error));
    exit(2);
}

void bench_stages_close(struct bench_stages *stages)
{
    journey_shared_finish(&stages->journey);
    kpi_shared_finish(&stages->kpi);
    record_reader_destroy(stages->journey.touchpoints);
    record_reader_destroy(stages->kpi.deltas);
    settings_destroy(stages->file);
}

void bench_encode_touchpoint(struct bytes *out, const struct touchpoint *touch)
{
    bytes_clear(out);
    wire_begin(out, BENCH_SCHEMA_ID);
    touchpoint_encode(out, touch);
}

double bench_cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_resident_bytes(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmRSS: %ld", &kib);
    if (status)
        fclose(status);
    return (double)kib * 1024;
}
