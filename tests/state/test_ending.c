// test_ending: what Spark says of how something ended, version by version, and what is somebody's
// error although it sounds like that.
#include "support/test.h"

#include "state/app_priv.h"
#include "state/ending.h"

#define GROUP "5e21d7c4-90ab-4f38-8c76-b1d3e5f70a92"

struct said {
    const char *text;
    enum ending ending;
};

static const struct said sentences[] = {
    {"", ENDING_WELL},
    // to 3.5
    {"Job 3 cancelled ", ENDING_CANCELLED},
    {"Job 3 cancelled", ENDING_CANCELLED},
    {"Job 3 cancelled part of cancelled job group " GROUP, ENDING_CANCELLED},
    {"Job 3 cancelled part of cancelled job tag nightly", ENDING_CANCELLED},
    {"Job 3 cancelled as part of cancellation of all jobs", ENDING_CANCELLED},
    {"Job 3 cancelled because Stage 7 was cancelled", ENDING_CANCELLED},
    {"Job 3 cancelled because killed via the Web UI", ENDING_CANCELLED},
    {"org.apache.spark.SparkException: Job 3 cancelled as part of", ENDING_CANCELLED},
    {"Job 3 cancelled because SparkContext was shut down", ENDING_SHUT_DOWN},
    {"Stage cancelled because SparkContext was shut down", ENDING_SHUT_DOWN},
    {"org.apache.spark.SparkException: Job 3 cancelled because SparkContext was shut "
     "down\n\tat "
     "org.apache.spark.scheduler.DAGScheduler",
     ENDING_SHUT_DOWN},
    // 3.4, in SQLExecutionEnd
    {"{\"errorClass\":\"LEGACY\",\"messageParameters\":{\"message\":\"Job 3 cancelled part of "
     "cancelled job group g\"}}",
     ENDING_CANCELLED},
    {"{\n  \"errorClass\" : \"LEGACY\",\n  \"messageParameters\" : {\n    \"message\" : \"Job "
     "3 "
     "cancelled because SparkContext was shut down\"\n  }\n}",
     ENDING_SHUT_DOWN},
    {"{\"errorClass\":\"SPARK_JOB_CANCELLED\",\"messageParameters\":{\"jobId\":\"3\","
     "\"reason\":"
     "\"as part of cancellation of all jobs\"}}",
     ENDING_CANCELLED},
    {"{\"errorClass\":\"LEGACY\",\"messageParameters\":{\"message\":\"Job aborted due to stage "
     "failure: Job 3 cancelled\"}}",
     ENDING_ERROR},
    {"{\"errorClass\":\"DIVIDE_BY_ZERO\",\"messageParameters\":{\"message\":\"Job 3 "
     "cancelled\"}}",
     ENDING_ERROR},
    {"{\"errorClass\":\"java.lang.InterruptedException\",\"messageParameters\":{}}", ENDING_ERROR},
    {"{\"errorClass\":", ENDING_ERROR},
    {"{\"errorClass\":\"LEGACY\",\"messageParameters\":{\"message\":\"Job 3 canc", ENDING_ERROR},
    {"{\"errorClass\":\"LEGACY\",\"messageParameters\":{\"message\":\"Job 3 cancelled par",
     ENDING_CANCELLED}, // cut
    // 4.0, 4.1
    {"[SPARK_JOB_CANCELLED] Job 3 cancelled as part of cancellation of all jobs SQLSTATE: "
     "XXKDA",
     ENDING_CANCELLED},
    {"[SPARK_JOB_CANCELLED] Job 12 cancelled Query orders [id = a, runId = b] was stopped "
     "SQLSTATE: XXKDA",
     ENDING_CANCELLED},
    {"[SPARK_JOB_CANCELLED] Job 3 cancelled because SparkContext was shut down SQLSTATE: XXKDA",
     ENDING_SHUT_DOWN},
    {"[SPARK_JOB_CANCELLED] Job 3 cancelled SparkContext was shut down, they said",
     ENDING_CANCELLED},
    // somebody's errors
    {"Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent "
     "failure: "
     "com.mysql.cj.jdbc.exceptions.MySQLTimeoutException: Statement cancelled due to timeout",
     ENDING_ERROR},
    {"Job aborted due to stage failure: Job 3 cancelled because SparkContext was shut down",
     ENDING_ERROR},
    {"io.grpc.StatusRuntimeException: CANCELLED: client cancelled", ENDING_ERROR},
    {"com.acme.SparkException: Job 3 cancelled by the customer", ENDING_ERROR},
    {"Query was cancelled", ENDING_ERROR},
    {"Job 3 Cancelled", ENDING_ERROR},
    {"Job cancelled", ENDING_ERROR},
    {"Job 3 cancelledness", ENDING_ERROR},
    {"Job 99999999999999999999 cancelled", ENDING_ERROR},
    {"The Job 3 cancelled because SparkContext was shut down", ENDING_ERROR},
    {"[", ENDING_ERROR},
    {"[] Job 3 cancelled", ENDING_ERROR},
    {"Could not execute broadcast in 300 secs.", ENDING_ERROR},
    {"java.lang.InterruptedException", ENDING_ERROR},
    {"SparkContext was shut down", ENDING_ERROR},
};

static void what_spark_says_is_known_by_its_beginning(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        if (ending_of(str_of(sentences[i].text)) != sentences[i].ending) {
            fail_msg("%s", sentences[i].text);
        }
    }
    assert_int_equal(ending_job(STR("[SPARK_JOB_CANCELLED] Job 12 cancelled x")), 12);
    assert_int_equal(ending_job(STR("Stage cancelled because SparkContext was shut down")), -1);
    assert_true(ending_is_abort(STR("Job aborted due to stage failure: x")));
    assert_false(
        ending_is_abort(STR("ResultStage 3 has failed: Job aborted due to stage failure")));
}

static const struct said interruptions[] = {
    {"java.lang.InterruptedException\n\tat java.lang.Object.wait", ENDING_CANCELLED},
    {"java.io.InterruptedIOException: interrupted", ENDING_CANCELLED},
    {"java.nio.channels.ClosedByInterruptException", ENDING_CANCELLED},
    {"java.io.UncheckedIOException: java.nio.channels.ClosedByInterruptException\n\tat x",
     ENDING_CANCELLED},
    {"java.util.concurrent.ExecutionException: Boxed Exception\n\tat x\nCaused by: "
     "java.lang.InterruptedException\n\tat y",
     ENDING_CANCELLED},
    {"com.google.common.util.concurrent.UncheckedExecutionException: "
     "java.lang.InterruptedException",
     ENDING_CANCELLED},
    {"{\"errorClass\":\"java.lang.InterruptedException\",\"messageParameters\":{\"message\":"
     "null}}",
     ENDING_CANCELLED},
    {"Exception thrown in job: cancelled job group " GROUP, ENDING_CANCELLED},
    {"Job 3 cancelled part of cancelled job group " GROUP, ENDING_CANCELLED},
    {"Job 3 cancelled because SparkContext was shut down", ENDING_SHUT_DOWN},
    {"a failure in job group " GROUP, ENDING_ERROR},
    {"it was cancelled in job group another", ENDING_ERROR},
    {"Job aborted due to stage failure: cancelled job group " GROUP, ENDING_ERROR},
    {"java.util.concurrent.ExecutionException: java.io.IOException\nCaused by: "
     "java.io.IOException\nCaused by: java.lang.InterruptedException",
     ENDING_ERROR},
    {"java.lang.InterruptedExceptions", ENDING_ERROR},
    {"java.lang.RuntimeException: java.lang.InterruptedException", ENDING_ERROR},
    {"java.net.SocketTimeoutException: Read timed out", ENDING_ERROR},
    {"", ENDING_WELL},
};

static void what_interrupts_a_stream_stops_it(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(interruptions); i++) {
        if (ending_of_stream(str_of(interruptions[i].text), app_text_hash(STR(GROUP))) !=
            interruptions[i].ending) {
            fail_msg("%s", interruptions[i].text);
        }
    }
    assert_int_equal(ending_of_stream(STR("cancelled job group " GROUP), 0), ENDING_ERROR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_spark_says_is_known_by_its_beginning),
        cmocka_unit_test(what_interrupts_a_stream_stops_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
