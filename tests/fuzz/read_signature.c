/* Any bytes as the header of a signature, a stamp and a body: read to the end, never beyond it, and nobody who does not know the secret is
 * believed. The first byte says how the source signs; then come header and stamp, a byte of length before each, and the body. */
#include "ingest/signing.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* On the heap and no longer than it is, so that the sanitizer sees a step too far. */
static struct view piece(const uint8_t **data, size_t *size, size_t most)
{
    size_t length = *size < most ? *size : most;
    char *copy = malloc(length ? length : 1);
    MUST(copy);
    memcpy(copy, *data, length);
    *data += length;
    *size -= length;
    return view_of(copy, length);
}

static struct view piece_with_length(const uint8_t **data, size_t *size)
{
    size_t most = *size ? **data : 0;
    *data += *size ? 1 : 0;
    *size -= *size ? 1 : 0;
    return piece(data, size, most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t how = *data++;
    size--;
    struct signing signing = {.secret = VIEW_LITERAL("nobody could guess this"), .separator = how & 1 ? "." : "",
                              .hash = how & 2 ? SIGNATURE_SHA1 : SIGNATURE_SHA256};
    struct view given = piece_with_length(&data, &size), stamp = piece_with_length(&data, &size), body = piece(&data, &size, size);
    MUST(!signing_is_right(&signing, given, how & 4 ? stamp : (struct view){NULL, 0}, body, INT64_C(1700000000000)));

    /* The right one is believed whatever the body, and what stands behind it is read to its end. */
    struct bytes message = {0}, header = {0};
    unsigned char raw[SIGNATURE_SIZE_MAX];
    bytes_append_text(&message, "1700000000.");
    bytes_append_view(&message, body);
    size_t raw_size = signature_hmac(raw, signing.hash, signing.secret, bytes_view(&message));
    bytes_append_text(&header, "t=1700000000,v1=");
    signature_append_hex(&header, view_of(raw, raw_size));
    MUST(signing_is_right(&signing, bytes_view(&header), (struct view){NULL, 0}, body, INT64_C(1700000000000)));
    bytes_append_text(&header, ",");
    bytes_append_view(&header, given);
    (void)signing_is_right(&signing, bytes_view(&header), (struct view){NULL, 0}, body, INT64_C(1700000000000));
    bytes_finish(&message);
    bytes_finish(&header);
    free((void *)(uintptr_t)given.data);
    free((void *)(uintptr_t)stamp.data);
    free((void *)(uintptr_t)body.data);
    return 0;
}
