/* Fuzzy checkpoints.
 *
 * Entries changed since they were last written are written in passes, a few with each ordinary transaction. A pass begins at
 * some offset B with the list of entries dirty then; when the last of them is out, in whatever state it has by then, the
 * marker (B and the clock at B) goes into the metadata of the committed offset, in the same transaction. It says:
 * for every record before B, each entry it changed is in the checkpoint topic with applied_offset not smaller. So recovery
 * reads the topic, then the input from B on, and skips what an entry has already seen.
 *
 * A pass lasts checkpoint_interval_ms when there is much to write; when there is little it is over at once, so that in a small
 * shop the journeys topic is a second behind and no more, and a hot customer is still written once a pass, not once an event. Where
 * nobody reads along (kpi.state) it always lasts that long: its entries are large, and nearly all of them are hot.
 *
 * What a processor adds up over many records leaves more seldom than its outputs (processor.summarise), at an offset S that goes into
 * the metadata, too: replay adds up again what comes from S on. So an entry must not be written while changes of it are in no sent
 * sum: read back, it would have them replay skip just those. Entries go only with transactions that bring the sums up to date.
 *
 * Deleting nearly fooled us, twice; tests/sim found both. A bare tombstone says nothing of the offset D at which the entry died,
 * so a recovery from a marker before D would read the records before D again and rebuild half an entry, which need not die at D.
 * Holding tombstones back until the marker has passed D does not help either: then the pass that finds the dead entry has
 * nothing to write, its marker claims a state that is not there, and the entry is half rebuilt all the same. So a tombstone
 * carries D (a Kafka header), and is a change like any other: recovery keeps the dead, stateless, with applied_offset D, until
 * it is live. What a processor wants to know of the dead for a while goes with it (processor.key_note), and what the
 * dead remembered for all goes before it, with another entry (processor.wants_heir). Tombstones must therefore outlive the longest downtime: delete.retention.ms of the topic (engine/admin.h). */
#ifndef TS_ENGINE_CHECKPOINT_H
#define TS_ENGINE_CHECKPOINT_H

#include "engine/broker.h"
#include "engine/processor.h"

struct task;
struct outbox;

struct entry_list {
    struct entry **items;
    size_t count, capacity;
};

void entry_list_add(struct entry_list *list, struct entry *entry);

struct checkpoint {
    struct entry_list dirty;  /* changed, and not in the present pass */
    struct entry_list pass;   /* being written */
    size_t pass_at;           /* how many of them are out */
    bool is_passing;
    int64_t pass_offset, pass_clock_ms;
    int64_t pass_began_ms;    /* monotonic */
    int64_t marker_offset, marker_clock_ms; /* to go with the next commit; −1: none yet */
    bool is_marker_new;                     /* not yet in a committed offset */
    int64_t bytes_written;                  /* since the last report */
    size_t heir_at;                         /* in the table of entries: who was the last heir stands before it */
};

struct checkpoint_pace {
    int64_t interval_ms; /* length of a pass with much to write */
    int64_t least_ms;    /* from the beginning of one pass to the next */
    size_t least_count;  /* entries written with each call at least */
    int64_t now_ms;      /* monotonic */
    int64_t wall_ms;     /* the timestamp of what is written */
};

void checkpoint_init(struct checkpoint *checkpoint);
void checkpoint_finish(struct checkpoint *checkpoint);

/* After an entry has changed (applied_offset is set already). One that is_deleted loses its state here. */
void checkpoint_note_change(struct task *task, struct entry *entry);

/* Called before a commit of a live task without anything unsummed: writes a few entries into the outbox, moves the marker when a pass is through. */
void checkpoint_advance(struct task *task, struct outbox *outbox, const struct checkpoint_pace *pace);

/* Is there something to write although no record came? */
bool checkpoint_wants_commit(const struct task *task, const struct checkpoint_pace *pace);

/* Closing: writes as much as fits into `bytes_max`, at no pace; true: all is out and the marker stands at next_offset. Call again after
 * the commit otherwise. */
bool checkpoint_close(struct task *task, struct outbox *outbox, size_t bytes_max, const struct checkpoint_pace *pace);

/* The metadata of a committed offset, and back. false: not ours. */
void checkpoint_marker_print(const struct task *task, char metadata[BROKER_METADATA_MAX]);
struct checkpoint_marker {
    int64_t offset, clock_ms;
    int64_t summed_offset; /* −1: as far as the committed offset */
    int version;
    struct broker_ids ids; /* "": from before it was noted, or not known then */
};
bool checkpoint_marker_parse(const char *metadata, struct checkpoint_marker *out);

#endif
