// decode_events: the application, its executors, jobs and stages, which are rare and small beside
// task ends, and the table of all kinds. Of properties only allow-listed ones are kept, and only
// their text; hundreds of others, some of them secrets, are never copied.
extern "C" {
#include "base/sat.h"
#include "base/scrub.h"
}

#include "decode_rdds.h"

namespace decode {

namespace {

// Of names whose end is told to be missing: more than anybody keeps.
constexpr size_t NAME_READ_MAX = 512;
constexpr size_t APP_ID_MAX = 256, ATTEMPT_MAX = 32;

bool may_keep(const context &c, str key) {
    for (unsigned i = 0; i < c.more_property_count; i++) {
        if (str_is(key, c.more_properties[i])) {
            return !scrub_hides_property(key);
        }
    }
    return event_property_allowed(key);
}

// The key, in the parser's buffer, if it is one that may be kept.
bool allowed_key(context &c, field &f, str *out) {
    const char *raw = f.key().raw();
    size_t len = 0;
    while (raw[len] != '"' && raw[len] != '\\') {
        len++;
    }
    bool escaped = raw[len] == '\\';
    if (!escaped && !may_keep(c, {raw, len})) {
        return false;
    }
    std::string_view name;
    if (f.unescaped_key().get(name)) {
        c.broken = true;
        return false;
    }
    *out = view(name);
    return !escaped || may_keep(c, *out);
}

// Of spark.master only what it is, not where: "spark", "k8s", "local".
str kind_of_master(str master) {
    size_t len = 0;
    while (len < master.len && master.p[len] != ':' && master.p[len] != '[') {
        len++;
    }
    return {master.p, len};
}

void add_property(context &c, str key, str content) {
    if (c.properties.len == EVENT_PROPERTIES_MAX) {
        return;
    }
    if (str_is(key, "spark.master")) {
        content = kind_of_master(content);
    }
    c.properties.push({key, content});
    if (str_is(key, "spark.app.id")) {
        see_app_id(c, content, RANK_PROPERTY);
    } else if (str_is(key, "spark.app.attempt.id")) {
        see_attempt(c, content, RANK_PROPERTY);
    }
}

void read_properties(context &c, value v) {
    object o;
    if (!open_object(c, v, &o)) {
        return;
    }
    members(c, o, [&](field &f) {
        str key, content;
        if (allowed_key(c, f, &key) && get_text(c, f.value(), 256, &content)) {
            add_property(c, key, content);
        }
        return true;
    });
}

void read_app_id(context &c, value v) {
    c.out->app_start.app_id = name(c, v, APP_ID_MAX);
    see_app_id(c, c.out->app_start.app_id, RANK_OWN);
}

void read_attempt(context &c, value v) {
    c.out->app_start.attempt = name(c, v, ATTEMPT_MAX);
    see_attempt(c, c.out->app_start.attempt, RANK_OWN);
}

void read_reported_app_id(context &c, value v) {
    see_app_id(c, name(c, v, APP_ID_MAX), RANK_OWN);
}

void read_exit_code(context &c, value v) {
    event_app_end &end = c.out->app_end;
    end.has_exit_code = get_integer(v, &end.exit_code);
    end.exit_code = end.has_exit_code ? end.exit_code : 0;
}

// A class is named with its package or without, as the listener found it.
str class_of(str name) {
    for (size_t i = name.len; i > 0; i--) {
        if (name.p[i - 1] == '.' || name.p[i - 1] == '$') {
            return {name.p + i, name.len - i};
        }
    }
    return name;
}

event_kind kind_of_class(str name) {
    for (int kind = EVENT_OTHER + 1; kind < EVENT_KIND_COUNT; kind++) {
        if (str_eq(class_of(name),
                   class_of(str_of(event_kind_name(static_cast<event_kind>(kind)))))) {
            return static_cast<event_kind>(kind);
        }
    }
    return EVENT_OTHER;
}

// Counts by the class of an event; `of` tells where each belongs.
template <typename F> void read_counts(context &c, value v, F of) {
    object o;
    if (!open_object(c, v, &o)) {
        return;
    }
    members(c, o, [&](field &f) {
        std::string_view name;
        if (f.unescaped_key().get(name)) {
            c.broken = true;
            return false;
        }
        sat_inc(of(kind_of_class(view(name))), metric(f.value()));
        return true;
    });
}

void read_lost(context &c, value v) {
    event_listener_report &report = c.out->report;
    read_counts(c, v, [&](event_kind kind) {
        return kind == EVENT_TASK_END ? &report.lost_task_ends
               : kind == EVENT_OTHER  ? &report.lost_unread
                                      : &report.lost_others;
    });
}

void read_cut(context &c, value v) {
    int64_t unread = 0;
    read_counts(
        c, v, [&](event_kind kind) { return kind == EVENT_OTHER ? &unread : &c.out->report.cut; });
}

const rule common_rules[] = {
    {"Event"},          {"Stoker Cut", as::flag, AT(cut)}, {"Timestamp", as::time},
    {"time", as::time}, {"Submission Time", as::time},     {"Completion Time", as::time},
};
const shape common(common_rules);

const rule version_rules[] = {{"Spark Version", as::text, AT(version), 64}};
const shape version_shape(version_rules);

const rule app_start_rules[] = {
    {"App Name", as::text, AT(app_start.name), NAME_READ_MAX},
    {"App ID", as::call, AT(app_start.app_id), APP_ID_MAX, nullptr, read_app_id},
    {"User", as::text, AT(app_start.user), NAME_READ_MAX},
    {"App Attempt ID", as::call, AT(app_start.attempt), ATTEMPT_MAX, nullptr, read_attempt},
};
const shape app_start_shape(app_start_rules);

const rule app_end_rules[] = {{"ExitCode", as::call, 0, 0, nullptr, read_exit_code}};
const shape app_end_shape(app_end_rules);

const rule jvm_rules[] = {
    {"Java Version", as::text, AT(environment.java_version), 64},
    {"Scala Version", as::text, AT(environment.scala_version), 64},
};
const shape jvm_shape(jvm_rules);

const rule environment_rules[] = {
    {"JVM Information", as::object, 0, 0, &jvm_shape},
    {"Spark Properties", as::call, 0, 0, nullptr, read_properties, form::properties},
};
const shape environment_shape(environment_rules);

const rule report_rules[] = {
    {"App ID", as::call, 0, APP_ID_MAX, nullptr, read_reported_app_id},
    {"Accepted", as::metric, AT(report.accepted)},
    {"Dropped", as::call, 0, 0, nullptr, read_lost},
    {"Cut", as::call, 0, 0, nullptr, read_cut},
    {"Slimmed", as::metric, AT(report.slimmed)},
    {"Refused", as::call, 0, 0, nullptr, read_lost},
};
const shape report_shape(report_rules);

// {"Amount":n} of each resource.
#define AMOUNT(name, what, member)                                                                 \
    const rule name##_rules[] = {{"Amount", what, AT(member)}};                                    \
    const shape name##_shape(name##_rules);
AMOUNT(cores, as::metric, profile.cores)
AMOUNT(memory, as::metric, profile.memory_mib)
AMOUNT(overhead, as::metric, profile.overhead_mib)
AMOUNT(offheap, as::metric, profile.offheap_mib)
AMOUNT(pyspark, as::metric, profile.pyspark_mib)
AMOUNT(cpus, as::real, profile.task_cpus)

// Resources beside cores and memory have names of their own, which are only compared. Fields that
// `known` tells as objects are read by it; f(id, value) gets all others. False if it has no field.
template <typename F> bool each_resource(context &c, value v, const shape &known, F f) {
    object o;
    bool any = false;
    if (!open_object(c, v, &o)) {
        return false;
    }
    members(c, o, [&](field &item) {
        char plain[key::BYTES * 2];
        size_t hint = 0;
        any = true;
        const char *name = plain_key(c, item, plain);
        if (c.broken) {
            return false;
        }
        const rule *r = find_rule(known, name, &hint);
        if (r != nullptr && r->what == as::object) {
            apply(c, *r, item.value());
        } else {
            f(event_resource_id({name, strcspn(name, "\"")}), item.value());
        }
        return true;
    });
    return any;
}

// The resource's place in a list, NULL if it is full.
event_resource *resource_of(event_resource *list, uint32_t *count, int32_t id) {
    uint32_t i = 0;
    while (i < *count && list[i].id != id) {
        i++;
    }
    if (i == EVENT_RESOURCES_MAX || id == 0) {
        return nullptr;
    }
    if (i == *count) {
        list[(*count)++] = {id, 0, 0};
    }
    return &list[i];
}

// Read by read_amount and read_resources; told here for slim mode, which knows two names.
const rule amount_rules[] = {{"Amount", as::real}};
const shape amount_shape(amount_rules);
#define RESOURCE(name, fields)                                                                     \
    { name, as::call, 0, 0, nullptr, nullptr, form::one, &(fields) }

double read_amount(context &c, value v) {
    double amount = 0;
    each_field(c, v, amount_shape, [&](const rule &, value number) {
        amount = real(number);
        return true;
    });
    return amount;
}

const rule executor_request_rules[] = {
    {"cores", as::object, 0, 0, &cores_shape},
    {"memory", as::object, 0, 0, &memory_shape},
    {"memoryOverhead", as::object, 0, 0, &overhead_shape},
    {"offHeap", as::object, 0, 0, &offheap_shape},
    {"pyspark.memory", as::object, 0, 0, &pyspark_shape},
    RESOURCE("gpu", amount_shape),
    RESOURCE("fpga", amount_shape),
};
const shape executor_request_shape(executor_request_rules);
const rule task_request_rules[] = {
    {"cpus", as::object, 0, 0, &cpus_shape},
    RESOURCE("gpu", amount_shape),
    RESOURCE("fpga", amount_shape),
};
const shape task_request_shape(task_request_rules);

void read_executor_requests(context &c, value v) {
    event_resource_profile &profile = c.out->profile;
    profile.asks_executors =
        each_resource(c, v, executor_request_shape, [&](int32_t id, value request) {
            double amount = read_amount(c, request);
            event_resource *r = resource_of(profile.resources, &profile.resource_count, id);
            if (r != nullptr && amount < INT32_MAX) {
                r->executor = static_cast<int64_t>(amount);
            }
        });
}

void read_task_requests(context &c, value v) {
    event_resource_profile &profile = c.out->profile;
    each_resource(c, v, task_request_shape, [&](int32_t id, value request) {
        double amount = read_amount(c, request);
        event_resource *r = resource_of(profile.resources, &profile.resource_count, id);
        if (r != nullptr) {
            r->task = amount;
        }
    });
}

// {"gpu":{"name":"gpu","addresses":["0","1"]}}; slim mode leaves it to the profile.
const rule addresses_rules[] = {{"addresses", as::call, 0, 0, nullptr, nullptr, form::list}};
const shape addresses_shape(addresses_rules);
const rule resources_rules[] = {RESOURCE("gpu", addresses_shape),
                                RESOURCE("fpga", addresses_shape)};
const shape resources_shape(resources_rules);

void read_resources(context &c, value v) {
    event_executor &executor = c.out->executor;
    each_resource(c, v, resources_shape, [&](int32_t id, value resource) {
        int64_t count = 0;
        each_field(c, resource, addresses_shape, [&](const rule &, value list) {
            items(c, list, [&](value) { count++; });
            return true;
        });
        event_resource *r = resource_of(executor.resources, &executor.resource_count, id);
        if (r != nullptr) {
            r->executor = count;
        }
    });
}

const rule profile_rules[] = {
    {"Resource Profile Id", as::id, AT(profile.id)},
    {"Executor Resource Requests", as::call, 0, 0, nullptr, read_executor_requests, form::one,
     &executor_request_shape},
    {"Task Resource Requests", as::call, 0, 0, nullptr, read_task_requests, form::one,
     &task_request_shape},
};
const shape profile_shape(profile_rules);

const rule executor_info_rules[] = {
    {"Host", as::name, AT(executor.host), 256},
    {"Total Cores", as::metric, AT(executor.cores)},
    {"Resources", as::call, 0, 0, nullptr, read_resources, form::one, &resources_shape},
    {"Resource Profile Id", as::id, AT(executor.profile_id)},
    {"Registration Time", as::metric, AT(executor.registration_ms)},
    {"Request Time", as::metric, AT(executor.request_ms)},
};
const shape executor_info_shape(executor_info_rules);

const rule executor_rules[] = {
    {"Executor ID", as::name, AT(executor.id), 64},
    {"Executor Info", as::object, 0, 0, &executor_info_shape},
    {"Removed Reason", as::text, AT(executor.reason), 512},
};
const shape executor_shape(executor_rules);

const rule exclusion_rules[] = {
    {"executorId", as::name, AT(exclusion.executor), 64},
    {"hostId", as::name, AT(exclusion.host), 256},
    {"taskFailures", as::metric, AT(exclusion.failures)},
    {"executorFailures", as::metric, AT(exclusion.failures)},
    {"stageId", as::id, AT(exclusion.stage)},
    {"stageAttemptId", as::id, AT(exclusion.stage_attempt)},
};
const shape exclusion_shape(exclusion_rules);

const rule block_manager_id_rules[] = {{"Executor ID", as::name, AT(block_manager.executor), 64}};
const shape block_manager_id_shape(block_manager_id_rules);
const rule block_manager_rules[] = {
    {"Block Manager ID", as::object, 0, 0, &block_manager_id_shape},
    {"Maximum Memory", as::metric, AT(block_manager.max_bytes)},
    {"Maximum Onheap Memory", as::metric, AT(block_manager.onheap_bytes)},
    {"Maximum Offheap Memory", as::metric, AT(block_manager.offheap_bytes)},
};
const shape block_manager_shape(block_manager_rules);

enum { JOB_STAGE_ID, JOB_STAGE_NAME };
const rule job_stage_rules[] = {
    {"Stage ID", as::call, JOB_STAGE_ID},
    {"Stage Name", as::call, JOB_STAGE_NAME, 256},
};
const shape job_stage_shape(job_stage_rules);

void see_stage(event_job &job, int32_t id) {
    int64_t number = int64_t{id} + 1;
    if (number > 0 && (job.first_stage == 0 || number < job.first_stage)) {
        job.first_stage = number;
    }
    job.last_stage = number > job.last_stage ? number : job.last_stage;
}

// A stage is made after those that it reads, so the result is that of the largest id.
void read_stage_infos(context &c, value v) {
    event_job &job = c.out->job;
    int64_t named = 0;
    items(c, v, [&](value info) {
        int32_t id = -1;
        str called = {"", 0};
        each_field(c, info, job_stage_shape, [&](const rule &r, value field) {
            if (r.at == JOB_STAGE_ID) {
                id = id32(field);
            } else {
                called = text(c, field, r.limit);
            }
            return true;
        });
        see_stage(job, id);
        if (int64_t{id} + 1 > named) {
            named = int64_t{id} + 1;
            job.site = called;
        }
    });
}

void read_stage_ids(context &c, value v) {
    items(c, v, [&](value id) { see_stage(c.out->job, id32(id)); });
}

const rule job_start_rules[] = {
    {"Job ID", as::id, AT(job.id)},
    {"Stage Infos", as::call, AT(job.site), 0, nullptr, read_stage_infos, form::list,
     &job_stage_shape},
    {"Stage IDs", as::call, 0, 0, nullptr, read_stage_ids, form::list},
    {"Properties", as::call, 0, 0, nullptr, read_properties, form::properties},
};
const shape job_start_shape(job_start_rules);

const rule exception_rules[] = {{"Message", as::text, AT(job.error), 512}};
const shape exception_shape(exception_rules);
const rule job_result_rules[] = {
    {"Result", as::word, WORD_RESULT, 64},
    {"Exception", as::object, 0, 0, &exception_shape},
};
const shape job_result_shape(job_result_rules);
const rule job_end_rules[] = {
    {"Job ID", as::id, AT(job.id)},
    {"Job Result", as::object, 0, 0, &job_result_shape},
};
const shape job_end_shape(job_end_rules);

const rule stage_info_rules[] = {
    {"Stage ID", as::id, AT(stage.id)},
    {"Stage Attempt ID", as::id, AT(stage.attempt)},
    {"Stage Name", as::text, AT(stage.name), 256},
    {"Number of Tasks", as::count, AT(stage.tasks)},
    {"RDD Info", as::call, 0, 0, nullptr, read_rdds, form::set, &rdd_fields},
    {"Parent IDs"},
    {"Details"},
    {"Submission Time", as::time, AT(stage.submitted_ms)},
    {"Completion Time", as::time, AT(stage.completed_ms)},
    {"Failure Reason", as::text, AT(stage.failure), 512},
    {"Accumulables"},
    {"Resource Profile Id", as::id, AT(stage.profile_id)},
};
const shape stage_info_shape(stage_info_rules);
const rule stage_submitted_rules[] = {
    {"Stage Info", as::object, 0, 0, &stage_info_shape},
    {"Properties", as::call, 0, 0, nullptr, read_properties, form::properties},
};
const shape stage_submitted_shape(stage_submitted_rules);
const rule stage_completed_rules[] = {{"Stage Info", as::object, 0, 0, &stage_info_shape}};
const shape stage_completed_shape(stage_completed_rules);

bool finish_stage(context &c) {
    event_stage &s = c.out->stage;
    s.attempt = s.attempt < 0 ? 0 : s.attempt;
    s.properties = c.properties.items;
    s.property_count = c.properties.len;
    return s.id >= 0;
}

bool finish_job(context &c) {
    event_job &j = c.out->job;
    j.properties = c.properties.items;
    j.property_count = c.properties.len;
    j.succeeded = c.out->kind == EVENT_JOB_END && !str_is(c.words[WORD_RESULT], "JobFailed");
    return j.id >= 0;
}

bool finish_environment(context &c) {
    c.out->environment.properties = c.properties.items;
    c.out->environment.property_count = c.properties.len;
    return true;
}

// Of use by its name and time alone, or of none.
const shape nothing(common_rules);

const kind_fields nothing_fields = {&nothing, nullptr};
const kind_fields version_fields = {&version_shape, nullptr};
const kind_fields app_start_fields = {&app_start_shape, nullptr};
const kind_fields app_end_fields = {&app_end_shape, nullptr};
const kind_fields environment_fields = {&environment_shape, finish_environment};
const kind_fields report_fields = {&report_shape, nullptr};
const kind_fields profile_fields = {&profile_shape, nullptr};
const kind_fields executor_fields = {&executor_shape, nullptr};
const kind_fields exclusion_fields = {&exclusion_shape, nullptr};
const kind_fields block_manager_fields = {&block_manager_shape, nullptr};
const kind_fields job_start_fields = {&job_start_shape, finish_job};
const kind_fields job_end_fields = {&job_end_shape, finish_job};
const kind_fields stage_submitted_fields = {&stage_submitted_shape, finish_stage};
const kind_fields stage_completed_fields = {&stage_completed_shape, finish_stage};

} // namespace

const shape &common_shape() {
    return common;
}

// No default: the compiler names a kind that was forgotten, and until somebody listens it writes
// nothing.
const kind_fields &fields_of(event_kind kind) {
    switch (kind) {
    case EVENT_OTHER:
    case EVENT_KIND_COUNT:
    case EVENT_THRIFT_SERVER: // that it was posted says all
    case EVENT_CONNECT:
        break;
    case EVENT_LOG_START:
    case EVENT_DB_METADATA:
        return version_fields;
    case EVENT_APP_START:
        return app_start_fields;
    case EVENT_APP_END:
        return app_end_fields;
    case EVENT_ENVIRONMENT:
        return environment_fields;
    case EVENT_RESOURCE_PROFILE:
        return profile_fields;
    case EVENT_EXECUTOR_ADDED:
    case EVENT_EXECUTOR_REMOVED:
        return executor_fields;
    case EVENT_EXECUTOR_EXCLUDED:
    case EVENT_EXECUTOR_BLACKLISTED:
    case EVENT_EXECUTOR_EXCLUDED_STAGE:
    case EVENT_EXECUTOR_BLACKLISTED_STAGE:
    case EVENT_NODE_EXCLUDED:
    case EVENT_NODE_BLACKLISTED:
    case EVENT_NODE_EXCLUDED_STAGE:
    case EVENT_NODE_BLACKLISTED_STAGE:
        return exclusion_fields;
    case EVENT_BLOCK_MANAGER_ADDED:
        return block_manager_fields;
    case EVENT_JOB_START:
        return job_start_fields;
    case EVENT_JOB_END:
        return job_end_fields;
    case EVENT_STAGE_SUBMITTED:
        return stage_submitted_fields;
    case EVENT_STAGE_COMPLETED:
        return stage_completed_fields;
    case EVENT_LISTENER_REPORT:
        return report_fields;
    case EVENT_TASK_START:
        return task_start_fields;
    case EVENT_TASK_END:
        return task_end_fields;
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        return sql_fields;
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_PROGRESS:
    case EVENT_STREAM_TERMINATED:
    case EVENT_STREAM_IDLE:
        return stream_fields;
    }
    return nothing_fields;
}

} // namespace decode
