#include "processors/kpi/trend/backtest.h"

#include "processors/kpi/trend/series_file.h"
#include "processors/kpi/trend/trend.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

/* The step is judged by these first rows, in which the detector says nothing yet: online stays online. */
enum { STEP_ROWS = 5 };

/* Without a budget: two a month, and whatever the pace not more than one in so many rows. */
static const double default_false_alarms_per_month = 2;
static const double default_rows_least = 630;
static const double month_ms = 30.4375 * 86400000.0;
static const int64_t hour_ms = 3600000, day_ms = 86400000;

static int compare_steps(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t usual_step_ms(const struct series_file *file)
{
    int64_t step[STEP_ROWS];
    int count = 0;
    for (int64_t k = 1; k < file->count && k < STEP_ROWS; k++)
        if (file->rows[k].at_ms > file->rows[k - 1].at_ms)
            step[count++] = file->rows[k].at_ms - file->rows[k - 1].at_ms;
    if (count == 0)
        return hour_ms;
    qsort(step, (size_t)count, sizeof *step, compare_steps);
    return step[(count - 1) / 2];
}

/* A file with a running index says nothing of its pace: a row counts as an hour, and there is no season. */
static struct trend_config config_for(const struct series_file *file, double per_month)
{
    struct trend_config config = {.resolution = TREND_OTHER};
    int64_t step_ms = file->has_times ? usual_step_ms(file) : hour_ms;
    if (per_month > 0)
        config.false_alarms_per_point = per_month * (double)step_ms / month_ms;
    else
        config.false_alarms_per_point =
            fmin(default_false_alarms_per_month * (double)step_ms / month_ms, 1 / default_rows_least);
    if (!file->has_times)
        return config;
    if (step_ms <= 30 * 60000)
        config.resolution = TREND_MINUTE;
    else if (step_ms <= 20 * hour_ms)
        config.resolution = TREND_HOUR;
    else if (step_ms <= 28 * hour_ms)
        config.resolution = TREND_DAY;
    config.seasonal = config.resolution != TREND_OTHER;
    return config;
}

static void print_at(FILE *out, const struct series_file *file, int64_t at_ms)
{
    if (!file->has_times) {
        fprintf(out, "%lld", (long long)at_ms);
        return;
    }
    int64_t days = at_ms / day_ms - (at_ms % day_ms < 0);
    time_t seconds = (time_t)(days * 86400 + (at_ms - days * day_ms) / 1000);
    struct tm parts;
    char text[32];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    fprintf(out, "\"%s\"", text);
}

static void print_shift(FILE *out, const struct series_file *file, const struct trend_change *shift)
{
    fprintf(out, "{\"row\": %lld, \"detected_row\": %lld, \"at\": ", (long long)shift->onset_row,
            (long long)shift->detected_row);
    print_at(out, file, file->rows[shift->onset_row].at_ms);
    fprintf(out, ", \"kind\": \"%s\", \"from\": %.9g, \"to\": %.9g, \"confidence\": %.6f}\n",
            trend_kind_name(shift->kind), shift->before, shift->after, shift->confidence);
}

static void run(const struct series_file *file, const struct trend_config *config, bool scores, FILE *out)
{
    struct trend *trend = trend_create(config);
    for (int64_t row = 0; row < file->count; row++) {
        struct trend_change shift[TREND_SHIFTS_MOST];
        const struct series_row *now = &file->rows[row];
        size_t count = trend_add(trend, now->at_ms, now->value, now->n, 0, shift, TREND_SHIFTS_MOST);
        if (scores)
            fprintf(out, "%lld,%.6f\n", (long long)row, trend_score(trend));
        for (size_t k = 0; k < count && !scores; k++)
            print_shift(out, file, &shift[k]);
    }
    trend_destroy(trend);
}

int backtest_shifts_command(const struct backtest_shifts_options *options, FILE *out, FILE *errors)
{
    struct series_file file;
    if (!series_file_read(&file, options->path, errors))
        return 2;
    struct trend_config config = config_for(&file, options->false_alarms_per_month);
    run(&file, &config, options->scores, out);
    series_file_finish(&file);
    return 0;
}
