// setup: see the header. Called by the commands; holds no state but the static table of detector
// settings, built once before any thread starts; must never print the value of a kafka.* property.
#include "commands/setup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/kind.h"
#include "serve/hosts.h"
#include "serve/listen.h"

enum { ROWS_MAX = KIND_COUNT * DETECTOR_THRESHOLDS_MAX, KEY_SIZE = 96 };
// Room for the headers of a dead letter beside the message it keeps.
enum { HEADER_BYTES = 65536 };

// `detectors.<kind>.<name>` of one threshold.
static void threshold_key(const struct detector *detector, unsigned threshold, char out[KEY_SIZE]) {
    snprintf(out, KEY_SIZE, "detectors.%s.%s", kind_name(detector->kind),
             detector->thresholds[threshold].name);
}

static struct setting_table detector_table(void) {
    static struct setting rows[ROWS_MAX];
    static struct { char key[KEY_SIZE], def[32], help[256]; } texts[ROWS_MAX];
    static unsigned n;
    unsigned count;
    const struct detector *const *all = detectors(&count);
    for (unsigned i = 0; i < count && n < ROWS_MAX; i++) {
        for (unsigned t = 0; t < all[i]->threshold_count; t++, n++) {
            const struct detector_threshold *threshold = &all[i]->thresholds[t];
            threshold_key(all[i], t, texts[n].key);
            snprintf(texts[n].def, sizeof texts[n].def, "%.15g", threshold->def);
            snprintf(texts[n].help, sizeof texts[n].help, "%s: %s.", kind_name(all[i]->kind),
                     threshold->help);
            rows[n] = (struct setting){.key = texts[n].key,
                                       .type = SETTING_REAL,
                                       .def = texts[n].def,
                                       .min = threshold->min,
                                       .max = threshold->max,
                                       .help = texts[n].help};
        }
    }
    return (struct setting_table){rows, n};
}

const struct setting_table *setup_tables(unsigned *count) {
    static struct setting_table tables[SETUP_TABLES_MAX];
    static unsigned n;
    if (n == 0) {
        unsigned alerts = setup_alert_tables(tables, SETUP_TABLES_MAX - 1);
        tables[alerts] = detector_table();
        n = alerts + 1;
    }
    *count = n;
    return tables;
}

void setup_check(struct config *config) {
    unsigned keys;
    (void)config_list(config, "pipeline.from", &keys);
    if (keys == 0 || keys > APP_PIPELINE_KEYS_MAX) {
        config_add_error(config, "pipeline.from", "needs 1 to %d entries", APP_PIPELINE_KEYS_MAX);
    }
    settings_agent_check(config);
    setup_alerts_check(config);
    setup_web_check(config);
    setup_ship_check(config);
    const char *listen = config_text(config, "http.listen");
    if (listen[0] != '\0' && !listen_good(listen)) {
        config_add_error(config, "http.listen",
                         "not an address to listen on: %.80s; write 127.0.0.1:9571, [::1]:9571 or "
                         ":9571",
                         listen);
    }
    unsigned count;
    const char *const *hosts = config_list(config, "http.hosts", &count);
    for (unsigned i = 0; i < count; i++) {
        if (!hosts_good(hosts[i])) {
            config_add_error(config, "http.hosts",
                             "not a name: %.80s; write stoker, *.example.com or *, without a port",
                             hosts[i]);
        }
    }
}

struct config *setup_config_raw(const struct command_args *args) {
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    struct config *config = config_new(tables, count);
    if (args->config_file != NULL) {
        config_load_file(config, args->config_file);
    }
    config_load_env(config, environ);
    for (unsigned i = 0; i < args->set_count; i++) {
        const char *equals = strchr(args->sets[i], '=');
        char *key = mem_strndup(args->sets[i], (size_t)(equals - args->sets[i]));
        config_set(config, key, equals + 1, "--set");
        mem_free(key);
    }
    if (args->log_level != NULL) {
        config_set(config, "log.level", args->log_level, "--log-level");
    }
    setup_check(config);
    return config;
}

struct config *setup_config(const struct command_args *args, int *exit_code) {
    struct config *config = setup_config_raw(args);
    const char *errors = config_errors(config);
    if (errors[0] != '\0') {
        fputs(errors, stderr);
        config_free(config);
        *exit_code = EXIT_CONFIG;
        return NULL;
    }
    enum log_level level = LOG_INFO;
    require(log_parse_level(config_text(config, "log.level"), &level));
    log_configure(level,
                  strcmp(config_text(config, "log.format"), "json") == 0 ? LOG_JSON : LOG_LOGFMT);
    return config;
}

static enum severity severity_setting(const struct config *config, const char *key) {
    int severity = severity_parse(str_of(config_text(config, key)));
    require(severity >= 0); // the setting's choices are the severities
    return (enum severity)severity;
}

static enum confidence confidence_setting(const struct config *config, const char *key) {
    int confidence = confidence_parse(str_of(config_text(config, key)));
    require(confidence >= 0); // as above
    return (enum confidence)confidence;
}

void setup_engine(const struct config *config, struct engine_options *options) {
    engine_options_init(options);
    options->cluster = config_text(config, "cluster");
    options->pipeline.keys = config_list(config, "pipeline.from", &options->pipeline.count);
    options->publish_min = severity_setting(config, "publish.min_severity");
    options->no_failure_text = strcmp(config_text(config, "publish.failure_text"), "none") == 0;
    options->idle_ms = config_int(config, "limits.idle");
    options->grace_ms = config_int(config, "limits.grace");
    options->applications_max = (uint32_t)config_int(config, "limits.applications");
    unsigned count;
    const struct detector *const *all = detectors(&count);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned t = 0; t < all[i]->threshold_count; t++) {
            char key[KEY_SIZE];
            threshold_key(all[i], t, key);
            options->thresholds.of[all[i]->kind][t] = config_real(config, key);
        }
    }
}

static void fill_pipelines(const struct config *config, struct pipelines_options *options) {
    pipelines_options_init(options);
    options->window_ms = config_int(config, "window.length");
    options->pane_ms = config_int(config, "window.pane");
    options->cluster = config_text(config, "cluster");
    options->pipelines_max = (uint32_t)config_int(config, "limits.pipelines");
    options->alert_min = severity_setting(config, "alertmanager.min_severity");
    options->alert_confidence = confidence_setting(config, "alertmanager.min_confidence");
    options->alert_silence_ms = config_int(config, "alertmanager.expire_after");
}

void setup_decode(const struct config *config, struct decode_options *options) {
    unsigned count;
    const char *const *keys = config_list(config, "pipeline.from", &count);
    *options = (struct decode_options){
        .max_bytes = (size_t)config_int(config, "input.max_message_bytes"),
        .raw_only = strcmp(config_text(config, "input.format"), "raw") == 0,
        .wrapper_event_key = config_text(config, "input.wrapper_event_key"),
        .wrapper_app_key = config_text(config, "input.wrapper_app_key"),
        .wrapper_attempt_key = config_text(config, "input.wrapper_attempt_key"),
        .more_properties = keys,
        .more_property_count = count,
    };
}

int64_t setup_largest_record(const struct config *config, enum topic topic) {
    int64_t event_bytes = config_int(config, "input.max_message_bytes");
    enum topic_use use = topic_row(topic)->use;
    return use == TOPIC_INPUT          ? event_bytes
           : use == TOPIC_DEAD_LETTERS ? event_bytes + HEADER_BYTES
                                       : TOPIC_RECORD_BYTES;
}

// The largest record of all that the agent writes.
static int64_t largest_written(const struct config *config) {
    int64_t letter_bytes = setup_largest_record(config, TOPIC_DLQ);
    return letter_bytes > TOPIC_RECORD_BYTES ? letter_bytes : TOPIC_RECORD_BYTES;
}

// The largest that it must take. What others write is as large as they like; what is larger in a
// state topic is kept in pieces.
static int64_t least_record(const struct config *config, enum topic topic) {
    enum topic_use use = topic_row(topic)->use;
    return use == TOPIC_INPUT                             ? 0
           : use == TOPIC_STATE || use == TOPIC_POSITIONS ? TOPIC_STATE_LEAST_BYTES
                                                          : setup_largest_record(config, topic);
}

size_t setup_topics(const struct config *config, struct topic_spec out[TOPIC_COUNT]) {
    bool dead_letters = config_bool(config, "topics.dlq_enabled");
    size_t count = 0;
    unsigned ships;
    (void)config_list(config, "input.event_logs", &ships);
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        const struct topic_row *row = topic_row(t);
        bool state = row->use == TOPIC_STATE, positions = row->use == TOPIC_POSITIONS;
        if (row->use == TOPIC_DEAD_LETTERS && !dead_letters) {
            continue;
        }
        out[count++] = (struct topic_spec){
            .name = config_text(config, row->setting),
            .partitions = positions ? 1 : (int)config_int(config, "topics.partitions"),
            .partitions_of = state ? config_text(config, topic_row(row->state_of)->setting) : NULL,
            .replication = -1,
            .compacted = state || positions,
            .spare = positions && !ships,
            .max_message_bytes = setup_largest_record(config, t),
            .least_message_bytes = least_record(config, t),
        };
    }
    return count;
}

static const char *role_key(enum kafka_role role) {
    return role == KAFKA_CONSUMER ? "kafka.consumer" : "kafka.producer";
}

static struct kafka_property *properties(const struct config *config, const char *key,
                                         size_t *count) {
    unsigned n;
    const struct config_pair *pairs = config_map(config, key, &n);
    struct kafka_property *out = mem_zalloc(n + 1, sizeof *out);
    for (unsigned i = 0; i < n; i++) {
        out[i] = (struct kafka_property){pairs[i].key, pairs[i].value};
    }
    *count = n;
    return out;
}

void setup_kafka_init(struct setup_kafka *kafka, const struct config *config,
                      enum kafka_role role) {
    const char *instance = config_text(config, "agent.instance");
    struct kafka_settings *settings = &kafka->settings;
    *settings = (struct kafka_settings){.brokers = config_text(config, "kafka.brokers"),
                                        .client_id = instance[0] == '\0' ? NULL : instance};
    kafka->common = properties(config, "kafka.common", &settings->common_count);
    kafka->role = properties(config, role_key(role), &settings->role_count);
    settings->common = kafka->common;
    settings->role = kafka->role;
}

void setup_kafka_reader(struct setup_kafka *kafka, const struct config *config,
                        const char *brokers) {
    setup_kafka_init(kafka, config, KAFKA_CONSUMER);
    kafka->settings.brokers = brokers == NULL ? kafka->settings.brokers : brokers;
}

void setup_kafka_fini(struct setup_kafka *kafka) {
    mem_free(kafka->common);
    mem_free(kafka->role);
    *kafka = (struct setup_kafka){0};
}

// One property on its own, for the sake of its place; false with the mistake printed.
static bool check_property(const struct config *config, const struct kafka_property *property,
                           bool common, enum kafka_role role) {
    struct kafka_settings settings = {.brokers = config_text(config, "kafka.brokers"),
                                      .common = common ? property : NULL,
                                      .common_count = common,
                                      .role = common ? NULL : property,
                                      .role_count = !common};
    struct err err;
    if (kafka_properties_check(&settings, role, &err) == ST_OK) {
        return true;
    }
    struct buf key = {0};
    buf_printf(&key, "%s.%s", common ? "kafka.common" : role_key(role), property->key);
    const char *origin = config_origin(config, buf_text(&key));
    fprintf(stderr, "%s: %s\n", origin != NULL ? origin : "settings", err.text);
    buf_fini(&key);
    return false;
}

bool setup_kafka_check(const struct config *config) {
    static const enum kafka_role roles[] = {KAFKA_CONSUMER, KAFKA_PRODUCER};
    struct setup_kafka kafka;
    struct err err;
    bool good = true;
    for (unsigned r = 0; r < ARRAY_LEN(roles); r++) {
        setup_kafka_init(&kafka, config, roles[r]);
        const struct kafka_settings *settings = &kafka.settings;
        bool single_good = true;
        for (size_t i = 0; i < settings->common_count && (r == 0 || good); i++) {
            single_good = check_property(config, &kafka.common[i], true, roles[r]) && single_good;
        }
        for (size_t i = 0; i < settings->role_count; i++) {
            single_good = check_property(config, &kafka.role[i], false, roles[r]) && single_good;
        }
        // What only shows when they come together.
        if (single_good && good && kafka_settings_check(settings, roles[r], &err) != ST_OK) {
            fprintf(stderr, "settings: %s\n", err.text);
            single_good = false;
        }
        good = good && single_good;
        setup_kafka_fini(&kafka);
    }
    return good;
}

bool setup_all_good(const struct config *config) {
    const char *errors = config_errors(config);
    fputs(errors, stderr);
    bool good = setup_kafka_check(config);
    return errors[0] == '\0' && good;
}

void setup_instance(const struct config *config, char out[SETUP_INSTANCE_SIZE]) {
    const char *instance = config_text(config, "agent.instance");
    snprintf(out, SETUP_INSTANCE_SIZE, "%s", instance);
    if (instance[0] == '\0' && gethostname(out, SETUP_INSTANCE_SIZE - 1) != 0) {
        snprintf(out, SETUP_INSTANCE_SIZE, "stoker");
    }
    out[SETUP_INSTANCE_SIZE - 1] = '\0';
}

void setup_agent_init(struct setup_agent *agent, const struct config *config) {
    *agent = (struct setup_agent){0};
    struct agent_options *options = &agent->options;
    *options = (struct agent_options){
        .cluster = config_text(config, "cluster"),
        .instance = agent->instance,
        .group = config_text(config, "agent.group"),
        .write_version = config_text(config, "avro.write_version"),
        .dlq_enabled = config_bool(config, "topics.dlq_enabled"),
        .dynamic = strcmp(config_text(config, "agent.membership"), "dynamic") == 0,
        .workers = (int)config_int(config, "agent.workers"),
        .commit_interval_ms = config_int(config, "agent.commit_interval"),
        .tick_ms = config_int(config, "agent.tick"),
        .max_record_bytes = largest_written(config),
        .http_listen = config_text(config, "http.listen"),
        .metrics_pipelines_max = (size_t)config_int(config, "metrics.max_pipelines"),
    };
    options->http_hosts = config_list(config, "http.hosts", &options->http_host_count);
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        options->topics[t] = config_text(config, topic_row(t)->setting);
    }
    setup_instance(config, agent->instance);
    setup_kafka_init(&agent->consumer, config, KAFKA_CONSUMER);
    setup_kafka_init(&agent->producer, config, KAFKA_PRODUCER);
    options->consumer = agent->consumer.settings;
    options->producer = agent->producer.settings;
    setup_engine(config, &options->engine);
    agent->budget = budget_new(config_int(config, "limits.memory"));
    options->engine.budget = agent->budget;
    fill_pipelines(config, &options->pipelines);
    options->pipelines.budget = agent->budget;
    setup_decode(config, &options->decode);
    setup_alerts_init(&agent->alerts, config);
    options->alert_targets = agent->alerts.targets;
    options->alert_target_count = agent->alerts.count;
    setup_web_init(&agent->web, config);
    options->http_web = agent->web.web;
}

void setup_agent_fini(struct setup_agent *agent) {
    budget_free(agent->budget);
    setup_web_fini(&agent->web);
    setup_alerts_fini(&agent->alerts);
    setup_kafka_fini(&agent->consumer);
    setup_kafka_fini(&agent->producer);
}
