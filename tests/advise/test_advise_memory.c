// test_advise_memory: which memory is advised to be more by which ran out, how much by the formula
// and by what tasks were seen to need, and when less would do.
#include "advice_kit.h"

static struct bottleneck *spill(int32_t stage, double mib_each, double held_mib) {
    struct bottleneck *b = kit_verdict(KIND_MEMORY_PRESSURE, CAUSE_SPILL, stage, 20);
    kit_evidence(b, "tasks", 100);
    kit_evidence(b, "memory_spilled_bytes", 100 * mib_each * KIT_MIB);
    kit_evidence(b, "peak_task_memory_bytes", held_mib * KIT_MIB);
    return b;
}

static void on_a_cluster(const char *heap, const char *cores) {
    kit_property("spark.master", "yarn");
    kit_property("spark.executor.memory", heap);
    kit_property("spark.executor.cores", cores);
}

static void a_spill_asks_for_what_it_needed(void **state) {
    (void)state;
    on_a_cluster("4g", "4");
    // (1 GiB + 2 GiB) x 4 tasks / 0.6 + 300 MiB
    spill(0, 2048, 1024);
    const struct recommendation *r = kit_ask("memory");
    assert_string_equal(r->kind, "memory");
    assert_string_equal(kit_value("spark.executor.memory"), "21g");
    assert_string_equal(kit_value("spark.serializer"),
                        "org.apache.spark.serializer.KryoSerializer");
    assert_string_equal(kit_value("spark.shuffle.compress"), "true");
    assert_string_equal(kit_value("spark.shuffle.spill.compress"), "true");
    assert_string_equal(kit_value("spark.sql.adaptive.enabled"), "true");
    assert_string_equal(kit_value("spark.sql.adaptive.coalescePartitions.enabled"), "true");
    assert_string_equal(kit_value("spark.driver.memory"), "");
    assert_string_equal(kit_value("spark.executor.memoryOverhead"), "");
    assert_non_null(strstr(r->action, "A task had some 569.4 MiB to sort"));
    assert_non_null(strstr(r->action, "and needed 3.0 GiB."));
    assert_non_null(strstr(r->action, " In this run: stage 0 has it."));
    assert_non_null(r->when_not);
    assert_near(r->saving_s, 20, 0);
}

// In the order of their kinds.
static void what_a_broadcast_spares_is_promised_once(void **state) {
    (void)state;
    on_a_cluster("4g", "4");
    spill(2, 2048, 1024);
    spill(3, 2048, 1024);
    struct bottleneck *join = kit_verdict(KIND_JOIN_STRATEGY, CAUSE_BROADCASTABLE, -1, 50);
    kit_evidence(join, "join_stage", 2);
    const struct recommendation *r = kit_ask("memory");
    assert_int_equal(r->bottleneck_count, 2);
    assert_near(r->saving_s, 20, 0); // of stage 3
    join->cause = CAUSE_NESTED_LOOP; // it does not sort
    assert_near(kit_ask("memory")->saving_s, 40, 0);
    join->cause = CAUSE_BROADCASTABLE;
    kit.found[1].stage = 2;
    r = kit_ask("memory");
    assert_near(r->saving_s, 0, 0);
    assert_string_equal(r->saving_how, "no time beyond what the join would take less");
    assert_string_equal(kit_value("spark.executor.memory"), "21g");
}

static void the_formula_is_the_least(void **state) {
    (void)state;
    on_a_cluster("1g", "1");
    spill(0, 1, 1);
    kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "4g");
    kit.app->totals.input_bytes = 300LL << 30;
    kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "30g");
}

static void never_less_than_it_had(void **state) {
    (void)state;
    on_a_cluster("100g", "4");
    spill(0, 100, 100);
    const struct recommendation *r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "");
    assert_null(strstr(r->action, "Give each executor"));
}

// No heap beyond 64 GiB: then smaller parts.
static void partitions_do_what_a_heap_cannot(void **state) {
    (void)state;
    on_a_cluster("60g", "16");
    spill(0, 10240, 5120);
    struct stage *stage = app_stage(kit.app, 0, 0);
    stage->summary.tasks_expected = 100;
    stage->summary.shuffle_read_bytes = 1;
    const struct recommendation *r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "64g");
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), ""); // 200 did not make them
    kit_property("spark.sql.shuffle.partitions", "100");
    r = kit_ask("memory");
    // 100 x 15 GiB over (64 GiB - 300 MiB) x 0.6 / 16
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), "628");
    assert_non_null(strstr(r->action, "628 partitions instead of 100"));
    assert_null(r->code);
    kit_property("spark.executor.memory", "64g");
    kit_property("spark.sql.shuffle.partitions", "300");
    r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "");
    assert_non_null(strstr(r->code, "repartition(628, \"key\")"));
}

// Where the run itself says how many partitions there are, more of them do without a larger heap.
static void partitions_of_the_runs_own_are_named_beside_the_heap(void **state) {
    (void)state;
    on_a_cluster("4g", "4");
    spill(0, 2048, 1024);
    struct stage *stage = app_stage(kit.app, 0, 0);
    stage->summary.tasks_expected = 100;
    stage->summary.shuffle_read_bytes = 1;
    kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "21g");
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), ""); // 200 did not make them
    stage->summary.tasks_expected = 200;
    kit_ask("memory");
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), ""); // nobody asked for these
    stage->summary.tasks_expected = 100;
    kit_property("spark.sql.shuffle.partitions", "100");
    const struct recommendation *r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "21g");
    // 100 x 3 GiB over (4 GiB - 300 MiB) x 0.6 / 4
    assert_string_equal(kit_value("spark.sql.shuffle.partitions"), "540");
    assert_non_null(strstr(r->action, "with the heap as it is: 540 partitions instead of the 100"));
}

static void garbage_asks_for_a_larger_heap_if_it_was_full(void **state) {
    (void)state;
    on_a_cluster("8g", "4");
    struct bottleneck *b = kit_verdict(KIND_MEMORY_PRESSURE, CAUSE_GC, 0, 20);
    kit_evidence(b, "gc_share", 0.15);
    const struct recommendation *r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "12g");
    assert_near(r->saving_s, 20 / 3.0, 1e-9); // a third of it goes
    b->evidence[0].value = 0.3;
    r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "16g");
    assert_near(r->saving_s, 10, 1e-9);
    kit.app->peaks = (struct peaks){.heap_bytes = 3LL << 30, .tasks = 100};
    r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "");
    assert_non_null(strstr(r->action, "never more than half full"));
    assert_string_equal(kit_value("spark.serializer"),
                        "org.apache.spark.serializer.KryoSerializer");
}

// 30 s of 100 s of run time on two slots, of which 5 s are usual: 12.5 s of 15 are too much.
static void half_of_what_garbage_costs_stays(void **state) {
    (void)state;
    on_a_cluster("1g", "2");
    struct bottleneck *b = kit_verdict(KIND_MEMORY_PRESSURE, CAUSE_GC, 0, 12.5);
    struct stage *stage = app_stage(kit.app, 0, 0);
    stage->slots = 2;
    stage->task_ms = 100000;
    kit_evidence(b, "gc_share", 0.3);
    kit_evidence(b, "gc_ms", 30000);
    const struct recommendation *r = kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "4g");
    assert_near(r->saving_s, 7.5, 1e-9); // a quarter would be left by the heap alone
    assert_non_null(strstr(r->saving_how, "half of it at least"));
    kit_property("spark.executor.memory", "8g");
    b->evidence[0].value = 0.15; // half as much again: a third goes
    assert_near(kit_ask("memory")->saving_s, 5, 1e-9);
    b->saving_s = 4; // never more than the verdict says
    assert_near(kit_ask("memory")->saving_s, 4, 0);
    kit.app->peaks = (struct peaks){.heap_bytes = 3LL << 30, .tasks = 100};
    assert_near(kit_ask("memory")->saving_s, 4, 0); // less of it in the same heap
}

static void the_driver_is_the_executor_in_local_mode(void **state) {
    (void)state;
    kit_property("spark.master", "local");
    kit_property("spark.driver.memory", "700m");
    kit_property("spark.executor.memory", "99g"); // nobody is given that
    spill(0, 117, 50);
    const struct recommendation *r = kit_ask("memory");
    assert_string_equal(kit_value("spark.driver.memory"), "4g");
    assert_string_equal(kit_value("spark.executor.memory"), "");
    assert_non_null(strstr(r->action, "Give the driver, which runs the tasks, 4.0 GiB"));
}

// What is advised by which memory ran out.
static void the_memory_that_ran_out_decides(void **state) {
    (void)state;
    static const struct {
        enum cause cause;
        const char *evidence, *heap, *overhead, *off_heap;
    } cases[] = {
        {CAUSE_OOM, "failed_oom", "16g", "", ""},
        {CAUSE_OOM, "failed_execution_memory", "16g", "", ""},
        {CAUSE_OOM, "failed_direct_memory", "", "2g", ""},
        {CAUSE_OOM, "failed_python_memory", "", "2g", ""},
        {CAUSE_OOM, "failed_off_heap_memory", "", "", "1g"},
        {CAUSE_CONTAINER_KILLED, "failed_container_killed", "", "2g", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        kit_tear_down(state);
        kit_set_up(state);
        on_a_cluster("8g", "4"); // overhead 819 MiB
        struct bottleneck *b = kit_verdict(KIND_TASK_FAILURES, cases[i].cause, 0, 5);
        kit_evidence(b, cases[i].evidence, 3);
        assert_non_null(kit_ask("memory"));
        assert_string_equal(kit_value("spark.executor.memory"), cases[i].heap);
        assert_string_equal(kit_value("spark.executor.memoryOverhead"), cases[i].overhead);
        assert_string_equal(kit_value("spark.memory.offHeap.size"), cases[i].off_heap);
        assert_string_equal(kit_value("spark.driver.memory"), "");
    }
}

static void what_a_gpu_lacks_is_left_to_the_remedies(void **state) {
    (void)state;
    struct bottleneck *b = kit_verdict(KIND_TASK_FAILURES, CAUSE_OOM, 0, 5);
    kit_evidence(b, "failed_gpu_memory", 3);
    assert_null(kit_ask("memory"));
    b->cause = CAUSE_USER_CODE;
    assert_null(kit_ask("memory"));
}

static void a_machine_is_no_container(void **state) {
    (void)state;
    kit_property("spark.master", "spark"); // as it is kept
    kit_verdict(KIND_TASK_FAILURES, CAUSE_CONTAINER_KILLED, 0, 5);
    const struct recommendation *r = kit_ask("memory");
    assert_int_equal(r->setting_count, 0);
    assert_non_null(strstr(r->action, "Executors have no container here"));
}

static void python_has_its_own_limit_or_the_overhead(void **state) {
    (void)state;
    on_a_cluster("8g", "4");
    struct bottleneck *b = kit_verdict(KIND_TASK_FAILURES, CAUSE_OOM, 0, 5);
    kit_evidence(b, "failed_python_memory", 3);
    kit.app->peaks.python_bytes = 5LL << 30; // more than twice the overhead
    kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memoryOverhead"), "6656m");
    assert_string_equal(kit_value("spark.sql.execution.arrow.maxRecordsPerBatch"), "");
    kit.app->works = WORK_PYTHON_BATCHES;
    kit_property("spark.executor.pyspark.memory", "2g");
    kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memoryOverhead"), "");
    assert_string_equal(kit_value("spark.executor.pyspark.memory"), "4g");
    assert_string_equal(kit_value("spark.sql.execution.arrow.maxRecordsPerBatch"), "2000");
}

static void the_driver_gets_more_only_for_itself(void **state) {
    (void)state;
    on_a_cluster("8g", "4");
    kit_property("spark.driver.memory", "3g");
    struct bottleneck *b = kit_verdict(KIND_PIPELINE_FAILURE, CAUSE_OOM, -1, 5);
    assert_null(kit_ask("memory"));
    kit.app->drivers_oom = true;
    assert_non_null(kit_ask("memory"));
    assert_string_equal(kit_value("spark.driver.memory"), "6g");
    assert_string_equal(kit_value("spark.executor.memory"), "");
    b->cause = CAUSE_NONE;
    assert_null(kit_ask("memory"));
}

static void beyond_the_largest_heap_fewer_tasks_share_it(void **state) {
    (void)state;
    on_a_cluster("64g", "5");
    struct bottleneck *b = kit_verdict(KIND_TASK_FAILURES, CAUSE_OOM, 0, 5);
    kit_evidence(b, "failed_oom", 3);
    kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "");
    assert_string_equal(kit_value("spark.executor.cores"), "2");
}

// A run of two hours on one executor of 32 GiB that used 3 GiB.
static void plenty(void) {
    on_a_cluster("32g", "4");
    spark_executor(kit.app, "1", "h1", 4);
    struct event task = spark_task(1, 7000000);
    task.task.jvm_heap_bytes = 3LL << 30;
    for (int i = 0; i < 30; i++) {
        task.task.task_id = i;
        app_apply(kit.app, &task, NULL);
    }
    struct event end = {.kind = EVENT_APP_END, .time_ms = 1000000 + 7200000};
    app_apply(kit.app, &end, NULL);
}

static void half_the_memory_would_do(void **state) {
    (void)state;
    plenty();
    assert_int_equal(kit.app->peaks.tasks, 30);
    const struct recommendation *r = kit_ask("memory");
    assert_non_null(r);
    assert_string_equal(kit_value("spark.executor.memory"), "16g");
    assert_int_equal(r->setting_count, 1);
    assert_near(r->saving_s, 0, 0);
    assert_non_null(strstr(r->action, "use more than 3.0 GiB of its heap"));
    kit.app->peaks.heap_bytes = 11LL << 30; // with half as much again more than half
    assert_null(kit_ask("memory"));
    kit.app->peaks.heap_bytes = 3LL << 30;
    kit.app->totals.memory_spilled_bytes = 1;
    assert_null(kit_ask("memory"));
    kit.app->totals.memory_spilled_bytes = 0;
    kit.app->totals.input_bytes = 170LL << 30; // the formula asks for 17g
    assert_null(kit_ask("memory"));
    kit.app->totals.input_bytes = 0;
    kit.app->peaks.heap_bytes = 400LL << 20;
    kit.app->ended_ms += 4 * 7200000;
    kit_property("spark.executor.memory", "3g"); // a small one, of a long run
    kit_ask("memory");
    assert_string_equal(kit_value("spark.executor.memory"), "2g");
    kit_property("spark.executor.memory", "2000m"); // never less than a GiB
    assert_null(kit_ask("memory"));
    kit.app->peaks.heap_bytes = 3LL << 30;
    kit_property("spark.executor.memory", "32g");
    kit.app->totals.gc_ms = kit.app->totals.run_ms / 10;
    assert_null(kit_ask("memory"));
    kit.app->totals.gc_ms = 0;
    kit_verdict(KIND_MEMORY_PRESSURE, CAUSE_SPILL, 0, 0)->severity = SEVERITY_NEGLIGIBLE;
    assert_null(kit_ask("memory"));
}

static void what_was_not_seen_is_not_taken_away(void **state) {
    (void)state;
    plenty();
    kit.app->peaks.tasks = 19;
    assert_null(kit_ask("memory"));
    kit.app->peaks.tasks = 20;
    assert_non_null(kit_ask("memory"));
    kit_property("spark.master", "local");
    assert_null(kit_ask("memory"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_spill_asks_for_what_it_needed),
        KIT_TEST(what_a_broadcast_spares_is_promised_once),
        KIT_TEST(the_formula_is_the_least),
        KIT_TEST(never_less_than_it_had),
        KIT_TEST(partitions_do_what_a_heap_cannot),
        KIT_TEST(partitions_of_the_runs_own_are_named_beside_the_heap),
        KIT_TEST(garbage_asks_for_a_larger_heap_if_it_was_full),
        KIT_TEST(half_of_what_garbage_costs_stays),
        KIT_TEST(the_driver_is_the_executor_in_local_mode),
        KIT_TEST(the_memory_that_ran_out_decides),
        KIT_TEST(what_a_gpu_lacks_is_left_to_the_remedies),
        KIT_TEST(a_machine_is_no_container),
        KIT_TEST(python_has_its_own_limit_or_the_overhead),
        KIT_TEST(the_driver_gets_more_only_for_itself),
        KIT_TEST(beyond_the_largest_heap_fewer_tasks_share_it),
        KIT_TEST(half_the_memory_would_do),
        KIT_TEST(what_was_not_seen_is_not_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
