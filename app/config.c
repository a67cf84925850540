#include "app/config.h"

enum { SECTIONS_MAX = 32 };

static const struct setting log_rows[] = {
    SETTING_CHOICE(struct log_settings, level, "log.level", .standard_text = "info", .choices = "debug|info|warning|error",
                   .about = "The least important lines that are written to stderr."),
    SETTING_CHOICE(struct log_settings, format, "log.format", .standard_text = "logfmt", .choices = "logfmt|json",
                   .about = "How a line looks; --log overrides it."),
    SETTING_END};

static const struct setting registry_rows[] = {
    SETTING_TEXT(struct registry_settings, url, "registry.url", .standard_text = "http://127.0.0.1:8082/apis/ccompat/v7",
                 .about = "The schema registry's Confluent-compatible API."),
    SETTING_END};

static const struct setting topics_rows[] = {
    SETTING_INTEGER(struct topics_settings, partitions, "topics.partitions", .standard = 8, .least = 1, .most = 10000,
                    .about = "Partitions of a topic that `touchstream topics` creates; the most workers that share it."),
    SETTING_INTEGER(struct topics_settings, replication, "topics.replication", .standard = 1, .least = 1, .most = 9,
                    .about = "Copies of each partition; 3 on a cluster."),
    SETTING_END};

static const struct setting status_rows[] = {
    SETTING_TEXT(struct status_settings, listen, "status.listen", .standard_text = "127.0.0.1:8083",
                 .about = "Where a service answers /metrics, /healthz and /readyz; empty: nowhere."),
    SETTING_END};

/* Every table, in the order of the reference page. */
static size_t sections_of(struct config *config, struct settings_section sections[SECTIONS_MAX])
{
    size_t count = 0;
    sections[count++] = (struct settings_section){kafka_setting_rows, &config->kafka};
    sections[count++] = (struct settings_section){topics_rows, &config->topics};
    sections[count++] = (struct settings_section){registry_rows, &config->registry};
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

bool config_load(struct config *config, const char *path, struct bytes *error)
{
    /* settings_load keeps the sections: they live as long as the process, like the configuration. */
    static struct settings_section sections[SECTIONS_MAX];
    config->file = settings_load(path, sections, sections_of(config, sections), error);
    return config->file != NULL;
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
