/* kafka.properties: what users set of librdkafka by its own names, as far as it is about the connection. How records are read and written is the
 * engine's; what it promises hangs on it. */
#ifndef TS_ENGINE_KAFKA_PROPERTIES_H
#define TS_ENGINE_KAFKA_PROPERTIES_H

#include "base/settings.h"

#include <librdkafka/rdkafka.h>

/* Sets those that kafka_properties_check (kafka_settings.h) has let pass. NULL: none. */
void kafka_properties_set(rd_kafka_conf_t *conf, const struct settings_node *properties);

#endif
