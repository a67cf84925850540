/* 95 % intervals, from exact integers. Formulas, all with z = 1.959963984540054:
 *
 *   rate        Wilson's score interval (1927)
 *   NPS         adjusted: 3/4 promoter and 3/4 detractor added, n + 3, then Wald (after Rocks, The American Statistician 2016);
 *               clamped to ±100
 *   mean        Student's t
 *   difference  of two rates: Newcombe's hybrid score interval (Statistics in Medicine 1998, method 10)
 *   median      order statistics of ranks ceil(n/2 ∓ z √n / 2), clamped to 1…n
 *
 * Pure functions, any thread. */
#ifndef TS_KPI_INTERVALS_H
#define TS_KPI_INTERVALS_H

#include "schemas/kpi_sums.h"

struct interval {
    bool exists; /* false: too little is known; low and high mean nothing then */
    double low, high;
};

struct interval interval_of_rate(int64_t hits, int64_t n);
struct interval interval_of_nps(int64_t promoters, int64_t detractors, int64_t n);
struct interval interval_of_mean(int64_t n, int64_t sum, kpi_wide sum_squares); /* n ≥ 2; in the unit of the sum */
struct interval interval_of_difference(int64_t hits, int64_t n, int64_t other_hits, int64_t other_n);

/* Sampling variance of the mean, s²/n; 0 for n < 2. */
double variance_of_mean(int64_t n, int64_t sum, kpi_wide sum_squares);

void median_ranks(int64_t n, int64_t *low, int64_t *high);

/* The 97.5 % quantile of Student's t with a whole number of degrees of freedom ≥ 1, to 1e-11. */
double student_t(int64_t freedom);

#endif
