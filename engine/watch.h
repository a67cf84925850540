/* The watch of last resort: does anything move?
 *
 * A partition in our care always moves: records come, or it is at its end and gets a tick a second, which comes back as a record. One
 * that does not, for longer than a dead worker's transaction may hide records from readers, stands still for a reason that we do not
 * know; then the worker begins anew with new handles. That costs a recovery, which is why a long outage of Kafka may trigger it too:
 * beginning anew means waiting for Kafka.
 *
 * Counted in looks, one a second, not by the clock: a process that was stopped, or a machine that slept, has not looked. */
#ifndef TS_ENGINE_WATCH_H
#define TS_ENGINE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct worker;

struct watch {
    int64_t looked_at_ms;
    int64_t loaded, loaded_seen; /* records and ends of checkpoint partitions */
    bool has_moved;              /* in this life of the worker */
    bool is_stuck;               /* said so */
};

/* true: some partition has stood still for too long (logged). Worker's thread; cheap when called more often than once a second. */
bool watch_is_stuck(struct worker *worker, int64_t now_ms);

#endif
