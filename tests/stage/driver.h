/* A processor without an engine: records in, records out, on an exact clock, in memory. For the stage tests.
 *
 * It keeps the promises of engine/processor.h in the plainest way: one partition, one record at a time, timers by
 * (due time, key), no transactions. Crashes are simulated: driver_recover makes a new task from the checkpoint
 * and the log, as the engine does after a kill. It stands in for engine/ (outbox_…, entry_key), so do not link both. */
#ifndef TS_TESTS_STAGE_DRIVER_H
#define TS_TESTS_STAGE_DRIVER_H

#include "engine/processor.h"

struct driver;

struct driver_output {
    const char *topic;   /* a name out of processor.outputs */
    int32_t partition;   /* OUTBOX_BY_KEY or a number */
    struct view key;
    struct view value;   /* .data == NULL: a tombstone */
    int64_t timestamp_ms;
    int64_t offset;      /* of the input record that caused it */
};

/* `partitions`: how many the input has, and what outbox_partition_count says of every output. The task is that of partition 0. */
struct driver *driver_create(const struct processor *processor, void *shared, int32_t partitions);
struct driver *driver_create_partition(const struct processor *processor, void *shared, int32_t partition, int32_t partitions);
void driver_destroy(struct driver *driver);

/* Feed one record; it gets the next offset. A null view as value is a null value. PARK: it was parked. */
enum outcome driver_feed(struct driver *driver, struct view key, struct view value, int64_t timestamp_ms);
/* For runs too long to be kept: from here on records leave no trace in memory, and there is no recovery. */
void driver_keep_no_log(struct driver *driver);
void driver_tick(struct driver *driver, int64_t at_ms); /* null key, null value */

/* The engine calls summarise and batch_end before a commit: so must a test, when its processor has them. */
void driver_commit(struct driver *driver);

/* All outputs since the last driver_forget_outputs, in order. Borrowed until then. */
size_t driver_output_count(const struct driver *driver);
const struct driver_output *driver_output(const struct driver *driver, size_t index);
/* The newest output of this topic and key; NULL: none. */
const struct driver_output *driver_latest(const struct driver *driver, const char *topic, struct view key);
void driver_forget_outputs(struct driver *driver);

int64_t driver_clock_ms(const struct driver *driver);
size_t driver_entry_count(const struct driver *driver);
struct entry *driver_entry(struct driver *driver, struct view key); /* NULL: none */

/* One fuzzy checkpoint pass: begin notes the marker (the next offset, the clock); write saves up to `most` entries (those that
 * changed since they were last saved) as they are now; when none is left, the marker stands and write returns true. */
void driver_checkpoint_begin(struct driver *driver);
bool driver_checkpoint_write(struct driver *driver, size_t most);
size_t driver_checkpoint_bytes(const struct driver *driver); /* values of the entries saved last, summed up */

/* What the checkpoint has of an entry; null: nothing. Borrowed until it is written again. */
struct view driver_saved(const struct driver *driver, struct view key);
/* An entry as some checkpoint may have it, damaged or not. false: it does not load, as which the engine refuses to start. */
bool driver_load(struct driver *driver, struct view key, struct view value);

/* Kill and recover: entries and task are dropped, the checkpoint is read, the log is read again from the last marker with outputs muted. */
void driver_recover(struct driver *driver);

#endif
