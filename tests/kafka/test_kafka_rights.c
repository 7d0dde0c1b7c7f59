// test_kafka_rights: what a user may write, found out by trying, and who is in a group, on the
// mock: a topic that is denied is told by its name and spoils none of the others, and no record is
// ever written. (ACLs of a real broker: tests/real/test_doctor.py.)
#include "cluster.h"

#include "kafka/group.h"
#include "kafka/rights.h"

static const char *const topics[] = {"in", "second", "third"};

struct answers {
    int count;
    enum status of[4];
    struct buf text;
};

static void on_topic(void *ctx, const char *topic, enum status status, const char *text) {
    struct answers *answers = ctx;
    assert_string_equal(topic, topics[answers->count]);
    answers->of[answers->count++] = status;
    buf_printf(&answers->text, "%s\n", text);
}

static enum status try_all(struct cluster *c, const char *id, size_t count,
                           struct answers *answers) {
    struct rights_report report = {answers, on_topic};
    return rights_try_writes(&c->settings, id, topics, count, WAIT_MS, report, &c->err);
}

static void make_topics(struct cluster *c) {
    assert_int_equal(mock_cluster_create_topic(c->mock, "second", 1, &c->err), ST_OK);
    assert_int_equal(mock_cluster_create_topic(c->mock, "third", 1, &c->err), ST_OK);
}

static void test_all_may_be_written_and_nothing_is(void **state) {
    struct cluster *c = *state;
    struct answers answers = {0};
    make_topics(c);
    assert_int_equal(try_all(c, "g-doctor", 3, &answers), ST_OK);
    assert_int_equal(answers.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(answers.of[i], ST_OK);
    }
    buf_fini(&answers.text);
    // What is sent later is the first there is.
    struct kafka_sink *sink = open_sink(c, (struct kafka_sink_options){0});
    send_numbers(c, sink, 0, 1);
    expect_flush(c, sink, ST_OK);
    kafka_sink_free(sink);
    struct kafka_source *src = open_source(c, "in", true);
    struct message m;
    expect_message(c, src, &m);
    assert_true(str_is(m.value, "0"));
    assert_int_equal(m.offset, 0);
    kafka_source_free(src);
}

static void test_one_is_denied(void **state) {
    struct cluster *c = *state;
    struct answers answers = {0};
    make_topics(c);
    mock_cluster_push_error(c->mock, MOCK_ADD_PARTITIONS, MOCK_TOPIC_DENIED, 1);
    assert_int_equal(try_all(c, "g-doctor", 3, &answers), ST_OK);
    assert_int_equal(answers.count, 3);
    assert_int_equal(answers.of[0], ST_ABORT);
    assert_int_equal(answers.of[1], ST_OK);
    assert_int_equal(answers.of[2], ST_OK);
    assert_non_null(strstr(buf_text(&answers.text), "topic in cannot be written"));
    assert_non_null(strstr(buf_text(&answers.text), "ACL WRITE"));
    buf_fini(&answers.text);
}

static void test_the_id_is_denied(void **state) {
    struct cluster *c = *state;
    struct answers answers = {0};
    mock_cluster_push_error(c->mock, MOCK_INIT_PRODUCER_ID, MOCK_TXN_DENIED, 1);
    assert_int_equal(try_all(c, "g-doctor", 1, &answers), ST_FATAL);
    assert_int_equal(answers.count, 0);
    assert_non_null(strstr(c->err.text, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"));
}

static void test_nobody_answers(void **state) {
    struct cluster *c = *state;
    struct answers answers = {0};
    struct rights_report report = {&answers, on_topic};
    struct kafka_settings nobody = {.brokers = "127.0.0.1:1"};
    struct group_view view;
    struct buf who = {0};
    int64_t began_ms = clock_mono_ms();
    assert_int_equal(rights_try_writes(&nobody, "g", topics, 1, 500, report, &c->err), ST_RETRY);
    assert_int_equal(group_look(&nobody, "g", 500, &view, &who, &c->err), ST_RETRY);
    assert_non_null(strstr(c->err.text, "consumer group g: "));
    assert_true(clock_mono_ms() - began_ms < WAIT_MS);
    assert_int_equal(answers.count, 0);
    assert_int_equal(who.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_may_be_written_and_nothing_is, cluster_set_up,
                                        cluster_tear_down),
        cmocka_unit_test_setup_teardown(test_one_is_denied, cluster_set_up, cluster_tear_down),
        cmocka_unit_test_setup_teardown(test_the_id_is_denied, cluster_set_up, cluster_tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_answers, cluster_set_up, cluster_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
