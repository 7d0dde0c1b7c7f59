// test_decode_limits: what is refused and why, wrappers, whose event it is, and the bounds on
// texts, properties, plans and nesting.
#include "decode_support.h"

#define START "{\"Event\":\"SparkListenerTaskStart\","

static void test_refused(void **state) {
    static const struct {
        const char *text;
        enum decode_error error;
    } cases[] = {
        {"", DECODE_EMPTY},
        {"   ", DECODE_EMPTY},
        {"{", DECODE_MALFORMED},
        {"not json", DECODE_LOG_LINE},
        {START "\"Stage ID\":1,\"Task Info\":{}", DECODE_MALFORMED},
        {START "\"Stage ID\":1,\"Task Info\":{\"Host\":\"h}}", DECODE_MALFORMED},
        {START "\"Stage ID\":1,\"Task Info\":{}}}", DECODE_MALFORMED},
        {START "\"Stage ID\":1,\"Task Info\":{}} {}", DECODE_MALFORMED},
        {START "\"Stage ID\":1,\"Task Info\":{\"Host\" \"h\"}}", DECODE_MALFORMED},
        {START "\"Stage ID\":1 \"Task Info\":{}}", DECODE_MALFORMED},
        {START "\"Stage ID\":1,\"Task Info\":{\"Host\":\"\xFF\"}}", DECODE_MALFORMED},
        {"\"x\" 1", DECODE_LOG_LINE},
        {"12x", DECODE_LOG_LINE},
        {"[1,2", DECODE_LOG_LINE},
        {"[1,2]]", DECODE_LOG_LINE},
        {"nul", DECODE_LOG_LINE},
        {"[1,{\"Event\":5}]", DECODE_NOT_AN_EVENT},
        {"\"x\"", DECODE_LOG_LINE},
        {" 12 ", DECODE_NO_EVENT},
        {"true", DECODE_NO_EVENT},
        {"null", DECODE_EMPTY},
        {"{}", DECODE_NO_EVENT},
        {"{\"Event\":5}", DECODE_NOT_AN_EVENT},
        {"{\"event\":\"SparkListenerLogStart\"}", DECODE_LOG_LINE},
        {"{\"event\":{\"a\":1}}", DECODE_NO_EVENT},
        {"{\"event\":\"{\\\"Event\\\":\"}", DECODE_MALFORMED},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        decode_refused(f, str_of(cases[i].text), cases[i].error);
        assert_null(strstr(f->err.text, "Host"));
        assert_null(strstr(f->err.text, "SparkListener"));
    }
    decode_refused(f, (struct str){NULL, 0}, DECODE_EMPTY);
}

static void test_invalid_fields(void **state) {
    static const char *const cases[] = {
        START "\"Task Info\":{}}",
        START "\"Stage ID\":1}",
        START "\"Stage ID\":null,\"Task Info\":{}}",
        START "\"Stage ID\":1,\"Task Info\":[]}",
        START "\"Stage ID\":2147483648,\"Task Info\":{}}",
        "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1}",
        "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{}}",
        "{\"Event\":\"SparkListenerStageSubmitted\"}",
        "{\"Event\":\"SparkListenerJobStart\"}",
        "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":\"x\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        decode_refused(*state, str_of(cases[i]), DECODE_INVALID_FIELD);
    }
}

static void test_too_large(void **state) {
    struct decode_options small = plain_decode;
    struct both both;
    (void)state;
    small.max_bytes = 40;
    both_init(&both, &small);
    struct event event;
    const char *fits = "{\"Event\":\"SparkListenerLogStart\",\"a\":12}";
    assert_int_equal(strlen(fits), 40);
    assert_int_equal(decoder_decode(both.decoder, str_of(fits), 40, NULL, &event, NULL), ST_OK);
    struct str large = STR("{\"Event\":\"SparkListenerLogStart\",\"a\":123}");
    assert_int_equal(decoder_decode(both.decoder, large, 41, NULL, &event, NULL), ST_SKIP);
    assert_int_equal(decoder_last_error(both.decoder), DECODE_TOO_LARGE);
    assert_null(both_decode(&both, large, large.len, NULL));
    both_fini(&both);
}

static void nest(struct buf *text, const char *head, int levels, const char *tail) {
    buf_clear(text);
    buf_add_text(text, head);
    for (int i = 0; i < levels; i++) {
        buf_add_char(text, '[');
    }
    buf_add_text(text, "\"[[\\\"[[\"");
    for (int i = 0; i < levels; i++) {
        buf_add_char(text, ']');
    }
    buf_add_text(text, tail);
}

static void test_too_deep(void **state) {
    struct fixture *f = *state;
    struct buf text = {0};
    nest(&text, "{\"Event\":\"x\",\"a\":", 1023, "}");
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    nest(&text, "{\"Event\":\"x\",\"a\":", 1024, "}");
    decode_refused(f, buf_str(&text), DECODE_TOO_DEEP);
    nest(&text, "{\"Event\":\"x\",\"a\":", 100000, "}");
    decode_refused(f, buf_str(&text), DECODE_TOO_DEEP);
    nest(&text, "{\"event\":\"{\\\"Event\\\":\\\"x\\\",\\\"a\\\":", 10, "}\"}");
    decode_refused(f, buf_str(&text), DECODE_MALFORMED);
    buf_clear(&text);
    buf_add_text(&text, "{\"Event\":\"x\",\"a\":\"");
    for (int i = 0; i < 5000; i++) {
        buf_add_text(&text, "[{"); // in a string: no nesting
    }
    buf_add_text(&text, "\"}");
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    buf_fini(&text);
}

static void test_texts_are_cut(void **state) {
    struct fixture *f = *state;
    struct buf text = {0};
    buf_add_text(&text, START "\"Stage ID\":1,\"Task Info\":{\"Host\":\"x");
    for (int i = 0; i < 200; i++) {
        buf_add_text(&text, "\xC3\xA9");
    }
    buf_add_text(&text, "\",\"Executor ID\":\"");
    for (int i = 0; i < 20; i++) {
        buf_add_text(&text, "host-");
    }
    buf_add_text(&text, "\"}}");
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    assert_int_equal(f->event.task.host.len, 255); // 256 would split a character
    assert_int_equal(f->event.task.executor.len, 64);
    buf_fini(&text);
}

static void test_properties_end(void **state) {
    struct fixture *f = *state;
    struct buf text = {0};
    buf_add_text(&text, "{\"Event\":\"SparkListenerJobStart\",\"Properties\":{");
    for (int i = 0; i < 300; i++) {
        buf_printf(&text, "\"spark.sql.adaptive.p%d\":\"v\",", i);
    }
    buf_add_text(&text, "\"a\":\"b\"},\"Job ID\":5}");
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    assert_int_equal(f->event.job.property_count, EVENT_PROPERTIES_MAX);
    assert_int_equal(f->event.job.id, 5);
    buf_fini(&text);
}

static void deep_plan(struct buf *text, int depth) {
    buf_clear(text);
    buf_add_text(text,
                 "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
                 "\",\"executionId\":1,\"sparkPlanInfo\":");
    for (int i = 0; i < depth; i++) {
        buf_printf(text, "{\"nodeName\":\"n%d\",\"children\":[", i);
    }
    for (int i = 0; i < depth; i++) {
        buf_add_text(text, "],\"metrics\":[{\"name\":\"m\",\"accumulatorId\":1}]}");
    }
    buf_add_text(text, ",\"time\":77}");
}

static void test_plans_end(void **state) {
    struct fixture *f = *state;
    struct buf text = {0};
    deep_plan(&text, 256);
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    assert_int_equal(f->event.sql.plan.node_count, 256);
    assert_int_equal(f->event.sql.plan.metric_count, 256);
    assert_false(f->event.sql.plan.truncated);
    assert_int_equal(f->event.time_ms, 77);
    deep_plan(&text, 500);
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    assert_int_equal(f->event.sql.plan.node_count, 256);
    assert_true(f->event.sql.plan.truncated);
    assert_int_equal(f->event.time_ms, 77);
    buf_clear(&text);
    buf_add_text(&text,
                 "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
                 "\",\"sparkPlanInfo\":{\"children\":[");
    for (int i = 0; i < EVENT_PLAN_NODES_MAX; i++) {
        buf_add_text(&text, "{\"metrics\":[{\"accumulatorId\":1}]},");
    }
    buf_add_text(&text, "3]},\"time\":78}");
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    assert_int_equal(f->event.sql.plan.node_count, EVENT_PLAN_NODES_MAX);
    assert_true(f->event.sql.plan.truncated);
    assert_int_equal(f->event.time_ms, 78);
    buf_fini(&text);
}

// A message of 12 MiB, then a small one: the same decoder reads both.
static void test_huge_message(void **state) {
    struct fixture *f = *state;
    struct buf text = {0};
    buf_add_text(&text, "{\"Event\":\"x\",\"physicalPlanDescription\":\"");
    memset(buf_reserve(&text, 12 << 20), 'p', 12 << 20);
    text.len += 12 << 20;
    buf_add_text(&text, "\",\"time\":5}");
    assert_int_equal(decode_wanted(f, buf_str(&text), NULL), ST_OK);
    assert_int_equal(f->event.time_ms, 5);
    assert_int_equal(decode_ok(f, "{\"Event\":\"x\",\"time\":6}")->time_ms, 6);
    buf_fini(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_invalid_fields),
        cmocka_unit_test(test_too_large),     cmocka_unit_test(test_too_deep),
        cmocka_unit_test(test_texts_are_cut), cmocka_unit_test(test_properties_end),
        cmocka_unit_test(test_plans_end),     cmocka_unit_test(test_huge_message),
    };
    return cmocka_run_group_tests(tests, decode_setup, decode_teardown);
}
