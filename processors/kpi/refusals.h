/* A source of whose records too many are refused: one alert, rule data.rejected, for KPIs without them look calm, as those of a source that is
 * silent. An entry of its own besides source_watch.h's: who names a source in vain (a webhook that fits its mapping no more) need never have been
 * heard of. What counts is what the collectors tell (schemas/kpi_names.h, KPI_REFUSED_KEY): who feeds Kafka himself has its own log. */
#ifndef TS_KPI_REFUSALS_H
#define TS_KPI_REFUSALS_H

#include "processors/kpi/task.h"

struct kpi_delta; /* schemas/records.h */

enum { REFUSALS_MINUTES = 15, REFUSALS_CODE_MAX = 32 };

struct refusals {
    struct view dimension;     /* "source=shop"; owned */
    int32_t newest;            /* minute of arrival told of; INT32_MIN: none yet */
    struct verdicts {
        int64_t taken, refused;
    } minutes[REFUSALS_MINUTES]; /* a ring, up to `newest` */
    char code[REFUSALS_CODE_MAX]; /* why the last one was refused */
    struct alert_life life;
};

struct refusals *refusals_create(struct view key); /* the entry's */
void refusals_destroy(struct refusals *refusals);

/* What a collector counted since it last told. */
void refusals_hear(struct step *step, struct refusals *refusals, const struct kpi_delta *told);

/* Time has moved. false: there is nothing to remember. */
bool refusals_look(struct step *step, struct refusals *refusals);
int64_t refusals_due_ms(const struct refusals *refusals, int64_t clock_ms);

void refusals_save(const struct refusals *refusals, struct bytes *out);
bool refusals_load(struct refusals *refusals, struct view saved);

#endif
