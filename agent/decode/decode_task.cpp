// decode_task: TaskStart and TaskEnd, which are most of all bytes, in the order Spark writes their
// fields in. Accumulables are most of those: only the wanted ones are read beyond their id.
#include "decode_shape.h"

namespace decode {

namespace {

// What is looked through for the class of a failure is handed over whole: what tells may stand at
// its end. So much of it is sent.
constexpr uint16_t LOOK_MAX = 4096;

void read_description(context &c, value v) {
    c.words[WORD_DESCRIPTION] = word(v, SIZE_MAX);
}

void read_stack(context &c, value v) {
    c.out->task.stack = word(v, SIZE_MAX);
}

void read_message(context &c, value v) {
    c.words[WORD_MESSAGE] = word(v, SIZE_MAX);
}

const rule reason_rules[] = {
    {"Reason", as::word, WORD_RESULT, 64},
    {"Class Name", as::text, AT(task.error_class), 256},
    {"Description", as::call, 0, LOOK_MAX, nullptr, read_description, form::ends},
    {"Stack Trace"},
    {"Full Stack Trace", as::call, AT(task.stack), LOOK_MAX, nullptr, read_stack, form::causes},
    {"Accumulator Updates"},
    {"Message", as::call, 0, LOOK_MAX, nullptr, read_message, form::ends},
    {"Exit Caused By App", as::maybe, AT(task.exit_caused_by_app)},
    {"Loss Reason", as::word, WORD_LOSS, 4096},
    {"Kill Reason", as::word, WORD_KILL, 256},
};
const shape reason_shape(reason_rules);

enum { ACCUM_ID, ACCUM_UPDATE, ACCUM_METADATA, ACCUM_OTHER };
const rule accum_rules[] = {
    {"ID", as::call, ACCUM_ID},
    {"Name", as::skip, ACCUM_OTHER},
    {"Update", as::call, ACCUM_UPDATE},
    {"Value", as::skip, ACCUM_OTHER},
    {"Internal", as::skip, ACCUM_OTHER},
    {"Count Failed Values", as::skip, ACCUM_OTHER},
    {"Metadata", as::call, ACCUM_METADATA, 8, nullptr, nullptr, form::one, nullptr, "sql"},
};
const shape accum_shape(accum_rules);

void read_accumulable(context &c, value v) {
    event_accum accum = {-1, 0};
    bool sql = false, decimal = false;
    each_field(c, v, accum_shape, [&](const rule &r, value inner) {
        if (r.at == ACCUM_ID) {
            accum.id = id64(inner);
            return accum.id >= 0 && (c.wanted == nullptr || idmap_get(c.wanted, accum.id, nullptr));
        }
        if (r.at == ACCUM_UPDATE) {
            decimal = get_integer(inner, &accum.update);
        } else if (r.at == ACCUM_METADATA) {
            sql = str_is(word(inner, r.limit), r.only);
        }
        return true;
    });
    bool wanted = c.wanted == nullptr || idmap_get(c.wanted, accum.id, nullptr);
    if (accum.id < 0 || !wanted || !sql || !decimal || c.broken) {
        return;
    }
    if (c.accums.len == EVENT_ACCUMS_MAX) {
        c.out->task.accums_truncated = true;
        return;
    }
    accum.update = accum.update < 0 ? 0 : accum.update;
    c.accums.push(accum);
}

void read_accumulables(context &c, value v) {
    if (c.out->kind == EVENT_TASK_END && (c.wanted == nullptr || c.wanted->len > 0)) {
        items(c, v, [&](value accumulable) { read_accumulable(c, accumulable); });
    }
}

const rule info_rules[] = {
    {"Task ID", as::id64, AT(task.task_id)},
    {"Index", as::id, AT(task.index)},
    {"Attempt", as::id, AT(task.attempt)},
    {"Partition ID"},
    {"Launch Time", as::time, AT(task.launch_ms)},
    {"Executor ID", as::name, AT(task.executor), 64},
    {"Host", as::name, AT(task.host), 256},
    {"Locality", as::word, WORD_LOCALITY, 16},
    {"Speculative", as::flag, AT(task.speculative)},
    {"Getting Result Time", as::time, AT(task.getting_result_ms)},
    {"Finish Time", as::time, AT(task.finish_ms)},
    {"Failed", as::flag, AT(task.failed)},
    {"Killed", as::flag, AT(task.killed)},
    {"Accumulables", as::call, 0, 0, nullptr, read_accumulables, form::list, &accum_shape},
};
const shape info_shape(info_rules);

void read_info(context &c, value v) {
    c.has_info |= each_field(c, v, info_shape, [&](const rule &r, value inner) {
        apply(c, r, inner);
        return true;
    });
}

const rule executor_rules[] = {
    {"JVMHeapMemory", as::metric, AT(task.jvm_heap_bytes)},
    {"JVMOffHeapMemory", as::metric, AT(task.jvm_offheap_bytes)},
    {"OnHeapExecutionMemory", as::metric, AT(task.onheap_execution_bytes)},
    {"OffHeapExecutionMemory"},
    {"OnHeapStorageMemory"},
    {"OffHeapStorageMemory"},
    {"OnHeapUnifiedMemory"},
    {"OffHeapUnifiedMemory"},
    {"DirectPoolMemory"},
    {"MappedPoolMemory"},
    {"ProcessTreeJVMVMemory"},
    {"ProcessTreeJVMRSSMemory", as::metric, AT(task.jvm_rss_bytes)},
    {"ProcessTreePythonVMemory"},
    {"ProcessTreePythonRSSMemory", as::metric, AT(task.python_rss_bytes)},
    {"ProcessTreeOtherVMemory"},
    {"ProcessTreeOtherRSSMemory"},
    {"MinorGCCount"},
    {"MinorGCTime"},
    {"MajorGCCount"},
    {"MajorGCTime"},
    {"TotalGCTime", as::metric, AT(task.total_gc_ms)},
    {"ConcurrentGCCount"},
    {"ConcurrentGCTime"},
};
const shape executor_shape(executor_rules);

const rule read_rules[] = {
    {"Remote Blocks Fetched"},
    {"Local Blocks Fetched"},
    {"Fetch Wait Time", as::metric, AT(task.fetch_wait_ms)},
    {"Remote Bytes Read", as::metric, AT(task.remote_read_bytes)},
    {"Remote Bytes Read To Disk", as::metric, AT(task.remote_to_disk_bytes)},
    {"Local Bytes Read", as::metric, AT(task.local_read_bytes)},
    {"Total Records Read", as::metric, AT(task.shuffle_read_records)},
    {"Remote Requests Duration"},
    {"Push Based Shuffle"},
};
const shape read_shape(read_rules);

const rule write_rules[] = {
    {"Shuffle Bytes Written", as::metric, AT(task.shuffle_write_bytes)},
    {"Shuffle Write Time", as::metric, AT(task.shuffle_write_ns)},
    {"Shuffle Records Written", as::metric, AT(task.shuffle_write_records)},
};
const shape write_shape(write_rules);

const rule input_rules[] = {
    {"Bytes Read", as::metric, AT(task.input_bytes)},
    {"Records Read", as::metric, AT(task.input_records)},
};
const shape input_shape(input_rules);

const rule output_rules[] = {
    {"Bytes Written", as::metric, AT(task.output_bytes)},
    {"Records Written", as::metric, AT(task.output_records)},
};
const shape output_shape(output_rules);

const rule metric_rules[] = {
    {"Executor Deserialize Time", as::metric, AT(task.deserialize_ms)},
    {"Executor Deserialize CPU Time", as::metric, AT(task.deserialize_cpu_ns)},
    {"Executor Run Time", as::metric, AT(task.run_ms)},
    {"Executor CPU Time", as::count, AT(task.cpu_ns)}, // missing is not 0
    {"Peak Execution Memory", as::metric, AT(task.peak_memory_bytes)},
    {"Result Size", as::metric, AT(task.result_bytes)},
    {"JVM GC Time", as::metric, AT(task.gc_ms)},
    {"Result Serialization Time", as::metric, AT(task.serialize_ms)},
    {"Memory Bytes Spilled", as::metric, AT(task.memory_spill_bytes)},
    {"Disk Bytes Spilled", as::metric, AT(task.disk_spill_bytes)},
    {"Shuffle Read Metrics", as::object, 0, 0, &read_shape},
    {"Shuffle Write Metrics", as::object, 0, 0, &write_shape},
    {"Input Metrics", as::object, 0, 0, &input_shape},
    {"Output Metrics", as::object, 0, 0, &output_shape},
    {"Updated Blocks"},
};
const shape metric_shape(metric_rules);

const rule start_rules[] = {
    {"Stage ID", as::id, AT(task.stage)},
    {"Stage Attempt ID", as::id, AT(task.stage_attempt)},
    {"Task Info", as::call, 0, 0, &info_shape, read_info},
};
const shape start_shape(start_rules);

const rule end_rules[] = {
    {"Stage ID", as::id, AT(task.stage)},
    {"Stage Attempt ID", as::id, AT(task.stage_attempt)},
    {"Task Type"},
    {"Task End Reason", as::object, 0, 0, &reason_shape},
    {"Task Info", as::call, 0, 0, &info_shape, read_info},
    {"Task Executor Metrics", as::object, 0, 0, &executor_shape},
    {"Task Metrics", as::object, AT(task.has_metrics), 0, &metric_shape},
};
const shape end_shape(end_rules);

bool finish_start(context &c) {
    event_task &t = c.out->task;
    t.stage_attempt = t.stage_attempt < 0 ? 0 : t.stage_attempt;
    t.locality = event_task_locality(c.words[WORD_LOCALITY]);
    t.accums = c.accums.items;
    t.accum_count = c.accums.len;
    t.accums_truncated = t.accums_truncated || c.out->cut;
    return c.has_info && t.stage >= 0;
}

bool finish_end(context &c) {
    event_task &t = c.out->task;
    if (c.words[WORD_RESULT].len > 0) {
        t.result = event_task_result(c.words[WORD_RESULT]);
    } else {
        t.result = t.failed ? TASK_UNKNOWN_REASON : t.killed ? TASK_KILLED : TASK_SUCCESS;
    }
    t.error = {"", 0};
    for (int i = WORD_DESCRIPTION; i < WORD_COUNT && t.error.len == 0; i++) {
        t.error = c.words[i].len > 0 ? c.words[i] : t.error;
    }
    return finish_start(c);
}

} // namespace

const kind_fields task_start_fields = {&start_shape, finish_start};
const kind_fields task_end_fields = {&end_shape, finish_end};

} // namespace decode
