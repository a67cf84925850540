/* What a receiver is told when it is time for it, and what it has been told: waiting.h with its two logs, alerts and alerts.escalated, and a clock. */
#ifndef TS_SINKS_NOTIFY_LATER_H
#define TS_SINKS_NOTIFY_LATER_H

#include "engine/follow.h"
#include "schemas/reader.h"
#include "sinks/notify/delivery.h"
#include "sinks/notify/waiting.h"

/* Where the log of alerts is read. */
struct alert_log {
    const char *topic; /* with prefix */
    struct record_reader *reader;
    int64_t since_ms;
    atomic_bool *stop;
};

/* Of one receiver's thread. */
struct later {
    const struct notify_config *config;
    struct alert_log log;
    struct publisher *publisher; /* of what was told */
    struct delivery *delivery;
    struct waiting waiting;
    struct digest digest;
    struct bytes topic;  /* alerts.escalated, with prefix */
    struct bytes live;   /* int64_t a partition: from this offset on it comes live; −1: not known */
    bool knows_told;     /* that has been read, */
    int64_t read_ms;     /* then, by the monotonic clock, */
    int64_t read_at_ms;  /* and by the wall's */
    bool has_begun;      /* and there has been a note of each that was told at once; before that version there was none */
    bool owes_beginning; /* that is to be written down */
    bool owes_digest;    /* there may be something to tell of a day that is over */
    bool owes_flush;     /* of notes */
    bool is_lost;        /* a part of the logs could not be */
    int64_t old_until;   /* how far a partition has been read that was just assigned */
    struct arena arena;
    struct metric *escalated_total, *repeated_total, *inhibited, *capped_total;
};

/* Borrows all it is given until later_finish. */
void later_init(struct later *later, const struct notify_config *config, struct alert_log log, struct publisher *publisher, struct delivery *delivery);
void later_finish(struct later *later);

/* A partition of alerts has been assigned. First: up to where it has been handled (engine/follow.h). Then: reads all that has been said there, and
 * before that what was told. How far: the offset of what comes live for a receiver that holds everything. */
void later_is_handled(struct later *later, int32_t partition, int64_t committed);
int64_t later_read_old(struct later *later, int32_t partition);

/* Something could not be read, or later_read_again, it was long ago that all was read, or the wall clock was set back since: false, once, and all is to be read again. To be asked before anything is taken. */
bool later_is_complete(struct later *later);
void later_read_again(struct later *later); /* what it rests on has changed */

/* To another process, which may tell more before they come back. All of them go at once. */
void later_lose(struct later *later);

/* One that has just come. true: it is to be told now, and then later_told to be said. */
bool later_takes(struct later *later, const struct alert *alert, struct view record);
void later_told(struct later *later, const struct alert *alert);

/* Tells what is due, and then all that was told is written down for good. RETRY: not all of it, for now. */
enum outcome later_tell(struct later *later);

#endif
