/* What any process tells of itself, by the names that all of Prometheus' clients use: CPU, memory, descriptors, since when it runs, and which version it is. */
#ifndef TS_BASE_PROCESS_METRICS_H
#define TS_BASE_PROCESS_METRICS_H

/* Reads them anew; before metrics_render. Any thread. */
void process_metrics_update(void);

#endif
