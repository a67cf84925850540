#include "base/uuid.h"

/* One SHA-1 of a few bytes: the interface that OpenSSL prefers looks its algorithm up anew each time, which takes ten times as long. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stdlib.h>

static const struct uuid NAMESPACE_URL = {
    {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool uuid_parse(struct uuid *out, struct view text)
{
    if (text.size != UUID_TEXT_SIZE)
        return false;
    size_t byte = 0;
    for (size_t i = 0; i < UUID_TEXT_SIZE;) {
        if (is_dash_place(i)) {
            if (text.data[i] != '-')
                return false;
            i++;
            continue;
        }
        int high = hex_value(text.data[i]), low = hex_value(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->bytes[byte++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return true;
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (is_dash_place(at))
            text[at++] = '-';
        text[at++] = digits[uuid->bytes[i] >> 4];
        text[at++] = digits[uuid->bytes[i] & 15];
    }
    text[at] = '\0';
}

struct uuid uuid_version5(const struct uuid *space, struct view name)
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA_CTX sha1;
    if (!SHA1_Init(&sha1) || !SHA1_Update(&sha1, space->bytes, sizeof space->bytes) ||
        !SHA1_Update(&sha1, name.data, name.size) || !SHA1_Final(digest, &sha1))
        abort(); /* it cannot fail */
    struct uuid uuid;
    memcpy(uuid.bytes, digest, sizeof uuid.bytes);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x50);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

struct uuid uuid_of_source(struct view source, struct view id)
{
    struct uuid uuid;
    if (uuid_parse(&uuid, id))
        return uuid;
    struct uuid space = uuid_version5(&NAMESPACE_URL, source);
    return uuid_version5(&space, id);
}
