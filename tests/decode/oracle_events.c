// oracle_events: every kind of event as the oracle reads it: each field looked up by its name.
// Plans are walked by recursion, to a depth that is known to fit the stack. Called by oracle.c.
#include <time.h>

#include "base/sat.h"
#include "oracle_rdds.h"

enum { PLAN_DEPTH_MAX = 256 };

static void read_properties(struct oracle *o, const json_t *object) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        struct str name = str_of(key), content = oracle_text_of(value, 256);
        if (!json_is_string(value) || !event_property_allowed(name) ||
            o->property_count == EVENT_PROPERTIES_MAX) {
            continue;
        }
        if (strcmp(key, "spark.master") == 0) {
            for (size_t i = 0; i < content.len; i++) {
                content.len = strchr(":[", content.p[i]) != NULL ? i : content.len;
            }
        }
        MEM_GROW(o->properties, o->property_count, o->property_cap);
        o->properties[o->property_count++] = (struct event_property){name, content};
    }
}

static bool read_stage(struct oracle *o, const json_t *event, struct event *out) {
    const json_t *info = oracle_field(event, "Stage Info");
    struct event_stage *s = &out->stage;
    s->id = oracle_id32(info, "Stage ID");
    s->attempt = oracle_id32(info, "Stage Attempt ID");
    s->attempt = s->attempt < 0 ? 0 : s->attempt;
    s->name = oracle_text(info, "Stage Name", 256);
    s->failure = oracle_text(info, "Failure Reason", 512);
    s->tasks = oracle_id64(info, "Number of Tasks");
    s->submitted_ms = oracle_metric(info, "Submission Time");
    s->completed_ms = oracle_metric(info, "Completion Time");
    s->profile_id = oracle_id32(info, "Resource Profile Id");
    read_rdds(oracle_field(info, "RDD Info"), s);
    s->python = (s->works & WORK_PYTHON_RDD) != 0;
    oracle_time(out, s->submitted_ms);
    oracle_time(out, s->completed_ms);
    if (out->kind == EVENT_STAGE_SUBMITTED) {
        read_properties(o, oracle_field(event, "Properties"));
    }
    s->properties = o->properties;
    s->property_count = (uint32_t)o->property_count;
    return s->id >= 0;
}

static void see_stage(struct event_job *j, int32_t id) {
    if (id >= 0) {
        j->first_stage =
            j->first_stage == 0 || id + 1LL < j->first_stage ? id + 1LL : j->first_stage;
        j->last_stage = id >= j->last_stage ? id + 1LL : j->last_stage;
    }
}

static int32_t id32_of(const json_t *value) {
    int64_t id;
    return oracle_integer(value, &id) && id >= 0 && id <= INT32_MAX ? (int32_t)id : -1;
}

static void read_job_stages(const json_t *event, struct event_job *j) {
    int32_t named = -1;
    size_t i;
    json_t *entry;
    j->site = STR("");
    json_array_foreach((json_t *)oracle_field(event, "Stage Infos"), i, entry) {
        int32_t id = oracle_id32(entry, "Stage ID");
        see_stage(j, id);
        if (id > named) {
            named = id;
            j->site = oracle_text(entry, "Stage Name", 256);
        }
    }
    json_array_foreach((json_t *)oracle_field(event, "Stage IDs"), i, entry) {
        see_stage(j, id32_of(entry));
    }
}

static bool read_job(struct oracle *o, const json_t *event, struct event *out) {
    struct event_job *j = &out->job;
    j->id = oracle_id32(event, "Job ID");
    j->error = STR("");
    if (out->kind == EVENT_JOB_START) {
        read_properties(o, oracle_field(event, "Properties"));
        read_job_stages(event, j);
    } else {
        const json_t *result = oracle_field(event, "Job Result");
        j->succeeded =
            !str_is(oracle_word_of(oracle_field(result, "Result"), SIZE_MAX), "JobFailed");
        j->error = oracle_text(oracle_field(result, "Exception"), "Message", 512);
    }
    j->properties = o->properties;
    j->property_count = (uint32_t)o->property_count;
    return j->id >= 0;
}

// The resource's place in a list, by its name; one that nobody reads if it is full.
static struct event_resource *resource(struct event_resource *list, uint32_t *count,
                                       const char *name) {
    static struct event_resource none;
    int32_t id = event_resource_id(str_of(name));
    uint32_t i = 0;
    for (; i < *count && list[i].id != id; i++) {
    }
    bool room = i < EVENT_RESOURCES_MAX && id != 0;
    *count += room && i == *count;
    list[room ? i : 0].id = room ? id : list[0].id;
    return room ? &list[i] : &none;
}

static void read_resources(const json_t *resources, struct event_executor *e) {
    const char *name;
    json_t *one;
    json_object_foreach((json_t *)resources, name, one) {
        resource(e->resources, &e->resource_count, name)->executor =
            (int64_t)json_array_size(oracle_field(one, "addresses"));
    }
}

static void read_executor(const json_t *event, struct event_executor *e) {
    const json_t *info = oracle_field(event, "Executor Info");
    e->id = oracle_name(event, "Executor ID", 64);
    e->reason = oracle_text(event, "Removed Reason", 512);
    e->host = oracle_name(info, "Host", 256);
    e->cores = oracle_metric(info, "Total Cores");
    read_resources(oracle_field(info, "Resources"), e);
    e->profile_id = oracle_id32(info, "Resource Profile Id");
    e->request_ms = oracle_metric(info, "Request Time");
    e->registration_ms = oracle_metric(info, "Registration Time");
}

static int64_t amount(const json_t *event, const char *resource) {
    const json_t *requests = oracle_field(event, "Executor Resource Requests");
    return oracle_metric(oracle_field(requests, resource), "Amount");
}

static void read_requests(const json_t *requests, bool of_task, struct event_resource_profile *p) {
    const char *own = of_task ? "/cpus/" : "/cores/memory/memoryOverhead/offHeap/pyspark.memory/";
    const char *name;
    json_t *one;
    json_object_foreach((json_t *)requests, name, one) {
        char word[64];
        snprintf(word, sizeof word, "/%s/", name);
        double amount = json_number_value(oracle_field(one, "Amount"));
        if (strstr(own, word) == NULL && of_task) {
            resource(p->resources, &p->resource_count, name)->task = amount > 0 ? amount : 0;
        } else if (strstr(own, word) == NULL) {
            resource(p->resources, &p->resource_count, name)->executor =
                amount > 0 && amount < INT32_MAX ? (int64_t)amount : 0;
        }
    }
}

static void read_profile(const json_t *event, struct event_resource_profile *p) {
    const json_t *cpus = oracle_field(oracle_field(event, "Task Resource Requests"), "cpus");
    double task_cpus = json_number_value(oracle_field(cpus, "Amount"));
    p->id = oracle_id32(event, "Resource Profile Id");
    p->cores = amount(event, "cores");
    p->memory_mib = amount(event, "memory");
    p->overhead_mib = amount(event, "memoryOverhead");
    p->offheap_mib = amount(event, "offHeap");
    p->pyspark_mib = amount(event, "pyspark.memory");
    p->task_cpus = task_cpus > 0 ? task_cpus : 0;
    p->asks_executors = json_object_size(oracle_field(event, "Executor Resource Requests")) > 0;
    read_requests(oracle_field(event, "Executor Resource Requests"), false, p);
    read_requests(oracle_field(event, "Task Resource Requests"), true, p);
}

static void read_exclusion(const json_t *event, struct event_exclusion *e) {
    bool of_node = oracle_field(event, "executorFailures") != NULL;
    e->executor = oracle_name(event, "executorId", 64);
    e->host = oracle_name(event, "hostId", 256);
    e->failures = oracle_metric(event, of_node ? "executorFailures" : "taskFailures");
    e->stage = oracle_id32(event, "stageId");
    e->stage_attempt = oracle_id32(event, "stageAttemptId");
}

static void read_block_manager(const json_t *event, struct event_block_manager *b) {
    b->executor = oracle_name(oracle_field(event, "Block Manager ID"), "Executor ID", 64);
    b->max_bytes = oracle_metric(event, "Maximum Memory");
    b->onheap_bytes = oracle_metric(event, "Maximum Onheap Memory");
    b->offheap_bytes = oracle_metric(event, "Maximum Offheap Memory");
}

static void read_environment(struct oracle *o, const json_t *event, struct event_environment *e) {
    const json_t *jvm = oracle_field(event, "JVM Information");
    read_properties(o, oracle_field(event, "Spark Properties"));
    e->properties = o->properties;
    e->property_count = (uint32_t)o->property_count;
    e->java_version = oracle_text(jvm, "Java Version", 64);
    e->scala_version = oracle_text(jvm, "Scala Version", 64);
}

static void read_application(const json_t *event, struct event *out) {
    if (out->kind == EVENT_APP_START) {
        out->app_start.name = oracle_text(event, "App Name", 512);
        out->app_start.app_id = oracle_name(event, "App ID", 256);
        out->app_start.attempt = oracle_name(event, "App Attempt ID", 32);
        out->app_start.user = oracle_text(event, "User", 512);
    } else {
        int64_t code = 0;
        out->app_end.has_exit_code = oracle_integer(oracle_field(event, "ExitCode"), &code);
        out->app_end.exit_code = code;
    }
}

static void read_task_info(const json_t *info, struct event *out) {
    struct event_task *t = &out->task;
    t->task_id = oracle_id64(info, "Task ID");
    t->index = oracle_id32(info, "Index");
    t->attempt = oracle_id32(info, "Attempt");
    t->launch_ms = oracle_metric(info, "Launch Time");
    t->finish_ms = oracle_metric(info, "Finish Time");
    t->getting_result_ms = oracle_metric(info, "Getting Result Time");
    t->executor = oracle_name(info, "Executor ID", 64);
    t->host = oracle_name(info, "Host", 256);
    t->locality = event_task_locality(oracle_word_of(oracle_field(info, "Locality"), 16));
    t->speculative = oracle_true(info, "Speculative");
    t->failed = oracle_true(info, "Failed");
    t->killed = oracle_true(info, "Killed");
    oracle_time(out, t->launch_ms);
    oracle_time(out, t->finish_ms);
    oracle_time(out, t->getting_result_ms);
}

static void read_reason(const json_t *reason, struct event_task *t) {
    static const char *const texts[] = {"Description", "Message", "Loss Reason", "Kill Reason"};
    static const size_t most[] = {SIZE_MAX, SIZE_MAX, 4096, 256};
    struct str name = oracle_word_of(oracle_field(reason, "Reason"), 64);
    if (name.len > 0) {
        t->result = event_task_result(name);
    } else {
        t->result = t->failed ? TASK_UNKNOWN_REASON : t->killed ? TASK_KILLED : TASK_SUCCESS;
    }
    t->error_class = oracle_text(reason, "Class Name", 256);
    for (unsigned i = 0; i < ARRAY_LEN(texts) && t->error.len == 0; i++) {
        t->error = oracle_word_of(oracle_field(reason, texts[i]), most[i]);
    }
    t->stack = oracle_word_of(oracle_field(reason, "Full Stack Trace"), SIZE_MAX);
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

static void read_task_metrics(const json_t *metrics, struct event_task *t) {
    const json_t *input = oracle_field(metrics, "Input Metrics");
    const json_t *output = oracle_field(metrics, "Output Metrics");
    t->has_metrics = json_is_object(metrics);
    t->deserialize_ms = oracle_metric(metrics, "Executor Deserialize Time");
    t->deserialize_cpu_ns = oracle_metric(metrics, "Executor Deserialize CPU Time");
    t->run_ms = oracle_metric(metrics, "Executor Run Time");
    t->cpu_ns = oracle_id64(metrics, "Executor CPU Time");
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

static void read_executor_metrics(const json_t *metrics, struct event_task *t) {
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
            !str_is(oracle_word_of(oracle_field(entry, "Metadata"), SIZE_MAX), "sql") ||
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

static bool read_task(struct oracle *o, const json_t *event, const struct idmap *wanted,
                      struct event *out) {
    const json_t *info = oracle_field(event, "Task Info");
    struct event_task *t = &out->task;
    t->stage = oracle_id32(event, "Stage ID");
    t->stage_attempt = oracle_id32(event, "Stage Attempt ID");
    t->stage_attempt = t->stage_attempt < 0 ? 0 : t->stage_attempt;
    t->exit_caused_by_app = -1;
    read_task_info(info, out);
    if (out->kind == EVENT_TASK_END) {
        read_reason(oracle_field(event, "Task End Reason"), t);
        read_task_metrics(oracle_field(event, "Task Metrics"), t);
        read_executor_metrics(oracle_field(event, "Task Executor Metrics"), t);
        read_accums(o, oracle_field(info, "Accumulables"), wanted, t);
        t->accums_truncated |= oracle_true(event, "Stoker Cut");
    }
    return t->stage >= 0 && json_is_object(info);
}

static void add_metrics(struct oracle *o, const json_t *list, struct event_plan *plan) {
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)list, i, entry) {
        struct event_plan_metric metric = {oracle_word_of(oracle_field(entry, "name"), 256),
                                           oracle_word_of(oracle_field(entry, "metricType"), 64),
                                           oracle_id64(entry, "accumulatorId")};
        if (o->metric_count == EVENT_PLAN_METRICS_MAX) {
            plan->truncated = true;
            return;
        }
        if (metric.accum_id >= 0) {
            MEM_GROW(o->metrics, o->metric_count, o->metric_cap);
            o->metrics[o->metric_count++] = metric;
        }
    }
}

static void add_node(struct oracle *o, const json_t *node, int32_t parent, int depth,
                     struct event_plan *plan) {
    if (!json_is_object(node)) {
        return;
    }
    if (depth == PLAN_DEPTH_MAX || o->node_count == EVENT_PLAN_NODES_MAX) {
        plan->truncated = true;
        return;
    }
    struct str name = oracle_word_of(oracle_field(node, "nodeName"), 256);
    uint32_t first = (uint32_t)o->metric_count;
    add_metrics(o, oracle_field(node, "metrics"), plan);
    int32_t self = (int32_t)o->node_count;
    MEM_GROW(o->nodes, o->node_count, o->node_cap);
    struct str text = oracle_word_of(oracle_field(node, "simpleString"), 512);
    bool join = operator_join_way(name) != JOIN_WAY_NONE;
    bool may_change =
        str_is(name, "AdaptiveSparkPlan") && str_contains(text, STR("isFinalPlan=false"));
    uint32_t count = (uint32_t)o->metric_count - first;
    o->nodes[o->node_count++] = (struct event_plan_node){
        name, parent, first, count, join ? operator_join_type(text) : JOIN_UNKNOWN, may_change};
    size_t i;
    json_t *child;
    json_array_foreach((json_t *)oracle_field(node, "children"), i, child) {
        add_node(o, child, self, depth + 1, plan);
    }
}

static void add_driver_updates(struct oracle *o, const json_t *list) {
    size_t i;
    json_t *pair;
    json_array_foreach((json_t *)list, i, pair) {
        int64_t id = -1, update = 0;
        if (json_array_size(pair) != 2 || !oracle_integer(json_array_get(pair, 0), &id) || id < 0 ||
            o->accum_count == EVENT_ACCUMS_MAX) {
            continue;
        }
        if (!oracle_integer(json_array_get(pair, 1), &update) || update < 0) {
            update = 0;
        }
        MEM_GROW(o->accums, o->accum_count, o->accum_cap);
        o->accums[o->accum_count++] = (struct event_accum){id, update};
    }
}

static void read_sql(struct oracle *o, const json_t *event, struct event *out) {
    struct event_sql *s = &out->sql;
    const json_t *error = oracle_field(event, "errorMessage");
    s->plan.truncated = oracle_true(event, "Stoker Cut");
    s->execution_id = oracle_id64(event, "executionId");
    s->root_execution_id = oracle_id64(event, "rootExecutionId");
    s->has_error = json_is_string(error);
    s->description = oracle_text(event, "description", 512);
    s->details = oracle_text(event, "details", 512);
    s->error = oracle_text_of(error, 512);
    s->whole_error = oracle_word_of(error, SIZE_MAX);
    add_node(o, oracle_field(event, "sparkPlanInfo"), -1, 0, &s->plan);
    add_metrics(o, oracle_field(event, "sqlPlanMetrics"), &s->plan);
    add_driver_updates(o, oracle_field(event, "accumUpdates"));
    s->plan.nodes = o->nodes;
    s->plan.node_count = (uint32_t)o->node_count;
    s->plan.metrics = o->metrics;
    s->plan.metric_count = (uint32_t)o->metric_count;
    s->accums = o->accums;
    s->accum_count = (uint32_t)o->accum_count;
}

static void read_names(const json_t *object, struct event_stream *s) {
    s->query_id = oracle_name(object, "id", 64);
    s->run_id = oracle_name(object, "runId", 64);
    s->name = oracle_text(object, "name", 256);
}

static double rate(const json_t *source, const char *key) {
    double number = json_number_value(oracle_field(source, key));
    return number > 0 ? number : 0;
}

// Spark's way to write an instant, and no other.
static int64_t instant(const json_t *text) {
    struct tm tm = {0};
    const char *s = json_string_value(text);
    size_t digits = 0;
    if (s == NULL || json_string_length(text) != 24 || s[10] != 'T' || s[19] != '.' ||
        s[23] != 'Z' || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':') {
        return 0;
    }
    for (const char *p = s; *p != '\0'; p++) {
        digits += *p >= '0' && *p <= '9';
    }
    long year = strtol(s, NULL, 10), month = strtol(s + 5, NULL, 10), day = strtol(s + 8, NULL, 10);
    tm.tm_hour = (int)strtol(s + 11, NULL, 10);
    tm.tm_min = (int)strtol(s + 14, NULL, 10);
    tm.tm_sec = (int)strtol(s + 17, NULL, 10);
    if (digits != 17 || year < 1970 || year >= 2100 || month < 1 || month > 12 || day < 1 ||
        day > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59) {
        return 0;
    }
    tm.tm_year = (int)year - 1900;
    tm.tm_mon = (int)month - 1;
    tm.tm_mday = (int)day;
    return (int64_t)timegm(&tm) * 1000 + strtol(s + 20, NULL, 10);
}

static void read_stream(const json_t *event, struct event *out) {
    struct event_stream *s = &out->stream;
    const json_t *progress = oracle_field(event, "progress");
    size_t i;
    json_t *source;
    read_names(json_is_object(progress) ? progress : event, s);
    s->error = oracle_text(event, "exception", 512);
    s->began_ms = instant(oracle_field(progress, "timestamp"));
    s->batch_id = oracle_id64(progress, "batchId");
    s->batch_ms = oracle_metric(progress, "batchDuration");
    s->trigger_ms = oracle_metric(oracle_field(progress, "durationMs"), "triggerExecution");
    json_array_foreach((json_t *)oracle_field(progress, "sources"), i, source) {
        sat_inc(&s->input_rows, oracle_metric(source, "numInputRows"));
        s->input_per_s += rate(source, "inputRowsPerSecond");
        s->processed_per_s += rate(source, "processedRowsPerSecond");
    }
}

// The name of a class without its package.
static const char *bare(const char *name) {
    const char *dot = strrchr(name, '.'), *dollar = strrchr(name, '$');
    const char *last = dot == NULL || (dollar != NULL && dollar > dot) ? dollar : dot;
    return last == NULL ? name : last + 1;
}

static void read_report(const json_t *event, struct event_listener_report *report) {
    static const char *const lists[] = {"Dropped", "Refused", "Cut"};
    report->accepted = oracle_metric(event, "Accepted");
    report->slimmed = oracle_metric(event, "Slimmed");
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)oracle_field(event, lists[i]), key, value) {
            bool known = false;
            for (int kind = 1; kind < EVENT_KIND_COUNT; kind++) {
                known |= strcmp(bare(key), bare(event_kind_name((enum event_kind)kind))) == 0;
            }
            int64_t *at = strcmp(bare(key), "SparkListenerTaskEnd") == 0 ? &report->lost_task_ends
                                                                         : &report->lost_others;
            at = i < 2 && !known ? &report->lost_unread : at;
            at = i == 2 ? &report->cut : at;
            sat_inc(at, i == 2 && !known ? 0 : oracle_metric(oracle_field(event, lists[i]), key));
        }
    }
}

static bool read_other(struct oracle *o, const json_t *event, struct event *out) {
    switch (out->kind) {
    case EVENT_LOG_START:
    case EVENT_DB_METADATA:
        out->version = oracle_text(event, "Spark Version", 64);
        return true;
    case EVENT_APP_START:
    case EVENT_APP_END:
        read_application(event, out);
        return true;
    case EVENT_ENVIRONMENT:
        read_environment(o, event, &out->environment);
        return true;
    case EVENT_LISTENER_REPORT:
        read_report(event, &out->report);
        return true;
    case EVENT_RESOURCE_PROFILE:
        read_profile(event, &out->profile);
        return true;
    case EVENT_EXECUTOR_ADDED:
    case EVENT_EXECUTOR_REMOVED:
        read_executor(event, &out->executor);
        return true;
    case EVENT_BLOCK_MANAGER_ADDED:
        read_block_manager(event, &out->block_manager);
        return true;
    case EVENT_JOB_START:
    case EVENT_JOB_END:
        return read_job(o, event, out);
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        return read_stage(o, event, out);
    case EVENT_EXECUTOR_EXCLUDED:
    case EVENT_EXECUTOR_BLACKLISTED:
    case EVENT_EXECUTOR_EXCLUDED_STAGE:
    case EVENT_EXECUTOR_BLACKLISTED_STAGE:
    case EVENT_NODE_EXCLUDED:
    case EVENT_NODE_BLACKLISTED:
    case EVENT_NODE_EXCLUDED_STAGE:
    case EVENT_NODE_BLACKLISTED_STAGE:
        read_exclusion(event, &out->exclusion);
        return true;
    default:
        return true;
    }
}

bool oracle_fill(struct oracle *o, const json_t *event, const struct idmap *wanted,
                 struct event *out) {
    switch (out->kind) {
    case EVENT_TASK_START:
    case EVENT_TASK_END:
        return read_task(o, event, wanted, out);
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        read_sql(o, event, out);
        return true;
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_PROGRESS:
    case EVENT_STREAM_TERMINATED:
    case EVENT_STREAM_IDLE:
        read_stream(event, out);
        return true;
    default:
        return read_other(o, event, out);
    }
}
