/* Can a receiver be reached, and does it take a message? For `touchstream check` and `touchstream notify --test`. */
#ifndef TS_SINKS_NOTIFY_PROBE_H
#define TS_SINKS_NOTIFY_PROBE_H

#include "base/clock.h"
#include "sinks/notify/receivers.h"

struct probe {
    bool is_good;
    char text[700]; /* for people; of the URL no more than scheme and host: the rest may be a secret */
};

enum { PROBE_CONNECT_MS = 3000 };

/* One alert, marked as a test, as any other would be sent; once. At PagerDuty, which has an incident by then, its end as well. Blocks for ten seconds
 * at most for each. */
void probe_send(const struct notify_settings *settings, const struct receiver *receiver, struct clock *clock, struct probe *probe);

/* Connects to all of them at once, with TLS where the URL says so, and sends nothing. Blocks for PROBE_CONNECT_MS at most. */
void probe_connect(const struct receiver *receivers, size_t count, struct probe *probes);

#endif
