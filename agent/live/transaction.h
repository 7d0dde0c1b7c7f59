// transaction: what a worker hands out since its last commit, and the producer that carries it. One
// per worker, used by the worker's thread alone: stages put records and alerts into it, the
// worker's commits end it. Nothing is sent outside a transaction, and nothing of one that broke
// counts.
#pragma once

#include "base/metrics.h"
#include "kafka/sink.h"
#include "live/agent.h"
#include "model/alert.h"
#include "model/message.h"

// Records of one topic that were larger than it takes.
struct oversize {
    int64_t records, largest_bytes; // in this transaction
    int64_t said_ms;                // when the log was told last, 0: never
};

struct transaction {
    const struct agent_options *options; // borrowed
    const char *id;                      // borrowed: the worker's, the same after a restart
    struct kafka_sink *sink;             // owned
    bool begun;
    bool broken;   // it failed: drop all state and begin again from what Kafka has
    bool hopeless; // it broke, and so will the next: the process must end
    bool urgent;   // something in it should not wait
    int64_t records, bytes;
    int64_t sent[TOPIC_COUNT];
    struct oversize oversize[TOPIC_COUNT];
    struct alert *news; // alerts that changed in it
    uint32_t news_count, news_cap;
    struct message_header *headers; // scratch for a dead letter
    uint32_t header_cap;
    char trouble[512]; // what failed, "" once a commit did not or nothing is left to do
    char waiting[512]; // why there is no producer, "" if there is
    int failures;      // transactions that failed since the last that did not
    int64_t again_ms;  // not before is the next one tried
    int64_t closed_ms; // since when there is no producer, 0: there is
    int64_t fences[2]; // when another took our identity, newest first
};

// ST_FATAL for settings that cannot work. Both arguments are borrowed for its life.
enum status transaction_init(struct transaction *tx, const struct agent_options *options,
                             const char *id, struct err *err) MUST_USE;
void transaction_fini(struct transaction *tx);

// Makes transactions possible, if it is time to try. While they are not, nothing may be taken.
// ST_FATAL: they never will be.
enum status transaction_possible(struct transaction *tx, bool *possible, struct err *err) MUST_USE;

// There is no producer yet, for the reason in `words`: says so in the log whenever they change,
// unless it is soon over.
void transaction_waits(struct transaction *tx, int64_t now_ms, const char *words);
static inline void transaction_waits_no_more(struct transaction *tx) {
    tx->closed_ms = 0;
    tx->waiting[0] = '\0';
}

// Begins if none is open. ST_ABORT as any other failure: see transaction_break.
enum status transaction_begin(struct transaction *tx, struct err *err) MUST_USE;
// ST_OK also if the transaction broke (tx->broken says so). ST_SKIP: too large for the topic.
enum status transaction_send(struct transaction *tx, enum topic topic,
                             const struct sink_record *record);
// What was to be sent, of so many bytes, is larger than the topic takes: something shorter is sent
// instead, or nothing. Counted, and told with what mends it, once it is committed.
void transaction_oversize(struct transaction *tx, enum topic topic, int64_t bytes);
// A message that cannot be used goes to the dead-letter topic, if there is one.
void transaction_dead_letter(struct transaction *tx, const struct message *message,
                             enum metric reason, const char *words);
// An alert that began, changed or ended: told after the commit, which should not wait.
void transaction_alert(struct transaction *tx, const struct alert *alert);
// Something in it should not wait.
static inline void transaction_hurry(struct transaction *tx) {
    tx->urgent = true;
}

// It failed in step `what`: nothing more is sent, and it must be given up.
void transaction_break(struct transaction *tx, const char *what, const struct err *err);
// It is committed: its records are counted, its news told in the name of `holder`.
void transaction_settle(struct transaction *tx, struct alert_doors *alerts, const void *holder);
// What broke is thrown away with its producer. ST_FATAL: another process has our name.
enum status transaction_give_up(struct transaction *tx, int64_t now_ms, struct err *err) MUST_USE;
// Another process took our name. ST_FATAL if it happens often.
enum status transaction_note_fence(struct transaction *tx, int64_t now_ms,
                                   struct err *err) MUST_USE;
// What failed is made good, by us or by others.
void transaction_forget_failures(struct transaction *tx);
