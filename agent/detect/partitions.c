// partitions: see the header.
#include "partitions.h"

#include <math.h>

#include "base/span.h"
#include "model/operator.h"

enum { SPLIT_DEFAULT = 128 << 20, OPEN_COST_DEFAULT = 4 << 20, CORES_LEAST = 2 };

// What the program set in its session, else what the environment says; "" if neither does.
static struct str told(const struct app *app, enum property property) {
    struct str session = app_session_property(app, property, NULL);
    return session.len > 0 ? session : app_property(app, property);
}

static bool told_bytes(const struct app *app, enum property property, int64_t *out) {
    return span_parse_bytes(told(app, property), 1, out);
}

static double most_bytes(const struct app *app) {
    int64_t split;
    bool set = told_bytes(app, PROPERTY_SQL_FILES_MAX_PARTITION_BYTES, &split);
    return set && split > 0 ? (double)split : SPLIT_DEFAULT;
}

// Into how many tasks Spark means to cut files at least: as many as cores it had when it planned
// the scan, two before any. Executors that came later may not have been counted.
static double pieces(const struct app *app, const struct stage *stage) {
    static const enum property properties[] = {PROPERTY_SQL_FILES_MIN_PARTITION_NUM,
                                               PROPERTY_DEFAULT_PARALLELISM};
    for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
        int64_t number;
        if (told_bytes(app, properties[i], &number) && number > 0) { // a plain number
            return (double)number;
        }
    }
    bool all_there = app->executors.last_added_ms <= stage_began_ms(stage);
    return all_there ? fmax(CORES_LEAST, (double)stage->live_slots) : CORES_LEAST;
}

double partitions_split_bytes(const struct app *app, const struct stage *stage) {
    int64_t open;
    if (stage->files == 0) {
        return most_bytes(app);
    }
    if (!told_bytes(app, PROPERTY_SQL_FILES_OPEN_COST_IN_BYTES, &open) || open < 0) {
        open = OPEN_COST_DEFAULT;
    }
    double padded = (double)stage->files_bytes + (double)stage->files * (double)open;
    return fmin(most_bytes(app), fmax((double)open, padded / pieces(app, stage)));
}

// By the scan: of files that can be split no task has more than a split, so few tasks for that many
// bytes, none with less than a file, have whole files. Of text only: formats of columns and blocks
// can be split, and a coalesce puts splits together.
static bool takes_whole_files(const struct app *app, const struct stage *stage, unsigned works) {
    int64_t expected = stage->summary.tasks_expected;
    int64_t tasks = expected > 0 ? expected : stage->summary.tasks;
    return (works & WORK_TEXT) != 0 && (works & WORK_COALESCED) == 0 && tasks > 0 &&
           tasks <= stage->files && stage->summary.shuffle_read_bytes == 0 &&
           (double)stage->files_bytes > (double)tasks * partitions_split_bytes(app, stage);
}

bool partitions_cannot_be_split(const struct app *app, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    unsigned works = app_stage_works(app, stage);
    // A database tells its own, and what no stage is known to read may be a file.
    if ((works & (WORK_JDBC | WORK_FILES)) == WORK_JDBC) {
        return false;
    }
    if (takes_whole_files(app, stage, works)) {
        return true;
    }
    // Without a plan: a split may be a little more than asked for, and two files may share a task.
    double read = s->tasks > 0 ? (double)s->input_bytes / (double)s->tasks : 0;
    return read > 2 * most_bytes(app) && s->input_bytes > s->shuffle_read_bytes &&
           (works & WORK_COALESCED) == 0;
}
