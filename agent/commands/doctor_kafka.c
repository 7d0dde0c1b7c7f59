// doctor_kafka: the checks that ask Kafka itself: brokers, topics, rights, agents of the group.
// Called through doctor_checks.def. Must never print a property's value but those named here.
#include <stdio.h>
#include <string.h>

#include "commands/doctor.h"
#include "commands/setup.h"
#include "kafka/changelog.h"
#include "kafka/group.h"
#include "kafka/rights.h"

enum { BROKERS_MS = 8000, TOPICS_MS = 10000, READ_MS = 4000, WRITES_MS = 15000, GROUP_MS = 5000 };
enum { REMEDY_SIZE = 400 };

static const char *file_of(const struct doctor *doctor) {
    return doctor->args->config_file != NULL ? doctor->args->config_file : "stoker.yaml";
}

static const char *topic_name(const struct doctor *doctor, enum topic topic) {
    return config_text(doctor->config, topic_row(topic)->setting);
}

// The last value of a property below kafka.common, for those that are no secret.
static const char *common(const struct doctor *doctor, const char *key, const char *def) {
    unsigned count;
    const struct config_pair *pairs = config_map(doctor->config, "kafka.common", &count);
    for (unsigned i = 0; i < count; i++) {
        def = strcmp(pairs[i].key, key) == 0 ? pairs[i].value : def;
    }
    return def;
}

// What mends a connection, by what the client library says of it; the first row that fits.
static const char *connection_remedy(const char *said) {
    static const char *const rows[][2] = {
        {"librdkafka before 2.6.1", "install a newer librdkafka, or log in by TLS or SASL/PLAIN"},
        {"check user, password", "kafka.common: sasl.username, sasl.password_file, sasl.mechanism"},
        {"certificate verify failed", "kafka.common: ssl.ca.location: the authority that signed "
                                      "the broker's certificate"},
        {"SSL_HANDSHAKE", "that listener speaks another protocol: try kafka.common: "
                          "security.protocol: PLAINTEXT (or SASL_PLAINTEXT), or its TLS "
                          "port"},
        {"is correctly configured", "it wants TLS or a login: kafka.common: "
                                    "security.protocol: SSL, SASL_SSL or SASL_PLAINTEXT"},
        {"Broken pipe", "that listener hangs up: it wants TLS or a login (kafka.common: "
                        "security.protocol), or is not Kafka's"},
        {"Disconnected", "that listener hangs up: it wants TLS or a login (kafka.common: "
                         "security.protocol), or is not Kafka's"},
        {"resolve", "kafka.brokers: is the name right, and known on this host?"},
        {"refused", "kafka.brokers: is this the port of a listener, and does a broker run there?"},
        {"has not answered", "is the port open from this host (firewall, VPN), and Kafka's own?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strstr(said, rows[i][0]) != NULL) {
            return rows[i][1];
        }
    }
    // No reason at all: the library says the same of a listener that hangs up.
    return "kafka.brokers: address and port; if a broker listens there, it wants TLS or a login: "
           "kafka.common: security.protocol";
}

void doctor_brokers(struct doctor *doctor) {
    struct setup_kafka kafka;
    struct err err = {0};
    setup_kafka_init(&kafka, doctor->config, KAFKA_PRODUCER);
    (void)!topics_partitions(&kafka.settings, topic_name(doctor, TOPIC_EVENTS),
                             doctor_left_ms(doctor, BROKERS_MS), &doctor->partitions, &err);
    doctor->answered = kafka_answered_ms() > 0;
    const char *protocol = common(doctor, "security.protocol", "PLAINTEXT");
    const char *mechanism = common(doctor, "sasl.mechanism", common(doctor, "sasl.mechanisms", ""));
    if (doctor->answered) {
        doctor_say(doctor, DOCTOR_OK, "", "%s answers (%s%s%s, librdkafka %s)",
                   kafka.settings.brokers, protocol, mechanism[0] != '\0' ? " " : "", mechanism,
                   kafka_library_version());
    } else {
        doctor_say(doctor, DOCTOR_FAIL, connection_remedy(err.text), "%s (%s%s%s, librdkafka %s)",
                   err.text, protocol, mechanism[0] != '\0' ? " " : "", mechanism,
                   kafka_library_version());
    }
    setup_kafka_fini(&kafka);
}

// The command that gives a right; whom, only whoever runs Kafka knows.
static const char *acl(const struct doctor *doctor, const char *right, const char *what,
                       const char *name, char out[REMEDY_SIZE]) {
    snprintf(out, REMEDY_SIZE,
             "kafka-acls.sh --bootstrap-server %.100s --add --allow-principal User:NAME "
             "--operation %s --%s %.150s",
             config_text(doctor->config, "kafka.brokers"), right, what, name);
    return out;
}

struct topics_view {
    struct doctor *doctor;
    size_t fine;
};

// A finding of the room kafka has the command that mends it in brackets at its end.
static void on_topic(void *ctx, enum topics_mark mark, const char *topic, const char *text) {
    struct topics_view *view = ctx;
    struct doctor *doctor = view->doctor;
    char remedy[REMEDY_SIZE] = "";
    size_t len = strlen(text);
    const char *command = strstr(text, " (kafka-");
    if (mark == TOPICS_FINE) {
        view->fine++;
        return;
    }
    if (command != NULL && text[len - 1] == ')') {
        snprintf(remedy, sizeof remedy, "%.*s --bootstrap-server %.100s",
                 (int)(text + len - 1 - (command + 2)), command + 2,
                 config_text(doctor->config, "kafka.brokers"));
        len = (size_t)(command - text);
    } else if (mark == TOPICS_MISSING && kafka_denial_of(text) == KAFKA_DENIED_TOPIC) {
        (void)acl(doctor, "DESCRIBE", "topic", topic, remedy);
    } else if (mark == TOPICS_MISSING) {
        snprintf(remedy, sizeof remedy, "stoker topics --create -c %.200s", file_of(doctor));
    }
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        doctor->present[t] &= mark != TOPICS_MISSING || strcmp(topic_name(doctor, t), topic) != 0;
    }
    doctor_say(doctor, mark == TOPICS_NOTE ? DOCTOR_WARN : DOCTOR_FAIL, remedy, "%s: %.*s", topic,
               (int)len, text);
}

// Without those that nothing needs as it is set up: nobody is to be sent after them.
static size_t needed_topics(const struct config *config, struct topic_spec specs[TOPIC_COUNT]) {
    size_t all = setup_topics(config, specs), count = 0;
    for (size_t i = 0; i < all; i++) {
        if (!specs[i].spare) {
            specs[count++] = specs[i];
        }
    }
    return count;
}

void doctor_topics(struct doctor *doctor) {
    struct topic_spec specs[TOPIC_COUNT];
    size_t count = needed_topics(doctor->config, specs), wrong = 0;
    struct topics_view view = {.doctor = doctor};
    struct topics_report report = {&view, on_topic};
    struct setup_kafka kafka;
    struct err err;
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        for (size_t i = 0; i < count; i++) {
            doctor->present[t] |= strcmp(topic_name(doctor, t), specs[i].name) == 0;
        }
    }
    setup_kafka_init(&kafka, doctor->config, KAFKA_PRODUCER);
    if (topics_verify(&kafka.settings, specs, count, doctor_left_ms(doctor, TOPICS_MS), report,
                      &wrong, &err) != ST_OK) {
        doctor_say(doctor, DOCTOR_FAIL, connection_remedy(err.text), "%s", err.text);
        memset(doctor->present, 0, sizeof doctor->present);
    } else if (view.fine > 0) {
        doctor_say(doctor, DOCTOR_OK, "", "%zu of %zu topics are there and fit; %s has %d %s",
                   view.fine, count, topic_name(doctor, TOPIC_EVENTS), doctor->partitions,
                   doctor->partitions == 1 ? "partition" : "partitions");
    }
    setup_kafka_fini(&kafka);
}

// Reading one topic. The consumer is told of its group, too, once, whatever it reads.
static enum status try_read(struct doctor *doctor, struct changelog *reader, const char *topic,
                            bool *group_denied, struct err *err) {
    enum status st = changelog_readable(reader, topic, doctor_left_ms(doctor, READ_MS), err);
    if (st != ST_OK && kafka_denial_of(err->text) == KAFKA_DENIED_GROUP) {
        *group_denied = true;
        st = changelog_readable(reader, topic, doctor_left_ms(doctor, READ_MS), err);
    }
    return st;
}

// What may be read. Returns how much of it was fine.
static unsigned try_reads(struct doctor *doctor, struct changelog *reader, bool *group_denied) {
    unsigned fine = 0;
    char remedy[REMEDY_SIZE];
    struct err err;
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        enum topic_use use = topic_row(t)->use;
        const char *name = topic_name(doctor, t);
        if (!doctor->present[t] || use == TOPIC_OUTPUT || use == TOPIC_DEAD_LETTERS) {
            continue;
        }
        if (try_read(doctor, reader, name, group_denied, &err) == ST_OK) {
            fine++;
        } else if (kafka_denial_of(err.text) == KAFKA_DENIED_TOPIC) {
            doctor_say(doctor, DOCTOR_FAIL, acl(doctor, "READ", "topic", name, remedy), "%s",
                       err.text);
        } else {
            doctor_say(doctor, DOCTOR_FAIL,
                       "do the brokers advertise an address that this host reaches "
                       "(advertised.listeners)?",
                       "%s", err.text);
        }
    }
    return fine;
}

static void try_group(struct doctor *doctor, struct changelog *reader, bool denied) {
    const char *group = config_text(doctor->config, "agent.group");
    struct changelog_position position;
    char remedy[REMEDY_SIZE];
    struct err err;
    if (!denied && doctor->present[TOPIC_EVENTS] &&
        changelog_committed(reader, topic_name(doctor, TOPIC_EVENTS), 0,
                            doctor_left_ms(doctor, READ_MS), &position, &err) != ST_OK) {
        denied = kafka_denial_of(err.text) == KAFKA_DENIED_GROUP;
        if (!denied) {
            doctor_say(doctor, DOCTOR_FAIL,
                       "is a transaction of an agent left open? Try again in a minute",
                       "group %s: %s", group, err.text);
        }
    }
    if (denied) {
        doctor_say(doctor, DOCTOR_FAIL, acl(doctor, "READ", "group", group, remedy),
                   "group %s: the user needs the ACL READ on it", group);
    }
}

struct writes_view {
    struct doctor *doctor;
    unsigned fine;
};

static void on_write(void *ctx, const char *topic, enum status status, const char *text) {
    struct writes_view *view = ctx;
    char remedy[REMEDY_SIZE] = "";
    if (status == ST_OK) {
        view->fine++;
        return;
    }
    doctor_say(view->doctor, status == ST_ABORT ? DOCTOR_FAIL : DOCTOR_WARN,
               status == ST_ABORT ? acl(view->doctor, "WRITE", "topic", topic, remedy) : "",
               "%s%s%s", status == ST_ABORT ? "" : topic, status == ST_ABORT ? "" : ": ", text);
}

// What may be written, tried under `id`, which it fills in. Returns how much of it was fine.
static unsigned try_writes(struct doctor *doctor, char id[300]) {
    const char *topics[TOPIC_COUNT], *group = config_text(doctor->config, "agent.group");
    size_t count = 0;
    struct writes_view view = {.doctor = doctor};
    struct setup_kafka kafka;
    struct err err;
    for (enum topic t = 0; t < TOPIC_COUNT; t++) {
        if (doctor->present[t] &&
            topic_is_written(t, config_bool(doctor->config, "topics.dlq_enabled"))) {
            topics[count++] = topic_name(doctor, t);
        }
    }
    snprintf(id, 300, "%.230s-doctor", group);
    setup_kafka_init(&kafka, doctor->config, KAFKA_PRODUCER);
    if (rights_try_writes(&kafka.settings, id, topics, count, doctor_left_ms(doctor, WRITES_MS),
                          (struct rights_report){&view, on_write}, &err) != ST_OK) {
        char remedy[REMEDY_SIZE];
        bool denied = kafka_denial_of(err.text) == KAFKA_DENIED_ID;
        (void)acl(doctor, "WRITE", "resource-pattern-type prefixed --transactional-id", group,
                  remedy);
        doctor_say(doctor, DOCTOR_FAIL, denied ? remedy : "", "transactional id %s: %s", id,
                   err.text);
    }
    setup_kafka_fini(&kafka);
    return view.fine;
}

void doctor_rights(struct doctor *doctor) {
    const char *group = config_text(doctor->config, "agent.group");
    unsigned failed = doctor->said[DOCTOR_FAIL], reads = 0;
    struct setup_kafka kafka;
    struct changelog *reader = NULL;
    struct err err;
    char id[300];
    setup_kafka_init(&kafka, doctor->config, KAFKA_CONSUMER);
    if (changelog_new(&kafka.settings, group, &reader, &err) == ST_OK) {
        bool group_denied = false;
        reads = try_reads(doctor, reader, &group_denied);
        try_group(doctor, reader, group_denied);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "", "%s", err.text);
    }
    changelog_free(reader);
    setup_kafka_fini(&kafka);
    unsigned writes = try_writes(doctor, id);
    if (failed == doctor->said[DOCTOR_FAIL]) {
        doctor_say(doctor, DOCTOR_OK, "",
                   "tried: reading %u topics, the positions of group %s, writing %u topics as %s "
                   "(taken back)",
                   reads, group, writes, id);
    }
}

void doctor_agents(struct doctor *doctor) {
    const char *group = config_text(doctor->config, "agent.group");
    struct setup_kafka kafka;
    struct group_view view;
    struct buf who = {0};
    struct err err;
    char remedy[REMEDY_SIZE], behind[64] = "";
    if (doctor->lag >= 0) {
        snprintf(behind, sizeof behind, "; %lld events not read yet", (long long)doctor->lag);
    }
    snprintf(remedy, sizeof remedy, "stoker run -c %.200s", file_of(doctor));
    setup_kafka_init(&kafka, doctor->config, KAFKA_CONSUMER);
    if (group_look(&kafka.settings, group, doctor_left_ms(doctor, GROUP_MS), &view, &who, &err) !=
        ST_OK) {
        doctor_say(doctor, DOCTOR_WARN, "", "not known who is in it: %s%s", err.text, behind);
    } else if (view.members == 0) {
        doctor_say(doctor, DOCTOR_WARN, remedy, "nobody is in group %s%s", group, behind);
    } else {
        doctor_say(doctor, DOCTOR_OK, "", "%zu in group %s (%s): %s%s", view.members, group,
                   view.state, buf_text(&who), behind);
    }
    buf_fini(&who);
    setup_kafka_fini(&kafka);
}
