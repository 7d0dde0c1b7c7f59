// test_decode_sql: SQL executions, plans and streaming queries: every field, and what is missing,
// null or of another type.
#include "decode_support.h"

#define SQL "org.apache.spark.sql.execution.ui.SparkListener"
#define STREAM "org.apache.spark.sql.streaming.StreamingQueryListener$"

static void test_sql(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f,
        "{\"Event\":\"" SQL "SQLExecutionStart\",\"executionId\":4,\"rootExecutionId\":null,"
        "\"description\":\"d\",\"details\":\"at x\",\"physicalPlanDescription\":\"== "
        "Plan\",\"sparkPlanInfo\":{"
        "\"nodeName\":\"SortMergeJoin\",\"simpleString\":\"SortMergeJoin [a]\",\"children\":[{"
        "\"simpleString\":\"Exchange x\",\"nodeName\":\"Exchange\",\"children\":[],\"metrics\":["
        "{\"name\":\"rows\",\"accumulatorId\":6,\"metricType\":\"sum\"}]},{\"nodeName\":\"Scan "
        "csv\",\"simpleString\":\"FileScan\",\"children\":[]},null],\"metadata\":{},\"metrics\":["
        "{\"name\":\"time\",\"accumulatorId\":\"8\",\"metricType\":\"timing\"},{},7]},\"time\":"
        "12}");
    assert_int_equal(e->sql.execution_id, 4);
    assert_int_equal(e->sql.root_execution_id, -1);
    assert_text(e->sql.description, "d");
    assert_text(e->sql.details, "at x");
    assert_int_equal(e->time_ms, 12);
    assert_int_equal(e->sql.plan.node_count, 3);
    assert_int_equal(e->sql.plan.metric_count, 2);
    const struct event_plan_node *nodes = e->sql.plan.nodes;
    assert_int_equal(nodes[0].parent, -1);
    assert_int_equal(nodes[2].parent, 0);
    assert_int_equal(e->sql.plan.metrics[nodes[0].first_metric].accum_id, 8);
    assert_int_equal(e->sql.plan.metrics[nodes[1].first_metric].accum_id, 6);
    assert_false(e->sql.plan.truncated || e->sql.has_error || e->cut);
    e = decode_ok(f, "{\"Event\":\"" SQL "SQLAdaptiveExecutionUpdate\",\"executionId\":4,"
                     "\"Stoker Cut\":true,\"sparkPlanInfo\":{\"nodeName\":\"\"}}");
    assert_true(e->sql.plan.truncated && e->cut);
    e = decode_ok(f, "{\"Event\":\"" SQL "SQLAdaptiveExecutionUpdate\",\"executionId\":4,"
                     "\"sparkPlanInfo\":{\"nodeName\":\"\"}}");
    assert_int_equal(e->sql.plan.node_count, 1);
    e = decode_ok(
        f, "{\"Event\":\"" SQL "SQLAdaptiveSQLMetricUpdates\",\"executionId\":4,"
           "\"sqlPlanMetrics\":[{\"name\":\"n\",\"accumulatorId\":1,\"metricType\":\"t\"}]}");
    assert_int_equal(e->sql.plan.metric_count, 1);
    assert_text(e->sql.plan.metrics[0].type, "t");
}

// What only the text of a node tells, and only of nodes that it is asked of.
static void test_texts_of_nodes(void **state) {
    static const struct {
        const char *node;
        enum join_type join;
        bool unfinished;
    } cases[] = {
        {"\"nodeName\":\"SortMergeJoin\",\"simpleString\":\"SortMergeJoin [a#1], [b#2], "
         "LeftOuter\"",
         JOIN_LEFT_OUTER, false},
        {"\"simpleString\":\"BroadcastNestedLoopJoin BuildRight, Inner, (a#1 < b#2)\",\"nodeName\":"
         "\"BroadcastNestedLoopJoin\"",
         JOIN_INNER, false},
        {"\"nodeName\":\"SortMergeJoin(skew=true)\",\"simpleString\":\"SortMergeJoin(skew=true) "
         "[Inner#1], [LeftAnti#2], ExistenceJoin(exists#7)\"",
         JOIN_LEFT_SEMI, false},
        {"\"nodeName\":\"ShuffledHashJoin\",\"simpleString\":\"ShuffledHashJoin [(Inner, x)]\"",
         JOIN_UNKNOWN, false},
        {"\"nodeName\":\"SortMergeJoin\",\"simpleString\":7", JOIN_UNKNOWN, false},
        {"\"nodeName\":\"Filter\",\"simpleString\":\"Filter x, FullOuter\"", JOIN_UNKNOWN, false},
        {"\"simpleString\":\"Filter x, FullOuter isFinalPlan=false\",\"nodeName\":\"Filter\"",
         JOIN_UNKNOWN, false},
        {"\"nodeName\":\"AdaptiveSparkPlan\",\"simpleString\":\"AdaptiveSparkPlan "
         "isFinalPlan=false\"",
         JOIN_UNKNOWN, true},
        {"\"nodeName\":\"AdaptiveSparkPlan\",\"simpleString\":\"AdaptiveSparkPlan "
         "isFinalPlan=true\"",
         JOIN_UNKNOWN, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[400];
        snprintf(text, sizeof text,
                 "{\"Event\":\"" SQL
                 "SQLExecutionStart\",\"executionId\":4,\"sparkPlanInfo\":{%s}}",
                 cases[i].node);
        const struct event *e = decode_ok(*state, text);
        assert_int_equal(e->sql.plan.nodes[0].join, cases[i].join);
        assert_int_equal(e->sql.plan.nodes[0].unfinished, cases[i].unfinished);
    }
}

static void test_sql_ends(void **state) {
    static const struct {
        const char *rest;
        bool has_error;
        const char *error;
    } ends[] = {{",\"errorMessage\":\"\"", true, ""},
                {",\"errorMessage\":\"bad\"", true, "bad"},
                {",\"errorMessage\":null", false, ""},
                {",\"errorMessage\":5", false, ""},
                {"", false, ""}};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"Event\":\"" SQL "SQLExecutionEnd\",\"executionId\":-4,\"time\":3%s}",
                 ends[i].rest);
        const struct event *e = decode_ok(f, text);
        assert_int_equal(e->sql.has_error, ends[i].has_error);
        assert_text(e->sql.error, ends[i].error);
        assert_int_equal(e->sql.execution_id, -1);
    }
    const struct event *e =
        decode_ok(f, "{\"Event\":\"" SQL "DriverAccumUpdates\",\"executionId\":1,\"accumUpdates\":["
                     "[5,10],[5,11],[6,-1],[7],[8,1,2],[-9,1],3,[\"10\",\"12\"],[11,{}],[]]}");
    assert_int_equal(e->sql.accum_count, 5);
    assert_int_equal(e->sql.accums[1].update, 11);
    assert_int_equal(e->sql.accums[2].update, 0);
    assert_int_equal(e->sql.accums[3].update, 12);
    assert_int_equal(e->sql.accums[4].id, 11);
}

static void test_streams(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f, "{\"Event\":\"" STREAM "QueryProgressEvent\",\"progress\":{\"id\":\"q\",\"runId\":\"r\","
           "\"name\":null,\"timestamp\":\"2024-01-01T00:00:00.000Z\",\"batchId\":3,"
           "\"batchDuration\":40,\"durationMs\":{\"addBatch\":1,\"triggerExecution\":39},"
           "\"sources\":[{\"numInputRows\":5,\"inputRowsPerSecond\":\"NaN\"},{\"numInputRows\":"
           "9223372036854775807},{\"numInputRows\":-1},7]}}");
    assert_int_equal(e->kind, EVENT_STREAM_PROGRESS);
    assert_text(e->stream.query_id, "q");
    assert_text(e->stream.run_id, "r");
    assert_int_equal(e->stream.name.len, 0);
    assert_int_equal(e->stream.batch_id, 3);
    assert_int_equal(e->stream.batch_ms, 40);
    assert_int_equal(e->stream.trigger_ms, 39);
    assert_int_equal(e->stream.input_rows, INT64_MAX);
    assert_int_equal(e->stream.began_ms, INT64_C(1704067200000));
    assert_int_equal(e->time_ms, 0); // of the run's time it tells nothing
    assert_near(e->stream.input_per_s, 0, 0);
    e = decode_ok(f, "{\"Event\":\"" STREAM "QueryProgressEvent\",\"progress\":{\"timestamp\":"
                     "\"2024-02-29T23:59:58.007Z\",\"sources\":[{\"inputRowsPerSecond\":1.5,"
                     "\"processedRowsPerSecond\":\"Infinity\"},{\"inputRowsPerSecond\":2,"
                     "\"processedRowsPerSecond\":-3.0},{\"processedRowsPerSecond\":0.25}]}}");
    assert_int_equal(e->stream.began_ms, INT64_C(1709251198007));
    assert_near(e->stream.input_per_s, 3.5, 0);
    assert_near(e->stream.processed_per_s, 0.25, 0);
    static const char *const no_instants[] = {
        "\"2024-02-29T23:59:58Z\"",     "\"2024-02-29 23:59:58.007Z\"",
        "\"2024-13-01T00:00:00.000Z\"", "\"2024-02-29T23:59:5x.007Z\"",
        "\"1969-02-29T23:59:58.007Z\"", "12"};
    for (size_t i = 0; i < ARRAY_LEN(no_instants); i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"Event\":\"" STREAM "QueryProgressEvent\",\"progress\":{\"timestamp\":%s}}",
                 no_instants[i]);
        assert_int_equal(decode_ok(f, text)->stream.began_ms, 0);
    }
    e = decode_ok(f, "{\"Event\":\"" STREAM "QueryTerminatedEvent\",\"id\":\"q\",\"runId\":\"r\","
                     "\"exception\":\"ouch\"}");
    assert_text(e->stream.error, "ouch");
    assert_int_equal(e->stream.batch_id, -1);
    e = decode_ok(f, "{\"Event\":\"" STREAM "QueryStartedEvent\",\"id\":\"q\",\"name\":\"n\"}");
    assert_text(e->stream.name, "n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sql),
        cmocka_unit_test(test_texts_of_nodes),
        cmocka_unit_test(test_sql_ends),
        cmocka_unit_test(test_streams),
    };
    return cmocka_run_group_tests(tests, decode_setup, decode_teardown);
}
