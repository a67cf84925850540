/* Two processes of one name. Names are meant to be unique in a group (engine.instance), and stable, for then whoever comes back fences
 * what its former life left open. Where two live processes have the same, each fences the other for ever, and all that Kafka says
 * is «fenced». Once is no proof: a machine that stood still for longer than its transaction is fenced, too. Twice within a minute is, unless
 * Kafka itself was away, or stood still: it ends transactions and memberships when it comes back. */
#ifndef TS_ENGINE_KAFKA_RIVALRY_H
#define TS_ENGINE_KAFKA_RIVALRY_H

#include <stdbool.h>
#include <stdint.h>

/* Of one worker, through all of its lives; zeroed at first. Used by its thread alone. */
struct rivalry {
    const char *instance; /* engine.instance */
    int fenced_count;     /* within a minute of each other */
    int64_t fenced_at_us; /* the last time */
    int64_t told_at_us;   /* 0: not told */
    int64_t unheard_at_us; /* when a broker last was away, or did not answer in time; 0: never */
};

/* Kafka has fenced us, who have that name there (a transactional id, or a member's). Says what that means when it goes on, and again every ten minutes. */
void rivalry_note(struct rivalry *rivalry, const char *worker, const char *name);

/* A broker was away, or did not answer, at that time of the monotonic clock (0: never): what is fenced within a minute of it is no
 * rival's doing. */
void rivalry_excuse(struct rivalry *rivalry, int64_t unheard_at_us);

/* Is somebody else at work under our name? */
bool rivalry_is_on(const struct rivalry *rivalry);

#endif
