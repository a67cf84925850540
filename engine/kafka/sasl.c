#include "engine/kafka/sasl.h"

#include "base/address.h"
#include "base/log.h"
#include "base/scram.h"
#include "base/signature.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum { KAFKA_PORT = 9092 };

enum mechanism { NONE, PLAIN, SCRAM_256, SCRAM_512, FOREIGN };

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static enum mechanism mechanism_of(const struct kafka_settings *kafka)
{
    const char *mechanism = text_or_empty(kafka->sasl_mechanism);
    return !kafka_wants_login(kafka)                     ? NONE
           : strcasecmp(mechanism, "PLAIN") == 0         ? PLAIN
           : strcasecmp(mechanism, "SCRAM-SHA-256") == 0 ? SCRAM_256
           : strcasecmp(mechanism, "SCRAM-SHA-512") == 0 ? SCRAM_512
                                                         : FOREIGN;
}

bool sasl_is_foreign(const struct kafka_settings *kafka)
{
    return mechanism_of(kafka) == FOREIGN;
}

static bool fail(struct protocol *protocol, const char *reason, struct view said)
{
    char text[256];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGUMENTS(said));
    if (!protocol->is_broken) /* else the connection went, which whoever asks will see */
        log_warning("a broker refuses the login with which it is asked directly, for topics' ids and transactions left open", "reason", reason, "broker", text, NULL);
    protocol->is_broken = true;
    return false;
}

static bool shake_hands(struct protocol *protocol, const char *mechanism)
{
    protocol_begin(protocol, PROTOCOL_SASL_HANDSHAKE, 1, false);
    protocol_put_text(protocol, mechanism);
    protocol_ask(protocol);
    int16_t error = protocol_get_int16(protocol);
    return error == 0 && !protocol->is_broken ? true : fail(protocol, "it does not know the mechanism", view_of_text(mechanism));
}

/* `said` is valid until the next ask. */
static bool say(struct protocol *protocol, struct view bytes, struct view *said)
{
    protocol_begin(protocol, PROTOCOL_SASL_AUTHENTICATE, 0, false);
    protocol_put_bytes(protocol, bytes);
    protocol_ask(protocol);
    int16_t error = protocol_get_int16(protocol);
    struct view reason = protocol_get_text(protocol);
    *said = protocol_get_bytes(protocol);
    return error == 0 && !protocol->is_broken ? true : fail(protocol, "wrong name or password", reason);
}

static bool log_in_plainly(struct protocol *protocol, const struct kafka_settings *kafka)
{
    struct bytes both = {0};
    struct view said;
    bytes_append_byte(&both, '\0');
    bytes_append_text(&both, text_or_empty(kafka->sasl_username));
    bytes_append_byte(&both, '\0');
    bytes_append_text(&both, text_or_empty(kafka->sasl_password));
    bool is_in = say(protocol, bytes_view(&both), &said);
    bytes_finish(&both);
    return is_in;
}

/* Three messages to and fro; the last one says that the broker knows the password, too. */
static bool converse(struct protocol *protocol, struct scram *scram, const char *password, struct bytes *message)
{
    struct view said;
    if (!say(protocol, bytes_view(message), &said))
        return false;
    bytes_clear(message);
    if (!scram_answer(scram, said, password, message))
        return fail(protocol, "its side of SCRAM cannot be read", said);
    return say(protocol, bytes_view(message), &said) && (scram_is_server(scram, said) || fail(protocol, "it does not know the password itself", said));
}

static bool log_in_by_scram(struct protocol *protocol, const struct kafka_settings *kafka, enum scram_hash hash)
{
    unsigned char random[24];
    struct bytes nonce = {0}, message = {0};
    struct scram scram;
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return fail(protocol, "no random numbers to be had", VIEW_LITERAL(""));
    signature_append_hex(&nonce, view_of((const char *)random, sizeof random));
    bytes_append_byte(&nonce, '\0');
    scram_begin(&scram, hash, text_or_empty(kafka->sasl_username), nonce.data, &message);
    bool is_in = converse(protocol, &scram, text_or_empty(kafka->sasl_password), &message);
    scram_finish(&scram);
    bytes_finish(&message);
    bytes_finish(&nonce);
    return is_in;
}

bool sasl_log_in(struct protocol *protocol, const struct kafka_settings *kafka)
{
    enum mechanism mechanism = mechanism_of(kafka);
    if (mechanism == NONE)
        return true;
    if (mechanism == FOREIGN)
        return fail(protocol, "a mechanism that is not ours", view_of_text(text_or_empty(kafka->sasl_mechanism)));
    static const char *const names[] = {[PLAIN] = "PLAIN", [SCRAM_256] = "SCRAM-SHA-256", [SCRAM_512] = "SCRAM-SHA-512"};
    if (!shake_hands(protocol, names[mechanism]))
        return false;
    return mechanism == PLAIN ? log_in_plainly(protocol, kafka)
                              : log_in_by_scram(protocol, kafka, mechanism == SCRAM_256 ? SCRAM_SHA_256 : SCRAM_SHA_512);
}

bool sasl_connect(struct protocol *protocol, const struct kafka_settings *kafka, const char *host, const char *port)
{
    return protocol_connect(protocol, kafka, host, port) && sasl_log_in(protocol, kafka);
}

bool sasl_connect_to(struct protocol *protocol, const struct kafka_settings *kafka, const char *broker)
{
    struct address address;
    const char *scheme = strstr(broker, "://");
    char port[16];
    *protocol = (struct protocol){.channel.socket = -1, .is_broken = true};
    if (!address_read(scheme ? scheme + 3 : broker, KAFKA_PORT, &address))
        return false;
    snprintf(port, sizeof port, "%d", address.port);
    return sasl_connect(protocol, kafka, address.host, port);
}
