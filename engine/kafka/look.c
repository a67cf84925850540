#include "engine/kafka/look.h"

#include "base/memory.h"
#include "engine/kafka/sasl.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOT_PERMITTED = 29 /* Kafka's code */ };

/* --- who is there */

static void look_init(struct look *look, const struct kafka_broker *self)
{
    const struct processor *processor = self->config->processor;
    const char *prefix = self->config->kafka->topic_prefix ? self->config->kafka->topic_prefix : "";
    memset(look, 0, sizeof *look);
    look->self = self;
    snprintf(look->names[look->name_count++], sizeof look->names[0], "%s%s", prefix, processor->checkpoint);
    for (size_t i = 0; processor->outputs[i] && i < OUTBOX_TOPICS_MAX; i++)
        snprintf(look->names[look->name_count++], sizeof look->names[0], "%s%s", prefix, processor->outputs[i]);
    snprintf(look->names[look->name_count++], sizeof look->names[0], "__consumer_offsets");
}

void look_finish(struct look *look)
{
    for (size_t i = 0; i < look->node_count; i++) {
        if (look->nodes[i].is_connected)
            protocol_close(&look->nodes[i].link);
    }
    free(look->places);
}

static void copy_text(char *to, size_t size, struct view text)
{
    snprintf(to, size, "%.*s", VIEW_ARGUMENTS(text));
}

static void node_read(struct look *look, struct protocol *link)
{
    struct node node = {.id = protocol_get_int32(link)};
    copy_text(node.host, sizeof node.host, protocol_get_text(link));
    snprintf(node.port, sizeof node.port, "%d", (int)protocol_get_int32(link) & 0xffff);
    protocol_get_text(link); /* its rack */
    if (look->node_count < LOOK_NODES_MAX)
        look->nodes[look->node_count++] = node;
}

static size_t name_find(const struct look *look, struct view name)
{
    size_t at = 0;
    while (at < look->name_count && !view_equal_text(name, look->names[at]))
        at++;
    return at;
}

static void pass_over_int32s(struct protocol *link)
{
    for (size_t left = protocol_get_count(link); left; left--)
        protocol_get_int32(link);
}

static void topic_read(struct look *look, struct protocol *link)
{
    protocol_get_int16(link); /* a topic that is not there has no partitions */
    size_t topic = name_find(look, protocol_get_text(link));
    protocol_get_int8(link);
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--) {
        protocol_get_int16(link);
        struct place place = {.topic = topic, .partition = protocol_get_int32(link)};
        place.leader = protocol_get_int32(link);
        pass_over_int32s(link);
        pass_over_int32s(link);
        look->is_incomplete |= place.leader < 0;
        look->places = memory_resize(look->places, (look->place_count + 1) * sizeof *look->places);
        look->places[look->place_count++] = place;
    }
}

static bool metadata_read(struct look *look, struct protocol *link)
{
    protocol_begin(link, PROTOCOL_METADATA, 4, false);
    protocol_put_count(link, look->name_count);
    for (size_t i = 0; i < look->name_count; i++)
        protocol_put_text(link, look->names[i]);
    protocol_put_int8(link, 0); /* make none */
    protocol_ask(link);
    protocol_get_int32(link);
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--)
        node_read(look, link);
    protocol_get_text(link);
    protocol_get_int32(link);
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--)
        topic_read(look, link);
    return !link->is_broken;
}

static bool ask_one(struct look *look, const char *broker)
{
    struct protocol link;
    bool is_found = sasl_connect_to(&link, look->self->config->kafka, broker) && metadata_read(look, &link);
    protocol_close(&link);
    return is_found;
}

bool look_begin(struct look *look, const struct kafka_broker *self)
{
    look_init(look, self);
    char *brokers = memory_copy_text(self->config->kafka->brokers), *rest = NULL;
    bool is_found = false;
    for (const char *one = strtok_r(brokers, ", ", &rest); one && !is_found; one = strtok_r(NULL, ", ", &rest))
        is_found = ask_one(look, one);
    free(brokers);
    return is_found;
}

struct protocol *look_link(const struct look *look, struct node *node)
{
    if (node->is_connected && node->link.is_broken) {
        protocol_close(&node->link);
        node->is_connected = false;
    }
    if (!node->is_connected)
        sasl_connect(&node->link, look->self->config->kafka, node->host, node->port);
    node->is_connected = true;
    return &node->link;
}

struct node *look_node(struct look *look, int32_t id)
{
    for (size_t i = 0; i < look->node_count; i++) {
        if (look->nodes[i].id == id)
            return &look->nodes[i];
    }
    return NULL;
}

/* --- what is open */

void open_list_add(struct open_list *list, struct open_place place)
{
    list->places = memory_resize(list->places, (list->count + 1) * sizeof *list->places);
    list->places[list->count++] = place;
}

static void producers_read(struct protocol *link, struct open_place place, struct open_list *list)
{
    for (size_t left = protocol_get_count(link); left && !link->is_broken; left--) {
        place.producer = protocol_get_int64(link);
        place.epoch = (int16_t)protocol_get_int32(link);
        protocol_get_int32(link); /* last sequence number */
        protocol_get_int64(link); /* last timestamp */
        place.coordinator_epoch = protocol_get_int32(link);
        place.start_offset = protocol_get_int64(link);
        protocol_get_tags(link);
        if (list && place.start_offset >= 0 && !link->is_broken)
            open_list_add(list, place);
    }
}

static void described_read(struct look *look, const struct node *node, struct protocol *link, struct open_list *list)
{
    protocol_get_int32(link);
    for (size_t topics = protocol_get_count(link); topics && !link->is_broken; topics--) {
        size_t topic = name_find(look, protocol_get_text(link));
        for (size_t left = protocol_get_count(link); left && !link->is_broken; left--) {
            int32_t partition = protocol_get_int32(link);
            int16_t error = protocol_get_int16(link);
            protocol_get_text(link);
            struct open_place place = {.topic = topic, .partition = partition, .leader = node->id};
            producers_read(link, place, topic < look->name_count ? list : NULL);
            protocol_get_tags(link);
            look->is_incomplete |= error != 0 && error != NOT_PERMITTED;
        }
        protocol_get_tags(link);
    }
    look->is_incomplete |= link->is_broken;
}

static size_t count_led_by(const struct look *look, const struct node *node, size_t topic)
{
    size_t count = 0;
    for (size_t i = 0; i < look->place_count; i++)
        count += look->places[i].leader == node->id && look->places[i].topic == topic;
    return count;
}

static void node_describe(struct look *look, struct node *node, struct open_list *list)
{
    size_t topics = 0;
    for (size_t topic = 0; topic < look->name_count; topic++)
        topics += count_led_by(look, node, topic) > 0;
    if (topics == 0)
        return;
    struct protocol *link = look_link(look, node);
    protocol_begin(link, PROTOCOL_DESCRIBE_PRODUCERS, 0, true);
    protocol_put_count(link, topics);
    for (size_t topic = 0; topic < look->name_count; topic++) {
        size_t count = count_led_by(look, node, topic);
        if (count == 0)
            continue;
        protocol_put_text(link, look->names[topic]);
        protocol_put_count(link, count);
        for (size_t i = 0; i < look->place_count; i++) {
            if (look->places[i].leader == node->id && look->places[i].topic == topic)
                protocol_put_int32(link, look->places[i].partition);
        }
        protocol_put_tags(link);
    }
    protocol_put_tags(link);
    protocol_ask(link);
    described_read(look, node, link, list);
}

struct open_list look_for_open(struct look *look)
{
    struct open_list list = {0};
    for (size_t i = 0; i < look->node_count; i++)
        node_describe(look, &look->nodes[i], &list);
    return list;
}
