// peaks: see the header. Called by app for every task that ended.
#include "state/peaks.h"

#include "base/compiler.h"
#include "base/sat.h"

static void raise(int64_t *peak, int64_t seen) {
    *peak = seen > *peak ? seen : *peak;
}

void peaks_see(struct peaks *peaks, const struct event_task *task) {
    if (task->jvm_heap_bytes > 0) { // 0 and -1: not sampled
        sat_inc(&peaks->tasks, 1);
        raise(&peaks->heap_bytes, task->jvm_heap_bytes);
    }
    raise(&peaks->python_bytes, task->python_rss_bytes);
}

static const struct record_row peaks_rows[] = {
    RECORD_ROW(1, I64, peaks, heap_bytes, .most = INT64_MAX),
    RECORD_ROW(2, I64, peaks, python_bytes, .most = INT64_MAX),
    RECORD_ROW(3, I64, peaks, tasks, .most = INT64_MAX),
};
const struct record record_peaks = RECORD_OF("peaks", peaks, peaks_rows);
