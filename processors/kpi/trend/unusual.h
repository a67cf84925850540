/* How unusual is a row, 0…1? Several views of it, each put against its own history (surprise.h), the oddest counts:
 * the row against the season's level, at once and as running means, where a slow slide shows; and how far rows were from
 * their forecasts lately, where many small oddities add up. What was odd a moment ago is less so now: within the wake of an oddity only
 * something odder stands out. */
#ifndef TS_KPI_TREND_UNUSUAL_H
#define TS_KPI_TREND_UNUSUAL_H

#include "processors/kpi/trend/surprise.h"

enum { UNUSUAL_VIEWS = 5 };

struct unusual {
    double level, spread, rows;         /* slow running mean, and mean absolute distance from it */
    double mean[UNUSUAL_VIEWS];         /* running means that the views are made of */
    double wake;
    struct surprise view[UNUSUAL_VIEWS];
};

void unusual_init(struct unusual *unusual);
/* `distance`: from the forecast in its deviations, signed; `value`: less the season; `noise`:
 * this row's usual deviation against that of the mean row. */
double unusual_add(struct unusual *unusual, double distance, double value, double noise);
bool unusual_is_sound(const struct unusual *unusual); /* sound.h */

#endif
