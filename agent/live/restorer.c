// restorer: see the header. One thread and two lists of loads; each load is read in an order that
// no crash or takeover can upset: first the group's position, once no transaction over it is open
// (so no earlier owner can commit any more); then where the state topic ends, uncommitted records
// included; then everything committed below that. Position and state were written in one
// transaction, so they must agree; if not, nothing is guessed. Whether the input is still the one
// that was read is seen by whoever reads on (worker_input.c).
#include "restorer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kafka/changelog.h"
#include "kafka/topics.h"
#include "keep/position.h"

enum { PAUSE_MS = 200, TOPICS_TIMEOUT_MS = 10000, ASK_TIMEOUT_MS = 2000, READ_TIMEOUT_MS = 10000 };

struct restorer {
    struct stage_home *home;
    bool topics_trusted; // the state topics were looked at; used by the thread alone
    pthread_t thread;
    bool started;
    _Atomic bool stop;    // the thread must end
    _Atomic bool give_up; // on what it does now
    pthread_mutex_t lock; // guards the rest
    pthread_cond_t wake;
    struct load *asked, *answered; // first in, first out
    uint64_t current;              // number of the load in work, 0 none
    char words[600];               // what it waits for
};

static void free_state(struct load *load) {
    if (load->state != NULL) {
        load->ops->free(load->state);
        load->state = NULL;
    }
    keep_table_free(load->split);
    load->split = NULL;
}

void load_free(struct load *load) {
    if (load != NULL) {
        free_state(load);
        mem_free(load);
    }
}

// The words of the worst finding.
static void keep_worst(void *ctx, enum topics_mark mark, const char *topic, const char *text) {
    struct err *err = ctx;
    if (mark == TOPICS_WRONG && err->status != ST_FATAL) {
        err_set(err, ST_FATAL, "topic %s %s", topic, text);
    } else if (mark == TOPICS_MISSING && err->status == ST_OK) { // may come yet
        err_set(err, ST_RETRY, "topic %s %s", topic, text);
    }
}

// A state topic that deletes old records, or has not the partitions of its input, would lose state
// without a word; the agent refuses to run on one. Settings that may not be read are taken as they
// are. One that may not be read waits for the right at once: an agent that writes what it cannot
// read back would find out at its restart.
static enum status check_topics(const struct agent_options *options, struct changelog *changelog,
                                struct err *err) {
    struct topic_spec specs[STAGES];
    struct err found = {0};
    struct topics_report report = {.ctx = &found, .line = keep_worst};
    size_t wrong = 0;
    for (int i = 0; i < STAGES; i++) {
        specs[i] = (struct topic_spec){.name = options->topics[topic_of_state(stage_at(i)->input)],
                                       .partitions_of = options->topics[stage_at(i)->input],
                                       .compacted = true,
                                       .least_message_bytes = TOPIC_STATE_LEAST_BYTES};
    }
    enum status status =
        topics_verify(&options->producer, specs, STAGES, TOPICS_TIMEOUT_MS, report, &wrong, err);
    if (status == ST_OK && found.status != ST_OK) {
        status = err_set(err, found.status, "%s", found.text);
    }
    for (int i = 0; i < STAGES && status == ST_OK; i++) {
        status = changelog_readable(changelog, specs[i].name, ASK_TIMEOUT_MS, err);
    }
    return status;
}

struct work {
    struct stage_home *home;
    const _Atomic bool *give_up;
    struct changelog *changelog;
    struct load *load;
    struct keep_table *table;
    const char *input, *changes; // topics
};

static void take_record(void *ctx, const struct message *message) {
    struct work *work = ctx;
    CRASH_POINT("restore.reading");
    work->load->records++;
    work->load->bytes += (int64_t)(message->key.len + message->value.len);
    keep_table_put(work->table, message->key, message->value);
}

// State and position must be of the same transaction.
static enum status agree(const struct work *work, const struct changelog_position *committed,
                         struct err *err) {
    struct str value;
    struct load *load = work->load;
    struct position *position = &load->position;
    if (!keep_table_get(work->table, STR(POSITION_KEY), &value)) {
        if (committed->marked) {
            return err_set(err, ST_FATAL,
                           "consumer group %s is at offset %lld of %s partition %d, but its state "
                           "is gone from %s: was that topic deleted? To begin anew, use another "
                           "agent.group (with empty state topics), or delete the group's offsets",
                           work->home->options->group, (long long)committed->offset, work->input,
                           (int)load->partition, work->changes);
        }
        *position = (struct position){.offset = committed->offset};
        if (committed->offset < 0) {
            position->offset = load->first;
        }
        return ST_OK;
    }
    enum status status = position_read(value, position, err);
    if (status != ST_OK) {
        err_wrap(err, "%s partition %d", work->changes, (int)load->partition);
        return err->status = ST_FATAL;
    }
    if (position->rooted && !keep_table_get(work->table, STR(ROOT_KEY), &value)) {
        return err_set(err, ST_FATAL,
                       "state of consumer group %s is missing from %s partition %d, whose oldest "
                       "record is gone: was that topic deleted and made again while agents ran, "
                       "or were records of it deleted? Begin anew with another agent.group and "
                       "empty state topics",
                       work->home->options->group, work->changes, (int)load->partition);
    }
    if (committed->offset >= 0 && committed->offset != position->offset) {
        return err_set(err, ST_FATAL,
                       "consumer group %s is at offset %lld of %s partition %d, but the state in "
                       "%s is of offset %lld: someone changed one of them. Set the group's offset "
                       "back, or begin anew with another agent.group and empty state topics",
                       work->home->options->group, (long long)committed->offset, work->input,
                       (int)load->partition, work->changes, (long long)position->offset);
    }
    return ST_OK;
}

// Reads the changelog to its end, and makes state of it.
static enum status load_state(struct work *work, const struct changelog_position *committed,
                              struct err *err) {
    struct load *load = work->load;
    int64_t first = 0, end = 0;
    enum status status = changelog_bounds(work->changelog, work->changes, load->partition,
                                          ASK_TIMEOUT_MS, &first, &end, err);
    load->changelog_messages = end - first;
    CRASH_POINT("restore.watermark");
    if (status == ST_OK && end > first) {
        struct changelog_reading reading = {.topic = work->changes,
                                            .partition = load->partition,
                                            .end = end,
                                            .timeout_ms = READ_TIMEOUT_MS,
                                            .stop = work->give_up,
                                            .ctx = work,
                                            .take = take_record};
        status = changelog_read(work->changelog, &reading, err);
    }
    if (status == ST_OK) {
        status = agree(work, committed, err);
    }
    if (status != ST_OK) {
        return status;
    }
    load->state = load->ops->new (work->home, load->partition);
    load->split = keep_table_split(work->table);
    if (load->ops->load(load->state, work->table, err) != ST_OK) {
        err_wrap(err, "%s partition %d", work->changes, (int)load->partition);
        status = ST_FATAL;
    }
    CRASH_POINT("restore.loaded");
    return status;
}

static enum status restore(struct work *work, struct err *err) {
    struct load *load = work->load;
    struct changelog_position committed;
    enum status status = changelog_committed(work->changelog, work->input, load->partition,
                                             ASK_TIMEOUT_MS, &committed, err);
    CRASH_POINT("restore.committed");
    load->former = status == ST_OK && committed.former;
    if (status == ST_OK) {
        status = changelog_bounds(work->changelog, work->input, load->partition, ASK_TIMEOUT_MS,
                                  &load->first, &load->end, err);
    }
    if (status != ST_OK) {
        return status;
    }
    if (load->kept && committed.offset == load->position.offset &&
        committed.mark == position_mark(&load->position)) {
        load->kept_is_good = true; // nobody else has owned it since, or did nothing
        return ST_OK;
    }
    return load_state(work, &committed, err);
}

// Fills the answer's fields of `load`. ST_RETRY: Kafka does not answer, or give_up was set: the
// same call may succeed later. ST_FATAL: state and position do not fit, or cannot be read.
static enum status read_back(struct restorer *restorer, struct changelog *changelog,
                             struct load *load, struct err *err) {
    const struct agent_options *options = restorer->home->options;
    struct work work = {.home = restorer->home,
                        .give_up = &restorer->give_up,
                        .changelog = changelog,
                        .load = load,
                        .table = keep_table_new(),
                        .input = options->topics[load->ops->input],
                        .changes = options->topics[topic_of_state(load->ops->input)]};
    int64_t start_ms = clock_mono_ms();
    load->records = load->bytes = 0;
    enum status status = restore(&work, err);
    keep_table_free(work.table);
    load->took_ms = clock_mono_ms() - start_ms;
    if (status == ST_FATAL) {
        free_state(load);
        log_error("state_mismatch", "error=%s", err->text);
    }
    return status;
}

static void append(struct load **list, struct load *load) {
    while (*list != NULL) {
        list = &(*list)->next;
    }
    load->next = NULL;
    *list = load;
}

static struct load *take_first(struct load **list) {
    struct load *first = *list;
    if (first != NULL) {
        *list = first->next;
        first->next = NULL;
    }
    return first;
}

// The next load to work on; NULL when it must end. Called with the lock held.
static struct load *wait_for_work(struct restorer *restorer) {
    while (restorer->asked == NULL && !atomic_load(&restorer->stop)) {
        pthread_cond_wait(&restorer->wake, &restorer->lock);
    }
    return atomic_load(&restorer->stop) ? NULL : take_first(&restorer->asked);
}

// Puts a finished load where it belongs. Called with the lock held.
static void put_away(struct restorer *restorer, struct load *load, enum status status,
                     const struct err *err) {
    bool forgotten = restorer->current == 0;
    restorer->current = 0;
    restorer->words[0] = '\0';
    if (forgotten) {
        load_free(load);
    } else if (status == ST_RETRY) {
        metrics_add(METRIC_RESTORE_ERRORS, 1);
        str_copy(restorer->words, sizeof restorer->words, str_of(err->text));
        append(&restorer->asked, load); // behind the others, whose turn it is
    } else {
        metrics_add(METRIC_RESTORES, status == ST_OK && !load->kept_is_good);
        metrics_add(METRIC_RESTORE_RECORDS, load->records);
        load->status = status;
        str_copy(load->words, sizeof load->words, str_of(status == ST_OK ? "" : err->text));
        append(&restorer->answered, load);
    }
}

static void *run(void *arg) {
    struct restorer *restorer = arg;
    const struct agent_options *options = restorer->home->options;
    struct changelog *changelog = NULL;
    struct err err = {0};
    pthread_mutex_lock(&restorer->lock);
    struct load *load;
    while ((load = wait_for_work(restorer)) != NULL) {
        restorer->current = load->number;
        atomic_store(&restorer->give_up, false);
        pthread_mutex_unlock(&restorer->lock);
        enum status status = ST_OK;
        if (changelog == NULL) {
            status = changelog_new(&options->consumer, options->group, &changelog, &err);
        }
        if (status == ST_OK && !restorer->topics_trusted) {
            status = check_topics(options, changelog, &err);
            restorer->topics_trusted = status == ST_OK;
        }
        if (status == ST_OK) {
            status = read_back(restorer, changelog, load, &err);
        }
        if (status == ST_RETRY && !atomic_load(&restorer->stop)) {
            clock_sleep_ms(PAUSE_MS);
        }
        if (changelog != NULL && changelog_denied(changelog)) {
            changelog_free(changelog);
            changelog = NULL;
        }
        pthread_mutex_lock(&restorer->lock);
        put_away(restorer, load, status, &err);
    }
    pthread_mutex_unlock(&restorer->lock);
    changelog_free(changelog);
    return NULL;
}

enum status restorer_new(struct stage_home *home, struct restorer **out, struct err *err) {
    struct restorer *restorer = mem_zalloc(1, sizeof *restorer);
    restorer->home = home;
    restorer->topics_trusted = home->options->topics_trusted;
    require(pthread_mutex_init(&restorer->lock, NULL) == 0);
    require(pthread_cond_init(&restorer->wake, NULL) == 0);
    restorer->started = pthread_create(&restorer->thread, NULL, run, restorer) == 0;
    if (!restorer->started) {
        restorer_free(restorer);
        return err_set(err, ST_FATAL, "the system gives no thread to read state");
    }
    *out = restorer;
    return ST_OK;
}

void restorer_free(struct restorer *restorer) {
    if (restorer == NULL) {
        return;
    }
    pthread_mutex_lock(&restorer->lock);
    atomic_store(&restorer->stop, true);
    atomic_store(&restorer->give_up, true);
    pthread_cond_signal(&restorer->wake);
    pthread_mutex_unlock(&restorer->lock);
    if (restorer->started) {
        pthread_join(restorer->thread, NULL);
    }
    struct load *load;
    while ((load = take_first(&restorer->asked)) != NULL ||
           (load = take_first(&restorer->answered)) != NULL) {
        load_free(load);
    }
    pthread_mutex_destroy(&restorer->lock);
    pthread_cond_destroy(&restorer->wake);
    mem_free(restorer);
}

void restorer_ask(struct restorer *restorer, struct load *load) {
    pthread_mutex_lock(&restorer->lock);
    append(&restorer->asked, load);
    pthread_cond_signal(&restorer->wake);
    pthread_mutex_unlock(&restorer->lock);
}

struct load *restorer_answer(struct restorer *restorer) {
    pthread_mutex_lock(&restorer->lock);
    struct load *load = take_first(&restorer->answered);
    pthread_mutex_unlock(&restorer->lock);
    return load;
}

static void remove_number(struct load **list, uint64_t number) {
    while (*list != NULL) {
        if ((*list)->number == number) {
            load_free(take_first(list));
        } else {
            list = &(*list)->next;
        }
    }
}

void restorer_forget(struct restorer *restorer, uint64_t number) {
    pthread_mutex_lock(&restorer->lock);
    remove_number(&restorer->asked, number);
    remove_number(&restorer->answered, number);
    if (restorer->current == number) {
        restorer->current = 0;
        atomic_store(&restorer->give_up, true);
    }
    pthread_mutex_unlock(&restorer->lock);
}

void restorer_words(struct restorer *restorer, struct buf *out) {
    pthread_mutex_lock(&restorer->lock);
    buf_add_printable(out, str_of(restorer->words));
    pthread_mutex_unlock(&restorer->lock);
}
