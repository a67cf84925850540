/* The shifts that stand, as lines of a frame. */
#ifndef TS_SINKS_TOP_SHIFTS_H
#define TS_SINKS_TOP_SHIFTS_H

#include "sinks/top/frame.h"

/* The newest, `most` of them. RETRY: Redis is away. */
enum outcome frame_add_shifts(struct frame *frame, struct redis_link *link, const struct frame_wish *wish, int most, struct arena *arena);

#endif
