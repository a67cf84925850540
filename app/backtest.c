#include "app/backtest.h"

#include "app/backtest_cases.h"
#include "base/clock.h"

#include "processors/journey/care/churn_backtest.h"
#include "processors/kpi/trend/backtest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct backtest_shifts_options shifts;
static int64_t within_ms = NOT_GIVEN;
static double false_alarms = NAN; /* not given */

static const struct option option_rows[] = {
    {"--scores", OPTION_FLAG, &shifts.scores, NULL, "shifts: print `row,score` for every row instead, 0 ordinary to 1"},
    {"--false-alarms-per-month", OPTION_DECIMAL, &false_alarms, "X",
     "shifts: how many false alarms a month are bearable (2)"},
    {"--within", OPTION_DURATION, &within_ms, "TIME", "cases: what went wrong within this time after a case was opened (30d)"},
    OPTIONS_END};

const struct option *backtest_options(void)
{
    return option_rows;
}

static int shifts_command(const struct text_list *arguments)
{
    if (arguments->count != 2) {
        fprintf(stderr, "touchstream backtest shifts: wants one CSV file (touchstream backtest --help)\n");
        return EXIT_USAGE;
    }
    if (false_alarms <= 0) {
        fprintf(stderr, "touchstream backtest shifts: --false-alarms-per-month must be above 0\n");
        return EXIT_USAGE;
    }
    if (!isnan(false_alarms))
        shifts.false_alarms_per_month = false_alarms;
    shifts.path = arguments->items[1];
    return backtest_shifts_command(&shifts, stdout, stderr);
}

/* An option of another kind of backtest would be passed over, and somebody believes it counts. */
static bool options_belong(const char *kind)
{
    bool is_shifts = strcmp(kind, "shifts") == 0, is_cases = strcmp(kind, "cases") == 0;
    const char *stray = !is_shifts && shifts.scores                            ? "--scores is for shifts"
                        : !is_shifts && !isnan(false_alarms)                   ? "--false-alarms-per-month is for shifts"
                        : !is_cases && within_ms != NOT_GIVEN                  ? "--within is for cases"
                                                                               : NULL;
    if (stray)
        fprintf(stderr, "touchstream backtest %s: %s (touchstream backtest --help)\n", kind, stray);
    return stray == NULL;
}

int backtest_command(struct app *app, int argc, char **argv)
{
    struct text_list arguments = {0};
    if (!app_parse_options("backtest", argc, argv, option_rows, &arguments))
        return EXIT_USAGE;
    if (arguments.count > 0 && !options_belong(arguments.items[0]))
        return EXIT_USAGE;
    if (arguments.count > 0 && strcmp(arguments.items[0], "shifts") == 0)
        return shifts_command(&arguments);
    if (arguments.count == 2 && strcmp(arguments.items[0], "churn") == 0)
        return churn_backtest(arguments.items[1], stdout, stderr);
    if (arguments.count == 1 && strcmp(arguments.items[0], "cases") == 0)
        return backtest_cases(app, within_ms == NOT_GIVEN ? DAYS(30) : within_ms);
    fprintf(stderr, "touchstream backtest: wants `cases`, or `shifts` or `churn` and a file (touchstream backtest --help)\n");
    return EXIT_USAGE;
}
