/* While a transaction's partitions are told to Kafka, librdkafka's main thread waits for a timer a millisecond ahead: it is to sleep then.
 * Not under the thread sanitizer, where it still spins (engine/kafka/waits.c). */
#include "engine/kafka/link.h"

#include "tests/unit/cmocka_all.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRANSACTIONS = 100, CALL_MS = 30000, VERSION_WITHOUT_SPIN = 0x02040000 };

#ifdef __SANITIZE_THREAD__
enum { is_thread_sanitized = true };
#else
enum { is_thread_sanitized = false };
#endif

static bool file_read(const char *task, const char *name, char *text, int size)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", task, name);
    FILE *file = fopen(path, "r");
    bool is_read = file && fgets(text, size, file);
    if (file)
        fclose(file);
    return is_read;
}

/* CPU time of all main threads. */
static int64_t main_threads_us(void)
{
    char name[64], times[64];
    int64_t sum_us = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks));) {
        if (!file_read(task->d_name, "comm", name, sizeof name) || strcmp(name, "rdk:main\n") != 0)
            continue;
        if (file_read(task->d_name, "schedstat", times, sizeof times))
            sum_us += strtoll(times, NULL, 10) / 1000;
    }
    closedir(tasks);
    return sum_us;
}

static rd_kafka_t *producer_open(rd_kafka_conf_t *conf)
{
    char error[256];
    kafka_conf_set(conf, "test.mock.num.brokers", "1");
    kafka_conf_set(conf, "transactional.id", "test");
    rd_kafka_t *handle = kafka_handle_create(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    assert_non_null(handle);
    assert_null(rd_kafka_init_transactions(handle, CALL_MS));
    return handle;
}

static void transaction(rd_kafka_t *handle)
{
    assert_null(rd_kafka_begin_transaction(handle));
    assert_int_equal(rd_kafka_producev(handle, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_VALUE("v", 1), RD_KAFKA_V_END), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_null(rd_kafka_commit_transaction(handle, CALL_MS));
}

/* What a hundred take of the main thread. */
static int64_t transactions_us(rd_kafka_conf_t *conf)
{
    rd_kafka_t *handle = producer_open(conf);
    transaction(handle);
    int64_t before_us = main_threads_us();
    for (int i = 0; i < TRANSACTIONS; i++)
        transaction(handle);
    int64_t taken_us = main_threads_us() - before_us;
    rd_kafka_destroy(handle);
    return taken_us;
}

static void the_main_thread_sleeps_until_its_next_timer(void **state)
{
    (void)state;
    static struct kafka_link link;
    if (is_thread_sanitized || rd_kafka_version() >= VERSION_WITHOUT_SPIN || access("/proc/self/schedstat", R_OK) != 0) /* this kernel does not say how much it was */
        skip();
    int64_t of_itself_us = transactions_us(rd_kafka_conf_new());
    int64_t ours_us = transactions_us(kafka_conf_create(&(struct kafka_settings){.brokers = ""}, &link, "test"));
    print_message("of itself %lld us a transaction, ours %lld\n", (long long)of_itself_us / TRANSACTIONS, (long long)ours_us / TRANSACTIONS);
    assert_true(ours_us < of_itself_us * 2 / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_main_thread_sleeps_until_its_next_timer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
