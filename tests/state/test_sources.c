// test_sources: what a run reads and how much of it: names of operators, rows whose bytes no task
// counted, sizes that sources tell of themselves, and what is not known.
#include "support/test.h"

#include "model/operator.h"
#include "support/spark.h"

static void names_tell_the_work(void **state) {
    (void)state;
    static const struct {
        const char *name;
        unsigned works;
    } cases[] = {
        {"Scan parquet db.t", WORK_FILES},
        {"Scan csv ", WORK_FILES | WORK_TEXT},
        {"FileScan", WORK_TABLE},
        {"Scan JDBCRelation(public.orders) [numPartitions=1] ", WORK_JDBC},
        {"BatchScan cat.db.t", WORK_TABLE},
        {"CometNativeScan parquet", WORK_FILES},
        {"ScanTransformer parquet db.t", WORK_FILES},
        {"LocalTableScan", 0},
        {"Scan ExistingRDD[a#1]", 0},
        {"Scan", 0},
        {"GpuScan", WORK_TABLE},
        {"InMemoryTableScan", 0},
        {"ScanQuery", 0},
        {"MicroBatchScan[rate]", WORK_TABLE},
        {"textFile", WORK_FILES | WORK_TEXT},
        {"BatchEvalPython", WORK_PYTHON_ROWS},
        {"ArrowEvalPython", WORK_PYTHON_BATCHES},
        {"FlatMapGroupsInPandas", WORK_PYTHON_BATCHES},
        {"CartesianProduct", WORK_CARTESIAN},
        {"GpuCartesianProduct", WORK_CARTESIAN},
        {"Filter", 0},
        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(operator_works(str_of(cases[i].name)), cases[i].works);
    }
    assert_int_equal(rdd_works(STR("JDBCRDD")), WORK_JDBC);
    assert_int_equal(rdd_works(STR("/data/JDBCRDD")), 0);
    assert_int_equal(rdd_works(STR("CoalescedRDD")), WORK_COALESCED);
    assert_true(operator_is_range(STR("Range")));
    assert_false(operator_is_range(STR("RangeJoin")));
    assert_true(operator_is_native(STR("FilterExecTransformer")));
    assert_true(operator_is_native(STR("PhotonGroupingAgg")));
    assert_false(operator_is_native(STR("ColumnarToRow")));
    assert_true(operator_is_foreign(STR("CometFilter")));
}

// Names of RDDs and scopes as they are in another run of the same code.
static void the_same_work_has_the_same_shape(void **state) {
    (void)state;
    assert_int_not_equal(operator_shape(STR("WholeStageCodegen (1)")), 0);
    assert_int_equal(operator_shape(STR("WholeStageCodegen (1)")),
                     operator_shape(STR("WholeStageCodegen (17)")));
    assert_int_equal(operator_shape(STR("Scan parquet t_20260101")),
                     operator_shape(STR("Scan parquet t_20260102")));
    assert_int_not_equal(operator_shape(STR("Exchange")), operator_shape(STR("Sort")));
    assert_int_equal(operator_shape(STR("(12)")), 0);
    assert_int_not_equal(rdd_shape(STR("MapPartitionsRDD")), rdd_shape(STR("FileScanRDD")));
    assert_int_equal(rdd_shape(STR("/data/2026/part.RDD")), 0); // the path of what is read
    assert_int_equal(rdd_shape(STR("my own name")), 0);
    struct app *app = spark_app();
    struct event info = {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 1000100};
    info.stage = (struct event_stage){.tasks = 2, .shape = 4000000000u};
    struct stage *stage = NULL;
    app_apply(app, &info, &stage);
    assert_true(stage->shape == 4000000000);
    info.kind = EVENT_STAGE_COMPLETED;
    info.stage.shape = 7; // what was submitted is what ran
    app_apply(app, &info, &stage);
    assert_true(stage->shape == 4000000000);
    app_free(app);
}

// A plan of one node with rows (accumulator 1) and, if it has a name, a size (accumulator 2).
static void plan(struct app *app, const char *node, const char *size, const char *type) {
    struct event_plan_node nodes[] = {
        {.name = str_of(node), .parent = -1, .metric_count = size == NULL ? 1 : 2}};
    struct event_plan_metric metrics[] = {{STR("number of output rows"), STR("sum"), 1},
                                          {str_of(size), str_of(type), 2}};
    struct event event = {.kind = EVENT_SQL_START, .time_ms = 1000100};
    event.sql.plan = (struct event_plan){nodes, 1, metrics, nodes[0].metric_count, false};
    app_apply(app, &event, NULL);
}

static void driver_value(struct app *app, int64_t id, int64_t value) {
    struct event_accum accum = {id, value};
    struct event event = {.kind = EVENT_SQL_DRIVER_ACCUMS, .time_ms = 1000200};
    event.sql.accums = &accum;
    event.sql.accum_count = 1;
    app_apply(app, &event, NULL);
}

// A task that counted so many bytes and rows of input, in which the scan counted `scanned` rows.
static void read(struct app *app, int64_t id, int64_t bytes, int64_t rows, int64_t scanned) {
    struct event_accum accum = {1, scanned};
    struct event task = spark_task(id, 100);
    task.task.input_bytes = bytes;
    task.task.input_records = rows;
    task.task.accums = &accum;
    task.task.accum_count = scanned > 0;
    app_apply(app, &task, NULL);
}

// A write command of an execution: its files, bytes and folders; 700 ms of commit for each before.
static void written(struct app *app, int64_t execution, int64_t base, const int64_t of[3]) {
    struct event_plan_node nodes[] = {{.name = STR("Execute InsertIntoHadoopFsRelationCommand"),
                                       .parent = -1,
                                       .metric_count = 4}};
    struct event_plan_metric metrics[] = {{STR("number of written files"), STR("sum"), base},
                                          {STR("written output"), STR("size"), base + 1},
                                          {STR("number of dynamic part"), STR("sum"), base + 2},
                                          {STR("job commit time"), STR("timing"), base + 3}};
    struct event event = {.kind = EVENT_SQL_START, .time_ms = 1000100};
    event.sql.execution_id = execution;
    event.sql.plan = (struct event_plan){nodes, 1, metrics, 4, false};
    app_apply(app, &event, NULL);
    struct event_accum accums[] = {
        {base + 2, of[2]}, {base, of[0]}, {base + 1, of[1]}, {base + 3, execution * 700}};
    event.kind = EVENT_SQL_DRIVER_ACCUMS;
    event.sql.accums = accums;
    event.sql.accum_count = 4;
    app_apply(app, &event, NULL);
}

static void the_command_with_most_files_too_many_is_known(void **state) {
    (void)state;
    const int64_t mib = 1 << 20;
    struct app *app = spark_app();
    assert_int_equal(app->written.execution, 0);
    written(app, 0, 100, (int64_t[]){300, 300 * mib, 20}); // 297 too many
    assert_int_equal(app->written.execution, 1);
    assert_int_equal(app->written.files, 300);
    assert_int_equal(app->written.bytes, 300 * mib);
    assert_int_equal(app->written.folders, 20);
    written(app, 1, 200, (int64_t[]){500, 500 * 128 * mib, 0}); // which its data needs
    assert_int_equal(app->written.execution, 1);
    written(app, 2, 300, (int64_t[]){299, 3 * mib, 0}); // 298
    assert_int_equal(app->written.execution, 3);
    assert_int_equal(app->written.folders, 0);
    assert_int_equal(app->written.commit_ms, 1400);
    app_free(app);
}

static struct run_totals totals_of(const struct app *app) {
    struct run_totals totals;
    app_totals(app, &totals);
    return totals;
}

static const char iceberg[] = "v2Custom_org.apache.iceberg.spark.source.metrics.TotalDataFileSize";

static void a_source_tells_its_size_where_tasks_do_not(void **state) {
    (void)state;
    struct app *app = spark_app();
    driver_value(app, 2, 8000); // before the plan that explains it
    plan(app, "BatchScan cat.db.t", "another name", iceberg);
    driver_value(app, 2, 9000); // the last counts
    read(app, 1, 1000, 100, 0);
    assert_int_equal(totals_of(app).data_size_bytes, 1000); // all was counted
    assert_false(totals_of(app).data_size_is_files);
    read(app, 2, 0, 5000, 0);
    assert_int_equal(totals_of(app).data_size_bytes, 10000);
    assert_true(totals_of(app).data_size_is_files);
    assert_false(app_bytes_uncounted(app));
    plan(app, "Range", NULL, NULL); // the rows may have been made
    assert_true(app_bytes_uncounted(app));
    app_free(app);
}

static void rows_by_the_scan_tell_whose_they_are(void **state) {
    (void)state;
    struct app *app = spark_app();
    plan(app, "GpuScan parquet", "size of files read", "size");
    driver_value(app, 2, 9000);
    read(app, 1, 0, 5000, 5000);
    assert_false(app_bytes_uncounted(app));
    read(app, 2, 0, 50, 0); // one in a hundred and one
    assert_false(app_bytes_uncounted(app));
    read(app, 3, 0, 1, 0); // the rest that nobody tells a size of
    assert_true(app_bytes_uncounted(app));
    app_free(app);
}

static void rows_of_a_silent_task_are_the_scans(void **state) {
    (void)state;
    struct app *app = spark_app();
    plan(app, "CometNativeScan parquet", "bytes_scanned", "size");
    read(app, 1, 1000, 100, 0);
    read(app, 2, 0, 0, 90);
    assert_int_equal(totals_of(app).records, 190);
    assert_int_equal(totals_of(app).records_from, RECORDS_INPUT);
    read(app, 3, 0, 0, 11);
    assert_int_equal(totals_of(app).records, 201);
    assert_int_equal(totals_of(app).records_from, RECORDS_SCAN);
    assert_true(app_bytes_uncounted(app)); // no size came
    app_free(app);
    app = spark_app();
    plan(app, "LocalTableScan", NULL, NULL); // rows that no source holds
    read(app, 1, 1000, 100, 0);
    read(app, 2, 0, 0, 90);
    assert_int_equal(totals_of(app).records, 100);
    assert_false(app_bytes_uncounted(app));
    app_free(app);
}

static void a_stage_that_tells_nothing_reads_what_the_plans_read(void **state) {
    (void)state;
    struct app *app = spark_app();
    plan(app, "Scan JDBCRelation(t) [numPartitions=1] ", NULL, NULL);
    struct event task = spark_task(1, 100);
    app_apply(app, &task, NULL); // reads a shuffle
    const struct stage *stage = app_stage(app, 0, 0);
    assert_int_equal(app_stage_works(app, stage), 0);
    read(app, 2, 0, 7, 0);
    assert_int_equal(app_stage_works(app, stage), WORK_JDBC);
    struct event info = {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 1000300};
    info.stage = (struct event_stage){.tasks = 2, .works = WORK_FILES | WORK_PYTHON_ROWS};
    app_apply(app, &info, NULL);
    info.stage.works = 0; // told again with less
    app_apply(app, &info, NULL);
    assert_int_equal(app_stage_works(app, stage), WORK_FILES | WORK_PYTHON_ROWS);
    app_free(app);
}

static void what_its_rdds_have_is_the_stages(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct event info = {.kind = EVENT_STAGE_SUBMITTED, .time_ms = 1000300};
    info.stage = (struct event_stage){.tasks = 2, .partitions_most = 9, .memory_only = 2};
    app_apply(app, &info, NULL);
    info.stage = (struct event_stage){.tasks = 2}; // told again with less
    app_apply(app, &info, NULL);
    assert_int_equal(app_stage(app, 0, 0)->partitions_most, 9);
    assert_int_equal(app_stage(app, 0, 0)->memory_only, 2);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_the_work),
        cmocka_unit_test(the_same_work_has_the_same_shape),
        cmocka_unit_test(the_command_with_most_files_too_many_is_known),
        cmocka_unit_test(a_source_tells_its_size_where_tasks_do_not),
        cmocka_unit_test(rows_by_the_scan_tell_whose_they_are),
        cmocka_unit_test(rows_of_a_silent_task_are_the_scans),
        cmocka_unit_test(a_stage_that_tells_nothing_reads_what_the_plans_read),
        cmocka_unit_test(what_its_rdds_have_is_the_stages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
