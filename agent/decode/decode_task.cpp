// decode_task: TaskStart and TaskEnd, most of all bytes. Keys are told apart by length first; what
// is not listed is skipped unread.
#include "decode_simd.h"

namespace decode {

namespace {

struct metric_key {
    std::string_view key;
    int64_t event_task::*field;
};

const metric_key metric_keys[] = {
    {"Executor Deserialize Time", &event_task::deserialize_ms},
    {"Executor Deserialize CPU Time", &event_task::deserialize_cpu_ns},
    {"Executor Run Time", &event_task::run_ms},
    {"Executor CPU Time", &event_task::cpu_ns},
    {"Peak Execution Memory", &event_task::peak_memory_bytes},
    {"Result Size", &event_task::result_bytes},
    {"JVM GC Time", &event_task::gc_ms},
    {"Result Serialization Time", &event_task::serialize_ms},
    {"Memory Bytes Spilled", &event_task::memory_spill_bytes},
    {"Disk Bytes Spilled", &event_task::disk_spill_bytes},
};
const metric_key read_keys[] = {
    {"Fetch Wait Time", &event_task::fetch_wait_ms},
    {"Remote Bytes Read", &event_task::remote_read_bytes},
    {"Remote Bytes Read To Disk", &event_task::remote_to_disk_bytes},
    {"Local Bytes Read", &event_task::local_read_bytes},
    {"Total Records Read", &event_task::shuffle_read_records},
};
const metric_key write_keys[] = {
    {"Shuffle Bytes Written", &event_task::shuffle_write_bytes},
    {"Shuffle Write Time", &event_task::shuffle_write_ns},
    {"Shuffle Records Written", &event_task::shuffle_write_records},
};
const metric_key input_keys[] = {{"Bytes Read", &event_task::input_bytes},
                                 {"Records Read", &event_task::input_records}};
const metric_key output_keys[] = {{"Bytes Written", &event_task::output_bytes},
                                  {"Records Written", &event_task::output_records}};
const metric_key executor_keys[] = {
    {"JVMHeapMemory", &event_task::jvm_heap_bytes},
    {"JVMOffHeapMemory", &event_task::jvm_offheap_bytes},
    {"OnHeapExecutionMemory", &event_task::onheap_execution_bytes},
    {"ProcessTreeJVMRSSMemory", &event_task::jvm_rss_bytes},
    {"ProcessTreePythonRSSMemory", &event_task::python_rss_bytes},
    {"TotalGCTime", &event_task::total_gc_ms},
};

template <size_t N>
void set_metric(event_task &task, const metric_key (&keys)[N], std::string_view key, value v) {
    for (const metric_key &k : keys) {
        if (k.key == key) {
            task.*k.field = metric(v);
            return;
        }
    }
}

template <size_t N> void group(context &c, value v, const metric_key (&keys)[N]) {
    fields(c, v,
           [&](std::string_view key, value inner) { set_metric(c.out->task, keys, key, inner); });
}

void metrics(context &c, value v) {
    simdjson::ondemand::json_type type;
    if (v.type().get(type) || type != simdjson::ondemand::json_type::object) {
        return;
    }
    c.out->task.has_metrics = true;
    fields(c, v, [&](std::string_view key, value inner) {
        if (key == "Shuffle Read Metrics") {
            group(c, inner, read_keys);
        } else if (key == "Shuffle Write Metrics") {
            group(c, inner, write_keys);
        } else if (key == "Input Metrics") {
            group(c, inner, input_keys);
        } else if (key == "Output Metrics") {
            group(c, inner, output_keys);
        } else {
            set_metric(c.out->task, metric_keys, key, inner);
        }
    });
}

void accumulable(context &c, value v) {
    event_accum accum = {-1, 0};
    bool sql = false, decimal = false, unwanted = false;
    fields(c, v, [&](std::string_view key, value inner) {
        if (unwanted) {
            return;
        }
        if (key == "ID") {
            accum.id = integer(inner, -1);
            unwanted = c.wanted != nullptr && !idmap_get(c.wanted, accum.id, nullptr);
        } else if (key == "Update") {
            int64_t missing = INT64_MIN;
            int64_t update = integer(inner, missing);
            decimal = update != missing;
            accum.update = update;
        } else if (key == "Metadata") {
            sql = str_is(text(inner), "sql");
        }
    });
    if (accum.id < 0 || unwanted || !sql || !decimal) {
        return;
    }
    if (c.accums.size() >= EVENT_ACCUMS_MAX) {
        c.out->task.accums_truncated = true;
    } else {
        c.accums.push_back(accum);
    }
}

void info(context &c, value v) {
    event_task &t = c.out->task;
    simdjson::ondemand::json_type type;
    if (v.type().get(type) || type != simdjson::ondemand::json_type::object) {
        return;
    }
    t.locality.p = t.locality.p == nullptr ? "" : t.locality.p;
    c.out->task.task_id = -1;
    fields(c, v, [&](std::string_view key, value inner) {
        switch (key.size()) {
        case 4:
            if (key == "Host")
                t.host = text(inner, 256);
            break;
        case 5:
            if (key == "Index")
                t.index = id(inner);
            break;
        case 6:
            if (key == "Failed")
                t.failed = boolean(inner);
            if (key == "Killed")
                t.killed = boolean(inner);
            break;
        case 7:
            if (key == "Task ID")
                t.task_id = integer(inner, -1);
            if (key == "Attempt")
                t.attempt = id(inner);
            break;
        case 8:
            if (key == "Locality")
                t.locality = text(inner, 32);
            break;
        case 11:
            if (key == "Launch Time")
                t.launch_ms = metric(inner);
            if (key == "Finish Time")
                t.finish_ms = metric(inner);
            if (key == "Executor ID")
                t.executor = text(inner, 64);
            if (key == "Speculative")
                t.speculative = boolean(inner);
            break;
        case 12:
            if (key == "Accumulables" && c.out->kind == EVENT_TASK_END &&
                (c.wanted == nullptr || c.wanted->len > 0))
                items(c, inner, [&](value a) { accumulable(c, a); });
            break;
        case 19:
            if (key == "Getting Result Time")
                t.getting_result_ms = metric(inner);
            break;
        default:
            break;
        }
    });
    t.task_id = t.task_id < 0 ? -1 : t.task_id;
    see_time(c, t.launch_ms);
    see_time(c, t.getting_result_ms);
    see_time(c, t.finish_ms);
    c.ints.assign(1, 1); // Task Info was there
}

void reason(context &c, value v) {
    event_task &t = c.out->task;
    fields(c, v, [&](std::string_view key, value inner) {
        if (key == "Reason") {
            t.result = event_task_result(text(inner));
            c.parents.assign(1, 1); // a reason was given
        } else if (key == "Class Name") {
            t.error_class = text(inner, 256);
        } else if (key == "Description" || key == "Message" || key == "Loss Reason" ||
                   key == "Kill Reason") {
            t.error = text(inner, 256);
        } else if (key == "Exit Caused By App") {
            bool b;
            t.exit_caused_by_app = inner.get_bool().get(b) ? -1 : b;
        }
    });
}

} // namespace

void task_field(context &c, std::string_view key, value v) {
    event_task &t = c.out->task;
    if (key == "Stage ID") {
        t.stage = id(v);
    } else if (key == "Stage Attempt ID") {
        int64_t attempt = metric(v);
        t.stage_attempt = attempt > INT32_MAX ? 0 : static_cast<int32_t>(attempt);
    } else if (key == "Task Info") {
        info(c, v);
    } else if (c.out->kind == EVENT_TASK_END) {
        if (key == "Task End Reason") {
            reason(c, v);
        } else if (key == "Task Metrics") {
            metrics(c, v);
        } else if (key == "Task Executor Metrics") {
            group(c, v, executor_keys);
        }
    }
    c.essential = t.stage >= 0 && !c.ints.empty();
    if (c.parents.empty()) {
        t.result = t.failed ? TASK_UNKNOWN_REASON : t.killed ? TASK_KILLED : TASK_SUCCESS;
    }
}

} // namespace decode
