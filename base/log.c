#include "base/log.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/time_text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static enum log_level least_level = LOG_INFO;
static bool is_json, is_for_journal;
static const char *role_name = "touchstream";
static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const journal_levels[] = {"<7>", "<6>", "<4>", "<3>"}; /* sd-daemon(3) */

/* systemd says so of the stream it gave us, which somebody may have turned into another since: systemd.exec(5). */
static bool is_read_by_journal(int descriptor)
{
    unsigned long long device, number;
    struct stat status;
    const char *stream = getenv("JOURNAL_STREAM");
    return stream && sscanf(stream, "%llu:%llu", &device, &number) == 2 && fstat(descriptor, &status) == 0 &&
           status.st_dev == device && status.st_ino == number;
}

void log_configure(enum log_level least, bool as_json, const char *role)
{
    least_level = least;
    is_json = as_json;
    role_name = role;
    is_for_journal = is_read_by_journal(STDERR_FILENO);
}

bool log_level_from_name(const char *name, enum log_level *out)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (strcasecmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0' || !utf8_is_valid(view_of_text(text)))
        return true;
    for (; *text; text++) {
        if ((unsigned char)*text <= ' ' || *text == '"' || *text == '=' || *text == '\\')
            return true;
    }
    return false;
}

static void append_quoted(struct bytes *line, const char *text)
{
    struct view all = view_of_text(text);
    bytes_append_byte(line, '"');
    for (size_t at = 0, from; from = at, at < all.size;) {
        unsigned char c = (unsigned char)text[at];
        bool is_broken = utf8_next(all, &at) == 0xfffd && at == from + 1; /* what a foreign server said, say */
        if (is_broken)
            bytes_append_text(line, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            bytes_printf(line, "\\%c", c);
        else if (c == '\n')
            bytes_append_text(line, "\\n");
        else if (c < ' ')
            bytes_printf(line, "\\u%04x", c);
        else
            bytes_append(line, text + from, at - from);
    }
    bytes_append_byte(line, '"');
}

static void append_pair(struct bytes *line, const char *key, const char *value)
{
    if (value == NULL)
        value = "";
    if (is_json) {
        bytes_append_text(line, line->size > 1 ? ",\"" : "\"");
        bytes_append_text(line, key);
        bytes_append_text(line, "\":");
        append_quoted(line, value);
        return;
    }
    if (line->size)
        bytes_append_byte(line, ' ');
    bytes_append_text(line, key);
    bytes_append_byte(line, '=');
    if (needs_quotes(value))
        append_quoted(line, value);
    else
        bytes_append_text(line, value);
}

enum { SERVICES_MAX = 16 };

static struct complaint {
    const char *service; /* NULL: nobody's in particular */
    char text[256];
    int64_t at_ms; /* 0: never */
} complaints[1 + SERVICES_MAX];
static pthread_mutex_t complaint_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local const char *service_of_thread;

void log_speak_for(const char *service)
{
    service_of_thread = service;
}

const char *log_spoken_for(void)
{
    return service_of_thread;
}

/* Its place, made if there is none yet; nobody's when all are taken. */
static struct complaint *complaint_of(const char *service)
{
    for (size_t i = 1; service && i <= SERVICES_MAX; i++) {
        if (complaints[i].service == NULL)
            complaints[i].service = service;
        if (strcmp(complaints[i].service, service) == 0)
            return &complaints[i];
    }
    return &complaints[0];
}

static void keep_complaint(const char *message, const char *error, int64_t now_ms)
{
    pthread_mutex_lock(&complaint_lock);
    struct complaint *complaint = complaint_of(service_of_thread);
    snprintf(complaint->text, sizeof complaint->text, "%s%s%s", message, error ? ": " : "", error ? error : "");
    complaint->at_ms = now_ms;
    pthread_mutex_unlock(&complaint_lock);
}

int64_t log_last_complaint(const char *service, char *text, size_t text_size)
{
    pthread_mutex_lock(&complaint_lock);
    const struct complaint *complaint = complaint_of(service);
    if (complaint->at_ms < complaints[0].at_ms)
        complaint = &complaints[0];
    snprintf(text, text_size, "%s", complaint->text);
    int64_t at_ms = complaint->at_ms;
    pthread_mutex_unlock(&complaint_lock);
    return at_ms;
}

/* A pipe that nobody reads (a pager, a supervisor that hangs) takes no more at some point. Who waited for it would stand still with an open
 * transaction, so the line is dropped instead, and how many were is said once there is room again. */
enum { PATIENCE_MS = 1000 };
static atomic_int dropped;

static bool is_there_room(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&out, 1, atomic_load(&dropped) ? 0 : PATIENCE_MS) != 0;
}

static void write_out(enum log_level level, const struct bytes *line)
{
    if (!is_there_room()) {
        atomic_fetch_add(&dropped, 1);
        return;
    }
    int count = atomic_exchange(&dropped, 0);
    if (count)
        log_warning("nobody took the log for a while, lines were dropped", "lines", LOG_NUMBER(count), NULL);
    /* One write, so that lines of several threads and processes do not mix. */
    const char *before = is_for_journal ? journal_levels[level] : "";
    const struct iovec parts[] = {{(void *)(uintptr_t)before, strlen(before)}, {line->data, line->size}};
    ssize_t written = writev(STDERR_FILENO, parts, 2);
    (void)written;
}

enum { SELDOM_SHELVES = 16, SELDOM_PLACES = 8 };

static struct seldom {
    uint64_t about;
    int64_t said_at_us; /* 0: free */
} seldom[SELDOM_SHELVES][SELDOM_PLACES];
static pthread_mutex_t seldom_lock = PTHREAD_MUTEX_INITIALIZER;

/* Its place, or the one that was said longest ago: forgotten, so that another's is said once more than it need be. */
static struct seldom *seldom_find(uint64_t about)
{
    struct seldom *shelf = seldom[about % SELDOM_SHELVES], *oldest = shelf;
    for (size_t i = 0; i < SELDOM_PLACES; i++) {
        if (shelf[i].about == about)
            return &shelf[i];
        if (shelf[i].said_at_us < oldest->said_at_us)
            oldest = &shelf[i];
    }
    *oldest = (struct seldom){.about = about};
    return oldest;
}

static bool is_due(const char *what, const char *whom, int64_t seconds)
{
    uint64_t about = hash_mix(hash_bytes(view_of_text(what)) ^ hash_mix(hash_bytes(view_of_text(whom))));
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&seldom_lock);
    struct seldom *place = seldom_find(about);
    bool is_news = place->said_at_us == 0 || now_us - place->said_at_us >= seconds * 1000000;
    if (is_news)
        place->said_at_us = now_us;
    pthread_mutex_unlock(&seldom_lock);
    return is_news;
}

bool log_seldom(const char *what, const char *whom)
{
    return is_due(what, whom, 60);
}

bool log_hourly(const char *what, const char *whom)
{
    return is_due(what, whom, 3600);
}

void log_line(enum log_level level, const char *message, ...)
{
    if (level < least_level)
        return;
    struct bytes line = {0};
    char now[TIME_TEXT_SIZE];
    int64_t now_ms = clock_now_ms(&clock_system);
    const char *error = NULL;
    time_text_format(now, now_ms);
    if (is_json)
        bytes_append_byte(&line, '{');
    append_pair(&line, "time", now);
    append_pair(&line, "level", level_names[level]);
    append_pair(&line, "role", role_name);
    append_pair(&line, "msg", message);

    va_list pairs;
    va_start(pairs, message);
    const char *key;
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        append_pair(&line, key, value);
        if (strcmp(key, "error") == 0)
            error = value;
    }
    va_end(pairs);
    if (level >= LOG_WARNING)
        keep_complaint(message, error, now_ms);

    bytes_append_text(&line, is_json ? "}\n" : "\n");
    write_out(level, &line);
    bytes_finish(&line);
}

const char *log_number_text(struct log_number *room, int64_t value)
{
    snprintf(room->text, sizeof room->text, "%" PRId64, value);
    return room->text;
}
