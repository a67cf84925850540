#include "processors/kpi/trend/series_file.h"

#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 3, ROWS_MOST = 20000000 };

/* A number below this cannot be an epoch second of a time this product existed in (1973), so it is an index. */
static const double epoch_seconds_least = 1e8;
/* And one from here on counts milliseconds: as seconds it would be the year 5138. */
static const double epoch_ms_least = 1e11;

struct reader {
    const char *path;
    FILE *file, *errors;
    char *line;
    size_t capacity;
    int64_t number;
    char separator;
};

static bool complain(const struct reader *reader, const char *what, const char *text)
{
    fprintf(reader->errors, "%s:%lld: %s%s%s\n", reader->path, (long long)reader->number, what, text ? ": " : "",
            text ? text : "");
    return false;
}

static bool read_line(struct reader *reader)
{
    ssize_t size = getline(&reader->line, &reader->capacity, reader->file);
    if (size < 0)
        return false;
    reader->number++;
    while (size > 0 && strchr("\r\n", reader->line[size - 1]))
        reader->line[--size] = '\0';
    return true;
}

static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t' || *text == '"')
        text++;
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\"", text[size - 1]))
        text[--size] = '\0';
    return text;
}

/* As `import` has it: the header shows whether commas, semicolons or tabs part the columns. */
static char separator_of(const char *header)
{
    return strchr(header, ',') ? ',' : strchr(header, ';') ? ';' : strchr(header, '\t') ? '\t' : ',';
}

static int split(char *line, char separator, char *field[FIELDS])
{
    int count = 0;
    while (line && count < FIELDS) {
        char *end = strchr(line, separator);
        if (end)
            *end++ = '\0';
        field[count++] = trim(line);
        line = end;
    }
    return count;
}

static bool read_digits(const char **text, int count, int *number)
{
    *number = 0;
    for (int k = 0; k < count; k++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *number = *number * 10 + (**text - '0');
    }
    return true;
}

/* Days since 1970-01-01 of a Gregorian date (years from March, so that the leap day comes last). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool parse_zone(const char *text, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    int sign = *text == '+' ? 1 : *text == '-' ? -1 : 0, hours, minutes = 0;
    text++;
    if (sign == 0 || !read_digits(&text, 2, &hours))
        return false;
    if (*text == ':')
        text++;
    if (*text && !read_digits(&text, 2, &minutes))
        return false;
    *offset_ms = sign * (hours * 60 + minutes) * 60000LL;
    return *text == '\0' && hours < 24 && minutes < 60;
}

static bool parse_clock(const char *text, int64_t *ms)
{
    int hour, minute = 0, second = 0;
    int64_t fraction_ms = 0, offset_ms;
    if (!read_digits(&text, 2, &hour))
        return false;
    if (*text == ':' && (text++, !read_digits(&text, 2, &minute)))
        return false;
    if (*text == ':' && (text++, !read_digits(&text, 2, &second)))
        return false;
    if (*text == '.' || *text == ',') {
        text++;
        for (int64_t unit = 100; *text >= '0' && *text <= '9'; text++, unit /= 10)
            fraction_ms += (*text - '0') * unit;
    }
    if (!parse_zone(text, &offset_ms) || hour > 24 || minute > 59 || second > 60)
        return false;
    *ms = ((hour * 60LL + minute) * 60 + second) * 1000 + fraction_ms - offset_ms;
    return true;
}

bool series_time_parse(const char *text, int64_t *at_ms)
{
    int year, month, day = 1;
    int64_t clock_ms = 0;
    if (!read_digits(&text, 4, &year) || *text++ != '-' || !read_digits(&text, 2, &month))
        return false;
    if (*text == '-' && (text++, !read_digits(&text, 2, &day)))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    if (*text == 'T' || *text == 't' || *text == ' ') {
        if (!parse_clock(text + 1, &clock_ms))
            return false;
    } else if (*text) {
        return false;
    }
    *at_ms = days_of(year, month, day) * 86400000LL + clock_ms;
    return true;
}

/* The whole text as a finite number. Not base's reader: a series may say 1e-6 or .5 or +3. The program never leaves the
 * C locale. */
static bool parse_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

static bool is_missing(const char *text)
{
    return *text == '\0' || strcasecmp(text, "nan") == 0 || strcasecmp(text, "na") == 0 || strcasecmp(text, "null") == 0;
}

static bool parse_first(const struct reader *reader, struct series_file *file, const char *text, int64_t *at_ms)
{
    double number;
    bool is_number = parse_number(text, &number), is_time = is_number ? fabs(number) >= epoch_seconds_least : true;
    if (is_number)
        *at_ms = (int64_t)llround(is_time && fabs(number) < epoch_ms_least ? number * 1000 : number);
    else if (!series_time_parse(text, at_ms))
        return complain(reader, "the first column is neither ISO 8601 nor epoch seconds nor an index", text);
    if (file->count == 0)
        file->has_times = is_time;
    else if (file->has_times != is_time)
        return complain(reader, "the first column mixes times and indices", text);
    return true;
}

static bool parse_row(const struct reader *reader, struct series_file *file, struct series_row *row)
{
    char *field[FIELDS];
    int fields = split(reader->line, reader->separator, field);
    if (fields < 2)
        return complain(reader, "a row needs a time or an index, and a value", NULL);
    *row = (struct series_row){0, NAN, 0};
    if (!parse_first(reader, file, field[0], &row->at_ms))
        return false;
    if (!is_missing(field[1]) && !parse_number(field[1], &row->value))
        return complain(reader, "the value is not a number", field[1]);
    if (fields > 2 && !is_missing(field[2]) && (!parse_number(field[2], &row->n) || row->n < 0))
        return complain(reader, "the sample size is not a number of at least 0", field[2]);
    return true;
}

static bool read_rows(struct reader *reader, struct series_file *file)
{
    int64_t capacity = 0;
    if (!read_line(reader))
        return complain(reader, "empty; a header line was expected", NULL);
    reader->separator = separator_of(reader->line);
    while (read_line(reader)) {
        if (*trim(reader->line) == '\0')
            continue;
        if (file->count == ROWS_MOST)
            return complain(reader, "more rows than the 20 million a backtest takes", NULL);
        if (file->count == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            file->rows = memory_resize(file->rows, (size_t)capacity * sizeof *file->rows);
        }
        if (!parse_row(reader, file, &file->rows[file->count]))
            return false;
        file->count++;
    }
    return true;
}

bool series_file_read(struct series_file *file, const char *path, FILE *errors)
{
    memset(file, 0, sizeof *file);
    struct reader reader = {.path = path, .file = fopen(path, "r"), .errors = errors};
    if (!reader.file) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
        return false;
    }
    bool good = read_rows(&reader, file);
    if (good && ferror(reader.file)) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
        good = false;
    }
    free(reader.line);
    fclose(reader.file);
    if (!good)
        series_file_finish(file);
    return good;
}

void series_file_finish(struct series_file *file)
{
    free(file->rows);
    memset(file, 0, sizeof *file);
}
