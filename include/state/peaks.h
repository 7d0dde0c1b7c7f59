// peaks: the largest memory that the run's executors were seen to use, by what the metrics of tasks
// told. They are samples taken at heartbeats: most tasks, and all short ones, tell nothing, so what
// was not seen says nothing, and what was seen was used at least. Owned by an app; written only by
// state.
#pragma once

#include <stdint.h>

#include "model/event.h"
#include "model/record.h"

struct peaks {
    int64_t heap_bytes;   // of an executor's heap, as far as it was in use
    int64_t python_bytes; // resident, of all its Python workers
    int64_t tasks;        // that told of their executor's heap
};

// A task ended; whatever became of it, its executor had used that much by then.
void peaks_see(struct peaks *peaks, const struct event_task *task);

extern const struct record record_peaks;
