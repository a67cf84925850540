/* `backtest shifts`, as its user meets it: files in, lines out. */
#include "processors/kpi/trend/backtest.h"
#include "processors/kpi/trend/series_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/trend-backtest-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* What it prints, owned by the caller; errors go to *complaint. */
static char *backtest(bool scores, int *code, char **complaint)
{
    char *text = NULL;
    size_t size, complaint_size;
    FILE *out = open_memstream(&text, &size), *errors = open_memstream(complaint, &complaint_size);
    struct backtest_shifts_options options = {.path = path, .scores = scores};
    *code = backtest_shifts_command(&options, out, errors);
    fclose(out);
    fclose(errors);
    return text;
}

static void expect_complaint(const char *file, const char *about)
{
    int code;
    char *complaint, *text;
    write_file(file);
    text = backtest(false, &code, &complaint);
    assert_int_equal(code, 2);
    assert_non_null(strstr(complaint, path));
    assert_non_null(strstr(complaint, about));
    free(text);
    free(complaint);
}

static void what_is_no_series_is_refused_with_file_and_line(void **state)
{
    (void)state;
    expect_complaint("", "header");
    expect_complaint("t,v\n1,2\n2,many\n", ":3: the value is not a number: many");
    expect_complaint("t,v\nyesterday,2\n", ":2: the first column");
    expect_complaint("t,v\n1,2\n2025-01-01,2\n", ":3: the first column mixes");
    expect_complaint("t,v\n1\n", ":2: a row needs");
    expect_complaint("t,v,n\n1,2,-4\n", ":2: the sample size");
    expect_complaint("t;v\n1;2,5\n", ":2: the value is not a number: 2,5");
}

/* Spreadsheets of half the world write semicolons. */
static void columns_are_parted_as_the_header_shows(void **state)
{
    (void)state;
    static const char *const files[] = {"t,v,n\n2025-01-01,2.5,30\n2025-01-02,,40\n", "t;v;n\n2025-01-01;2.5;30\n2025-01-02;;40\n",
                                        "t\tv\tn\n2025-01-01\t2.5\t30\n2025-01-02\t\t40\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct series_file series;
        write_file(files[i]);
        assert_true(series_file_read(&series, path, stderr));
        assert_int_equal(series.count, 2);
        assert_true(series.rows[0].value == 2.5 && series.rows[0].n == 30 && isnan(series.rows[1].value) && series.rows[1].n == 40);
        series_file_finish(&series);
    }
}

static char *series_text(int rows, const char *(*time_of)(int row))
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    fputs("time,value\r\n", file);
    unsigned dice = 7;
    for (int row = 0; row < rows; row++) {
        dice = dice * 1664525u + 1013904223u;
        double noise = (double)(dice >> 8) / 16777216.0 - 0.5;
        if (row % 17 == 5)
            fprintf(file, "%s,\r\n", time_of(row));
        else
            fprintf(file, "%s,%.4f\r\n", time_of(row), noise + (row < rows / 2 ? 10 : 14));
    }
    fclose(file);
    return text;
}

static char time_text[64];

static const char *as_index(int row)
{
    snprintf(time_text, sizeof time_text, "%d", row);
    return time_text;
}

static const char *as_epoch(int row)
{
    snprintf(time_text, sizeof time_text, "%d", 1735689600 + row * 4 * 86400);
    return time_text;
}

static const char *as_epoch_ms(int row)
{
    as_epoch(row);
    return strcat(time_text, "000");
}

static const char *as_date(int row)
{
    snprintf(time_text, sizeof time_text, "%04d-%02d-01", 1990 + row / 12, row % 12 + 1);
    return time_text;
}

static void a_step_is_found_whatever_the_first_column_is(void **state)
{
    (void)state;
    const char *(*times[])(int) = {as_index, as_epoch, as_epoch_ms, as_date};
    const char *at[] = {"\"at\": 60,", "\"at\": \"2025-08-29T00:00:00Z\",", "\"at\": \"2025-08-29T00:00:00Z\",", "\"at\": \"1995-01-01T00:00:00Z\","};
    for (int k = 0; k < 4; k++) {
        int code;
        char *complaint, *series = series_text(120, times[k]);
        write_file(series);
        char *text = backtest(false, &code, &complaint);
        assert_int_equal(code, 0);
        assert_string_equal(complaint, "");
        assert_non_null(strstr(text, "{\"row\": 60, \"detected_row\": 6"));
        assert_non_null(strstr(text, at[k]));
        assert_non_null(strstr(text, "\"kind\": \"level\""));
        free(text);
        free(complaint);
        free(series);
    }
}

/* Rows after i must not change what is said at i: the lines of a cut file begin those of the whole one. */
static void a_cut_file_says_the_beginning_of_the_whole(void **state)
{
    (void)state;
    char *series = series_text(200, as_index);
    write_file(series);
    for (int scores = 0; scores < 2; scores++) {
        int code;
        char *complaint, *whole = backtest(scores, &code, &complaint);
        free(complaint);
        for (int rows = 3; rows < 200; rows += 7) {
            char *cut = strdup(series), *end = cut;
            for (int k = 0; k <= rows; k++)
                end = strchr(end, '\n') + 1;
            *end = '\0';
            write_file(cut);
            char *text = backtest(scores, &code, &complaint);
            assert_memory_equal(text, whole, strlen(text));
            free(complaint);
            free(text);
            free(cut);
        }
        free(whole);
        write_file(series);
    }
    free(series);
}

static void scores_come_for_every_row_between_0_and_1(void **state)
{
    (void)state;
    int code, rows = 0;
    char *complaint, *series = series_text(150, as_index);
    write_file(series);
    char *text = backtest(true, &code, &complaint), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), rows++) {
        int row;
        double score;
        assert_int_equal(sscanf(line, "%d,%lf", &row, &score), 2);
        assert_int_equal(row, rows);
        assert_true(score >= 0 && score <= 1);
    }
    assert_int_equal(rows, 150);
    free(text);
    free(complaint);
    free(series);
}

static void times_are_read_in_many_forms(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t at_ms;
    } good[] = {{"1970-01-01", 0},
                {"1970-01", 0},
                {"2014-04-01 00:05:00", 1396310700000},
                {"2014-04-01T00:05:00Z", 1396310700000},
                {"2014-04-01T02:05:00.250+02:00", 1396310700250},
                {"1969-12-31T23:59:59Z", -1000},
                {"2024-02-29T12:00", 1709208000000}};
    int64_t at_ms;
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        assert_true(series_time_parse(good[k].text, &at_ms));
        assert_int_equal(at_ms, good[k].at_ms);
    }
    const char *const bad[] = {"", "now", "2014", "2014-13-01", "2014-04-01T25:61", "2014-04-01T00:00:00+2", "2014-04-01x"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(series_time_parse(bad[k], &at_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_series_is_refused_with_file_and_line),
        cmocka_unit_test(columns_are_parted_as_the_header_shows),
        cmocka_unit_test(a_step_is_found_whatever_the_first_column_is),
        cmocka_unit_test(a_cut_file_says_the_beginning_of_the_whole),
        cmocka_unit_test(scores_come_for_every_row_between_0_and_1),
        cmocka_unit_test(times_are_read_in_many_forms),
    };
    int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    close(descriptor);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
