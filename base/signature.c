#include "base/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void signature_hmac_sha256(unsigned char out[SIGNATURE_SIZE], struct view secret, struct view message)
{
    unsigned int size = SIGNATURE_SIZE;
    HMAC(EVP_sha256(), secret.data ? secret.data : "", (int)secret.size, (const unsigned char *)message.data, message.size,
         out, &size);
}

void signature_append_hex(struct bytes *out, struct view raw)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < raw.size; i++) {
        unsigned char byte = (unsigned char)raw.data[i];
        bytes_append_byte(out, (unsigned char)digits[byte >> 4]);
        bytes_append_byte(out, (unsigned char)digits[byte & 15]);
    }
}

void signature_append_base64(struct bytes *out, struct view raw)
{
    bytes_reserve(out, raw.size / 3 * 4 + 5);
    out->size += (size_t)EVP_EncodeBlock((unsigned char *)out->data + out->size, (const unsigned char *)raw.data, (int)raw.size);
}

bool signature_equal(struct view a, struct view b)
{
    return a.size == b.size && CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}
