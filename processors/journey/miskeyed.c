#include "processors/journey/miskeyed.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"

#include <stdio.h>

enum { SOURCE_TEXT_SIZE = 257 }; /* as long as a source may be, and its end */

struct metric *miskeyed_metric(void)
{
    return metrics_counter("touchstream_journey_miskeyed_total", NULL,
                           "Touchpoints whose Kafka key is not their customer_id: a customer may be spread over partitions (docs/INGEST.md).");
}

struct metric *misplaced_metric(void)
{
    return metrics_counter("touchstream_journey_misplaced_total", NULL,
                           "Touchpoints, of every 17th that is looked at, in a partition that murmur2 of their customer_id does not choose: a customer may be spread over partitions (docs/INGEST.md).");
}

/* Counts it, and answers whether a line in the log is due, for which the source's name is made a text then. */
static bool is_due(struct metric *metric, const char *what, struct view source, char name[SOURCE_TEXT_SIZE])
{
    metric_add(metric, 1);
    if (!log_hourly(what, ""))
        return false;
    snprintf(name, SOURCE_TEXT_SIZE, "%.*s", VIEW_ARGUMENTS(source));
    return true;
}

/* Neither the key nor the customer is named: a log is kept by other rules than customers' data. */
void miskeyed_note(const struct journey_task *task, const struct step *step, struct view source)
{
    char name[SOURCE_TEXT_SIZE];
    if (outbox_is_muted(step->outbox) || !is_due(task->miskeyed, "miskeyed", source, name))
        return;
    log_warning("a touchpoint's key is not its customer_id: if its producer spreads a customer over partitions, each part counts as a customer (docs/INGEST.md, "
                "«Kafka directly»)",
                "partition", LOG_NUMBER(task->partition), "offset", LOG_NUMBER(step->offset), "source", name, "key",
                step->record->key.data ? "another" : "none", NULL);
}

void misplaced_look(const struct journey_task *task, const struct step *step, struct view source)
{
    char name[SOURCE_TEXT_SIZE];
    if (step->input_partitions == 0 || outbox_is_muted(step->outbox))
        return;
    int32_t home = hash_kafka_partition(step->record->key, step->input_partitions);
    if (home == task->partition || !is_due(task->misplaced, "misplaced", source, name))
        return;
    log_warning("a touchpoint is in another partition than murmur2 of its key chooses: what comes of the same customer through our doors, and from Java, goes there and "
                "counts as another customer's. A producer made of librdkafka wants partitioner=murmur2_random (docs/INGEST.md, «Kafka directly»)",
                "partition", LOG_NUMBER(task->partition), "chosen", LOG_NUMBER(home), "offset", LOG_NUMBER(step->offset), "source", name, NULL);
}
