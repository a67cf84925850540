#include "schemas/kpi_sums.h"

#include <pthread.h>

/* The starts follow from one rule in integers, so that every machine has the same bins: each is 1 % above the one before,
 * rounded down, and at least 1 ms above. The last start is beyond 100 years; what is longer is in the last bin. */
static int64_t starts[KPI_DURATION_BINS];

/* Where to look from: the last bin that begins with smaller leading bits. From one such lead to the next are six or seven bins. */
enum { LEADING_BITS = 5, LEADS = 64 << (LEADING_BITS - 1) };
static int16_t first_bins[LEADS];
static pthread_once_t starts_once = PTHREAD_ONCE_INIT;

/* The exponent and the leading bits, as one number that grows with the duration. */
static int lead_of(int64_t duration_ms)
{
    if (duration_ms < 1 << (LEADING_BITS - 1))
        return duration_ms < 0 ? 0 : (int)duration_ms;
    int shift = 63 - __builtin_clzll((unsigned long long)duration_ms) - (LEADING_BITS - 1);
    return (shift + 1) << (LEADING_BITS - 1) | (int)(duration_ms >> shift & ((1 << (LEADING_BITS - 1)) - 1));
}

static void starts_compute(void)
{
    for (int bin = 1; bin < KPI_DURATION_BINS; bin++) {
        int64_t start = starts[bin - 1], wider = start + start / 100;
        starts[bin] = wider > start ? wider : start + 1;
    }
    for (int lead = 0, bin = 0; lead < LEADS; lead++) {
        while (bin + 1 < KPI_DURATION_BINS && lead_of(starts[bin + 1]) < lead)
            bin++;
        first_bins[lead] = (int16_t)bin;
    }
}

int kpi_duration_bin(int64_t duration_ms)
{
    pthread_once(&starts_once, starts_compute);
    int bin = first_bins[lead_of(duration_ms)];
    while (bin + 1 < KPI_DURATION_BINS && starts[bin + 1] <= duration_ms)
        bin++;
    return bin;
}

int64_t kpi_duration_bin_start(int bin)
{
    pthread_once(&starts_once, starts_compute);
    return starts[bin < 0 ? 0 : bin >= KPI_DURATION_BINS ? KPI_DURATION_BINS - 1 : bin];
}
