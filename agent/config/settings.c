// settings: the agent's own settings, a row each, and what must fit across them or has a form of
// its own. A row shows in the sample, the reference page, `config show` and the tests. Called by
// the commands, which also ask the room that will take an address whether it is one. Asks nothing
// of the network.
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "base/log.h"
#include "config/config.h"
#include "model/topic.h"

// "current" and the releases in schemas/released/, made by the build.
extern const char *const avro_write_versions[];
static const char *const framings[] = {"single-object", NULL};
static const char *const input_formats[] = {"auto", "raw", NULL};
static const char *const severities[] = {
#define SEVERITY_WORD(number, id, name) name,
#include "model/words.def"
    NULL};
static const char *const confidences[] = {
#define CONFIDENCE_WORD(number, id, name) name,
#include "model/words.def"
    NULL};
static const char *const memberships[] = {"static", "dynamic", NULL};
static const char *const failure_texts[] = {"scrubbed", "none", NULL};
static const char *const formats[] = {"logfmt", "json", NULL};

#define HOURS 3600000.0
#define TEXT(k, d, h)                                                                              \
    { .key = k, .type = SETTING_TEXT, .def = d, .help = h }
#define SECRET(k, h)                                                                               \
    { .key = k, .type = SETTING_TEXT, .def = "", .help = h, .flags = SETTING_SECRET }
#define LIST(k, d, h)                                                                              \
    { .key = k, .type = SETTING_LIST, .def = d, .help = h }
#define MAP(k, h)                                                                                  \
    { .key = k, .type = SETTING_MAP, .def = "", .help = h }
#define BOOL(k, d, h)                                                                              \
    { .key = k, .type = SETTING_BOOL, .def = d, .help = h }
#define CHOICE(k, d, c, h)                                                                         \
    { .key = k, .type = SETTING_CHOICE, .def = d, .choices = c, .help = h }
#define INT(k, d, lo, hi, h)                                                                       \
    { .key = k, .type = SETTING_INT, .def = d, .min = lo, .max = hi, .help = h }
#define TIME(k, d, lo, hi, h)                                                                      \
    { .key = k, .type = SETTING_DURATION, .def = d, .min = lo, .max = hi, .help = h }
#define SIZE(k, d, lo, hi, h)                                                                      \
    { .key = k, .type = SETTING_BYTES, .def = d, .min = lo, .max = hi, .help = h }

static const struct setting rows[] = {
    TEXT("cluster", "default",
         "Name of the Spark cluster; part of every run's identity and every alert's labels."),
    TEXT("kafka.brokers", "localhost:9092", "Bootstrap brokers, host:port separated by commas."),
    MAP("kafka.common",
        "librdkafka properties of consumer and producer alike, such as security.protocol."),
    MAP("kafka.consumer", "librdkafka properties of the consumer only."),
    MAP("kafka.producer", "librdkafka properties of the producer only."),
#define TOPIC(id, setting, def, use, of, counts, large, help) TEXT("topics." setting, def, help),
#include "model/topics.def"
#undef TOPIC
    BOOL("topics.dlq_enabled", "true", "Keep unusable messages in the dead-letter topic."),
    INT("topics.partitions", "6", 1, 10000, "Partitions of topics made by stoker topics --create."),
    TEXT("agent.instance", "",
         "Name of this agent, unique in its group and the same after a restart; the host's name if "
         "empty."),
    TEXT("agent.group", "stoker", "Consumer group; agents in one group share the work."),
    CHOICE("agent.membership", "static", memberships,
           "static: back after a restart without a rebalance, its partitions wait that long; "
           "dynamic: hands them over at once when it leaves, for agents without lasting names."),
    INT("agent.workers", "1", 1, 64,
        "Worker threads; each has its own consumer, producer and share of the partitions."),
    TIME("agent.commit_interval", "1s", 10, 10000,
         "How often output, state and input offsets are committed, in one transaction; at once "
         "when an alert begins or ends."),
    TIME("agent.tick", "10s", 0, 600000,
         "How often the time of an idle partition that is read to its end goes on by the clock, so "
         "that silent runs get lost, panes close and alerts expire; 0: never."),
    TIME("window.length", "1h", 1000, 24 * 31 * HOURS, "Length of a pipeline's rolling window."),
    TIME("window.pane", "1m", 1000, 24 * HOURS,
         "Length of its panes; divides the window's length."),
    CHOICE("input.format", "auto", input_formats,
           "auto: events, alone or in the envelopes of other tools, and what is neither is passed "
           "over; raw: events alone, anything else is a dead letter. See docs/streams.md."),
    TEXT("input.wrapper_event_key", "",
         "Key under which an envelope holds the event; empty tries event, properties, payload, "
         "message, log, ..."),
    TEXT("input.wrapper_app_key", "",
         "Key of the application id beside it; empty tries appId, app_id, applicationId, ..., then "
         "the path of the event log."),
    TEXT("input.wrapper_attempt_key", "",
         "Key of the application attempt beside it; empty tries appAttemptId, app_attempt, ..."),
    LIST("input.event_logs", "",
         "Folders of event logs that this agent ships into topics.events as they grow; each folder "
         "is shipped by one agent at a time."),
    SIZE("input.max_message_bytes", "32m", 1024, 1 << 30, "Larger messages are not read."),
    TEXT("ship.name", "",
         "Name of a shipper beside its folder: where two hosts have different folders of one path, "
         "each needs its own."),
    TIME("ship.since", "7d", 0, 24 * 3660 * HOURS,
         "Event logs that changed last before so long are not begun; 0: all are."),
    LIST("pipeline.from",
         "spark.stoker.pipeline, "
         "spark.kubernetes.driver.label.sparkoperator.k8s.io/scheduled-app-name, "
         "spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name, spark.databricks.job.id, "
         "app_name",
         "Where a run's pipeline name comes from, tried in order: Spark properties as they are, or "
         "app_name for the application's name without the mark of the run at its end (a date or "
         "time, a number of six digits or more, a UUID, a hash). The Spark operator's label "
         "app-name loses such a mark, too."),
    CHOICE("publish.min_severity", "low", severities, "Bottlenecks below stay out of the topics."),
    CHOICE(
        "publish.failure_text", "scrubbed", failure_texts,
        "scrubbed: the first line of why a run failed is published with credentials hidden; none: "
        "no text of a failure is kept, published, alerted on or shown."),
    CHOICE("avro.framing", "single-object", framings,
           "Framing of Avro records; single-object needs no registry."),
    CHOICE("avro.write_version", "current", avro_write_versions,
           "Release whose schemas records are written by. While agents of an older release are in "
           "the group, that release: they cannot read what newer schemas write."),
    CHOICE("alertmanager.min_severity", "moderate", severities,
           "Bottlenecks below raise no alert."),
    CHOICE("alertmanager.min_confidence", "medium", confidences,
           "Bottlenecks that are less sure raise no alert."),
    TIME("alertmanager.expire_after", "7d", 60000, 24 * 31 * HOURS,
         "An alert whose pipeline has had no news for so long, in event time, ends."),
    TEXT("http.listen", "127.0.0.1:9571",
         "Address of /metrics, /livez, /readyz and the landing page; empty: none."),
    LIST(
        "http.hosts", "",
        "Names by which these may be asked beside addresses in numbers, localhost and the host's "
        "own name: stoker, *.monitoring.svc, or * for any. A browser must not read them for a page "
        "of a stranger, under the stranger's name."),
    TEXT("http.web_config_file", "",
         "A file in the form of Prometheus' own web configuration: TLS (tls_server_config) and who "
         "may see the pages (basic_auth_users). Certificates that change are taken as they do."),
    INT("metrics.max_pipelines", "1000", 1, 100000,
        "Pipelines shown by name on /metrics; the rest are summed under other."),
    INT("limits.applications", "10000", 1, 1000000,
        "Applications held in memory per input partition."),
    INT("limits.pipelines", "10000", 1, 1000000,
        "Pipelines held in memory per partition of the runs; beyond, those without alerts and with "
        "the oldest news make room. As many again are held by their alerts alone."),
    SIZE(
        "limits.memory", "512m", 1 << 24, INT64_C(1) << 40,
        "Bytes that the state of all applications and pipelines takes at most, over all partitions "
        "of the process. Beyond it detail is let go, then whole runs; results say so."),
    TIME("limits.idle", "24h", 60000, 24 * 31 * HOURS,
         "A run silent for so long, in event time, is lost."),
    TIME("limits.grace", "10m", 0, 24 * HOURS, "How long an ended run still takes late events."),
    CHOICE("log.level", "info", log_level_names, "What is logged."),
    CHOICE("log.format", "logfmt", formats, "How it is logged."),
};

const struct setting_table settings_agent = {rows, ARRAY_LEN(rows)};

enum { PANES_MAX = 1440, TOPIC_NAME_MAX = 249 };

// A broker takes no other names.
static bool good_topic(const char *name) {
    size_t len = strlen(name);
    for (const char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL) {
            return false;
        }
    }
    return len <= TOPIC_NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void check_topics(struct config *config) {
    for (enum topic i = 0; i < TOPIC_COUNT; i++) {
        const char *key = topic_row(i)->setting, *name = config_text(config, key);
        if (name[0] == '\0') {
            config_add_error(config, key, "is empty; name a topic");
            continue;
        }
        if (!good_topic(name)) {
            config_add_error(config, key,
                             "no name for a topic: %.80s; letters, digits, '.', '_' and '-' make "
                             "one, at most %d",
                             name, TOPIC_NAME_MAX);
        }
        for (enum topic other = 0; other < i; other++) {
            const char *other_key = topic_row(other)->setting;
            if (strcmp(name, config_text(config, other_key)) == 0) {
                config_add_error(config, key, "is the same topic as %s", other_key);
            }
        }
    }
}

static void check_window(struct config *config) {
    int64_t length = config_int(config, "window.length"), pane = config_int(config, "window.pane");
    if (length % pane != 0 || length / pane > PANES_MAX) {
        config_add_error(config, "window.pane", "must divide window.length into at most %d panes",
                         PANES_MAX);
    }
}

// Group and instance make names in Kafka, which are bounded.
static void check_names(struct config *config) {
    enum { HOST_MAX = 64, TOGETHER_MAX = 230 };
    size_t group = strlen(config_text(config, "agent.group"));
    size_t instance = strlen(config_text(config, "agent.instance"));
    if (group + (instance > 0 ? instance : HOST_MAX) > TOGETHER_MAX) {
        config_add_error(config, instance > 0 ? "agent.instance" : "agent.group",
                         "group and instance have more than %d bytes together", TOGETHER_MAX);
    }
}

void settings_agent_check(struct config *config) {
    check_window(config);
    if (config_text(config, "kafka.brokers")[0] == '\0') {
        config_add_error(config, "kafka.brokers", "is empty; name at least one broker, host:port");
    }
    if (config_text(config, "agent.group")[0] == '\0') {
        config_add_error(config, "agent.group", "is empty; name a consumer group");
    }
    check_topics(config);
    check_names(config);
}
