// state_topics: see the header. A state topic that deletes old records, or has not the partitions
// of its input, would lose state without a word; the agent refuses to run on one. Settings that may
// not be read are taken as they are. One that may not be read waits for the right at once: an agent
// that writes what it cannot read back would find out at its restart.
#include "state_topics.h"

#include "kafka/topics.h"

enum { TIMEOUT_MS = 10000, READ_TIMEOUT_MS = 2000 };

// The words of the worst finding.
static void keep_worst(void *ctx, enum topics_mark mark, const char *topic, const char *text) {
    struct err *err = ctx;
    if (mark == TOPICS_WRONG && err->status != ST_FATAL) {
        err_set(err, ST_FATAL, "topic %s %s", topic, text);
    } else if (mark == TOPICS_MISSING && err->status == ST_OK) { // may come yet
        err_set(err, ST_RETRY, "topic %s %s", topic, text);
    }
}

enum status state_topics_check(const struct restorer_options *options, struct changelog *changelog,
                               struct err *err) {
    struct topic_spec specs[2];
    struct err found = {0};
    struct topics_report report = {.ctx = &found, .line = keep_worst};
    size_t wrong = 0;
    for (int stage = 0; stage < 2; stage++) {
        specs[stage] = (struct topic_spec){.name = options->state_topic[stage],
                                           .partitions_of = options->input_topic[stage],
                                           .compacted = true};
    }
    enum status status =
        topics_verify(options->producer, specs, 2, TIMEOUT_MS, report, &wrong, err);
    if (status == ST_OK && found.status != ST_OK) {
        status = err_set(err, found.status, "%s", found.text);
    }
    for (int stage = 0; stage < 2 && status == ST_OK; stage++) {
        status = changelog_readable(changelog, specs[stage].name, READ_TIMEOUT_MS, err);
    }
    return status;
}
