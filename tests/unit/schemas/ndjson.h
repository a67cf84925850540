/* The golden files, row by row. */
#ifndef TS_TESTS_UNIT_SCHEMAS_NDJSON_H
#define TS_TESTS_UNIT_SCHEMAS_NDJSON_H

#include "base/bytes.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* Calls `check` with each row; the number of rows. */
static inline size_t ndjson_each(const char *path, void (*check)(json_t *row))
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0, rows = 0;
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    while (getline(&line, &capacity, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        check(row);
        json_decref(row);
        rows++;
    }
    free(line);
    fclose(file);
    return rows;
}

static inline const char *row_text(json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static inline struct bytes bytes_of_hex(const char *hex)
{
    struct bytes bytes = {0};
    for (; *hex; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        bytes_append_byte(&bytes, (unsigned char)strtoul(pair, NULL, 16));
    }
    return bytes;
}

#endif
