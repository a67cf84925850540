/* The topics of an installation: their names, records and lifetimes, and making sure that they and their schemas are there. */
#ifndef TS_APP_TOPICS_H
#define TS_APP_TOPICS_H

#include "app/app.h"
#include "engine/admin.h"
#include "schemas/records.h"
#include "schemas/registry.h"

struct topic_row {
    const char *name; /* without prefix */
    const struct record_shape *shape;
    bool is_compacted;
    bool is_sparse;       /* a record for some dozens of events: a quarter of the partitions do */
    int64_t retention_ms; /* −1: for ever */
    const char *key;      /* what the key is, for people */
    const char *summary;
    bool is_dated_on_arrival; /* see struct topic_wanted */
    bool is_dated_by_others;  /* who produces into it could move clocks by a date */
};

extern const struct topic_row topic_rows[]; /* ends with name NULL */

const struct topic_row *topic_row_find(const char *name); /* NULL: none of ours */

enum { TOPICS_MAX = 16 };

/* What Kafka should have for them; answers how many. */
size_t topics_wanted(const struct config *config, struct topic_wanted wanted[TOPICS_MAX]);

/* Ids of our own schemas in this installation's registry, by place in topic_rows. */
struct schema_ids {
    uint32_t of_topic[TOPICS_MAX];
};

uint32_t schema_id_of(const struct schema_ids *ids, const char *topic);

/* Creates what is missing and registers every schema. `waits`: while Kafka or the registry is away, say so once and wait until
 * *stop. STOP: refused (logged). */
enum outcome topics_prepare(const struct config *config, struct registry *registry, struct schema_ids *ids, bool waits,
                            atomic_bool *stop);

int topics_command(struct app *app, int argc, char **argv);
const struct option *topics_options(void);

#endif
