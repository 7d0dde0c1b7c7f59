// exposition: the page of numbers that Prometheus reads, text format 0.0.4, and its documentation.
// Called by the agent's loop, which hands the finished page to http_publish, and by the command
// that prints the reference pages. No I/O but exposition_read_process, no thread. Must never write
// a byte that fails a scrape, whatever a pipeline is called, nor more pipelines by name than
// configured.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/alert.h"

// What the process uses; -1 where the system does not say.
struct exposition_process {
    double cpu_seconds;        // user and system
    double start_time_seconds; // Unix time
    int64_t resident_bytes, virtual_bytes;
    int64_t open_fds, max_fds;
    int64_t threads;
};
// Reads /proc/self.
void exposition_read_process(struct exposition_process *out);

struct exposition_input {
    const char *version;
    const struct pipeline_stats *pipelines; // of all partitions; equal names are added up
    size_t pipeline_count;
    struct exposition_process process;
};

struct exposition;

// Keeps which pipelines have series of their own: the first `pipelines_max` seen do, until they are
// gone; all others are added up under pipeline="other" for as long as they live, so that no series
// changes hands between two scrapes.
struct exposition *exposition_new(size_t pipelines_max);
void exposition_free(struct exposition *exposition); // takes NULL

// Appends the whole page: build, process, the rows of metrics.def, the pipelines.
void exposition_render(struct exposition *exposition, const struct exposition_input *input,
                       struct buf *out);

// Appends docs/metrics.md: every family with its type, labels and meaning, from the rows the page
// is written from.
void exposition_document(struct buf *out);
