/* One partition in our care: the processor's own part, the entries, the clock, and how far we are.
 *
 *   LOADING ──entries read──► REPLAYING ──committed offset reached──► LIVE
 *
 * LOADING    the checkpoint partition is being read; the input is silent
 * REPLAYING  the input from the marker to the committed offset is applied again, muted: it was sent before (but for sums from
 *            summed_offset on, which were not)
 * LIVE       what is applied is sent */
#ifndef TS_ENGINE_TASK_H
#define TS_ENGINE_TASK_H

#include "engine/checkpoint.h"
#include "engine/entries.h"
#include "engine/outgoing.h"
#include "engine/timers.h"

enum task_stage { TASK_LOADING, TASK_REPLAYING, TASK_LIVE };

/* Offsets that were passed over when the partition went on; length 0: none. */
struct task_gap {
    int64_t offset, length;
};

struct task {
    const struct processor *processor;
    void *own; /* from processor.task_create */
    int32_t partition;
    enum task_stage stage;
    struct entries entries;
    struct timers timers;
    struct checkpoint checkpoint;
    int64_t next_offset;      /* everything before it is applied */
    int64_t committed_offset; /* everything before it was committed, by us or an earlier owner; −1: nothing ever */
    int64_t summed_offset;    /* the processor's sums hold everything before it and were sent; see has_unsummed */
    int64_t clock_ms;         /* CLOCK_UNSET: no record yet */
    struct broker_ids ids;    /* of the topics whose records were applied, and that the entries are in */
    int64_t allowed_disorder_ms;
    int64_t entries_max;
    int32_t input_partitions; /* 0: not known */
    struct entry_list dead;   /* restored from tombstones, needed while replaying */
    bool is_loaded;           /* all entries read; waits for its input to start */
    bool is_placed;           /* the input goes on where we stand: a record or an end at or beyond next_offset was seen */
    struct task_gap gap;      /* before it; until gone.c has looked into it */
    bool is_touched;          /* something to commit, or to end a batch for */
    bool has_records;         /* batch_end is due */
    bool has_unsummed;        /* summarise is due; otherwise the sums are as far as next_offset */
    int64_t active_at_ms;     /* monotonic: the last record or tick */
    int64_t passed_at_ms;     /* the same, but of no event of the past */
    int64_t end_offset;       /* where the partition's end was last seen; at the end while next_offset is not smaller */
    int64_t loading_since_us;
    int64_t watched_offset;   /* watch.c: next_offset when it last moved, */
    int64_t still_looks;      /* and how many looks ago that was */
    int short_looks;          /* origin.c: in a row, at which the input ended before next_offset */
    bool is_doubtful;         /* origin.c: a record came at an offset that was applied before */
    int64_t parked, applied;  /* counted since the last report */
};

struct task *task_create(const struct processor *processor, void *shared, int32_t partition);
void task_destroy(struct task *task);

/* The input has gone on at `offset`, a record's or its end, which is not below next_offset. Of what was never committed nothing is missed:
 * a new group begins where the topic does. */
static inline void task_note_place(struct task *task, int64_t offset)
{
    if (!task->is_placed && task->committed_offset >= 0)
        task->gap = (struct task_gap){task->next_offset, offset - task->next_offset};
    task->is_placed = true;
}

/* Forgets an entry wholly: state, timer, place in the table. */
void task_forget_entry(struct task *task, struct entry *entry);

/* From REPLAYING, or from LOADING when there is nothing to replay. */
void task_go_live(struct task *task);

const char *task_stage_name(enum task_stage stage);

#endif
