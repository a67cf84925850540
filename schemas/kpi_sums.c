#include "schemas/kpi_sums.h"

#include <pthread.h>

/* The starts follow from one rule in integers, so that every machine has the same bins: each is 1 % above the one before,
 * rounded down, and at least 1 ms above. The last start is beyond 100 years; what is longer is in the last bin. */
static int64_t starts[KPI_DURATION_BINS];
static pthread_once_t starts_once = PTHREAD_ONCE_INIT;

static void starts_compute(void)
{
    for (int bin = 1; bin < KPI_DURATION_BINS; bin++) {
        int64_t start = starts[bin - 1], wider = start + start / 100;
        starts[bin] = wider > start ? wider : start + 1;
    }
}

int kpi_duration_bin(int64_t duration_ms)
{
    pthread_once(&starts_once, starts_compute);
    int low = 0, high = KPI_DURATION_BINS; /* the answer is in [low, high) */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (starts[middle] <= duration_ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t kpi_duration_bin_start(int bin)
{
    pthread_once(&starts_once, starts_compute);
    return starts[bin < 0 ? 0 : bin >= KPI_DURATION_BINS ? KPI_DURATION_BINS - 1 : bin];
}
