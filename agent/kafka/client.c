// client: opens and closes librdkafka handles, carries their log into ours and keeps what is known
// about the connection. Called by the doors. Its callbacks run on the threads that poll a handle or
// on the library's own, so all they touch is atomic or behind a lock.
#include "kafka/client_priv.h"

#include <ctype.h>
#include <malloc.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

#define MIB (1024 * 1024)

enum { DESTROY_STEP_MS = 5, REPEAT_MS = 10000, GATES = 128 };

// Requests that succeed before the login is done, so they prove nothing.
enum { API_SASL_HANDSHAKE = 17, API_VERSIONS = 18, API_SASL_AUTHENTICATE = 36 };

enum { API_ADD_PARTITIONS = 24 };

// Requests that change a transaction.
static bool is_transactional(int16_t api_key) {
    enum {
        PRODUCE = 0,
        INIT_PRODUCER_ID = 22,
        ADD_OFFSETS = 25,
        END_TXN = 26,
        TXN_OFFSET_COMMIT = 28
    };
    return api_key == PRODUCE || api_key == INIT_PRODUCER_ID || api_key == API_ADD_PARTITIONS ||
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

void kafka_give_memory_back(void) {
    (void)malloc_trim(0);
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

static pthread_mutex_t gates_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_gate gates[GATES];

// FNV-1a over the letters of a line: lines that differ by numbers only are the same line.
static uint32_t hash_letters(uint32_t hash, const char *text) {
    for (; *text != '\0'; text++) {
        if (isalpha((unsigned char)*text)) {
            hash = (hash ^ (unsigned char)*text) * 16777619u;
        }
    }
    return hash;
}

static enum log_level level_of(int syslog_level, const char *code) {
    if (strcmp(code, "AUTOCREATE") == 0) {
        return LOG_DEBUG; // the mock cluster only: every real broker knows this setting
    }
    // The client mends what it reports: nothing of it is an error of the agent yet.
    return syslog_level <= 4 ? LOG_WARN : syslog_level <= 6 ? LOG_INFO : LOG_DEBUG;
}

// Which topic a transaction may not write is said here and nowhere else: the calls that fail for it
// know of no topic, or only that the transaction is in a wrong state.
static void keep_denied(const rd_kafka_t *rk, const char *code, const char *text) {
    struct client *c = rk == NULL ? NULL : rd_kafka_opaque(rk);
    if (c == NULL || strcmp(code, "ADDPARTS") != 0 ||
        strstr(text, rd_kafka_err2str(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)) == NULL) {
        return;
    }
    const char *from = strchr(text, '"');
    const char *to = from == NULL ? NULL : strchr(from + 1, '"');
    if (to != NULL) {
        client_note_denied(c, (struct str){from + 1, (size_t)(to - from - 1)});
    }
}

// The log callback of every handle: any thread of the library, so it holds a lock of its own and
// calls nothing of the library that might block. A line that repeats, numbers aside, is written at
// most every 10 s.
static void write_log(const rd_kafka_t *rk, int level, const char *code, const char *text) {
    keep_denied(rk, code, text);
    enum log_level to = level_of(level, code);
    if (!log_enabled(to)) {
        return;
    }
    unsigned long suppressed = 0;
    if (to != LOG_DEBUG) {
        uint32_t hash = hash_letters(hash_letters(2166136261u, code), text);
        pthread_mutex_lock(&gates_lock);
        bool open = log_gate_open(&gates[hash % GATES], clock_mono_ms(), REPEAT_MS, &suppressed);
        pthread_mutex_unlock(&gates_lock);
        if (!open) {
            return;
        }
    }
    char shown[1024], name[64], client[128];
    client_printable(shown, sizeof shown, text);
    client_printable(name, sizeof name, code);
    client_printable(client, sizeof client, rk == NULL ? "" : rd_kafka_name(rk));
    log_write(to, "kafka_client", "client=%s code=%s text=%s suppressed=%lu", client, name, shown,
              suppressed);
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
    if (api_key == API_ADD_PARTITIONS) {
        atomic_fetch_add(&c->partitions_answered, 1);
    }
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
        write_log(rk, level, code, text);
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
    rd_kafka_conf_set_log_cb(conf, write_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    require(rd_kafka_conf_interceptor_add_on_new(conf, "stoker", on_new, c) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
    c->rk = new_handle(role, conf, err);
    return c->rk == NULL ? ST_FATAL : ST_OK;
}

enum status client_open_reader(struct client *c, const struct kafka_settings *settings,
                               const char *group, const char *isolation, struct err *err) {
    const char *const pairs[][2] = {
        {"group.id", group}, {"isolation.level", isolation}, {"fetch.wait.max.ms", "10"}};
    rd_kafka_conf_t *conf = NULL;
    enum status st =
        client_conf_with(settings, KAFKA_CONSUMER, pairs, ARRAY_LEN(pairs), &conf, err);
    if (st == ST_OK) {
        st = client_open(c, KAFKA_CONSUMER, conf, err);
    }
    if (st == ST_OK) {
        rd_kafka_poll_set_consumer(c->rk);
    }
    return st;
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

enum status kafka_properties_check(const struct kafka_settings *settings, enum kafka_role role,
                                   struct err *err) {
    rd_kafka_conf_t *conf = NULL;
    enum status st = client_conf_new(settings, role, &conf, err);
    if (st == ST_OK) {
        rd_kafka_conf_destroy(conf);
    }
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

enum status client_ask_topic(struct client *c, const char *name, int timeout_ms, int *partitions,
                             rd_kafka_resp_err_t *code) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(c->rk, name, NULL);
    *partitions = -1;
    *code = topic == NULL ? rd_kafka_last_error()
                          : rd_kafka_metadata(c->rk, 0, topic, &metadata, timeout_ms);
    if (topic != NULL) {
        rd_kafka_topic_destroy(topic);
    }
    if (metadata == NULL) {
        return ST_RETRY;
    }
    *code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (*code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *partitions = metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return ST_OK;
}

const rd_kafka_ConsumerGroupDescription_t *client_group(rd_kafka_event_t *event,
                                                        rd_kafka_resp_err_t *code) {
    *code = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    if (*code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return NULL;
    }
    size_t count = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    require(count == 1);
    const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    *code = error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    return *code == RD_KAFKA_RESP_ERR_NO_ERROR ? groups[0] : NULL;
}

void client_headers(struct client_headers *headers, const rd_kafka_message_t *m,
                    struct message *out) {
    rd_kafka_headers_t *all = NULL;
    size_t bytes = 0;
    struct message_header h;
    const void *value;
    if (rd_kafka_message_headers(m, &all) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    for (size_t i = 0; rd_kafka_header_get_all(all, i, &h.name, &value, &h.value.len) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        h.value.p = value;
        size_t takes = strlen(h.name) + h.value.len + MESSAGE_HEADER_FRAMING;
        if (takes > MESSAGE_HEADERS_MAX_BYTES - bytes) {
            out->headers_dropped++;
            continue;
        }
        bytes += takes;
        MEM_GROW(headers->list, out->header_count, headers->cap);
        headers->list[out->header_count++] = h;
    }
    out->headers = headers->list;
}
