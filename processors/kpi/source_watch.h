/* A source that used to send and is heard of no more: one alert, rule data.source_silent. An entry of its own, besides those of series.
 *
 * What is usual is the source's own: for one that sends day and night the longest pause of the last days; for one that keeps hours, what it sent
 * in the same hours of the last three weeks. source_watch.c says how. */
#ifndef TS_KPI_SOURCE_WATCH_H
#define TS_KPI_SOURCE_WATCH_H

#include "processors/kpi/task.h"

enum { SOURCE_HOURS = 4 * 7 * 24, SOURCE_DAYS = 3 };

struct source_watch {
    struct view dimension;          /* "source=shop"; owned */
    int32_t last_minute;            /* in which it was heard of; INT32_MIN: never yet */
    uint8_t hours[SOURCE_HOURS];    /* a ring: in how many minutes of each hour; the newest is that of last_minute. By local time, as people keep hours */
    int32_t pauses[SOURCE_DAYS];    /* a ring by the day in which they ended: the longest, in minutes */
    int32_t newest_day;
    struct alert_life silence;
};

struct source_watch *source_watch_create(struct view key); /* the entry's */
void source_watch_destroy(struct source_watch *source);

/* It was heard of in this minute; in one that is known, or older than the last, nothing happens. */
void source_watch_hear(struct step *step, struct source_watch *source, int32_t minute);

/* Time has moved. false: it is gone for so long that it may be forgotten. */
bool source_watch_look(struct step *step, struct source_watch *source);
int64_t source_watch_due_ms(const struct kpi_task *task, const struct source_watch *source, int64_t clock_ms);

void source_watch_save(const struct source_watch *source, struct bytes *out);
bool source_watch_load(struct source_watch *source, struct view saved);

#endif
