/* By what a KPI was seen to be counted, for `explain`: values in keys are percent-encoded (docs/KPIS.md), and who asks may have written
 * them otherwise, or amiss. */
#ifndef TS_APP_EXPLAIN_DIMENSIONS_H
#define TS_APP_EXPLAIN_DIMENSIONS_H

#include "base/bytes.h"
#include "base/map.h"

struct dimensions_seen {
    struct map names; /* as in keys */
};

void dimensions_seen_finish(struct dimensions_seen *seen);

/* Of "KPI|DIMENSION", the dimension if the KPI is this one. */
void dimensions_seen_note(struct dimensions_seen *seen, struct view series, const char *kpi);

/* The one that means what is `asked`, however that is encoded; a null view: none. Borrowed until the next note. */
struct view dimensions_seen_like(const struct dimensions_seen *seen, const char *asked);

/* Those by the same name as `asked`, else all, the likest first: "a; b and 7 more"; empty: none was seen. */
void dimensions_seen_describe(const struct dimensions_seen *seen, const char *asked, struct bytes *out);

#endif
