// report_words: what a benchmark report says of a group, the same in every form for people. Not
// escaped: that is up to the form.
#pragma once

#include "base/span.h"
#include "runs/groups.h"

// The size of a group: "84.0 MiB", "6.0 million records", "size 1e6", "unknown size".
void report_size_words(const struct report_group *group, struct buf *out);
// Between which sizes its runs lie; nothing if all have the same.
void report_range_words(const struct report_group *group, struct buf *out);
// What its ratio says: "the baseline", "records/s over those of 84.0 MiB, beyond the spread of the
// runs".
void report_ratio_words(const struct report_pipeline *pipeline, const struct report_group *group,
                        struct buf *out);
// A throughput in GB an hour, or a ratio, with three digits that mean something.
const char *report_number(double value, char out[SPAN_TEXT_SIZE]);
