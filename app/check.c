/* `check`: is this configuration right, and does everything it names answer? */
#include "app/check.h"

#include "app/sense.h"
#include "app/topics.h"
#include "base/arena.h"
#include "sinks/notify/probe.h"
#include "sinks/notify/silence_watch.h"

#include <stdio.h>

struct finding {
    bool is_good;
    char text[768];
};

static void print_finding(const char *name, const char *verdict, const char *text)
{
    printf("%-10s %-7s %s\n", name, verdict, text);
}

static struct finding check_kafka(const struct config *config)
{
    struct finding finding = {.is_good = true};
    char error[512] = "";
    if (admin_ping(&config->kafka, 5000, error, sizeof error) != OUTCOME_OK) {
        finding.is_good = false;
        snprintf(finding.text, sizeof finding.text, "%s (kafka.brokers: %s)", error, config->kafka.brokers);
    } else {
        snprintf(finding.text, sizeof finding.text, "answers at %s", config->kafka.brokers);
    }
    return finding;
}

/* Of a report's lines "NAME: missing" those names go into the finding, the others are doubts of their own. */
static struct finding sort_report(struct bytes *report)
{
    struct finding finding = {.is_good = true};
    size_t used = 0, doubts = 0;
    for (const char *line = bytes_text(report), *end; *line; line = *end ? end + 1 : end) {
        static const char missing[] = ": missing";
        char text[768];
        end = line + strcspn(line, "\n");
        size_t size = (size_t)(end - line), most = sizeof missing - 1;
        bool is_missing = size > most && memcmp(end - most, missing, most) == 0;
        snprintf(text, sizeof text, "%.*s", (int)(is_missing ? size - most : size), line);
        if (!is_missing)
            print_finding("topics", "warning", text);
        else if (used < sizeof finding.text)
            used += (size_t)snprintf(finding.text + used, sizeof finding.text - used, "%s%s", used ? ", " : "missing: ", text);
        finding.is_good &= !is_missing;
        doubts += !is_missing;
    }
    if (finding.is_good)
        snprintf(finding.text, sizeof finding.text, "all there%s", doubts ? ", not all as they should be" : "");
    else if (used < sizeof finding.text)
        snprintf(finding.text + used, sizeof finding.text - used, " (create them: touchstream topics)");
    return finding;
}

static struct finding check_topics(const struct config *config)
{
    struct topic_wanted wanted[TOPICS_MAX];
    struct bytes report = {0};
    struct finding finding = {false, "not looked at: kafka does not answer"};
    char error[512];
    if (admin_ping(&config->kafka, 1000, error, sizeof error) == OUTCOME_OK &&
        admin_look_at_topics(&config->kafka, wanted, topics_wanted(config, wanted), &report) == OUTCOME_OK)
        finding = sort_report(&report);
    bytes_finish(&report);
    return finding;
}

static struct finding check_registry(const struct config *config)
{
    struct finding finding = {.is_good = true};
    struct registry *registry = registry_create(&config->registry);
    struct bytes subject = {0};
    bytes_printf(&subject, "%stouchpoints-value", config->kafka.topic_prefix);
    uint32_t id;
    char error[384] = "";
    enum outcome outcome = registry_ping(registry, error, sizeof error);
    if (outcome == OUTCOME_OK)
        outcome = registry_latest(registry, bytes_text(&subject), &id, error, sizeof error);
    if (outcome == OUTCOME_OK)
        snprintf(finding.text, sizeof finding.text, "answers at %s", registry_shown_url(registry));
    else if (outcome == OUTCOME_PARK)
        snprintf(finding.text, sizeof finding.text, "answers at %s; no schemas yet (touchstream topics registers them)",
                 registry_shown_url(registry));
    else
        snprintf(finding.text, sizeof finding.text, "%s (registry.url: %s)", error, registry_shown_url(registry));
    finding.is_good = outcome == OUTCOME_OK || outcome == OUTCOME_PARK;
    bytes_finish(&subject);
    registry_destroy(registry);
    return finding;
}

/* "" from one that we may not ask. */
static const char *redis_info(struct redis_link *link, struct arena *arena)
{
    struct redis_answer answer = {0};
    bool is_told = redis_link_ask(link, arena, &answer, "INFO", NULL) == OUTCOME_OK && answer.kind == REDIS_TEXT;
    return is_told ? arena_text(arena, answer.text) : "";
}

/* Keys that do not expire, like all of ours that matter. */
static bool does_evict(const char *info)
{
    return strstr(info, "\nmaxmemory_policy:allkeys-") && !strstr(info, "\nmaxmemory:0\r");
}

static bool takes_no_writes(const char *info)
{
    return strstr(info, "\nrole:slave\r") && !strstr(info, "\nslave_read_only:0\r");
}

/* XTRIM … MINID (sinks/redis/series_hours.c) came with 6.2. One that does not say how old it is may be right. */
static bool is_too_old(const char *info, char version[16])
{
    int major, minor;
    const char *at = strstr(info, "\nredis_version:");
    at = at ? at + strlen("\nredis_version:") : "";
    snprintf(version, 16, "%.*s", (int)strcspn(at, "\r\n"), at);
    return sscanf(version, "%d.%d", &major, &minor) == 2 && (major < 6 || (major == 6 && minor < 2));
}

static struct finding check_redis(const struct config *config)
{
    struct finding finding = {.is_good = true};
    char version[16];
    struct redis_link *link = redis_link_create(&config->redis);
    struct arena arena;
    struct redis_answer answer = {0};
    arena_init(&arena);
    enum outcome outcome = redis_link_ask(link, &arena, &answer, "PING", NULL);
    finding.is_good = outcome == OUTCOME_OK && answer.kind != REDIS_ERROR;
    const char *info = finding.is_good ? redis_info(link, &arena) : "";
    if (!finding.is_good) {
        snprintf(finding.text, sizeof finding.text, "%.*s (%s: %s)",
                 VIEW_ARGUMENTS(answer.kind == REDIS_ERROR ? answer.text : view_of_text(redis_link_why_away(link))),
                 config->redis.sentinels.count ? "redis.sentinels" : "redis.address", redis_link_address(link));
    } else if (is_too_old(info, version)) {
        finding.is_good = false;
        snprintf(finding.text, sizeof finding.text, "%s is Redis %s: 6.2 is the least, the sink could not write there", redis_link_address(link), version);
    } else if (takes_no_writes(info)) {
        finding.is_good = false;
        snprintf(finding.text, sizeof finding.text, "%s is a replica and takes no writes: redis.address has to name the primary", redis_link_address(link));
    } else {
        snprintf(finding.text, sizeof finding.text, config->redis.sentinels.count ? "answers at %s, which is the primary '%s' by Sentinel's word" : "answers at %s", redis_link_address(link),
                 config->redis.sentinel_name);
        if (does_evict(info))
            print_finding("redis", "warning", "its maxmemory-policy lets it throw away keys when memory is short: KPIs and cases would be missing unnoticed; "
                                              "noeviction is wanted");
    }
    arena_finish(&arena);
    redis_link_destroy(link);
    return finding;
}

/* A line for each. What a receiver's URL holds beside its host may be a secret. */
static bool check_receivers(const struct config *config)
{
    struct receiver receivers[RECEIVERS_MAX];
    struct probe probes[RECEIVERS_MAX];
    struct bytes error = {0};
    size_t count = 0;
    bool are_good = receivers_read(&config->notify, receivers, &count, &error); /* they are: config_load has looked */
    bytes_finish(&error);
    probe_connect(receivers, count, probes);
    for (size_t i = 0; i < count; i++) {
        print_finding("notify", probes[i].is_good ? "ok" : "FAILED", probes[i].text);
        are_good &= probes[i].is_good;
    }
    return are_good;
}

static bool check_silences(const struct config *config)
{
    struct silence_watch silences;
    struct bytes error = {0};
    char text[768];
    bool are_good = silence_watch_init(&silences, &config->notify, &error);
    if (are_good)
        snprintf(text, sizeof text, "%zu silences in %s", silence_watch_now(&silences)->count, config->notify.silences_file);
    else
        snprintf(text, sizeof text, "%s (notify.silences_file)", bytes_text(&error));
    if (config->notify.silences_file[0])
        print_finding("notify", are_good ? "ok" : "FAILED", text);
    silence_watch_finish(&silences);
    bytes_finish(&error);
    return are_good;
}

static const struct connection {
    const char *name;
    struct finding (*check)(const struct config *config);
} connections[] = {{"kafka", check_kafka}, {"topics", check_topics}, {"registry", check_registry}, {"redis", check_redis}};

static void print_doubt(void *context, const char *name, const char *what)
{
    (void)context;
    if (what)
        printf("%-10s %-7s %s: %s\n", "config", "warning", name, what);
}

int check_command(struct app *app, int argc, char **argv)
{
    if (!app_parse_options("check", argc, argv, (struct option[]){OPTIONS_END}, NULL))
        return EXIT_USAGE;
    printf("%-10s ok      %s\n", "config", app->config_path ? app->config_path : "built-in values");
    config_environment_doubts(&app->config, &(struct settings_listener){NULL, print_doubt});
    sense_doubts_of_targets(&app->config, &(struct settings_listener){NULL, print_doubt});
    print_doubt(NULL, "ingest.listen", sense_doubt_of_ingest(&app->config));
    print_doubt(NULL, "ingest.mappings_dir", sense_doubt_of_mappings(&app->config));
    print_doubt(NULL, "dashboard.listen", sense_doubt_of_dashboard(&app->config));
    bool is_good = true;
    fflush(stdout);
    for (size_t i = 0; i < sizeof connections / sizeof *connections && !atomic_load(&app->stop); i++) {
        struct finding finding = connections[i].check(&app->config);
        print_finding(connections[i].name, finding.is_good ? "ok" : "FAILED", finding.text);
        fflush(stdout);
        is_good &= finding.is_good;
    }
    if (atomic_load(&app->stop))
        return app_stopped_early("check", "so not every connection was looked at");
    is_good &= check_receivers(&app->config);
    is_good &= check_silences(&app->config);
    return is_good ? EXIT_FINE : EXIT_FAILED;
}
