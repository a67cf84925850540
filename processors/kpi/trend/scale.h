/* Scales on which noise is even. A count's noise grows with the count, a duration's with the duration, and a share's shrinks towards nothing
 * and all (stars and NPS are shares of their range): taken as they are, such rows reach further to one side, and more of them look odd than chance has
 * it. So a detector looks at the root of a count, the logarithm of a duration, the arc sine of a share's root, and what it finds is said in the KPI's own unit.
 *
 *     ROOT   2 √(x + 3/8), of variance 1 if x is a Poisson count        SHARE  asin √((n x + 3/8) / (n + 3/4)), of variance 1/(4 n + 2)
 *     LOG    ln (x + 1000), for ms: what is below a second is alike
 *
 * Source: F. J. Anscombe, "The transformation of Poisson, binomial and negative-binomial data", Biometrika 35 (1948). Pure functions, any thread. */
#ifndef TS_KPI_TREND_SCALE_H
#define TS_KPI_TREND_SCALE_H

enum trend_scale { TREND_LINEAR, TREND_ROOT, TREND_LOG, TREND_SHARE };

/* `n`: the sample size behind the value, of which only a SHARE asks. What lies outside the domain is taken for its nearest end. */
double scale_in(enum trend_scale scale, double value, double n);
/* Back, as a quantile goes back. */
double scale_out(enum trend_scale scale, double level);
/* Back, as a mean goes back: that of values which lie about `level` on the scale with this variance. By scale_out alone it would be a little low (for a
 * count a quarter). `per_item`: of a SHARE 1/n, on average. */
double scale_mean(enum trend_scale scale, double level, double variance, double per_item);
/* By how much the value moves for each unit of the scale, at a level of the scale. */
double scale_slope(enum trend_scale scale, double level);

#endif
