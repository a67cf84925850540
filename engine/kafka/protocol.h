/* Requests that librdkafka 2.0 has no call for, spoken with a broker directly, over TLS where the settings say so; sasl.h logs in.
 *
 * One request at a time: begin, put…, ask, get…. Whatever goes wrong (no connection, no answer within 3 s, an answer that ends too
 * early) is remembered: from then on nothing is sent and all that is got is 0 and null. So only the end needs a look at is_broken. */
#ifndef TS_ENGINE_KAFKA_PROTOCOL_H
#define TS_ENGINE_KAFKA_PROTOCOL_H

#include "base/bytes.h"
#include "base/channel.h"
#include "base/view.h"
#include "engine/kafka_settings.h"

#include <stdbool.h>
#include <stdint.h>

enum protocol_request {
    PROTOCOL_METADATA = 3,
    PROTOCOL_FIND_COORDINATOR = 10,
    PROTOCOL_SASL_HANDSHAKE = 17,
    PROTOCOL_WRITE_MARKERS = 27,
    PROTOCOL_SASL_AUTHENTICATE = 36,
    PROTOCOL_DESCRIBE_PRODUCERS = 61,
    PROTOCOL_DESCRIBE_TRANSACTIONS = 65,
    PROTOCOL_LIST_TRANSACTIONS = 66
};

struct protocol {
    struct channel channel; /* its socket −1: none */
    struct bytes out, in;
    size_t read_at;
    int32_t number;
    bool is_flexible; /* this request's texts and counts are of the compact kind, with tags after each group of fields */
    bool is_broken;
};

/* `host` and `port` as text. false: no connection within 2 s, or no trust in who is there (the log says why). Close in any case. */
bool protocol_connect(struct protocol *protocol, const struct kafka_settings *kafka, const char *host, const char *port);
void protocol_close(struct protocol *protocol);

void protocol_begin(struct protocol *protocol, enum protocol_request request, int version, bool is_flexible);
void protocol_put_int8(struct protocol *protocol, int8_t value);
void protocol_put_int16(struct protocol *protocol, int16_t value);
void protocol_put_int32(struct protocol *protocol, int32_t value);
void protocol_put_int64(struct protocol *protocol, int64_t value);
void protocol_put_text(struct protocol *protocol, const char *text);
void protocol_put_bytes(struct protocol *protocol, struct view bytes); /* not in flexible requests */
void protocol_put_count(struct protocol *protocol, size_t count);
void protocol_put_tags(struct protocol *protocol); /* none; nothing in requests that are not flexible */

/* Sends what was put and waits for the answer. false: is_broken. */
bool protocol_ask(struct protocol *protocol);

int8_t protocol_get_int8(struct protocol *protocol);
int16_t protocol_get_int16(struct protocol *protocol);
int32_t protocol_get_int32(struct protocol *protocol);
int64_t protocol_get_int64(struct protocol *protocol);
struct view protocol_get_text(struct protocol *protocol); /* valid until the next ask */
struct view protocol_get_bytes(struct protocol *protocol); /* valid until the next ask; not in flexible requests */
size_t protocol_get_count(struct protocol *protocol);
void protocol_get_tags(struct protocol *protocol); /* passes over them */

#endif
