// test_ship: folders of logs into a mock cluster: each line once with its identity, over restarts;
// what the topic does not take is declared; what fails is done again from what was committed; what
// is kept of logs that are gone goes in the end. The mock shows what was aborted, too: where
// something fails, what counts as shipped and the positions are looked at. Real Kafka, kill -9 and
// growing logs: tests/real/test_ship.py.
#include "support/test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kafka/changelog.h"
#include "kafka/mock.h"
#include "kafka/sink.h"
#include "kafka/source.h"
#include "keep/shipped.h"
#include "ship/ship.h"

#define START(id)                                                                                  \
    "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"n\",\"App ID\":\"" id             \
    "\",\"Timestamp\":1700000000000,\"User\":\"u\"}\n"
#define END "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":1700000009000}\n"
#define LINE(n) "{\"Event\":\"X\",\"n\":" #n "}\n"

struct world {
    struct mock_cluster *cluster;
    char folder[64];
    const char *folders[1];
    struct ship_options options;
    struct ship_view view;
    struct buf notes;
};

static void note(void *ctx, const char *words) {
    struct world *w = ctx;
    buf_add_text(&w->notes, words);
    buf_add_char(&w->notes, '\n');
}

static int set_up(void **state) {
    struct world *w = mem_zalloc(1, sizeof *w);
    struct err err;
    log_configure(LOG_ERROR, LOG_LOGFMT);
    metrics_reset();
    snprintf(w->folder, sizeof w->folder, "/tmp/test_ship.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->folders[0] = w->folder;
    assert_int_equal(mock_cluster_new(1, &w->cluster, &err), ST_OK);
    assert_int_equal(mock_cluster_create_topic(w->cluster, "events", 1, &err), ST_OK);
    assert_int_equal(mock_cluster_create_topic(w->cluster, "positions", 1, &err), ST_OK);
    struct kafka_settings kafka = {.brokers = mock_cluster_bootstrap(w->cluster)};
    w->options = (struct ship_options){.consumer = kafka,
                                       .producer = kafka,
                                       .group = "g",
                                       .cluster = "c",
                                       .name = "",
                                       .folders = w->folders,
                                       .folder_count = 1,
                                       .events = "events",
                                       .positions = "positions",
                                       .max_record_bytes = 1000000,
                                       .commit_interval_ms = 10,
                                       .alone = true,
                                       .topics_trusted = true,
                                       .ctx = w,
                                       .note = note};
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", w->folder);
    assert_int_equal(system(command), 0);
    mock_cluster_free(w->cluster);
    buf_fini(&w->notes);
    mem_free(w);
    return 0;
}

// A log of this name, whole; one that changed long enough ago to have ended.
static void put(struct world *w, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static enum status ship_all(struct world *w, struct err *err) {
    struct ship *ship = NULL;
    bool done = false;
    int64_t deadline_ms = clock_mono_ms() + 30000;
    enum status status = ship_new(&w->options, &ship, err);
    while (status == ST_OK && !done) {
        status = ship_turn(ship, 20, &done, err);
        if (clock_mono_ms() >= deadline_ms) {
            ship_look(ship, &w->view);
            fail_msg("waited in vain: %s", w->view.reason);
        }
    }
    if (status == ST_OK) {
        status = ship_finish(ship, err);
    }
    ship_look(ship, &w->view);
    ship_free(ship);
    return status;
}

static void ship_well(struct world *w, int events) {
    struct err err = {0};
    if (ship_all(w, &err) != ST_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(w->view.events, events);
}

// Everything in the topic of the events: "key attempt log:line value" a line.
static void read_events(struct world *w, struct buf *out) {
    const char *topic = "events";
    struct kafka_source_options options = {
        .group = "reader", .topics = &topic, .topic_count = 1, .alone = true};
    struct kafka_source *source = NULL;
    struct message m;
    struct err err = {0};
    assert_int_equal(kafka_source_new(&w->options.consumer, &options,
                                      (struct kafka_source_callbacks){0}, &source, &err),
                     ST_OK);
    while (!kafka_source_caught_up(source, topic, 0)) {
        if (kafka_source_poll(source, 20, &m, &err) != ST_OK) {
            continue;
        }
        struct str attempt = message_header_last(&m, MESSAGE_HEADER_APP_ATTEMPT);
        struct str log = message_header_last(&m, MESSAGE_HEADER_LOG);
        struct str line = message_header_last(&m, MESSAGE_HEADER_LOG_LINE);
        assert_true(str_eq(m.key, message_header_last(&m, MESSAGE_HEADER_APP_ID)));
        buf_printf(out, "%.*s %.*s %.*s:%.*s %.*s\n", (int)m.key.len, m.key.p, (int)attempt.len,
                   attempt.p, (int)log.len, log.p, (int)line.len, line.p, (int)m.value.len,
                   m.value.p);
    }
    kafka_source_free(source);
}

static void expect_events(struct world *w, const char *want) {
    struct buf text = {0};
    read_events(w, &text);
    assert_string_equal(buf_text(&text), want);
    buf_fini(&text);
}

static void test_each_line_once_over_restarts(void **state) {
    struct world *w = *state;
    put(w, "app-1-2_3", LINE(1) LINE(2));
    ship_well(w, 2);
    expect_events(w, "app-1-2 3 app-1-2_3:1 {\"Event\":\"X\",\"n\":1}\n"
                     "app-1-2 3 app-1-2_3:2 {\"Event\":\"X\",\"n\":2}\n");
    ship_well(w, 0);
    put(w, "app-1-2_3", LINE(1) LINE(2) LINE(3));
    ship_well(w, 1);
    expect_events(w, "app-1-2 3 app-1-2_3:1 {\"Event\":\"X\",\"n\":1}\n"
                     "app-1-2 3 app-1-2_3:2 {\"Event\":\"X\",\"n\":2}\n"
                     "app-1-2 3 app-1-2_3:3 {\"Event\":\"X\",\"n\":3}\n");
    assert_int_equal(metrics_get(METRIC_SHIP_EVENTS), 3);
}

// The content tells whose a log is, from its first line on and after a restart.
static void test_a_name_that_tells_nothing(void **state) {
    struct world *w = *state;
    put(w, "my-job.json", LINE(1) START("app-5-5"));
    ship_well(w, 2);
    put(w, "my-job.json", LINE(1) START("app-5-5") END);
    ship_well(w, 1);
    struct buf text = {0};
    read_events(w, &text);
    int lines = 0;
    for (char *line = text.data; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_int_equal(strncmp(line, "app-5-5  ", 9), 0);
        lines++;
    }
    assert_int_equal(lines, 3);
    buf_fini(&text);
}

static void test_other_folders_and_names_are_others(void **state) {
    struct world *w = *state;
    put(w, "app-1-2", LINE(1));
    ship_well(w, 1);
    w->options.name = "other";
    ship_well(w, 1);
    w->options.cluster = "another";
    ship_well(w, 1);
    w->options.name = "";
    w->options.cluster = "c";
    ship_well(w, 0);
}

static void test_without_transactions(void **state) {
    struct world *w = *state;
    w->options.plain = true;
    put(w, "app-1-2", LINE(1) LINE(2));
    ship_well(w, 2);
    ship_well(w, 0);
    expect_events(w, "app-1-2  app-1-2:1 {\"Event\":\"X\",\"n\":1}\n"
                     "app-1-2  app-1-2:2 {\"Event\":\"X\",\"n\":2}\n");
}

#define BIG_SIZE 3000
static void test_too_large_an_event_is_declared(void **state) {
    struct world *w = *state;
    char text[2 * BIG_SIZE], big[BIG_SIZE];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    w->options.max_record_bytes = 2000;
    snprintf(
        text, sizeof text,
        START("app-7-7") "{\"Event\":\"SparkListenerJobStart\",\"Submission Time\":1700000003000,"
                         "\"x\":\"%s\"}\n" LINE(1) END,
        big);
    put(w, "app-7-7", text);
    ship_well(w, 3);
    assert_int_equal(w->view.refused, 1);
    assert_int_equal(metrics_get(METRIC_SHIP_REFUSED), 1);
    struct buf all = {0};
    read_events(w, &all);
    char *report =
        strstr(all.data,
               "app-7-7  app-7-7: {\"Event\":\"StokerListenerReport\",\"Timestamp\":1700000009000,"
               "\"App ID\":\"app-7-7\",");
    assert_non_null(report);
    assert_non_null(strstr(report,
                           "\"Mode\":\"full\",\"Accepted\":3,\"Sent\":2,\"Dropped\":{},\"Cut\":{},"
                           "\"Slimmed\":0,\"Refused\":{\"SparkListenerJobStart\":1}}\n"
                           "app-7-7  app-7-7:4 {\"Event\":\"SparkListenerApplicationEnd\""));
    buf_fini(&all);
    ship_well(w, 0); // nothing is told twice
    assert_int_equal(w->view.refused, 0);
}

// A log that ends without an end of its application tells what it lost all the same.
static void test_a_loss_is_declared_when_the_log_ends(void **state) {
    struct world *w = *state;
    char text[2 * BIG_SIZE], big[BIG_SIZE];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    w->options.max_record_bytes = 2000;
    snprintf(text, sizeof text, "{\"Event\":\"Y\",\"x\":\"%s\"}\n" LINE(1), big);
    put(w, "app-7-8", text);
    ship_well(w, 1);
    struct buf all = {0};
    read_events(w, &all);
    assert_non_null(strstr(all.data, "\"Refused\":{\"Y\":1}"));
    buf_fini(&all);
}

// Whatever step fails, what counts in the end is each line once, and the next call has nothing to
// do.
static void test_what_fails_is_done_again(void **state) {
    struct world *w = *state;
    static const struct {
        enum mock_request request;
        enum mock_error error;
    } broken[] = {
        {MOCK_ADD_PARTITIONS, MOCK_UNKNOWN},
        {MOCK_END_TXN, MOCK_TXN_STATE},
        {MOCK_PRODUCE, MOCK_TOPIC_DENIED},
        {MOCK_PRODUCE, MOCK_PRODUCER_FENCED},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char name[16];
        snprintf(name, sizeof name, "app-9-%zu", i);
        put(w, name, LINE(1) LINE(2) LINE(3));
        int64_t aborts = metrics_get(METRIC_TXN_ABORTS);
        mock_cluster_push_error(w->cluster, broken[i].request, broken[i].error, 1);
        struct err err = {0};
        assert_int_equal(ship_all(w, &err), ST_OK);
        assert_true(metrics_get(METRIC_TXN_ABORTS) > aborts);
        ship_well(w, 0);
    }
}

// Sends a record to the topic of the positions.
static void keep(struct world *w, struct str key, struct str value) {
    struct kafka_sink *sink = NULL;
    struct err err;
    struct sink_record record = {.topic = "positions", .key = key, .value = value};
    assert_int_equal(kafka_sink_new(&w->options.producer, &(struct kafka_sink_options){0},
                                    (struct kafka_sink_callbacks){0}, &sink, &err),
                     ST_OK);
    assert_int_equal(kafka_sink_send(sink, &record, &err), ST_OK);
    assert_int_equal(kafka_sink_flush(sink, 20000, &err), ST_OK);
    kafka_sink_free(sink);
}

struct newest {
    struct str key;
    bool there, gone;
    struct shipped shipped;
};

static void take(void *ctx, const struct message *message) {
    struct newest *newest = ctx;
    struct err err;
    if (str_eq(message->key, newest->key)) {
        newest->there = true;
        newest->gone = message->value.p == NULL;
        assert_true(newest->gone || shipped_read(message->value, &newest->shipped, &err) == ST_OK);
    }
}

// What the topic of the positions says of a log now.
static struct newest newest_of(struct world *w, struct str key) {
    struct changelog *changelog = NULL;
    struct err err;
    struct newest newest = {.key = key};
    struct changelog_reading reading = {
        .topic = "positions", .timeout_ms = 20000, .ctx = &newest, .take = take};
    assert_int_equal(changelog_new(&w->options.consumer, "reader", &changelog, &err), ST_OK);
    assert_int_equal(
        changelog_bounds(changelog, "positions", 0, 20000, &reading.first, &reading.end, &err),
        ST_OK);
    assert_int_equal(changelog_read(changelog, &reading, &err), ST_OK);
    changelog_free(changelog);
    return newest;
}

static void test_logs_that_are_gone_are_forgotten_late(void **state) {
    struct world *w = *state;
    struct buf key = {0}, value = {0};
    char path[128];
    put(w, "app-1-2", LINE(1));
    put(w, "app-1-3", LINE(1));
    ship_well(w, 2);
    snprintf(path, sizeof path, "%s/app-1-2", w->folder);
    assert_int_equal(unlink(path), 0);
    ship_well(w, 0);
    shipped_key('l', STR("c"), str_of(w->folder), STR("app-1-2"), &key);
    struct newest newest = newest_of(w, buf_str(&key));
    assert_true(newest.there && !newest.gone && newest.shipped.missing_ms > 0);
    ship_well(w, 0); // still gone, and still known
    newest = newest_of(w, buf_str(&key));
    assert_true(newest.there && !newest.gone);
    put(w, "app-1-2", LINE(1)); // a folder that was not mounted: nothing comes twice
    ship_well(w, 0);
    assert_int_equal(unlink(path), 0);
    newest.shipped.missing_ms = 1; // since 1970
    shipped_write(&newest.shipped, &value);
    keep(w, buf_str(&key), buf_str(&value));
    ship_well(w, 0);
    assert_true(newest_of(w, buf_str(&key)).gone);
    buf_fini(&key);
    buf_fini(&value);
}

static void test_a_position_of_a_newer_release_is_refused(void **state) {
    struct world *w = *state;
    struct buf key = {0};
    struct err err = {0};
    put(w, "app-1-2", LINE(1));
    shipped_key('l', STR("c"), str_of(w->folder), STR("app-1-2"), &key);
    keep(w, buf_str(&key), STR("\x02 from the future"));
    assert_int_equal(ship_all(w, &err), ST_FATAL);
    assert_int_equal(w->view.events, 0);
    buf_fini(&key);
}

static void test_a_missing_folder_is_told(void **state) {
    struct world *w = *state;
    const char *none[] = {"/nowhere/at-all"};
    w->options.folders = none;
    ship_well(w, 0);
    assert_true(w->view.troubles > 0);
    assert_non_null(strstr(w->notes.data, "/nowhere/at-all"));
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_each_line_once_over_restarts),
        CASE(test_a_name_that_tells_nothing),
        CASE(test_other_folders_and_names_are_others),
        CASE(test_without_transactions),
        CASE(test_too_large_an_event_is_declared),
        CASE(test_a_loss_is_declared_when_the_log_ends),
        CASE(test_what_fails_is_done_again),
        CASE(test_logs_that_are_gone_are_forgotten_late),
        CASE(test_a_position_of_a_newer_release_is_refused),
        CASE(test_a_missing_folder_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
