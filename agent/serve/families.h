// families: the metric families that are no rows of metrics.def: build, process, pipelines. Used by
// the page and by its documentation, so that both say the same.
#pragma once

enum family_id {
    FAMILY_BUILD_INFO,
    FAMILY_CPU,
    FAMILY_START,
    FAMILY_RESIDENT,
    FAMILY_VIRTUAL,
    FAMILY_OPEN_FDS,
    FAMILY_MAX_FDS,
    FAMILY_THREADS,
    FAMILY_MEMORY,
    FAMILY_COMMIT,
    FAMILY_DURATION,
    FAMILY_RUNS,
    FAMILY_RECORDS,
    FAMILY_ERRORS,
    FAMILY_THROUGHPUT,
    FAMILY_OPEN,
    FAMILY_COUNT
};

struct family {
    const char *name, *type;
    const char *labels; // names, comma-separated, for the documentation
    const char *help;
};

const struct family *family_of(enum family_id id);
