/* How many records of each source were taken and refused, by the minute: for the kpi stage, which tells of a source that is refused too much
 * (processors/kpi/refusals.h). Of sources that are not refused anything nothing is sent. What was not told yet is lost in a crash; it counts
 * for a quarter of an hour anyhow. Any thread. */
#ifndef TS_INGEST_VERDICTS_H
#define TS_INGEST_VERDICTS_H

#include "ingest/outlet.h"

struct verdicts;

struct verdicts *verdicts_create(void);
void verdicts_destroy(struct verdicts *verdicts);

/* `code`: why the last one was refused; null if none was. */
void verdicts_note(struct verdicts *verdicts, struct view source, int64_t taken, int64_t refused, struct view code, int64_t now_ms);

/* To be called now and then; sends every ten seconds at most. */
void verdicts_tell(struct verdicts *verdicts, const struct outlet *outlet, int64_t now_ms);

#endif
