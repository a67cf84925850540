/* One line a message on stderr, as logfmt or JSON: time, level, what happened, then key=value pairs. Any thread.
 *
 *     log_warning("kafka is away, waiting", "brokers", brokers, "error", text, NULL);
 *     log_info("recovered", "entries", LOG_NUMBER(n), NULL);
 *
 * Keys and values alternate as text and end with NULL. A value is quoted and escaped when it must be. Where the journal of systemd reads
 * stderr, each line begins with its level for it: `journalctl -p warning`. */
#ifndef TS_BASE_LOG_H
#define TS_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Before any thread is started. */
void log_configure(enum log_level least, bool as_json, const char *role);
bool log_level_from_name(const char *name, enum log_level *out);

void log_line(enum log_level level, const char *message, ...) __attribute__((sentinel));

/* For what would be said again and again while it lasts: true when `what` about `whom` was not asked for within the last minute. Any thread. */
bool log_seldom(const char *what, const char *whom);

/* The same within the last hour: for what is no trouble by itself, and may last. */
bool log_hourly(const char *what, const char *whom);

/* For which of the services in this process the calling thread works from now on; NULL: for none of them, or all. Kept as it is. Threads
 * made by thread_create (thread.h) work for whom their maker does. */
void log_speak_for(const char *service);
const char *log_spoken_for(void);

/* The last warning or error of a service's threads, or of one that works for none in particular, «what happened: its error», for health
 * pages; empty when there was none. Any thread. Returns when it was said, 0: never. */
int64_t log_last_complaint(const char *service, char *text, size_t text_size);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/* Room for a number as text within one statement: LOG_NUMBER(n) is a const char * valid until the end of the block. */
struct log_number {
    char text[32];
};
const char *log_number_text(struct log_number *room, int64_t value);
#define LOG_NUMBER(value) log_number_text(&(struct log_number){{0}}, (int64_t)(value))

#endif
