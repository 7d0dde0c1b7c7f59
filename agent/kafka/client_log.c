// client_log: carries librdkafka's own log lines into base/log. Called from any thread of the
// library, so it holds a lock of its own and calls nothing of the library that might block. A line
// that repeats, numbers aside, is written at most every 10 s.
#include "kafka/client_priv.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define REPEAT_MS 10000
#define GATES 128

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

void client_log(const rd_kafka_t *rk, int level, const char *code, const char *text) {
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
