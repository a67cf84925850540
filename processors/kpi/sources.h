/* The clocks of the journey partitions, and the event clock of one kpi.deltas partition: the smallest of them.
 *
 * Every journey partition says its clock to every partition of kpi.deltas about once a second (kind CLOCK). The minimum is what
 * everybody has reached: on a backlog partitions progress unevenly, and taking any other would close buckets early. A source
 * that has said nothing while the others spoke SILENT_AFTER times each holds nobody up (its partition is gone, or its
 * journey process is down); the engine's clock never goes back when it returns.
 *
 * The same instants pace publication: the first CLOCK of each publish interval of record time is a flush. Not while a source is
 * behind: then record time runs as fast as a backlog is read, in each partition from another place, and nobody waits for what is
 * published on the way. So a flush comes when everybody has spoken so often (kpi.publish_rounds_behind; some ten seconds), and one more when
 * the last has caught up. Record time is the broker's clock: where that was set back, publication does not wait until it has come to where
 * it was, but goes on from the new time once everybody has spoken twice.
 *
 * After a crash the engine reads records again that this table has seen already: the table is saved with a later offset than
 * other entries. So it remembers its own recent past: what the clock was at an offset, which offsets were flushes, and when somebody was behind.
 * Replaying then gives every entry exactly the clock it had the first time. Task thread only. */
#ifndef TS_KPI_SOURCES_H
#define TS_KPI_SOURCES_H

#include "processors/kpi/packed.h"

#include <stdint.h>

struct source {
    int32_t partition;
    int64_t clock_ms;
    int64_t spoken_at; /* count of all CLOCKs when it last spoke */
    bool is_behind;
};

struct moment {
    int64_t offset, clock_ms;
    bool is_flush, is_behind;
};

struct sources {
    struct source *items;
    size_t count, capacity;
    int64_t spoken;   /* CLOCKs so far */
    int64_t offset;   /* of the last one; −1: none */
    int64_t clock_ms; /* the minimum; INT64_MIN: none yet */
    int64_t pace;     /* the publish interval that the last flush came in */
    int64_t flushed_at; /* count of CLOCKs then */
    int64_t rounds_behind; /* a setting */
    bool is_behind;   /* somebody was, at the last CLOCK */
    struct moment *history;
    size_t history_count, history_capacity;
};

enum { SOURCES_SILENT_AFTER = 300, SOURCES_HISTORY_MAX = 8192 };

void sources_init(struct sources *sources, int64_t rounds_behind);
void sources_finish(struct sources *sources);

/* What a CLOCK says. */
struct word {
    int64_t offset;
    int32_t partition; /* of the speaker */
    bool is_behind;
    int64_t clock_ms;
    int64_t pace;      /* its publish interval */
};

/* Gives the event clock at the word's offset: INT64_MIN for one so old that it is forgotten. */
int64_t sources_speak(struct sources *sources, const struct word *word);

bool sources_is_flush(const struct sources *sources, int64_t offset);
/* Was a backlog being read then? */
bool sources_was_behind(const struct sources *sources, int64_t offset);

void sources_save(const struct sources *sources, struct bytes *out);
bool sources_load(struct sources *sources, struct unpacker *in);
/* When somebody was behind, of the past that sources_load has brought: a part of its own, for checkpoints of before do not have it. */
void sources_save_behind(const struct sources *sources, struct bytes *out);
void sources_load_behind(struct sources *sources, struct unpacker *in);

#endif
