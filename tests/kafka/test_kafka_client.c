// test_kafka_client: settings: which are passed on, which are refused and in which words, and that
// a secret is never among them; the classes of error codes.
#include "properties.h"

#include "base/scrub.h"
#include "kafka/client_priv.h"

static void test_good_properties(void **state) {
    (void)state;
    static const struct kafka_property good[] = {
        {"session.timeout.ms", "30000"},
        {"fetch.wait.max.ms", "50"},
        {"partition.assignment.strategy", "roundrobin"},
        {"client.id", "mine"},
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(check(good[i].key, good[i].value, false, KAFKA_CONSUMER, &err), ST_OK);
    }
    assert_int_equal(check("linger.ms", "50", false, KAFKA_PRODUCER, &err), ST_OK);
    assert_int_equal(check("client.id", "mine", true, KAFKA_PRODUCER, &err), ST_OK);
}

static void test_user_wins_and_needs_hold(void **state) {
    (void)state;
    struct kafka_property property = {"fetch.wait.max.ms", "77"};
    struct kafka_settings settings = {.brokers = "b:1", .role = &property, .role_count = 1};
    static const struct kafka_property expected[] = {
        {"fetch.wait.max.ms", "77"},
        {"auto.offset.reset", "smallest"}, // the old word for earliest
        {"session.timeout.ms", "45000"},
        {"reconnect.backoff.max.ms", "1000"},
        {"socket.keepalive.enable", "true"},
        {"partition.assignment.strategy", "range"},
        {"allow.auto.create.topics", "false"},
        {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"check.crcs", "true"},
        {"enable.partition.eof", "true"},
        {"log.connection.close", "false"},
        {"client.id", "stoker"},
        {"bootstrap.servers", "b:1"},
    };
    rd_kafka_conf_t *conf = NULL;
    struct err err;
    assert_int_equal(client_conf_new(&settings, KAFKA_CONSUMER, &conf, &err), ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        char value[64] = "";
        size_t size = sizeof value;
        assert_int_equal(rd_kafka_conf_get(conf, expected[i].key, value, &size), RD_KAFKA_CONF_OK);
        assert_string_equal(value, expected[i].value);
    }
    rd_kafka_conf_destroy(conf);
}

static void test_unknown_property(void **state) {
    (void)state;
    struct err err;
    assert_int_equal(check("session.timeout.msx", "1", false, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_true(
        str_starts(str_of(err.text),
                   STR("kafka.consumer.session.timeout.msx: No such configuration property")));
    assert_int_equal(check("lingerr", "1", false, KAFKA_PRODUCER, &err), ST_FATAL);
    assert_true(str_starts(str_of(err.text), STR("kafka.producer.lingerr: No such")));
    assert_int_equal(check("ssl.caa", "1", true, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_true(str_starts(str_of(err.text), STR("kafka.common.ssl.caa: No such")));
    assert_int_equal(check("a\033[31mb", "1", true, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_null(strchr(err.text, '\033'));
}

static void test_invalid_value(void **state) {
    (void)state;
    struct err err;
    assert_int_equal(check("session.timeout.ms", "99999999", false, KAFKA_CONSUMER, &err),
                     ST_FATAL);
    assert_true(str_starts(str_of(err.text), STR("kafka.consumer.session.timeout.ms: ")));
    assert_non_null(strstr(err.text, "outside allowed range"));
    // Found by the handle, not by the property.
    assert_int_equal(check("session.timeout.ms", "3600000", false, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "kafka.consumer: "));
    assert_non_null(strstr(err.text, "max.poll.interval.ms"));
}

static void test_reserved_property(void **state) {
    (void)state;
    static const struct {
        const char *key, *value, *reason;
    } cases[] = {
        {"enable.auto.commit", "true", "acknowledged"},
        {"enable.auto.offset.store", "true", "ackn"},
        {"enable.idempotence", "false", "doubled"},
        {"group.id", "g", "agent.group"},
        {"bootstrap.servers", "b", "kafka.brokers"},
        {"metadata.broker.list", "b", "kafka.brok"},
        {"acks", "1", "replicas"},
        {"message.timeout.ms", "5", "wait for"},
        {"transactional.id", "t", "agent.instance"},
        {"group.instance.id", "a", "agent.instance"},
        {"isolation.level", "read_uncommitted", "never happened"},
        {"auto.offset.reset", "latest", "oldest event"},
        {"enable.partition.eof", "false", "caught"},
        {"allow.auto.create.topics", "true", "topics --create"},
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int common = 0; common < 2; common++) {
            assert_int_equal(check(cases[i].key, cases[i].value, common, KAFKA_CONSUMER, &err),
                             ST_FATAL);
            assert_non_null(strstr(err.text, cases[i].key));
            assert_non_null(strstr(err.text, "cannot be set"));
            assert_non_null(strstr(err.text, cases[i].reason));
        }
    }
}

static void test_secrets_stay_secret(void **state) {
    (void)state;
    // What librdkafka marks as sensitive (2.0 to 2.11), and what anything may be written into.
    static const char *const secret[] = {
        "sasl.password",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
        "sasl.oauthbearer.extensions",
        "sasl.kerberos.kinit.cmd",
    };
    for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
        assert_true(scrub_hides_setting(str_of(secret[i])));
    }
    assert_false(scrub_hides_setting(STR("sasl.username")));
    assert_false(scrub_hides_setting(STR("ssl.key.location")));
    struct err err;
    static const struct kafka_property tls[] = {{"security.protocol", "ssl"},
                                                {"ssl.key.pem", "hunter2"}};
    struct kafka_settings settings = {.brokers = "b:1", .common = tls, .common_count = 2};
    assert_int_equal(kafka_settings_check(&settings, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "ssl.key.pem"));
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(check("sasl.pasword.secret", "hunter2", true, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_null(strstr(err.text, "hunter2"));
}

static void test_error_classes(void **state) {
    (void)state;
    static const struct {
        rd_kafka_resp_err_t code;
        enum status expected;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_NO_ERROR, ST_OK},
        {RD_KAFKA_RESP_ERR__TRANSPORT, ST_RETRY},
        {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, ST_RETRY},
        {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, ST_RETRY},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ST_RETRY},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, ST_RETRY},
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ST_SKIP},
        {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, ST_ABORT},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ST_ABORT},
        {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, ST_FATAL},
        {RD_KAFKA_RESP_ERR__FATAL, ST_FATAL},
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(client_error(&err, "what", cases[i].code, NULL), cases[i].expected);
        assert_true(str_starts(str_of(err.text), STR("what: ")));
    }
    client_error(&err, "what", RD_KAFKA_RESP_ERR__FAIL, "from\na \033broker");
    assert_null(strpbrk(err.text, "\n\033"));
    assert_non_null(
        strstr(client_hint(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, false), "READ"));
    client_error_right(&err, "topic t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL,
                       "WRITE");
    assert_non_null(strstr(err.text, "topic t: "));
    assert_non_null(strstr(err.text, "the ACL WRITE on it"));
    client_error_right(&err, "topic t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, NULL, "WRITE");
    assert_null(strstr(err.text, "ACL"));
}

// Whatever a broker puts into the text beside it.
static void test_what_is_denied(void **state) {
    (void)state;
    static const struct {
        rd_kafka_resp_err_t code;
        enum kafka_denial denial;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, KAFKA_DENIED_TOPIC},
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, KAFKA_DENIED_GROUP},
        {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, KAFKA_DENIED_ID},
        {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, KAFKA_DENIED_NOTHING},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, KAFKA_DENIED_NOTHING},
    };
    char longest[1000] = {0};
    memset(longest, 'x', sizeof longest - 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;
        client_error(&err, "what", cases[i].code, NULL);
        assert_int_equal(kafka_denial_of(err.text), cases[i].denial);
        client_error_right(&err, "what", cases[i].code, longest, "READ");
        assert_int_equal(kafka_denial_of(err.text), cases[i].denial);
        client_error_topic(&err, longest, cases[i].code, longest, "WRITE");
        assert_int_equal(kafka_denial_of(err.text), cases[i].denial);
    }
}

static void test_scram_words(void **state) {
    (void)state;
    const char *plain = client_hint(RD_KAFKA_RESP_ERR__AUTHENTICATION, false);
    const char *scram = client_hint(RD_KAFKA_RESP_ERR__AUTHENTICATION, true);
    assert_null(strstr(plain, "SCRAM"));
    if (rd_kafka_version() < 0x020601ff) {
        assert_non_null(strstr(scram, "Kafka 4"));
        assert_non_null(strstr(scram, "2.6.1"));
    } else {
        assert_string_equal(scram, plain);
    }
    assert_string_equal(kafka_library_version(), rd_kafka_version_str());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_properties),   cmocka_unit_test(test_user_wins_and_needs_hold),
        cmocka_unit_test(test_unknown_property),  cmocka_unit_test(test_invalid_value),
        cmocka_unit_test(test_reserved_property), cmocka_unit_test(test_secrets_stay_secret),
        cmocka_unit_test(test_error_classes),     cmocka_unit_test(test_scram_words),
        cmocka_unit_test(test_what_is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
