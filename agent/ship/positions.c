// positions: see the header. What is read is everything that may still become committed: a marker
// may be on its way.
#include "positions.h"

#include "base/compiler.h"
#include "kafka/changelog.h"
#include "kafka/topics.h"
#include "model/topic.h"

enum { ASK_MS = 5000, READ_MS = 10000 };

static void keep_worst(void *ctx, enum topics_mark mark, const char *topic, const char *text) {
    struct err *found = ctx;
    if (mark >= TOPICS_WRONG && found->status != ST_FATAL) {
        (void)!err_set(found, mark == TOPICS_WRONG ? ST_FATAL : ST_RETRY, "topic %s %s%s", topic,
                       text, mark == TOPICS_MISSING ? "; stoker topics --create makes it" : "");
    }
}

// A topic that deletes old positions would have logs shipped again.
enum status positions_check(const struct ship_options *options, struct err *err) {
    struct topic_spec spec = {.name = options->positions,
                              .compacted = true,
                              .least_message_bytes = TOPIC_STATE_LEAST_BYTES};
    struct err found = {0};
    struct topics_report report = {.ctx = &found, .line = keep_worst};
    size_t wrong = 0;
    enum status status = topics_verify(&options->producer, &spec, 1, ASK_MS, report, &wrong, err);
    if (status == ST_OK && found.status != ST_OK) {
        *err = found;
        status = found.status;
    }
    return status;
}

struct ledger_reading {
    struct ledger *ledger;
    enum status status;
    struct err err;
};

static void take_record(void *ctx, const struct message *message) {
    struct ledger_reading *reading = ctx;
    if (reading->status == ST_OK) {
        reading->status = ledger_take(reading->ledger, message->key, message->value, &reading->err);
    }
}

enum status positions_read(const struct ship_options *options, const char *group,
                           struct ledger *ledger, struct err *err) {
    struct changelog *changelog = NULL;
    struct ledger_reading taking = {.ledger = ledger};
    struct changelog_reading reading = {
        .topic = options->positions, .timeout_ms = READ_MS, .ctx = &taking, .take = take_record};
    enum status status = changelog_new(&options->consumer, group, &changelog, err);
    if (status == ST_OK) {
        status = changelog_bounds(changelog, reading.topic, 0, ASK_MS, &reading.first, &reading.end,
                                  err);
    }
    if (status == ST_OK && !options->topics_trusted) { // an empty one would tell later, too late
        status = changelog_readable(changelog, reading.topic, ASK_MS, err);
    }
    if (status == ST_OK && reading.end > reading.first) {
        status = changelog_read(changelog, &reading, err);
    }
    changelog_free(changelog);
    if (status == ST_OK && taking.status != ST_OK) {
        *err = taking.err;
        status = taking.status;
    }
    return status;
}
