// test_decode: the kinds of events of an application, with all their fields, and with none of them:
// what is missing, null or of another type must read as model/event.h says.
#include "decode_support.h"

static void test_versions(void **state) {
    struct fixture *f = *state;
    const struct event *e =
        decode_ok(f, "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.3\"}");
    assert_int_equal(e->kind, EVENT_LOG_START);
    assert_text(e->name, "SparkListenerLogStart");
    assert_text(e->version, "3.5.3");
    assert_int_equal(e->time_ms, 0);
    e = decode_ok(f, "{\"Event\":\"DBCEventLoggingListenerMetadata\",\"Timestamp\":7,"
                     "\"Spark Version\":\"13.3\",\"SparkContext Id\":8880912756278443690}");
    assert_int_equal(e->kind, EVENT_DB_METADATA);
    assert_text(e->version, "13.3");
    assert_int_equal(e->time_ms, 7);
}

static void test_application(void **state) {
    struct fixture *f = *state;
    const struct event *e =
        decode_ok(f, "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"caf\\u00e9\","
                     "\"App ID\":\"app-1\",\"Timestamp\":1700000000000,\"User\":\"me\","
                     "\"App Attempt ID\":\"2\",\"Driver Logs\":{\"stdout\":\"x\"}}");
    assert_int_equal(e->kind, EVENT_APP_START);
    assert_text(e->app_start.name, "caf\xC3\xA9");
    assert_text(e->app_start.app_id, "app-1");
    assert_text(e->app_start.attempt, "2");
    assert_text(e->app_start.user, "me");
    assert_text(e->app_id, "app-1");
    assert_text(e->app_attempt, "2");
    assert_int_equal(e->time_ms, 1700000000000);
    assert_int_equal(e->first_ms, 1700000000000);
    e = decode_ok(f,
                  "{\"Event\":\"SparkListenerApplicationStart\",\"App ID\":7,\"App Name\":null}");
    assert_int_equal(e->app_start.app_id.len + e->app_id.len + e->app_start.name.len, 0);
    assert_non_null(e->app_start.user.p);
}

static void test_exit_code(void **state) {
    static const struct {
        const char *json;
        bool has;
        int64_t code;
    } cases[] = {
        {"0", true, 0},
        {"137", true, 137},
        {"-1", true, -1},
        {"\"3\"", true, 3},
        {"1.9", true, 1},
        {"null", false, 0},
        {"[]", false, 0},
        {"true", false, 0},
        {"\"x\"", false, 0},
        {"1e30", false, 0},
        {"{}", false, 0},
        {"\"\"", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"1e400", false, 0},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":9,\"ExitCode\":%s}",
                 cases[i].json);
        const struct event *e = decode_ok(f, text);
        assert_int_equal(e->app_end.has_exit_code, cases[i].has);
        assert_int_equal(e->app_end.exit_code, cases[i].code);
        assert_int_equal(e->time_ms, 9);
    }
    assert_false(
        decode_ok(f, "{\"Event\":\"SparkListenerApplicationEnd\"}")->app_end.has_exit_code);
}

static void test_environment(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f,
        "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"JVM Information\":{\"Java Home\":\"/j\","
        "\"Java Version\":\"17.0.1\",\"Scala Version\":\"2.12\"},\"Spark Properties\":{"
        "\"spark.app.id\":\"app-3\",\"spark.app.attempt.id\":\"1\",\"spark.task.cpus\":\"2\","
        "\"spark.ssl.keyPassword\":\"hunter2\",\"spark.executor.cores\":4,"
        "\"spark.kubernetes.driver.label.auth-token\":\"hunter2\","
        "\"spark\\u002eexecutor.memory\":\"4g\",\"spark.master\":\"spark://h:7077\","
        "\"spark.foo\":\"bar\"},\"System Properties\":{\"spark.driver.memory\":\"1g\"}}");
    assert_int_equal(e->kind, EVENT_ENVIRONMENT);
    assert_text(e->environment.java_version, "17.0.1");
    assert_text(e->environment.scala_version, "2.12");
    assert_int_equal(e->environment.property_count, 5);
    assert_text(e->environment.properties[2].key, "spark.task.cpus");
    assert_text(e->environment.properties[2].value, "2");
    assert_text(e->environment.properties[3].key, "spark.executor.memory");
    assert_text(e->environment.properties[3].value, "4g");
    assert_text(e->environment.properties[4].value, "spark");
    assert_text(e->app_id, "app-3");
    assert_text(e->app_attempt, "1");
    e = decode_ok(f, "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"Spark Properties\":[1]}");
    assert_int_equal(e->environment.property_count, 0);
}

static void test_resource_profile(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f, "{\"Event\":\"SparkListenerResourceProfileAdded\",\"Resource Profile Id\":1,"
           "\"Executor Resource Requests\":{\"cores\":{\"Resource Name\":\"cores\",\"Amount\":4,"
           "\"Discovery Script\":\"\"},\"memory\":{\"Amount\":1024},\"memoryOverhead\":{\"Amount\":"
           "\"384\"},\"offHeap\":{\"Amount\":-1},\"pyspark.memory\":{\"Amount\":5},\"gpu\":{}},"
           "\"Task Resource Requests\":{\"cpus\":{\"Amount\":0.5},\"gpu\":{\"Amount\":1.0}}}");
    assert_int_equal(e->profile.id, 1);
    assert_int_equal(e->profile.cores, 4);
    assert_int_equal(e->profile.memory_mib, 1024);
    assert_int_equal(e->profile.overhead_mib, 384);
    assert_int_equal(e->profile.offheap_mib, 0);
    assert_int_equal(e->profile.pyspark_mib, 5);
    assert_near(e->profile.task_cpus, 0.5, 0);
    e = decode_ok(f, "{\"Event\":\"SparkListenerResourceProfileAdded\"}");
    assert_int_equal(e->profile.id, -1);
}

static void test_executors(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f, "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":50,\"Executor ID\":\"7\","
           "\"Executor Info\":{\"Host\":\"h\",\"Total Cores\":4,\"Log Urls\":{},\"Resource Profile "
           "Id\":0,\"Registration Time\":40,\"Request Time\":30}}");
    assert_text(e->executor.id, "7");
    assert_text(e->executor.host, "h");
    assert_int_equal(e->executor.cores, 4);
    assert_int_equal(e->executor.profile_id, 0);
    assert_int_equal(e->executor.registration_ms, 40);
    assert_int_equal(e->executor.request_ms, 30);
    assert_int_equal(e->first_ms, 50);
    e = decode_ok(f, "{\"Event\":\"SparkListenerExecutorRemoved\",\"Timestamp\":\"60\","
                     "\"Executor ID\":\"7\",\"Removed Reason\":\"lost\"}");
    assert_int_equal(e->kind, EVENT_EXECUTOR_REMOVED);
    assert_text(e->executor.reason, "lost");
    assert_int_equal(e->time_ms, 60);
    e = decode_ok(f, "{\"Event\":\"SparkListenerBlockManagerAdded\",\"Block Manager ID\":{"
                     "\"Executor ID\":\"d\",\"Host\":\"h\"},\"Maximum Memory\":3,\"Maximum Onheap "
                     "Memory\":2,\"Maximum Offheap Memory\":1,\"Timestamp\":8}");
    assert_text(e->block_manager.executor, "d");
    assert_int_equal(e->block_manager.max_bytes, 3);
    assert_int_equal(e->block_manager.onheap_bytes, 2);
    assert_int_equal(e->block_manager.offheap_bytes, 1);
}

static void test_exclusions(void **state) {
    static const char *const kinds[] = {"ExecutorExcluded",
                                        "ExecutorBlacklisted",
                                        "NodeExcluded",
                                        "NodeBlacklisted",
                                        "ExecutorExcludedForStage",
                                        "NodeExcludedForStage",
                                        "ExecutorBlacklistedForStage",
                                        "NodeBlacklistedForStage"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char text[300];
        bool node = kinds[i][0] == 'N';
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListener%s\",\"time\":5,\"%s\":\"x\",\"%s\":3,\"stageId\":4}",
                 kinds[i], node ? "hostId" : "executorId",
                 node ? "executorFailures" : "taskFailures");
        const struct event *e = decode_ok(f, text);
        assert_int_not_equal(e->kind, EVENT_OTHER);
        assert_text(node ? e->exclusion.host : e->exclusion.executor, "x");
        assert_int_equal(e->exclusion.failures, 3);
        assert_int_equal(e->exclusion.stage, 4);
        assert_int_equal(e->exclusion.stage_attempt, -1);
        assert_int_equal(e->time_ms, 5);
    }
}

static void test_jobs(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f, "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":3,\"Submission Time\":10,"
           "\"Stage Infos\":[{\"Stage Name\":\"count\",\"Stage ID\":9,\"Submission Time\":1},"
           "{\"Stage ID\":8,\"Stage Name\":\"map\"},{\"Stage ID\":-1,\"Stage "
           "Name\":\"x\"}],\"Stage IDs\":[1,\"2\",-3,null,"
           "4294967296],\"Properties\":{\"spark.sql.execution.id\":\"5\",\"spark.app.id\":\"a\"}}");
    assert_int_equal(e->job.id, 3);
    assert_int_equal(e->job.property_count, 2);
    assert_text(e->app_id, "a");
    assert_int_equal(e->first_ms, 10);
    assert_int_equal(e->job.first_stage, 2); // ids plus one
    assert_int_equal(e->job.last_stage, 10);
    assert_text(e->job.site, "count");
    e = decode_ok(f, "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":4,\"Stage Infos\":7}");
    assert_int_equal(e->job.last_stage, 0);
    assert_text(e->job.site, "");
    e = decode_ok(f, "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":3,\"Completion Time\":20,"
                     "\"Job Result\":{\"Result\":\"JobFailed\",\"Exception\":{\"Message\":\"boo\","
                     "\"Stack Trace\":[{\"Line Number\":1}]}}}");
    assert_false(e->job.succeeded);
    assert_text(e->job.error, "boo");
    assert_int_equal(e->time_ms, 20);
    assert_true(decode_ok(f, "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":3}")->job.succeeded);
}

static void test_stages(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f, "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{\"Stage ID\":1,\"Stage "
           "Attempt ID\":2,\"Stage Name\":\"count\",\"Number of Tasks\":8,\"RDD Info\":[{\"Parent "
           "IDs\":[7]}],\"Parent IDs\":[0],\"Details\":\"\",\"Submission Time\":100,\"Completion "
           "Time\":300,\"Failure Reason\":\"why\",\"Resource Profile Id\":0}}");
    assert_int_equal(e->stage.id, 1);
    assert_int_equal(e->stage.attempt, 2);
    assert_text(e->stage.name, "count");
    assert_int_equal(e->stage.tasks, 8);
    assert_text(e->stage.failure, "why");
    assert_int_equal(e->stage.profile_id, 0);
    assert_int_equal(e->first_ms, 100);
    assert_int_equal(e->time_ms, 300);
    e = decode_ok(f, "{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":{\"Stage ID\":1},"
                     "\"Properties\":{\"spark.app.id\":\"b\"}}");
    assert_int_equal(e->stage.attempt, 0);
    assert_int_equal(e->stage.tasks, -1);
    assert_int_equal(e->stage.profile_id, -1);
    assert_int_equal(e->stage.property_count, 1);
    assert_text(e->app_id, "b");
}

static void test_python_stages(void **state) {
    static const struct {
        const char *rdds;
        bool python;
    } cases[] = {{"[{\"RDD ID\":1,\"Name\":\"PythonRDD\"}]", true},
                 {"[{\"Name\":\"PythonRDD\"},{\"Name\":\"MapPartitionsRDD\"}]", true},
                 {"[{\"Name\":\"PythonRDDs\"},{\"Scope\":\"PythonRDD\"},7,null]", false},
                 {"{\"Name\":\"PythonRDD\"}", false},
                 {"[]", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":{\"RDD Info\":%s,"
                 "\"Stage ID\":1}}",
                 cases[i].rdds);
        assert_int_equal(decode_ok(*state, text)->stage.python, cases[i].python);
    }
}

// What an RDD's storage level says, and how many partitions it has.
static void test_kept_rdds(void **state) {
    static const struct {
        const char *rdds;
        bool cached;
        int partitions_most, memory_only;
    } cases[] = {
        {"{\"Storage Level\":{\"Use Disk\":false,\"Use Memory\":false},\"Number of Partitions\":8},"
         "{\"Number of Partitions\":1}",
         false, 8, 0},
        {"{\"Storage Level\":{\"Use Disk\":true,\"Use Memory\":true},\"Number of Partitions\":8}",
         true, 8, 0},
        {"{\"Storage Level\":{\"Use Disk\":true,\"Use Memory\":false},\"Number of Partitions\":3}",
         true, 3, 0},
        {"{\"Number of Partitions\":4,\"Storage Level\":{\"Use Memory\":true}},"
         "{\"Number of Partitions\":9}",
         true, 9, 4},
        {"{\"Storage Level\":7,\"Number of Partitions\":-3},null,[]", false, 0, 0},
        {"{\"Storage Level\":{\"Use Memory\":\"true\"},\"Number of Partitions\":\"x\"}", false, 0,
         0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[400];
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{\"RDD Info\":[%s],"
                 "\"Stage ID\":1}}",
                 cases[i].rdds);
        const struct event_stage *stage = &decode_ok(*state, text)->stage;
        assert_int_equal((stage->works & WORK_CACHED) != 0, cases[i].cached);
        assert_int_equal(stage->partitions_most, cases[i].partitions_most);
        assert_int_equal(stage->memory_only, cases[i].memory_only);
    }
}

static void test_listener_report(void **state) {
    const struct event *e = decode_ok(
        *state,
        "{\"Event\":\"StokerListenerReport\",\"Timestamp\":4,\"App ID\":\"app-1\",\"Listener "
        "Version\":\"0.2.0\",\"Mode\":\"full\",\"Accepted\":100,\"Sent\":80,\"Dropped\":{"
        "\"SparkListenerTaskEnd\":3,\"org.apache.spark.scheduler.SparkListenerTaskEnd\":1,"
        "\"SparkListenerTaskStart\":5,\"SparkListenerSQLExecutionEnd\":6,\"QueryProgressEvent\":1,"
        "\"SparkListenerBlockUpdated\":40,\"x\":-7,\"y\":\"no\",\"z\":{}},\"Cut\":{"
        "\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart\":2,\"Other\":9},"
        "\"Slimmed\":11,\"Refused\":{\"SparkListenerTaskEnd\":1,\"com.example.Other\":2}}");
    assert_int_equal(e->kind, EVENT_LISTENER_REPORT);
    assert_text(e->app_id, "app-1");
    assert_int_equal(e->time_ms, 4);
    assert_int_equal(e->report.accepted, 100);
    assert_int_equal(e->report.lost_task_ends, 5);
    assert_int_equal(e->report.lost_others, 12);
    assert_int_equal(e->report.lost_unread, 42);
    assert_int_equal(e->report.cut, 2);
    assert_int_equal(e->report.slimmed, 11);
    e = decode_ok(*state, "{\"Event\":\"StokerListenerReport\",\"Dropped\":[1],\"Cut\":7,"
                          "\"Refused\":{\"SparkListenerJobEnd\":9223372036854775807,"
                          "\"SparkListenerJobStart\":9223372036854775807}}");
    assert_int_equal(e->report.lost_others, INT64_MAX);
    assert_int_equal(e->report.lost_task_ends + e->report.lost_unread + e->report.cut, 0);
}

static void test_unknown(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f, "{\"Event\":\"com.nvidia.spark.Info\",\"Timestamp\":4,\"time\":9,\"Stage ID\":{}}");
    assert_int_equal(e->kind, EVENT_OTHER);
    assert_text(e->name, "com.nvidia.spark.Info");
    assert_int_equal(e->first_ms, 4);
    assert_int_equal(e->time_ms, 9);
    e = decode_ok(f, "{\"time\":9,\"x\":\"yyyyyyyyyyyyyyyyyyyyyyyyyy\",\"Event\":\"late.One\"}");
    assert_text(e->name, "late.One");
    assert_int_equal(e->time_ms, 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),         cmocka_unit_test(test_application),
        cmocka_unit_test(test_exit_code),        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_resource_profile), cmocka_unit_test(test_executors),
        cmocka_unit_test(test_exclusions),       cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_stages),           cmocka_unit_test(test_python_stages),
        cmocka_unit_test(test_kept_rdds),        cmocka_unit_test(test_listener_report),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, decode_setup, decode_teardown);
}
