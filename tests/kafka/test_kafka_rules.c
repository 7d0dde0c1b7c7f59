// test_kafka_rules: the table of librdkafka's properties: it knows all of the library that runs,
// what it refuses is refused at whatever value, what it bounds is bounded, and what it sets is set.
// Words that need a newer library are tried with the version of both sides.
#include "properties.h"

#include "kafka/client_priv.h"

enum { V2_0_2 = 0x020002ff, V2_10_0 = 0x020a00ff, V2_10_1 = 0x020a01ff, V2_16_0 = 0x021000ff };

static void expect_rows(const char **dump, size_t count) {
    assert_true(count > 20);
    for (size_t i = 0; i < count; i += 2) {
        if (client_rule_of(dump[i]) == NULL) {
            fail_msg("librdkafka %s has a property without a row in client_rules.def: %s",
                     rd_kafka_version_str(), dump[i]);
        }
    }
    rd_kafka_conf_dump_free(dump, count);
}

static void test_every_property_has_a_row(void **state) {
    (void)state;
    size_t count;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char **dump = rd_kafka_conf_dump(conf, &count);
    expect_rows(dump, count);
    rd_kafka_conf_destroy(conf);
    rd_kafka_topic_conf_t *topic = rd_kafka_topic_conf_new();
    dump = rd_kafka_topic_conf_dump(topic, &count);
    expect_rows(dump, count);
    rd_kafka_topic_conf_destroy(topic);
}

static void test_rows_are_sorted_and_say_why(void **state) {
    (void)state;
    const struct client_rule *rule, *before = NULL;
    for (size_t i = 0; (rule = client_rule_at(i)) != NULL; i++, before = rule) {
        assert_true(before == NULL || strcmp(before->key, rule->key) < 0);
        assert_true(rule->roles > 0 && rule->roles < 4);
        assert_true(rule->kind == RULE_FREE || strlen(rule->reason) > 10);
        assert_ptr_equal(client_rule_of(rule->key), rule);
    }
    assert_null(client_rule_of("Acks")); // the library's names are exact
}

// What would lose, double or reorder records, or run code of others, whatever else the table says.
static void test_what_must_never_pass(void **state) {
    (void)state;
    static const char *const keys[] = {
        "acks",
        "auto.commit.enable",
        "auto.commit.interval.ms",
        "auto.offset.reset",
        "check.crcs",
        "default_topic_conf",
        "delivery.report.only.error",
        "delivery.timeout.ms",
        "dr_msg_cb",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.gapless.guarantee",
        "enable.idempotence",
        "enable.partition.eof",
        "enabled_events",
        "group.id",
        "group.instance.id",
        "internal.termination.signal",
        "isolation.level",
        "message.max.bytes",
        "message.send.max.retries",
        "message.timeout.ms",
        "offset.store.method",
        "partitioner",
        "plugin.library.paths",
        "queuing.strategy",
        "request.required.acks",
        "retries",
        "test.mock.num.brokers",
        "topic.blacklist",
        "transactional.id",
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_int_equal(check(keys[i], "1", false, KAFKA_PRODUCER, &err), ST_FATAL);
        assert_non_null(strstr(err.text, "cannot be set: "));
    }
    assert_int_equal(client_rule_check(NULL, "1", V2_16_0, &err), ST_FATAL); // of a later library
    assert_non_null(strstr(err.text, "this release does not know"));
}

// Whatever the value and wherever it stands.
static void test_refused(void **state) {
    (void)state;
    const struct client_rule *rule;
    struct err err;
    size_t tried = 0;
    for (size_t i = 0; (rule = client_rule_at(i)) != NULL; i++) {
        if (rule->kind != RULE_REFUSED && rule->kind != RULE_OURS) {
            continue;
        }
        const char *values[] = {"1", "true", "x", rule->value == NULL ? "" : rule->value};
        for (size_t v = 0; v < 4 * ARRAY_LEN(values); v++) {
            enum kafka_role role = (v & 2) != 0 ? KAFKA_PRODUCER : KAFKA_CONSUMER;
            assert_int_equal(check(rule->key, values[v / 4], v & 1, role, &err), ST_FATAL);
            assert_non_null(strstr(err.text, rule->key));
            assert_non_null(strstr(err.text, "cannot be set: "));
            assert_non_null(strstr(err.text, rule->reason));
        }
        tried++;
    }
    assert_true(tried > 50);
}

// What is ours holds whatever the defaults of the library are: set once more, nothing changes.
static void test_ours_are_set(void **state) {
    (void)state;
    struct kafka_settings settings = {.brokers = "b:1"};
    const struct client_rule *rule;
    struct err err;
    for (int role = KAFKA_CONSUMER; role <= KAFKA_PRODUCER; role++) {
        rd_kafka_conf_t *conf = NULL;
        assert_int_equal(client_conf_new(&settings, (enum kafka_role)role, &conf, &err), ST_OK);
        for (size_t i = 0; (rule = client_rule_at(i)) != NULL; i++) {
            if (rule->kind == RULE_OURS && (rule->roles & 1 << role) != 0) {
                char value[64] = "", again[64] = "";
                size_t size = sizeof value;
                assert_int_equal(rd_kafka_conf_get(conf, rule->key, value, &size), 0);
                assert_int_equal(client_conf_set(conf, rule->key, rule->value, &err), ST_OK);
                size = sizeof again;
                assert_int_equal(rd_kafka_conf_get(conf, rule->key, again, &size), 0);
                assert_string_equal(again, value);
            }
        }
        rd_kafka_conf_destroy(conf);
    }
}

static void test_ranges(void **state) {
    (void)state;
    const struct client_rule *rule;
    struct err err;
    for (size_t i = 0; (rule = client_rule_at(i)) != NULL; i++) {
        if (rule->kind != RULE_RANGE) {
            continue;
        }
        int64_t inside[] = {rule->min, rule->max}, outside[] = {rule->min - 1, rule->max + 1};
        char text[32];
        for (size_t end = 0; end < 2; end++) {
            snprintf(text, sizeof text, "%lld", (long long)inside[end]);
            assert_int_equal(client_rule_check(rule, text, V2_0_2, &err), ST_OK);
            snprintf(text, sizeof text, "%lld", (long long)outside[end]);
            assert_int_equal(client_rule_check(rule, text, V2_0_2, &err), ST_FATAL);
            assert_non_null(strstr(err.text, rule->reason));
        }
        assert_int_equal(client_rule_check(rule, "", V2_0_2, &err), ST_FATAL);
    }
    assert_int_equal(check("transaction.timeout.ms", "9999", false, KAFKA_PRODUCER, &err),
                     ST_FATAL);
    assert_non_null(strstr(err.text, "kafka.producer.transaction.timeout.ms: 9999 is out of "
                                     "range, 10000 to 900000: "));
    assert_int_equal(check("transaction.timeout.ms", "0x2710", false, KAFKA_PRODUCER, &err), ST_OK);
    assert_int_equal(check("max.in.flight", "6", true, KAFKA_PRODUCER, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "kafka.common.max.in.flight: "));
}

static void test_words(void **state) {
    (void)state;
    static const struct {
        const char *key, *value;
        int version;
        enum status expected;
    } cases[] = {
        {"partition.assignment.strategy", "range", V2_0_2, ST_OK},
        {"partition.assignment.strategy", "range,roundrobin", V2_0_2, ST_OK},
        {"partition.assignment.strategy", "cooperative-sticky", V2_0_2, ST_FATAL},
        {"partition.assignment.strategy", "cooperative-sticky", V2_10_0, ST_FATAL},
        {"partition.assignment.strategy", "cooperative-sticky", V2_10_1, ST_OK},
        {"partition.assignment.strategy", "cooperative-sticky", V2_16_0, ST_OK},
        {"partition.assignment.strategy", "range, cooperative-sticky ", V2_10_0, ST_FATAL},
        {"partition.assignment.strategy", " cooperative-sticky , range", V2_10_1, ST_OK},
        {"partition.assignment.strategy", "sticky", V2_16_0, ST_FATAL},
        {"group.protocol", "classic", V2_16_0, ST_OK},
        {"group.protocol", "consumer", V2_16_0, ST_FATAL},
        {"api.version.request", "true", V2_0_2, ST_OK},
        {"api.version.request", "false", V2_0_2, ST_FATAL},
    };
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct client_rule *rule = client_rule_of(cases[i].key);
        assert_non_null(rule);
        if (client_rule_check(rule, cases[i].value, cases[i].version, &err) != cases[i].expected) {
            fail_msg("%s=%s, %x", cases[i].key, cases[i].value, (unsigned)cases[i].version);
        }
    }
    const struct client_rule *strategy = client_rule_of("partition.assignment.strategy");
    assert_int_equal(client_rule_check(strategy, "cooperative-sticky", V2_10_0, &err), ST_FATAL);
    assert_string_equal(err.text, "cooperative-sticky needs librdkafka 2.10.1 or newer, this is "
                                  "2.10.0: an older one may hang, or lose partitions until it is "
                                  "restarted; use range,roundrobin");
    // and with the library that runs
    assert_int_equal(
        check("partition.assignment.strategy", "cooperative-sticky", false, KAFKA_CONSUMER, &err),
        rd_kafka_version() < V2_10_1 ? ST_FATAL : ST_OK);
    assert_int_equal(check("api.version.request", "f", false, KAFKA_PRODUCER, &err), ST_FATAL);
}

// Below kafka.common the property of one side is passed to that side alone; elsewhere it is told
// where it belongs.
static void test_sides(void **state) {
    (void)state;
    struct err err;
    assert_int_equal(check("session.timeout.ms", "30000", true, KAFKA_PRODUCER, &err), ST_OK);
    assert_int_equal(check("session.timeout.ms", "30000", true, KAFKA_CONSUMER, &err), ST_OK);
    assert_int_equal(check("session.timeout.ms", "x", true, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_int_equal(check("session.timeout.ms", "30000", false, KAFKA_PRODUCER, &err), ST_FATAL);
    assert_string_equal(err.text, "kafka.producer.session.timeout.ms: does nothing here: set it "
                                  "below kafka.consumer");
    assert_int_equal(check("linger.ms", "1", false, KAFKA_CONSUMER, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "set it below kafka.producer"));
}

static void test_page(void **state) {
    (void)state;
    struct buf page = {0};
    const struct client_rule *rule;
    char word[128];
    kafka_properties_doc(&page);
    for (size_t i = 0; (rule = client_rule_at(i)) != NULL; i++) {
        snprintf(word, sizeof word, "`%s`", rule->key);
        assert_non_null(strstr(buf_text(&page), word));
        assert_true(rule->reason == NULL || strstr(buf_text(&page), rule->reason) != NULL);
    }
    buf_fini(&page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_property_has_a_row),
        cmocka_unit_test(test_rows_are_sorted_and_say_why),
        cmocka_unit_test(test_what_must_never_pass),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ours_are_set),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
