/* Message signatures: HMAC (RFC 2104) with SHA-256, or SHA-1 for who knows nothing better, as hex or base64, and comparing without
 * telling by time. Any thread. */
#ifndef TS_BASE_SIGNATURE_H
#define TS_BASE_SIGNATURE_H

#include "base/bytes.h"

enum { SIGNATURE_SIZE = 32, SIGNATURE_SIZE_MAX = SIGNATURE_SIZE };

enum signature_hash { SIGNATURE_SHA256, SIGNATURE_SHA1 };

/* The signature's size: 32 or 20. */
size_t signature_hmac(unsigned char out[SIGNATURE_SIZE_MAX], enum signature_hash hash, struct view secret, struct view message);
void signature_hmac_sha256(unsigned char out[SIGNATURE_SIZE], struct view secret, struct view message);
void signature_append_hex(struct bytes *out, struct view raw);    /* lower case */
void signature_append_base64(struct bytes *out, struct view raw); /* RFC 4648, padded */
bool signature_read_base64(struct bytes *out, struct view text);  /* appends; padding may be missing; false: not base64, nothing appended */

/* Takes the same time wherever the first difference is; sizes are no secret. */
bool signature_equal(struct view a, struct view b);

#endif
