// worker_input: whether the input of a partition is still the one that was read. A topic may be
// deleted and made again under its name, and a broker may lose the end of one: the position then
// lies beyond the end, or among messages of which those before it were never read. Nothing of Kafka
// tells in every version, so the last messages that were taken are read again and compared: when a
// partition begins, and when it was silent for so long that there was time for another topic. What
// is another one counts as a loss and is read from its beginning, or from where it differs, with
// the state as it is. Called by worker.c and worker_parts.c; must never skip a message unless it is
// the same that was taken, nor take one for another because it is gone.
#include "base/clock.h"
#include "base/log.h"
#include "worker.h"

enum {
    SILENT_MS = 1000,
    LONG_SILENT_MS = 600000, // retention may have taken what was read before
    ASK_TIMEOUT_MS = 2000,
    PEEK_TIMEOUT_MS = 200,
    PEEK_PAUSES = 20,    // a worker spends a twentieth of its time on looks at most
    PEEK_SAVED_MS = 2000 // of pauses, for several in a row
};

// From where messages come that can be compared, if there are any.
static enum status start(struct part *part, struct err *err) {
    bool any = part->position.stamp_count > 0;
    part->proving = any;
    part->same_till = -1;
    return kafka_source_start(part->worker->source, part->topic, part->partition,
                              any ? part->position.stamps[0].offset : part->position.offset, err);
}

static void note_loss(const struct part *part, int64_t was, int64_t messages, const char *words) {
    metrics_add(METRIC_INPUT_LOST, 1);
    metrics_add(METRIC_INPUT_LOST_MESSAGES, messages);
    log_error("input_lost", "topic=%s partition=%d was=%lld offset=%lld messages=%lld error=%s",
              part->topic, (int)part->partition, (long long)was, (long long)part->position.offset,
              (long long)messages, words);
}

// Reads on at `offset`, which becomes the position with the next commit.
static enum status restart(struct part *part, int64_t offset, int64_t messages, const char *words,
                           struct err *err) {
    int64_t was = part->position.offset;
    position_restart(&part->position, offset);
    enum status status = start(part, err);
    if (status == ST_OK) {
        part->committed_offset = offset;
        part->cut = false;
        part->touched = true;
        note_loss(part, was, messages, words);
    }
    return status;
}

static enum status restart_another(struct part *part, struct err *err) {
    bool same = part->same_till >= 0;
    return restart(part, same ? part->same_till : part->first, 0,
                   same
                       ? "the topic lost messages that were read: going on behind the last that is "
                         "the same; what else it lost is not known"
                       : "this is another topic than was read, or it lost much of its end: going "
                         "on at its beginning; what the other one held unread is lost",
                   err);
}

enum status part_begin(struct part *part, const struct load *load, struct err *err) {
    int64_t at = part->position.offset;
    part->first = load->first;
    part->same_till = -1;
    part->cut = load->end < at;
    if (load->first > at) {
        return restart(part, load->first, load->first - at,
                       "the topic's retention was shorter than the outage: going on at its "
                       "beginning",
                       err);
    }
    position_forget_before(&part->position, part->first);
    bool comparable = part->position.stamp_count > 0 && part->position.stamps[0].offset < load->end;
    return part->cut && !comparable ? restart_another(part, err) : start(part, err);
}

// What cannot be decided here is left to a load, which looks at everything again.
static void look_again(struct part *part, const struct err *err) {
    transaction_break(&part->worker->transaction, "input", err);
}

static enum status ask_first(struct part *part, struct err *err) {
    return kafka_source_first(part->worker->source, part->topic, part->partition, ASK_TIMEOUT_MS,
                              &part->first, err);
}

static enum status take_for_another(struct part *part, struct err *err) {
    enum status status = ask_first(part, err);
    return status == ST_OK ? restart_another(part, err) : status;
}

struct peek {
    const struct position *position;
    bool another;
};

static void compare(void *ctx, const struct message *message) {
    struct peek *peek = ctx;
    peek->another |= position_prove(peek->position, message) == POSITION_ANOTHER;
}

// Looks at what was taken before by a reader of its own, which answers in a few milliseconds: to
// let it come again from the source takes as long as the source waits for messages. False: it is
// another one, or cannot be told now.
static bool looks_same(struct part *part, int64_t now_ms) {
    struct worker *worker = part->worker;
    const struct agent_options *options = worker->options;
    struct peek peek = {.position = &part->position};
    struct changelog_reading reading = {.topic = part->topic,
                                        .partition = part->partition,
                                        .first = part->position.stamps[0].offset,
                                        .end = part->position.offset,
                                        .timeout_ms = PEEK_TIMEOUT_MS,
                                        .stop = &worker->stop,
                                        .ctx = &peek,
                                        .take = compare};
    struct err err = {0};
    enum status status = now_ms < worker->peek_ms ? ST_RETRY : ST_OK;
    if (status == ST_OK && worker->peeker == NULL) {
        status = changelog_new(&options->consumer, options->group, &worker->peeker, &err);
    }
    if (status == ST_OK) {
        status = changelog_read(worker->peeker, &reading, &err);
        int64_t done_ms = clock_mono_ms(), saved_ms = done_ms - PEEK_SAVED_MS;
        worker->peek_ms = (worker->peek_ms > saved_ms ? worker->peek_ms : saved_ms) +
                          PEEK_PAUSES * (done_ms - now_ms);
    }
    return status == ST_OK && !peek.another;
}

// A message comes after a silence: true if it must wait until what came before it has come again.
static bool prove_again(struct part *part, int64_t now_ms, int64_t silent_ms) {
    struct err err = {0};
    if (part->position.stamp_count == 0 || looks_same(part, now_ms)) {
        return false;
    }
    enum status status = silent_ms > LONG_SILENT_MS ? ask_first(part, &err) : ST_OK;
    position_forget_before(&part->position, part->first);
    if (status == ST_OK && part->position.stamp_count == 0) {
        return false;
    }
    if (status == ST_OK) {
        status = start(part, &err);
    }
    if (status != ST_OK) {
        look_again(part, &err);
    }
    return true;
}

enum status part_look_at_end(struct part *part, struct err *err) {
    struct kafka_source *source = part->worker->source;
    if (!part->proving || !kafka_source_caught_up(source, part->topic, part->partition)) {
        return ST_OK;
    }
    if (kafka_source_next(source, part->topic, part->partition) >= part->position.offset) {
        part->proving = false; // no message lies where one was: compacted, or taken back
        return ST_OK;
    }
    return part->cut ? take_for_another(part, err)
                     : err_set(err, ST_ABORT,
                               "%s partition %d ends before offset %lld, which was "
                               "read",
                               part->topic, (int)part->partition, (long long)part->position.offset);
}

bool part_accepts(struct part *part, const struct message *message, int64_t now_ms) {
    struct err err = {0};
    bool next = message->offset >= part->position.offset;
    if (!part->proving) {
        int64_t silent_ms = now_ms - part->taken_ms;
        return next && !(silent_ms > SILENT_MS && prove_again(part, now_ms, silent_ms));
    }
    enum position_proof proof = position_prove(&part->position, message);
    if (proof == POSITION_ANOTHER || (next && part->cut)) {
        if (take_for_another(part, &err) != ST_OK) {
            look_again(part, &err);
        }
        return false;
    }
    part->taken_ms = now_ms;
    part->same_till = proof == POSITION_SAME ? message->offset + 1 : part->same_till;
    part->proving = !next && part->same_till != part->position.offset;
    part->cut = part->cut && part->proving;
    return next;
}
