#include "ingest/generate/zipf.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

void zipf_init(struct zipf *zipf, uint32_t count, double exponent)
{
    *zipf = (struct zipf){.count = count,
                          .keep = memory_allocate(count * sizeof *zipf->keep),
                          .other = memory_zeroed(count, sizeof *zipf->other)};
    double *weight = memory_allocate(count * sizeof *weight), total = 0;
    uint32_t *poor = memory_allocate(count * sizeof *poor), *rich = memory_allocate(count * sizeof *rich);
    uint32_t poor_count = 0, rich_count = 0;
    for (uint32_t i = 0; i < count; i++)
        total += weight[i] = pow((double)i + 1, -exponent);
    for (uint32_t i = 0; i < count; i++) {
        weight[i] *= count / total;
        if (weight[i] < 1)
            poor[poor_count++] = i;
        else
            rich[rich_count++] = i;
    }
    while (poor_count && rich_count) { /* a rich number fills what a poor one leaves of its column */
        uint32_t taker = poor[--poor_count], giver = rich[rich_count - 1];
        zipf->keep[taker] = (float)weight[taker];
        zipf->other[taker] = giver;
        weight[giver] -= 1 - weight[taker];
        if (weight[giver] < 1) {
            rich_count--;
            poor[poor_count++] = giver;
        }
    }
    while (poor_count)
        zipf->keep[poor[--poor_count]] = 1;
    while (rich_count)
        zipf->keep[rich[--rich_count]] = 1;
    free(weight);
    free(poor);
    free(rich);
}

void zipf_finish(struct zipf *zipf)
{
    free(zipf->keep);
    free(zipf->other);
}
