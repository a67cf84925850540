#include "sinks/redis/last_error.h"

#include "base/log.h"

void last_error_write(struct json_writer *json, const char *service)
{
    char complaint[256];
    int64_t complained_at_ms = log_last_complaint(service, complaint, sizeof complaint);
    json_key(json, "last_error");
    json_write_text(json, complained_at_ms ? view_of_text(complaint) : (struct view){NULL, 0});
    json_key(json, "last_error_at");
    if (complained_at_ms)
        json_write_integer(json, complained_at_ms);
    else
        json_write_null(json);
}
