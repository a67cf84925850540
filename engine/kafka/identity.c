#include "engine/kafka/identity.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/signature.h"
#include "base/thread.h"
#include "engine/farewell.h"
#include "engine/kafka/sasl.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVERY_MS = 1000, FAILING_MOST_MS = 60000, ASK_WAIT_MS = 100, FAREWELL_MS = 1000, ID_BYTES = 16, METADATA_VERSION = 10 };

struct identity {
    const struct kafka_settings *kafka;
    char *topics[ORIGINS];
    struct protocol link; /* the thread's */
    int64_t pause_ms;     /* likewise */
    atomic_bool is_ending;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct broker_ids ids;
    int64_t begun, done, wanted; /* looks, counted; up to which one somebody waits for */
};

/* --- asking a broker */

/* As Kafka's tools write it: base64 of the kind for addresses, without padding. All zeros: none. */
static void id_write(const char bytes[ID_BYTES], char id[BROKER_ID_SIZE])
{
    static const char none[ID_BYTES];
    struct bytes text = {0};
    id[0] = '\0';
    if (memcmp(bytes, none, ID_BYTES) != 0) {
        signature_append_base64(&text, view_of(bytes, ID_BYTES));
        snprintf(id, BROKER_ID_SIZE, "%.22s", bytes_text(&text));
    }
    for (char *at = id; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    bytes_finish(&text);
}

static void metadata_ask(struct protocol *link, char *const topics[ORIGINS])
{
    protocol_begin(link, PROTOCOL_METADATA, METADATA_VERSION, true);
    protocol_put_count(link, ORIGINS);
    for (int origin = 0; origin < ORIGINS; origin++) {
        protocol_put_int64(link, 0); /* by its name, not its id */
        protocol_put_int64(link, 0);
        protocol_put_text(link, topics[origin]);
        protocol_put_tags(link);
    }
    protocol_put_int8(link, 0); /* make none; nor tell who may do what */
    protocol_put_int8(link, 0);
    protocol_put_int8(link, 0);
    protocol_put_tags(link);
    protocol_ask(link);
}

static void pass_over_brokers(struct protocol *link)
{
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--) {
        protocol_get_int32(link);
        protocol_get_text(link);
        protocol_get_int32(link);
        protocol_get_text(link);
        protocol_get_tags(link);
    }
}

static void pass_over_numbers(struct protocol *link)
{
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--)
        protocol_get_int32(link);
}

static void pass_over_partitions(struct protocol *link)
{
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--) {
        protocol_get_int16(link);
        for (int i = 0; i < 3; i++) /* its number, its leader, since which epoch */
            protocol_get_int32(link);
        for (int i = 0; i < 3; i++) /* replicas, in sync, offline */
            pass_over_numbers(link);
        protocol_get_tags(link);
    }
}

/* They come in any order. */
static void id_take(struct protocol *link, char *const topics[ORIGINS], struct broker_ids *ids)
{
    char bytes[ID_BYTES];
    protocol_get_int16(link); /* a topic that is not there has no id */
    struct view name = protocol_get_text(link);
    for (size_t i = 0; i < ID_BYTES; i++)
        bytes[i] = protocol_get_int8(link);
    protocol_get_int8(link);
    pass_over_partitions(link);
    protocol_get_int32(link);
    protocol_get_tags(link);
    for (int origin = 0; origin < ORIGINS && !link->is_broken; origin++) {
        if (view_equal_text(name, topics[origin]))
            id_write(bytes, ids->of[origin]);
    }
}

static bool look_at(struct protocol *link, char *const topics[ORIGINS], struct broker_ids *ids)
{
    struct broker_ids found = {0};
    metadata_ask(link, topics);
    protocol_get_int32(link);
    pass_over_brokers(link);
    protocol_get_text(link);
    protocol_get_int32(link);
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--)
        id_take(link, topics, &found);
    if (!link->is_broken)
        *ids = found;
    return !link->is_broken;
}

/* The broker that answered last, or the first of all that does. false: none. */
static bool look(struct identity *identity, struct broker_ids *ids)
{
    struct protocol *link = &identity->link;
    if (look_at(link, identity->topics, ids))
        return true;
    char *brokers = memory_copy_text(identity->kafka->brokers), *rest = NULL;
    bool is_found = false;
    for (const char *one = strtok_r(brokers, ", ", &rest); one && !is_found && !atomic_load(&identity->is_ending); one = strtok_r(NULL, ", ", &rest)) {
        protocol_close(link);
        is_found = sasl_connect_to(link, identity->kafka, one) && look_at(link, identity->topics, ids);
    }
    free(brokers);
    return is_found;
}

/* --- the thread */

/* Whom no broker answers (it may be older, or trust librdkafka's certificates only) asks ever more seldom, for each try may leave a line in the log. */
static void look_once(struct identity *identity)
{
    struct broker_ids ids = {0};
    pthread_mutex_lock(&identity->lock);
    int64_t number = ++identity->begun;
    pthread_mutex_unlock(&identity->lock);
    bool is_found = look(identity, &ids);
    int64_t longer_ms = identity->pause_ms * 2 < FAILING_MOST_MS ? identity->pause_ms * 2 : FAILING_MOST_MS;
    identity->pause_ms = is_found ? EVERY_MS : longer_ms;
    pthread_mutex_lock(&identity->lock);
    identity->ids = ids;
    identity->done = number;
    pthread_cond_broadcast(&identity->changed);
    pthread_mutex_unlock(&identity->lock);
}

static void pause_for(struct identity *identity, int64_t ms)
{
    int64_t until_us = clock_monotonic_us() + ms * 1000;
    pthread_mutex_lock(&identity->lock);
    while (!atomic_load(&identity->is_ending) && identity->wanted <= identity->begun && thread_wait(&identity->changed, &identity->lock, until_us))
        ;
    pthread_mutex_unlock(&identity->lock);
}

static void *run(void *argument)
{
    struct identity *identity = argument;
    while (!atomic_load(&identity->is_ending)) {
        look_once(identity);
        pause_for(identity, identity->pause_ms);
    }
    protocol_close(&identity->link);
    return NULL;
}

struct identity *identity_create(const struct kafka_settings *kafka, const char *const topics[ORIGINS])
{
    struct identity *identity = memory_zeroed(1, sizeof *identity);
    identity->kafka = kafka;
    for (int origin = 0; origin < ORIGINS; origin++)
        identity->topics[origin] = memory_copy_text(topics[origin]);
    identity->pause_ms = EVERY_MS;
    identity->link = (struct protocol){.channel.socket = -1, .is_broken = true};
    pthread_mutex_init(&identity->lock, NULL);
    thread_condition_init(&identity->changed);
    if (!sasl_is_foreign(kafka))
        thread_start(&identity->thread, run, identity);
    return identity;
}

static void end(void *argument)
{
    struct identity *identity = argument;
    pthread_join(identity->thread, NULL);
}

void identity_destroy(struct identity *identity)
{
    if (identity == NULL)
        return;
    pthread_mutex_lock(&identity->lock);
    atomic_store(&identity->is_ending, true);
    pthread_cond_broadcast(&identity->changed);
    pthread_mutex_unlock(&identity->lock);
    if (!sasl_is_foreign(identity->kafka) && !farewell(end, identity, NULL, NULL, FAREWELL_MS))
        return; /* it waits for an answer, and looks at us when that has come */
    pthread_cond_destroy(&identity->changed);
    pthread_mutex_destroy(&identity->lock);
    for (int origin = 0; origin < ORIGINS; origin++)
        free(identity->topics[origin]);
    free(identity);
}

/* --- who wants to know */

void identity_read(struct identity *identity, struct broker_ids *ids)
{
    pthread_mutex_lock(&identity->lock);
    *ids = identity->ids;
    pthread_mutex_unlock(&identity->lock);
}

enum outcome identity_ask(struct identity *identity, int64_t *ticket, struct broker_ids *ids)
{
    *ids = (struct broker_ids){0};
    if (sasl_is_foreign(identity->kafka))
        return OUTCOME_OK;
    int64_t until_us = clock_monotonic_us() + (int64_t)ASK_WAIT_MS * 1000;
    pthread_mutex_lock(&identity->lock);
    if (*ticket == 0) {
        *ticket = identity->begun + 1;
        identity->wanted = *ticket > identity->wanted ? *ticket : identity->wanted;
        pthread_cond_broadcast(&identity->changed);
    }
    while (identity->done < *ticket && thread_wait(&identity->changed, &identity->lock, until_us))
        ;
    bool is_answered = identity->done >= *ticket;
    if (is_answered) {
        *ids = identity->ids;
        *ticket = 0;
    }
    pthread_mutex_unlock(&identity->lock);
    return is_answered ? OUTCOME_OK : OUTCOME_RETRY;
}
