#include "app/sense.h"

#include "app/topics.h"
#include "base/address.h"
#include "ingest/sources.h"
#include "processors/kpi/catalog.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { TOPIC_NAME_MOST = 249 /* Kafka's */, INSTANCE_MOST = 100 };

static bool complain(struct bytes *error, const char *key, const char *value, const char *what)
{
    bytes_printf(error, "%s: '%.100s' %s", key, value, what);
    return false;
}

/* --- addresses --------------------------------------------------------------------------------------------------- */

static bool can_listen(const char *key, const char *text, int standard_port, struct bytes *error)
{
    struct address address;
    return address_read(text, standard_port, &address) ||
           complain(error, key, text, "is not host:port with a port up to 65535, such as 127.0.0.1:8080");
}

static bool can_connect(const char *key, const char *text, struct bytes *error)
{
    struct address address;
    return (address_read(text, 1, &address) && address.port > 0) ||
           complain(error, key, text, "is not host:port with a port from 1 to 65535");
}

/* "a:9092, PLAINTEXT://b:9092": schemes are librdkafka's to judge. */
static bool brokers_are_named(const char *brokers, struct bytes *error)
{
    size_t named = 0;
    for (const char *at = brokers; *at;) {
        char one[300];
        size_t size = strcspn(at, ", ");
        snprintf(one, sizeof one, "%.*s", (int)size, at);
        const char *scheme = strstr(one, "://");
        if (size && !can_connect("kafka.brokers", scheme ? scheme + 3 : one, error))
            return false;
        named += size > 0;
        at += size + (at[size] != '\0');
    }
    return named > 0 || complain(error, "kafka.brokers", brokers, "names no broker; write host:port");
}

static bool is_web_address(const char *key, const char *url, struct bytes *error)
{
    return url[0] == '\0' || strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0 ||
           complain(error, key, url, "must begin with http:// or https://");
}

static bool addresses_are_good(const struct config *config, struct bytes *error)
{
    return can_listen("ingest.listen", config->ingest.listen, ADDRESS_NEEDS_PORT, error) &&
           can_listen("dashboard.listen", config->dashboard.listen, 0, error) &&
           (!config->status.listen[0] || can_listen("status.listen", config->status.listen, 0, error)) &&
           can_connect("redis.address", config->redis.address, error) && brokers_are_named(config->kafka.brokers, error) &&
           is_web_address("notify.dashboard_url", config->notify.dashboard_url, error);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static bool names_are_good(const struct config *config, struct bytes *error)
{
    const char *prefix = config->kafka.topic_prefix, *instance = config->engine.instance_id;
    size_t longest = 0;
    for (const struct topic_row *row = topic_rows; row->name; row++)
        longest = strlen(row->name) > longest ? strlen(row->name) : longest;
    if (strspn(prefix, legal) != strlen(prefix))
        return complain(error, "topics.prefix", prefix, "is none that Kafka takes: letters, digits, '.', '_' and '-' only");
    if (strlen(prefix) + longest > TOPIC_NAME_MOST)
        return complain(error, "topics.prefix", prefix, "is too long: with it a topic's name would have more than 249 characters");
    if (strspn(instance, legal) != strlen(instance) || strlen(instance) > INSTANCE_MOST)
        return complain(error, "engine.instance", instance, "is none that Kafka takes: at most 100 letters, digits, '.', '_' and '-'");
    /* All of the database would be ours: `sink --rebuild` empties what is under the prefix. */
    return config->redis.prefix[0] || complain(error, "redis.prefix", "", "must not be empty; write ts:, say");
}

/* --- pairs ------------------------------------------------------------------------------------------------------- */

struct pair {
    const char *low_key, *high_key;
    double low, high;
    const char *why; /* and what would be right */
};

/* Told of the one that somebody wrote: the other may be a default, which stands in no line. */
static bool is_in_order(const struct settings_file *file, const struct pair *pair, struct bytes *error)
{
    if (pair->low <= pair->high)
        return true;
    bool is_low_given = settings_is_given(file, pair->low_key);
    bytes_printf(error, "%s: %.15g is %s %s, which is %.15g%s: %s", is_low_given ? pair->low_key : pair->high_key,
                 is_low_given ? pair->low : pair->high, is_low_given ? "above" : "below",
                 is_low_given ? pair->high_key : pair->low_key, is_low_given ? pair->high : pair->low,
                 settings_is_given(file, is_low_given ? pair->high_key : pair->low_key) ? "" : " unless set", pair->why);
    return false;
}

static bool pairs_are_good(const struct config *config, struct bytes *error)
{
    const struct case_settings *cases = &config->journey.cases;
    const struct pair pairs[] = {
        {"hot.until", "hot.from", cases->hot_until, cases->hot_from,
         "what becomes hot would cool down at once; set hot.until to hot.from or less"},
        {"alerts.churn_until", "alerts.churn_from", cases->churn_alert_until, cases->churn_alert_from,
         "an alert would end as it begins; set alerts.churn_until to alerts.churn_from or less"},
        {"notify.retry_first", "notify.retry_most", (double)config->notify.retry_first_ms, (double)config->notify.retry_most_ms,
         "both in ms; set notify.retry_first to notify.retry_most or less"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!is_in_order(config->file, &pairs[i], error))
            return false;
    }
    return true;
}

/* --- dimensions -------------------------------------------------------------------------------------------------- */

static bool has_item(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

/* Some KPIs have dimensions of their own besides those of kpi.rollups (docs/KPIS.md). What nobody asked for may be missing. */
static bool are_counted(const struct config *config, const char *setting, const struct text_list *sets, struct bytes *error)
{
    static const char *const of_some_kpis[] = {"all", "age", "currency", "campaign", "kind"};
    for (size_t i = 0; settings_is_given(config->file, setting) && i < sets->count; i++) {
        bool is_counted = has_item(&config->journey.rollups, sets->items[i]);
        for (size_t k = 0; k < sizeof of_some_kpis / sizeof *of_some_kpis; k++)
            is_counted |= strcmp(sets->items[i], of_some_kpis[k]) == 0;
        if (!is_counted)
            return complain(error, setting, sets->items[i],
                            "is none of kpi.rollups, so there is nothing to alert about; add it there, or take it away here");
    }
    return true;
}

bool sense_check(const struct config *config, struct bytes *error)
{
    return addresses_are_good(config, error) && names_are_good(config, error) && pairs_are_good(config, error) &&
           are_counted(config, "kpi.alerts.dimensions", &config->kpi.alert_dimensions, error) &&
           are_counted(config, "trend.alerts.dimensions", &config->kpi.shift_dimensions, error);
}

/* --- doubts ------------------------------------------------------------------------------------------------------ */

const char *sense_doubt_of_ingest(const struct config *config)
{
    return sources_may_listen(&config->ingest)
               ? NULL
               : "others than this machine may reach it and nobody has to say who they are: the collector will not start; set "
                 "ingest.token (TOUCHSTREAM_INGEST_TOKEN) or ingest.sources";
}

const char *sense_doubt_of_mappings(const struct config *config)
{
    const char *folder = config->ingest.mappings_dir;
    DIR *opened = folder[0] ? opendir(folder) : NULL;
    if (opened)
        closedir(opened);
    return folder[0] && opened == NULL ? "is no folder that can be read: mappings that stand there are not found" : NULL;
}

const char *sense_doubt_of_dashboard(const struct config *config)
{
    const struct dashboard_settings *dashboard = &config->dashboard;
    if (address_is_loopback(dashboard->listen))
        return NULL;
    if (dashboard->read_token[0])
        return dashboard->tls.certificate_location[0]
                   ? NULL
                   : "others than this machine may reach it, and its tokens travel unencrypted; set dashboard.tls_certificate_location, or put a proxy "
                     "with HTTPS before it";
    return dashboard->token[0]
               ? "others than this machine may reach it, and who does reads about every customer without a password; set dashboard.read_token "
                 "(TOUCHSTREAM_DASHBOARD_READ_TOKEN), or put a proxy with a login before it"
               : "others than this machine may reach it, and who does reads about every customer and acts on cases without a "
                 "password; set dashboard.token and dashboard.read_token (TOUCHSTREAM_DASHBOARD_TOKEN, _READ_TOKEN), or put a proxy with a login before it";
}

static bool says_none(const struct settings_node *node)
{
    return node->kind == SETTINGS_SCALAR && node->scalar && strcmp(node->scalar, "none") == 0;
}

static bool has_target(const struct config *config, enum kpi_id id)
{
    const struct settings_node *targets = config->kpi.targets;
    bool has_target = catalog_find(id)->has_target;
    for (size_t i = 0; targets && i < targets->child_count; i++)
        if (strcmp(targets->children[i].key, kpi_names[id].name) == 0)
            has_target = !says_none(&targets->children[i]);
    return has_target;
}

static const char *doubt_of_target(const struct config *config, enum kpi_id id)
{
    (void)config;
    return catalog_find(id)->better == BETTER_NEITHER
               ? "of this KPI neither more nor less is better, so its target is shown and alerts nobody; take it away, or watch its shifts (trend.alerts)"
               : NULL;
}

static const char *doubt_of_window(const struct config *config, enum kpi_id id)
{
    return !has_target(config, id)                       ? "this KPI has no target, so no window of it alerts anybody; give it one in kpi.targets, or take this away"
           : catalog_find(id)->better == BETTER_NEITHER ? "of this KPI neither more nor less is better, so no window of it alerts anybody; take this away"
                                                        : NULL;
}

typedef const char *(*kpi_doubt)(const struct config *config, enum kpi_id id);

static void tell_doubts(const struct config *config, const char *key, const struct settings_node *tree, kpi_doubt doubt,
                        const struct settings_listener *listener)
{
    for (size_t i = 0; tree && i < tree->child_count; i++) {
        const struct settings_node *node = &tree->children[i];
        char name[128], what[700];
        enum kpi_id id;
        const char *why = kpi_from_name(view_of_text(node->key), &id) && !says_none(node) ? doubt(config, id) : NULL;
        if (why == NULL)
            continue;
        snprintf(name, sizeof name, "%s.%s", key, node->key);
        snprintf(what, sizeof what, "%.400s:%d: %s", config->place, node->line, why);
        listener->tell(listener->context, name, what);
    }
}

void sense_doubts_of_targets(const struct config *config, const struct settings_listener *listener)
{
    tell_doubts(config, "kpi.targets", config->kpi.targets, doubt_of_target, listener);
    tell_doubts(config, "kpi.alerts.windows", config->kpi.alert_windows, doubt_of_window, listener);
}
