#include "base/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

size_t signature_hmac(unsigned char out[SIGNATURE_SIZE_MAX], enum signature_hash hash, struct view secret, struct view message)
{
    unsigned int size = SIGNATURE_SIZE_MAX;
    HMAC(hash == SIGNATURE_SHA1 ? EVP_sha1() : EVP_sha256(), secret.data ? secret.data : "", (int)secret.size,
         (const unsigned char *)message.data, message.size, out, &size);
    return size;
}

void signature_hmac_sha256(unsigned char out[SIGNATURE_SIZE], struct view secret, struct view message)
{
    signature_hmac(out, SIGNATURE_SHA256, secret, message);
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

static int base64_value(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/* Not EVP_DecodeBlock: it counts padding as bytes and skips white space. */
bool signature_read_base64(struct bytes *out, struct view text)
{
    size_t before = out->size;
    unsigned bits = 0, value = 0;
    while (text.size && text.data[text.size - 1] == '=')
        text.size--;
    for (size_t i = 0; i < text.size; i++) {
        int six = base64_value(text.data[i]);
        if (six < 0 || text.size % 4 == 1) {
            out->size = before;
            return false;
        }
        value = (value << 6 | (unsigned)six) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes_append_byte(out, (unsigned char)(value >> bits));
        }
    }
    return true;
}

bool signature_equal(struct view a, struct view b)
{
    return a.size == b.size && CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}
