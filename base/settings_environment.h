/* Settings from the environment: kafka.brokers is TOUCHSTREAM_KAFKA_BROKERS. */
#ifndef TS_BASE_SETTINGS_ENVIRONMENT_H
#define TS_BASE_SETTINGS_ENVIRONMENT_H

#include "base/settings.h"

#define SETTINGS_ENVIRONMENT_PREFIX "TOUCHSTREAM_"
enum { SETTINGS_NAME_MAX = 256 };

/* The name of a key's variable. */
void settings_environment_name(const char *key, char name[SETTINGS_NAME_MAX]);

/* Told once for each variable that begins like ours and that no setting takes. `what` says what is wrong and what would be right; values
 * are never repeated, for they may be secrets. */
struct settings_listener {
    void *context;
    void (*tell)(void *context, const char *name, const char *what);
};

/* A doubt, not an error: an orchestrator may set variables of its own under our name (TOUCHSTREAM_SERVICE_HOST). `others`: names without
 * a setting that are right all the same, NULL-terminated. */
void settings_environment_doubts(const struct settings_section *sections, size_t section_count, const char *const *others,
                                 const struct settings_listener *listener);

#endif
