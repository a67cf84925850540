/* A customer to packed bytes and back (packing.h): the body, part by part. */
#ifndef TS_JOURNEY_CUSTOMER_PACK_H
#define TS_JOURNEY_CUSTOMER_PACK_H

#include "processors/journey/care/care.h"
#include "processors/journey/memory/customer.h"
#include "processors/journey/memory/packing.h"

void customer_pack(struct packing *packing, const struct customer *customer, struct bytes *out);

/* Into one that is all zero. false: damaged; what it holds then is to be destroyed all the same. */
bool customer_unpack(struct packing *packing, struct view bytes, struct customer *customer);

/* orders_pack.c: as many as customer->order_count says, and the cohort. */
void orders_pack(struct packing *packing, const struct customer *customer);
void orders_unpack(struct packing *packing, struct customer *customer, bool has_cohort);

/* seldom_pack.c */
void seldom_pack(struct packing *packing, const struct seldom *seldom);
void seldom_unpack(struct packing *packing, struct seldom *seldom);

/* care_pack.c */
void care_pack(struct packing *packing, const struct care *care);
void care_unpack(struct packing *packing, struct care *care);

/* A stage in four bits, NO_STAGE included. */
static inline unsigned packed_stage(uint8_t stage)
{
    return stage & 15;
}

static inline uint8_t unpacked_stage(unsigned bits)
{
    return (bits & 15) == 15 ? NO_STAGE : bits & 15;
}

#endif
