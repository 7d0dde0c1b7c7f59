// event: names to kinds, and which Spark properties may be kept. Called by decode for every
// message, so the look-ups go by length first.
#include "model/event.h"

#include "base/compiler.h"
#include "base/secret.h"

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

// Properties that may be kept, without their "spark.". The list is that of the public reference of
// Spark's settings which the advice and the naming of pipelines rest on.
#define TEXT(literal)                                                                              \
    { literal, sizeof(literal) - 1 }
static const struct str exact[] = {
    TEXT("app.id"),
    TEXT("app.name"),
    TEXT("app.attempt.id"),
    TEXT("master"),
    TEXT("submit.deployMode"),
    TEXT("executor.instances"),
    TEXT("executor.cores"),
    TEXT("executor.memory"),
    TEXT("executor.memoryOverhead"),
    TEXT("executor.memoryOverheadFactor"),
    TEXT("executor.minMemoryOverhead"),
    TEXT("executor.pyspark.memory"),
    TEXT("driver.memory"),
    TEXT("driver.memoryOverhead"),
    TEXT("driver.cores"),
    TEXT("driver.maxResultSize"),
    TEXT("task.cpus"),
    TEXT("task.maxFailures"),
    TEXT("memory.fraction"),
    TEXT("memory.storageFraction"),
    TEXT("memory.offHeap.enabled"),
    TEXT("memory.offHeap.size"),
    TEXT("default.parallelism"),
    TEXT("sql.shuffle.partitions"),
    TEXT("sql.autoBroadcastJoinThreshold"),
    TEXT("sql.files.maxPartitionBytes"),
    TEXT("shuffle.service.enabled"),
    TEXT("shuffle.push.enabled"),
    TEXT("shuffle.compress"),
    TEXT("io.compression.codec"),
    TEXT("serializer"),
    TEXT("kubernetes.namespace"),
    TEXT("kubernetes.driver.request.cores"),
    TEXT("kubernetes.driver.limit.cores"),
    TEXT("kubernetes.executor.request.cores"),
    TEXT("kubernetes.executor.limit.cores"),
    TEXT("kubernetes.memoryOverheadFactor"),
    TEXT("yarn.queue"),
    TEXT("yarn.tags"),
    TEXT("databricks.clusterUsageTags.clusterId"),
    TEXT("databricks.clusterUsageTags.clusterName"),
    TEXT("databricks.clusterUsageTags.sparkVersion"),
    TEXT("databricks.clusterUsageTags.clusterNodeType"),
    TEXT("databricks.clusterUsageTags.driverNodeType"),
    TEXT("databricks.clusterUsageTags.clusterWorkers"),
    TEXT("sql.execution.id"),
    TEXT("stoker.pipeline"),
    TEXT("job.description"),
    TEXT("job.tags"),
    TEXT("jobGroup.id"),
    TEXT("scheduler.pool"),
};
static const struct str prefixes[] = {
    TEXT("dynamicAllocation."),
    TEXT("speculation"),
    TEXT("sql.adaptive."),
    TEXT("locality.wait"),
    TEXT("kubernetes.allocation.batch."),
    TEXT("kubernetes.driver.label."),
    TEXT("openlineage.parent"),
    TEXT("databricks.job."),
};

bool event_property_allowed(struct str key) {
    if (str_starts(key, STR("spark."))) {
        struct str rest = {key.p + 6, key.len - 6};
        for (unsigned i = 0; i < ARRAY_LEN(exact); i++) {
            if (str_eq(rest, exact[i])) {
                return true;
            }
        }
        for (unsigned i = 0; i < ARRAY_LEN(prefixes); i++) {
            if (str_starts(rest, prefixes[i])) {
                return !secret_property(rest); // nobody has looked at its name
            }
        }
        return false;
    }
    return str_is(key, "sql.streaming.queryId") || str_is(key, "streaming.sql.batchId");
}
