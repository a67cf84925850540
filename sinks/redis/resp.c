#include "sinks/redis/resp.h"

#include "base/number_text.h"

/* "$12\r\n" and "*3\r\n": a sigil and a length. */
static void append_length(struct resp *resp, char sigil, size_t length)
{
    char text[NUMBER_TEXT_MAX + 3] = {sigil};
    size_t size = 1 + integer_text(text + 1, (int64_t)length);
    text[size++] = '\r';
    text[size++] = '\n';
    bytes_append(&resp->bytes, text, size);
}

void resp_view(struct resp *resp, struct view argument)
{
    append_length(resp, '$', argument.size);
    bytes_append_view(&resp->bytes, argument);
    bytes_append(&resp->bytes, "\r\n", 2);
}

void resp_two(struct resp *resp, struct view first, struct view second)
{
    append_length(resp, '$', first.size + second.size);
    bytes_append_view(&resp->bytes, first);
    bytes_append_view(&resp->bytes, second);
    bytes_append(&resp->bytes, "\r\n", 2);
}

void resp_text(struct resp *resp, const char *argument)
{
    resp_view(resp, view_of_text(argument));
}

void resp_command(struct resp *resp, size_t argument_count, const char *name)
{
    append_length(resp, '*', argument_count);
    resp_text(resp, name);
    resp->command_count++;
}

void resp_integer(struct resp *resp, int64_t argument)
{
    char text[NUMBER_TEXT_MAX];
    resp_view(resp, view_of(text, integer_text(text, argument)));
}

void resp_decimal(struct resp *resp, double argument)
{
    char text[NUMBER_TEXT_MAX];
    resp_view(resp, view_of(text, decimal_text(text, argument)));
}

void resp_field(struct resp *resp, const char *name, struct view value)
{
    resp_text(resp, name);
    resp_view(resp, value.data ? value : VIEW_LITERAL(""));
}

void resp_field_integer(struct resp *resp, const char *name, bool has, int64_t value)
{
    resp_text(resp, name);
    if (has)
        resp_integer(resp, value);
    else
        resp_text(resp, "");
}

void resp_field_decimal(struct resp *resp, const char *name, bool has, double value)
{
    resp_text(resp, name);
    if (has)
        resp_decimal(resp, value);
    else
        resp_text(resp, "");
}

void resp_key(struct resp *resp, const char *prefix, const char *name, struct view more)
{
    size_t prefix_size = strlen(prefix), name_size = strlen(name);
    append_length(resp, '$', prefix_size + name_size + (more.data ? more.size + 1 : 0));
    bytes_append(&resp->bytes, prefix, prefix_size);
    bytes_append(&resp->bytes, name, name_size);
    if (more.data) {
        bytes_append_byte(&resp->bytes, ':');
        bytes_append_view(&resp->bytes, more);
    }
    bytes_append(&resp->bytes, "\r\n", 2);
}

void resp_clear(struct resp *resp)
{
    bytes_clear(&resp->bytes);
    resp->command_count = 0;
}

void resp_finish(struct resp *resp)
{
    bytes_finish(&resp->bytes);
    resp->command_count = 0;
}
