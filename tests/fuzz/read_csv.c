/* Any bytes as CSV: read to the end, never beyond it, and the same whether they come at once or in pieces. */
#include "base/bytes.h"
#include "ingest/csv_reader.h"

#include <stdlib.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    struct input input;
    struct csv_reader reader;
    struct raw_record row;
    size_t rows = 0, fields = 0;
    uint64_t line = 0;
    input_init_memory(&input, view_of(exact, size));
    if (csv_reader_init(&reader, &input) == READ_RECORD) {
        while (csv_reader_next(&reader, &row) == READ_RECORD) {
            MUST(row.line > line); /* lines only go forward */
            line = row.line;
            for (size_t i = 0; i < reader.field_count; i++)
                fields += reader.fields[i].size;
            rows++;
        }
    }
    MUST(rows <= size && fields <= size);
    csv_reader_finish(&reader);
    free(exact);
    return 0;
}
