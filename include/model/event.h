// event: one Spark listener event as plain data: only the fields the agent uses, in Spark's own
// units. Filled by decode, read by state. All strings and arrays are borrowed from the decoder and
// die with its next call, so nothing here is ever freed.
//
// What is missing: a time is 0, an id or index is -1, a metric is 0 (negative metrics become 0
// too) unless it says otherwise, a string is empty, a number of the wrong type counts as missing.
// Integers written as strings are accepted, floats are truncated, integers beyond int64 are
// missing.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/operator.h"

enum event_kind {
    EVENT_OTHER = 0, // a type the agent does not use
#define EVENT_KIND(id, name) EVENT_##id,
#include "model/event_kinds.def"
#undef EVENT_KIND
    EVENT_KIND_COUNT
};

// Later times are not times (the year 2100).
#define EVENT_TIME_MAX_MS INT64_C(4102444800000)

enum { EVENT_ACCUMS_MAX = 4096, EVENT_PROPERTIES_MAX = 256 };
enum { EVENT_PLAN_NODES_MAX = 10000, EVENT_PLAN_METRICS_MAX = 100000 };

// The properties of Spark that may be kept, by their fixed numbers.
enum property {
    PROPERTY_NONE = 0, // not one of them
#define PROPERTY(number, id, key) PROPERTY_##id = (number),
#define PROPERTY_OF_JOB PROPERTY
#define PROPERTY_FAMILY PROPERTY
#include "model/properties.def"
#undef PROPERTY
#undef PROPERTY_OF_JOB
#undef PROPERTY_FAMILY
    PROPERTY_COUNT
};

// An allow-listed property (event_property_allowed), key and value borrowed.
struct event_property {
    struct str key;
    struct str value;
};

// One SQL accumulator update of a task (Metadata = "sql", decimal Update only) or of the driver.
struct event_accum {
    int64_t id;
    int64_t update;
};

// One node of a physical plan, in depth-first order; `parent` is an index into the array or -1.
struct event_plan_node {
    struct str name;
    int32_t parent;
    uint32_t first_metric; // into plan.metrics
    uint32_t metric_count;
    enum join_type join; // of a join
    bool unfinished;     // an adaptive plan that may still change
};
struct event_plan_metric {
    struct str name;
    struct str type; // "sum", "size", "timing", "nsTiming", "average", ...
    int64_t accum_id;
};
struct event_plan {
    const struct event_plan_node *nodes;
    uint32_t node_count;
    const struct event_plan_metric *metrics;
    uint32_t metric_count;
    bool truncated; // a limit cut it, here or where it was sent
};

enum task_result {
    TASK_SUCCESS,
    TASK_EXCEPTION,
    TASK_FETCH_FAILED,
    TASK_KILLED,
    TASK_COMMIT_DENIED,
    TASK_EXECUTOR_LOST,
    TASK_RESUBMITTED,
    TASK_RESULT_LOST,
    TASK_UNKNOWN_REASON // any other text
};

// Where a task ran, as seen from its data.
enum task_locality {
    LOCALITY_NONE, // it had no preference, or nobody told
    LOCALITY_NEAR, // in the process or on the node that has them
    LOCALITY_FAR   // on another node
};

struct event_app_start {
    struct str name, app_id, attempt, user;
};
struct event_app_end {
    bool has_exit_code;
    int64_t exit_code;
};
struct event_environment {
    const struct event_property *properties; // Spark Properties
    uint32_t property_count;
    struct str java_version, scala_version;
};
// An amount of a resource beside cores and memory ("gpu"), by an id of its name.
enum { EVENT_RESOURCES_MAX = 4 };
struct event_resource {
    int32_t id;       // event_resource_id
    double task;      // that a task needs; 0 if absent
    int64_t executor; // that an executor has or is asked to have; 0 if absent
};
struct event_resource_profile {
    int32_t id;
    bool asks_executors; // it says anything of what executors are to have
    struct event_resource resources[EVENT_RESOURCES_MAX];
    uint32_t resource_count;
    int64_t cores, memory_mib, overhead_mib, offheap_mib, pyspark_mib;
    double task_cpus; // 0 if absent
};
struct event_executor {
    struct str id, host, reason; // reason: ExecutorRemoved only
    int64_t cores;
    int32_t profile_id;
    int64_t request_ms, registration_ms;
    struct event_resource resources[EVENT_RESOURCES_MAX];
    uint32_t resource_count;
};
struct event_exclusion {
    struct str executor, host;
    int64_t failures;
    int32_t stage, stage_attempt;
};
struct event_block_manager {
    struct str executor;
    int64_t max_bytes, onheap_bytes, offheap_bytes;
};
struct event_job {
    int32_t id;
    const struct event_property *properties; // JobStart
    uint32_t property_count;
    int64_t first_stage, last_stage; // JobStart: smallest and largest id of its stages, plus one
    struct str site;                 // JobStart: name of the last of its Stage Infos: its result
    bool succeeded;                  // JobEnd: it did not say JobFailed
    struct str error;                // JobEnd: Exception.Message
};
struct event_stage {
    int32_t id, attempt;
    struct str name, failure;
    int64_t tasks; // Number of Tasks, -1 if absent
    int64_t submitted_ms, completed_ms;
    bool python;    // one of its RDDs runs Python workers
    unsigned works; // of its RDDs, by their classes and scopes: see model/operator.h
    uint32_t shape; // likewise
    // Partitions of that of its RDDs that has most, and of that which is to be kept in memory and
    // nowhere else; 0: none, or not told.
    int64_t partitions_most, memory_only;
    int32_t profile_id;
    const struct event_property *properties; // StageSubmitted
    uint32_t property_count;
};
struct event_task {
    int32_t stage, stage_attempt;
    int64_t task_id;
    int32_t index, attempt;
    int64_t launch_ms, finish_ms, getting_result_ms;
    struct str executor, host;
    enum task_locality locality;
    bool speculative, failed, killed;
    // TaskEnd only
    enum task_result result;
    struct str error_class; // ExceptionFailure: Class Name
    // As they came, secrets and all: to be looked at, never to be kept or shown.
    struct str error;       // Description, Message, Loss Reason or Kill Reason
    struct str stack;       // ExceptionFailure: Full Stack Trace
    int exit_caused_by_app; // 1, 0, or -1 unknown
    bool has_metrics;
    int64_t cpu_ns; // -1 if missing: Spark before 2.1 does not tell it, and that is not 0
    int64_t deserialize_ms, deserialize_cpu_ns, run_ms, peak_memory_bytes, result_bytes;
    int64_t gc_ms, serialize_ms, memory_spill_bytes, disk_spill_bytes;
    int64_t fetch_wait_ms, remote_read_bytes, local_read_bytes, remote_to_disk_bytes;
    int64_t shuffle_read_records, shuffle_write_bytes, shuffle_write_ns, shuffle_write_records;
    int64_t input_bytes, input_records, output_bytes, output_records;
    int64_t jvm_heap_bytes, jvm_offheap_bytes, onheap_execution_bytes, jvm_rss_bytes,
        python_rss_bytes;
    int64_t total_gc_ms;
    const struct event_accum *accums;
    uint32_t accum_count;
    bool accums_truncated;
};
struct event_sql {
    int64_t execution_id, root_execution_id; // -1 if absent
    struct str description, details;         // SQLExecutionStart; details: its call site
    struct event_plan plan;           // Start, adaptive plan; metrics only for adaptive metrics
    bool has_error;                   // SQLExecutionEnd: errorMessage present
    struct str error;                 // "" with has_error = success
    struct str whole_error;           // all of it as it came: to be looked at, never to be kept
    const struct event_accum *accums; // driver accumulator updates, in order, ids may repeat
    uint32_t accum_count;
};
struct event_stream {
    struct str query_id, run_id, name, error;
    int64_t batch_id, batch_ms, trigger_ms, input_rows; // input_rows: sum over the sources
    int64_t began_ms;                                   // of the batch; no time of the event
    double input_per_s, processed_per_s;                // rows: sums of what is a number; 0 unknown
};

// What a listener says it did since its driver began: totals, 0 if missing or negative.
struct event_listener_report {
    int64_t accepted;                                 // events that there were to send
    int64_t lost_task_ends, lost_others, lost_unread; // that it did not send: unread by the agent
    int64_t cut;     // sent without what they could not do without; of events that are read
    int64_t slimmed; // sent without what nobody reads
};

struct event {
    enum event_kind kind;
    struct str name;   // the "Event" text
    int64_t time_ms;   // the largest timestamp the event carries; 0 if it has none
    int64_t first_ms;  // the smallest
    struct str app_id; // found in the value (ApplicationStart, properties, wrapper); may be empty
    struct str app_attempt;
    struct str version; // LOG_START, DB_METADATA
    bool cut;           // whoever sent it says that it holds less than Spark said: "Stoker Cut"
    union {
        struct event_app_start app_start;
        struct event_app_end app_end;
        struct event_environment environment;
        struct event_resource_profile profile;
        struct event_executor executor; // added, removed
        struct event_exclusion exclusion;
        struct event_block_manager block_manager;
        struct event_job job;
        struct event_stage stage;
        struct event_task task; // start, end
        struct event_sql sql;
        struct event_stream stream;
        struct event_listener_report report;
    };
};

// The kind of an "Event" text; EVENT_OTHER if unknown.
enum event_kind event_kind_of(struct str name);
// The "Event" text of a kind ("" for EVENT_OTHER).
const char *event_kind_name(enum event_kind kind);
// The result class of a Task End Reason text.
enum task_result event_task_result(struct str reason);
// The class of a Locality text.
enum task_locality event_task_locality(struct str locality);
// Which property a key is, or which family it is of; PROPERTY_NONE if it may not be kept: it is not
// in the list, or looks like a secret.
enum property event_property_of(struct str key);
// An id of a resource's name, above 0: names are only compared. 0 for none.
int32_t event_resource_id(struct str name);
// True if it is one of them.
bool event_property_allowed(struct str key);
// The key, of a family the beginning of its keys; static. "" of a number that is not used.
const char *property_key(enum property property);
// True if it says something of the run as a whole.
bool property_is_of_run(enum property property);
// True if it is a family: the rest of the key is the member's name.
bool property_is_family(enum property property);
