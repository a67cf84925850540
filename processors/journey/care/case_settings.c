#include "processors/journey/care/case_settings.h"

#include "base/clock.h"

const char *hot_code_name(enum hot_code code)
{
    static const char *const names[] = {
#define HOT_NAME(id, code, points, about) #code,
        HOT_LIST(HOT_NAME)
#undef HOT_NAME
    };
    return names[code];
}

const struct setting case_setting_rows[] = {
#define HOT_ROW(id, code, points, meaning)                                                                             \
    SETTING_DECIMAL(struct case_settings, weights[HOT_##id], "hot.weights." #code, .standard = points, .least = 0,     \
                    .most = 100, .about = "Points for " meaning "."),
    HOT_LIST(HOT_ROW)
#undef HOT_ROW
    SETTING_TEXT(struct case_settings, weights_version, "hot.weights_version", .standard_text = "1",
                 .about = "Your name for these weights; change it with them."),
    SETTING_DECIMAL(struct case_settings, hot_from, "hot.from", .standard = 70, .least = 1, .most = 100,
                    .about = "A customer's trouble is hot from this score on."),
    SETTING_DECIMAL(struct case_settings, hot_until, "hot.until", .standard = 60, .least = 0, .most = 100,
                    .about = "What is hot stays so until its score falls below this."),
    SETTING_DURATION(struct case_settings, half_life_ms, "hot.half_life", .standard = HOURS(72), .least = MINUTES(1),
                     .most = DAYS(3650),
                     .about = "Points other than the clock's halve in this time, but not while the customer waits for us."),
    SETTING_INTEGER(struct case_settings, value_full_minor, "hot.value_full", .standard = 100000, .least = 1, .most = 1e15,
                    .about = "Spending, in minor units of the currency most was spent in, that makes a customer of full value."),
    SETTING_INTEGER(struct case_settings, reach_from, "hot.reach_from", .standard = 1000, .least = 1, .most = 1e9,
                    .about = "A social mention has reach from so many people on."),
    SETTING_DURATION(struct case_settings, contact_within_ms, "cases.contact_within", .standard = HOURS(24), .least = MINUTES(1),
                     .most = DAYS(365), .about = "When a case's customer should have been contacted: its due time until then."),
    SETTING_DURATION(struct case_settings, snooze_ms, "cases.snooze", .standard = HOURS(24), .least = SECONDS(1),
                     .most = DAYS(365), .about = "How long a case is snoozed when the note names neither a duration nor a time."),
    SETTING_DURATION(struct case_settings, expire_after_ms, "cases.expire_after", .standard = DAYS(30), .least = HOURS(1),
                     .most = DAYS(3650), .about = "A case without any news for so long expires; other alerts do too."),
    SETTING_DURATION(struct case_settings, verify_within_ms, "cases.verify_within", .standard = DAYS(90), .least = HOURS(1),
                     .most = DAYS(3650), .about = "How long after a case was closed the customer's next score still says how it went."),
    SETTING_DURATION(struct case_settings, historical_after_ms, "alerts.historical_after", .standard = HOURS(1),
                     .least = SECONDS(1), .most = DAYS(365),
                     .about = "An alert about something so much older than the record that told us is recorded; nobody is notified."),
    SETTING_DURATION(struct case_settings, refresh_ms, "alerts.refresh", .standard = HOURS(1), .least = MINUTES(1),
                     .most = DAYS(30), .about = "A score that moves by time alone is told again no more often than this."),
    SETTING_INTEGER(struct case_settings, alerts_max, "alerts.open_max", .standard = 64, .least = 4, .most = 4096,
                    .about = "Alerts besides the case that are remembered for one customer; the oldest expires when one more comes."),
    SETTING_DECIMAL(struct case_settings, churn_alert_from, "alerts.churn_from", .standard = 0.8, .least = 0, .most = 1,
                    .about = "A churn risk from which on there is an alert; 1: never."),
    SETTING_DECIMAL(struct case_settings, churn_alert_until, "alerts.churn_until", .standard = 0.6, .least = 0, .most = 1,
                    .about = "The churn risk below which that alert ends."),
    SETTING_BOOLEAN(struct case_settings, absence.delivery, "alerts.absence.delivery", .standard = 1,
                    .about = "Alerts about orders whose delivery does not come: of those with a promised time in the attribute "
                             "promised_at of OrderPlaced, and of all others if delivery_after says so."),
    SETTING_DURATION(struct case_settings, absence.delivery_grace_ms, "alerts.absence.delivery_grace", .standard = DAYS(1), .least = 0,
                     .most = DAYS(365), .about = "How long after the promised time a delivery is missed."),
    SETTING_DURATION(struct case_settings, absence.delivery_after_ms, "alerts.absence.delivery_after", .standard = 0, .least = 0,
                     .most = DAYS(365),
                     .about = "An order without a promised time is missed so long after it was placed; 0s: never. Only where every order is "
                              "delivered, and OrderDelivered is sent."),
    SETTING_BOOLEAN(struct case_settings, absence.use, "alerts.absence.use", .standard = 0,
                    .about = "Alerts about customers who do not begin to use what they bought. Only where ProductUsed is sent."),
    SETTING_DURATION(struct case_settings, absence.use_after_ms, "alerts.absence.use_after", .standard = DAYS(14), .least = MINUTES(1),
                     .most = DAYS(365), .about = "How long after the first order, or the first subscription began, use is missed."),
    SETTING_BOOLEAN(struct case_settings, absence.renewal, "alerts.absence.renewal", .standard = 1,
                    .about = "Alerts about subscriptions whose term ended, and nobody said whether they were renewed, lapsed or were cancelled."),
    SETTING_DURATION(struct case_settings, absence.renewal_grace_ms, "alerts.absence.renewal_grace", .standard = DAYS(7), .least = 0,
                     .most = DAYS(365), .about = "How long after the end of the term that is missed."),
    SETTING_INTEGER(struct case_settings, followups_max, "followups.pending_max", .standard = 64, .least = 4, .most = 4096,
                    .about = "Follow-ups that wait for their time, and watches for what is expected, for one customer; the oldest is "
                             "dropped when one more comes."),
    SETTING_TREE(struct case_settings, followup_rules, "followups.rules",
                 .about = "Changes to the shipped follow-up rules, and rules of your own: a map from names to trigger, kind, delay, "
                          "expires, conditions, enabled."),
    SETTING_END};
