// rights: see the header. A record is queued for each topic with a linger far beyond the time that
// is waited for the coordinator's answer, then its transaction is aborted, which drops the record
// where it lies. Must leave no transaction open: readers would wait for its end.
#include "kafka/rights.h"

#include "base/clock.h"
#include "kafka/client_priv.h"

enum { ANSWER_MS = 5000, STEP_MS = 10 };

struct trial {
    struct client client;
    int64_t deadline_ms;
    struct rights_report report;
};

static enum status open_producer(struct trial *trial, const struct kafka_settings *settings,
                                 const char *id, struct err *err) {
    // A trial that dies leaves its transaction open for so long.
    static const char *const pairs[][2] = {{"transaction.timeout.ms", "20000"},
                                           {"linger.ms", "15000"}};
    rd_kafka_conf_t *conf = NULL;
    enum status st =
        client_conf_with(settings, KAFKA_PRODUCER, pairs, ARRAY_LEN(pairs), &conf, err);
    if (st != ST_OK) {
        return st;
    }
    st = client_conf_transactional(conf, id, err);
    if (st != ST_OK) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    return client_open(&trial->client, KAFKA_PRODUCER, conf, err);
}

// Takes the library's error: ST_OK if it is none.
static enum status take(struct trial *trial, rd_kafka_error_t *error, const char *what,
                        struct err *err) {
    if (error == NULL) {
        return ST_OK;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    enum status st = code == RD_KAFKA_RESP_ERR__TIMED_OUT ? ST_RETRY : ST_FATAL;
    char trouble[CLIENT_TROUBLE_SIZE];
    client_trouble(&trial->client, trouble);
    client_error(err, what, code, trouble[0] != '\0' ? trouble : rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return err->status = st;
}

// Queues a record, which makes the library ask the coordinator; true once it answered.
static bool ask(struct trial *trial, const char *topic, rd_kafka_resp_err_t *code) {
    unsigned before = atomic_load(&trial->client.partitions_answered);
    int left_ms = client_left_ms(trial->deadline_ms);
    int64_t deadline_ms = clock_mono_ms() + (left_ms < ANSWER_MS ? left_ms : ANSWER_MS);
    *code = rd_kafka_producev(trial->client.rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_END);
    bool answered = false;
    while (*code == RD_KAFKA_RESP_ERR_NO_ERROR && !answered && clock_mono_ms() < deadline_ms) {
        rd_kafka_poll(trial->client.rk, STEP_MS);
        answered = atomic_load(&trial->client.partitions_answered) != before;
    }
    // The answer is known to the library's thread; the abort that follows stands behind it in line.
    return answered;
}

// One topic, in a transaction of its own. ST_OK: its answer was reported.
static enum status try_topic(struct trial *trial, const char *topic, struct err *err) {
    rd_kafka_resp_err_t code;
    int partitions;
    if (client_ask_topic(&trial->client, topic, client_left_ms(trial->deadline_ms), &partitions,
                         &code) != ST_OK) {
        return client_error(err, topic, code, NULL), err->status = ST_RETRY;
    }
    struct err words;
    if (partitions <= 0) {
        client_error_topic(&words, topic, code, NULL, "WRITE");
        trial->report.topic(trial->report.ctx, topic, ST_ABORT, words.text);
        return ST_OK;
    }
    enum status st =
        take(trial, rd_kafka_begin_transaction(trial->client.rk), "beginning a transaction", err);
    if (st != ST_OK) {
        return st;
    }
    bool answered = ask(trial, topic, &code);
    st = take(trial,
              rd_kafka_abort_transaction(trial->client.rk, client_left_ms(trial->deadline_ms)),
              "taking a transaction back", err);
    char denied[CLIENT_TOPIC_SIZE];
    if (client_denied(&trial->client, denied)) {
        client_error_topic(&words, topic, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL,
                           "WRITE");
        client_note_denied(&trial->client, STR(""));
        trial->report.topic(trial->report.ctx, topic, ST_ABORT, words.text);
    } else if (answered) {
        trial->report.topic(trial->report.ctx, topic, ST_OK, "");
    } else {
        client_error(&words, "no answer", code, NULL);
        trial->report.topic(trial->report.ctx, topic, ST_RETRY, words.text);
    }
    return st;
}

enum status rights_try_writes(const struct kafka_settings *settings, const char *transactional_id,
                              const char *const *topics, size_t count, int timeout_ms,
                              struct rights_report report, struct err *err) {
    struct trial trial = {.deadline_ms = clock_mono_ms() + timeout_ms, .report = report};
    client_init(&trial.client, &trial);
    enum status st = open_producer(&trial, settings, transactional_id, err);
    if (st == ST_OK) {
        st = take(&trial,
                  rd_kafka_init_transactions(trial.client.rk, client_left_ms(trial.deadline_ms)),
                  "its transactional id", err);
    }
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        st = try_topic(&trial, topics[i], err);
    }
    client_fini(&trial.client);
    return st;
}
