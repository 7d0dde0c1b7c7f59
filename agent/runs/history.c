// history: see the header. Called by the commands that look back.
#include "runs/history.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"

enum {
    KEY_BYTES = offsetof(struct run_identity, pipeline), // cluster, application, attempt
    NAME_BYTES_MAX = RUN_TEXT_MAX
};

struct entry {
    struct history_run of;
    UT_hash_handle hh;
};

struct name {
    UT_hash_handle hh;
    size_t len;
    char text[NAME_BYTES_MAX + 1];
};

struct history_table {
    struct avro_codec *codec; // borrowed
    uint32_t most;
    struct entry *entries; // owned, by whose they are
    struct name *names;    // owned
    bool begun;            // the pipeline has a record: names are of no use any more
};

void history_init(struct history *history, struct avro_codec *codec, const char *pipeline,
                  uint32_t most) {
    require(most >= 1 && most <= HISTORY_MOST_MAX);
    *history = (struct history){.pipeline = pipeline,
                                .table = mem_zalloc(1, sizeof(struct history_table))};
    history->table->codec = codec;
    history->table->most = most;
}

static void forget_names(struct history_table *table) {
    struct name *name, *next;
    HASH_ITER(hh, table->names, name, next) {
        HASH_DELETE(hh, table->names, name);
        mem_free(name);
    }
}

void history_fini(struct history *history) {
    struct history_table *table = history->table;
    struct entry *entry, *next;
    forget_names(table);
    HASH_ITER(hh, table->entries, entry, next) {
        HASH_DELETE(hh, table->entries, entry);
        mem_free(entry);
    }
    mem_free(history->runs);
    mem_free(table);
    *history = (struct history){0};
}

static void note_name(struct history_table *table, struct str key) {
    struct name *name;
    if (key.len == 0 || key.len > NAME_BYTES_MAX || HASH_COUNT(table->names) >= HISTORY_NAMES_MAX) {
        return;
    }
    HASH_FIND(hh, table->names, key.p, key.len, name);
    if (name == NULL) {
        name = mem_zalloc(1, sizeof *name);
        name->len = key.len;
        memcpy(name->text, key.p, key.len);
        HASH_ADD(hh, table->names, text, key.len, name);
    }
}

// What the runs stand in the order of.
static int64_t began_ms(const struct pipeline_run *run) {
    return run->started_ms > 0 ? run->started_ms : run->time_ms;
}

static int by_start(const void *a, const void *b) {
    const struct history_run *x = *(const struct history_run *const *)a;
    const struct history_run *y = *(const struct history_run *const *)b;
    int64_t x_ms = began_ms(&x->run), y_ms = began_ms(&y->run);
    if (x_ms != y_ms) {
        return x_ms < y_ms ? -1 : 1;
    }
    return memcmp(&x->run.identity, &y->run.identity, KEY_BYTES);
}

static void sort(struct history *history) {
    struct history_table *table = history->table;
    mem_free(history->runs);
    history->count = 0;
    history->runs = mem_alloc((HASH_COUNT(table->entries) + 1) * sizeof *history->runs);
    for (struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        history->runs[history->count++] = &entry->of;
    }
    if (history->count > 0) {
        qsort(history->runs, history->count, sizeof *history->runs, by_start);
    }
}

// Leaves the `most` that began last.
static void trim(struct history *history) {
    struct history_table *table = history->table;
    sort(history);
    uint32_t extra = history->count > table->most ? history->count - table->most : 0;
    for (uint32_t i = 0; i < extra; i++) {
        struct entry *entry;
        HASH_FIND(hh, table->entries, &history->runs[i]->run.identity, KEY_BYTES, entry);
        require(entry != NULL);
        HASH_DELETE(hh, table->entries, entry);
        mem_free(entry);
    }
    history->cut = history->cut || extra > 0;
    sort(history);
}

// The lists go; the caller's record keeps nothing of its own.
static void strip(struct pipeline_run *run) {
    struct pipeline_run bare = *run;
    bare.stages = NULL;
    bare.open = NULL;
    bare.recommendations = NULL;
    bare.settings = NULL;
    bare.advice = NULL;
    bare.stage_count = bare.open_count = bare.recommendation_count = bare.setting_count =
        bare.advice_count = 0;
    pipeline_run_fini(run);
    *run = bare;
}

static void keep(struct history *history, struct pipeline_run *run, const struct message *message) {
    struct history_table *table = history->table;
    struct entry *entry;
    strip(run);
    HASH_FIND(hh, table->entries, &run->identity, KEY_BYTES, entry);
    if (entry == NULL) {
        entry = mem_zalloc(1, sizeof *entry);
        entry->of.run.identity = run->identity;
        HASH_ADD(hh, table->entries, of.run.identity, KEY_BYTES, entry);
    } else if (run->revision < entry->of.run.revision) {
        return;
    }
    entry->of = (struct history_run){*run, message->partition, message->offset};
    // Of many at once, or each would cost a sort.
    if (HASH_COUNT(table->entries) >= 2 * table->most) {
        trim(history);
    }
}

void history_take(struct history *history, const struct message *message) {
    struct history_table *table = history->table;
    struct pipeline_run run;
    struct err err;
    if (!str_is(message->key, history->pipeline)) {
        if (!table->begun) {
            note_name(table, message->key);
        }
        return;
    }
    if (!table->begun) {
        table->begun = true;
        forget_names(table);
    }
    if (message->value.len == 0) { // a deletion
        return;
    }
    if (avro_decode_run(table->codec, message->value, AVRO_SKIP_STAGES, &run, &err) == ST_OK) {
        keep(history, &run, message);
    } else if (history->unreadable++ == 0) {
        snprintf(history->unreadable_why, sizeof history->unreadable_why,
                 "partition %d offset %lld: %s", (int)message->partition,
                 (long long)message->offset, err.text);
    }
}

// The nearest few of the names, nearest first.
static void find_near(struct history *history) {
    unsigned distances[HISTORY_NEAR_MAX] = {0};
    struct str wanted = str_of(history->pipeline);
    for (struct name *name = history->table->names; name != NULL; name = name->hh.next) {
        struct str text = {name->text, name->len};
        unsigned distance = str_distance(wanted, text), at = history->near_count;
        while (at > 0 && distances[at - 1] > distance) {
            at--;
        }
        if (at >= HISTORY_NEAR_MAX) {
            continue;
        }
        history->near_count += history->near_count < HISTORY_NEAR_MAX;
        for (unsigned i = history->near_count - 1; i > at && i < HISTORY_NEAR_MAX; i--) {
            distances[i] = distances[i - 1];
            memcpy(history->near[i], history->near[i - 1], sizeof history->near[i]);
        }
        distances[at] = distance;
        str_copy(history->near[at], sizeof history->near[at], text);
    }
}

void history_settle(struct history *history) {
    trim(history);
    find_near(history);
}

static bool is_called(const struct pipeline_run *run, struct str word) {
    const struct run_identity *who = &run->identity;
    size_t len = strlen(who->app_id);
    bool app = str_starts(word, str_of(who->app_id));
    bool attempt = app && word.len > len && word.p[len] == '/' &&
                   str_is((struct str){word.p + len + 1, word.len - len - 1}, who->attempt);
    return (app && word.len == len) || attempt || str_is(word, run->id);
}

const struct history_run *history_find(const struct history *history, const char *word) {
    const struct history_run *found = NULL;
    for (uint32_t i = 0; i < history->count; i++) {
        if (is_called(&history->runs[i]->run, str_of(word))) {
            found = history->runs[i];
        }
    }
    return found;
}

static int64_t ended_ms(const struct pipeline_run *run) {
    return run->ended_ms > 0 ? run->ended_ms : run->time_ms;
}

const struct history_run *history_last(const struct history *history) {
    const struct history_run *last = NULL;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct history_run *run = history->runs[i];
        if (run->run.status != RUN_RUNNING &&
            (last == NULL || ended_ms(&run->run) >= ended_ms(&last->run))) {
            last = run;
        }
    }
    return last;
}

const struct history_run *history_before(const struct history *history,
                                         const struct history_run *run) {
    const struct history_run *before = NULL;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct history_run *other = history->runs[i];
        bool earlier = other != run && other->run.status == RUN_SUCCEEDED &&
                       ended_ms(&other->run) <= ended_ms(&run->run) &&
                       strcmp(other->run.identity.cluster, run->run.identity.cluster) == 0;
        if (earlier && (before == NULL || ended_ms(&other->run) >= ended_ms(&before->run))) {
            before = other;
        }
    }
    return before;
}
