#include "base/percent_text.h"

#include <string.h>

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);
    return c && at ? (int)(at - digits) : -1;
}

/* What the code at `at` stands for; −1: there is none. */
static int code_at(struct view text, size_t at)
{
    int high = text.data[at] == '%' && at + 2 < text.size ? hex_digit(text.data[at + 1]) : -1;
    int low = high >= 0 ? hex_digit(text.data[at + 2]) : -1;
    return low >= 0 ? high * 16 + low : -1;
}

/* `only` NULL: all of them. */
static void decode(struct bytes *out, struct view text, const char *only)
{
    bytes_clear(out);
    for (size_t i = 0; i < text.size; i++) {
        int code = code_at(text, i);
        bool is_read = only ? code > 0 && strchr(only, code) : code >= 0;
        bytes_append_byte(out, is_read ? (uint8_t)code : (uint8_t)text.data[i]);
        i += is_read ? 2 : 0;
    }
}

void percent_decode(struct bytes *out, struct view text)
{
    decode(out, text, NULL);
}

void percent_decode_only(struct bytes *out, struct view text, const char *characters)
{
    decode(out, text, characters);
}

void percent_append(struct bytes *out, struct view text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < text.size; i++) {
        if (memchr(plain, text.data[i], sizeof plain - 1))
            bytes_append_byte(out, (uint8_t)text.data[i]);
        else
            bytes_printf(out, "%%%02X", (unsigned char)text.data[i]);
    }
}
