// alert_table: a hash of conditions by label text, in the order they came. Called by alert_queue.c
// under the queue's lock. Must never grow beyond its bound and never put an end where nothing
// ended.
#include "alert_table.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sat.h"

struct entry {
    char *labels; // key
    char *annotations;
    const void *holder;           // who put it last; never looked into
    int64_t started_ms, ended_ms; // wall; ended 0 while it fires
    int64_t next_ms, forget_ms;   // steady clock
    bool waiting;                 // a change is not delivered yet
    bool under_way;               // in the batch being sent, as it is now
    bool alone;                   // was in a refused batch: goes by itself to find the culprit
    UT_hash_handle hh;
};

struct alert_table {
    struct alert_table_options options;
    struct entry *entries;
    size_t batch;  // alerts of the batch under way
    size_t firing; // entries that have not ended
};

struct alert_table *alert_table_new(const struct alert_table_options *options) {
    require(options->resend_interval_ms > 0 && options->alerts_max > 0 && options->batch_max > 0);
    struct alert_table *table = mem_zalloc(1, sizeof *table);
    table->options = *options;
    return table;
}

static void drop(struct alert_table *table, struct entry *entry) {
    table->firing -= entry->ended_ms == 0;
    HASH_DEL(table->entries, entry);
    mem_free(entry->labels);
    mem_free(entry->annotations);
    mem_free(entry);
}

void alert_table_free(struct alert_table *table) {
    if (table == NULL) {
        return;
    }
    struct entry *entry = NULL, *next = NULL;
    HASH_ITER(hh, table->entries, entry, next) {
        drop(table, entry);
    }
    mem_free(table);
}

// The one to give up when the table is full: the oldest that ended and was told, else the oldest.
static struct entry *victim(struct alert_table *table) {
    for (struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->ended_ms > 0 && !entry->waiting) {
            return entry;
        }
    }
    return table->entries;
}

static struct entry *insert(struct alert_table *table, const char *labels, size_t *lost) {
    if (HASH_COUNT(table->entries) >= table->options.alerts_max) {
        struct entry *oldest = victim(table);
        *lost += oldest->ended_ms == 0 || oldest->waiting;
        drop(table, oldest);
    }
    struct entry *entry = mem_zalloc(1, sizeof *entry);
    entry->labels = mem_strdup(labels);
    table->firing++;
    HASH_ADD_KEYPTR(hh, table->entries, entry->labels, strlen(entry->labels), entry);
    return entry;
}

static void changed(struct entry *entry) {
    entry->waiting = true;
    entry->under_way = false;
}

size_t alert_table_put(struct alert_table *table, const void *holder, const char *labels,
                       const char *annotations, int64_t started_ms, int64_t ended_ms,
                       struct alert_time now) {
    // Event time may run ahead of the wall clock, and may be missing.
    int64_t started = started_ms > 0 && started_ms < now.wall_ms ? started_ms : now.wall_ms;
    size_t lost = 0;
    struct entry *entry;
    HASH_FIND(hh, table->entries, labels, strlen(labels), entry);
    bool known = entry != NULL;
    if (!known) {
        entry = insert(table, labels, &lost);
    }
    entry->holder = holder;
    if (!known || (entry->ended_ms > 0 && ended_ms <= 0)) {
        entry->started_ms = started;
    } else if (started < entry->started_ms) {
        entry->started_ms = started;
        changed(entry);
    }
    int64_t ended = 0;
    if (ended_ms > 0) {
        ended = ended_ms < now.wall_ms ? ended_ms : now.wall_ms;
        ended = ended > entry->started_ms ? ended : entry->started_ms;
        if (entry->ended_ms > 0) {
            ended = entry->ended_ms; // told again: the first end stands
        }
    }
    if (!known || ended != entry->ended_ms || strcmp(entry->annotations, annotations) != 0) {
        mem_free(entry->annotations);
        entry->annotations = mem_strdup(annotations);
        entry->forget_ms = sat_add(now.mono_ms, table->options.keep_resolved_ms);
        table->firing += (size_t)(ended == 0) - (size_t)(entry->ended_ms == 0);
        entry->ended_ms = ended;
        changed(entry);
    }
    return lost;
}

void alert_table_remove(struct alert_table *table, const void *holder, const char *labels) {
    struct entry *entry;
    HASH_FIND(hh, table->entries, labels, strlen(labels), entry);
    if (entry != NULL && entry->holder == holder) {
        drop(table, entry);
    }
}

static void add_alert(struct buf *body, const struct entry *entry,
                      const struct alert_table_options *options, int64_t wall_ms) {
    // The clock may have been set back since the alert came.
    int64_t starts = entry->started_ms < wall_ms ? entry->started_ms : wall_ms;
    int64_t ends = entry->ended_ms > 0 ? entry->ended_ms
                                       : sat_add(wall_ms, sat_mul(4, options->resend_interval_ms));
    char starts_at[CLOCK_RFC3339_SIZE], ends_at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(starts, starts_at);
    clock_format_rfc3339(ends, ends_at);
    buf_add_text(body, body->len > 1 ? ",{\"labels\":" : "{\"labels\":");
    buf_add_text(body, entry->labels);
    buf_add_text(body, ",\"annotations\":");
    buf_add_text(body, entry->annotations);
    buf_printf(body, ",\"startsAt\":\"%s\",\"endsAt\":\"%s\"}", starts_at, ends_at);
}

static void forget_ended(struct alert_table *table, int64_t mono_ms, size_t *lost) {
    struct entry *entry = NULL, *next = NULL;
    HASH_ITER(hh, table->entries, entry, next) {
        if (entry->ended_ms > 0 && entry->forget_ms <= mono_ms) {
            *lost += entry->waiting;
            drop(table, entry);
        }
    }
}

// The first alert of the next batch, or NULL. Changes go first, so that repeats never hold up news.
static struct entry *first_due(struct alert_table *table, bool changes_only, int64_t mono_ms) {
    struct entry *repeat = NULL;
    for (struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->waiting) {
            return entry;
        }
        if (repeat == NULL && entry->next_ms <= mono_ms) {
            repeat = entry;
        }
    }
    return changes_only ? NULL : repeat;
}

size_t alert_table_take(struct alert_table *table, bool changes_only, struct alert_time now,
                        struct buf *body, size_t *lost) {
    const struct alert_table_options *options = &table->options;
    buf_clear(body);
    forget_ended(table, now.mono_ms, lost);
    struct entry *first = first_due(table, changes_only, now.mono_ms);
    if (first == NULL) {
        return 0;
    }
    bool changes = first->waiting;
    // Repeats nearly due go along, so that alerts that came one by one are repeated together.
    int64_t horizon_ms = sat_add(now.mono_ms, options->resend_interval_ms / 10);
    size_t count = 0;
    buf_add_char(body, '[');
    for (struct entry *entry = first; entry != NULL; entry = entry->hh.next) {
        bool wanted = changes ? entry->waiting : !entry->waiting && entry->next_ms <= horizon_ms;
        if (wanted && (entry == first || !entry->alone)) {
            add_alert(body, entry, options, now.wall_ms);
            entry->under_way = true;
            count++;
        }
        if (count == options->batch_max || first->alone) {
            break;
        }
    }
    buf_add_char(body, ']');
    table->batch = count;
    return count;
}

size_t alert_table_settle(struct alert_table *table, enum alert_outcome outcome,
                          struct alert_time now) {
    bool single = table->batch == 1;
    size_t given_up = 0;
    struct entry *entry = NULL, *next = NULL;
    HASH_ITER(hh, table->entries, entry, next) {
        if (!entry->under_way) {
            continue;
        }
        entry->under_way = false;
        if (outcome == ALERTS_TAKEN) {
            entry->waiting = false;
            entry->alone = false;
            entry->next_ms = sat_add(now.mono_ms, table->options.resend_interval_ms);
        } else if (outcome == ALERTS_REFUSED && single) {
            drop(table, entry);
            given_up++;
        } else if (outcome == ALERTS_REFUSED) {
            entry->alone = true;
        }
    }
    return given_up;
}

int64_t alert_table_due_ms(const struct alert_table *table) {
    int64_t due_ms = INT64_MAX;
    for (const struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        if (entry->waiting) {
            return 0;
        }
        due_ms = entry->next_ms < due_ms ? entry->next_ms : due_ms;
    }
    return due_ms;
}

size_t alert_table_firing(const struct alert_table *table) {
    return table->firing;
}

size_t alert_table_waiting(const struct alert_table *table) {
    size_t count = 0;
    for (const struct entry *entry = table->entries; entry != NULL; entry = entry->hh.next) {
        count += entry->waiting;
    }
    return count;
}
