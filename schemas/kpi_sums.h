/* What is added up for a KPI in one bucket of time: exact integers, so that order never matters and what was added can
 * be subtracted. What the fields mean for each kind of KPI: kpi_names.h. Contributions are made here and nowhere else. */
#ifndef TS_SCHEMAS_KPI_SUMS_H
#define TS_SCHEMAS_KPI_SUMS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 kpi_wide; /* a sum of squared ms outgrows 64 bits */
__extension__ typedef unsigned __int128 kpi_wide_bits;

struct kpi_sums {
    int64_t n, num, sum, immature;
    kpi_wide sum_squares;
};

#define KPI_SENTIMENT_SCALE 1000000000 /* a sentiment of 1.0, as an integer */

static inline void kpi_sums_add(struct kpi_sums *to, const struct kpi_sums *more, int64_t times)
{
    /* Modulo 2^64: should amounts ever outgrow it, what leaves the window again leaves it right. Staying at the end would not. */
    to->n = (int64_t)((uint64_t)to->n + (uint64_t)times * (uint64_t)more->n);
    to->num = (int64_t)((uint64_t)to->num + (uint64_t)times * (uint64_t)more->num);
    to->sum = (int64_t)((uint64_t)to->sum + (uint64_t)times * (uint64_t)more->sum);
    to->immature = (int64_t)((uint64_t)to->immature + (uint64_t)times * (uint64_t)more->immature);
    to->sum_squares = (kpi_wide)((kpi_wide_bits)to->sum_squares + (kpi_wide_bits)times * (kpi_wide_bits)more->sum_squares);
}

static inline bool kpi_sums_are_zero(const struct kpi_sums *sums)
{
    return sums->n == 0 && sums->num == 0 && sums->sum == 0 && sums->immature == 0 && sums->sum_squares == 0;
}

/* One item of a RATE; SHARE has the same form, but is never immature. */
static inline struct kpi_sums kpi_sums_of_rate(bool is_hit, bool is_immature)
{
    return (struct kpi_sums){.n = 1, .num = is_hit, .immature = is_immature};
}

static inline struct kpi_sums kpi_sums_of_nps(int score) /* 0–10 */
{
    return (struct kpi_sums){.n = 1, .num = score >= 9, .sum = score <= 6};
}

static inline struct kpi_sums kpi_sums_of_mean(int64_t score)
{
    return (struct kpi_sums){.n = 1, .sum = score, .sum_squares = (kpi_wide)score * score};
}

static inline struct kpi_sums kpi_sums_of_sentiment(double score) /* −1…1 */
{
    return kpi_sums_of_mean(llround(score * KPI_SENTIMENT_SCALE));
}

/* With it goes one item in bin kpi_duration_bin(duration_ms). */
static inline struct kpi_sums kpi_sums_of_duration(int64_t duration_ms)
{
    return kpi_sums_of_mean(duration_ms);
}

static inline struct kpi_sums kpi_sums_of_count(void)
{
    return (struct kpi_sums){.n = 1};
}

static inline struct kpi_sums kpi_sums_of_sum(int64_t amount)
{
    return (struct kpi_sums){.n = 1, .sum = amount};
}

static inline struct kpi_sums kpi_sums_of_uplift(bool is_exposed, bool is_hit)
{
    return (struct kpi_sums){.n = 1, .num = is_exposed && is_hit, .sum = !is_exposed && is_hit, .immature = is_exposed};
}

/* The bin of a duration in a histogram of 1 % relative width. Bin 0: 0 ms (and less); bin i covers
 * [kpi_duration_bin_start(i), kpi_duration_bin_start(i + 1)). Below about 100 ms, where a ms is wider than 1 %, each ms has its own. */
enum { KPI_DURATION_BINS = 2800 };
int kpi_duration_bin(int64_t duration_ms);
int64_t kpi_duration_bin_start(int bin);

#endif
