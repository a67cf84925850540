#include "base/percent_text.h"

#include <string.h>

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);
    return c && at ? (int)(at - digits) : -1;
}

void percent_decode(struct bytes *out, struct view text)
{
    bytes_clear(out);
    for (size_t i = 0; i < text.size; i++) {
        int high = text.data[i] == '%' && i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
        bytes_append_byte(out, low >= 0 ? (uint8_t)(high * 16 + low) : (uint8_t)text.data[i]);
        i += low >= 0 ? 2 : 0;
    }
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
