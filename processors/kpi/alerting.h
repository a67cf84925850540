/* What the alerts of this stage have in common: their life, whom they are about, their way out.
 *
 *     nothing ──▶ level 1 … ──▶ another level ──▶ over ──▶ level 1 … within a while: the same alert once more; later: another one
 *
 * Told is each of these steps, and one more: what began while history was read is `historical`, and becomes news if it still stands when time
 * has caught up. News stays news to its end. What an alert is about, and when it is past which line, is its rule's own file: threshold.c,
 * burn.c, shift_alerts.c, source_watch.c, refusals.c, lag_watch.c. */
#ifndef TS_KPI_ALERTING_H
#define TS_KPI_ALERTING_H

#include "processors/kpi/packed.h"
#include "processors/kpi/task.h"
#include "schemas/records.h"

/* --- its life */

/* As of `at_ms` it stands at this level. Opened again within `again_ms` of its end it is the same alert, at 0 never. true: it is another step,
 * and alerting_tell is to say so. */
bool alerting_move(struct step *step, struct alert_life *life, uint8_t level, int64_t at_ms, int64_t again_ms);
/* The same, where it could be known only so long after. */
bool alerting_move_late(struct step *step, struct alert_life *life, uint8_t level, int64_t at_ms, int64_t late_ms, int64_t again_ms);

/* For checkpoints, of whoever `has_window` with that. */
void alerting_save(const struct alert_life *life, bool has_window, struct bytes *out);
void alerting_load(struct alert_life *life, bool has_window, struct unpacker *in);

/* --- whom it is about */

/* Is the series one of these sets of dimensions ("all", "channel", "product+channel")? */
bool alerting_is_about(const struct series_state *state, const struct text_list *sets);

/* The whole is what everybody is to hear of: a part of it is a step less grave. */
enum severity alerting_severity(const struct series_state *state, uint8_t level);

/* --- what is told */

/* A dimension as people read it, in a text: product=a=b for product=a%3Db. What would break the line, or be read as
 * another value (_other), stays encoded; what is too long is cut between characters. The view is of `words`. */
enum { ALERTING_WORDS_MAX = 400 };
struct view alerting_words(struct view dimension, char words[ALERTING_WORDS_MAX]);

/* Sends `alert` with what its life knows. The caller has said rule, kind, severity, state, dimension, kpi, score and text; `why` is
 * the text of its reason, .data == NULL: none. The same rule, opened in the same `scope`, is the same alert whenever it is told. */
void alerting_tell(struct step *step, const struct alert_life *life, struct view scope, struct alert *alert, struct view why);

/* --- about the data (source_watch.c, refusals.c, lag_watch.c)
 *
 * ALERT_HIGH is a WARNING: it holds back what is said of KPIs (sinks/notify/inhibition.h), and so is none for longer than DATA_GRAVE_MS. Then, or
 * from the beginning, ALERT_LOW, which is INFO: what is known must not leave all the rest unwatched for good. */

#define DATA_GRAVE_MS DAYS(1)

/* How grave it is as of `at_ms`; of one that lasts or, within again_ms of its end, begins again: by when it began at first. */
uint8_t alerting_level_of_data(const struct alert_life *life, int64_t at_ms, int64_t again_ms);

/* A copy of "source=shop", of an entry's key; the caller's to free. */
struct view alerting_source_of(struct view key, const char *prefix);

/* `why`: as above. */
void alerting_tell_of_data(struct step *step, const struct alert_life *life, const char *rule, struct view dimension, enum alert_state told, uint8_t level,
                             struct view text, struct view why);

/* The last minute in which something may have arrived of which this record tells: a collector's clock that is further ahead of the record's date than is accepted of a
 * touchpoint is wrong, and what it says is of then. What is true later would be taken for old otherwise, for as long as the clock was ahead. */
int32_t alerting_newest_minute(const struct step *step);

#endif
