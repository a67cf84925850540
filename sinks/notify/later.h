/* What a receiver is told when it is time for it, not as it comes: waiting.h with its two logs, alerts and alerts.escalated, and a clock. */
#ifndef TS_SINKS_NOTIFY_LATER_H
#define TS_SINKS_NOTIFY_LATER_H

#include "sinks/notify/delivery.h"
#include "sinks/notify/told.h"
#include "sinks/notify/waiting.h"

/* Of one receiver's thread. */
struct later {
    const struct notify_config *config;
    const struct told_log *log;
    struct publisher *publisher; /* of what was told */
    struct delivery *delivery;
    struct waiting waiting;
    struct digest digest;
    struct bytes topic;  /* alerts.escalated, with prefix */
    bool knows_told;     /* that has been read */
    bool owes_digest;    /* there may be something to tell of a day that is over */
    bool is_lost;        /* a part of the logs could not be */
    int64_t old_until;   /* how far a partition has been read that was just assigned */
    struct arena arena;
    struct metric *escalated_total, *inhibited, *capped_total;
};

/* Borrows all it is given until later_finish. */
void later_init(struct later *later, const struct notify_config *config, const struct told_log *log, struct publisher *publisher,
                struct delivery *delivery);
void later_finish(struct later *later);

/* A partition of alerts has been assigned: reads all that has been said there, and first what was told. How far: the offset of what comes live. */
int64_t later_read_old(struct later *later, int32_t partition);

/* Something could not be read: false, once, and all is to be read again. To be asked before anything is taken. */
bool later_is_complete(struct later *later);

/* To another process, which may tell more before they come back. All of them go at once. */
void later_lose(struct later *later);

void later_takes(struct later *later, const struct alert *alert, struct view record);

/* Tells what is due. RETRY: not all of it, for now. */
enum outcome later_tell(struct later *later);

#endif
