// test_decode_wrapper: events inside wrappers, under the usual and under configured keys, and the
// order in which an event's own fields, top-level keys, properties and wrappers say whose it is.
#include "decode_support.h"

#define LOG_START "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3\"}"
#define LOG_START_TEXT                                                                             \
    "\"{\\\"Event\\\":\\\"SparkListenerLogStart\\\",\\\"Spark Version\\\":\\\"3\\\"}\""

static void test_usual_wrappers(void **state) {
    static const struct {
        const char *text, *app_id;
    } cases[] = {
        {"{\"event\":" LOG_START "}", ""},
        {"{\"timestamp\":1,\"application-id\":\"a\",\"spark-event\":" LOG_START "}", "a"},
        {"{\"value\":" LOG_START_TEXT ",\"app_id\":\"a\"}", "a"},
        {" {\"attributes\":{\"event.name\":\"x\"}, \"body\" : " LOG_START_TEXT "}", ""},
        {"{\"event\":\"name\",\"body\":" LOG_START_TEXT "}", ""},
        {"{\"appId\":7,\"applicationId\":\"b\",\"event\":" LOG_START "}", "b"},
        {"{\"appId\":\"\",\"app_id\":\"b\",\"applicationId\":\"c\",\"event\":" LOG_START "}", "b"},
        {"{\"body\":{\"Event\":\"x\"},\"event\":" LOG_START "}", ""},
        {"{\"event\":" LOG_START ",\"body\":{\"Event\":\"x\"}}", ""},
        {"{\"event\":{\"Spark Version\":\"3\",\"Event\":\"SparkListenerLogStart\"}}", ""},
        {"{\"\\u0065vent\":" LOG_START ",\"a\\u0070pId\":\"a\"}", "a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct event *e = decode_ok(*state, cases[i].text);
        assert_int_equal(e->kind, EVENT_LOG_START);
        assert_text(e->version, "3");
        assert_text(e->app_id, cases[i].app_id);
    }
}

static void test_flat(void **state) {
    struct fixture *f = *state;
    static const char *const keys[] = {"appId", "applicationId", "application-id", "app_id"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"Event\":\"SparkListenerLogStart\",\"%s\":\"a\"}", keys[i]);
        assert_text(decode_ok(f, text)->app_id, "a");
        snprintf(text, sizeof text, "{\"%s\":\"a\",\"Event\":\"SparkListenerLogStart\"}", keys[i]);
        assert_text(decode_ok(f, text)->app_id, "a");
    }
    assert_text(decode_ok(f, "{\"Event\":\"x\",\"appId\":\"a\",\"applicationId\":\"b\"}")->app_id,
                "a");
}

static void test_who_wins(void **state) {
    struct fixture *f = *state;
    assert_text(decode_ok(f, "{\"Event\":\"SparkListenerApplicationStart\",\"appId\":\"top\","
                             "\"App ID\":\"own\"}")
                    ->app_id,
                "top");
    assert_text(decode_ok(f, "{\"Event\":\"SparkListenerApplicationStart\",\"App ID\":\"own\","
                             "\"appId\":\"top\"}")
                    ->app_id,
                "top");
    const struct event *e = decode_ok(
        f,
        "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":1,\"Properties\":{\"spark.app.id\":\"p\","
        "\"spark.app.attempt.id\":\"2\"},\"appId\":\"top\"}");
    assert_text(e->app_id, "top");
    assert_text(e->app_attempt, ""); // other events of "top" cannot name it
    e = decode_ok(f, "{\"appId\":\"w\",\"event\":{\"Event\":\"SparkListenerJobStart\",\"Job ID\":1,"
                     "\"Properties\":{\"spark.app.id\":\"p\"}}}");
    assert_text(e->app_id, "w");
}

static void test_configured(void **state) {
    struct decode_options options = {.max_bytes = 1 << 20,
                                     .wrapper_event_key = "payload",
                                     .wrapper_app_key = "run",
                                     .wrapper_attempt_key = "try"};
    struct fixture f;
    (void)state;
    both_init(&f.both, &options);
    const struct event *e = decode_ok(&f, "{\"event\":{\"Event\":\"x\"},\"appId\":\"no\",\"try\":"
                                          "\"4\",\"run\":\"yes\",\"payload\":" LOG_START_TEXT "}");
    assert_int_equal(e->kind, EVENT_LOG_START);
    assert_text(e->app_id, "yes");
    assert_text(e->app_attempt, "4");
    decode_refused(&f, STR("{\"event\":" LOG_START "}"),
                   DECODE_NOT_AN_EVENT); // it is not looked for there
    assert_text(decode_ok(&f, "{\"Event\":\"x\",\"appId\":\"flat\"}")->app_id, "flat");
    both_fini(&f.both);
}

// The texts of a wrapper and of the event inside lie in different parsers; both must still be
// there.
static void test_texts_outlive_the_inside(void **state) {
    struct fixture *f = *state;
    const struct event *e = decode_ok(
        f, "{\"appId\":\"0123456789012345678901234567890123456789\",\"body\":\"{\\\"Event\\\":"
           "\\\"SparkListenerExecutorRemoved\\\",\\\"Executor ID\\\":\\\"abcdefghijklmnopqrst\\\","
           "\\\"Removed Reason\\\":\\\"because\\\"}\"}");
    assert_text(e->app_id, "0123456789012345678901234567890123456789");
    assert_text(e->executor.id, "abcdefghijklmnopqrst");
    assert_text(e->executor.reason, "because");
}

static void test_properties_the_user_names(void **state) {
    static const char *const named[] = {"team.pipeline", "team.token"};
    static const char json[] =
        "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"Spark Properties\":"
        "{\"team.other\":\"a\",\"team.token\":\"b\",\"team.pipeline\":\"c\"}}";
    struct decode_options options = {.max_bytes = 1000,
                                     .wrapper_event_key = "",
                                     .wrapper_app_key = "",
                                     .wrapper_attempt_key = "",
                                     .more_properties = named,
                                     .more_property_count = 2};
    struct decoder *decoder = decoder_new(&options);
    struct event event;
    struct err err;
    (void)state;
    assert_int_equal(decoder_decode(decoder, STR(json), sizeof json - 1, NULL, &event, &err),
                     ST_OK);
    assert_int_equal(event.environment.property_count, 1); // the token is not kept, whoever asks
    assert_true(str_is(event.environment.properties[0].value, "c"));
    decoder_free(decoder);
}

static void test_properties(void **state) {
    static const char *const kept[] = {"spark.app.id",
                                       "spark.dynamicAllocation.maxExecutors",
                                       "spark.speculation",
                                       "spark.speculation.quantile",
                                       "spark.executor.memoryOverhead",
                                       "spark.kubernetes.driver.label.app.kubernetes.io/name",
                                       "spark.openlineage.parentJobName",
                                       "spark.databricks.job.id",
                                       "spark.locality.wait.node",
                                       "sql.streaming.queryId"};
    static const char *const dropped[] = {"spark.hadoop.fs.s3a.secret.key",
                                          "spark.kubernetes.driver.label.authz",
                                          "spark.kubernetes.driver.label.api-KEY",
                                          "spark.openlineage.parentToken",
                                          "spark.dynamicAllocation.Password",
                                          "spark.databricks.job.credentials",
                                          "spark.sql.adaptive.jaas",
                                          "spark.app.id2",
                                          "spark.",
                                          "",
                                          "app.id",
                                          "spark.executor.extraJavaOptions"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        assert_true(event_property_allowed(str_of(kept[i])));
    }
    for (size_t i = 0; i < ARRAY_LEN(dropped); i++) {
        assert_false(event_property_allowed(str_of(dropped[i])));
    }
}

static void test_kind_names(void **state) {
    (void)state;
    for (int kind = 1; kind < EVENT_KIND_COUNT; kind++) {
        struct str name = str_of(event_kind_name((enum event_kind)kind));
        assert_int_equal(event_kind_of(name), kind);
        name.len--;
        bool of_server = kind == EVENT_THRIFT_SERVER || kind == EVENT_CONNECT;
        assert_int_equal(event_kind_of(name), of_server ? kind : EVENT_OTHER);
    }
    assert_int_equal(event_kind_of(STR("")), EVENT_OTHER);
    assert_int_equal(event_kind_of(STR("SparkListenerConnectOperationClosed")), EVENT_CONNECT);
    assert_int_equal(event_kind_of(STR("a.SparkListenerConnec")), EVENT_OTHER);
    assert_int_equal(event_kind_of(STR("a.XSparkListenerThriftServerX")), EVENT_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual_wrappers),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_who_wins),
        cmocka_unit_test(test_configured),
        cmocka_unit_test(test_texts_outlive_the_inside),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_properties_the_user_names),
        cmocka_unit_test(test_kind_names),
    };
    return cmocka_run_group_tests(tests, decode_setup, decode_teardown);
}
