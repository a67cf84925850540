/* The catalog: how each KPI is shown. Names, kinds and the meaning of the sums are in schemas/kpi_names.h, because both
 * stages share them; which windows, which target, and whether more is better concern this stage alone. */
#ifndef TS_KPI_CATALOG_H
#define TS_KPI_CATALOG_H

#include "schemas/kpi_names.h"

#include <stdint.h>

enum window_id { WINDOW_5M, WINDOW_1H, WINDOW_24H, WINDOW_7D, WINDOW_30D, WINDOW_90D };
enum { WINDOW_COUNT = 6, NO_WINDOW = WINDOW_COUNT };

enum grid { GRID_MINUTE, GRID_HOUR, GRID_DAY };
enum { GRID_COUNT = 3 };

struct window {
    const char *name;
    enum grid grid;
    int32_t buckets; /* how many of its grid it has, the current one included */
    int64_t length_ms; /* nominal: a calendar day counts 24 h */
};

extern const struct window windows[WINDOW_COUNT];

enum better { BETTER_HIGHER, BETTER_LOWER, BETTER_NEITHER };

struct catalog_row {
    unsigned windows;        /* bit i: has windows[i] */
    enum better better;
    bool has_target;
    double target;           /* shipped; durations in ms; kpi.targets overrides */
    double least, most;      /* the scale of a mean; 0 and 0: it has none, or its kind says it */
    bool open_is_good;       /* of a rate: what can still change stands as if it turned out well, not as a miss */
    int64_t settles_ms;      /* so old an event's part in it is final, or nearly; 0: at once. Detectors wait for it (watch.c) */
    bool has_held;           /* else the window of kpi.alerts.window is held to the target; kpi.alerts.windows overrides both */
    uint8_t held;            /* enum window_id, or NO_WINDOW */
    double divisor;          /* of the sum, into the unit shown: sentiment and usage_minutes; else 1 */
    const char *definition;  /* version of the formula, e.g. "nps/1" */
};

const struct catalog_row *catalog_find(enum kpi_id id);

/* Sums that move with a customer's last activity: what is past keeps changing by design, so a closed bucket is told as it was when it closed. */
bool catalog_is_moving(enum kpi_kind kind);
bool catalog_is_gauge(enum kpi_kind kind);

#endif
