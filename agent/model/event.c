// event: names to kinds, and which Spark properties may be kept. Called by decode for every
// message, so the look-ups go by length first.
#include "model/event.h"

#include "base/compiler.h"

static const struct str names[EVENT_KIND_COUNT] = {
    [EVENT_OTHER] = {"", 0},
#define EVENT_KIND(id, name) [EVENT_##id] = {name, sizeof(name) - 1},
#include "model/event_kinds.def"
#undef EVENT_KIND
};

enum event_kind event_kind_of(struct str name) {
    // Nine of ten messages are one of these two.
    if (str_eq(name, names[EVENT_TASK_END])) {
        return EVENT_TASK_END;
    }
    if (str_eq(name, names[EVENT_TASK_START])) {
        return EVENT_TASK_START;
    }
    for (int kind = 1; kind < EVENT_KIND_COUNT; kind++) {
        if (str_eq(name, names[kind])) {
            return (enum event_kind)kind;
        }
    }
    return EVENT_OTHER;
}

const char *event_kind_name(enum event_kind kind) {
    return names[kind].p;
}

enum task_result event_task_result(struct str reason) {
    static const struct {
        const char *text;
        enum task_result result;
    } reasons[] = {
        {"Success", TASK_SUCCESS},
        {"ExceptionFailure", TASK_EXCEPTION},
        {"FetchFailed", TASK_FETCH_FAILED},
        {"TaskKilled", TASK_KILLED},
        {"TaskCommitDenied", TASK_COMMIT_DENIED},
        {"ExecutorLostFailure", TASK_EXECUTOR_LOST},
        {"Resubmitted", TASK_RESUBMITTED},
        {"TaskResultLost", TASK_RESULT_LOST},
    };
    for (unsigned i = 0; i < ARRAY_LEN(reasons); i++) {
        if (str_is(reason, reasons[i].text)) {
            return reasons[i].result;
        }
    }
    return TASK_UNKNOWN_REASON;
}

bool event_property_allowed(struct str key) {
    static const char *const never[] = {"secret", "password", "token", "credential", "jaas"};
    static const char *const exact[] = {"spark.app.id",
                                        "spark.app.name",
                                        "spark.app.attempt.id",
                                        "spark.submit.deployMode",
                                        "spark.executor.instances",
                                        "spark.executor.cores",
                                        "spark.executor.memory",
                                        "spark.executor.memoryOverhead",
                                        "spark.executor.memoryOverheadFactor",
                                        "spark.driver.memory",
                                        "spark.driver.cores",
                                        "spark.task.cpus",
                                        "spark.task.maxFailures",
                                        "spark.default.parallelism",
                                        "spark.sql.shuffle.partitions",
                                        "spark.sql.execution.id",
                                        "spark.stoker.pipeline",
                                        "spark.jobGroup.id",
                                        "spark.serializer"};
    static const char *const prefixes[] = {"spark.kubernetes.driver.label.",
                                           "spark.databricks.job.", "spark.dynamicAllocation.",
                                           "spark.sql.adaptive.", "spark.openlineage.parent"};
    for (unsigned i = 0; i < ARRAY_LEN(never); i++) {
        if (str_contains_nocase(key, str_of(never[i]))) {
            return false;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(exact); i++) {
        if (str_is(key, exact[i])) {
            return true;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (str_starts(key, str_of(prefixes[i]))) {
            return true;
        }
    }
    return false;
}
