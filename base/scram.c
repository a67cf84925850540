#include "base/scram.h"

#include "base/signature.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define CLIENT_HEADER "n,,"
#define CLIENT_HEADER_BASE64 "biws"

static const EVP_MD *digest_of(enum scram_hash hash)
{
    return hash == SCRAM_SHA_256 ? EVP_sha256() : EVP_sha512();
}

static size_t digest_size(const struct scram *scram)
{
    return scram->hash == SCRAM_SHA_256 ? 32 : 64;
}

static void sign(const struct scram *scram, const unsigned char *key, struct view message, unsigned char *out)
{
    unsigned int size = SCRAM_DIGEST_MAX;
    HMAC(digest_of(scram->hash), key, (int)digest_size(scram), (const unsigned char *)message.data, message.size, out, &size);
}

/* Commas part the attributes, so names write theirs otherwise. */
static void append_name(struct bytes *out, const char *name)
{
    for (; *name; name++) {
        if (*name == ',' || *name == '=')
            bytes_append_text(out, *name == ',' ? "=2C" : "=3D");
        else
            bytes_append_byte(out, (unsigned char)*name);
    }
}

void scram_begin(struct scram *scram, enum scram_hash hash, const char *user, const char *nonce, struct bytes *out)
{
    *scram = (struct scram){.hash = hash, .nonce_size = strlen(nonce)};
    bytes_append_text(&scram->first, "n=");
    append_name(&scram->first, user);
    bytes_append_text(&scram->first, ",r=");
    bytes_append_text(&scram->first, nonce);
    scram->nonce = scram->first.data + scram->first.size - scram->nonce_size;
    bytes_append_text(out, CLIENT_HEADER);
    bytes_append_view(out, bytes_view(&scram->first));
}

void scram_finish(struct scram *scram)
{
    bytes_finish(&scram->first);
}

/* "r=…,s=…,i=…": what stands behind `name`. */
static bool attribute_find(struct view message, char name, struct view *value)
{
    if (message.size == 0) /* perhaps of no bytes at all */
        return false;
    const char *at = message.data, *end = message.data + message.size;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;
        if (stop - at >= 2 && at[0] == name && at[1] == '=') {
            *value = view_of(at + 2, (size_t)(stop - at - 2));
            return true;
        }
        at = stop + 1;
    }
    return false;
}

static bool count_read(struct view text, int *count)
{
    *count = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *count > SCRAM_ITERATIONS_MAX)
            return false;
        *count = 10 * *count + (text.data[i] - '0');
    }
    return *count > 0 && *count <= SCRAM_ITERATIONS_MAX;
}

static bool is_our_nonce(const struct scram *scram, struct view nonce)
{
    return nonce.size > scram->nonce_size && memcmp(nonce.data, scram->nonce, scram->nonce_size) == 0;
}

/* RFC 5802, section 3: the proof is what only who knows the password can make, and shows nothing of it. */
static void prove(struct scram *scram, const unsigned char *salted, struct view agreed, unsigned char *proof)
{
    unsigned char client_key[SCRAM_DIGEST_MAX], stored_key[SCRAM_DIGEST_MAX], server_key[SCRAM_DIGEST_MAX];
    size_t size = digest_size(scram);
    sign(scram, salted, VIEW_LITERAL("Client Key"), client_key);
    EVP_Digest(client_key, size, stored_key, NULL, digest_of(scram->hash), NULL);
    sign(scram, stored_key, agreed, proof);
    for (size_t i = 0; i < size; i++)
        proof[i] ^= client_key[i];
    sign(scram, salted, VIEW_LITERAL("Server Key"), server_key);
    sign(scram, server_key, agreed, scram->server_signature);
}

bool scram_answer(struct scram *scram, struct view message, const char *password, struct bytes *out)
{
    struct view nonce, salt_text, count_text;
    struct bytes salt = {0}, agreed = {0};
    unsigned char salted[SCRAM_DIGEST_MAX], proof[SCRAM_DIGEST_MAX];
    int size = (int)digest_size(scram), count;
    bool is_read = attribute_find(message, 'r', &nonce) && is_our_nonce(scram, nonce) && attribute_find(message, 's', &salt_text) &&
                   attribute_find(message, 'i', &count_text) && count_read(count_text, &count) && signature_read_base64(&salt, salt_text) &&
                   salt.size && PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)salt.data, (int)salt.size, count,
                                                  digest_of(scram->hash), size, salted) == 1;
    if (is_read) {
        size_t before = out->size;
        bytes_append_text(out, "c=" CLIENT_HEADER_BASE64 ",r=");
        bytes_append_view(out, nonce);
        bytes_append_view(&agreed, bytes_view(&scram->first));
        bytes_append_byte(&agreed, ',');
        bytes_append_view(&agreed, message);
        bytes_append_byte(&agreed, ',');
        bytes_append(&agreed, out->data + before, out->size - before);
        prove(scram, salted, bytes_view(&agreed), proof);
        bytes_append_text(out, ",p=");
        signature_append_base64(out, view_of((const char *)proof, (size_t)size));
    }
    bytes_finish(&salt);
    bytes_finish(&agreed);
    return is_read;
}

bool scram_is_server(const struct scram *scram, struct view message)
{
    struct view text;
    struct bytes signature = {0};
    bool is_server = attribute_find(message, 'v', &text) && signature_read_base64(&signature, text) &&
                     signature_equal(bytes_view(&signature), view_of((const char *)scram->server_signature, digest_size(scram)));
    bytes_finish(&signature);
    return is_server;
}
