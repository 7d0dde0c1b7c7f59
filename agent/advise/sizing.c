// sizing: see the header; this is the arithmetic.
#include "advise/sizing.h"

#include <math.h>

enum { MIB_PER_GIB = 1024, GIB_MOST = 1 << 24 };
#define MIB 1048576.0

int64_t sizing_partitions(double bytes) {
    double count = floor(fmax(bytes, 0) / SIZING_PARTITION_BYTES);
    return (int64_t)fmin(SIZING_PARTITIONS_MAX, fmax(1, count));
}

bool sizing_differs(double now, double target) {
    return fabs(now - target) > 0.2 * now;
}

double sizing_moving_s(double rows, double writers, double readers) {
    const double row_s = 1e-6;
    bool known = rows > 0 && writers > 0 && readers > 0;
    return known ? rows * row_s * (1 / writers + 1 / readers) : 0;
}

// Whole GiB, as MiB.
static int64_t whole_gib(double gib) {
    return (int64_t)fmin(floor(fmax(gib, 0)), GIB_MOST) * MIB_PER_GIB;
}

struct sizing_memory sizing_memory(double data_bytes) {
    double base = fmax(4, 0.1 * data_bytes / SIZING_GIB);
    int64_t overhead_mib = whole_gib(base / 10);
    return (struct sizing_memory){
        .executor_mib = whole_gib(base),
        .driver_mib = whole_gib(base / 2),
        .overhead_mib =
            overhead_mib > SIZING_OVERHEAD_LEAST_MIB ? overhead_mib : SIZING_OVERHEAD_LEAST_MIB,
    };
}

double sizing_unified_bytes(int64_t heap_mib, double fraction) {
    return fmax(0, (double)heap_mib - SIZING_RESERVED_MIB) * MIB * fraction;
}

int64_t sizing_heap_mib(double unified_bytes, double fraction) {
    double heap_mib = fmax(unified_bytes, 0) / MIB / fraction + SIZING_RESERVED_MIB;
    return whole_gib(ceil(heap_mib / MIB_PER_GIB));
}

int64_t sizing_overhead_mib(int64_t heap_mib, double factor, int64_t least_mib) {
    int64_t share_mib = (int64_t)(factor * (double)heap_mib);
    return share_mib > least_mib ? share_mib : least_mib;
}
