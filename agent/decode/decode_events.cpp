// decode_events: the tables of every event but task ends: the application, its executors, jobs,
// stages, SQL executions and streaming queries. Rare and small beside task ends, plans aside.
#include "base/sat.h"
#include "decode_simd.h"

namespace decode {

namespace {

void read_stage_ids(context &c, value v) {
    items(c, v, [&](value item) {
        int32_t id = id32(item);
        if (id >= 0 && c.ids.len < EVENT_STAGE_IDS_MAX) {
            c.ids.push(id);
        }
    });
}

void read_app_id(context &c, value v) {
    c.out->app_start.app_id = text(v, 256);
    see_app_id(c, c.out->app_start.app_id, RANK_OWN);
}

void read_attempt(context &c, value v) {
    c.out->app_start.attempt = text(v, 32);
    see_attempt(c, c.out->app_start.attempt, RANK_OWN);
}

void read_top_level_app_id(context &c, value v) {
    see_app_id(c, text(v, 256), RANK_TOP_LEVEL);
}

void read_exit_code(context &c, value v) {
    event_app_end &end = c.out->app_end;
    end.has_exit_code = get_integer(v, &end.exit_code);
    end.exit_code = end.has_exit_code ? end.exit_code : 0;
}

void read_error_message(context &c, value v) {
    c.out->sql.has_error = get_text(v, 512, &c.out->sql.error);
}

const rule source_rules[] = {{"numInputRows", as::call}};
const shape source_shape(source_rules);

void read_sources(context &c, value v) {
    items(c, v, [&](value source) {
        each_field(c, source, source_shape, [&](const rule &, value rows) {
            sat_inc(&c.out->stream.input_rows, metric(rows));
            return true;
        });
    });
}

const rule common_rules[] = {
    {"Event"},
    {"Timestamp", as::time},
    {"time", as::time},
    {"Submission Time", as::time},
    {"Completion Time", as::time},
    {"appId", as::call, 0, 0, nullptr, read_top_level_app_id},
    {"app_id", as::call, 0, 0, nullptr, read_top_level_app_id},
    {"applicationId", as::call, 0, 0, nullptr, read_top_level_app_id},
    {"application-id", as::call, 0, 0, nullptr, read_top_level_app_id},
};
const shape common(common_rules);

const rule version_rules[] = {{"Spark Version", as::text, AT(version), 64}};
const shape version_shape(version_rules);

const rule app_start_rules[] = {
    {"App Name", as::text, AT(app_start.name), 256},
    {"App ID", as::call, 0, 0, nullptr, read_app_id},
    {"User", as::text, AT(app_start.user), 128},
    {"App Attempt ID", as::call, 0, 0, nullptr, read_attempt},
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
    {"Spark Properties", as::call, 0, 0, nullptr, read_properties},
};
const shape environment_shape(environment_rules);

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

const rule executor_request_rules[] = {
    {"cores", as::object, 0, 0, &cores_shape},
    {"memory", as::object, 0, 0, &memory_shape},
    {"memoryOverhead", as::object, 0, 0, &overhead_shape},
    {"offHeap", as::object, 0, 0, &offheap_shape},
    {"pyspark.memory", as::object, 0, 0, &pyspark_shape},
};
const shape executor_request_shape(executor_request_rules);
const rule task_request_rules[] = {{"cpus", as::object, 0, 0, &cpus_shape}};
const shape task_request_shape(task_request_rules);

const rule profile_rules[] = {
    {"Resource Profile Id", as::id, AT(profile.id)},
    {"Executor Resource Requests", as::object, 0, 0, &executor_request_shape},
    {"Task Resource Requests", as::object, 0, 0, &task_request_shape},
};
const shape profile_shape(profile_rules);

const rule executor_info_rules[] = {
    {"Host", as::text, AT(executor.host), 256},
    {"Total Cores", as::metric, AT(executor.cores)},
    {"Resource Profile Id", as::id, AT(executor.profile_id)},
    {"Registration Time", as::metric, AT(executor.registration_ms)},
    {"Request Time", as::metric, AT(executor.request_ms)},
};
const shape executor_info_shape(executor_info_rules);

const rule executor_rules[] = {
    {"Executor ID", as::text, AT(executor.id), 64},
    {"Executor Info", as::object, 0, 0, &executor_info_shape},
    {"Removed Reason", as::text, AT(executor.reason), 512},
};
const shape executor_shape(executor_rules);

const rule exclusion_rules[] = {
    {"executorId", as::text, AT(exclusion.executor), 64},
    {"hostId", as::text, AT(exclusion.host), 256},
    {"taskFailures", as::metric, AT(exclusion.failures)},
    {"executorFailures", as::metric, AT(exclusion.failures)},
    {"stageId", as::id, AT(exclusion.stage)},
    {"stageAttemptId", as::id, AT(exclusion.stage_attempt)},
};
const shape exclusion_shape(exclusion_rules);

const rule block_manager_id_rules[] = {{"Executor ID", as::text, AT(block_manager.executor), 64}};
const shape block_manager_id_shape(block_manager_id_rules);
const rule block_manager_rules[] = {
    {"Block Manager ID", as::object, 0, 0, &block_manager_id_shape},
    {"Maximum Memory", as::metric, AT(block_manager.max_bytes)},
    {"Maximum Onheap Memory", as::metric, AT(block_manager.onheap_bytes)},
    {"Maximum Offheap Memory", as::metric, AT(block_manager.offheap_bytes)},
};
const shape block_manager_shape(block_manager_rules);

const rule job_start_rules[] = {
    {"Job ID", as::id, AT(job.id)},
    {"Stage Infos"},
    {"Stage IDs", as::call, 0, 0, nullptr, read_stage_ids},
    {"Properties", as::call, 0, 0, nullptr, read_properties},
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
    {"RDD Info", as::call, 0, 0, nullptr, read_rdds},
    {"Parent IDs", as::call, 0, 0, nullptr, read_stage_ids},
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
    {"Properties", as::call, 0, 0, nullptr, read_properties},
};
const shape stage_submitted_shape(stage_submitted_rules);
const rule stage_completed_rules[] = {{"Stage Info", as::object, 0, 0, &stage_info_shape}};
const shape stage_completed_shape(stage_completed_rules);

const rule sql_rules[] = {
    {"executionId", as::id64, AT(sql.execution_id)},
    {"rootExecutionId", as::id64, AT(sql.root_execution_id)},
    {"description", as::text, AT(sql.description), 256},
    {"details"},
    {"physicalPlanDescription"},
    {"sparkPlanInfo", as::call, 0, 0, nullptr, read_plan},
    {"errorMessage", as::call, 0, 0, nullptr, read_error_message},
    {"accumUpdates", as::call, 0, 0, nullptr, read_driver_accums},
    {"sqlPlanMetrics", as::call, 0, 0, nullptr, read_plan_metrics},
};
const shape sql_shape(sql_rules);

const rule duration_rules[] = {{"triggerExecution", as::metric, AT(stream.trigger_ms)}};
const shape duration_shape(duration_rules);
#define STREAM_NAMES                                                                               \
    {"id", as::text, AT(stream.query_id), 64}, {"runId", as::text, AT(stream.run_id), 64}, {       \
        "name", as::text, AT(stream.name), 256                                                     \
    }
const rule progress_rules[] = {
    STREAM_NAMES,
    {"batchId", as::id64, AT(stream.batch_id)},
    {"batchDuration", as::metric, AT(stream.batch_ms)},
    {"durationMs", as::object, 0, 0, &duration_shape},
    {"sources", as::call, 0, 0, nullptr, read_sources},
};
const shape progress_shape(progress_rules);
const rule stream_rules[] = {
    STREAM_NAMES,
    {"progress", as::object, 0, 0, &progress_shape},
    {"exception", as::text, AT(stream.error), 512},
};
const shape stream_shape(stream_rules);

const shape nothing(common_rules);

} // namespace

const shape &common_shape() {
    return common;
}

const shape &shape_of(event_kind kind) {
    switch (kind) {
    case EVENT_OTHER:
    case EVENT_KIND_COUNT:
        return nothing;
    case EVENT_LOG_START:
    case EVENT_DB_METADATA:
        return version_shape;
    case EVENT_APP_START:
        return app_start_shape;
    case EVENT_APP_END:
        return app_end_shape;
    case EVENT_ENVIRONMENT:
        return environment_shape;
    case EVENT_RESOURCE_PROFILE:
        return profile_shape;
    case EVENT_EXECUTOR_ADDED:
    case EVENT_EXECUTOR_REMOVED:
        return executor_shape;
    case EVENT_BLOCK_MANAGER_ADDED:
        return block_manager_shape;
    case EVENT_JOB_START:
        return job_start_shape;
    case EVENT_JOB_END:
        return job_end_shape;
    case EVENT_STAGE_SUBMITTED:
        return stage_submitted_shape;
    case EVENT_STAGE_COMPLETED:
        return stage_completed_shape;
    case EVENT_TASK_START:
    case EVENT_TASK_END:
        return task_shape(kind);
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        return sql_shape;
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_PROGRESS:
    case EVENT_STREAM_TERMINATED:
        return stream_shape;
    default:
        return exclusion_shape;
    }
}

} // namespace decode
