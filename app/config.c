#include "app/config.h"

#include "app/sense.h"
#include "base/http_server.h"
#include "ingest/sources.h"
#include "sinks/notify/silences.h"

enum { SECTIONS_MAX = 32 };

static const struct setting log_rows[] = {
    SETTING_CHOICE(struct log_settings, level, "log.level", .standard_text = "info", .choices = "debug|info|warning|error",
                   .about = "The least important lines that are written to stderr."),
    SETTING_CHOICE(struct log_settings, format, "log.format", .standard_text = "logfmt", .choices = "logfmt|json",
                   .about = "How a line looks; --log overrides it."),
    SETTING_END};

static const struct setting topics_rows[] = {
    SETTING_INTEGER(struct topics_settings, partitions, "topics.partitions", .standard = 8, .least = 1, .most = 10000,
                    .about = "Partitions of a topic that `touchstream topics` creates, a quarter of them for alerts, followups and trend.shifts; the most workers that share it."),
    SETTING_INTEGER(struct topics_settings, replication, "topics.replication", .standard = 1, .least = 1, .most = 9,
                    .about = "Copies of each partition; 3 on a cluster."),
    SETTING_END};

static const struct setting status_rows[] = {
    SETTING_TEXT(struct status_settings, listen, "status.listen", .standard_text = "127.0.0.1:8083",
                 .about = "Where a service answers /metrics, /healthz and /readyz; empty: nowhere."),
    SETTINGS_SERVED_TLS(struct status_settings, tls, "status", "STATUS", "/metrics and the health beside it speak"),
    SETTING_END};

/* Every table, in the order of the reference page. */
static size_t sections_of(struct config *config, struct settings_section sections[SECTIONS_MAX])
{
    size_t count = 0;
    sections[count++] = (struct settings_section){kafka_setting_rows, &config->kafka};
    sections[count++] = (struct settings_section){topics_rows, &config->topics};
    sections[count++] = (struct settings_section){registry_setting_rows, &config->registry};
    sections[count++] = (struct settings_section){ingest_setting_rows, &config->ingest};
    sections[count++] = (struct settings_section){runner_setting_rows, &config->engine};
    sections[count++] = (struct settings_section){journey_setting_rows, &config->journey};
    sections[count++] = (struct settings_section){case_setting_rows, &config->journey.cases};
    sections[count++] = (struct settings_section){kpi_setting_rows, &config->kpi};
    sections[count++] = (struct settings_section){redis_setting_rows, &config->redis};
    sections[count++] = (struct settings_section){notify_setting_rows, &config->notify};
    sections[count++] = (struct settings_section){dashboard_setting_rows, &config->dashboard};
    sections[count++] = (struct settings_section){status_rows, &config->status};
    sections[count++] = (struct settings_section){log_rows, &config->log};
    return count;
}

/* What only the owners of a setting can judge: trees, names of zones and calendars, sets of dimensions. Asked of every command, so that
 * a mistake is told before anything is connected to. */
static bool makes_sense(const struct config *config, struct bytes *error)
{
    struct journey_shared journey = {.settings = &config->journey, .time_zone = config->kpi.time_zone};
    struct kpi_shared kpi = {.settings = &config->kpi};
    struct receiver receivers[RECEIVERS_MAX];
    struct silences silences;
    size_t receiver_count;
    bool is_good = kafka_settings_check(&config->kafka, error) && kafka_properties_check(config->kafka.properties, error) &&
                   registry_settings_check(&config->registry, error) && redis_settings_check(&config->redis, error) &&
                   tls_options_check(&config->ingest.tls, "ingest.tls_", error) && tls_options_check(&config->dashboard.tls, "dashboard.tls_", error) &&
                   tls_options_check(&config->status.tls, "status.tls_", error) &&
                   journey_shared_init(&journey, error) && kpi_shared_init(&kpi, error) && sources_check(&config->ingest, error) &&
                   receivers_read(&config->notify, receivers, &receiver_count, error) &&
                   silences_read(config->notify.silences, &silences, error) && sense_check(config, error);
    journey_shared_finish(&journey);
    kpi_shared_finish(&kpi);
    return is_good;
}

bool config_load(struct config *config, const char *path, struct bytes *error)
{
    /* settings_load keeps the sections: they live as long as the process, like the configuration. */
    static struct settings_section sections[SECTIONS_MAX];
    config->place = path ? path : "environment";
    config->file = settings_load(path, sections, sections_of(config, sections), error);
    if (config->file == NULL)
        return false;
    struct bytes complaint = {0};
    bool is_good = makes_sense(config, &complaint);
    if (!is_good)
        settings_complete_error(config->file, config->place, bytes_text(&complaint), error);
    bytes_finish(&complaint);
    return is_good;
}

void config_environment_doubts(const struct config *config, const struct settings_listener *listener)
{
    static const char *const others[] = {CONFIG_PATH_VARIABLE, NULL};
    struct settings_section sections[SECTIONS_MAX];
    struct config *rows_only = (struct config *)(uintptr_t)config; /* nothing is filled */
    settings_environment_doubts(sections, sections_of(rows_only, sections), others, listener);
}

void config_finish(struct config *config)
{
    settings_destroy(config->file);
}

void config_describe(struct bytes *out)
{
    struct config config;
    struct settings_section sections[SECTIONS_MAX];
    size_t count = sections_of(&config, sections);
    bytes_append_text(out, "# Configuration\n\nOne YAML file, given with `--config`. Keys may be nested or written with dots. Scalars can be\n"
                           "overridden by environment variables: `kafka.brokers` by `TOUCHSTREAM_KAFKA_BROKERS`.\n"
                           "This page is made by `touchstream settings`; a test holds it current.\n\n"
                           "| setting | value | default | what it does |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        settings_describe(sections[i].rows, out);
}
