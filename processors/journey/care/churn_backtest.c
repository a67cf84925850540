#include "processors/journey/care/churn_backtest.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 256, LEVELS_MAX = 20, FEATURES_MAX = 1024, ROUNDS = 600 };

struct table {
    struct bytes text;       /* the file; the cells point into it */
    struct view names[COLUMNS_MAX];
    struct view *cells;      /* rows × columns */
    size_t rows, columns, capacity;
};

struct feature {
    size_t column;
    struct view level;       /* null: the number itself */
    double mean, spread, coefficient;
};

struct fit {
    const struct table *table;
    struct feature features[FEATURES_MAX];
    size_t count;
    double *values;          /* rows × features, standardised */
    bool *outcomes, *is_held_out;
    double constant;
};

/* --- the table --- */

/* The next cell from *at; quotes may hold commas and line ends. true: it was the last of its line. */
static bool cell_read(char **at, char *end, struct view *cell)
{
    char *start = *at, *write = *at;
    bool is_quoted = false;
    while (*at < end && (is_quoted || (**at != ',' && **at != '\n'))) {
        if (**at == '"')
            is_quoted = !is_quoted;
        else if (**at != '\r')
            *write++ = **at;
        ++*at;
    }
    bool is_last = *at == end || **at == '\n';
    *at += *at < end;
    *cell = view_of(start, (size_t)(write - start));
    return is_last;
}

static bool row_read(char **at, char *end, struct view *cells, size_t *count)
{
    *count = 0;
    struct view cell;
    bool is_last;
    do {
        is_last = cell_read(at, end, &cell);
        if (*count < COLUMNS_MAX)
            cells[(*count)++] = cell;
    } while (!is_last);
    return *count > 1;
}

static void table_read(struct table *table)
{
    char *at = table->text.data, *end = at + table->text.size;
    struct view cells[COLUMNS_MAX];
    size_t count;
    if (at == NULL || !row_read(&at, end, table->names, &table->columns))
        return;
    while (at < end) {
        if (!row_read(&at, end, cells, &count) || count != table->columns)
            continue;
        if (table->rows == table->capacity) {
            table->capacity = table->capacity ? 2 * table->capacity : 1024;
            table->cells = memory_resize(table->cells, table->capacity * table->columns * sizeof *table->cells);
        }
        memcpy(table->cells + table->rows++ * table->columns, cells, count * sizeof *cells);
    }
}

static struct view cell_of(const struct table *table, size_t row, size_t column)
{
    return table->cells[row * table->columns + column];
}

static bool number_of(struct view text, double *number)
{
    char copy[64], *end;
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    *number = strtod(copy, &end); /* the program never sets a locale */
    return *end == 0 && isfinite(*number);
}

/* --- features --- */

static bool feature_add(struct fit *fit, size_t column, struct view level)
{
    if (fit->count < FEATURES_MAX)
        fit->features[fit->count++] = (struct feature){.column = column, .level = level};
    return fit->count < FEATURES_MAX;
}

/* Its indicators; of the levels the first has none, being what the others are held against. */
static void levels_add(struct fit *fit, size_t column)
{
    struct view levels[LEVELS_MAX];
    size_t count = 0;
    for (size_t row = 0; row < fit->table->rows; row++) {
        struct view cell = cell_of(fit->table, row, column);
        size_t i = 0;
        while (i < count && !view_equal(levels[i], cell))
            i++;
        if (i == LEVELS_MAX)
            return; /* an id, or free text */
        if (i == count)
            levels[count++] = cell;
    }
    for (size_t i = 1; i < count && feature_add(fit, column, levels[i]); i++)
        ;
}

/* Numbers but for some blanks, and not each a value of its own in steps of one, as row numbers are. */
static bool column_is_number(const struct table *table, size_t column)
{
    size_t numbers = 0, others = 0;
    double number;
    for (size_t row = 0; row < table->rows; row++) {
        struct view cell = cell_of(table, row, column);
        bool is_number = number_of(cell, &number);
        numbers += is_number;
        others += !is_number && cell.size > 1;
    }
    return numbers > 0 && others == 0;
}

static double raw_value(const struct fit *fit, const struct feature *feature, size_t row)
{
    struct view cell = cell_of(fit->table, row, feature->column);
    double number;
    if (feature->level.data)
        return view_equal(cell, feature->level);
    return number_of(cell, &number) ? number : feature->mean;
}

static void feature_standardise(struct fit *fit, size_t number)
{
    struct feature *feature = &fit->features[number];
    double sum = 0, squares = 0;
    for (size_t row = 0; row < fit->table->rows; row++)
        sum += raw_value(fit, feature, row);
    feature->mean = sum / (double)fit->table->rows;
    for (size_t row = 0; row < fit->table->rows; row++) {
        double distance = raw_value(fit, feature, row) - feature->mean;
        squares += distance * distance;
    }
    feature->spread = sqrt(squares / (double)fit->table->rows);
    for (size_t row = 0; row < fit->table->rows; row++)
        fit->values[row * fit->count + number] =
            feature->spread > 0 ? (raw_value(fit, feature, row) - feature->mean) / feature->spread : 0;
}

static bool outcome_of(struct view cell)
{
    return view_equal_text(cell, "Yes") || view_equal_text(cell, "yes") || view_equal_text(cell, "true") ||
           view_equal_text(cell, "True") || view_equal_text(cell, "1");
}

static void fit_prepare(struct fit *fit)
{
    const struct table *table = fit->table;
    for (size_t column = 0; column + 1 < table->columns; column++) {
        if (column_is_number(table, column))
            feature_add(fit, column, (struct view){NULL, 0});
        else
            levels_add(fit, column);
    }
    fit->values = memory_zeroed(table->rows * fit->count + 1, sizeof *fit->values);
    fit->outcomes = memory_zeroed(table->rows, sizeof *fit->outcomes);
    fit->is_held_out = memory_zeroed(table->rows, sizeof *fit->is_held_out);
    for (size_t i = 0; i < fit->count; i++)
        feature_standardise(fit, i);
    for (size_t row = 0; row < table->rows; row++) {
        fit->outcomes[row] = outcome_of(cell_of(table, row, table->columns - 1));
        fit->is_held_out[row] = hash_murmur2(cell_of(table, row, 0)) % 5 == 0;
    }
}

/* --- the fit: gradient descent on the mean log loss, with a little shrinkage --- */

static double score_of(const struct fit *fit, size_t row)
{
    double z = fit->constant;
    for (size_t i = 0; i < fit->count; i++)
        z += fit->features[i].coefficient * fit->values[row * fit->count + i];
    return 1 / (1 + exp(-z));
}

static void fit_step(struct fit *fit, double *slopes, double rate)
{
    double slope = 0, rows = 0;
    memset(slopes, 0, fit->count * sizeof *slopes);
    for (size_t row = 0; row < fit->table->rows; row++) {
        if (fit->is_held_out[row])
            continue;
        double wrong = score_of(fit, row) - fit->outcomes[row];
        slope += wrong;
        rows++;
        for (size_t i = 0; i < fit->count; i++)
            slopes[i] += wrong * fit->values[row * fit->count + i];
    }
    fit->constant -= rate * slope / rows;
    for (size_t i = 0; i < fit->count; i++)
        fit->features[i].coefficient -= rate * (slopes[i] / rows + 0.001 * fit->features[i].coefficient);
}

struct ranked {
    double score;
    bool outcome;
};

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *first = a, *second = b;
    return (first->score > second->score) - (first->score < second->score);
}

/* Mann and Whitney: the share of (who left, who stayed) pairs in the right order. */
static double auc_of(const struct fit *fit, size_t *count)
{
    struct ranked *rows = memory_zeroed(fit->table->rows, sizeof *rows);
    double rank_sum = 0, left = 0, stayed = 0;
    *count = 0;
    for (size_t row = 0; row < fit->table->rows; row++) {
        if (fit->is_held_out[row])
            rows[(*count)++] = (struct ranked){score_of(fit, row), fit->outcomes[row]};
    }
    qsort(rows, *count, sizeof *rows, ranked_compare);
    for (size_t i = 0, end; i < *count; i = end) {
        for (end = i; end < *count && rows[end].score == rows[i].score; end++)
            ;
        for (size_t j = i; j < end; j++) {
            rank_sum += rows[j].outcome ? (double)(i + 1 + end) / 2 : 0;
            left += rows[j].outcome;
            stayed += !rows[j].outcome;
        }
    }
    free(rows);
    return left > 0 && stayed > 0 ? (rank_sum - left * (left + 1) / 2) / (left * stayed) : NAN;
}

static void fit_tell(const struct fit *fit, FILE *out)
{
    struct bytes line = {0};
    struct json_writer json = json_writer_on(&line);
    size_t held_out;
    double auc = auc_of(fit, &held_out);
    json_open_object(&json);
    json_key(&json, "rows");
    json_write_integer(&json, (int64_t)fit->table->rows);
    json_key(&json, "held_out");
    json_write_integer(&json, (int64_t)held_out);
    json_key(&json, "auc");
    json_write_decimal(&json, auc);
    json_key(&json, "coefficients");
    json_open_object(&json);
    for (size_t i = 0; i < fit->count; i++) {
        const struct feature *feature = &fit->features[i];
        struct bytes name = {0};
        bytes_append_view(&name, fit->table->names[feature->column]);
        if (feature->level.data) {
            bytes_append_byte(&name, '=');
            bytes_append_view(&name, feature->level);
        }
        json_key_view(&json, bytes_view(&name));
        json_write_decimal(&json, round(feature->coefficient * 1e4) / 1e4);
        bytes_finish(&name);
    }
    json_close_object(&json);
    json_close_object(&json);
    fprintf(out, "%s\n", bytes_text(&line));
    bytes_finish(&line);
}

int churn_backtest(const char *path, FILE *out, FILE *error)
{
    struct table table = {0};
    int status = 1;
    if (!bytes_append_file(&table.text, path, SIZE_MAX)) {
        fprintf(error, "touchstream backtest churn: %s: %s\n", path, strerror(errno));
    } else {
        table_read(&table);
        if (table.rows < 50)
            fprintf(error, "touchstream backtest churn: %s: wants a CSV with a header and 50 rows or more, the outcome last\n", path);
        else
            status = 0;
    }
    if (status == 0) {
        struct fit *fit = memory_zeroed(1, sizeof *fit);
        fit->table = &table;
        fit_prepare(fit);
        double *slopes = memory_zeroed(fit->count + 1, sizeof *slopes);
        for (int round = 0; round < ROUNDS; round++)
            fit_step(fit, slopes, 0.5);
        fit_tell(fit, out);
        free(slopes);
        free(fit->values);
        free(fit->outcomes);
        free(fit->is_held_out);
        free(fit);
    }
    free(table.cells);
    bytes_finish(&table.text);
    return status;
}
