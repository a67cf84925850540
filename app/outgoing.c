#include "app/outgoing.h"

#include "app/topics.h"
#include "base/log.h"

bool outgoing_open(struct outgoing *outgoing, struct app *app, const struct publisher_settings *settings, publisher_done done)
{
    *outgoing = (struct outgoing){.registry = registry_create(&app->config.registry)};
    struct schema_ids ids = {{0}};
    if (topics_prepare(&app->config, outgoing->registry, &ids, true, &app->stop) != OUTCOME_OK || atomic_load(&app->stop))
        return false;
    char error[512] = "";
    outgoing->publisher = publisher_create(&app->config.kafka, settings, done, error, sizeof error);
    if (!outgoing->publisher) {
        log_error("cannot send to kafka", "error", error, NULL);
        return false;
    }
    bytes_printf(&outgoing->touchpoints_topic, "%stouchpoints", app->config.kafka.topic_prefix);
    bytes_printf(&outgoing->rejected_topic, "%stouchpoints.rejected", app->config.kafka.topic_prefix);
    bytes_printf(&outgoing->deltas_topic, "%skpi.deltas", app->config.kafka.topic_prefix);
    outgoing->outlet = (struct outlet){.publish = outlet_to_publisher,
                                       .is_connected = outlet_publisher_is_connected,
                                       .target = outgoing->publisher,
                                       .touchpoints_topic = bytes_text(&outgoing->touchpoints_topic),
                                       .rejected_topic = bytes_text(&outgoing->rejected_topic),
                                       .touchpoint_schema = schema_id_of(&ids, "touchpoints"),
                                       .rejected_schema = schema_id_of(&ids, "touchpoints.rejected"),
                                       .deltas_topic = bytes_text(&outgoing->deltas_topic),
                                       .delta_schema = schema_id_of(&ids, "kpi.deltas")};
    return true;
}

bool outgoing_flush(struct outgoing *outgoing, struct app *app)
{
    bool has_said = false;
    for (int waits = 0;; waits++) {
        enum outcome outcome = publisher_flush(outgoing->publisher, 1000);
        if (outcome == OUTCOME_OK)
            return true;
        if (outcome == OUTCOME_STOP || (atomic_load(&app->stop) && waits > 5))
            return false;
        if (waits > 5 && !has_said) {
            log_warning("waiting for kafka to acknowledge what was sent", NULL);
            has_said = true;
        }
    }
}

void outgoing_close(struct outgoing *outgoing)
{
    publisher_destroy(outgoing->publisher);
    registry_destroy(outgoing->registry);
    bytes_finish(&outgoing->touchpoints_topic);
    bytes_finish(&outgoing->rejected_topic);
    bytes_finish(&outgoing->deltas_topic);
}
