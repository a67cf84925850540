/* Planted mistakes, to show that tests/sim would find them. In the product MUTANT(…) is the constant false and costs nothing; the
 * simulation compiles the engine a second time with TS_MUTATIONS and switches one on. */
#ifndef TS_ENGINE_MUTATION_H
#define TS_ENGINE_MUTATION_H

/* name, what is wrong then */
#define MUTATIONS(X)                                                                                                        \
    X(SKIP_APPLIED_CHECK, "applies a record although the entry has seen it")                                               \
    X(APPLIED_ONE_TOO_FAR, "skips a record the entry has not seen")                                                        \
    X(OFFSETS_OUTSIDE, "commits offsets in a transaction of their own, after the outputs")                                 \
    X(MARKER_TOO_FAR, "the marker says one record more than is written")                                                   \
    X(MARKER_TOO_EARLY, "the marker moves when a pass begins")                                                             \
    X(TIMER_TWICE, "fires a timer twice")                                                                                  \
    X(TIMER_LOST, "forgets timers on recovery")                                                                            \
    X(LOST_TOMBSTONE, "forgets an entry without a tombstone")                                                              \
    X(TOMBSTONE_WITHOUT_OFFSET, "a tombstone does not say when the entry died")                                                       \
    X(OUTBOX_TWICE, "sends the outbox again without aborting first")                                                       \
    X(OUTBOX_NOT_REWOUND, "sends only the rest after an abort")                                                            \
    X(REPLAY_NOT_MUTED, "sends outputs of replayed records again")                                                         \
    X(MUTED_TOO_LONG, "stays muted one record beyond the committed offset")                                                \
    X(CLOCK_NOT_RESTORED, "recovers without the clock")                                                                    \
    X(DUPLICATES_APPLIED, "applies a record delivered twice, twice")                                                       \
    X(REVOKED_UNCOMMITTED, "lets a partition go without committing, and keeps its outputs")                                \
    X(LOST_COMMITTED, "keeps the batch of a lost partition")                                                               \
    X(CLEAN_TOO_SOON, "takes an entry for written that changed while the pass went on")                                    \
    X(ENTRIES_UNFENCED, "writes entries in a transaction without their partition's offset")                                \
    X(SUMS_LOST, "leaves out of the sums what was committed before they were sent")                                         \
    X(SUMS_TWICE, "adds up again what was sent")                                                                            \
    X(ENTRIES_BEFORE_SUMS, "writes entries whose last changes are in no sum yet")                                           \
    X(STRAGGLERS_APPLIED, "applies records while entries are still being read")

#define MUTATION_NAME(name, about) MUTATION_##name,
enum mutation { MUTATION_NONE, MUTATIONS(MUTATION_NAME) MUTATION_COUNT };

#ifdef TS_MUTATIONS
extern enum mutation mutation_active;
#define MUTANT(name) (mutation_active == MUTATION_##name)
#else
#define MUTANT(name) 0
#endif

#endif
