// event_equal: compares two decoded events field by field. Used by the decoders' tests and fuzzers;
// what a kind does not have is not looked at.
#pragma once

#include <stddef.h>

#include "model/event.h"

#define SAME(field)                                                                                \
    if (a->field != b->field) {                                                                    \
        return #field;                                                                             \
    }
#define SAME_TEXT(field)                                                                           \
    if (!str_eq(a->field, b->field)) {                                                             \
        return #field;                                                                             \
    }
#define SAME_PART(call)                                                                            \
    do {                                                                                           \
        const char *different = (call);                                                            \
        if (different != NULL) {                                                                   \
            return different;                                                                      \
        }                                                                                          \
    } while (0)

static inline const char *equal_properties(const struct event_property *a, uint32_t a_count,
                                           const struct event_property *b, uint32_t b_count) {
    for (uint32_t i = 0; i < a_count && i < b_count; i++) {
        if (!str_eq(a[i].key, b[i].key) || !str_eq(a[i].value, b[i].value)) {
            return "properties";
        }
    }
    return a_count == b_count ? NULL : "property_count";
}

static inline const char *equal_accums(const struct event_accum *a, uint32_t a_count,
                                       const struct event_accum *b, uint32_t b_count) {
    for (uint32_t i = 0; i < a_count && i < b_count; i++) {
        if (a[i].id != b[i].id || a[i].update != b[i].update) {
            return "accums";
        }
    }
    return a_count == b_count ? NULL : "accum_count";
}

static inline const char *equal_task(const struct event_task *a, const struct event_task *b) {
    SAME(stage)
    SAME(stage_attempt)
    SAME(task_id)
    SAME(index)
    SAME(attempt)
    SAME(launch_ms)
    SAME(finish_ms)
    SAME(getting_result_ms)
    SAME_TEXT(executor)
    SAME_TEXT(host)
    SAME(locality)
    SAME(speculative)
    SAME(failed)
    SAME(killed)
    return NULL;
}

static inline const char *equal_metrics(const struct event_task *a, const struct event_task *b) {
    SAME(has_metrics)
    SAME(deserialize_ms)
    SAME(deserialize_cpu_ns)
    SAME(run_ms)
    SAME(cpu_ns)
    SAME(peak_memory_bytes)
    SAME(result_bytes)
    SAME(gc_ms)
    SAME(serialize_ms)
    SAME(memory_spill_bytes)
    SAME(disk_spill_bytes)
    SAME(fetch_wait_ms)
    SAME(remote_read_bytes)
    SAME(local_read_bytes)
    SAME(remote_to_disk_bytes)
    SAME(shuffle_read_records)
    SAME(shuffle_write_bytes)
    SAME(shuffle_write_ns)
    SAME(shuffle_write_records)
    SAME(input_bytes)
    SAME(input_records)
    SAME(output_bytes)
    SAME(output_records)
    SAME(jvm_heap_bytes)
    SAME(jvm_offheap_bytes)
    SAME(onheap_execution_bytes)
    SAME(jvm_rss_bytes)
    SAME(python_rss_bytes)
    SAME(total_gc_ms)
    return NULL;
}

static inline const char *equal_task_end(const struct event_task *a, const struct event_task *b) {
    SAME(result)
    SAME_TEXT(error_class)
    SAME_TEXT(error)
    SAME_TEXT(stack)
    SAME(exit_caused_by_app)
    SAME(accums_truncated)
    SAME_PART(equal_metrics(a, b));
    return equal_accums(a->accums, a->accum_count, b->accums, b->accum_count);
}

static inline const char *equal_plan(const struct event_plan *a, const struct event_plan *b) {
    SAME(truncated)
    SAME(node_count)
    SAME(metric_count)
    for (uint32_t i = 0; i < a->node_count; i++) {
        SAME_TEXT(nodes[i].name)
        SAME(nodes[i].parent)
        SAME(nodes[i].metric_count)
        SAME(nodes[i].join)
        SAME(nodes[i].unfinished)
        for (uint32_t j = 0; j < a->nodes[i].metric_count; j++) { // lists may lie in any order
            const struct event_plan_metric *x = &a->metrics[a->nodes[i].first_metric + j];
            const struct event_plan_metric *y = &b->metrics[b->nodes[i].first_metric + j];
            if (x->accum_id != y->accum_id || !str_eq(x->name, y->name) ||
                !str_eq(x->type, y->type)) {
                return "plan.metrics of a node";
            }
        }
    }
    for (uint32_t i = 0; i < (a->node_count == 0 ? a->metric_count : 0); i++) {
        SAME_TEXT(metrics[i].name)
        SAME_TEXT(metrics[i].type)
        SAME(metrics[i].accum_id)
    }
    return NULL;
}

static inline const char *equal_sql(const struct event_sql *a, const struct event_sql *b) {
    SAME(execution_id)
    SAME(root_execution_id)
    SAME_TEXT(description)
    SAME_TEXT(details)
    SAME(has_error)
    SAME_TEXT(error)
    SAME_TEXT(whole_error)
    SAME_PART(equal_plan(&a->plan, &b->plan));
    return equal_accums(a->accums, a->accum_count, b->accums, b->accum_count);
}

static inline const char *equal_stage(const struct event_stage *a, const struct event_stage *b) {
    SAME(id)
    SAME(attempt)
    SAME_TEXT(name)
    SAME_TEXT(failure)
    SAME(tasks)
    SAME(submitted_ms)
    SAME(completed_ms)
    SAME(profile_id)
    SAME(python)
    SAME(works)
    SAME(shape)
    SAME(partitions_most)
    SAME(memory_only)
    return equal_properties(a->properties, a->property_count, b->properties, b->property_count);
}

static inline const char *equal_job(const struct event_job *a, const struct event_job *b) {
    SAME(id)
    SAME(first_stage)
    SAME(last_stage)
    SAME_TEXT(site)
    SAME(succeeded)
    SAME_TEXT(error)
    return equal_properties(a->properties, a->property_count, b->properties, b->property_count);
}

static inline const char *equal_stream(const struct event_stream *a, const struct event_stream *b) {
    SAME_TEXT(query_id)
    SAME_TEXT(run_id)
    SAME_TEXT(name)
    SAME_TEXT(error)
    SAME(batch_id)
    SAME(batch_ms)
    SAME(trigger_ms)
    SAME(input_rows)
    SAME(began_ms)
    SAME(input_per_s)
    SAME(processed_per_s)
    return NULL;
}

static inline const char *equal_report(const struct event_listener_report *a,
                                       const struct event_listener_report *b) {
    SAME(accepted)
    SAME(lost_task_ends)
    SAME(lost_others)
    SAME(lost_unread)
    SAME(cut)
    SAME(slimmed)
    return NULL;
}

static inline const char *equal_application(const struct event *a, const struct event *b) {
    if (a->kind == EVENT_APP_END) {
        SAME(app_end.has_exit_code)
        SAME(app_end.exit_code)
        return NULL;
    }
    SAME_TEXT(app_start.name)
    SAME_TEXT(app_start.app_id)
    SAME_TEXT(app_start.attempt)
    SAME_TEXT(app_start.user)
    return NULL;
}

static inline const char *equal_environment(const struct event_environment *a,
                                            const struct event_environment *b) {
    SAME_TEXT(java_version)
    SAME_TEXT(scala_version)
    return equal_properties(a->properties, a->property_count, b->properties, b->property_count);
}

static inline const char *equal_resources(const struct event_resource *a, uint32_t a_count,
                                          const struct event_resource *b, uint32_t b_count) {
    bool same = a_count == b_count;
    for (uint32_t i = 0; same && i < a_count; i++) {
        same = a[i].id == b[i].id && a[i].task == b[i].task && a[i].executor == b[i].executor;
    }
    return same ? NULL : "resources";
}

static inline const char *equal_executor(const struct event *a, const struct event *b) {
    switch (a->kind) {
    case EVENT_RESOURCE_PROFILE:
        SAME(profile.id)
        SAME(profile.cores)
        SAME(profile.memory_mib)
        SAME(profile.overhead_mib)
        SAME(profile.offheap_mib)
        SAME(profile.pyspark_mib)
        SAME(profile.task_cpus)
        SAME(profile.asks_executors)
        return equal_resources(a->profile.resources, a->profile.resource_count,
                               b->profile.resources, b->profile.resource_count);
    case EVENT_BLOCK_MANAGER_ADDED:
        SAME_TEXT(block_manager.executor)
        SAME(block_manager.max_bytes)
        SAME(block_manager.onheap_bytes)
        SAME(block_manager.offheap_bytes)
        return NULL;
    case EVENT_EXECUTOR_ADDED:
    case EVENT_EXECUTOR_REMOVED:
        SAME_TEXT(executor.id)
        SAME_TEXT(executor.host)
        SAME_TEXT(executor.reason)
        SAME(executor.cores)
        SAME(executor.profile_id)
        SAME(executor.request_ms)
        SAME(executor.registration_ms)
        return equal_resources(a->executor.resources, a->executor.resource_count,
                               b->executor.resources, b->executor.resource_count);
    case EVENT_EXECUTOR_EXCLUDED:
    case EVENT_EXECUTOR_BLACKLISTED:
    case EVENT_EXECUTOR_EXCLUDED_STAGE:
    case EVENT_EXECUTOR_BLACKLISTED_STAGE:
    case EVENT_NODE_EXCLUDED:
    case EVENT_NODE_BLACKLISTED:
    case EVENT_NODE_EXCLUDED_STAGE:
    case EVENT_NODE_BLACKLISTED_STAGE:
        SAME_TEXT(exclusion.executor)
        SAME_TEXT(exclusion.host)
        SAME(exclusion.failures)
        SAME(exclusion.stage)
        SAME(exclusion.stage_attempt)
        return NULL;
    default:
        return "of a kind whose fields are not compared";
    }
}

// The first field that differs, NULL if none does.
static inline const char *event_difference(const struct event *a, const struct event *b) {
    SAME(kind)
    SAME_TEXT(name)
    SAME(time_ms)
    SAME(first_ms)
    SAME_TEXT(app_id)
    SAME_TEXT(app_attempt)
    SAME(cut)
    SAME_TEXT(version)
    switch (a->kind) {
    case EVENT_OTHER:
    case EVENT_LOG_START:
    case EVENT_DB_METADATA:
    case EVENT_THRIFT_SERVER:
    case EVENT_CONNECT:
        return NULL;
    case EVENT_APP_START:
    case EVENT_APP_END:
        return equal_application(a, b);
    case EVENT_ENVIRONMENT:
        return equal_environment(&a->environment, &b->environment);
    case EVENT_JOB_START:
    case EVENT_JOB_END:
        return equal_job(&a->job, &b->job);
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        return equal_stage(&a->stage, &b->stage);
    case EVENT_LISTENER_REPORT:
        return equal_report(&a->report, &b->report);
    case EVENT_TASK_END:
        SAME_PART(equal_task_end(&a->task, &b->task));
        return equal_task(&a->task, &b->task);
    case EVENT_TASK_START:
        return equal_task(&a->task, &b->task);
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        return equal_sql(&a->sql, &b->sql);
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_PROGRESS:
    case EVENT_STREAM_TERMINATED:
    case EVENT_STREAM_IDLE:
        return equal_stream(&a->stream, &b->stream);
    default:
        return equal_executor(a, b);
    }
}
