/* What the files of this stage share: a task (one partition of kpi.deltas) and the state of one entry (one series). */
#ifndef TS_KPI_TASK_H
#define TS_KPI_TASK_H

#include "processors/kpi/kpi.h"
#include "processors/kpi/series.h"
#include "processors/kpi/sources.h"

struct driver;       /* drivers.h */
struct kpi;          /* schemas/records.h */
struct lateness;     /* lateness.h */
struct trend_shift;  /* there, too */
struct trend;        /* trend/trend.h */
struct trend_change; /* there, too */

/* Closed hours on their way to Kpi.closed. Range [revised_from, revised_until) is still to be told; empty: from == until. */
struct hours {
    int32_t closed_until; /* hours before it are closed; INT32_MIN: nothing came yet */
    int32_t revised_from, revised_until;
    bool has_closed;      /* since told: do not wait */
    int64_t told_at_ms;   /* record time */
};

/* The watch over one series' closed buckets, one detector a grid. */
struct watch {
    struct trend *trends[GRID_COUNT]; /* NULL: this grid is not watched (or not yet) */
    int32_t next[GRID_COUNT];         /* the row to come */
    int64_t starts_at_ms;             /* on the event clock, or since when it runs; INT64_MAX: not watched at all */
    bool is_started;
    int32_t put_offs;                 /* how often history that poured in has put the start off */
    struct lateness *lateness;        /* NULL: nothing has come late since it runs */
};

/* An alert, from its opening to its end and perhaps its opening again; alerting.h. All zero: there was none. */
struct alert_life {
    uint8_t level;         /* 0: it is over; ALERT_LOW, ALERT_HIGH: how grave it is, by its own rule */
    uint8_t window;        /* of a KPI held to its target: enum window_id that is looked at, NO_WINDOW: none */
    bool is_dropped;       /* and the settings want another window, or none, by now: what is open ends */
    bool is_historical;
    int32_t revision;      /* of what was told last; 0: there was none */
    int64_t opened_at_ms, changed_at_ms;
};

enum { ALERT_LOW = 1, ALERT_HIGH = 2 };

/* A shift of this series that is told as an alert, or was the last time; shift_alerts.c. */
struct shift_alert {
    struct alert_life life;
    uint8_t grid, kind;    /* enum grid; enum shift_kind of schemas/records.h */
    bool is_unwatched;     /* the detector that found it is gone */
    int64_t onset_at_ms;
    double before, after, low, high, confidence;
    char *drivers;         /* what it comes from, in words; NULL: not known, or no part stands out */
};

enum { FACES_MAX = 2 };

struct series_state {
    struct series series;
    struct hours hours;
    struct watch watch;
    struct shift_alert shift;
    struct alert_life burn; /* promises broken too fast; burn.c */
    struct alert_life thresholds[FACES_MAX]; /* KPIs held to their targets, beside faces_of; threshold.c */
    int64_t changed_offset; /* of the last record or timer that changed what is to be published */
    size_t place;           /* in task->changed; SIZE_MAX: not there */
    size_t number;          /* in task->series */
    struct entry *entry;    /* whose state this is */
    char *key;              /* KPI|DIMENSION */
    struct view dimension;  /* within key */
};

struct series_list {
    struct series_state **items;
    size_t count, capacity;
};

/* Who reads touchpoints late; lag_watch.c. */
struct lag_watch {
    struct lag_place *places; /* of each journey partition that has spoken */
    size_t count, capacity;
    int64_t late_since_ms;    /* record time; INT64_MAX: nobody is late */
    struct alert_life life;
};

struct kpi_task {
    const struct kpi_shared *shared;
    int32_t partition;
    struct sources sources;
    struct lag_watch lag;       /* of partition 0 */
    struct entry *clocks;       /* whose state these two are; NULL: nobody has spoken */
    struct series_list series;  /* all of this partition, in no promised order */
    struct series_list changed; /* to be published at the next flush */
    struct arena arena;            /* for what is needed in passing, emptied at each use */
    struct bytes scratch;
    struct metric *too_late;
};

/* An event-time bucket is closed for detectors and series this long after its end: stragglers of other partitions. */
enum { CLOSING_GRACE_MS = 60000 };

/* Of "product=boots,channel=EMAIL" two; of "all" none. */
size_t dimension_component_count(struct view dimension);

void series_list_changed(struct kpi_task *task, struct series_state *state); /* into task->changed, once */

struct series_state *series_state_create(struct kpi_task *task, struct view key, enum kpi_id kpi);
void series_state_destroy(struct kpi_task *task, struct series_state *state);

/* --- hours.c */

void hours_note(struct series_state *state, int32_t minute, int64_t clock_ms); /* something was added there */
void hours_close(struct series_state *state, int64_t clock_ms);
int64_t hours_due_ms(const struct series_state *state); /* when the next one closes; INT64_MAX: nothing there */
bool hours_are_to_tell(const struct series_state *state);
bool hours_may_tell(const struct series_state *state, int64_t record_ms);
void hours_collect(const struct series_state *state, enum kpi_id face, struct kpi *out, struct arena *arena); /* out->closed */
void hours_told(struct series_state *state, int64_t record_ms);

/* --- watch.c */

/* Something added to a minute's bucket. */
struct addition {
    int32_t minute;
    int64_t n;
};

void watch_init(struct series_state *state, const struct kpi_task *task); /* once at_ms is known */
/* One that is read from a checkpoint. `renewed`: grids, by bits, whose detectors there could not be taken up: they learn anew, from what is kept. */
void watch_resume(struct series_state *state, const struct kpi_task *task, unsigned renewed);
void watch_finish(struct watch *watch);
void watch_adopt(struct watch *watch, enum grid grid, struct trend *trend); /* in the place of what it has; NULL: nothing */

bool watch_wants(const struct step *step, const struct series_state *state, int32_t oldest_minute); /* is it late enough for watch_note? */
void watch_note(struct step *step, struct series_state *state, const struct addition *added, size_t count); /* these, by minutes */
void watch_close(struct step *step, struct series_state *state); /* feed what has closed; shifts go to the outbox */
int64_t watch_due_ms(const struct series_state *state);
int64_t watch_known_ms(const struct series_state *state, enum grid grid, int32_t row); /* when what is found in this row can be told */

/* --- shift_alerts.c */

/* Where a detector takes a series to stand, the season taken away. */
struct standing {
    bool is_known;
    double level, slope; /* slope: per bucket */
};
void shift_alert_found(struct step *step, struct series_state *state, enum grid grid, const struct trend_shift *found); /* as it is published */
void shift_alert_row(struct step *step, struct series_state *state, enum grid grid, int64_t at_ms, const struct standing *now); /* closed at at_ms */
void shift_alert_upkeep(struct step *step, struct series_state *state); /* when time has moved */
/* What the shift that was found then comes from, the most first: if it is the one that is told, it is told once more, with that. */
void shift_alert_explained(struct step *step, struct series_state *state, int64_t detected_at_ms, const struct driver *drivers, size_t count);

/* --- publish.c */

/* What the detector of that grid has found with this row, now or when its parts have been compared (comparison.h); an alert at once, if it is
 * bad. */
void publish_shift(struct step *step, struct series_state *state, enum grid grid, const struct trend_change *change, int32_t row);
void publish_explained(struct step *step, const struct trend_shift *shift);

/* The KPIs that one series is published as. */
size_t faces_of(const struct series_state *state, enum kpi_id faces[FACES_MAX]);

/* One record for each changed window. false: something is left to tell later. */
bool publish_changes(struct step *step, struct series_state *state);
/* Tombstones of windows that have been empty for their length; stale values again; true: nothing is left of the series. */
bool publish_upkeep(struct step *step, struct series_state *state);
int64_t publish_due_ms(const struct series_state *state);

/* --- threshold.c */

void threshold_init(struct series_state *state, const struct kpi_task *task); /* after the alerts have been read, if there were any */
/* `out` is what window i, the one that is held, says now of the series' face of that number, as it is published. */
void threshold_review(struct step *step, struct series_state *state, size_t number, int i, const struct kpi *out);

/* --- burn.c */

void burn_review(struct step *step, struct series_state *state); /* when windows have been published */

/* --- state.c */

void series_state_save(const struct series_state *state, struct bytes *out);
struct series_state *series_state_load(struct kpi_task *task, struct view key, struct view saved);

#endif
