#include "schemas/json_scan.h"
#include <math.h>
#include <stdlib.h>

void json_scan_init(struct json_scan *scan, struct view text, unsigned depth_max)
{
    const char *begin = text.data ? text.data : "";
    *scan = (struct json_scan){.begin = begin, .at = begin, .end = begin + text.size, .depth_max = depth_max};
}

static bool broken(struct json_scan *scan, const char *why)
{
    scan->broken = why;
    return false;
}

char json_scan_peek(struct json_scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
    return scan->at < scan->end ? *scan->at : '\0';
}

/* --- strings --- */

/* True where a byte of the word is '"', '\\' or a control character; exact for the first such byte, which is all that
 * is asked (the well-known «has zero byte» trick, Hacker's Delight 6-1). */
static uint64_t special_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word)) & tops;
}

static const char *skip_plain(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        uint64_t special = special_bytes(word);
        if (special)
            return at + __builtin_ctzll(special) / 8;
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u, at scan->at. */
static bool scan_unit(struct json_scan *scan, uint32_t *unit)
{
    if (scan->end - scan->at < 4)
        return broken(scan, "a \\u escape has four hexadecimal digits");
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(scan->at[i]);
        if (digit < 0)
            return broken(scan, "a \\u escape has four hexadecimal digits");
        *unit = *unit << 4 | (uint32_t)digit;
    }
    scan->at += 4;
    return true;
}

static char *put_code_point(char *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (char)point;
    } else if (point < 0x800) {
        *to++ = (char)(0xc0 | point >> 6);
        *to++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *to++ = (char)(0xe0 | point >> 12);
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    } else {
        *to++ = (char)(0xf0 | point >> 18);
        *to++ = (char)(0x80 | (point >> 12 & 0x3f));
        *to++ = (char)(0x80 | (point >> 6 & 0x3f));
        *to++ = (char)(0x80 | (point & 0x3f));
    }
    return to;
}

static bool scan_code_point(struct json_scan *scan, uint32_t *point)
{
    if (!scan_unit(scan, point))
        return false;
    if (*point < 0xd800 || *point > 0xdfff)
        return true;
    uint32_t low = 0;
    bool is_pair = *point < 0xdc00 && scan->end - scan->at >= 6 && scan->at[0] == '\\' && scan->at[1] == 'u';
    if (is_pair) {
        const char *before = scan->at;
        scan->at += 2;
        if (!scan_unit(scan, &low))
            return false;
        is_pair = low >= 0xdc00 && low <= 0xdfff;
        if (!is_pair)
            scan->at = before;
    }
    if (!is_pair)
        scan->lone_surrogate = true;
    *point = is_pair ? 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
    return true;
}

/* An escape at scan->at (past the backslash), written to *to. */
static bool scan_escape(struct json_scan *scan, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (scan->at == scan->end)
        return broken(scan, "the string does not end");
    char c = *scan->at++;
    if (c == 'u') {
        uint32_t point;
        if (!scan_code_point(scan, &point))
            return false;
        *to = put_code_point(*to, point);
        return true;
    }
    const char *known = c ? strchr(from, c) : NULL;
    if (known == NULL)
        return broken(scan, "no such escape");
    *(*to)++ = into[known - from];
    return true;
}

/* The rest of a string that has an escape at scan->at. With no arena the text is only checked. */
static bool scan_escaped(struct json_scan *scan, struct arena *arena, const char *begin, struct view *out)
{
    /* An escape never decodes to more bytes than it has, so what is left of the text bounds the result; but the text
     * may be long and the string short, so its end is looked for first. */
    const char *close = scan->at;
    while (close < scan->end && *close != '"')
        close = skip_plain(*close == '\\' && scan->end - close > 2 ? close + 2 : close + 1, scan->end);
    size_t room = (size_t)(close - begin) + 1;
    char *text = arena ? arena_alloc(arena, room) : NULL, scratch[8], *to = text;
    const char *from = begin;
    for (;;) {
        if (text) {
            memcpy(to, from, (size_t)(scan->at - from));
            to += scan->at - from;
        }
        if (scan->at == scan->end)
            return broken(scan, "the string does not end");
        if (*scan->at == '"')
            break;
        if (*scan->at != '\\')
            return broken(scan, "a control character must be escaped");
        scan->at++;
        char *into = text ? to : scratch;
        if (!scan_escape(scan, &into))
            return false;
        if (text)
            to = into;
        from = scan->at;
        scan->at = skip_plain(scan->at, scan->end);
    }
    scan->at++;
    if (text)
        *out = view_of(text, (size_t)(to - text));
    return true;
}

bool json_scan_string(struct json_scan *scan, struct arena *arena, struct view *out)
{
    if (json_scan_peek(scan) != '"')
        return broken(scan, "expected a string");
    const char *begin = ++scan->at;
    scan->at = skip_plain(begin, scan->end);
    if (scan->at < scan->end && *scan->at == '"') {
        if (out)
            *out = view_of(begin, (size_t)(scan->at - begin));
        scan->at++;
        return true;
    }
    return scan_escaped(scan, out ? arena : NULL, begin, out);
}

/* --- numbers and words --- */

static bool is_digit(const struct json_scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static bool skip_digits(struct json_scan *scan)
{
    if (!is_digit(scan))
        return broken(scan, "expected a digit");
    while (is_digit(scan))
        scan->at++;
    return true;
}

/* A number with a fraction or an exponent; its grammar has been checked. The process never calls setlocale, so
 * strtod's decimal point is a point. */
static bool real_of(struct json_scan *scan, const char *begin, struct json_number *out)
{
    char text[400];
    size_t size = (size_t)(scan->at - begin);
    if (size >= sizeof text)
        return broken(scan, "the number is too long");
    memcpy(text, begin, size);
    text[size] = '\0';
    out->real = strtod(text, NULL); /* 1e999 is valid JSON: infinite, integral, and fits nothing */
    out->is_integral = out->real == floor(out->real);
    out->fits = out->is_integral && fabs(out->real) <= 9007199254740992.0; /* 2^53: exact */
    out->integer = out->fits ? (int64_t)out->real : 0;
    return true;
}

bool json_scan_number(struct json_scan *scan, struct json_number *out)
{
    const char *begin = scan->at;
    bool is_negative = scan->at < scan->end && *scan->at == '-';
    scan->at += is_negative;
    const char *first = scan->at;
    if (!skip_digits(scan))
        return false;
    if (*first == '0' && scan->at - first > 1)
        return broken(scan, "a number does not begin with 0");
    const char *digits_end = scan->at;
    bool is_plain = true;
    if (scan->at < scan->end && *scan->at == '.') {
        is_plain = false;
        scan->at++;
        if (!skip_digits(scan))
            return false;
    }
    if (scan->at < scan->end && (*scan->at | 0x20) == 'e') {
        is_plain = false;
        scan->at++;
        if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        if (!skip_digits(scan))
            return false;
    }
    if (!is_plain)
        return real_of(scan, begin, out);

    *out = (struct json_number){.is_integral = true, .fits = true};
    for (const char *at = first; at < digits_end && out->fits; at++)
        out->fits = !__builtin_mul_overflow(out->integer, 10, &out->integer) &&
                    !__builtin_sub_overflow(out->integer, *at - '0', &out->integer); /* negative: INT64_MIN too */
    if (out->fits && !is_negative)
        out->fits = !__builtin_sub_overflow(0, out->integer, &out->integer);
    out->real = (double)out->integer;
    return true;
}

bool json_scan_word(struct json_scan *scan, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return broken(scan, "expected a value");
    scan->at += size;
    return true;
}

/* --- objects and arrays --- */

bool json_scan_open(struct json_scan *scan, char bracket)
{
    if (json_scan_peek(scan) != bracket)
        return broken(scan, bracket == '{' ? "expected an object" : "expected an array");
    if (++scan->depth > scan->depth_max)
        return broken(scan, "nested too deeply");
    scan->at++;
    return true;
}

/* After an element: a comma and another, or the bracket that closes. */
static bool scan_more(struct json_scan *scan, char close, bool is_first, bool *more)
{
    char c = json_scan_peek(scan);
    if (c == close) {
        scan->at++;
        scan->depth--;
        *more = false;
        return true;
    }
    *more = true;
    if (is_first)
        return true;
    if (c != ',')
        return broken(scan, close == '}' ? "expected , or }" : "expected , or ]");
    scan->at++;
    return true;
}

bool json_scan_member(struct json_scan *scan, struct arena *arena, bool is_first, struct view *key, bool *more)
{
    if (!scan_more(scan, '}', is_first, more))
        return false;
    if (!*more)
        return true;
    if (!json_scan_string(scan, arena, key))
        return false;
    if (json_scan_peek(scan) != ':')
        return broken(scan, "expected :");
    scan->at++;
    return true;
}

bool json_scan_item(struct json_scan *scan, bool is_first, bool *more)
{
    return scan_more(scan, ']', is_first, more);
}

static bool skip_members(struct json_scan *scan)
{
    bool more;
    if (!json_scan_open(scan, '{'))
        return false;
    for (bool is_first = true; json_scan_member(scan, NULL, is_first, NULL, &more); is_first = false) {
        if (!more)
            return true;
        if (!json_scan_skip(scan, NULL))
            return false;
    }
    return false;
}

static bool skip_items(struct json_scan *scan)
{
    bool more;
    if (!json_scan_open(scan, '['))
        return false;
    for (bool is_first = true; json_scan_item(scan, is_first, &more); is_first = false) {
        if (!more)
            return true;
        if (!json_scan_skip(scan, NULL))
            return false;
    }
    return false;
}

static bool skip_value(struct json_scan *scan)
{
    struct json_number number;
    switch (*scan->at) {
    case '"':
        return json_scan_string(scan, NULL, NULL);
    case '{':
        return skip_members(scan);
    case '[':
        return skip_items(scan);
    case 't':
        return json_scan_word(scan, "true");
    case 'f':
        return json_scan_word(scan, "false");
    case 'n':
        return json_scan_word(scan, "null");
    default:
        return json_scan_number(scan, &number) || broken(scan, "expected a value");
    }
}

bool json_scan_skip(struct json_scan *scan, struct view *text)
{
    json_scan_peek(scan);
    if (scan->at == scan->end)
        return broken(scan, "the text ends here");
    const char *begin = scan->at;
    if (!skip_value(scan))
        return false;
    if (text)
        *text = view_of(begin, (size_t)(scan->at - begin));
    return true;
}

bool json_scan_ended(struct json_scan *scan)
{
    json_scan_peek(scan);
    return scan->at == scan->end || broken(scan, "something follows the value");
}

enum json_step json_array_next(struct json_scan *scan, struct view *item)
{
    bool is_first = scan->depth == 0, more;
    if (is_first && !json_scan_open(scan, '['))
        return JSON_STEP_BROKEN;
    if (!json_scan_item(scan, is_first, &more))
        return JSON_STEP_BROKEN;
    if (!more)
        return json_scan_ended(scan) ? JSON_STEP_END : JSON_STEP_BROKEN;
    return json_scan_skip(scan, item) ? JSON_STEP_ITEM : JSON_STEP_BROKEN;
}
