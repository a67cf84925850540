/* Who is told about alerts: the `notify.receivers` list of the configuration.
 *
 *     notify:
 *       receivers:
 *         - name: support-channel
 *           form: slack              # json | slack | pagerduty
 *           url: http://127.0.0.1:9000/hook
 *           secret: whsec_…          # json: signs each message; whsec_ and base64 as Standard Webhooks has it, or any text; pagerduty: the routing key
 *           severity: warning        # the least that is told; default info
 *           rules: [case, sla.first_response.breach]   # default: all
 *           inhibit: false           # KPI alerts even while a graver one says it already, or the data is in doubt (inhibition.h); default true
 *           repeat_interval: 4h      # what was told and nobody has acknowledged, nor is over, is told again so often; default: never
 *         - name: head-of-support    # hears only what nobody has acknowledged for so long
 *           url: http://127.0.0.1:9000/escalated
 *           after: {critical: 15m, warning: 2h}        # or one for every severity: 15m
 *
 * Several alerts in one message: grouping.h. So many a day: digest.h. */
#ifndef TS_SINKS_NOTIFY_RECEIVERS_H
#define TS_SINKS_NOTIFY_RECEIVERS_H

#include "base/settings.h"
#include "schemas/records.h"
#include "sinks/notify/digest.h"
#include "sinks/notify/grouping.h"

enum receiver_form { RECEIVER_JSON, RECEIVER_SLACK, RECEIVER_PAGERDUTY };

struct receiver {
    const char *name, *url, *secret; /* borrowed from the settings */
    unsigned char key[64];           /* of a secret that begins with whsec_: what stands behind it, decoded */
    size_t key_size;                 /* 0: the secret is the key, byte for byte */
    enum receiver_form form;
    enum severity least;
    const struct settings_node *rules; /* NULL: all */
    bool escalates;                    /* has `after`; waiting.h */
    int64_t after_ms[SEVERITY_CRITICAL + 1]; /* by severity; −1: never */
    struct grouping grouping;
    struct digest_rules digest;
    bool inhibits;                     /* inhibition.h; unless `inhibit: false` */
    int64_t repeat_ms;                 /* 0: never */
    const struct silences *silences;   /* set by who has them; NULL: none */
};

struct notify_settings {
    struct settings_node *receivers; /* NULL: nobody */
    struct settings_node *silences;  /* silences.h */
    char *silences_file;             /* more of them; empty: none */
    int64_t retry_first_ms, retry_most_ms, give_up_after_ms, max_age_ms;
    char *dashboard_url;
};

extern const struct setting notify_setting_rows[];

enum { RECEIVERS_MAX = 32 };

/* Reads the list. false: `error` names line, key and remedy. */
bool receivers_read(const struct notify_settings *settings, struct receiver receivers[RECEIVERS_MAX], size_t *count,
                    struct bytes *error);

/* Is this alert for this receiver? Who was told of it hears how it goes on, grave or not: that it is over, above all. */
bool receiver_wants(const struct receiver *receiver, const struct alert *alert, bool was_told);

/* It is not told such alerts as they come, but when it is time for them (waiting.h). */
bool receiver_holds(const struct receiver *receiver, const struct alert *alert);
bool receiver_holds_all(const struct receiver *receiver);

/* Whether one is to be told depends on others, wherever they are: one process has to see them all. */
bool receiver_sees_all(const struct receiver *receiver);

#endif
