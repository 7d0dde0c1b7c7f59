// worker_parts: the partitions a worker owns: they come and go with the group, their state is read
// by the restorer, and they run once it is there. Called by worker.c and from within polls. A
// partition whose state is not loaded takes no message, and none runs without state.
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "worker.h"

enum { REVOKE_TIMEOUT_MS = 10000, SUSPENDED_MS = 60000 };

static void forget_alert(void *ctx, const struct alert *alert) {
    struct worker *worker = ctx;
    alert_doors_forget(worker->alerts, worker, alert, 1);
}

static void tell_alert(void *ctx, const struct alert *alert) {
    struct worker *worker = ctx;
    alert_doors_update(worker->alerts, worker, alert, 1, clock_wall_ms());
}

static void free_state(struct part *part) {
    if (part->state != NULL) {
        part->ops->free(part->state);
        part->state = NULL;
    }
    keep_table_free(part->split);
    part->split = NULL;
}

// What is told to the alert door of the alerts that a partition's state holds.
static void each_alert(const struct part *part,
                       void (*each)(void *ctx, const struct alert *alert)) {
    if (part->state != NULL && part->ops->each_alert != NULL) {
        part->ops->each_alert(part->state, each, part->worker);
    }
}

static void free_part(struct part *part) {
    free_state(part);
    mem_free(part);
}

// Takes a part out of those owned; it is the caller's then.
static void disown(struct worker *worker, struct part *part) {
    // The next owner goes on with these alerts; when we end, what waits may still go out.
    if (!worker->closing) {
        each_alert(part, forget_alert);
    }
    if (part->phase == PART_LOADING) {
        restorer_forget(worker->restorer, part->number);
    }
    for (uint32_t i = 0; i < worker->part_count; i++) {
        if (worker->parts[i] == part) {
            worker->parts[i] = worker->parts[--worker->part_count];
            break;
        }
    }
}

static void drop(struct worker *worker, struct part *part) {
    disown(worker, part);
    free_part(part);
}

// A rebalance takes all partitions and gives most of them back at once: their state is kept, and
// counts if nobody went on from it meanwhile.
static void suspend(struct worker *worker, struct part *part) {
    disown(worker, part);
    part->phase = PART_UNLOADED;
    part->next = worker->suspended;
    worker->suspended = part;
    worker->suspended_ms = clock_mono_ms();
}

static struct part *take_suspended(struct worker *worker, const char *topic, int32_t partition) {
    struct part **at = &worker->suspended;
    while (*at != NULL && ((*at)->partition != partition || strcmp((*at)->topic, topic) != 0)) {
        at = &(*at)->next;
    }
    struct part *part = *at;
    if (part != NULL) {
        *at = part->next;
        part->next = NULL;
    }
    return part;
}

void worker_forget_suspended(struct worker *worker, int64_t now_ms) {
    if (worker->suspended != NULL && now_ms - worker->suspended_ms > SUSPENDED_MS) {
        while (worker->suspended != NULL) {
            struct part *part = worker->suspended;
            worker->suspended = part->next;
            free_part(part);
        }
    }
}

void worker_drop_parts(struct worker *worker) {
    while (worker->part_count > 0) {
        drop(worker, worker->parts[0]);
    }
    worker_forget_suspended(worker, INT64_MAX);
}

void part_unload(struct part *part) {
    struct worker *worker = part->worker;
    if (part->phase == PART_LOADING) {
        restorer_forget(worker->restorer, part->number);
    }
    free_state(part);
    part->phase = PART_UNLOADED;
    part->touched = false;
    if (worker->source != NULL) {
        kafka_source_hold(worker->source, part->topic, part->partition);
    }
}

static const struct stage_ops *stage_reading(const struct agent_options *options,
                                             const char *topic) {
    int number = 0;
    while (number < STAGES && strcmp(options->topics[stage_at(number)->input], topic) != 0) {
        number++;
    }
    require(number < STAGES); // the worker subscribes to no other topic
    return stage_at(number);
}

static void *on_assigned(void *ctx, const char *topic, int32_t partition) {
    struct worker *worker = ctx;
    struct part *part = take_suspended(worker, topic, partition);
    if (part == NULL) {
        part = mem_zalloc(1, sizeof *part);
        part->worker = worker;
        part->ops = stage_reading(worker->options, topic);
        part->topic = worker->options->topics[part->ops->input];
        part->partition = partition;
    }
    MEM_GROW(worker->parts, worker->part_count, worker->part_cap);
    worker->parts[worker->part_count++] = part;
    log_info("partition_assigned", "worker=%s topic=%s partition=%d", worker->id, topic,
             (int)partition);
    return part;
}

static void on_revoking(void *ctx, bool lost) {
    struct worker *worker = ctx;
    struct err err = {0};
    if (lost && worker->transaction.begun) { // another may own them already
        err_set(&err, ST_ABORT, "the partitions went to another member of the group");
        transaction_break(&worker->transaction, "revoked", &err);
    }
    if (!worker->transaction.broken) {
        (void)worker_commit(worker, REVOKE_TIMEOUT_MS, &err); // says itself what is wrong
    }
}

static void on_revoked(void *ctx, void *owner, bool lost) {
    struct worker *worker = ctx;
    struct part *part = owner;
    log_info("partition_revoked", "worker=%s topic=%s partition=%d lost=%d", worker->id,
             part->topic, (int)part->partition, (int)lost);
    bool kept = part->phase == PART_RUNNING && !part->touched && !lost &&
                !worker->transaction.broken && !worker->closing;
    if (kept) {
        suspend(worker, part);
    } else {
        drop(worker, part);
    }
}

const struct kafka_source_callbacks worker_callbacks = {NULL, on_assigned, on_revoking, on_revoked};

static void ask(struct worker *worker, struct part *part) {
    struct load *load = mem_zalloc(1, sizeof *load);
    part->number = ++worker->loads;
    part->phase = PART_LOADING;
    load->number = part->number;
    load->ops = part->ops;
    load->partition = part->partition;
    load->kept = part->state != NULL;
    load->position = part->position;
    restorer_ask(worker->restorer, load);
}

static void take_over(struct worker *worker, struct part *part, struct load *load) {
    struct err err = {0};
    CRASH_POINT("restore.start");
    if (!load->kept_is_good) {
        free_state(part);
        part->state = load->state;
        part->split = load->split;
        load->state = NULL;
        load->split = NULL;
        part->changelog_messages = load->changelog_messages;
        worker->records_loaded += load->records;
    }
    require(part->state != NULL && part->state->ops == part->ops);
    part->position = load->position;
    part->committed_offset = part->position.offset;
    part->heard_ms = part->taken_ms = clock_mono_ms();
    part->touched = load->former;
    part->phase = PART_RUNNING;
    if (part_begin(part, load, &err) != ST_OK) {
        log_warn("partition_not_started", "error=%s", err.text);
        part_unload(part);
        return;
    }
    each_alert(part, tell_alert); // an agent that died may not have told them
    log_info("partition_loaded",
             "worker=%s topic=%s partition=%d offset=%lld records=%lld bytes=%lld took_ms=%lld "
             "kept=%d",
             worker->id, part->topic, (int)part->partition, (long long)part->position.offset,
             (long long)load->records, (long long)load->bytes, (long long)load->took_ms,
             (int)load->kept_is_good);
}

static struct part *part_of_load(const struct worker *worker, const struct load *load) {
    for (uint32_t i = 0; i < worker->part_count; i++) {
        struct part *part = worker->parts[i];
        if (part->phase == PART_LOADING && part->number == load->number) {
            return part;
        }
    }
    return NULL;
}

enum status worker_load(struct worker *worker, struct err *err) {
    struct load *load;
    for (uint32_t i = 0; i < worker->part_count; i++) {
        if (worker->parts[i]->phase == PART_UNLOADED) {
            ask(worker, worker->parts[i]);
        }
    }
    while ((load = restorer_answer(worker->restorer)) != NULL) {
        struct part *part = part_of_load(worker, load);
        if (part != NULL && load->status != ST_OK) {
            err_set(err, ST_FATAL, "%s", load->words);
            load_free(load);
            return ST_FATAL;
        }
        if (part != NULL) {
            take_over(worker, part, load);
        }
        load_free(load);
    }
    return ST_OK;
}
