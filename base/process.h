/* What a process says of itself. Any thread. */
#ifndef TS_BASE_PROCESS_H
#define TS_BASE_PROCESS_H

#include "base/http_server.h"

#include <stdint.h>

struct process_memory {
    int64_t virtual_bytes, resident_bytes; /* 0: the kernel does not say */
};
struct process_memory process_memory(void);

/* Answers GET /metrics: all of metrics.h, and by the names that all of Prometheus' clients use CPU, memory, descriptors, since when it runs, and which
 * version it is. */
void process_answer_metrics(struct http_exchange *exchange);

#endif
