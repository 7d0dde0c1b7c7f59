// kind: names of the closed vocabularies, one table each. Called by every renderer and parser.
#include "model/kind.h"

#include "base/check.h"
#include "model/run.h"

static const char *const kinds[KIND_COUNT] = {
    [KIND_DATA_SKEW] = "data_skew",
    [KIND_MEMORY_PRESSURE] = "memory_pressure",
    [KIND_NETWORK_OVERHEAD] = "network_overhead",
    [KIND_IO_BOTTLENECK] = "io_bottleneck",
    [KIND_RESOURCE_CONTENTION] = "resource_contention",
    [KIND_SLOW_RUN] = "slow_run",
    [KIND_LOW_THROUGHPUT] = "low_throughput",
    [KIND_STRAGGLER] = "straggler",
    [KIND_TASK_FAILURES] = "task_failures",
    [KIND_PIPELINE_FAILURE] = "pipeline_failure",
};
static const char *const severities[SEVERITY_COUNT] = {"negligible", "low", "moderate", "severe",
                                                       "critical"};
static const char *const causes[CAUSE_COUNT] = {
    [CAUSE_NONE] = "",
    [CAUSE_UNKNOWN] = "unknown",
    [CAUSE_DATA] = "data",
    [CAUSE_SLOW_HOST] = "slow_host",
    [CAUSE_COSTLY_RECORDS] = "costly_records",
    [CAUSE_BLOCKED] = "blocked",
    [CAUSE_SCHEDULING] = "scheduling",
    [CAUSE_SPILL] = "spill",
    [CAUSE_GC] = "gc",
    [CAUSE_OOM] = "oom",
    [CAUSE_CONTAINER_KILLED] = "container_killed",
    [CAUSE_FETCH_FAILED] = "fetch_failed",
    [CAUSE_EXECUTOR_LOST] = "executor_lost",
    [CAUSE_USER_CODE] = "user_code",
    [CAUSE_OTHER] = "other",
};
static const char *const lives[LIFE_COUNT] = {"opened", "updated", "confirmed", "retracted",
                                              "resolved"};
static const char *const statuses[RUN_STATUS_COUNT] = {"running", "succeeded", "failed", "lost"};
static const char *const sources[RECORDS_FROM_COUNT] = {"unknown", "input", "scan", "shuffle",
                                                        "output"};

static const char *name_of(const char *const *names, unsigned count, unsigned i) {
    require(i < count);
    return names[i];
}

static int find(const char *const *names, unsigned count, struct str name) {
    for (unsigned i = 0; i < count; i++) {
        if (str_is(name, names[i])) {
            return (int)i;
        }
    }
    return -1;
}

#define VOCABULARY(prefix, type, table, count)                                                     \
    const char *prefix##_name(type value) {                                                        \
        return name_of(table, count, (unsigned)value);                                             \
    }                                                                                              \
    int prefix##_parse(struct str name) {                                                          \
        return find(table, count, name);                                                           \
    }

VOCABULARY(kind, enum bottleneck_kind, kinds, KIND_COUNT)
VOCABULARY(severity, enum severity, severities, SEVERITY_COUNT)
VOCABULARY(cause, enum cause, causes, CAUSE_COUNT)
VOCABULARY(life, enum life, lives, LIFE_COUNT)
VOCABULARY(run_status, enum run_status, statuses, RUN_STATUS_COUNT)
VOCABULARY(records_from, enum records_from, sources, RECORDS_FROM_COUNT)

static const struct {
    enum advice_kind kind;
    const char *name;
} advice_kinds[] = {
#define ADVICE_KIND(number, id, text) {ADVICE_##id, text},
#include "model/advice_kinds.def"
#undef ADVICE_KIND
};
_Static_assert((int)KIND_COUNT <= (int)ADVICE_PARTITIONING,
               "bottleneck kinds have the numbers below");

enum advice_kind advice_kind_of(enum bottleneck_kind kind) {
    return (enum advice_kind)kind;
}

// Its name, or NULL.
static const char *advice_name(int64_t number) {
    for (unsigned i = 0; i < ARRAY_LEN(advice_kinds); i++) {
        if ((int64_t)advice_kinds[i].kind == number) {
            return advice_kinds[i].name;
        }
    }
    return number >= 0 && number < KIND_COUNT ? kinds[number] : NULL;
}

bool advice_kind_known(int64_t number) {
    return advice_name(number) != NULL;
}

const char *advice_kind_name(enum advice_kind kind) {
    const char *name = advice_name(kind);
    require(name != NULL);
    return name;
}

int advice_kind_parse(struct str name) {
    for (unsigned i = 0; i < ARRAY_LEN(advice_kinds); i++) {
        if (str_is(name, advice_kinds[i].name)) {
            return (int)advice_kinds[i].kind;
        }
    }
    return kind_parse(name);
}
