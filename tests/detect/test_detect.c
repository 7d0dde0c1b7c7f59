// test_detect: every detector's rule at its edge, its cause and its honesty about small losses.
#include "detect_kit.h"

#include "support/spark.h"

// Ten tasks of 1 s and one of `slow_ms`; `change` makes the slow one special.
static struct stage *uneven(struct app *app, int64_t slow_ms,
                            void (*change)(struct event_task *task)) {
    spark_executor(app, "1", "h1", 2);
    spark_executor(app, "2", "h2", 2);
    for (int i = 0; i < 4; i++) { // an earlier stage has warmed the executors up
        struct event warm = spark_task(1000 + i, 10);
        warm.task.stage = 99;
        warm.task.executor = i % 2 == 0 ? STR("1") : STR("2");
        app_apply(app, &warm, NULL);
    }
    for (int i = 0; i < 11; i++) {
        struct event event = spark_task(i, i == 10 ? slow_ms : 1000);
        event.task.executor = i % 2 == 0 ? STR("1") : STR("2");
        if (i == 10 && change != NULL) {
            change(&event.task);
        }
        app_apply(app, &event, NULL);
    }
    return app_stage(app, 0, 0);
}

static void skew_begins_above_three_times_the_mean(void **state) {
    (void)state;
    // max = 3 x mean exactly when slow = 3 (10000 + slow) / 11, i.e. slow = 3750.
    struct app *app = spark_app();
    assert_int_equal(judge(KIND_DATA_SKEW, app, uneven(app, 3750, NULL), true).rule_met, TRI_FALSE);
    app_free(app);
    app = spark_app();
    assert_int_equal(judge(KIND_DATA_SKEW, app, uneven(app, 3751, NULL), true).rule_met, TRI_TRUE);
    app_free(app);
    app = spark_app();
    struct stage *empty = spark_stage(app, EVENT_STAGE_COMPLETED, 0, 3, 1000, 2000);
    struct verdict none = judge(KIND_DATA_SKEW, app, empty, true);
    assert_int_equal(none.rule_met, TRI_NULL);
    assert_non_null(none.reason);
    app_free(app);
}

static void more_data(struct event_task *task) {
    task->remote_read_bytes = 50000;
}
static void same_data_more_cpu(struct event_task *task) {
    task->cpu_ns = task->run_ms * 950000;
}
static void waits_for_fetches(struct event_task *task) {
    task->fetch_wait_ms = task->run_ms - 500;
    task->cpu_ns = 100;
}
static void delayed(struct event_task *task) {
    task->run_ms = 900;
    task->cpu_ns = 800000000;
}

static void the_cause_of_uneven_times_is_told(void **state) {
    (void)state;
    static const struct {
        void (*change)(struct event_task *task);
        enum cause cause;
    } cases[] = {
        {more_data, CAUSE_DATA},
        {same_data_more_cpu, CAUSE_COSTLY_RECORDS},
        {waits_for_fetches, CAUSE_FETCH_WAIT},
        {delayed, CAUSE_SCHEDULING},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        struct stage *stage = uneven(app, 60000, cases[i].change);
        struct verdict skew = judge(KIND_DATA_SKEW, app, stage, true);
        struct verdict straggler = judge(KIND_STRAGGLER, app, stage, true);
        assert_int_equal(skew.rule_met, TRI_TRUE);
        assert_int_equal(skew.cause, cases[i].cause);
        bool data = cases[i].cause == CAUSE_DATA;
        assert_int_equal(skew.cap, data ? SEVERITY_CRITICAL : SEVERITY_NEGLIGIBLE);
        assert_int_equal(straggler.rule_met, data ? TRI_FALSE : TRI_TRUE);
        if (!data) {
            assert_int_equal(straggler.cause, cases[i].cause);
        }
        assert_true(skew.saving_s > 0 && skew.saving_s <= 60 - 70.0 / 11 + 0.001);
        app_free(app);
    }
}

// Sixty tasks, every tenth of them slow: on `host`, but for the first slow one if `elsewhere`.
static struct verdict slow_host(const char *host, bool elsewhere) {
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 8);
    spark_executor(app, "2", host, 8);
    for (int i = 0; i < 60; i++) {
        struct event event = spark_task(i, i % 10 == 9 ? 9000 : 500);
        bool there = i % 10 == 9 && (i != 9 || !elsewhere);
        event.task.executor = there ? STR("2") : STR("1");
        event.task.host = there ? str_of(host) : STR("h1");
        app_apply(app, &event, NULL);
    }
    struct verdict v = judge(KIND_STRAGGLER, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_SLOW_HOST);
    app_free(app);
    return v;
}

static void a_slow_host_is_named(void **state) {
    (void)state;
    struct verdict v = slow_host("worker-7", false);
    assert_near(evidence(&v, "slow_host_task_ms"), 9000, 0);
    assert_near(evidence(&v, "other_hosts_task_ms"), 500, 0);
    assert_non_null(strstr(v.summary, ": all 6 slow tasks ran on one host, worker-7, where tasks "
                                      "take 9.0 s against 0.5 s elsewhere"));
    v = slow_host("worker-7", true);
    assert_non_null(strstr(v.summary, ": 5 of 6 slow tasks ran on one host, worker-7, where"));
    // A long name is cut between characters, one that nobody told is left out.
    v = slow_host(
        "h\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
        "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
        "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
        "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9",
        false);
    const char *name = strstr(v.summary, "one host, ") + 10;
    assert_int_equal(strstr(name, ", where") - name, 63); // the 32nd would end at byte 65
    assert_true(str_is_utf8(str_of(v.summary)));
    v = slow_host("", false);
    assert_non_null(strstr(v.summary, "ran on one host, where tasks"));
}

static void warming_up_is_no_bottleneck(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 1);
    for (int i = 0; i < 12; i++) {
        struct event event = spark_task(i, i == 0 ? 3000 : 100);
        app_apply(app, &event, NULL);
    }
    struct verdict v = judge(KIND_STRAGGLER, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cap, SEVERITY_NEGLIGIBLE);
    app_free(app);
}

static void memory_pressure_tells_spill_and_gc(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(1, 10000);
    app_apply(app, &task, NULL);
    assert_int_equal(judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true).rule_met,
                     TRI_FALSE);
    task = spark_task(2, 10000);
    task.task.gc_ms = 6000;
    app_apply(app, &task, NULL);
    struct verdict v = judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.rule_met, TRI_FALSE);
    assert_true(v.opens);
    assert_int_equal(v.cause, CAUSE_GC);
    task = spark_task(3, 10000);
    task.task.memory_spill_bytes = 1; // either field alone is enough
    app_apply(app, &task, NULL);
    v = judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_GC); // the spill cost nothing
    task = spark_task(4, 60000);
    task.task.disk_spill_bytes = 8LL << 30;
    task.task.memory_spill_bytes = 20LL << 30;
    app_apply(app, &task, NULL);
    v = judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_SPILL);
    // Never more than most of the time of tasks that spilled, as a share of what all did in 60 s.
    assert_near(v.saving_s, 0.8 * 70 / 90 * 60, 1e-9);
    app_free(app);
}

static void io_compares_reading_with_computing(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(1, 1000);
    app_apply(app, &task, NULL);
    assert_int_equal(judge(KIND_IO_BOTTLENECK, app, app_stage(app, 0, 0), true).rule_met, TRI_NULL);
    task = spark_task(2, 1000); // 500 ms CPU, 500 ms reading: not more than half
    task.task.input_bytes = 10;
    task.task.cpu_ns = 500000000;
    app_apply(app, &task, NULL);
    assert_int_equal(judge(KIND_IO_BOTTLENECK, app, app_stage(app, 0, 0), true).rule_met,
                     TRI_FALSE);
    task = spark_task(3, 1000);
    task.task.input_bytes = 10;
    task.task.cpu_ns = 499999999;
    app_apply(app, &task, NULL);
    struct verdict v = judge(KIND_IO_BOTTLENECK, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
    assert_int_equal(v.confidence, CONFIDENCE_HIGH);
    app->foreign_engine = true; // Python workers look like reading
    assert_int_equal(judge(KIND_IO_BOTTLENECK, app, app_stage(app, 0, 0), true).cap,
                     SEVERITY_NEGLIGIBLE);
    app_stage(app, 0, 0)->scan_tasks = 2; // unless the scans told their own time
    v = judge(KIND_IO_BOTTLENECK, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
    assert_int_equal(v.confidence, CONFIDENCE_HIGH);
    app_stage(app, 0, 0)->scan_tasks = 0; // or there is a task for each of many tiny files
    app_stage(app, 0, 0)->io_tasks = 100;
    v = judge(KIND_IO_BOTTLENECK, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
    assert_int_equal(v.confidence, CONFIDENCE_MEDIUM);
    app_free(app);
}

// A minute of reading beside 40 s of computing, of which a busy CPU may explain some.
static void waiting_for_a_busy_cpu_is_no_reading(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(1, 100000);
    task.task.input_bytes = 10;
    task.task.cpu_ns = 40000000000;
    app_apply(app, &task, NULL);
    struct stage *stage = app_stage(app, 0, 0);
    app->computed = (struct load_computed){5000, 1000}; // a fifth: 10 s beside 40 of computing
    struct verdict v = judge(KIND_IO_BOTTLENECK, app, stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_NONE);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
    assert_near(evidence(&v, "cpu_wait_share"), 0.2, 1e-12);
    assert_near(evidence(&v, "read_beyond_cpu_wait_ms"), 50000, 1e-6);
    app->computed.waited_ms = 1700; // 20.6 s: what is left is less than the computing
    v = judge(KIND_IO_BOTTLENECK, app, stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_OVERSUBSCRIBED);
    assert_int_equal(v.cap, SEVERITY_NEGLIGIBLE);
    assert_non_null(strstr(v.summary, "wait as much: for a CPU"));
    stage->deserialize_ms = 200; // which was work, nine tenths of it: no CPU was busy
    stage->deserialize_cpu_ns = 180000000;
    v = judge(KIND_IO_BOTTLENECK, app, stage, true);
    assert_int_equal(v.cause, CAUSE_NONE);
    assert_near(evidence(&v, "cpu_wait_share"), 0.1, 1e-12);
    stage->deserialize_ms = 199; // too little to tell
    assert_int_equal(judge(KIND_IO_BOTTLENECK, app, stage, true).cause, CAUSE_OVERSUBSCRIBED);
    app_free(app);
}

// Spark before 2.1 does not tell the CPU time of a task: what is missing is not 0.
static void without_cpu_time_reading_is_not_judged(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(1, 1000);
    task.task.input_bytes = 10;
    task.task.cpu_ns = -1;
    app_apply(app, &task, NULL);
    const struct stage *stage = app_stage(app, 0, 0);
    struct verdict v = judge(KIND_IO_BOTTLENECK, app, stage, true);
    assert_int_equal(v.rule_met, TRI_NULL);
    assert_non_null(strstr(v.reason, "CPU time"));
    assert_false(stage_tells_cpu(stage));
    assert_int_equal(stage->summary.cpu_ns, 0);
    task = spark_task(2, 1000); // one that tells it is judged alone; 0 is told, too
    task.task.input_bytes = 10;
    task.task.cpu_ns = 0;
    app_apply(app, &task, NULL);
    v = judge(KIND_IO_BOTTLENECK, app, stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(evidence(&v, "read_ms"), 1000, 0);
    app_free(app);
}

static void contention_counts_waiting_slots(void **state) {
    (void)state;
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 4);
    struct stage *stage =
        spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 10, 1000000, 0); // first launch 1 s later
    struct event task = spark_task(1, 4000); // waiting = 1000 x 4 = run: not more than half
    app_apply(app, &task, NULL);
    assert_int_equal(judge(KIND_RESOURCE_CONTENTION, app, stage, true).rule_met, TRI_FALSE);
    task = spark_task(2, 1000); // 1 ms of scheduler delay tips it... against 999 ms more of running
    task.task.run_ms = 0;
    app_apply(app, &task, NULL);
    struct verdict v = judge(KIND_RESOURCE_CONTENTION, app, stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(evidence(&v, "waiting_ms"), 5000, 0);
    // Less what two launches cost; the rest as a share of the work, of which the longest is 4 s.
    assert_near(v.saving_s, 1 + (1000 - 2 * 25) / 5000.0 * 4, 1e-9);
    app_free(app);
}

// A stage submitted `after_ms` after the end of another stage's task (before it if negative), which
// gets its first slot two seconds later.
static bool waits_for_own(int64_t after_ms, bool other_ends) {
    struct app *app = spark_app();
    spark_executor(app, "1", "h1", 4);
    struct event other = spark_task(1, 4000); // ends at 1005000
    other.kind = other_ends ? EVENT_TASK_END : EVENT_TASK_START;
    other.task.stage = 7;
    app_apply(app, &other, NULL);
    struct stage *stage = spark_stage(app, EVENT_STAGE_SUBMITTED, 0, 10, 1005000 + after_ms, 0);
    struct event task = spark_task(2, 1000);
    task.task.launch_ms = stage->summary.submitted_ms + 2000;
    task.task.finish_ms = task.time_ms = task.task.launch_ms + 1000;
    app_apply(app, &task, NULL);
    struct verdict v = judge(KIND_RESOURCE_CONTENTION, app, stage, true);
    assert_int_equal(v.rule_met, TRI_TRUE);
    bool own = evidence(&v, "waited_for_own_stages") != 0;
    assert_near(v.saving_s, own ? 0 : 2, 1e-9);
    app_free(app);
    return own;
}

static void waiting_for_the_runs_own_stages_is_no_contention(void **state) {
    (void)state;
    assert_true(waits_for_own(-1, true));
    assert_false(waits_for_own(0, true));
    assert_false(waits_for_own(1, true));
    assert_true(waits_for_own(0, false)); // it still runs
}

static void failures_are_classed_and_costed(void **state) {
    (void)state;
    static const struct {
        enum task_result result;
        const char *class, *text;
        enum cause cause;
    } cases[] = {
        {TASK_EXCEPTION, "java.lang.IllegalStateException", "bad record", CAUSE_USER_CODE},
        {TASK_EXCEPTION, "org.apache.spark.memory.SparkOutOfMemoryError", "", CAUSE_OOM},
        {TASK_FETCH_FAILED, "", "Connection reset", CAUSE_FETCH_FAILED},
        {TASK_EXECUTOR_LOST, "", "Command exited with code 143", CAUSE_EXECUTOR_LOST},
        {TASK_EXECUTOR_LOST, "", "Command exited with code 137", CAUSE_CONTAINER_KILLED},
        {TASK_EXECUTOR_LOST, "", "Command exited with code 52", CAUSE_OOM},
        {TASK_EXECUTOR_LOST, "", "Container killed by YARN for exceeding physical memory limits",
         CAUSE_CONTAINER_KILLED},
        {TASK_UNKNOWN_REASON, "", "", CAUSE_OTHER},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct app *app = spark_app();
        struct event task = spark_task(1, 2000);
        app_apply(app, &task, NULL);
        assert_int_equal(judge(KIND_TASK_FAILURES, app, app_stage(app, 0, 0), true).rule_met,
                         TRI_FALSE);
        task = spark_task(2, 2000);
        task.task.result = cases[i].result;
        task.task.error_class = str_of(cases[i].class);
        task.task.error = str_of(cases[i].text);
        app_apply(app, &task, NULL);
        struct verdict v = judge(KIND_TASK_FAILURES, app, app_stage(app, 0, 0), true);
        assert_int_equal(v.rule_met, TRI_TRUE);
        assert_int_equal(v.cause, cases[i].cause);
        bool memory = v.cause == CAUSE_OOM || v.cause == CAUSE_CONTAINER_KILLED;
        assert_int_equal(v.floor, memory ? SEVERITY_MODERATE : SEVERITY_NEGLIGIBLE);
        assert_near(v.saving_s, 2, 1e-9);
        app_free(app);
    }
}

static void fail_task(struct app *app, int64_t id, enum task_result result, const char *class,
                      const char *text) {
    struct event task = spark_task(id, 10000);
    task.task.result = result;
    task.task.error_class = str_of(class);
    task.task.error = str_of(text);
    app_apply(app, &task, NULL);
}

static void an_executor_that_dies_takes_others_with_it(void **state) {
    (void)state;
    struct app *app = spark_app();
    fail_task(app, 1, TASK_EXCEPTION, "java.lang.OutOfMemoryError", "Java heap space");
    for (int i = 0; i < 8; i++) {
        fail_task(app, 10 + i, TASK_EXECUTOR_LOST, "", "Remote RPC client disassociated");
    }
    struct verdict v = judge(KIND_TASK_FAILURES, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_OOM);
    assert_near(evidence(&v, "failed_executor_lost"), 8, 0);
    fail_task(app, 20, TASK_EXECUTOR_LOST, "", "Remote RPC client disassociated");
    v = judge(KIND_TASK_FAILURES, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_EXECUTOR_LOST); // too many for one death
    app_free(app);
    app = spark_app(); // exceptions are no such companions
    fail_task(app, 1, TASK_EXCEPTION, "java.lang.OutOfMemoryError", "Java heap space");
    fail_task(app, 2, TASK_EXCEPTION, "java.lang.IllegalStateException", "bad record");
    fail_task(app, 3, TASK_EXCEPTION, "java.lang.IllegalStateException", "bad record");
    v = judge(KIND_TASK_FAILURES, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_USER_CODE);
    app_free(app);
}

static void the_memory_that_ran_out_is_named(void **state) {
    (void)state;
    struct app *app = spark_app();
    fail_task(app, 1, TASK_EXCEPTION, "java.lang.OutOfMemoryError", "Java heap space");
    fail_task(app, 2, TASK_EXCEPTION, "java.lang.OutOfMemoryError", "Direct buffer memory");
    struct verdict v = judge(KIND_TASK_FAILURES, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_OOM);
    assert_non_null(strstr(v.summary, "out of heap"));
    for (uint32_t i = 0; i < v.evidence_count; i++) {
        assert_string_not_equal(v.evidence[i].name, "failed_direct_memory");
    }
    fail_task(app, 3, TASK_EXCEPTION, "java.lang.OutOfMemoryError", "Metaspace");
    v = judge(KIND_TASK_FAILURES, app, app_stage(app, 0, 0), true);
    assert_near(evidence(&v, "failed_oom"), 3, 0);
    assert_near(evidence(&v, "failed_direct_memory"), 2, 0);
    assert_non_null(strstr(v.summary, "beside the heap"));
    app_free(app);
}

static void one_lack_of_memory_is_one_finding(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event task = spark_task(1, 10000);
    task.task.gc_ms = 6000; // 5.5 s too much
    app_apply(app, &task, NULL);
    fail_task(app, 2, TASK_EXCEPTION, "java.lang.OutOfMemoryError", "Java heap space"); // 10 s
    struct verdict v = judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true);
    assert_true(v.opens && v.rule_met == TRI_FALSE);
    assert_int_equal(v.cause, CAUSE_OOM); // which task_failures explains
    assert_int_equal(v.floor, SEVERITY_MODERATE);
    assert_near(v.saving_s, 10, 1e-9);
    task = spark_task(3, 20000);
    task.task.gc_ms = 12000; // now it costs more than the failure
    app_apply(app, &task, NULL);
    v = judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_GC);
    app_stage(app, 0, 0)->summary.failed = true; // which decides what it was
    v = judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true);
    assert_int_equal(v.cause, CAUSE_OOM);
    app_free(app);
    app = spark_app();
    task = spark_task(1, 10000);
    task.task.gc_ms = 6000;
    app_apply(app, &task, NULL);
    fail_task(app, 2, TASK_EXECUTOR_LOST, "", "Command exited with code 137");
    v = judge(KIND_MEMORY_PRESSURE, app, app_stage(app, 0, 0), true);
    assert_false(v.opens); // a container that was killed says nothing of the heap
    assert_int_equal(v.cap, SEVERITY_NEGLIGIBLE);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skew_begins_above_three_times_the_mean),
        cmocka_unit_test(the_cause_of_uneven_times_is_told),
        cmocka_unit_test(a_slow_host_is_named),
        cmocka_unit_test(warming_up_is_no_bottleneck),
        cmocka_unit_test(memory_pressure_tells_spill_and_gc),
        cmocka_unit_test(io_compares_reading_with_computing),
        cmocka_unit_test(waiting_for_a_busy_cpu_is_no_reading),
        cmocka_unit_test(without_cpu_time_reading_is_not_judged),
        cmocka_unit_test(contention_counts_waiting_slots),
        cmocka_unit_test(waiting_for_the_runs_own_stages_is_no_contention),
        cmocka_unit_test(failures_are_classed_and_costed),
        cmocka_unit_test(an_executor_that_dies_takes_others_with_it),
        cmocka_unit_test(the_memory_that_ran_out_is_named),
        cmocka_unit_test(one_lack_of_memory_is_one_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
