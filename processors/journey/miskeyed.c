#include "processors/journey/miskeyed.h"

#include "base/log.h"
#include "base/metrics.h"

#include <stdio.h>

struct metric *miskeyed_metric(void)
{
    return metrics_counter("touchstream_journey_miskeyed_total", NULL,
                           "Touchpoints whose Kafka key is not their customer_id: a customer may be spread over partitions (docs/INGEST.md).");
}

/* Neither the key nor the customer is named: a log is kept by other rules than customers' data. */
void miskeyed_note(const struct journey_task *task, const struct step *step, struct view source)
{
    char name[257]; /* as long as a source may be, and its end */
    if (outbox_is_muted(step->outbox))
        return;
    metric_add(task->miskeyed, 1);
    if (!log_hourly("miskeyed", ""))
        return;
    snprintf(name, sizeof name, "%.*s", VIEW_ARGUMENTS(source));
    log_warning("a touchpoint's key is not its customer_id: if its producer spreads a customer over partitions, each part counts as a customer (docs/INGEST.md, "
                "«Kafka directly»)",
                "partition", LOG_NUMBER(task->partition), "offset", LOG_NUMBER(step->offset), "source", name, "key",
                step->record->key.data ? "another" : "none", NULL);
}
