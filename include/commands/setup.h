// setup: from the command line to plain values: the settings in force, checked, and what the rooms
// below want of them. Called by every command that takes -c. Never prints a secret.
#pragma once

#include "alert/alert_doors.h"
#include "commands/command.h"
#include "config/config.h"
#include "engine/engine.h"
#include "kafka/client.h"
#include "kafka/topics.h"
#include "live/agent.h"
#include "model/topic.h"
#include "serve/http.h"
#include "ship/ship.h"

// The agent's own settings, those of every alert door and one row per detector threshold
// (`detectors.<kind>.<name>`); static.
enum { SETUP_TABLES_MAX = 20 };
const struct setting_table *setup_tables(unsigned *count);

// Defaults, then -c FILE, the environment, --set and --log-level; sets up the log. NULL if
// something is wrong: every mistake was printed to standard error and *exit_code is EXIT_CONFIG.
// Freed with config_free.
struct config *setup_config(const struct command_args *args, int *exit_code);
// The same, but silent: the mistakes are for the caller to read (config_errors). Never NULL.
struct config *setup_config_raw(const struct command_args *args);

// Adds the mistakes that only show across keys, or to the room that will be given a value. Call it
// once, after the last source; setup_config does.
void setup_check(struct config *config);

// What a Kafka door takes. It points into the config, which must outlive it.
struct setup_kafka {
    struct kafka_settings settings;
    struct kafka_property *common, *role; // owned
};
// Filled from the settings of the role; released with setup_kafka_fini.
void setup_kafka_init(struct setup_kafka *kafka, const struct config *config, enum kafka_role role);
// Likewise, of a command that reads, with its --brokers (NULL: not given) instead of kafka.brokers.
void setup_kafka_reader(struct setup_kafka *kafka, const struct config *config,
                        const char *brokers);
void setup_kafka_fini(struct setup_kafka *kafka);

// Asks librdkafka about every kafka.* property, without a broker. True if all are fine; else every
// mistake was printed to standard error with its place.
bool setup_kafka_check(const struct config *config);

// True if nothing at all is wrong, properties of Kafka included; else every mistake was printed to
// standard error, so that one run shows them all.
bool setup_all_good(const struct config *config);

// Options of the rooms below; strings point into the config, which must outlive them.
void setup_engine(const struct config *config, struct engine_options *options);
void setup_decode(const struct config *config, struct decode_options *options);

// The agent's own settings with those of every alert door: behind the agent's of the same section,
// where there are any. Returns how many tables were written, at most `max`.
unsigned setup_alert_tables(struct setting_table *out, unsigned max);
// The part of setup_check that is about the alert doors.
void setup_alerts_check(struct config *config);

// Every alert door with its settings. It points into the config, which must outlive it.
struct setup_alerts {
    struct alert_target *targets; // owned
    size_t count;
};
// Filled from the settings of every door; released with setup_alerts_fini.
void setup_alerts_init(struct setup_alerts *alerts, const struct config *config);
void setup_alerts_fini(struct setup_alerts *alerts);

// The part of setup_check that is about the file of http.web_config_file.
void setup_web_check(struct config *config);
// TLS and users of the agent's pages, out of that file; nothing without one.
struct setup_web {
    struct http_web web;     // points into the two below
    struct http_user *users; // owned
    struct config *file;     // owned; NULL: there is none
};
// To be filled after setup_web_check found nothing; released with setup_web_fini.
void setup_web_init(struct setup_web *web, const struct config *config);
void setup_web_fini(struct setup_web *web);

// The agent's topics in the order of topics.def, that of the dead letters only if it is on.
size_t setup_topics(const struct config *config, struct topic_spec out[TOPIC_COUNT]);

// All that the live agent takes. Points into the config and into itself: both stay where they are
// until it is freed.
enum { SETUP_INSTANCE_SIZE = 256 };
struct setup_agent {
    struct agent_options options;
    char instance[SETUP_INSTANCE_SIZE]; // agent.instance, or the host's name
    struct setup_kafka consumer, producer;
    struct setup_alerts alerts;
    struct setup_web web;
    struct budget *budget; // limits.memory
};
// Filled from the settings; released with setup_agent_fini.
void setup_agent_init(struct setup_agent *agent, const struct config *config);
void setup_agent_fini(struct setup_agent *agent);

// agent.instance, or the host's name.
void setup_instance(const struct config *config, char out[SETUP_INSTANCE_SIZE]);

// The largest record that may come to a topic: events as large as they are read; dead letters bring
// headers too.
int64_t setup_largest_record(const struct config *config, enum topic topic);

// What ships folders of event logs. Points into the config and into itself.
struct setup_ship {
    struct ship_options options; // but who is told, and what stops it
    char member[SETUP_INSTANCE_SIZE + 8];
    struct setup_kafka consumer, producer;
    char **folders; // owned
};
// The part of setup_check that is about the folders of input.event_logs.
void setup_ship_check(struct config *config);
// Filled from the settings for these folders, which are made absolute; `what` tells this process'
// name in the groups from others of the host. False if a folder is named twice: *twice (owned by
// the setup) is it. Released with setup_ship_fini either way.
bool setup_ship_init(struct setup_ship *ship, const struct config *config,
                     const char *const *folders, unsigned count, const char *what,
                     const char **twice);
void setup_ship_fini(struct setup_ship *ship);
