// restore: one partition's state read back, in an order that no crash or takeover can upset: first
// the group's position, once no transaction over it is open (so no earlier owner can commit any
// more); then where the state topic ends, uncommitted records included; then everything committed
// below that. Position and state were written in one transaction, so they must agree; if not,
// nothing is guessed. Called by the restorer's thread.
#include "restore.h"

#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "engine/snapshot.h"
#include "state/position.h"
#include "state/table.h"

enum { ASK_TIMEOUT_MS = 2000, READ_TIMEOUT_MS = 10000 };

struct work {
    const struct restorer_options *options;
    const _Atomic bool *give_up;
    struct changelog *changelog;
    struct load *load;
    struct state_table *table;
    const char *input, *state; // topics
};

static void take_record(void *ctx, struct str key, struct str value) {
    struct work *work = ctx;
    CRASH_POINT("restore.reading");
    work->load->records++;
    work->load->bytes += (int64_t)(key.len + value.len);
    state_table_put(work->table, key, value);
}

static enum status build(struct work *work, struct err *err) {
    const struct restorer_options *options = work->options;
    struct load *load = work->load;
    if (load->runs) {
        load->pipelines = pipelines_new(options->pipelines, &options->pipelines_output);
        enum status status = snapshot_pipelines_load(load->pipelines, work->table, err);
        if (status == ST_OK && pipelines_panes_lost(load->pipelines) > 0) {
            log_warn("panes_dropped", "partition=%d panes=%llu reason=%s", (int)load->partition,
                     (unsigned long long)pipelines_panes_lost(load->pipelines),
                     "window.pane or window.length is another one now");
        }
        return status;
    }
    load->engine = engine_new(options->engine, options->decoder, &options->engine_output);
    return snapshot_load(load->engine, work->table, err);
}

// State and position must be of the same transaction.
static enum status agree(const struct work *work, const struct changelog_position *committed,
                         int64_t first, struct err *err) {
    struct position position;
    struct str value;
    struct load *load = work->load;
    if (!state_table_get(work->table, STR(POSITION_KEY), &value)) {
        if (committed->marked) {
            return err_set(err, ST_FATAL,
                           "consumer group %s is at offset %lld of %s partition %d, but its state "
                           "is gone from %s: was that topic deleted? To begin anew, use another "
                           "agent.group (with empty state topics), or delete the group's offsets",
                           work->options->group, (long long)committed->offset, work->input,
                           (int)load->partition, work->state);
        }
        load->offset = committed->offset >= 0 ? committed->offset : first;
        return ST_OK;
    }
    enum status status = position_read(value, &position, err);
    if (status != ST_OK) {
        err_wrap(err, "%s partition %d", work->state, (int)load->partition);
        return err->status = ST_FATAL;
    }
    if (committed->offset >= 0 && committed->offset != position.offset) {
        return err_set(err, ST_FATAL,
                       "consumer group %s is at offset %lld of %s partition %d, but the state in "
                       "%s is of offset %lld: someone changed one of them. Set the group's offset "
                       "back, or begin anew with another agent.group and empty state topics",
                       work->options->group, (long long)committed->offset, work->input,
                       (int)load->partition, work->state, (long long)position.offset);
    }
    load->lost = first > position.offset ? first - position.offset : 0;
    load->offset = position.offset + load->lost;
    load->ticks = position.ticks;
    return ST_OK;
}

static enum status lose(struct load *load, int64_t first) {
    load->lost = first - load->offset;
    load->offset = first;
    return ST_OK;
}

static enum status restore(struct work *work, struct err *err) {
    struct load *load = work->load;
    struct changelog_position committed;
    int64_t first = 0, end = 0, input_first = 0, input_end = 0;
    enum status status = changelog_committed(work->changelog, work->input, load->partition,
                                             ASK_TIMEOUT_MS, &committed, err);
    CRASH_POINT("restore.committed");
    if (status == ST_OK) {
        status = changelog_bounds(work->changelog, work->input, load->partition, ASK_TIMEOUT_MS,
                                  &input_first, &input_end, err);
    }
    if (status == ST_OK && load->kept_offset >= 0 && committed.offset == load->kept_offset &&
        committed.mark == load->kept_ticks) {
        load->kept_is_good = true; // nobody else has owned it since, or did nothing
        load->offset = committed.offset;
        load->ticks = committed.mark;
        load->lost = 0;
        return input_first > load->offset ? lose(load, input_first) : ST_OK;
    }
    if (status == ST_OK) {
        status = changelog_bounds(work->changelog, work->state, load->partition, ASK_TIMEOUT_MS,
                                  &first, &end, err);
    }
    load->changelog_messages = end - first;
    CRASH_POINT("restore.watermark");
    if (status == ST_OK && end > first) {
        struct changelog_reading reading = {.topic = work->state,
                                            .partition = load->partition,
                                            .end = end,
                                            .timeout_ms = READ_TIMEOUT_MS,
                                            .stop = work->give_up,
                                            .ctx = work,
                                            .take = take_record};
        status = changelog_read(work->changelog, &reading, err);
    }
    if (status == ST_OK) {
        status = agree(work, &committed, input_first, err);
    }
    if (status == ST_OK && build(work, err) != ST_OK) {
        err_wrap(err, "%s partition %d", work->state, (int)load->partition);
        status = ST_FATAL;
    }
    CRASH_POINT("restore.loaded");
    return status;
}

enum status restore_load(const struct restorer_options *options, struct changelog *changelog,
                         const _Atomic bool *give_up, struct load *load, struct err *err) {
    struct work work = {.options = options,
                        .give_up = give_up,
                        .changelog = changelog,
                        .load = load,
                        .table = state_table_new(),
                        .input = options->input_topic[load->runs],
                        .state = options->state_topic[load->runs]};
    int64_t start_ms = clock_mono_ms();
    load->records = load->bytes = 0;
    enum status status = restore(&work, err);
    state_table_free(work.table);
    load->took_ms = clock_mono_ms() - start_ms;
    if (status == ST_FATAL) {
        engine_free(load->engine);
        pipelines_free(load->pipelines);
        load->engine = NULL;
        load->pipelines = NULL;
        log_error("state_mismatch", "error=%s", err->text);
    }
    return status;
}
