// oracle_task: TaskStart and TaskEnd as the oracle reads them: each field looked up by its name.
#include "oracle_priv.h"

static void read_info(const json_t *info, struct event *out) {
    struct event_task *t = &out->task;
    t->task_id = oracle_id64(info, "Task ID");
    t->index = oracle_id32(info, "Index");
    t->attempt = oracle_id32(info, "Attempt");
    t->launch_ms = oracle_metric(info, "Launch Time");
    t->finish_ms = oracle_metric(info, "Finish Time");
    t->getting_result_ms = oracle_metric(info, "Getting Result Time");
    t->executor = oracle_text(info, "Executor ID", 64);
    t->host = oracle_text(info, "Host", 256);
    t->locality = oracle_text(info, "Locality", 32);
    t->speculative = oracle_true(info, "Speculative");
    t->failed = oracle_true(info, "Failed");
    t->killed = oracle_true(info, "Killed");
    oracle_time(out, t->launch_ms);
    oracle_time(out, t->finish_ms);
    oracle_time(out, t->getting_result_ms);
}

static void read_reason(const json_t *reason, struct event_task *t) {
    static const char *const texts[] = {"Description", "Message", "Loss Reason", "Kill Reason"};
    struct str name = oracle_text(reason, "Reason", 64);
    if (name.len > 0) {
        t->result = event_task_result(name);
    } else {
        t->result = t->failed ? TASK_UNKNOWN_REASON : t->killed ? TASK_KILLED : TASK_SUCCESS;
    }
    t->error_class = oracle_text(reason, "Class Name", 256);
    for (unsigned i = 0; i < ARRAY_LEN(texts) && t->error.len == 0; i++) {
        t->error = oracle_text(reason, texts[i], 256);
    }
    const json_t *by_app = oracle_field(reason, "Exit Caused By App");
    t->exit_caused_by_app = json_is_boolean(by_app) ? json_is_true(by_app) : -1;
}

static void read_shuffle(const json_t *metrics, struct event_task *t) {
    const json_t *read = oracle_field(metrics, "Shuffle Read Metrics");
    const json_t *write = oracle_field(metrics, "Shuffle Write Metrics");
    t->fetch_wait_ms = oracle_metric(read, "Fetch Wait Time");
    t->remote_read_bytes = oracle_metric(read, "Remote Bytes Read");
    t->local_read_bytes = oracle_metric(read, "Local Bytes Read");
    t->remote_to_disk_bytes = oracle_metric(read, "Remote Bytes Read To Disk");
    t->shuffle_read_records = oracle_metric(read, "Total Records Read");
    t->shuffle_write_bytes = oracle_metric(write, "Shuffle Bytes Written");
    t->shuffle_write_ns = oracle_metric(write, "Shuffle Write Time");
    t->shuffle_write_records = oracle_metric(write, "Shuffle Records Written");
}

static void read_metrics(const json_t *metrics, struct event_task *t) {
    const json_t *input = oracle_field(metrics, "Input Metrics");
    const json_t *output = oracle_field(metrics, "Output Metrics");
    t->has_metrics = json_is_object(metrics);
    t->deserialize_ms = oracle_metric(metrics, "Executor Deserialize Time");
    t->deserialize_cpu_ns = oracle_metric(metrics, "Executor Deserialize CPU Time");
    t->run_ms = oracle_metric(metrics, "Executor Run Time");
    t->cpu_ns = oracle_metric(metrics, "Executor CPU Time");
    t->peak_memory_bytes = oracle_metric(metrics, "Peak Execution Memory");
    t->result_bytes = oracle_metric(metrics, "Result Size");
    t->gc_ms = oracle_metric(metrics, "JVM GC Time");
    t->serialize_ms = oracle_metric(metrics, "Result Serialization Time");
    t->memory_spill_bytes = oracle_metric(metrics, "Memory Bytes Spilled");
    t->disk_spill_bytes = oracle_metric(metrics, "Disk Bytes Spilled");
    t->input_bytes = oracle_metric(input, "Bytes Read");
    t->input_records = oracle_metric(input, "Records Read");
    t->output_bytes = oracle_metric(output, "Bytes Written");
    t->output_records = oracle_metric(output, "Records Written");
    read_shuffle(metrics, t);
}

static void read_executor(const json_t *metrics, struct event_task *t) {
    t->jvm_heap_bytes = oracle_metric(metrics, "JVMHeapMemory");
    t->jvm_offheap_bytes = oracle_metric(metrics, "JVMOffHeapMemory");
    t->onheap_execution_bytes = oracle_metric(metrics, "OnHeapExecutionMemory");
    t->jvm_rss_bytes = oracle_metric(metrics, "ProcessTreeJVMRSSMemory");
    t->python_rss_bytes = oracle_metric(metrics, "ProcessTreePythonRSSMemory");
    t->total_gc_ms = oracle_metric(metrics, "TotalGCTime");
}

static void read_accums(struct oracle *o, const json_t *list, const struct idmap *wanted,
                        struct event_task *t) {
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)list, i, entry) {
        struct event_accum accum = {oracle_id64(entry, "ID"), 0};
        if (accum.id < 0 || (wanted != NULL && !idmap_get(wanted, accum.id, NULL)) ||
            !str_is(oracle_text(entry, "Metadata", SIZE_MAX), "sql") ||
            !oracle_integer(oracle_field(entry, "Update"), &accum.update)) {
            continue;
        }
        if (o->accum_count == EVENT_ACCUMS_MAX) {
            t->accums_truncated = true;
            continue;
        }
        accum.update = accum.update > 0 ? accum.update : 0;
        MEM_GROW(o->accums, o->accum_count, o->accum_cap);
        o->accums[o->accum_count++] = accum;
    }
    t->accums = o->accums;
    t->accum_count = (uint32_t)o->accum_count;
}

bool oracle_task(struct oracle *o, const json_t *event, const struct idmap *wanted,
                 struct event *out) {
    const json_t *info = oracle_field(event, "Task Info");
    struct event_task *t = &out->task;
    t->stage = oracle_id32(event, "Stage ID");
    t->stage_attempt = oracle_id32(event, "Stage Attempt ID");
    t->stage_attempt = t->stage_attempt < 0 ? 0 : t->stage_attempt;
    t->exit_caused_by_app = -1;
    read_info(info, out);
    if (out->kind == EVENT_TASK_END) {
        read_reason(oracle_field(event, "Task End Reason"), t);
        read_metrics(oracle_field(event, "Task Metrics"), t);
        read_executor(oracle_field(event, "Task Executor Metrics"), t);
        read_accums(o, oracle_field(info, "Accumulables"), wanted, t);
    }
    return t->stage >= 0 && json_is_object(info);
}
