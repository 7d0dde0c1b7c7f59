// client_conf: turns settings into a librdkafka configuration: our defaults, then the user's
// properties, as far as the rules of client_rules.def let them through, then what must hold. Called
// by the doors when they open and by `check`. Must never put the value of a secret property into a
// text.
#include "kafka/client_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scrub.h"

#define VERSION_2_2_0 0x020200ff
#define VERSION_2_5_0 0x020500ff

enum {
    FOR_C = 1 << KAFKA_CONSUMER,
    FOR_P = 1 << KAFKA_PRODUCER,
    FOR_BOTH = FOR_C | FOR_P,
};

// What we set before the user's properties, which win.
static const struct {
    const char *key, *value;
    int roles;
    int since; // the first version that knows it, 0 for all
} defaults[] = {
    {"log.connection.close", "false", FOR_BOTH, 0},
    {"reconnect.backoff.ms", "50", FOR_BOTH, 0},
    {"reconnect.backoff.max.ms", "1000", FOR_BOTH, 0},
    {"socket.keepalive.enable", "true", FOR_BOTH, 0},
    {"socket.nagle.disable", "true", FOR_BOTH, 0},
    // A frozen broker is noticed by request timeouts only.
    {"socket.timeout.ms", "20000", FOR_BOTH, 0},
    // A topic that is made later is found after this time.
    {"topic.metadata.refresh.interval.ms", "10000", FOR_BOTH, 0},
    {"client.software.name", "stoker", FOR_BOTH, 0},
    {"client.software.version", STOKER_VERSION, FOR_BOTH, 0},
    {"enable.metrics.push", "false", FOR_BOTH, VERSION_2_5_0},
    {"session.timeout.ms", "45000", FOR_C, 0},
    {"partition.assignment.strategy", "range", FOR_C, 0},
    {"fetch.wait.max.ms", "100", FOR_C, 0},
    // The queue is bounded by a count, too: a message takes some 300 bytes beside its own. Before
    // 2.2.0 a full queue is not filled again for a second: it must hold what is worked off in one.
    {"queued.min.messages", "200000", FOR_C, 0},
    {"queued.min.messages", "50000", FOR_C, VERSION_2_2_0},
    {"fetch.queue.backoff.ms", "10", FOR_C, VERSION_2_2_0},
    {"queued.max.messages.kbytes", "262144", FOR_C, 0},
    {"queued.max.messages.kbytes", "65536", FOR_C, VERSION_2_2_0},
    {"compression.codec", "lz4", FOR_P, 0},
    {"linger.ms", "5", FOR_P, 0},
    // A transaction that follows soon after another is told to wait; ask again at once.
    {"retry.backoff.ms", "20", FOR_P, 0},
    // Longer than a cluster takes to replace a broker, shorter than anyone wants to wait for the
    // transaction of an agent that never comes back.
    {"transaction.timeout.ms", "45000", FOR_P, 0},
};

static const struct client_rule rules[] = {
#define FREE(k, r) {.key = k, .kind = RULE_FREE, .roles = r},
#define RANGE(k, r, low, high, why)                                                                \
    {.key = k, .kind = RULE_RANGE, .roles = r, .min = low, .max = high, .reason = why},
#define ONE_OF(k, r, words, later, version, why)                                                   \
    {.key = k,                                                                                     \
     .kind = RULE_ONE_OF,                                                                          \
     .roles = r,                                                                                   \
     .value = words,                                                                               \
     .newer = later,                                                                               \
     .since = version,                                                                             \
     .reason = why},
#define OURS(k, r, set, why) {.key = k, .kind = RULE_OURS, .roles = r, .value = set, .reason = why},
#define REFUSED(k, why) {.key = k, .kind = RULE_REFUSED, .roles = FOR_BOTH, .reason = why},
#include "kafka/client_rules.def"
#undef FREE
#undef RANGE
#undef ONE_OF
#undef OURS
#undef REFUSED
};

const struct client_rule *client_rule_at(size_t i) {
    return i < ARRAY_LEN(rules) ? &rules[i] : NULL;
}

const struct client_rule *client_rule_of(const char *key) {
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(rules[i].key, key) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

// The next word of a list with commas, blanks around it left out; false at the end.
static bool next_word(struct str *list, struct str *word) {
    if (list->len == 0) {
        return false;
    }
    const char *comma = memchr(list->p, ',', list->len);
    *word = (struct str){list->p, comma == NULL ? list->len : (size_t)(comma - list->p)};
    size_t taken = comma == NULL ? list->len : word->len + 1;
    *list = (struct str){list->p + taken, list->len - taken};
    while (word->len > 0 && word->p[0] == ' ') {
        *word = (struct str){word->p + 1, word->len - 1};
    }
    while (word->len > 0 && word->p[word->len - 1] == ' ') {
        word->len--;
    }
    return true;
}

static bool holds(const char *list, struct str word) {
    struct str rest = str_of(list), each;
    while (next_word(&rest, &each)) {
        if (str_eq(each, word)) {
            return true;
        }
    }
    return false;
}

// "2.10.1" as rd_kafka_version would say it.
static int version_of(const char *text) {
    unsigned major = 0, minor = 0, patch = 0;
    return sscanf(text, "%u.%u.%u", &major, &minor, &patch) == 3
               ? (int)(major << 24 | minor << 16 | patch << 8 | 0xff)
               : 0;
}

static enum status check_words(const struct client_rule *rule, const char *value, int version,
                               struct err *err) {
    struct str rest = str_of(value), word;
    char shown[64], running[16];
    while (next_word(&rest, &word)) {
        bool newer = holds(rule->newer, word);
        if (holds(rule->value, word) || (newer && version >= version_of(rule->since))) {
            continue;
        }
        str_copy(shown, sizeof shown, word);
        client_printable(shown, sizeof shown, shown);
        if (!newer) {
            return err_set(err, ST_FATAL, "%s cannot be taken (only %s): %s", shown, rule->value,
                           rule->reason);
        }
        snprintf(running, sizeof running, "%d.%d.%d", version >> 24 & 0xff, version >> 16 & 0xff,
                 version >> 8 & 0xff);
        return err_set(err, ST_FATAL, "%s needs librdkafka %s or newer, this is %s: %s; use %s",
                       shown, rule->since, running, rule->reason, rule->value);
    }
    return ST_OK;
}

enum status client_rule_check(const struct client_rule *rule, const char *value, int version,
                              struct err *err) {
    int64_t number = 0;
    if (rule == NULL) {
        return err_set(err, ST_FATAL,
                       "cannot be set: this release does not know what it does to the guarantees");
    }
    switch (rule->kind) {
    case RULE_FREE:
        return ST_OK;
    case RULE_RANGE:
        return str_to_i64(str_of(value), &number) && number >= rule->min && number <= rule->max
                   ? ST_OK
                   : err_set(err, ST_FATAL, "%.32s is out of range, %lld to %lld: %s", value,
                             (long long)rule->min, (long long)rule->max, rule->reason);
    case RULE_ONE_OF:
        return check_words(rule, value, version, err);
    default:
        return err_set(err, ST_FATAL, "cannot be set: %s", rule->reason);
    }
}

enum status client_conf_set(rd_kafka_conf_t *conf, const char *key, const char *value,
                            struct err *err) {
    char text[256];
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) == RD_KAFKA_CONF_OK) {
        return ST_OK;
    }
    return err_set(err, ST_FATAL, "librdkafka %s does not take %s: %s", rd_kafka_version_str(), key,
                   scrub_hides_setting(str_of(key)) ? "invalid value" : text);
}

static enum status judge(const rd_kafka_conf_t *conf, const char *section, const char *key,
                         const struct client_rule *rule, struct err *err) {
    // As the library took it: one form, whatever was written.
    char value[512] = "";
    size_t size = sizeof value;
    if (rule != NULL && rule->kind != RULE_FREE &&
        rd_kafka_conf_get(conf, key, value, &size) != RD_KAFKA_CONF_OK) {
        return err_set(err, ST_FATAL, "%s.%s: is too long", section, key);
    }
    return client_rule_check(rule, value, rd_kafka_version(), err) == ST_OK
               ? ST_OK
               : err_wrap(err, "%s.%s", section, key);
}

static enum status set_property(rd_kafka_conf_t *conf, const char *section,
                                const struct kafka_property *property,
                                const struct client_rule *rule, struct err *err) {
    char key[128], text[256], shown[512];
    client_printable(key, sizeof key, property->key);
    switch (rd_kafka_conf_set(conf, property->key, property->value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        return judge(conf, section, key, rule, err);
    case RD_KAFKA_CONF_UNKNOWN:
        return err_set(err, ST_FATAL, "%s.%s: No such configuration property (librdkafka %s)",
                       section, key, rd_kafka_version_str());
    default:
        client_printable(shown, sizeof shown,
                         scrub_hides_setting(str_of(property->key)) ? "invalid value" : text);
        return err_set(err, ST_FATAL, "%s.%s: %s", section, key, shown);
    }
}

static enum status set_section(rd_kafka_conf_t *conf, enum kafka_role role, bool common,
                               const struct kafka_property *properties, size_t count,
                               struct err *err) {
    static const char *const names[] = {"kafka.consumer", "kafka.producer"}; // by role
    const char *section = common ? "kafka.common" : names[role];
    for (size_t i = 0; i < count; i++) {
        const struct client_rule *rule = client_rule_of(properties[i].key);
        bool taboo = rule != NULL && (rule->kind == RULE_OURS || rule->kind == RULE_REFUSED);
        enum status st = taboo ? client_rule_check(rule, "", 0, err) : ST_OK;
        if (st != ST_OK) {
            return err_wrap(err, "%s.%s", section, rule->key);
        }
        if (rule != NULL && (rule->roles & 1 << role) == 0) {
            if (common) { // of the other alone
                continue;
            }
            return err_set(err, ST_FATAL, "%s.%s: does nothing here: set it below %s", section,
                           rule->key, names[role == KAFKA_CONSUMER]);
        }
        st = set_property(conf, section, &properties[i], rule, err);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

static enum status set_defaults(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                                enum kafka_role role, struct err *err) {
    enum status st = client_conf_set(
        conf, "client.id", settings->client_id == NULL ? "stoker" : settings->client_id, err);
    for (size_t i = 0; i < ARRAY_LEN(defaults) && st == ST_OK; i++) {
        if ((defaults[i].roles & 1 << role) != 0 && rd_kafka_version() >= defaults[i].since) {
            st = client_conf_set(conf, defaults[i].key, defaults[i].value, err);
        }
    }
    return st;
}

// What correctness needs comes last.
static enum status set_ours(rd_kafka_conf_t *conf, const struct kafka_settings *settings,
                            enum kafka_role role, struct err *err) {
    enum status st = client_conf_set(conf, "bootstrap.servers", settings->brokers, err);
    for (size_t i = 0; i < ARRAY_LEN(rules) && st == ST_OK; i++) {
        if (rules[i].kind == RULE_OURS && (rules[i].roles & 1 << role) != 0) {
            st = client_conf_set(conf, rules[i].key, rules[i].value, err);
        }
    }
    return st;
}

enum status client_conf_new(const struct kafka_settings *settings, enum kafka_role role,
                            rd_kafka_conf_t **out, struct err *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum status st = set_defaults(conf, settings, role, err);
    if (st == ST_OK) {
        st = set_section(conf, role, true, settings->common, settings->common_count, err);
    }
    if (st == ST_OK) {
        st = set_section(conf, role, false, settings->role, settings->role_count, err);
    }
    if (st == ST_OK) {
        st = set_ours(conf, settings, role, err);
    }
    if (st != ST_OK) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    *out = conf;
    return ST_OK;
}

enum status client_conf_with(const struct kafka_settings *settings, enum kafka_role role,
                             const char *const (*pairs)[2], size_t count, rd_kafka_conf_t **out,
                             struct err *err) {
    rd_kafka_conf_t *conf = NULL;
    enum status st = client_conf_new(settings, role, &conf, err);
    for (size_t i = 0; i < count && st == ST_OK; i++) {
        st = client_conf_set(conf, pairs[i][0], pairs[i][1], err);
    }
    if (st != ST_OK) {
        if (conf != NULL) {
            rd_kafka_conf_destroy(conf);
        }
        return st;
    }
    *out = conf;
    return ST_OK;
}

static int64_t conf_number(const rd_kafka_conf_t *conf, const char *key) {
    char text[64] = "";
    size_t size = sizeof text;
    return rd_kafka_conf_get(conf, key, text, &size) == RD_KAFKA_CONF_OK ? strtoll(text, NULL, 10)
                                                                         : 0;
}

static enum status set_number(rd_kafka_conf_t *conf, const char *key, int64_t value,
                              struct err *err) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return client_conf_set(conf, key, text, err);
}

enum status client_conf_transactional(rd_kafka_conf_t *conf, const char *id, struct err *err) {
    int64_t transaction_ms = conf_number(conf, "transaction.timeout.ms");
    enum status st = client_conf_set(conf, "transactional.id", id, err);
    // The library wants both to be within the transaction's.
    if (st == ST_OK) {
        st = set_number(conf, "message.timeout.ms", transaction_ms, err);
    }
    if (st == ST_OK && conf_number(conf, "socket.timeout.ms") > transaction_ms - 100) {
        st = set_number(conf, "socket.timeout.ms", transaction_ms - 100, err);
    }
    return st;
}

static const char *section_of(const struct client_rule *rule) {
    return rule->kind == RULE_REFUSED ? ""
           : rule->roles == FOR_C     ? "consumer"
           : rule->roles == FOR_P     ? "producer"
                                      : "common";
}

static void describe(const struct client_rule *rule, struct buf *out) {
    switch (rule->kind) {
    case RULE_RANGE:
        buf_printf(out, rule->min < rule->max ? "%lld to %lld" : "%lld", (long long)rule->min,
                   (long long)rule->max);
        break;
    case RULE_ONE_OF:
        buf_printf(out, "%s", rule->value);
        if (rule->newer[0] != '\0') {
            buf_printf(out, "; %s with librdkafka %s or newer", rule->newer, rule->since);
        }
        break;
    case RULE_OURS:
        buf_printf(out, "no: always `%s`", rule->value);
        break;
    default:
        buf_add_text(out, "no");
    }
}

void kafka_properties_doc(struct buf *out) {
    buf_add_text(
        out,
        "\n## Properties of librdkafka\n\n"
        "What stands below `kafka.common`, `kafka.consumer` and `kafka.producer` is passed on to "
        "librdkafka, if it\ncannot break what [guarantees.md](guarantees.md) promises. One that "
        "this table does not know, as of a\nlibrary newer than this release, is refused. Numbers "
        "are in the unit of the property's name.\n\n"
        "| Property | Below | May be set | Why |\n|---|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].kind != RULE_FREE) {
            buf_printf(out, "| `%s` | %s | ", rules[i].key, section_of(&rules[i]));
            describe(&rules[i], out);
            buf_printf(out, " | %s |\n", rules[i].reason);
        }
    }
    for (int roles = FOR_BOTH; roles > 0; roles--) {
        const char *comma = "";
        for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
            if (rules[i].kind == RULE_FREE && rules[i].roles == roles) {
                if (comma[0] == '\0') {
                    buf_printf(out, "\nPassed on as they are, below `kafka.%s`:\n",
                               section_of(&rules[i]));
                }
                buf_printf(out, "%s`%s`", comma, rules[i].key);
                comma = ",\n";
            }
        }
        buf_add_text(out, ".\n");
    }
}
