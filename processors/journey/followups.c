#include "processors/journey/turn.h"
void followups_review(struct turn *turn) { (void)turn; }
int64_t followups_next_ms(struct turn *turn) { (void)turn; return NEVER_MS; }
