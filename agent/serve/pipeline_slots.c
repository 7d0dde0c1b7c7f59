// pipeline_slots: a hash by cleaned name, in the order pipelines were first seen. Called by
// exposition.c. Two names that look the same once cleaned are one series: a page with the same
// series twice would lose numbers silently.
#include "pipeline_slots.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/sat.h"
#include "label.h"

struct slot {
    char *label; // key
    bool own;    // false: shown under "other"
    bool seen;   // in this set
    struct pipeline_sums sums;
    UT_hash_handle hh;
};

struct pipeline_slots {
    size_t own_max, own_count;
    struct slot *table;
    bool others; // "other" has something to show
    struct pipeline_sums other;
};

#define OTHER "other"

struct pipeline_slots *pipeline_slots_new(size_t own_max) {
    struct pipeline_slots *slots = mem_zalloc(1, sizeof *slots);
    slots->own_max = own_max;
    return slots;
}

static void drop(struct pipeline_slots *slots, struct slot *slot) {
    HASH_DEL(slots->table, slot);
    slots->own_count -= slot->own;
    mem_free(slot->label);
    mem_free(slot);
}

void pipeline_slots_free(struct pipeline_slots *slots) {
    if (slots == NULL) {
        return;
    }
    struct slot *slot = NULL, *next = NULL;
    HASH_ITER(hh, slots->table, slot, next) {
        drop(slots, slot);
    }
    mem_free(slots);
}

static void add_up(struct pipeline_sums *sums, const struct pipeline_stats *stats) {
    for (size_t i = 0; i <= PIPELINE_DURATION_BUCKETS; i++) {
        sat_inc(&sums->duration_buckets[i], stats->duration_buckets[i]);
    }
    for (size_t i = 0; i < SEVERITY_COUNT; i++) {
        sat_inc(&sums->open[i], stats->open_bottlenecks[i]);
    }
    sums->duration_sum_s += stats->duration_sum_s;
    sums->records_per_s += stats->records_per_s;
    sat_inc(&sums->runs, stats->runs);
    sat_inc(&sums->records, stats->records_total);
    sat_inc(&sums->errors, stats->errors_total);
}

static struct slot *find(struct pipeline_slots *slots, const char *label) {
    struct slot *slot;
    HASH_FIND(hh, slots->table, label, strlen(label), slot);
    if (slot == NULL) {
        slot = mem_zalloc(1, sizeof *slot);
        slot->label = mem_strdup(label);
        slot->own = slots->own_count < slots->own_max && strcmp(label, OTHER) != 0;
        slots->own_count += slot->own;
        HASH_ADD_KEYPTR(hh, slots->table, slot->label, strlen(slot->label), slot);
    }
    return slot;
}

void pipeline_slots_fill(struct pipeline_slots *slots, const struct pipeline_stats *pipelines,
                         size_t count) {
    struct slot *slot = NULL, *next = NULL;
    HASH_ITER(hh, slots->table, slot, next) {
        slot->seen = false;
        slot->sums = (struct pipeline_sums){0};
    }
    slots->others = false;
    slots->other = (struct pipeline_sums){0};
    struct buf label = {0};
    for (size_t i = 0; i < count; i++) {
        buf_clear(&label);
        label_add_value(&label, str_of(pipelines[i].pipeline));
        slot = find(slots, buf_text(&label));
        slot->seen = true;
        slots->others |= !slot->own;
        add_up(slot->own ? &slot->sums : &slots->other, &pipelines[i]);
    }
    buf_fini(&label);
    HASH_ITER(hh, slots->table, slot, next) {
        if (!slot->seen) {
            drop(slots, slot);
        }
    }
}

void pipeline_slots_each(const struct pipeline_slots *slots,
                         void (*each)(void *ctx, const char *label,
                                      const struct pipeline_sums *sums),
                         void *ctx) {
    for (const struct slot *slot = slots->table; slot != NULL; slot = slot->hh.next) {
        if (slot->own) {
            each(ctx, slot->label, &slot->sums);
        }
    }
    if (slots->others) {
        each(ctx, OTHER, &slots->other);
    }
}
