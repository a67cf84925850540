/* The silences in force: those of the configuration, and those of the file `notify.silences_file`, which is read again when it has changed.
 *
 * Read as a whole and checked before any of it is taken: what is wrong leaves the ones before in force, and is told once, with its line. */
#ifndef TS_NOTIFY_SILENCE_WATCH_H
#define TS_NOTIFY_SILENCE_WATCH_H

#include "sinks/notify/receivers.h"
#include "sinks/notify/silences.h"

#include <stdatomic.h>

/* How a file looked; zero: it was not there. */
struct file_stamp {
    int64_t changed_ns, size;
    uint64_t inode;
};

struct silence_watch {
    const struct notify_settings *settings;
    _Atomic(const struct silences *) now;
    struct silence_edition *editions; /* the newest first; kept to the end, for whoever still has an older one */
    struct file_stamp taken, seen;
    int64_t said_ms;                  /* up to then the log has what begins and ends */
};

/* false: `error` is a complete line for the user. */
bool silence_watch_init(struct silence_watch *watch, const struct notify_settings *settings, struct bytes *error);
void silence_watch_finish(struct silence_watch *watch);

/* Those to go by. Any thread; valid until silence_watch_finish. */
const struct silences *silence_watch_now(struct silence_watch *watch);

/* To be called several times a second, by one thread. A change is taken when it has stood until the next call: who writes may not be done. */
void silence_watch_look(struct silence_watch *watch, int64_t now_ms);
bool silence_watch_has_work(const struct silence_watch *watch); /* false: it need not be called */

#endif
