/* Answers without an end: what is written is kept until the connection has taken it, and a connection with nothing to
 * take sleeps. */
#include "base/http_server_private.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

/* Called with the lock held. */
static void stream_release(struct http_stream *stream)
{
    if (--stream->references > 0)
        return;
    LIST_REMOVE(stream->server->streams, stream);
    bytes_finish(&stream->unsent);
    free(stream);
}

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size)
{
    struct http_stream *stream = context;
    struct http_server *server = stream->server;
    (void)position;
    pthread_mutex_lock(&server->lock);
    size_t ready = stream->unsent.size - stream->sent;
    ssize_t result = 0;
    if (ready > 0) {
        result = (ssize_t)(ready < size ? ready : size);
        memcpy(buffer, stream->unsent.data + stream->sent, (size_t)result);
        stream->sent += (size_t)result;
        if (stream->sent == stream->unsent.size) {
            stream->sent = 0;
            bytes_clear(&stream->unsent);
        }
    } else if (stream->is_ended || server->is_stopping) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->is_suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&server->lock);
    return result;
}

static void stream_free(void *context)
{
    struct http_stream *stream = context;
    struct http_server *server = stream->server;
    pthread_mutex_lock(&server->lock);
    stream->is_gone = true;
    stream_release(stream);
    pthread_mutex_unlock(&server->lock);
}

struct http_stream *http_exchange_stream(struct http_exchange *exchange, const char *content_type)
{
    struct http_server *server = exchange->server;
    struct http_stream *stream = memory_zeroed(1, sizeof *stream);
    stream->server = server;
    stream->connection = exchange->connection;
    stream->watch = connection_watch(exchange->connection);
    stream->references = 2;
    exchange->is_stream = true;
    pthread_mutex_lock(&server->lock);
    LIST_PUSH(server->streams, stream);
    pthread_mutex_unlock(&server->lock);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, stream_read, stream, stream_free);
    exchange_answer_response(exchange, MHD_HTTP_OK, content_type, response);
    return stream;
}

/* Called with the lock held. */
void stream_wake(struct http_stream *stream)
{
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->connection);
}

bool http_stream_write(struct http_stream *stream, struct view text)
{
    struct http_server *server = stream->server;
    pthread_mutex_lock(&server->lock);
    bool is_taken = !stream->is_gone && !stream->is_ended &&
                    (int64_t)(stream->unsent.size - stream->sent + text.size) <= server->settings.stream_bytes_max;
    if (is_taken) {
        bytes_append_view(&stream->unsent, text);
        stream_wake(stream);
    }
    pthread_mutex_unlock(&server->lock);
    return is_taken;
}

void http_stream_close(struct http_stream *stream)
{
    struct http_server *server = stream->server;
    pthread_mutex_lock(&server->lock);
    stream->is_ended = true;
    if (stream->watch) /* who does not take the rest in time is cut off */
        stream->watch->deadline_us = clock_monotonic_us() + server->settings.request_ms_max * 1000;
    if (!stream->is_gone)
        stream_wake(stream);
    stream_release(stream);
    pthread_mutex_unlock(&server->lock);
}
