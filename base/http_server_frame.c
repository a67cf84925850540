/* Where a request ends must be beyond doubt. Two servers in a row that take its end to be at different places can be made to see
 * different requests (request smuggling): what the one in front let pass as a body, the one behind would obey. libmicrohttpd takes the
 * first of two Content-Lengths, and Transfer-Encoding before either; who sends both means no good, or is broken. */
#include "base/http_server_private.h"

#include <strings.h>

struct frame {
    struct view length;
    int coding_count;
    bool is_chunked;
    const char *doubt;
};

static bool is_named(struct view name, const char *text)
{
    return name.size == strlen(text) && strncasecmp(name.data, text, name.size) == 0;
}

/* "Content-Length : 4" is a header of another name to us, and Content-Length to others. */
static bool is_name(struct view name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~')
            return false;
    return name.size > 0;
}

static bool is_number(struct view text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size > 0;
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
                                 size_t value_size)
{
    struct frame *frame = context;
    struct view header = view_of(name, name_size), text = view_of(value ? value : "", value_size);
    (void)kind;
    if (!is_name(header)) {
        frame->doubt = "a header's name holds what no name may";
    } else if (is_named(header, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        if (!is_number(text))
            frame->doubt = "Content-Length is no number";
        else if (frame->length.data && !view_equal(frame->length, text))
            frame->doubt = "two Content-Lengths differ";
        frame->length = text;
    } else if (is_named(header, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        frame->coding_count++;
        frame->is_chunked = is_named(text, "chunked");
    }
    return frame->doubt ? MHD_NO : MHD_YES;
}

const char *request_doubt(struct MHD_Connection *connection, const char *version)
{
    struct frame frame = {0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_header, &frame);
    if (frame.doubt || frame.coding_count == 0)
        return frame.doubt;
    if (frame.length.data)
        return "Content-Length and Transfer-Encoding in one request";
    if (frame.coding_count > 1 || !frame.is_chunked)
        return "the only Transfer-Encoding taken is chunked";
    return strcmp(version, MHD_HTTP_VERSION_1_1) == 0 ? NULL : "Transfer-Encoding needs HTTP/1.1";
}
