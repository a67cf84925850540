/* From a model's surprise to a frequency: how often does this series show something that odd?
 *
 * No model's tail fits every series. So the model's surprise (minus the logarithm of its tail probability) is put
 * against the surprises the series itself has shown: below a high quantile by its own frequency, above it by an
 * exponential fitted to the excesses, which is exact when the model is right (rate 1) and fits power-law tails too,
 * because a Student t's surprise grows with the logarithm of the distance. */
#ifndef TS_KPI_TREND_SURPRISE_H
#define TS_KPI_TREND_SURPRISE_H

struct surprise {
    double edge;        /* the quantile, in surprise */
    double excess;      /* mean excess over it */
    double rows, beyond;
};

void surprise_init(struct surprise *surprise);
/* The share of rows at least as surprising, in log10: 0 … about -300. */
double surprise_log10(const struct surprise *surprise, double value);
void surprise_learn(struct surprise *surprise, double value);

/* -ln of the two-sided tail probability of a Student t with this shape at z. */
double student_surprise(double z, double shape);

#endif
