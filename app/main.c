/* touchstream COMMAND [--config FILE] [options]: finds the command, loads the configuration, arms the signals.
 * What the services are and how they hang together: pipeline.c. */
#include "app/app.h"
#include "app/check.h"
#include "app/sense.h"
#include "base/edit_distance.h"
#include "base/http_client.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS_WANTED = 65536 };

static struct app app;

static void on_stop_signal(int number)
{
    (void)number;
    atomic_store(&app.stop, true);
}

/* A terminal that is closed ends us as SIGTERM does; who runs us under nohup has SIGHUP ignored, and it stays so. */
static void arm_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop_signal}, found;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (sigaction(SIGHUP, NULL, &found) == 0 && found.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What was started without standard input, output or error (`<&-`) has none: without this the next socket or file would get that
 * number, and what is printed or logged would go to Kafka. Opened the wrong way round, so that using them is an error still. */
static void occupy_standard_streams(void)
{
    static const int ways[] = {[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDONLY};
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        if (fcntl(number, F_GETFD) < 0 && errno == EBADF && open("/dev/null", ways[number]) != number)
            _exit(EXIT_FAILED);
    }
}

/* All the connections that settings allow need more than the 1,024 descriptors a shell hands out; up to the hard limit they are ours to take. */
static void take_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    rlim_t wanted = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
    if (limit.rlim_cur < wanted)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){wanted, limit.rlim_max});
}

static int print_help(FILE *out)
{
    fprintf(out, "touchstream " TS_VERSION ": how customers fare after the sale, within a second\n\n"
                 "usage: touchstream COMMAND [--config FILE] [--log logfmt|json] [--log-level LEVEL] [options]\n\n");
    for (const struct command *command = commands; command->name; command++)
        fprintf(out, "  %-11s %s\n", command->name, command->summary);
    fprintf(out, "\n`touchstream COMMAND --help` says more. Settings: docs/CONFIGURATION.md\n");
    return out == stdout ? EXIT_FINE : EXIT_USAGE;
}

static int print_command_help(const struct command *command)
{
    printf("usage: touchstream %s %s\n\n%s.\n", command->name, command->arguments, command->summary);
    if (command->details)
        printf("\n%s\n", command->details);
    struct bytes text = {0};
    if (command->options)
        options_help(command->options(), &text);
    printf("\noptions:\n%s  %-26s %s\n  %-26s %s\n  %-26s %s\n", text.size ? bytes_text(&text) : "", "--config FILE",
           "the configuration (default: $TOUCHSTREAM_CONFIG, else built-in values)", "--log logfmt|json", "form of the log lines",
           "--log-level LEVEL", "debug, info, warning or error");
    bytes_finish(&text);
    return EXIT_FINE;
}

static const struct command *find_command(const char *name)
{
    for (const struct command *command = commands; command->name; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

static int complain_unknown_command(const char *name)
{
    if (name[0] == '-') {
        fprintf(stderr, "touchstream: '%s': the command comes first, its options after it: touchstream COMMAND --config FILE "
                        "(touchstream --help)\n", name);
        return EXIT_USAGE;
    }
    struct nearest nearest = nearest_to(name);
    for (const struct command *command = commands; command->name; command++)
        nearest_offer(&nearest, command->name);
    fprintf(stderr, "touchstream: there is no command '%s'; did you mean '%s'? (touchstream --help)\n", name, nearest.name);
    return EXIT_USAGE;
}

bool app_parse_options(const char *command, int argc, char **argv, const struct option *options, struct text_list *arguments)
{
    struct bytes error = {0};
    bool is_good = options_parse(argc, argv, options, arguments, &error);
    if (!is_good)
        fprintf(stderr, "touchstream %s: %s (touchstream %s --help)\n", command, bytes_text(&error), command);
    bytes_finish(&error);
    return is_good;
}

int app_stopped_early(const char *command, const char *not_done)
{
    fprintf(stderr, "touchstream %s: stopped early, %s\n", command, not_done);
    return EXIT_FINE;
}

struct common_options {
    const char *config_path, *log_format, *log_level;
    const char *without_value; /* one of them that has none; NULL: none */
    bool wants_help;
};

/* Where the value of `--name value` or `--name=value` belongs; NULL: another option. */
static const char **common_option(struct common_options *taken, const char *argument)
{
    struct view name = view_of(argument, strcspn(argument, "="));
    return view_equal_text(name, "--config")      ? &taken->config_path
           : view_equal_text(name, "--log")       ? &taken->log_format
           : view_equal_text(name, "--log-level") ? &taken->log_level
                                                  : NULL;
}

/* Takes the options every command has out of argv and answers how many arguments are left; they are the command's. */
static int take_common_options(int argc, char **argv, struct common_options *taken)
{
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        const char **into = common_option(taken, argv[i]), *value = strchr(argv[i], '=');
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            taken->wants_help = true;
        else if (into == NULL)
            argv[kept++] = argv[i];
        else if (value)
            *into = value + 1;
        else if (i + 1 < argc)
            *into = argv[++i];
        else
            taken->without_value = argv[i];
    }
    return kept;
}

static bool configure_log(const char *role, const char *format, const char *level_name)
{
    enum log_level level;
    if (!log_level_from_name(level_name, &level)) {
        fprintf(stderr, "touchstream: --log-level: '%s' is not debug, info, warning or error\n", level_name);
        return false;
    }
    if (strcmp(format, "logfmt") != 0 && strcmp(format, "json") != 0) {
        fprintf(stderr, "touchstream: --log: '%s' is neither logfmt nor json\n", format);
        return false;
    }
    log_configure(level, strcmp(format, "json") == 0, role);
    return true;
}

static void log_doubt_of_setting(void *context, const char *name, const char *what)
{
    (void)context;
    log_warning("doubtful setting", "key", name, "doubt", what, NULL);
}

static void log_doubt(void *context, const char *name, const char *what)
{
    (void)context;
    log_warning("doubtful environment", "variable", name, "doubt", what, NULL);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct common_options common = {.config_path = getenv(CONFIG_PATH_VARIABLE)};
    argc = take_common_options(argc, argv, &common);
    if (common.wants_help)
        return print_command_help(command);
    if (common.without_value) {
        fprintf(stderr, "touchstream: %s wants a value (touchstream --help)\n", common.without_value);
        return EXIT_USAGE;
    }
    app.config_path = common.config_path;

    struct bytes error = {0};
    if (!config_load(&app.config, app.config_path, &error)) {
        fprintf(stderr, "touchstream: %s\n", bytes_text(&error));
        bytes_finish(&error);
        return EXIT_USAGE;
    }
    if (!configure_log(command->name, common.log_format ? common.log_format : app.config.log.format,
                       common.log_level ? common.log_level : app.config.log.level))
        return EXIT_USAGE;
    if (command->run != check_command) { /* which tells doubts in its own way */
        config_environment_doubts(&app.config, &(struct settings_listener){NULL, log_doubt});
        sense_doubts_of_targets(&app.config, &(struct settings_listener){NULL, log_doubt_of_setting});
    }
    arm_signals();
    http_client_global_init();
    mapping_global_init();
    int code = command->run(&app, argc, argv);
    config_finish(&app.config);
    return code;
}

/* What was printed has arrived, or its reader has left (`| head`), which is no failure. A full disk is one. */
static bool output_arrived(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    int why = errno;
    struct pollfd reader = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR))
        return true;
    fprintf(stderr, "touchstream: what was to be printed could not be written: %s\n", strerror(why));
    return false;
}

static int do_as_told(int argc, char **argv)
{
    if (argc < 2)
        return print_help(stderr);
    bool is_help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "-h") == 0;
    if (is_help && argc > 2) {
        const struct command *about = find_command(argv[2]);
        return about ? print_command_help(about) : complain_unknown_command(argv[2]);
    }
    if (is_help)
        return print_help(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        printf("touchstream " TS_VERSION "\n");
        return EXIT_FINE;
    }
    const struct command *command = find_command(argv[1]);
    return command ? run_command(command, argc - 2, argv + 2) : complain_unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    memory_configure();
    take_descriptors();
    int code = do_as_told(argc, argv);
    return output_arrived() || code != EXIT_FINE ? code : EXIT_FAILED;
}
