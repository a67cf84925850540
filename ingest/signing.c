#include "ingest/signing.h"

#include <string.h>
#include <strings.h>

enum { STAMP_SIZE_MAX = 256, SECONDS_DIGITS_MAX = 12 };

/* --- stamps --- */

static bool is_seconds(struct view text, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.size && i < SECONDS_DIGITS_MAX + 1; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out = *out * 10 + (text.data[i] - '0');
    }
    return text.size > 0 && text.size <= SECONDS_DIGITS_MAX;
}

static bool is_fresh(int64_t seconds, int64_t now_ms)
{
    int64_t off_ms = now_ms - seconds * 1000;
    return off_ms >= -SIGNING_STAMP_MS_MAX && off_ms <= SIGNING_STAMP_MS_MAX;
}

/* With a separator it must be seconds: any other could reach into the body, and be as old as it likes. Zendesk's has none. */
static bool is_stamp_fine(const struct signing *signing, struct view stamp, int64_t now_ms)
{
    int64_t seconds;
    if (is_seconds(stamp, &seconds))
        return is_fresh(seconds, now_ms);
    return stamp.size <= STAMP_SIZE_MAX && signing->separator[0] == '\0';
}

/* --- one signature --- */

static size_t sign(const struct signing *signing, struct view stamp, const char *separator, struct view body, unsigned char *raw)
{
    struct bytes message = {0};
    if (stamp.data) {
        bytes_append(&message, stamp.data, stamp.size);
        bytes_append_text(&message, separator);
        bytes_append_view(&message, body);
        body = bytes_view(&message);
    }
    size_t size = signature_hmac(raw, signing->hash, signing->secret, body);
    bytes_finish(&message);
    return size;
}

/* Upper case is hex, too. */
static bool is_hex_of(struct view given, struct view raw)
{
    char lower[2 * SIGNATURE_SIZE_MAX];
    if (given.size != 2 * raw.size)
        return false;
    for (size_t i = 0; i < given.size; i++)
        lower[i] = given.data[i] >= 'A' && given.data[i] <= 'F' ? (char)(given.data[i] - 'A' + 'a') : given.data[i];
    struct bytes expected = {0};
    signature_append_hex(&expected, raw);
    bool is_right = signature_equal(view_of(lower, given.size), bytes_view(&expected));
    bytes_finish(&expected);
    return is_right;
}

static bool is_base64_of(struct view given, struct view raw)
{
    struct bytes expected = {0};
    signature_append_base64(&expected, raw);
    bool is_right = signature_equal(given, bytes_view(&expected));
    bytes_finish(&expected);
    return is_right;
}

/* --- t=…,v1=… --- */

/* Takes the next «name=value» off `rest`; a part without «=» is all name. */
static bool part_take(struct view *rest, struct view *name, struct view *value)
{
    while (rest->size && (*rest->data == ' ' || *rest->data == ','))
        *rest = view_of(rest->data + 1, rest->size - 1);
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->data, ',', rest->size);
    struct view part = view_of(rest->data, end ? (size_t)(end - rest->data) : rest->size);
    *rest = view_of(rest->data + part.size, rest->size - part.size);
    while (part.data[part.size - 1] == ' ') /* it begins with something else */
        part.size--;
    const char *equals = memchr(part.data, '=', part.size);
    *name = view_of(part.data, equals ? (size_t)(equals - part.data) : part.size);
    *value = equals ? view_of(equals + 1, part.size - name->size - 1) : view_of(part.data + part.size, 0);
    return true;
}

/* The one t; null: none, or several, of which only one can be what was signed. */
static struct view stamp_of(struct view parts)
{
    struct view name, value, stamp = {NULL, 0};
    while (part_take(&parts, &name, &value)) {
        if (!view_equal_text(name, "t"))
            continue;
        if (stamp.data)
            return (struct view){NULL, 0};
        stamp = value;
    }
    return stamp;
}

static bool is_in_parts(const struct signing *signing, struct view parts, struct view body, int64_t now_ms)
{
    struct view stamp = stamp_of(parts), name, value;
    int64_t seconds;
    if (!stamp.data || !is_seconds(stamp, &seconds) || !is_fresh(seconds, now_ms))
        return false;
    unsigned char raw[SIGNATURE_SIZE_MAX];
    size_t size = sign(signing, stamp, ".", body, raw);
    bool is_right = false;
    while (part_take(&parts, &name, &value))
        is_right |= view_equal_text(name, "v1") && is_hex_of(value, view_of(raw, size));
    return is_right;
}

/* --- either form --- */

/* A base64 of 20 or 32 bytes has no «=» but at its end. */
static bool has_parts(struct view given)
{
    struct view name, value;
    while (part_take(&given, &name, &value))
        if (view_equal_text(name, "t") && value.size)
            return true;
    return false;
}

bool signing_is_right(const struct signing *signing, struct view given, struct view stamp, struct view body, int64_t now_ms)
{
    static const char *const marks[] = {[SIGNATURE_SHA256] = "sha256=", [SIGNATURE_SHA1] = "sha1="};
    const char *mark = marks[signing->hash];
    if (has_parts(given))
        return is_in_parts(signing, given, body, now_ms);
    if (stamp.data && !is_stamp_fine(signing, stamp, now_ms))
        return false;
    if (given.size > strlen(mark) && strncasecmp(given.data, mark, strlen(mark)) == 0)
        given = view_of(given.data + strlen(mark), given.size - strlen(mark));
    unsigned char raw[SIGNATURE_SIZE_MAX];
    struct view right = view_of(raw, sign(signing, stamp, signing->separator, body, raw));
    return is_hex_of(given, right) || is_base64_of(given, right);
}
