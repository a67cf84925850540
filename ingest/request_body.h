/* A request body cut into records: an object, an array, NDJSON, or a CloudEvent in any of its three modes. */
#ifndef TS_INGEST_REQUEST_BODY_H
#define TS_INGEST_REQUEST_BODY_H

#include "base/http_server.h"
#include "ingest/accept.h"

enum body_kind {
    BODY_JSON,        /* one object, or an array of them */
    BODY_NDJSON,
    BODY_EVENT,       /* application/cloudevents+json: one */
    BODY_EVENT_BATCH, /* application/cloudevents-batch+json: an array */
    BODY_EVENT_BARE,  /* CloudEvents binary mode: the body is `data`, the rest stands in ce-… headers */
    BODY_UNKNOWN,     /* 415 */
};

enum body_kind request_body_kind(const struct http_exchange *exchange);

struct body_record {
    struct view text; /* borrows from the body, or lives in the arena */
    bool is_too_large;
};

struct body_records {
    struct body_record *items; /* in the arena */
    size_t count;
    bool is_list; /* more than one could have been there */
    enum accept_notation notation;
};

/* false: the body as a whole is not what it says it is (400); `fault` says why. */
bool request_body_split(const struct http_exchange *exchange, enum body_kind kind, struct arena *arena,
                        struct body_records *out, struct json_fault *fault);

/* Is it JSON at all, however deep? */
bool request_body_is_json(struct view text);

#endif
