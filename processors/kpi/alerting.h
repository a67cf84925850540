/* What the alerts of this stage have in common: whom they are about, their ids, their way out. */
#ifndef TS_KPI_ALERTING_H
#define TS_KPI_ALERTING_H

#include "base/uuid.h"
#include "processors/kpi/task.h"
#include "schemas/records.h"

/* Is the series one of these sets of dimensions ("all", "channel", "product+channel")? */
bool alerting_is_about(const struct series_state *state, const struct text_list *sets);
bool alerting_is_part(const struct series_state *state); /* of the whole, which everybody is to hear of */

/* The same rule and scope are the same alert, whenever it is told. The view is of `id`. */
struct view alerting_id(const char *rule, struct view scope, char id[UUID_TEXT_SIZE + 1]);

/* A dimension as people read it, in a text: product=a=b for product=a%3Db. What would break the line, or be read as
 * another value (_other), stays encoded; what is too long is cut between characters. The view is of `words`. */
enum { ALERTING_WORDS_MAX = 400 };
struct view alerting_words(struct view dimension, char words[ALERTING_WORDS_MAX]);

/* Did it happen so long before the record that told us that nobody is to be called? */
bool alerting_is_history(const struct step *step, int64_t at_ms);

void alerting_send(struct step *step, const struct alert *alert);

#endif
