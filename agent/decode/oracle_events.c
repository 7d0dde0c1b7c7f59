// oracle_events: the application, its executors, jobs and stages as the oracle reads them.
#include "oracle_priv.h"

void oracle_properties(struct oracle *o, const json_t *object) {
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

static void add_ids(struct oracle *o, const json_t *list) {
    size_t i;
    json_t *value;
    json_array_foreach((json_t *)list, i, value) {
        int64_t id;
        if (oracle_integer(value, &id) && id >= 0 && id <= INT32_MAX &&
            o->id_count < EVENT_STAGE_IDS_MAX) {
            MEM_GROW(o->ids, o->id_count, o->id_cap);
            o->ids[o->id_count++] = (int32_t)id;
        }
    }
}

static bool runs_python(const json_t *rdds) {
    size_t i;
    json_t *rdd;
    json_array_foreach((json_t *)rdds, i, rdd) {
        if (str_is(oracle_text(rdd, "Name", SIZE_MAX), "PythonRDD")) {
            return true;
        }
    }
    return false;
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
    s->python = runs_python(oracle_field(info, "RDD Info"));
    oracle_time(out, s->submitted_ms);
    oracle_time(out, s->completed_ms);
    add_ids(o, oracle_field(info, "Parent IDs"));
    if (out->kind == EVENT_STAGE_SUBMITTED) {
        oracle_properties(o, oracle_field(event, "Properties"));
    }
    s->parents = o->ids;
    s->parent_count = (uint32_t)o->id_count;
    s->properties = o->properties;
    s->property_count = (uint32_t)o->property_count;
    return s->id >= 0;
}

static bool read_job(struct oracle *o, const json_t *event, struct event *out) {
    struct event_job *j = &out->job;
    j->id = oracle_id32(event, "Job ID");
    j->error = STR("");
    if (out->kind == EVENT_JOB_START) {
        add_ids(o, oracle_field(event, "Stage IDs"));
        oracle_properties(o, oracle_field(event, "Properties"));
    } else {
        const json_t *result = oracle_field(event, "Job Result");
        j->succeeded = !str_is(oracle_text(result, "Result", SIZE_MAX), "JobFailed");
        j->error = oracle_text(oracle_field(result, "Exception"), "Message", 512);
    }
    j->stages = o->ids;
    j->stage_count = (uint32_t)o->id_count;
    j->properties = o->properties;
    j->property_count = (uint32_t)o->property_count;
    return j->id >= 0;
}

static void read_executor(const json_t *event, struct event_executor *e) {
    const json_t *info = oracle_field(event, "Executor Info");
    e->id = oracle_text(event, "Executor ID", 64);
    e->reason = oracle_text(event, "Removed Reason", 512);
    e->host = oracle_text(info, "Host", 256);
    e->cores = oracle_metric(info, "Total Cores");
    e->profile_id = oracle_id32(info, "Resource Profile Id");
    e->request_ms = oracle_metric(info, "Request Time");
    e->registration_ms = oracle_metric(info, "Registration Time");
}

static int64_t amount(const json_t *event, const char *resource) {
    const json_t *requests = oracle_field(event, "Executor Resource Requests");
    return oracle_metric(oracle_field(requests, resource), "Amount");
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
}

static void read_exclusion(const json_t *event, struct event_exclusion *e) {
    bool of_node = oracle_field(event, "executorFailures") != NULL;
    e->executor = oracle_text(event, "executorId", 64);
    e->host = oracle_text(event, "hostId", 256);
    e->failures = oracle_metric(event, of_node ? "executorFailures" : "taskFailures");
    e->stage = oracle_id32(event, "stageId");
    e->stage_attempt = oracle_id32(event, "stageAttemptId");
}

static void read_block_manager(const json_t *event, struct event_block_manager *b) {
    b->executor = oracle_text(oracle_field(event, "Block Manager ID"), "Executor ID", 64);
    b->max_bytes = oracle_metric(event, "Maximum Memory");
    b->onheap_bytes = oracle_metric(event, "Maximum Onheap Memory");
    b->offheap_bytes = oracle_metric(event, "Maximum Offheap Memory");
}

static void read_environment(struct oracle *o, const json_t *event, struct event_environment *e) {
    const json_t *jvm = oracle_field(event, "JVM Information");
    oracle_properties(o, oracle_field(event, "Spark Properties"));
    e->properties = o->properties;
    e->property_count = (uint32_t)o->property_count;
    e->java_version = oracle_text(jvm, "Java Version", 64);
    e->scala_version = oracle_text(jvm, "Scala Version", 64);
}

static void read_application(const json_t *event, struct event *out) {
    if (out->kind == EVENT_APP_START) {
        out->app_start.name = oracle_text(event, "App Name", 256);
        out->app_start.app_id = oracle_text(event, "App ID", 256);
        out->app_start.attempt = oracle_text(event, "App Attempt ID", 32);
        out->app_start.user = oracle_text(event, "User", 128);
    } else {
        int64_t code = 0;
        out->app_end.has_exit_code = oracle_integer(oracle_field(event, "ExitCode"), &code);
        out->app_end.exit_code = code;
    }
}

bool oracle_other(struct oracle *o, const json_t *event, struct event *out) {
    switch (out->kind) {
    case EVENT_OTHER:
        return true;
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
    default:
        read_exclusion(event, &out->exclusion);
        return true;
    }
}
