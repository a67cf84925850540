#include "app/notify_test.h"

#include "base/edit_distance.h"
#include "sinks/notify/probe.h"

#include <stdio.h>
#include <string.h>

static bool is_named(const struct text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return names->count == 0;
}

static bool all_exist(const struct text_list *names, const struct receiver *receivers, size_t count)
{
    for (size_t i = 0; i < names->count; i++) {
        struct nearest nearest = nearest_to(names->items[i]);
        bool exists = false;
        for (size_t k = 0; k < count; k++) {
            exists |= strcmp(receivers[k].name, names->items[i]) == 0;
            nearest_offer(&nearest, receivers[k].name);
        }
        if (exists)
            continue;
        fprintf(stderr, "touchstream notify: no receiver is called '%s'; the nearest is '%s' (notify.receivers)\n", names->items[i], nearest.name);
        return false;
    }
    return true;
}

int notify_test(struct app *app, const struct text_list *names)
{
    struct receiver receivers[RECEIVERS_MAX];
    struct bytes error = {0};
    size_t count = 0;
    receivers_read(&app->config.notify, receivers, &count, &error); /* config_load has found them right */
    bytes_finish(&error);
    if (count == 0) {
        fprintf(stderr, "touchstream notify: nobody to test: notify.receivers is empty\n");
        return EXIT_USAGE;
    }
    if (!all_exist(names, receivers, count))
        return EXIT_USAGE;
    bool is_good = true;
    for (size_t i = 0; i < count && !atomic_load(&app->stop); i++) {
        struct probe probe;
        if (!is_named(names, receivers[i].name))
            continue;
        probe_send(&app->config.notify, &receivers[i], &clock_system, &probe);
        printf("%-20s %-7s %s\n", receivers[i].name, probe.is_good ? "ok" : "FAILED", probe.text);
        fflush(stdout);
        is_good &= probe.is_good;
    }
    if (atomic_load(&app->stop))
        return app_stopped_early("notify", "so not every receiver was tested");
    return is_good ? EXIT_FINE : EXIT_FAILED;
}
