// test_decode_task: task ends and starts: every field, every reason, odd values, the accumulables
// that are wanted and those that are not.
#include "decode_support.h"

#define END "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,"

static const char whole[] = END
    "\"Stage Attempt ID\":2,\"Task Type\":\"ResultTask\",\"Task End Reason\":{\"Reason\":"
    "\"Success\"},\"Task Info\":{\"Task ID\":3,\"Index\":4,\"Attempt\":5,\"Partition ID\":4,"
    "\"Launch Time\":1000,\"Executor ID\":\"e\",\"Host\":\"h\",\"Locality\":\"ANY\","
    "\"Speculative\":true,\"Getting Result Time\":1500,\"Finish Time\":2000,\"Failed\":false,"
    "\"Killed\":false,\"Accumulables\":["
    "{\"ID\":10,\"Name\":\"n\",\"Update\":\"7\",\"Value\":\"9\",\"Internal\":true,\"Count Failed "
    "Values\":true,\"Metadata\":\"sql\"},{\"ID\":11,\"Update\":\"8\",\"Metadata\":\"sql\"},"
    "{\"ID\":12,\"Update\":9},{\"ID\":13,\"Update\":\"00:00:00.157\",\"Metadata\":\"sql\"},"
    "{\"Metadata\":\"sql\",\"Update\":-5,\"ID\":14},{\"ID\":-1,\"Update\":1,\"Metadata\":\"sql\"},"
    "7,null,{\"ID\":15,\"Update\":[],\"Metadata\":\"sql\"}]},"
    "\"Task Executor Metrics\":{\"JVMHeapMemory\":-1,\"JVMOffHeapMemory\":2,"
    "\"OnHeapExecutionMemory\":3,\"ProcessTreeJVMRSSMemory\":4,\"ProcessTreePythonRSSMemory\":5,"
    "\"TotalGCTime\":6,\"NettyDirectMemory\":7},\"Task Metrics\":{"
    "\"Executor Deserialize Time\":1,\"Executor Deserialize CPU Time\":2,\"Executor Run Time\":3,"
    "\"Executor CPU Time\":4,\"Peak Execution Memory\":5,\"Result Size\":6,\"JVM GC Time\":7,"
    "\"Result Serialization Time\":8,\"Memory Bytes Spilled\":9,\"Disk Bytes Spilled\":10,"
    "\"Shuffle Read Metrics\":{\"Remote Blocks Fetched\":99,\"Fetch Wait Time\":11,\"Remote Bytes "
    "Read\":12,\"Remote Bytes Read To Disk\":13,\"Local Bytes Read\":14,\"Total Records Read\":15,"
    "\"Push Based Shuffle\":{\"Fetch Wait Time\":99}},\"Shuffle Write Metrics\":{\"Shuffle Bytes "
    "Written\":16,\"Shuffle Write Time\":17,\"Shuffle Records Written\":18},\"Input Metrics\":{"
    "\"Bytes Read\":19,\"Records Read\":69100000000},\"Output Metrics\":{\"Bytes Written\":21,"
    "\"Records Written\":22},\"Updated Blocks\":[]}}";

static void test_fields(void **state) {
    const struct event *e = decode_ok(*state, whole);
    const struct event_task *t = &e->task;
    assert_int_equal(e->kind, EVENT_TASK_END);
    assert_int_equal(e->first_ms, 1000);
    assert_int_equal(e->time_ms, 2000);
    assert_int_equal(t->stage, 1);
    assert_int_equal(t->stage_attempt, 2);
    assert_int_equal(t->task_id, 3);
    assert_int_equal(t->index, 4);
    assert_int_equal(t->attempt, 5);
    assert_int_equal(t->getting_result_ms, 1500);
    assert_text(t->executor, "e");
    assert_text(t->host, "h");
    assert_int_equal(t->locality, LOCALITY_FAR);
    assert_true(t->speculative && !t->failed && !t->killed && t->has_metrics);
    assert_int_equal(t->result, TASK_SUCCESS);
    assert_int_equal(t->exit_caused_by_app, -1);
    assert_int_equal(t->jvm_heap_bytes, 0);
    const int64_t executor[] = {t->jvm_offheap_bytes, t->onheap_execution_bytes, t->jvm_rss_bytes,
                                t->python_rss_bytes, t->total_gc_ms};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(executor[i], i + 2);
    }
}

static void test_metrics(void **state) {
    const struct event_task *t = &decode_ok(*state, whole)->task;
    const int64_t metrics[] = {t->deserialize_ms,
                               t->deserialize_cpu_ns,
                               t->run_ms,
                               t->cpu_ns,
                               t->peak_memory_bytes,
                               t->result_bytes,
                               t->gc_ms,
                               t->serialize_ms,
                               t->memory_spill_bytes,
                               t->disk_spill_bytes,
                               t->fetch_wait_ms,
                               t->remote_read_bytes,
                               t->remote_to_disk_bytes,
                               t->local_read_bytes,
                               t->shuffle_read_records,
                               t->shuffle_write_bytes,
                               t->shuffle_write_ns,
                               t->shuffle_write_records,
                               t->input_bytes};
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
        assert_int_equal(metrics[i], i + 1);
    }
    assert_int_equal(t->input_records, 69100000000);
    assert_int_equal(t->output_bytes, 21);
    assert_int_equal(t->output_records, 22);
}

static void test_accumulables(void **state) {
    struct fixture *f = *state;
    struct idmap wanted = {0};
    const struct event_task *t = &decode_ok(f, whole)->task;
    assert_int_equal(t->accum_count, 3);
    assert_int_equal(t->accums[0].id, 10);
    assert_int_equal(t->accums[0].update, 7);
    assert_int_equal(t->accums[1].id, 11);
    assert_int_equal(t->accums[2].id, 14);
    assert_int_equal(t->accums[2].update, 0);
    assert_int_equal(decode_wanted(f, str_of(whole), &wanted), ST_OK);
    assert_int_equal(t->accum_count, 0);
    assert_int_equal(t->run_ms, 3); // what follows them is read all the same
    assert_true(idmap_put(&wanted, 11, 1, 10) && idmap_put(&wanted, 12, 1, 10));
    assert_int_equal(decode_wanted(f, str_of(whole), &wanted), ST_OK);
    assert_int_equal(t->accum_count, 1);
    assert_int_equal(t->accums[0].update, 8);
    idmap_fini(&wanted);
}

static void test_cut_by_its_sender(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(f, END "\"Task Info\":{},\"Stoker Cut\":true}");
    assert_true(e->cut && e->task.accums_truncated);
    e = decode_ok(f, END "\"Task Info\":{},\"Stoker Cut\":false}");
    assert_false(e->cut || e->task.accums_truncated);
}

static void test_accumulables_end(void **state) {
    struct fixture *f = *state;
    for (int extra = 0; extra < 2; extra++) {
        struct buf text = {0};
        buf_add_text(&text, END "\"Task Info\":{\"Accumulables\":[");
        for (int i = 0; i < EVENT_ACCUMS_MAX + extra; i++) {
            buf_printf(&text, "%s{\"ID\":%d,\"Update\":\"1\",\"Metadata\":\"sql\"}",
                       i == 0 ? "" : ",", i);
        }
        buf_add_text(&text, "],\"Index\":77}}");
        assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
        assert_int_equal(f->event.task.accum_count, EVENT_ACCUMS_MAX);
        assert_int_equal(f->event.task.accums_truncated, extra == 1);
        assert_int_equal(f->event.task.index, 77);
        buf_fini(&text);
    }
}

static void test_reasons(void **state) {
    static const struct {
        const char *reason, *info;
        enum task_result result;
        const char *error_class, *error;
        int by_app;
    } cases[] = {
        {"{\"Reason\":\"ExceptionFailure\",\"Class Name\":\"C\",\"Description\":\"d\",\"Stack "
         "Trace\":[],\"Accumulator Updates\":[{\"ID\":1}]}",
         "", TASK_EXCEPTION, "C", "d", -1},
        {"{\"Reason\":\"FetchFailed\",\"Shuffle ID\":0,\"Message\":\"m\"}", "", TASK_FETCH_FAILED,
         "", "m", -1},
        {"{\"Reason\":\"TaskKilled\",\"Kill Reason\":\"k\"}", "", TASK_KILLED, "", "k", -1},
        {"{\"Reason\":\"TaskCommitDenied\",\"Job ID\":1}", "", TASK_COMMIT_DENIED, "", "", -1},
        {"{\"Reason\":\"ExecutorLostFailure\",\"Exit Caused By App\":false,\"Loss Reason\":\"l\"}",
         "", TASK_EXECUTOR_LOST, "", "l", 0},
        {"{\"Reason\":\"ExecutorLostFailure\",\"Exit Caused By App\":true}", "", TASK_EXECUTOR_LOST,
         "", "", 1},
        {"{\"Reason\":\"Resubmitted\"}", "", TASK_RESUBMITTED, "", "", -1},
        {"{\"Reason\":\"TaskResultLost\"}", "", TASK_RESULT_LOST, "", "", -1},
        {"{\"Reason\":\"Novelty\"}", "", TASK_UNKNOWN_REASON, "", "", -1},
        {"{\"Reason\":\"\"}", "", TASK_SUCCESS, "", "", -1},
        {"{\"Reason\":5}", "\"Failed\":true,\"Killed\":true", TASK_UNKNOWN_REASON, "", "", -1},
        {"null", "\"Killed\":true", TASK_KILLED, "", "", -1},
        {"\"Success\"", "\"Failed\":1", TASK_SUCCESS, "", "", -1},
        {"{\"Reason\":\"Success\"}", "\"Failed\":true", TASK_SUCCESS, "", "", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[500];
        snprintf(text, sizeof text, END "\"Task Info\":{%s},\"Task End Reason\":%s}", cases[i].info,
                 cases[i].reason);
        const struct event_task *t = &decode_ok(*state, text)->task;
        assert_int_equal(t->result, cases[i].result);
        assert_text(t->error_class, cases[i].error_class);
        assert_text(t->error, cases[i].error);
        assert_int_equal(t->exit_caused_by_app, cases[i].by_app);
    }
}

static void test_localities(void **state) {
    static const struct {
        const char *json;
        enum task_locality locality;
    } cases[] = {
        {"\"PROCESS_LOCAL\"", LOCALITY_NEAR},
        {"\"NODE_LOCAL\"", LOCALITY_NEAR},
        {"\"RACK_LOCAL\"", LOCALITY_FAR},
        {"\"ANY\"", LOCALITY_FAR},
        {"\"NO_PREF\"", LOCALITY_NONE},
        {"\"any\"", LOCALITY_NONE},
        {"\"\"", LOCALITY_NONE},
        {"7", LOCALITY_NONE},
        {"{\"ANY\":1}", LOCALITY_NONE},
        {"\"RACK_LOCAL AND MORE\"", LOCALITY_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, END "\"Task Info\":{\"Locality\":%s,\"Index\":1}}",
                 cases[i].json);
        const struct event_task *t = &decode_ok(*state, text)->task;
        assert_int_equal(t->locality, cases[i].locality);
        assert_int_equal(t->index, 1);
    }
    // What one event says, the next does not.
    decode_ok(*state, END "\"Task Info\":{\"Locality\":\"ANY\"}}");
    const struct event_task *t = &decode_ok(*state, END "\"Task Info\":{}}")->task;
    assert_int_equal(t->locality, LOCALITY_NONE);
}

static void test_numbers(void **state) {
    static const struct {
        const char *json;
        int64_t metric, id;
    } cases[] = {
        {"5", 5, 5},
        {"\"5\"", 5, 5},
        {"5.9", 5, 5},
        {"-5", 0, -1},
        {"\"-5\"", 0, -1},
        {"null", 0, -1},
        {"true", 0, -1},
        {"{}", 0, -1},
        {"[5]", 0, -1},
        {"\"\"", 0, -1},
        {"\"-\"", 0, -1},
        {"\"5 \"", 0, -1},
        {"\"+5\"", 0, -1},
        {"\"5.0\"", 0, -1},
        {"\"0x5\"", 0, -1},
        {"5e2", 500, 500},
        {"1e19", 0, -1},
        {"-0.5", 0, 0},
        {"-0", 0, 0},
        {"1e-400", 0, 0},
        {"1e400", 0, -1},
        {"\"NaN\"", 0, -1},
        {"0", 0, 0},
        {"\"007\"", 7, 7},
        {"9223372036854775807", INT64_MAX, INT64_MAX},
        {"\"9223372036854775807\"", INT64_MAX, INT64_MAX},
        {"9223372036854775808", 0, -1},
        {"18446744073709551616", 0, -1},
        {"\"9223372036854775808\"", 0, -1},
        {"9223372036854775808.0", 0, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        snprintf(text, sizeof text,
                 END "\"Task Info\":{\"Task ID\":%s,\"Index\":1},\"Task Metrics\":{\"Executor CPU "
                     "Time\":%s,\"Result Size\":%s,\"JVM GC Time\":2}}",
                 cases[i].json, cases[i].json, cases[i].json);
        const struct event_task *t = &decode_ok(*state, text)->task;
        assert_int_equal(t->task_id, cases[i].id);
        assert_int_equal(t->cpu_ns, cases[i].id); // missing is not 0
        assert_int_equal(t->index, 1);
        assert_int_equal(t->result_bytes, cases[i].metric);
        assert_int_equal(t->gc_ms, 2);
    }
}

static void test_nothing_but_ids(void **state) {
    const struct event_task *t =
        &decode_ok(*state, END "\"Task Info\":{},\"Task Metrics\":{}}")->task;
    assert_true(t->has_metrics);
    assert_int_equal(t->cpu_ns, -1);
    assert_int_equal(t->task_id, -1);
    assert_int_equal(t->index, -1);
    assert_int_equal(t->attempt, -1);
    assert_int_equal(t->stage_attempt, 0);
    assert_int_equal(t->host.len + t->executor.len + t->error.len, 0);
    assert_non_null(t->host.p);
    assert_non_null(t->error.p);
    t = &decode_ok(*state, END "\"Task Info\":{},\"Task Metrics\":null}")->task;
    assert_false(t->has_metrics);
}

static void test_start(void **state) {
    const struct event *e = decode_ok(
        *state, "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":0,\"Stage Attempt ID\":0,"
                "\"Task Info\":{\"Task ID\":9,\"Launch Time\":5,\"Finish Time\":0,"
                "\"Accumulables\":[{\"ID\":1,\"Update\":1,\"Metadata\":\"sql\"}]}}");
    assert_int_equal(e->kind, EVENT_TASK_START);
    assert_int_equal(e->task.task_id, 9);
    assert_int_equal(e->task.accum_count, 0);
    assert_int_equal(e->first_ms, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_accumulables),
        cmocka_unit_test(test_accumulables_end),
        cmocka_unit_test(test_cut_by_its_sender),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_localities),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_nothing_but_ids),
        cmocka_unit_test(test_start),
    };
    return cmocka_run_group_tests(tests, decode_setup, decode_teardown);
}
