/* Is the input still the topic whose records were applied?
 *
 * Somebody may delete it and make it anew under its name, while its processor runs or rests. Its records then stand at offsets that the old one
 * had already: they would be passed over as delivered twice, in silence. Kafka's id of the topic tells, and goes with each
 * marker (checkpoint.h), so that a later start knows it, too. Where Kafka tells no ids, and for a log that lost its end (an unclean election), there
 * is a second sign: the input ends before the place where we are, and stays so. A new leader may for a moment not know how far it may let
 * read; retention and compaction never take anything from the end.
 *
 * Either way nothing more is applied or committed, and the process ends: what is right now only its operator can say. */
#ifndef TS_ENGINE_INPUT_H
#define TS_ENGINE_INPUT_H

#include "engine/worker.h"

/* Before partitions are taken: which topic is there now? OK, RETRY: not known yet. */
enum outcome input_learn(struct worker *worker);

/* May the partition be taken, with the offset that was committed for it? false: it is another topic's (said, hopeless). */
bool input_is_known(struct worker *worker, const struct broker_commit *commit, const struct checkpoint_marker *marker);

/* The input was gone for a while: the same doubt. */
void input_doubt(struct worker *worker);

/* A record came at an offset that we had already: nothing may be committed before input_look has found whose it was. */
bool input_is_in_doubt(const struct worker *worker);

/* Before anything is taken or committed: one look a second, and one more when a record came at an offset that we had already. OK, RETRY: whose that
 * was is not known yet, STOP (said, hopeless). */
enum outcome input_look(struct worker *worker, int64_t now_ms);

/* A partition ends before the place where it was to go on. Says so: STOP, hopeless. */
enum outcome input_is_short(struct worker *worker, const struct task *task, int64_t end_offset);

#endif
