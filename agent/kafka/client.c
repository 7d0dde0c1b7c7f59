// client: opens and closes librdkafka handles and keeps what is known about the connection. Called
// by the doors. Its callbacks run on the threads that poll a handle or on the library's own, so all
// they touch is atomic or behind the lock.
#include "kafka/client_priv.h"

#include <malloc.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"

#define MIB (1024 * 1024)
#define DESTROY_STEP_MS 5

// Requests that succeed before the login is done, so they prove nothing.
enum { API_SASL_HANDSHAKE = 17, API_VERSIONS = 18, API_SASL_AUTHENTICATE = 36 };

// Requests that change a transaction.
static bool is_transactional(int16_t api_key) {
    enum {
        PRODUCE = 0,
        INIT_PRODUCER_ID = 22,
        ADD_PARTITIONS = 24,
        ADD_OFFSETS = 25,
        END_TXN = 26,
        TXN_OFFSET_COMMIT = 28
    };
    return api_key == PRODUCE || api_key == INIT_PRODUCER_ID || api_key == ADD_PARTITIONS ||
           api_key == ADD_OFFSETS || api_key == END_TXN || api_key == TXN_OFFSET_COMMIT;
}

const char *kafka_library_version(void) {
    return rd_kafka_version_str();
}

void kafka_tune_memory(void) {
    // Above a whole fetch (50 MiB by default). An allocator that refuses costs speed only.
    (void)mallopt(M_MMAP_THRESHOLD, 64 * MIB);
    (void)mallopt(M_TRIM_THRESHOLD, 256 * MIB);
}

static _Atomic int64_t any_answered_ms;

int64_t kafka_answered_ms(void) {
    return atomic_load(&any_answered_ms);
}

static void set_trouble(struct client *c, const char *text) {
    pthread_mutex_lock(&c->lock);
    client_printable(c->trouble, sizeof c->trouble, text);
    atomic_store(&c->troubled, c->trouble[0] != '\0');
    pthread_mutex_unlock(&c->lock);
}

void client_trouble(struct client *c, char out[CLIENT_TROUBLE_SIZE]) {
    pthread_mutex_lock(&c->lock);
    memcpy(out, c->trouble, CLIENT_TROUBLE_SIZE);
    pthread_mutex_unlock(&c->lock);
}

void client_note_denied(struct client *c, struct str topic) {
    pthread_mutex_lock(&c->lock);
    str_copy(c->denied, sizeof c->denied, topic);
    pthread_mutex_unlock(&c->lock);
}

bool client_denied(struct client *c, char out[CLIENT_TOPIC_SIZE]) {
    pthread_mutex_lock(&c->lock);
    client_printable(out, CLIENT_TOPIC_SIZE, c->denied);
    pthread_mutex_unlock(&c->lock);
    return out[0] != '\0';
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *opaque) {
    (void)rk;
    struct client *c = opaque;
    MAGIC_CHECK(c, CLIENT_MAGIC);
    metrics_add(METRIC_KAFKA_ERRORS, 1);
    char had[CLIENT_TROUBLE_SIZE];
    client_trouble(c, had);
    const char *hint = client_hint(code, c->scram);
    if (hint[0] != '\0') {
        struct err words;
        err_set(&words, ST_RETRY, "%s: %s", hint, text);
        set_trouble(c, words.text);
    } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || had[0] == '\0') {
        set_trouble(c, text); // "all brokers down" says less than the reason before it
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
        code == RD_KAFKA_RESP_ERR__SSL) {
        atomic_store(&c->down, true);
    }
}

static rd_kafka_resp_err_t on_response(rd_kafka_t *rk, int sockfd, const char *broker,
                                       int32_t broker_id, int16_t api_key, int16_t api_version,
                                       int32_t correlation, size_t size, int64_t rtt,
                                       rd_kafka_resp_err_t code, void *opaque) {
    (void)rk, (void)sockfd, (void)broker, (void)broker_id, (void)api_version, (void)correlation;
    (void)size, (void)rtt;
    struct client *c = opaque;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && is_transactional(api_key)) {
        atomic_store(&c->doubtful, true);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && api_key >= 0 && api_key != API_SASL_HANDSHAKE &&
        api_key != API_VERSIONS && api_key != API_SASL_AUTHENTICATE) {
        atomic_store(&c->answered_ms, clock_mono_ms());
        atomic_store(&any_answered_ms, clock_mono_ms());
        atomic_store(&c->down, false);
        if (atomic_load(&c->troubled)) { // the usual answer takes no lock
            set_trouble(c, "");
        }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque,
                                  char *text, size_t size) {
    (void)conf, (void)text, (void)size;
    return rd_kafka_interceptor_add_on_response_received(rk, "stoker", on_response, opaque);
}

void client_init(struct client *c, void *owner) {
    memset(c, 0, sizeof *c);
    c->magic = CLIENT_MAGIC;
    c->owner = owner;
    require(pthread_mutex_init(&c->lock, NULL) == 0);
}

static void read_conf(struct client *c, const rd_kafka_conf_t *conf) {
    char text[256] = "";
    size_t size = sizeof text;
    c->scram = rd_kafka_conf_get(conf, "sasl.mechanisms", text, &size) == RD_KAFKA_CONF_OK &&
               str_contains_nocase(str_of(text), STR("SCRAM"));
    text[0] = '\0';
    size = sizeof text;
    if (rd_kafka_conf_get(conf, "bootstrap.servers", text, &size) == RD_KAFKA_CONF_OK) {
        client_printable(c->brokers, sizeof c->brokers, text);
    }
}

static rd_kafka_t *new_handle(enum kafka_role role, rd_kafka_conf_t *conf, struct err *err) {
    char text[256], shown[256];
    rd_kafka_t *rk = rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER,
                                  conf, text, sizeof text);
    if (rk == NULL) {
        client_printable(shown, sizeof shown, text);
        err_set(err, ST_FATAL, "%s: %s",
                role == KAFKA_CONSUMER ? "kafka.consumer" : "kafka.producer", shown);
    }
    return rk;
}

// The log of a handle that lives for a moment: nothing about its connections.
static void try_log(const rd_kafka_t *rk, int level, const char *code, const char *text) {
    if (strcmp(code, "FAIL") != 0 && strcmp(code, "ERROR") != 0) {
        client_log(rk, level, code, text);
    }
}

// Some combinations of properties are only found wrong by a handle. It is closed at once.
static enum status try_conf(enum kafka_role role, const rd_kafka_conf_t *conf, struct err *err) {
    rd_kafka_conf_t *copy = rd_kafka_conf_dup(conf);
    rd_kafka_conf_set_log_cb(copy, try_log);
    rd_kafka_t *rk = new_handle(role, copy, err);
    if (rk == NULL) {
        rd_kafka_conf_destroy(copy);
        return ST_FATAL;
    }
    rd_kafka_destroy(rk);
    return ST_OK;
}

enum status client_open(struct client *c, enum kafka_role role, rd_kafka_conf_t *conf,
                        struct err *err) {
    MAGIC_CHECK(c, CLIENT_MAGIC);
    require(c->rk == NULL);
    // A configuration with interceptors that is refused cannot be destroyed: librdkafka 2.0.2 frees
    // parts of it twice. So it is tried without them before.
    enum status st = try_conf(role, conf, err);
    if (st != ST_OK) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    read_conf(c, conf);
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_log_cb(conf, client_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    require(rd_kafka_conf_interceptor_add_on_new(conf, "stoker", on_new, c) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
    c->rk = new_handle(role, conf, err);
    return c->rk == NULL ? ST_FATAL : ST_OK;
}

enum status kafka_settings_check(const struct kafka_settings *settings, enum kafka_role role,
                                 struct err *err) {
    rd_kafka_conf_t *conf = NULL;
    enum status st = client_conf_new(settings, role, &conf, err);
    if (st != ST_OK) {
        return st;
    }
    if (role == KAFKA_CONSUMER) {
        st = client_conf_set(conf, "group.id", "check", err);
    }
    if (st == ST_OK) {
        st = try_conf(role, conf, err);
    }
    rd_kafka_conf_destroy(conf);
    return st;
}

void client_close(struct client *c, int flags) {
    if (c->rk != NULL) {
        rd_kafka_destroy_flags(c->rk, flags);
        c->rk = NULL;
    }
    atomic_store(&c->down, false);
    atomic_store(&c->doubtful, false);
    client_note_denied(c, STR(""));
    set_trouble(c, "");
}

struct destroying {
    rd_kafka_t *rk;
    int flags;
    _Atomic bool done;
};

static void *destroy(void *arg) {
    struct destroying *work = arg;
    rd_kafka_destroy_flags(work->rk, work->flags);
    atomic_store(&work->done, true);
    return NULL;
}

bool client_close_within(struct client *c, int flags, int timeout_ms) {
    struct destroying *work = mem_zalloc(1, sizeof *work);
    work->rk = c->rk;
    work->flags = flags;
    pthread_t thread;
    if (c->rk == NULL || pthread_create(&thread, NULL, destroy, work) != 0) {
        mem_free(work);
        client_close(c, flags);
        return true;
    }
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    while (!atomic_load(&work->done) && clock_mono_ms() < deadline_ms) {
        clock_sleep_ms(DESTROY_STEP_MS);
    }
    if (!atomic_load(&work->done)) {
        pthread_detach(thread); // and what it works on stays
        return false;
    }
    pthread_join(thread, NULL);
    mem_free(work);
    c->rk = NULL;
    client_close(c, flags);
    return true;
}

void client_fini(struct client *c) {
    client_close(c, 0);
    pthread_mutex_destroy(&c->lock);
    c->magic = 0;
}

bool client_connected(struct client *c, int64_t silence_ms, struct buf *reason) {
    int64_t answered_ms = atomic_load(&c->answered_ms);
    int64_t silent_ms = clock_mono_ms() - answered_ms;
    bool silent = answered_ms == 0 || (silence_ms > 0 && silent_ms > silence_ms);
    if (!silent && !atomic_load(&c->down)) {
        return true;
    }
    char trouble[CLIENT_TROUBLE_SIZE];
    client_trouble(c, trouble);
    if (trouble[0] != '\0') {
        buf_printf(reason, "Kafka at %s cannot be reached: %s", c->brokers, trouble);
    } else if (answered_ms == 0) {
        buf_printf(reason, "Kafka at %s has not answered yet", c->brokers);
    } else {
        buf_printf(reason, "Kafka at %s has not answered for %lld s", c->brokers,
                   (long long)(silent_ms / 1000));
    }
    return false;
}
