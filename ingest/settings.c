#include "ingest/settings.h"

#include "base/clock.h"
#include "base/http_server.h"

const struct setting ingest_setting_rows[] = {
    SETTING_TEXT(struct ingest_settings, listen, "ingest.listen", .standard_text = "127.0.0.1:8080",
                 .about = "Where the collector listens, host:port."),
    SETTINGS_SERVED_TLS(struct ingest_settings, tls, "ingest", "INGEST", "the collector speaks"),
    SETTING_TEXT(struct ingest_settings, token, "ingest.token", .is_secret = true,
                 .about = "A bearer token that may send for any source; better given as TOUCHSTREAM_INGEST_TOKEN."),
    SETTING_TREE(struct ingest_settings, sources, "ingest.sources",
                 .about = "A list of sources: name, and token (bearer) or secret (HMAC-SHA256 of the body), signature_header, "
                          "rate (records a second). Without any of these and without ingest.token everyone may send, which "
                          "is only allowed on a loopback address."),
    SETTING_TEXT(struct ingest_settings, mappings_dir, "ingest.mappings_dir",
                 .about = "A folder of your own mappings, NAME.jq; they go before the shipped ones of the same name."),
    SETTING_DURATION(struct ingest_settings, mapping_ms_max, "ingest.mapping_time", .standard = SECONDS(10), .least = 100,
                     .most = MINUTES(10), .about = "A mapping that is not done with a row or payload within this time is stopped, and that rejected."),
    SETTING_INTEGER(struct ingest_settings, threads, "ingest.threads", .standard = 1, .least = 1, .most = 64,
                    .about = "Threads that read, check and encode requests."),
    SETTING_BYTES(struct ingest_settings, body_bytes_max, "ingest.body_max", .standard = 8 << 20, .least = 1024,
                  .most = 1 << 30, .about = "A larger request body is 413; a single record is at most 1 MiB in any case."),
    SETTING_BYTES(struct ingest_settings, header_bytes_max, "ingest.header_max", .standard = 16 << 10, .least = 4096,
                  .most = 1 << 20, .about = "Request line and headers together."),
    SETTING_DURATION(struct ingest_settings, request_ms_max, "ingest.request_time", .standard = SECONDS(30), .least = SECONDS(1),
                     .most = MINUTES(10), .about = "A request must be complete within this time, or its connection is closed."),
    SETTING_INTEGER(struct ingest_settings, connections_max, "ingest.connections_max", .standard = 1000, .least = 1,
                    .most = 100000, .about = "Open connections; further ones are turned away."),
    SETTING_INTEGER(struct ingest_settings, queue_messages_max, "ingest.queue_max", .standard = 200000, .least = 1000,
                    .most = 10000000, .about = "Records on their way to Kafka; beyond it requests are answered 503."),
    SETTING_DURATION(struct ingest_settings, acknowledge_ms_max, "ingest.acknowledge_time", .standard = SECONDS(10),
                     .least = SECONDS(1), .most = MINUTES(5),
                     .about = "Kafka must acknowledge within this time, or the request is answered 503."),
    SETTING_DURATION(struct ingest_settings, drain_ms_max, "ingest.drain_time", .standard = SECONDS(15), .least = 0,
                     .most = MINUTES(10), .about = "At SIGTERM requests being handled may take this long to end."),
    SETTING_END};
