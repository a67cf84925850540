/* How librdkafka's threads wait. See waits.c, which also brings what the linker takes for libc's in their place. */
#ifndef TS_ENGINE_KAFKA_WAITS_H
#define TS_ENGINE_KAFKA_WAITS_H

#include <librdkafka/rdkafka.h>

/* The main thread of a handle that is made of it naps where it would spin. */
void kafka_waits_nap(rd_kafka_conf_t *conf);

#endif
