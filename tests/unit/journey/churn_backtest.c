/* The churn backtest tells signal from noise, on rows that its fit has not seen. */
#include "processors/journey/care/churn_backtest.h"

#include "base/bytes.h"
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>
#include <unistd.h>

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Customers of whom the short-termed leave, `noise` in 10 of them whatever their term. Answers the AUC. */
static double auc_with_noise(uint32_t noise)
{
    char path[] = "/tmp/touchstream-churn-XXXXXX", line[65536];
    uint64_t seed = 7;
    FILE *file = fdopen(mkstemp(path), "w"), *out = tmpfile();
    fputs("id,term,plan,left\n", file);
    for (int i = 0; i < 2000; i++) {
        uint32_t term = random_next(&seed) % 100;
        bool leaves = random_next(&seed) % 10 < noise ? random_next(&seed) % 2 : term < 40;
        fprintf(file, "c-%d,%u,\"plan, %u\",%s\n", i, term, random_next(&seed) % 3, leaves ? "Yes" : "No");
    }
    fclose(file);
    assert_int_equal(churn_backtest(path, out, stderr), 0);
    rewind(out);
    assert_non_null(fgets(line, sizeof line, out));
    assert_null(strstr(line, "\"id=")); /* an id is no feature */
    assert_non_null(strstr(line, "\"plan=plan, "));
    fclose(out);
    remove(path);
    return atof(strstr(line, "\"auc\":") + 6);
}

static void signal_and_noise(void **state)
{
    (void)state;
    assert_true(auc_with_noise(0) > 0.98);
    double half = auc_with_noise(5);
    assert_true(half > 0.65 && half < 0.85);
    double none = auc_with_noise(10);
    assert_true(none > 0.42 && none < 0.58);
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    FILE *error = tmpfile();
    assert_int_equal(churn_backtest("/no/such/file", stdout, error), 1);
    assert_int_equal(churn_backtest("/dev/null", stdout, error), 1);
    assert_true(ftell(error) > 0);
    fclose(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signal_and_noise), cmocka_unit_test(what_is_no_table_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
