// sizing: how many partitions and how much memory for so much data: the base formulas, and what the
// numbers of a run ask for beyond them. Pure arithmetic on plain numbers: used by the advisors,
// which know the run, and by `stoker advise`, which may know nothing but a size. Must never look at
// a run.
//
// GiB are meant wherever the formulas say GB. Memory is in MiB, as Spark counts it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SIZING_GIB 1073741824.0
enum {
    SIZING_PARTITION_BYTES = 128 << 20,
    SIZING_PARTITIONS_MAX = 1000,
    SIZING_OVERHEAD_LEAST_MIB = 384, // Spark's own minimum
    SIZING_RESERVED_MIB = 300,       // of a heap, that Spark keeps for itself
    // Above it collecting garbage takes long: Spark's documents ask for more executors instead.
    SIZING_HEAP_MOST_MIB = 64 << 10,
    SIZING_SALTS = 10, // buckets that a hot key is spread over
};

// Wall time of a repartition: its rows are written by so many tasks at once, and read by so many. A
// microsecond for each row and side: 1.5 million rows of a packed file took 2.8 s of task time more
// where they were moved, 3 million bare numbers 3 s, on cores of 2025. 0 if a number is not known.
double sizing_moving_s(double rows, double writers, double readers);

// So many partitions for so many bytes: one for every 128 MiB, 1 to 1000.
int64_t sizing_partitions(double bytes);
// True if what there is differs from the target by more than a fifth of it.
bool sizing_differs(double now, double target);

struct sizing_memory {
    int64_t executor_mib, driver_mib, overhead_mib;
};
// The base formula: base = max(4, 0.1 x GiB of data) GiB, of which the executor's heap gets the
// whole GiB, the driver's those of half, the overhead those of a tenth, at least 384 MiB.
struct sizing_memory sizing_memory(double data_bytes);

// Memory that Spark gives the tasks of an executor with such a heap, bytes: what is left beside its
// reserve, times spark.memory.fraction.
double sizing_unified_bytes(int64_t heap_mib, double fraction);
// The smallest heap, in whole GiB, whose tasks have that much memory together.
int64_t sizing_heap_mib(double unified_bytes, double fraction);
// What Spark adds to a heap for the rest of the process if nobody says how much: a share of it, at
// least `least_mib`.
int64_t sizing_overhead_mib(int64_t heap_mib, double factor, int64_t least_mib);
