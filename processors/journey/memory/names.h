/* Names that a customer's memory mentions: numbers of the task's dimensions. Tuples are of sums/dimensions.h, and so are topic sets. */
#ifndef TS_JOURNEY_NAMES_H
#define TS_JOURNEY_NAMES_H

#include <stdint.h>

enum name_kind { NAME_TUPLE, NAME_TEAM, NAME_SEGMENT, NAME_CURRENCY, NAME_CAMPAIGN, NAME_TOPIC_SET, NAME_KIND_COUNT };

struct packed_name {
    uint32_t number;
    uint8_t kind;
};

/* What a customer keeps for all (keeping.h) stands behind what they mention, and behind a name that nobody mentions. */
#define NAME_KEPT_BEGIN ((struct packed_name){.number = 0, .kind = NAME_TOPIC_SET})

#endif
