// test_replay_scan: which time and which identity a line tells.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "replay/replay_scan.h"

static void test_scan_time(void **state) {
    (void)state;
#define CORE "{\"Event\":\"SparkListener"
    static const struct {
        const char *line;
        int64_t ms;
    } cases[] = {
        {CORE "TaskEnd\",\"Task Info\":{\"Launch Time\":1700000000001,\"Getting Result Time\":0,"
              "\"Finish Time\":1700000000002}}",
         1700000000002},
        {CORE "TaskStart\",\"Task Info\":{\"Launch Time\":1700000000001,\"Finish Time\":"
              "1700000000002}}",
         1700000000001},
        {CORE "TaskEnd\",\"Task Info\":{\"Launch Time\":1700000000001,\"Finish Time\":0}}",
         1700000000001},
        {CORE "StageCompleted\",\"Stage Info\":{\"Submission Time\":1700000000001,"
              "\"Completion Time\":1700000000002}}",
         1700000000002},
        {CORE "StageSubmitted\",\"Stage Info\":{\"Completion Time\":1700000000002,"
              "\"Submission Time\":1700000000001}}",
         1700000000001},
        {CORE "JobEnd\",\"Job ID\":0,\"Completion Time\":1700000000003}", 1700000000003},
        {"{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd\","
         "\"executionId\":0,\"time\":1700000000004}",
         1700000000004},
        {"{\"Event\":\"Other\",\"Timestamp\": 1700000000005}", 1700000000005},
        {"{\"Event\":\"Other\",\"x\":\"\\\"Timestamp\\\":1700000000005\"}", 0},
        {"{\"Event\":\"Other\",\"Timestamp\":12345}", 0},
        {"{\"Event\":\"Other\",\"Timestamp\":99999999999999999999}", 0},
        {"{\"Event\":\"Other\",\"Timestamp\":", 0},
        {"{\"Event\":\"Other\",\"Timestamp\":\"1700000000005\"}", 0},
        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(replay_scan_time(str_of(cases[i].line)), cases[i].ms);
    }
}

static void test_scan_identity(void **state) {
    (void)state;
#define START CORE "ApplicationStart\",\"App Name\":\"n\","
    static const struct {
        const char *line, *app_id, *attempt; // app_id NULL: none
    } cases[] = {
        {START "\"App ID\":\"app-1-2\",\"Timestamp\":1}", "app-1-2", ""},
        {START "\"App ID\":\"a\",\"App Attempt ID\":\"2\"}", "a", "2"},
        {START "\"Timestamp\":1}", NULL, ""},
        {START "\"App ID\":\"\"}", NULL, ""},
        {START "\"App ID\":5}", NULL, ""},
        {START "\"App ID\":\"cut", NULL, ""},
        {START "\"App ID\":\"tab\there\"}", NULL, ""},
        {START "\"App ID\":\"back\\\\slash\"}", NULL, ""},
        {CORE "ApplicationEnd\",\"App ID\":\"a\"}", NULL, ""},
        {"", NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str app_id, attempt;
        bool found = replay_scan_identity(str_of(cases[i].line), &app_id, &attempt);
        assert_int_equal(found, cases[i].app_id != NULL);
        if (found) {
            assert_true(str_is(app_id, cases[i].app_id));
            assert_true(str_is(attempt, cases[i].attempt));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_time),
        cmocka_unit_test(test_scan_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
