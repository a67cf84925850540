/* A shift, compared with its parts. The series of a product or a channel lie in other partitions of kpi.deltas than the one that they are parts of,
 * so whoever has found a shift asks all of them, itself included, by way of the topic:
 *
 *     finder ──ASKED──▶ every partition: what did your parts of it do? ──TOLD──▶ finder ──▶ trend.shifts, with what drives it
 *
 * A partition whose clock is not there yet answers when it is: it knows then what the finder knew. A finder that does not hear from all of
 * them within PATIENCE_MS of event time publishes what it has heard. With one partition nobody need be asked.
 *
 * An entry of its own (KPI_SHIFT_KEY and the shift's id), in the finder's partition until all have answered, in others until they do. */
#ifndef TS_KPI_COMPARISON_H
#define TS_KPI_COMPARISON_H

#include "processors/kpi/drivers.h"
#include "processors/kpi/task.h"

struct kpi_delta;
struct comparison;

/* The shift that this series shows from row `onset` to row `last`. false: its parts say nothing about such a one, it is to be
 * published as it is; else it has been published, or will be when the others have answered. */
bool comparison_begin(struct step *step, const struct series_state *state, enum grid grid, int32_t onset, int32_t last,
                      const struct trend_shift *shift);

/* A record of kind TOLD under the key of a series: by the stage to itself, what a shift of it comes from. Under its own key, for what is done to a
 * series must follow from what stands in the topic under its key. false: it makes no sense. */
bool comparison_hear_explained(struct step *step, struct series_state *state, const struct kpi_delta *delta);

/* Of "product=boots,channel=EMAIL", a part of "channel=EMAIL": "product=boots". */
void comparison_own_part(struct bytes *out, struct view dimension, struct view whole);

/* A record of kind ASKED or TOLD. false: it makes no sense. */
bool comparison_hear(struct step *step, struct entry *entry, const struct kpi_delta *delta);
void comparison_timer(struct step *step, struct entry *entry);

void comparison_save(const struct comparison *comparison, struct bytes *out);
struct comparison *comparison_load(struct view saved); /* NULL: does not decode */
void comparison_destroy(struct comparison *comparison);

#endif
