/* Does anybody listen to ts:live:kpis? Tens of thousands of values a second are not sent for nobody: they are half of what Redis had to
 * read. Redis is asked right behind the EXEC of each batch with KPIs. If a batch was sent without them and somebody has come to listen before it was done, its
 * values are published afterwards: who subscribes and then looks misses nothing. */
#ifndef TS_SINKS_REDIS_LISTENERS_H
#define TS_SINKS_REDIS_LISTENERS_H

#include "sinks/redis/redis_link.h"

/* Adds the question: two commands, outside of a MULTI, where a refusal (an ACL without PUBSUB) would take the batch with it. */
void listeners_ask(struct resp *commands, const char *prefix);

/* `answers`: of those commands. A pattern might match the channel, and who is not told must suppose so. */
bool listeners_are_there(const struct redis_answer *answers);

#endif
