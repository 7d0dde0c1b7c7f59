// test_decode_streams: what other tools make of an event on its way: envelopes, batches, lines with
// something before them; whose event it is by what stands around it, and what is passed over
// because it never was one.
#include "decode_support.h"

#define HEX "0123456789abcdef0123456789abcdef"
#define START "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3\"}"
#define TEXT(quote)                                                                                \
    "{" quote "Event" quote ":" quote "SparkListenerLogStart" quote "," quote                      \
    "Spark Version" quote ":" quote "3" quote "}"
#define IN_TEXT "\"" TEXT("\\\"") "\""

struct stream {
    const char *text, *app_id, *attempt;
};

static void check(struct fixture *f, const struct stream *streams, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct event *e = decode_ok(f, streams[i].text);
        if (e->kind != EVENT_LOG_START || !str_is(e->version, "3") ||
            !str_is(e->app_id, streams[i].app_id) || !str_is(e->app_attempt, streams[i].attempt)) {
            fail_msg("%s: kind %d, of '%.*s' attempt '%.*s'", streams[i].text, e->kind,
                     (int)e->app_id.len, e->app_id.p, (int)e->app_attempt.len, e->app_attempt.p);
        }
        assert_false(decoder_more(f->both.decoder));
    }
}

static void envelopes_of_other_tools(void **state) {
    static const struct stream streams[] = {
        // diagnostic emitters of Fabric and Synapse
        {"{\"timestamp\":\"2024-09-06T03:09:37.235Z\",\"category\":\"EventLog\",\"fabricLivyId\":"
         "\"x\",\"applicationId\":\"application_1_2\",\"applicationName\":\"n\",\"executorId\":"
         "\"driver\",\"properties\":" START "}",
         "application_1_2", ""},
        // Vector, Fluent Bit, Filebeat, Logstash, rsyslog, OpenTelemetry's and Splunk's forms
        {"{\"file\":\"/l/local-17.inprogress\",\"host\":\"h\",\"message\":" IN_TEXT
         ",\"source_type\":\"file\",\"timestamp\":\"2024\"}",
         "local-17", ""},
        {"{\"date\":1.5,\"filename\":\"/l/app-1-2\",\"log\":" IN_TEXT "}", "app-1-2", ""},
        {"{\"@timestamp\":\"2024\",\"@metadata\":{\"beat\":\"filebeat\"},\"log\":{\"offset\":0,"
         "\"file\":{\"path\":\"/l/application_1_2_3\"}},\"event\":{\"dataset\":\"x\"},"
         "\"message\":" IN_TEXT "}",
         "application_1_2", "3"},
        {"{\"path\":\"/l/eventlog_v2_app-1-2/events_3_app-1-2.zstd\",\"message\":" IN_TEXT "}",
         "app-1-2", ""},
        {"{\"msg\":" IN_TEXT ",\"metadata\":{\"filename\":\"/l/spark-" HEX "\"}}", "spark-" HEX,
         ""},
        {"{\"body\":" IN_TEXT ",\"attributes\":{\"log.file.path\":\"/l/local-5\"}}", "local-5", ""},
        {"{\"time\":1,\"source\":\"/l/local-5\",\"event\":" IN_TEXT "}", "local-5", ""},
        {"{\"line\":" IN_TEXT ",\"labels\":{\"filename\":\"/l/local-5\"}}", "local-5", ""},
        // Kafka Connect: with a schema, a bare line, and behind the frame of a schema registry
        {"{\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":" IN_TEXT "}", "", ""},
        {IN_TEXT, "", ""},
        // a line with something before it, alone and inside
        {"2024-05-01T00:00:00Z stdout F " START, "", ""},
        {"{\"log\":\"<14>1 - h spark - - - " TEXT("\\\"") "\",\"path\":\"local-5\"}", "local-5",
         ""},
    };
    check(*state, streams, ARRAY_LEN(streams));
}

static void envelopes_in_each_other(void **state) {
    static const struct stream streams[] = {
        // decoded on its way: the event's own keys, and theirs between
        {"{\"@timestamp\":\"x\",\"Event\":\"SparkListenerLogStart\",\"Spark "
         "Version\":\"3\",\"log\":"
         "{\"file\":{\"path\":\"/l/local-5\"}}}",
         "local-5", ""},
        {"{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3\",\"file\":\"/l/local-5\"}",
         "local-5", ""},
        // in each other; an object under a name that others use for their own
        {"{\"schema\":null,\"payload\":\"{\\\"file\\\":\\\"local-5\\\",\\\"message\\\":"
         "\\\"" TEXT("\\\\\\\"") "\\\"}\"}",
         "local-5", ""},
        {"{\"event\":{\"original\":" IN_TEXT "},\"message\":\"said\"}", "", ""},
        {"{\"value\":{\"payload\":{\"data\":" START "}}}", "", ""},
        {"{\"Event\":{\"Properties\":" START "},\"APP-ID\":\"a\"}", "a", ""},
        // what is under a better name is none, is damaged, or is no JSON
        {"{\"event\":7,\"properties\":{\"a\":1},\"payload\":\"text\",\"message\":" IN_TEXT "}", "",
         ""},
        {"{\"event\":{\"Event\":\"SparkListenerJobStart\"},\"message\":" IN_TEXT "}", "", ""},
    };
    check(*state, streams, ARRAY_LEN(streams));
}

// What stands around an event stands around each of the stream, so it wins over what few events
// say of themselves; the attempt is of whom the id is.
static void whose_event_it_is(void **state) {
    static const struct stream streams[] = {
        {"{\"app_id\":\"a\",\"appAttemptId\":\"2\",\"log\":" START "}", "a", "2"},
        {"{\"app_id\":\"a\",\"app_attempt\":2,\"log\":" START "}", "a", "2"},
        {"{\"app_id\":\"a\",\"file\":\"local-5\",\"log\":" START "}", "a", ""},
        {"{\"app_id\":\"application_1_2\",\"file\":\"application_1_2_3\",\"log\":" START "}",
         "application_1_2", "3"},
        {"{\"app_id\":\"\",\"applicationId\":\"b\",\"log\":" START "}", "b", ""},
        {"{\"app_id\":\"outer\",\"log\":{\"app_id\":\"inner\",\"event\":" START "}}", "outer", ""},
        {"{\"file\":\"/var/log/syslog\",\"path\":\"/tmp/spark-events\",\"source\":\"local-5\","
         "\"log\":" START "}",
         "local-5", ""},
        {"{\"file\":7,\"path\":null,\"source\":[],\"log\":" START "}", "", ""},
        {"{\"attempt\":\"2\",\"app id\":\"x\",\"application\":\"y\",\"log\":" START "}", "", ""},
        // what stands beside no event is nobody's
        {"{\"value\":" START ",\"event\":{\"applicationId\":\"app-9\",\"body\":{\"Event\":"
         "\"SparkListenerStageCompleted\"}}}",
         "", ""},
    };
    struct fixture *f = *state;
    check(f, streams, ARRAY_LEN(streams));
    const struct event *e = decode_ok(
        f, "{\"applicationId\":\"w\",\"properties\":{\"Event\":"
           "\"SparkListenerApplicationStart\",\"App ID\":\"w\",\"App Attempt ID\":\"1\"}}");
    assert_text(e->app_id, "w");
    assert_text(e->app_attempt, ""); // a TaskEnd of the same stream cannot name it
    assert_text(e->app_start.attempt, "1");
}

static void what_is_passed_over(void **state) {
    static const struct {
        struct str text;
        enum decode_error error;
    } cases[] = {
        {STR(""), DECODE_EMPTY},
        {STR(" \n"), DECODE_EMPTY},
        {STR("null"), DECODE_EMPTY},
        {STR("17"), DECODE_NO_EVENT},
        {STR("true"), DECODE_NO_EVENT},
        {STR("[]"), DECODE_NO_EVENT},
        {STR("{}"), DECODE_NO_EVENT},
        {STR("{\"a\":{\"Event\":\"click\"}}"), DECODE_NO_EVENT},
        {STR("{\"name\":\"x\",\"value\":12,\"labels\":{\"a\":\"b\"}}"), DECODE_NO_EVENT},
        {STR("{\"Event\":{\"System\":{\"EventID\":4624}}}"), DECODE_NO_EVENT},
        {STR("24/05/01 12:00:00 ERROR AsyncEventQueue: SparkListenerBus has already stopped! "
             "Dropping event SparkListenerTaskEnd(1,0,ResultTask,Success)"),
         DECODE_LOG_LINE},
        {STR("[2024-05-01 12:00:00] INFO x"), DECODE_LOG_LINE},
        {STR("2024-05-01 INFO caf\xC3\xA9 \x1b[32mok\x1b[0m"), DECODE_LOG_LINE},
        {STR("{main} ended"), DECODE_LOG_LINE},
        {STR("\"quoted\" text"), DECODE_LOG_LINE},
        {STR("\"24/05/01 INFO x\""), DECODE_LOG_LINE},
        {STR("{\"log\":\"24/05/01 INFO x\",\"stream\":\"stderr\"}"), DECODE_LOG_LINE},
        {STR("{\"message\":\"{main} ended\"}"), DECODE_LOG_LINE},
        {STR("{\"message\":\"\"}"), DECODE_LOG_LINE},
        {STR("{\"category\":\"Log\",\"properties\":{\"message\":" IN_TEXT "}}"),
         DECODE_OTHER_CATEGORY},
        {STR("{\"category\":\"Metrics\",\"applicationId\":\"a\",\"properties\":{\"value\":\"1\"}}"),
         DECODE_OTHER_CATEGORY},
        {STR("{\"properties\":{\"a\":1},\"category\":\"Audit\"}"), DECODE_OTHER_CATEGORY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        decode_refused(*state, cases[i].text, cases[i].error);
    }
}

static void what_may_be_a_damaged_event_is_not(void **state) {
    static const struct {
        struct str text;
        enum decode_error error;
    } cases[] = {
        {STR("{"), DECODE_MALFORMED},
        {STR("{\"Eve"), DECODE_MALFORMED},
        {STR("{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,"), DECODE_MALFORMED},
        {STR("\"Task Info\":{\"Task ID\":3}}"), DECODE_MALFORMED},
        {STR(" 12:00 stdout F {\"Event\":\"SparkListenerTaskEnd\",\"Sta"), DECODE_MALFORMED},
        {STR("[{\"Event\":\"SparkListenerTaskEnd\""), DECODE_MALFORMED},
        {STR("\"{\\\"Event\\\":\\\"SparkList"), DECODE_MALFORMED},
        {STR("{\"message\":\"{\\\"Event\\\":\\\"SparkList\"}"), DECODE_MALFORMED},
        {STR("{\"timestamp\":1,\"category\":\"Log\",\"prop"), DECODE_MALFORMED},
        {STR("\x01\x02\x03"), DECODE_MALFORMED},
        {STR("caf\xE9"), DECODE_MALFORMED},
        {STR("{\"Event\":7}"), DECODE_NOT_AN_EVENT},
        {STR("{\"x\":\"\\\"Event\\\":\\\"SparkListenerX\"}"), DECODE_NOT_AN_EVENT},
        {STR("{\"x\":\"\\\"Event\\\\:SparkListenerX\"}"), DECODE_NO_EVENT}, // no quote closes it
        {STR("{\"unknown\":" START "}"), DECODE_NOT_AN_EVENT},
        {STR("{\"value\":{\"payload\":{\"data\":{\"log\":" START "}}}}"), DECODE_NOT_AN_EVENT},
        {STR("{\"category\":\"EventLog\",\"properties\":\"text\"}"), DECODE_NOT_AN_EVENT},
        {STR("{\"category\":\"EventLog\",\"properties\":{\"Event\":\"SparkListenerJobEnd\"}}"),
         DECODE_INVALID_FIELD},
        {STR("{\"message\":\"said \\\"Event\\\":\\\"SparkListenerTaskEnd\\\"\"}"),
         DECODE_NOT_AN_EVENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        decode_refused(*state, cases[i].text, cases[i].error);
    }
}

// A frame of a schema registry and a byte order mark are no JSON: the oracle does not know them.
static void what_stands_before_json(void **state) {
    struct fixture *f = *state;
    static const struct str framed[] = {STR("\0\0\0\0\x07" START), STR("\0\0\0\1\x07" IN_TEXT),
                                        STR("\xEF\xBB\xBF" START)};
    for (size_t i = 0; i < ARRAY_LEN(framed); i++) {
        assert_int_equal(
            decoder_decode(f->both.decoder, framed[i], framed[i].len, NULL, &f->event, &f->err),
            ST_OK);
        assert_int_equal(f->event.kind, EVENT_LOG_START);
    }
}

// Each element with its own owner, else that of the envelope around all; its own result; nothing of
// one in the next.
static void batches(void **state) {
    struct fixture *f = *state;
    static const char text[] =
        "{\"applicationId\":\"around\",\"records\":["
        "{\"category\":\"EventLog\",\"applicationId\":\"a\",\"properties\":{\"Event\":"
        "\"SparkListenerEnvironmentUpdate\",\"Spark Properties\":{\"spark.app.name\":\"n\"}}},"
        "7, {\"category\":\"Metrics\"}, {\"properties\":{\"Event\":\"SparkListenerJobEnd\"}},"
        "\"" TEXT("\\\"") "\", {\"file\":\"local-5\",\"message\":\"x\"},"
                          "{\"Event\":\"SparkListenerEnvironmentUpdate\"}, [" START
                          "], {\"unknown\":" START "}]}";
    static const struct {
        enum status status;
        enum decode_error error;
        enum event_kind kind;
        const char *app_id;
    } results[] = {
        {ST_OK, 0, EVENT_ENVIRONMENT, "around"}, {ST_SKIP, DECODE_OTHER_CATEGORY, 0, ""},
        {ST_SKIP, DECODE_INVALID_FIELD, 0, ""},  {ST_OK, 0, EVENT_LOG_START, "around"},
        {ST_SKIP, DECODE_LOG_LINE, 0, ""},       {ST_OK, 0, EVENT_ENVIRONMENT, "around"},
        {ST_SKIP, DECODE_NOT_AN_EVENT, 0, ""},   {ST_SKIP, DECODE_NOT_AN_EVENT, 0, ""},
    };
    struct decoder *decoder = f->both.decoder;
    enum status status = decode_wanted(f, str_of(text), NULL);
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        assert_int_equal(status, results[i].status);
        if (status == ST_OK) {
            assert_int_equal(f->event.kind, results[i].kind);
            assert_text(f->event.app_id, results[i].app_id);
            assert_int_equal(
                f->event.kind == EVENT_ENVIRONMENT ? f->event.environment.property_count : 0,
                i == 0);
        } else {
            assert_int_equal(decoder_last_error(decoder), results[i].error);
        }
        assert_int_equal(decoder_more(decoder), i + 1 < ARRAY_LEN(results));
        if (decoder_more(decoder)) {
            status = decoder_next(decoder, NULL, &f->event, &f->err);
        }
    }
    decode_ok(f, "[{\"appId\":\"a\",\"log\":" START "}," START "]");
    assert_text(f->event.app_id, "a");
    assert_true(decoder_more(decoder));
    assert_int_equal(decoder_next(decoder, NULL, &f->event, &f->err), ST_OK);
    assert_text(f->event.app_id, "");
    decode_ok(f, "[" START "," START "]");
    decode_ok(f, START); // what was not read of a message is forgotten with it
    assert_false(decoder_more(decoder));
    decode_refused(f, STR("[" START ",{"), DECODE_MALFORMED); // all or none
    assert_false(decoder_more(decoder));
}

// What never was an event stays so beside one that is.
static void each_of_a_batch_is_judged_alone(void **state) {
    struct fixture *f = *state;
    decode_refused(f, STR("{\"records\":[{\"message\":\"INFO x\"}," START "]}"), DECODE_LOG_LINE);
    assert_int_equal(decoder_next(f->both.decoder, NULL, &f->event, &f->err), ST_OK);
    decode_refused(f, STR("{\"records\":[{\"a\":1}," START "]}"), DECODE_NO_EVENT);
    assert_int_equal(decoder_next(f->both.decoder, NULL, &f->event, &f->err), ST_OK);
    decode_refused(f, STR("{\"records\":[[" START "]]}"), DECODE_NOT_AN_EVENT);
}

// What was read of an event before it turned out to be damaged.
static void nothing_stays_of_a_damaged_event(void **state) {
    const struct event *e =
        decode_ok(*state, "{\"event\":{\"Event\":\"SparkListenerJobStart\",\"Properties\":"
                          "{\"spark.app.id\":\"p\",\"spark.app.name\":\"n\"}},"
                          "\"message\":{\"Event\":\"SparkListenerEnvironmentUpdate\"}}");
    assert_int_equal(e->kind, EVENT_ENVIRONMENT);
    assert_int_equal(e->environment.property_count, 0);
    assert_text(e->app_id, "");
}

static void raw_takes_events_alone(void **state) {
    (void)state;
    struct decode_options options = plain_decode;
    options.raw_only = true;
    struct fixture f;
    both_init(&f.both, &options);
    assert_text(decode_ok(&f, "{\"Event\":\"x\",\"appId\":\"a\"}")->app_id, "a");
    decode_refused(&f, STR("{\"event\":" START "}"), DECODE_NOT_AN_EVENT);
    decode_refused(&f, STR(IN_TEXT), DECODE_NOT_AN_EVENT);
    decode_refused(&f, STR("[" START "]"), DECODE_NOT_AN_EVENT);
    decode_refused(&f, STR("null"), DECODE_NOT_AN_EVENT);
    decode_refused(&f, STR("INFO x"), DECODE_MALFORMED);
    decode_refused(&f, STR(""), DECODE_MALFORMED);
    both_fini(&f.both);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_of_other_tools),
        cmocka_unit_test(envelopes_in_each_other),
        cmocka_unit_test(whose_event_it_is),
        cmocka_unit_test(what_is_passed_over),
        cmocka_unit_test(what_may_be_a_damaged_event_is_not),
        cmocka_unit_test(what_stands_before_json),
        cmocka_unit_test(batches),
        cmocka_unit_test(each_of_a_batch_is_judged_alone),
        cmocka_unit_test(nothing_stays_of_a_damaged_event),
        cmocka_unit_test(raw_takes_events_alone),
    };
    return cmocka_run_group_tests(tests, decode_setup, decode_teardown);
}
