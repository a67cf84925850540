/* Are the input and the checkpoint topic still those that our state is of?
 *
 * Somebody may delete one and make it anew under its name, while its processor runs or rests. An input's records then stand at offsets that the old
 * one had already: they would be passed over as delivered twice, in silence. A checkpoint topic has nothing in it of what belongs to the committed
 * offsets: all that was known would be gone, in silence, too. Kafka's ids of the topics tell, and go with each marker (checkpoint.h), so that a later
 * start knows it, too. Under way a task keeps the ids that it was placed with: what it holds was read of the one and is written to the other.
 *
 * Where Kafka tells no ids, and for a log that lost its end (an unclean election), there is a second sign of the input: it ends before the place
 * where we are, and stays so. A new leader may for a moment not know how far it may let read; retention and compaction never take anything from the
 * end.
 *
 * Either way nothing more is applied or committed, and the process ends: what is right now only its operator can say. */
#ifndef TS_ENGINE_ORIGIN_H
#define TS_ENGINE_ORIGIN_H

#include "engine/worker.h"

enum { ORIGIN_NAME_SIZE = 300 };

/* The topic's name, with prefix. */
void origin_name(const struct runner_config *config, enum broker_origin origin, char name[ORIGIN_NAME_SIZE]);

/* Before partitions are taken: which topics are there now? OK, RETRY: not known yet. */
enum outcome origin_learn(struct worker *worker);

/* May the partition be taken, with the offset that was committed for it? false: it is another topic's (said, hopeless). */
bool origin_is_known(struct worker *worker, const struct broker_commit *commit, const struct checkpoint_marker *marker);

/* The input was gone for a while: the same doubt. */
void origin_doubt(struct worker *worker);

/* A record came at an offset that we had already: nothing may be committed before origin_look has found whose it was. */
bool origin_is_in_doubt(const struct worker *worker);

/* Before anything is taken or committed: one look a second, and one more when a record came at an offset that we had already. OK, RETRY: whose that
 * was is not known yet, STOP (said, hopeless). */
enum outcome origin_look(struct worker *worker, int64_t now_ms);

/* A partition ends before the place where it was to go on. Says so: STOP, hopeless. */
enum outcome origin_is_short(struct worker *worker, const struct task *task, int64_t end_offset);

#endif
