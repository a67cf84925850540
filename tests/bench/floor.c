/* The floor under every stream processor on librdkafka: what it costs to read a topic, and to read it and write each record
 * again in transactions that carry the offsets. Whatever a processor does comes on top.
 *
 *     bench-floor BROKERS TOPIC                       consume only
 *     bench-floor BROKERS TOPIC OUTPUT COMMIT_MS      and produce, exactly once
 *
 * Ends at the topic's end. Prints one JSON line: events, bytes, wall and CPU seconds, peak memory. */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 10000 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-floor: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *handle_of(rd_kafka_type_t type, const char *const *settings)
{
    char error[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (; *settings; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], error, sizeof error) != RD_KAFKA_CONF_OK)
            die(settings[0], error);
    }
    rd_kafka_t *handle = rd_kafka_new(type, conf, error, sizeof error);
    if (handle == NULL)
        die("rd_kafka_new", error);
    return handle;
}

static void check(rd_kafka_error_t *error, const char *what)
{
    if (error)
        die(what, rd_kafka_error_string(error));
}

static int partitions_of(rd_kafka_t *handle, const char *topic)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *object = rd_kafka_topic_new(handle, topic, NULL);
    if (rd_kafka_metadata(handle, 0, object, &metadata, 10000))
        die(topic, "no metadata");
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(object);
    return count;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* In MB. Not from getrusage: that says what the process was before it became this program, if it was more. */
static double peak_memory(void)
{
    char line[256];
    long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1)
            break;
    }
    if (status)
        fclose(status);
    return (double)kilobytes / 1024;
}

struct floor {
    rd_kafka_t *consumer, *producer;
    rd_kafka_topic_t *output;
    rd_kafka_topic_partition_list_t *places;
    double commit_s, committed_at;
    int64_t events, bytes; /* of keys and values */
};

static void commit(struct floor *floor)
{
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(floor->consumer);
    check(rd_kafka_send_offsets_to_transaction(floor->producer, floor->places, group, 30000), "send offsets");
    rd_kafka_consumer_group_metadata_destroy(group);
    check(rd_kafka_commit_transaction(floor->producer, 30000), "commit");
    check(rd_kafka_begin_transaction(floor->producer), "begin");
    floor->committed_at = seconds_now();
}

static void pass_on(struct floor *floor, const rd_kafka_message_t *message)
{
    while (rd_kafka_produce(floor->output, message->partition, RD_KAFKA_MSG_F_COPY, message->payload, message->len,
                            message->key, message->key_len, NULL) == -1)
        rd_kafka_poll(floor->producer, 10); /* its queue is full */
}

/* Partitions whose end was seen. */
static int take(struct floor *floor, rd_kafka_message_t *message)
{
    int is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (!message->err) {
        floor->events++;
        floor->bytes += (int64_t)(message->key_len + message->len);
        if (floor->producer) {
            pass_on(floor, message);
            floor->places->elems[message->partition].offset = message->offset + 1;
        }
    }
    rd_kafka_message_destroy(message);
    return is_end;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5)
        die("usage", "bench-floor BROKERS TOPIC [OUTPUT COMMIT_MS]");
    char name[64];
    snprintf(name, sizeof name, "bench-floor-%ld", (long)getpid());
    struct floor floor = {0};
    floor.consumer = handle_of(RD_KAFKA_CONSUMER, (const char *const[]){"bootstrap.servers", argv[1], "group.id", name,
        "enable.auto.commit", "false", "enable.partition.eof", "true", "isolation.level", "read_committed",
        "queued.min.messages", "200000", NULL});
    rd_kafka_poll_set_consumer(floor.consumer);
    int count = partitions_of(floor.consumer, argv[2]), ended = 0;
    floor.places = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(floor.places, argv[2], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(floor.consumer, floor.places);
    if (argc == 5) {
        floor.commit_s = atof(argv[4]) / 1000;
        floor.producer = handle_of(RD_KAFKA_PRODUCER, (const char *const[]){"bootstrap.servers", argv[1],
            "transactional.id", name, "compression.codec", "lz4", "linger.ms", "5", "batch.num.messages", "10000",
            "queue.buffering.max.messages", "1000000", NULL});
        floor.output = rd_kafka_topic_new(floor.producer, argv[3], NULL);
        check(rd_kafka_init_transactions(floor.producer, 30000), "init transactions");
        check(rd_kafka_begin_transaction(floor.producer), "begin");
        for (int i = 0; i < count; i++)
            floor.places->elems[i].offset = 0;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(floor.consumer);
    static rd_kafka_message_t *messages[BATCH];
    double began_at = floor.committed_at = seconds_now();
    while (ended < count) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, floor.producer ? 20 : 100, messages, BATCH);
        for (ssize_t i = 0; i < got; i++)
            ended += take(&floor, messages[i]);
        if (floor.producer)
            rd_kafka_poll(floor.producer, 0);
        if (floor.producer && (ended == count || seconds_now() - floor.committed_at >= floor.commit_s))
            commit(&floor);
    }
    double wall_s = seconds_now() - began_at;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"events\": %lld, \"bytes\": %lld, \"wall_s\": %.3f, \"cpu_s\": %.3f, \"peak_mb\": %.1f}\n", (long long)floor.events,
           (long long)floor.bytes, wall_s, cpu_s, peak_memory());
    fflush(stdout);
    _exit(0); /* what librdkafka tears down is not part of the floor */
}
