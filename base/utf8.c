#include "base/utf8.h"

/* Length of the well-formed sequence at `p` (RFC 3629, the table in section 4); 0: broken. */
static size_t sequence_length(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < length)
        return 0;
    unsigned char least = 0x80, most = 0xbf; /* of the second byte */
    if (p[0] == 0xe0)
        least = 0xa0;
    else if (p[0] == 0xed)
        most = 0x9f;
    else if (p[0] == 0xf0)
        least = 0x90;
    else if (p[0] == 0xf4)
        most = 0x8f;
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* Most texts are short and plain: no byte of them is looked at alone, the last word overlaps the one before. */
static bool is_ascii(const unsigned char *p, size_t size)
{
    uint64_t word, seen = 0;
    if (size < 4)
        return size == 0 || ((p[0] | p[size / 2] | p[size - 1]) & 0x80) == 0;
    if (size < 8) {
        uint32_t first, last;
        memcpy(&first, p, 4);
        memcpy(&last, p + size - 4, 4);
        return ((first | last) & 0x80808080u) == 0;
    }
    for (size_t at = 0; at + 8 <= size; at += 8) {
        memcpy(&word, p + at, 8);
        seen |= word;
    }
    memcpy(&word, p + size - 8, 8);
    return ((seen | word) & 0x8080808080808080u) == 0;
}

bool utf8_is_valid(struct view text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t left = text.size;
    if (is_ascii(p, left))
        return true;
    while (left) {
        uint64_t word;
        if (left >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0)) {
            p += 8;
            left -= 8;
            continue;
        }
        size_t length = sequence_length(p, left);
        if (length == 0)
            return false;
        p += length;
        left -= length;
    }
    return true;
}

uint32_t utf8_next(struct view text, size_t *at)
{
    const unsigned char *p = (const unsigned char *)text.data + *at;
    size_t length = sequence_length(p, text.size - *at);
    *at += length ? length : 1;
    switch (length) {
    case 1:
        return p[0];
    case 2:
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    case 3:
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    default:
        return 0xfffd;
    }
}

struct view utf8_prefix(struct view text, size_t size_max)
{
    if (text.size <= size_max)
        return text;
    size_t size = size_max;
    while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return view_of(text.data, size);
}

void utf8_copy(char *to, size_t size, struct view text)
{
    size_t filled = 0;
    for (size_t at = 0, length; at < text.size; at += length ? length : 1) {
        length = sequence_length((const unsigned char *)text.data + at, text.size - at);
        size_t taken = length ? length : 1;
        if (filled + taken >= size)
            break;
        memcpy(to + filled, length ? text.data + at : "?", taken);
        filled += taken;
    }
    to[filled] = '\0';
}
