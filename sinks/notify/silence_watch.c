#include "sinks/notify/silence_watch.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/settings_file.h"

#include <stdlib.h>
#include <sys/stat.h>

struct silence_edition {
    struct silences silences;
    struct settings_node *tree; /* of the file; NULL: there is none */
    struct silence_edition *before;
};

static void edition_free(struct silence_edition *edition)
{
    settings_tree_destroy(edition->tree);
    free(edition);
}

static bool read_file(const char *path, struct silence_edition *edition, struct bytes *error)
{
    struct bytes complaint = {0};
    edition->tree = settings_tree_read(path, error);
    if (!edition->tree)
        return false;
    const struct settings_node *twin = settings_twin(edition->tree);
    if (twin) {
        bytes_printf(error, "%s:%d: notify.silences.%s: stands twice; one of the two must go", path, twin->line, twin->key);
        return false;
    }
    bool is_empty = edition->tree->kind == SETTINGS_MAP && edition->tree->child_count == 0;
    bool is_good = is_empty || silences_add(edition->tree, &edition->silences, &complaint);
    if (!is_good)
        settings_complete_error(NULL, path, bytes_text(&complaint), error);
    bytes_finish(&complaint);
    return is_good;
}

static bool read_all(struct silence_watch *watch, struct bytes *error)
{
    struct silence_edition *edition = memory_zeroed(1, sizeof *edition);
    if (!silences_read(watch->settings->silences, &edition->silences, error) ||
        (watch->settings->silences_file[0] && !read_file(watch->settings->silences_file, edition, error))) {
        edition_free(edition);
        return false;
    }
    edition->before = watch->editions;
    watch->editions = edition;
    atomic_store(&watch->now, &edition->silences);
    return true;
}

static struct file_stamp stamp_of(const char *path)
{
    struct stat found;
    if (!path[0] || stat(path, &found) != 0)
        return (struct file_stamp){0};
    return (struct file_stamp){(int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec, found.st_size, found.st_ino};
}

static bool are_equal(const struct file_stamp *one, const struct file_stamp *other)
{
    return one->changed_ns == other->changed_ns && one->size == other->size && one->inode == other->inode;
}

bool silence_watch_init(struct silence_watch *watch, const struct notify_settings *settings, struct bytes *error)
{
    *watch = (struct silence_watch){.settings = settings, .said_ms = INT64_MIN};
    watch->taken = watch->seen = stamp_of(settings->silences_file);
    return read_all(watch, error);
}

void silence_watch_finish(struct silence_watch *watch)
{
    while (watch->editions) {
        struct silence_edition *edition = watch->editions;
        watch->editions = edition->before;
        edition_free(edition);
    }
}

const struct silences *silence_watch_now(struct silence_watch *watch)
{
    return atomic_load(&watch->now);
}

bool silence_watch_has_work(const struct silence_watch *watch)
{
    return watch->editions->silences.count || watch->settings->silences_file[0];
}

static void read_again(struct silence_watch *watch)
{
    const char *path = watch->settings->silences_file;
    struct bytes error = {0};
    if (read_all(watch, &error)) {
        log_info("the silences have changed", "file", path, "silences", LOG_NUMBER(watch->editions->silences.count), NULL);
        watch->said_ms = INT64_MIN;
    } else {
        log_error("the silences are not taken, those before stay in force", "file", path, "error", bytes_text(&error), NULL);
    }
    bytes_finish(&error);
}

void silence_watch_look(struct silence_watch *watch, int64_t now_ms)
{
    struct file_stamp stamp = stamp_of(watch->settings->silences_file);
    bool is_still = are_equal(&stamp, &watch->seen);
    watch->seen = stamp;
    if (is_still && !are_equal(&stamp, &watch->taken)) {
        watch->taken = stamp;
        read_again(watch);
    }
    silences_say(&watch->editions->silences, watch->said_ms, now_ms);
    watch->said_ms = now_ms;
}
