/* The command `top`. */
#include "app/top.h"

#include "base/log.h"
#include "sinks/top/top.h"

#include <stdio.h>

static const char *window = "24h";
static int64_t refresh_ms = 1000;
static bool once;

static const struct option top_rows[] = {
    {"--window", OPTION_TEXT, &window, "WINDOW", "5m, 1h, 24h, 7d, 30d or 90d (default 24h); keys 1 to 6 change it"},
    {"--refresh", OPTION_DURATION, &refresh_ms, "TIME", "how often to ask (default 1s)"},
    {"--once", OPTION_FLAG, &once, NULL, "print one frame and end"},
    OPTIONS_END};

const struct option *top_options(void)
{
    return top_rows;
}

static bool is_window(const char *text)
{
    static const char *const known[] = {"5m", "1h", "24h", "7d", "30d", "90d"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i]) == 0)
            return true;
    }
    return false;
}

int top_command(struct app *app, int argc, char **argv)
{
    if (!app_parse_options("top", argc, argv, top_rows, NULL))
        return EXIT_USAGE;
    if (!is_window(window)) {
        fprintf(stderr, "touchstream top: --window: '%s' is none of 5m 1h 24h 7d 30d 90d\n", window);
        return EXIT_USAGE;
    }
    /* The screen is ours: a log line would tear it. The frame itself says when Redis is away. */
    if (!once)
        log_configure(LOG_ERROR, false, "top");
    struct top_settings settings = {&app->config.redis, window, refresh_ms < 100 ? 100 : refresh_ms, once};
    return top_run(&settings, &app->stop) == OUTCOME_OK ? EXIT_FINE : EXIT_FAILED;
}
