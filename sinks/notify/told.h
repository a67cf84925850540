/* What a receiver has been told: of each alert the last state and severity, for only a change of these is news. One thread.
 *
 * The log of alerts is the memory: what stands before the first record that a process is handed was told by the one before it, and is
 * read again, so that neither a restart nor another process's share tells everybody everything once more. */
#ifndef TS_NOTIFY_TOLD_H
#define TS_NOTIFY_TOLD_H

#include "base/map.h"
#include "engine/follow.h"
#include "schemas/reader.h"
#include "sinks/notify/receivers.h"

struct told {
    const struct receiver *receiver;
    struct map alerts;       /* alert id → state and severity last told, as a number */
    struct bytes is_recalled; /* a byte a partition */
};

void told_finish(struct told *told);

/* Is this alert for this receiver, at once (receiver_holds), and news? Then it counts as told. */
bool told_takes(struct told *told, const struct alert *alert);
void told_takes_back(struct told *told, const struct alert *alert); /* it could not be told after all */

/* Where the log of alerts is read. */
struct told_log {
    const char *topic; /* with prefix */
    const struct kafka_settings *kafka;
    struct record_reader *reader;
    int64_t since_ms; /* what was silent for longer has expired */
    atomic_bool *stop;
};

/* To be asked before each record, and does something at the first of a partition. RETRY: what was told is not known yet. */
enum outcome told_recall(struct told *told, const struct told_log *log, const struct record *first);
void told_lose(struct told *told, int32_t partition); /* to another process, which may tell more before it comes back */

#endif
