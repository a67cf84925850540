#include "engine/kafka/kafka_broker.h"

#include "base/memory.h"

#include <stdlib.h>

void kafka_inbox_init(struct kafka_inbox *inbox)
{
    *inbox = (struct kafka_inbox){0};
    inbox->messages = memory_allocate(POLL_RECORDS_MAX * sizeof *inbox->messages);
    inbox->records = memory_allocate(POLL_RECORDS_MAX * sizeof *inbox->records);
    inbox->ends = memory_allocate(POLL_RECORDS_MAX * sizeof *inbox->ends);
}

void kafka_inbox_finish(struct kafka_inbox *inbox)
{
    inbox->stashed = 0;
    kafka_inbox_give_back(inbox);
    free(inbox->messages);
    free(inbox->records);
    free(inbox->ends);
    *inbox = (struct kafka_inbox){0};
}

void kafka_inbox_give_back(struct kafka_inbox *inbox)
{
    size_t done = inbox->held - inbox->stashed;
    for (size_t i = 0; i < done; i++)
        rd_kafka_message_destroy(inbox->messages[i]);
    memmove(inbox->messages, inbox->messages + done, inbox->stashed * sizeof(rd_kafka_message_t *));
    inbox->held = inbox->stashed;
}

void kafka_inbox_sort(struct kafka_inbox *inbox, struct kafka_link *link, struct view topic, struct broker_batch *batch)
{
    inbox->stashed = 0;
    for (size_t i = 0; i < inbox->held; i++) {
        const rd_kafka_message_t *message = inbox->messages[i];
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            inbox->records[batch->count++] = kafka_record_of(message, topic);
        else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            inbox->ends[batch->end_count++] = (struct broker_place){message->partition, message->offset};
        else
            kafka_message_is_record(link, message); /* says what is wrong */
    }
    batch->records = inbox->records;
    batch->ends = inbox->ends;
}
