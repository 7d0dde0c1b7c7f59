// restorer: see the header. The thread and its two lists; what is read, and in which order, is in
// restore.c.
#include "restorer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "restore.h"
#include "state_topics.h"

enum { PAUSE_MS = 200 };

struct restorer {
    struct restorer_options options;
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

void load_free(struct load *load) {
    if (load != NULL) {
        engine_free(load->engine);
        pipelines_free(load->pipelines);
        mem_free(load);
    }
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
            status = changelog_new(restorer->options.consumer, restorer->options.group, &changelog,
                                   &err);
        }
        if (status == ST_OK && !restorer->options.topics_trusted) {
            status = state_topics_check(&restorer->options, changelog, &err);
            restorer->options.topics_trusted = status == ST_OK;
        }
        if (status == ST_OK) {
            status = restore_load(&restorer->options, changelog, &restorer->give_up, load, &err);
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

enum status restorer_new(const struct restorer_options *options, struct restorer **out,
                         struct err *err) {
    struct restorer *restorer = mem_zalloc(1, sizeof *restorer);
    restorer->options = *options;
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
