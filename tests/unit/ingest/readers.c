/* Lines, rows and JSON values out of files and memory: whole, in order, and bounded. */
#include "base/bytes.h"
#include "ingest/csv_reader.h"
#include "ingest/json_reader.h"
#include "ingest/ndjson_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* Every record of `text` as "[record]" or "<too large>", once from memory and once through a pipe that gives it in small pieces. */
enum kind { LINES, CSV, JSON };

static void tell_lines(struct input *input, struct bytes *out)
{
    struct ndjson_reader reader;
    struct raw_record record;
    ndjson_reader_init(&reader, input);
    while (ndjson_reader_next(&reader, &record) == READ_RECORD)
        bytes_printf(out, record.is_too_large ? "<%llu>" : "%llu[%.*s]", (unsigned long long)record.line,
                     VIEW_ARGUMENTS(record.text));
}

static void tell_json(struct input *input, struct bytes *out)
{
    struct json_reader reader;
    struct raw_record record;
    enum read_result result;
    json_reader_init(&reader, input);
    while ((result = json_reader_next(&reader, &record)) == READ_RECORD)
        bytes_printf(out, record.is_too_large ? "<%llu>" : "%llu[%.*s]", (unsigned long long)record.line,
                     VIEW_ARGUMENTS(record.text));
    if (result == READ_BROKEN)
        bytes_append_text(out, "broken");
}

static void tell_csv(struct input *input, struct bytes *out)
{
    struct csv_reader reader;
    struct raw_record record;
    enum read_result result = csv_reader_init(&reader, input);
    for (size_t i = 0; i < reader.column_count; i++)
        bytes_printf(out, "%s%.*s", i ? "|" : "", VIEW_ARGUMENTS(reader.columns[i]));
    while (result == READ_RECORD && (result = csv_reader_next(&reader, &record)) == READ_RECORD) {
        bytes_printf(out, record.is_too_large ? "<%llu" : " %llu[", (unsigned long long)record.line);
        if (reader.is_open)
            bytes_printf(out, "open: %.*s", VIEW_ARGUMENTS(record.text));
        for (size_t i = 0; i < reader.field_count; i++)
            bytes_printf(out, "%s%.*s", i ? "|" : "", VIEW_ARGUMENTS(reader.fields[i]));
        bytes_append_text(out, record.is_too_large ? ">" : "]");
    }
    if (result == READ_BROKEN)
        bytes_printf(out, " broken: %s", reader.broken);
    csv_reader_finish(&reader);
}

static void tell(enum kind kind, struct input *input, struct bytes *out)
{
    (kind == LINES ? tell_lines : kind == CSV ? tell_csv : tell_json)(input, out);
}

/* A child writes the text a few bytes at a time. */
static void tell_piped(enum kind kind, struct view text, size_t piece, struct bytes *out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        for (size_t at = 0; at < text.size; at += piece)
            if (write(ends[1], text.data + at, text.size - at < piece ? text.size - at : piece) < 0)
                break;
        _exit(0);
    }
    close(ends[1]);
    struct input input;
    input_init_file(&input, ends[0], NULL);
    tell(kind, &input, out);
    input_finish(&input);
    close(ends[0]);
}

static void expect_view(enum kind kind, struct view text, const char *expected)
{
    struct bytes from_memory = {0}, from_pipe = {0};
    struct input input;
    char *exact = malloc(text.size + 1); /* so that reading beyond it is seen by the address sanitizer */
    memcpy(exact, text.data, text.size);
    exact = realloc(exact, text.size ? text.size : 1);
    input_init_memory(&input, view_of(exact, text.size));
    tell(kind, &input, &from_memory);
    assert_string_equal(bytes_text(&from_memory), expected);
    tell_piped(kind, text, text.size > 100000 ? 65536 : 3, &from_pipe);
    assert_string_equal(bytes_text(&from_pipe), expected);
    bytes_finish(&from_memory);
    bytes_finish(&from_pipe);
    free(exact);
}

static void expect(enum kind kind, const char *text, const char *expected)
{
    expect_view(kind, view_of_text(text), expected);
}

static void lines_end_with_lf_crlf_or_the_file(void **state)
{
    (void)state;
    expect(LINES, "", "");
    expect(LINES, "a\nb\r\n\r\n  \nc", "1[a]2[b]5[c]");
    expect(LINES, "\n\n", "");
    expect(LINES, "\xEF\xBB\xBF{}\n", "1[{}]");
    expect(LINES, "\xEF\xBB", "1[\xEF\xBB]");
}

/* Ten megabytes in one line, between good ones. */
static char *with_huge(const char *before, char fill, size_t size, const char *after, struct view *out)
{
    char *text = malloc(strlen(before) + size + strlen(after) + 1);
    strcpy(text, before);
    memset(text + strlen(before), fill, size);
    strcpy(text + strlen(before) + size, after);
    *out = view_of(text, strlen(before) + size + strlen(after));
    return text;
}

static void a_huge_line_is_too_large_and_costs_no_memory(void **state)
{
    (void)state;
    struct view text;
    char *owned = with_huge("a\n", 'x', 10000000, "\nb\n", &text);
    expect_view(LINES, text, "1[a]<2>3[b]");
    free(owned);
    owned = with_huge("", 'x', RECORD_BYTES_MAX, "\nb\n", &text);
    struct bytes out = {0};
    struct input input;
    input_init_memory(&input, text);
    tell_lines(&input, &out);
    assert_int_equal(out.size, 1 + 2 + RECORD_BYTES_MAX + 4); /* exactly at the bound is no fault */
    bytes_finish(&out);
    free(owned);
}

static void json_arrays_and_loose_values(void **state)
{
    (void)state;
    expect(JSON, "", "");
    expect(JSON, "[]", "");
    expect(JSON, " [ {\"a\": \"],}\\\"\"} ,\n[1,{}], 5 , \"x,\\\\\" ]\n", "1[{\"a\": \"],}\\\"\"}]2[[1,{}]]2[5]2[\"x,\\\\\"]");
    expect(JSON, "{\"a\":1}\n{\"b\":2}{} 7", "1[{\"a\":1}]2[{\"b\":2}]2[{}]2[7]");
    expect(JSON, "[{}", "1[{}]broken");
    expect(JSON, "[{},]", "1[{}]broken");
    expect(JSON, "[{} {}]", "1[{}]broken");
    expect(JSON, "[{}] x", "1[{}]broken");
    expect(JSON, "[{\"a\":", "broken");
    expect(JSON, "[", "broken");
    expect(JSON, "]", "broken");
    expect(JSON, "{}}", "1[{}]broken");
}

static void a_huge_json_value_is_skipped(void **state)
{
    (void)state;
    struct view text;
    char *owned = with_huge("[1, {\"a\": \"", '}', 5000000, "\"}, 2]", &text);
    expect_view(JSON, text, "1[1]<1>1[2]");
    free(owned);
}

static void csv_as_rfc_4180_has_it(void **state)
{
    (void)state;
    expect(CSV, "", "");
    expect(CSV, "a,b\n", "a|b");
    expect(CSV, "a,b\n1,2\r\n,\n\n3,\"4\"", "a|b 2[1|2] 3[|] 5[3|4]");
    expect(CSV, "a,b\n\"x, \"\"y\"\"\nz\",2\n3,4\n", "a|b 2[x, \"y\"\nz|2] 4[3|4]");
    expect(CSV, "\xEF\xBB\xBF\"a\",b\n1,\"\"\n", "a|b 2[1|]");
    expect(CSV, "a\n\"\"\"\"\n", "a 2[\"]");
    expect(CSV, "a,b\n5\" disk,in\"ch\n", "a|b 2[5\" disk|in\"ch]");
}

/* It costs its own line: the rows that follow are read, whatever is in them. */
static void csv_with_a_quote_that_nothing_closes(void **state)
{
    (void)state;
    expect(CSV, "a,b\n1,\"open\n", "a|b 2[open: 1,\"open]");
    expect(CSV, "a,b\n1,\"open\r\n2,3\r\n\n4,5", "a|b 2[open: 1,\"open] 3[2|3] 5[4|5]");
    expect(CSV, "a,b\n1,2\n\"", "a|b 2[1|2] 3[open: \"]");
    expect(CSV, "a,\"b\n1,2\n", " broken: line 1: a quote is opened and never closed");
}

static void csv_whose_lines_end_with_cr_alone_says_so(void **state)
{
    (void)state;
    expect(CSV, "a,b\r1,2\r3,4\r", " broken: line 1: lines end with CR alone; convert the file first (tr '\\r' '\\n')");
    expect(CSV, "\"a\r\nx\",b\n1,2\n", "a\r\nx|b 3[1|2]");
}

static void csv_separators_and_ragged_rows(void **state)
{
    (void)state;
    expect(CSV, "a;b;c\n1,5;2;3\n", "a|b|c 2[1,5|2|3]");
    expect(CSV, "a\tb\n\"1\t1\"\t2\n", "a|b 2[1\t1|2]");
    expect(CSV, "\"a,b,c\";d;e\n1;2;3\n", "a,b,c|d|e 2[1|2|3]");
    expect(CSV, "a,b\n1\n1,2,3\n1,\n", "a|b 2[1] 3[1|2|3] 4[1|]");
}

static void csv_that_says_its_separator_first(void **state)
{
    (void)state;
    expect(CSV, "sep=;\r\na,b;c\r\n1,5;2\r\n", "a,b|c 3[1,5|2]");
    expect(CSV, "\xef\xbb\xbfSEP=|\na|b\n1|\"2|3\"\n", "a|b 3[1|2|3]");
    expect(CSV, "sep=,\n\nid,id\n1,2\n", "id|id broken: line 4: columns 1 and 2 are both called \"id\" in line 3 and differ here; rename one of them there");
    expect(CSV, "sep=\n1\n", "sep= 2[1]"); /* a column of that name */
    expect(CSV, "sep=;", "");
}

static void a_huge_csv_row_is_skipped_quotes_and_all(void **state)
{
    (void)state;
    struct view text;
    char *owned = with_huge("a,b\n1,\"", '\n', 3000000, "\"\n3,4\n", &text);
    struct bytes expected = {0};
    bytes_printf(&expected, "a|b<2> %d[3|4]", 3 + 3000000);
    expect_view(CSV, text, bytes_text(&expected));
    bytes_finish(&expected);
    free(owned);
}

static void csv_columns_of_one_name_may_not_differ(void **state)
{
    (void)state;
    expect(CSV, "id,score,at,score\n1,9,x,9\n2,3\n3,0,x,10\n4,1,x,1\n",
           "id|score|at|score 2[1|9|x|9] 3[2|3] broken: line 4: columns 2 and 4 are both called \"score\" in line 1 and differ here; rename one of them there");
    expect(CSV, "a,a,b,a\n1,1,2,3\n", "a|a|b|a broken: line 2: columns 1 and 4 are both called \"a\" in line 1 and differ here; rename one of them there");
    expect(CSV, "a,,b,\n1,2,3,4\n", "a||b| 2[1|2|3|4]"); /* no name, nothing to ask by */
}

static void a_column_is_found_by_name(void **state)
{
    (void)state;
    struct csv_reader reader;
    struct input input;
    input_init_memory(&input, VIEW_LITERAL("id,\"Case ID\"\n"));
    assert_int_equal(csv_reader_init(&reader, &input), READ_RECORD);
    assert_int_equal(csv_reader_column(&reader, "Case ID"), 1);
    assert_int_equal(csv_reader_column(&reader, "case id"), -1);
    csv_reader_finish(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_lf_crlf_or_the_file),
        cmocka_unit_test(a_huge_line_is_too_large_and_costs_no_memory),
        cmocka_unit_test(json_arrays_and_loose_values),
        cmocka_unit_test(a_huge_json_value_is_skipped),
        cmocka_unit_test(csv_as_rfc_4180_has_it),
        cmocka_unit_test(csv_with_a_quote_that_nothing_closes),
        cmocka_unit_test(csv_whose_lines_end_with_cr_alone_says_so),
        cmocka_unit_test(csv_separators_and_ragged_rows),
        cmocka_unit_test(csv_that_says_its_separator_first),
        cmocka_unit_test(a_huge_csv_row_is_skipped_quotes_and_all),
        cmocka_unit_test(csv_columns_of_one_name_may_not_differ),
        cmocka_unit_test(a_column_is_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
