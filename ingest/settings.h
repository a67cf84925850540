/* The collector's settings, and the folder of an operator's own mappings. */
#ifndef TS_INGEST_SETTINGS_H
#define TS_INGEST_SETTINGS_H

#include "base/settings.h"
#include "base/tls.h"

struct ingest_settings {
    char *listen;
    struct tls_options tls; /* HTTPS where certificate and key are given */
    char *mappings_dir;
    char *token;
    const struct settings_node *sources; /* list of {name, token, secret, signature_header, rate}; see sources.h */
    int64_t threads, body_bytes_max, header_bytes_max, request_ms_max, mapping_ms_max, connections_max;
    int64_t queue_messages_max, acknowledge_ms_max, drain_ms_max;
};

extern const struct setting ingest_setting_rows[];

#endif
