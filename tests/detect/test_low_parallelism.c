// test_low_parallelism: a stage of few tasks that holds the run up, at the edges of its rule, and
// the healthy stages that look like one.
#include "detect_kit.h"

#include "model/operator.h"

#define MIB (1024LL * 1024)

// One task of ten seconds on four slots, of a run whose slots had nothing else to do.
static struct stage one_task(void) {
    return (struct stage){.summary = {.stage = 7,
                                      .tasks = 1,
                                      .tasks_expected = 1,
                                      .max_task_ms = 10000,
                                      .name = "save at Job.scala:12"},
                          .completed = true,
                          .slots = 1,
                          .live_slots = 4,
                          .first_launch_ms = 1000,
                          .last_finish_ms = 11000,
                          .task_ms = 10000,
                          .bytes = 100 * MIB,
                          .beside = {.alone_ms = 10000}};
}

static struct verdict ask(const struct stage *stage) {
    struct app app = {0};
    return judge(KIND_LOW_PARALLELISM, &app, stage, true);
}

static void one_task_costs_what_all_slots_would_save(void **state) {
    (void)state;
    struct stage stage = one_task();
    struct verdict v = ask(&stage);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_SINGLE_PARTITION);
    assert_near(v.saving_s, 10 - 10.0 / 4, 1e-12);
    assert_near(evidence(&v, "best_ms"), 2500, 1e-12);
    assert_non_null(strstr(v.summary, "stage 7 took 10.0 s in 1 task although 4 slots were free"));
    stage.live_slots = 100; // however many: a second goes into having tasks at all
    assert_near(ask(&stage).saving_s, 9, 1e-12);
    stage.live_slots = 1;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
}

static void few_tasks_must_leave_enough_idle(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.summary.tasks = stage.summary.tasks_expected = 3;
    stage.task_ms = 24000; // of 40 s of slots: 40 % idle
    struct verdict v = ask(&stage);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_FEW_PARTITIONS);
    assert_near(v.saving_s, 10 - 6, 1e-12);
    stage.task_ms = 24010;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage.task_ms = 24000;
    stage.summary.tasks = stage.summary.tasks_expected = 4; // as many as slots
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
}

static void short_stages_are_normal(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.task_ms = stage.summary.max_task_ms = 3000;
    stage.last_finish_ms = 4000;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.last_finish_ms = 3999;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
}

static void slots_that_other_stages_use_are_not_idle(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.beside.task_ms = 20000; // two of the four
    struct verdict v = ask(&stage);
    assert_near(evidence(&v, "slots_left_by_others"), 2, 1e-12);
    assert_near(v.saving_s, 5, 1e-12);
    stage.beside.task_ms = 30000;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
}

static void what_others_outlast_holds_up_only_while_alone(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.beside.outlasted = true;
    stage.beside.alone_ms = 4000;
    assert_near(ask(&stage).saving_s, 4, 1e-12);
    stage.beside.alone_ms = 0;
    assert_near(ask(&stage).saving_s, 0, 0);
    stage.beside.outlasted = false; // it was the last
    assert_near(ask(&stage).saving_s, 7.5, 1e-12);
}

static void uneven_tasks_are_told_by_their_own_kinds(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.live_slots = 100;
    stage.summary.tasks = stage.summary.tasks_expected = 5;
    stage.task_ms = 16667; // the slowest: a little less than three times the mean
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.task_ms = 16666;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
}

static void a_first_task_with_little_data_warms_up(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.cold_tasks = 1;
    stage.last_finish_ms = 10999;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE); // it has data
    stage.bytes = 16 * MIB;
    stage.records = 100000;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage.records++;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.records = 0;
    stage.last_finish_ms = 11000; // nothing warms up for ten seconds
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    stage.last_finish_ms = 10999;
    stage.cold_tasks = 0;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
}

static void calls_that_want_one_task_get_one(void **state) {
    (void)state;
    static const char *const calls[] = {"take at A.scala:1", "head at A.scala:1",
                                        "showString at NativeMethodAccessorImpl.java:0",
                                        "runJob at PythonRDD.scala:181"};
    struct stage stage = one_task();
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        str_copy(stage.summary.name, sizeof stage.summary.name, str_of(calls[i]));
        assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    }
    stage.works = WORK_COALESCED; // an aggregate over all of one partition ends in a look, too
    stage.records = 100001;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    assert_int_equal(ask(&stage).confidence, CONFIDENCE_MEDIUM);
    stage.records--;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage.records++;
    stage.works = 0; // of many, as far as is known
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    str_copy(stage.summary.name, sizeof stage.summary.name, STR("takeOrdered at A.scala:1"));
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
}

// Of an only partition there is no other to look at.
static void a_look_through_an_only_partition_is_work(void **state) {
    (void)state;
    struct stage stage = one_task();
    str_copy(stage.summary.name, sizeof stage.summary.name, STR("first at A.scala:1"));
    stage.records = 100001;
    stage.partitions_most = 1;
    assert_int_equal(ask(&stage).rule_met, TRI_TRUE);
    assert_int_equal(ask(&stage).confidence, CONFIDENCE_HIGH);
    stage.records--;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage.records++;
    stage.partitions_most = 2;
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
    stage.partitions_most = 0; // not told
    assert_int_equal(ask(&stage).rule_met, TRI_FALSE);
}

static double before_coalesce(const struct stage *stage) {
    struct verdict v = ask(stage);
    assert_int_equal(v.rule_met, TRI_TRUE);
    for (uint32_t i = 0; i < v.evidence_count; i++) {
        if (strcmp(v.evidence[i].name, "partitions_before_coalesce") == 0) {
            return v.evidence[i].value;
        }
    }
    return -1;
}

static void what_a_coalesce_made_few_is_told(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.partitions_most = 8;
    assert_near(before_coalesce(&stage), -1, 0);
    stage.works = WORK_COALESCED;
    assert_near(before_coalesce(&stage), 8, 0);
    stage.partitions_most = 0;
    assert_near(before_coalesce(&stage), 0, 0); // not told how many
    stage.partitions_most = 1;
    assert_near(before_coalesce(&stage), -1, 0); // there was nothing to put together
    stage.partitions_most = 2;
    stage.summary.shuffle_read_bytes = 1; // an RDD that is repartitioned
    assert_near(before_coalesce(&stage), -1, 0);
    stage.execution = 3;
    assert_near(before_coalesce(&stage), 2, 0);
}

static void what_cannot_be_split_is_told_by_its_bytes(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.summary.input_bytes = 256 * MIB; // twice a split: two may have been put together
    assert_int_equal(ask(&stage).cause, CAUSE_SINGLE_PARTITION);
    stage.summary.input_bytes++;
    struct verdict v = ask(&stage);
    assert_int_equal(v.cause, CAUSE_UNSPLITTABLE);
    assert_non_null(strstr(v.summary, "each read from what cannot be split: 256.0 MiB"));
    stage.works = WORK_JDBC; // which has no splits
    assert_int_equal(ask(&stage).cause, CAUSE_SINGLE_PARTITION);
    stage.works = WORK_FILES | WORK_TEXT;
    assert_int_equal(ask(&stage).cause, CAUSE_UNSPLITTABLE);
    stage.summary.tasks = stage.summary.tasks_expected = 2; // of which each has half
    assert_int_equal(ask(&stage).cause, CAUSE_FEW_PARTITIONS);
    struct app *app = app_new("c", STR("a"), STR(""), &(struct pipeline_rule){0});
    properties_put(&app->properties, STR("spark.sql.files.maxPartitionBytes"), STR("8m"));
    v = judge(KIND_LOW_PARALLELISM, app, &stage, true);
    assert_int_equal(v.cause, CAUSE_UNSPLITTABLE);
    assert_near(evidence(&v, "split_bytes"), 8 * MIB, 0);
    app_free(app);
}

// What a scan of text was planned to read, all of it by the stage's tasks.
static struct stage scan_of(int64_t files, int64_t bytes, int64_t tasks) {
    struct stage stage = one_task();
    stage.works = WORK_FILES | WORK_TEXT;
    stage.files = files;
    stage.files_bytes = stage.summary.input_bytes = bytes;
    stage.summary.tasks = stage.summary.tasks_expected = tasks;
    return stage;
}

static void one_packed_file_is_told_by_its_scan(void **state) {
    (void)state;
    struct stage stage = scan_of(1, 60 * MIB, 1); // of 16 MiB each, could it be split
    struct verdict v = ask(&stage);
    assert_int_equal(v.cause, CAUSE_UNSPLITTABLE);
    assert_near(evidence(&v, "split_bytes"), 16 * MIB, 0);
    assert_near(evidence(&v, "files"), 1, 0);
    assert_near(evidence(&v, "files_bytes"), 60 * MIB, 0);
    stage = scan_of(1, 4 * MIB, 1); // what Spark leaves whole anyway
    assert_int_equal(ask(&stage).cause, CAUSE_SINGLE_PARTITION);
    stage = scan_of(1, 4 * MIB + 1, 1);
    assert_int_equal(ask(&stage).cause, CAUSE_UNSPLITTABLE);
    stage.works = WORK_FILES; // of columns
    assert_int_equal(ask(&stage).cause, CAUSE_SINGLE_PARTITION);
    stage.works = WORK_FILES | WORK_TEXT | WORK_COALESCED;
    assert_int_equal(ask(&stage).cause, CAUSE_SINGLE_PARTITION);
    stage.summary.input_bytes = 1024 * MIB; // however much it reads
    assert_int_equal(ask(&stage).cause, CAUSE_SINGLE_PARTITION);
}

static void files_of_a_split_each_are_only_few(void **state) {
    (void)state;
    struct stage stage = scan_of(2, 2 * 60 * MIB, 2); // four slots: 32 MiB a split
    assert_int_equal(ask(&stage).cause, CAUSE_UNSPLITTABLE);
    stage = scan_of(4, 2 * 60 * MIB, 3); // 34 MiB a split, and three tasks of 40
    assert_int_equal(ask(&stage).cause, CAUSE_UNSPLITTABLE);
    stage = scan_of(2, 2 * 60 * MIB, 3); // more than files: one was split
    assert_int_equal(ask(&stage).cause, CAUSE_FEW_PARTITIONS);
    // What was planned before the executors came was cut for two cores.
    stage = scan_of(2, 2 * 60 * MIB, 2);
    struct app *app = app_new("c", STR("a"), STR(""), &(struct pipeline_rule){0});
    app->executors.last_added_ms = stage.first_launch_ms + 1;
    assert_int_equal(judge(KIND_LOW_PARALLELISM, app, &stage, true).cause, CAUSE_FEW_PARTITIONS);
    app->executors.last_added_ms = stage.first_launch_ms;
    assert_int_equal(judge(KIND_LOW_PARALLELISM, app, &stage, true).cause, CAUSE_UNSPLITTABLE);
    properties_put(&app->properties, STR("spark.sql.files.minPartitionNum"), STR("2"));
    assert_int_equal(judge(KIND_LOW_PARALLELISM, app, &stage, true).cause, CAUSE_FEW_PARTITIONS);
    properties_put(&app->session, STR("spark.sql.files.maxPartitionBytes"), STR("8m"));
    assert_int_equal(judge(KIND_LOW_PARALLELISM, app, &stage, true).cause, CAUSE_UNSPLITTABLE);
    app_free(app);
}

static void an_attempt_that_repeats_a_part_is_no_stage_of_few_tasks(void **state) {
    (void)state;
    struct app *app = app_new("c", STR("a"), STR(""), &(struct pipeline_rule){0});
    struct event submitted = {.kind = EVENT_STAGE_SUBMITTED, .stage = {.id = 7, .tasks = 40}};
    app_apply(app, &submitted, NULL);
    struct stage stage = one_task();
    stage.summary.attempt = 1;
    assert_int_equal(judge(KIND_LOW_PARALLELISM, app, &stage, true).rule_met, TRI_FALSE);
    app_stage(app, 7, 0)->summary.tasks_expected = 1; // the whole again
    assert_int_equal(judge(KIND_LOW_PARALLELISM, app, &stage, true).rule_met, TRI_TRUE);
    stage.summary.failed = true; // whose problem is another
    assert_int_equal(judge(KIND_LOW_PARALLELISM, app, &stage, true).rule_met, TRI_FALSE);
    app_free(app);
}

static void what_failed_before_is_not_its_length(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.last_finish_ms = 31000; // a first attempt of twenty seconds
    stage.summary.tasks_failed = 1;
    stage.failed_ms = 20000;
    assert_near(ask(&stage).saving_s, 7.5, 1e-12);
}

static void batches_of_a_stream_are_small_by_design(void **state) {
    (void)state;
    struct stage stage = one_task();
    struct app app = {.signs = {.stream = true, .endless = true}};
    assert_int_equal(judge(KIND_LOW_PARALLELISM, &app, &stage, true).cap, SEVERITY_LOW);
    assert_int_equal(ask(&stage).cap, SEVERITY_CRITICAL);
}

// It is told while the one task still runs.
static void a_task_that_runs_counts_as_it_goes(void **state) {
    (void)state;
    struct stage stage = one_task();
    stage.completed = false;
    stage.summary.tasks = 0;
    stage.summary.max_task_ms = stage.task_ms = 0;
    stage.last_finish_ms = 0;
    stage.tasks_running = 1;
    struct app app = {.now_ms = 21000, .load = {21000, 20000, 20000}};
    struct verdict v = judge(KIND_LOW_PARALLELISM, &app, &stage, false);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_near(v.saving_s, 15, 1e-12);
    assert_int_equal(v.confidence, CONFIDENCE_MEDIUM);
    // Of four tasks on as many slots more than it one still runs, far longer than the others took.
    stage.live_slots = 20;
    stage.summary.tasks = 3;
    stage.summary.tasks_expected = 4;
    stage.task_ms = 6667;
    assert_int_equal(judge(KIND_LOW_PARALLELISM, &app, &stage, false).rule_met, TRI_TRUE);
    stage.task_ms = 6666;
    assert_int_equal(judge(KIND_LOW_PARALLELISM, &app, &stage, false).rule_met, TRI_FALSE);
    stage.summary.tasks = stage.task_ms = 0;
    stage.tasks_running = 0;
    assert_int_equal(judge(KIND_LOW_PARALLELISM, &app, &stage, false).rule_met, TRI_NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_task_costs_what_all_slots_would_save),
        cmocka_unit_test(few_tasks_must_leave_enough_idle),
        cmocka_unit_test(short_stages_are_normal),
        cmocka_unit_test(slots_that_other_stages_use_are_not_idle),
        cmocka_unit_test(what_others_outlast_holds_up_only_while_alone),
        cmocka_unit_test(uneven_tasks_are_told_by_their_own_kinds),
        cmocka_unit_test(a_first_task_with_little_data_warms_up),
        cmocka_unit_test(calls_that_want_one_task_get_one),
        cmocka_unit_test(a_look_through_an_only_partition_is_work),
        cmocka_unit_test(what_a_coalesce_made_few_is_told),
        cmocka_unit_test(what_cannot_be_split_is_told_by_its_bytes),
        cmocka_unit_test(one_packed_file_is_told_by_its_scan),
        cmocka_unit_test(files_of_a_split_each_are_only_few),
        cmocka_unit_test(an_attempt_that_repeats_a_part_is_no_stage_of_few_tasks),
        cmocka_unit_test(what_failed_before_is_not_its_length),
        cmocka_unit_test(batches_of_a_stream_are_small_by_design),
        cmocka_unit_test(a_task_that_runs_counts_as_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
