/* What no single setting shows: whether the values of a configuration can be right together. Errors stop every command before it connects to
 * anything; doubts are told and left to people. */
#ifndef TS_APP_SENSE_H
#define TS_APP_SENSE_H

#include "app/config.h"
#include "base/settings_environment.h"

/* false: `error` is "KEY: what is wrong, what would be right" or "line N: KEY: …". */
bool sense_check(const struct config *config, struct bytes *error);

/* Who may reach a listener that this configuration opens, where that is probably not meant; NULL: no doubt. */
const char *sense_doubt_of_ingest(const struct config *config);    /* about ingest.listen */
const char *sense_doubt_of_dashboard(const struct config *config); /* about dashboard.listen */

/* Targets, and windows held to one, that can alert nobody. */
void sense_doubts_of_targets(const struct config *config, const struct settings_listener *listener);

/* About ingest.mappings_dir; a folder may be mounted later, so it is no error. */
const char *sense_doubt_of_mappings(const struct config *config);

#endif
