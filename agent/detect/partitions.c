// partitions: see the header.
#include "partitions.h"

#include "base/span.h"
#include "model/operator.h"

enum { SPLIT_DEFAULT = 128 << 20 };

double partitions_split_bytes(const struct app *app) {
    int64_t split;
    struct str set = app_property(app, PROPERTY_SQL_FILES_MAX_PARTITION_BYTES);
    return span_parse_bytes(set, 1, &split) && split > 0 ? (double)split : SPLIT_DEFAULT;
}

bool partitions_cannot_be_split(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    // A database tells its own, and what no stage is known to read may be a file.
    if ((app_stage_works(app, stage) & (WORK_JDBC | WORK_FILES)) == WORK_JDBC) {
        return false;
    }
    // A split may be a little more than asked for, and two files may share a task.
    double read = s->tasks > 0 ? (double)s->input_bytes / (double)s->tasks : 0;
    return read > 2 * partitions_split_bytes(app) && s->input_bytes > s->shuffle_read_bytes;
}
