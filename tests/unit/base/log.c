/* What a line looks like where the journal of systemd reads it, and where somebody else does. */
#include "base/log.h"

#include "base/bytes.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

/* What is logged while stderr is a file of its own; JOURNAL_STREAM names that file, or one with another number. */
static void log_into(char text[TEXT_MAX], bool as_json, bool is_journal)
{
    FILE *file = tmpfile();
    struct stat status;
    char stream[64];
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino + !is_journal);
    setenv("JOURNAL_STREAM", stream, 1);
    int before = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    log_configure(LOG_DEBUG, as_json, "test");
    log_debug("looks", NULL);
    log_info("goes on", NULL);
    log_warning("waits", NULL);
    log_error("ends", NULL);
    dup2(before, STDERR_FILENO);
    close(before);
    unsetenv("JOURNAL_STREAM");
    rewind(file);
    text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
    fclose(file);
}

static void the_journal_hears_how_important_a_line_is(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    static const char *const begins[] = {"<7>time=", "<6>time=", "<4>time=", "<3>time="};
    log_into(text, false, true);
    char *rest = NULL, *line = strtok_r(text, "\n", &rest);
    for (size_t i = 0; i < 4; i++, line = strtok_r(NULL, "\n", &rest)) {
        assert_non_null(line);
        assert_memory_equal(line, begins[i], strlen(begins[i]));
    }
    assert_null(line);
    log_into(text, true, true);
    assert_memory_equal(text, "<7>{\"time\":\"", 12);
}

static void nobody_else_does(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    log_into(text, false, false);
    assert_memory_equal(text, "time=", 5);
    assert_null(strchr(text, '<'));
    log_into(text, true, false);
    assert_memory_equal(text, "{\"time\":\"", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_journal_hears_how_important_a_line_is),
        cmocka_unit_test(nobody_else_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
