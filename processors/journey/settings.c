#include "base/clock.h"
#include "base/memory.h"
#include "base/time_zone.h"
#include "processors/journey/journey.h"
#include "processors/journey/reading.h"

const struct setting journey_setting_rows[] = {
    SETTING_DURATION(struct journey_settings, revision_horizon_ms, "journey.revision_horizon", .standard = DAYS(400),
                     .least = DAYS(1), .most = DAYS(36500),
                     .about = "How far behind its partition's clock an event may have happened; older ones are rejected as too_late."),
    SETTING_DURATION(struct journey_settings, dedupe_kept_ms, "journey.dedupe.kept", .standard = DAYS(30), .least = MINUTES(1),
                     .most = DAYS(400), .about = "How long an event's id is remembered after it was received."),
    SETTING_INTEGER(struct journey_settings, dedupe_max, "journey.dedupe.ids_max", .standard = 65536, .least = 16,
                    .most = 16777216, .about = "How many ids are remembered for one customer."),
    SETTING_INTEGER(struct journey_settings, history_max, "journey.history_max", .standard = 4096, .least = 64, .most = 1048576,
                    .about = "Events of tickets, orders, surveys and so on that are remembered for one customer; beyond it the oldest closed "
                             "matters are sealed: what they contributed stays. Where nothing is closed, what goes beyond twice as many is rejected."),
    SETTING_INTEGER(struct journey_settings, awake_max, "journey.awake_max", .standard = 4096, .least = 1, .most = 16777216,
                    .about = "Customers of a process, its partitions together, that are held ready for their next event; all others rest, packed small."),
    SETTING_DURATION(struct journey_settings, kept_ms, "journey.kept", .standard = 0, .least = 0, .most = DAYS(36500),
                     .about = "A customer of whom nothing has come for so long is forgotten, as by `touchstream forget`, once all that their events still "
                              "decide is decided (churn after 90 days, a second order after 365). 0: never."),
    SETTING_LIST(struct journey_settings, rollups, "kpi.rollups",
                 .standard_text = "channel,product,segment,team,stage,product+channel",
                 .about = "Dimensions, or several joined by +, by which KPIs are published besides `all`: channel, product, segment, "
                          "region, source, stage, team, priority, topic, attributes.NAME."),
    SETTING_INTEGER(struct journey_settings, rollup_values_max, "kpi.rollup_values_max", .standard = 10000, .least = 1,
                    .most = 1000000,
                    .about = "Values of one dimension that get series of their own; what is over is counted under _other."),
    SETTING_DURATION(struct journey_settings, sla.first_response_ms, "sla.first_response", .standard = HOURS(2),
                     .least = SECONDS(1), .most = DAYS(365), .about = "A customer should hear from us within this working time."),
    SETTING_DURATION(struct journey_settings, sla.resolution_ms, "sla.resolution", .standard = HOURS(48), .least = SECONDS(1),
                     .most = DAYS(365), .about = "A ticket should be resolved within this time."),
    SETTING_TEXT(struct journey_settings, sla.calendar, "sla.calendar", .standard_text = "",
                 .about = "The business hours that hold unless a policy says otherwise; empty: around the clock."),
    SETTING_TREE(struct journey_settings, sla.calendars, "sla.calendars",
                 .about = "Business hours by name: zone, mon … sun as \"09:00-17:00\" or lists of such, holidays."),
    SETTING_TREE(struct journey_settings, sla.policies, "sla.policies",
                 .about = "A list of exceptions, the first that fits holds: priority, segment, calendar, first_response, resolution."),
    SETTING_END};

bool journey_shared_init(struct journey_shared *shared, struct bytes *error)
{
    const struct journey_settings *settings = shared->settings;
    if (settings->cases.half_life_ms == 0) {
        bytes_append_text(error, "case_setting_rows were not loaded along with journey_setting_rows");
        return false;
    }
    const char *wrong;
    if (!rollup_plan_parse(&shared->plan, &settings->rollups, (uint32_t)settings->rollup_values_max, &wrong)) {
        bytes_printf(error, "kpi.rollups: '%s' is no set of dimensions, or stands twice", wrong);
        return false;
    }
    char problem[256];
    shared->zone = time_zone_create(shared->time_zone, problem, sizeof problem);
    if (shared->zone == NULL) {
        bytes_printf(error, "kpi.time_zone: %s", problem);
        return false;
    }
    shared->libraries = libraries_create();
    return policies_parse(&shared->policies, &settings->sla, error) &&
           followup_rules_parse(&shared->followups, settings->cases.followup_rules, error);
}

void journey_shared_finish(struct journey_shared *shared)
{
    rollup_plan_finish(&shared->plan);
    policies_finish(&shared->policies);
    time_zone_destroy(shared->zone);
    libraries_destroy(shared->libraries);
}
