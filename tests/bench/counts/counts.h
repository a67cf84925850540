/* Parts of bench-counts; see stages.c. Each does its work and says how often it called what is counted. */
#ifndef TS_TESTS_BENCH_COUNTS_H
#define TS_TESTS_BENCH_COUNTS_H

#include <stddef.h>

#define COUNTED __attribute__((noinline))

size_t counts_of_buckets(void);
size_t counts_of_detector(void);

#endif
