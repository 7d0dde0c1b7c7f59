// explain: the arithmetic of why, and its words; of runs that are known by their records alone, the
// words for what those tell. Called by compare.c for every pair of stages and
// by the renderers for words; nothing here is a guess at a speed: every second is one that a task
// told.
#include "runs/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/span.h"

static const char *const names[REASON_COUNT] = {
    [REASON_WAITING] = "waiting",
    [REASON_SLOTS] = "slots",
    [REASON_VOLUME] = "volume",
    [REASON_COMPUTE] = "compute",
    [REASON_GC] = "gc",
    [REASON_FETCH_WAIT] = "fetch_wait",
    [REASON_SHUFFLE_WRITE] = "shuffle_write",
    [REASON_DESERIALIZE] = "deserialize",
    [REASON_SCHEDULING] = "scheduling",
    [REASON_SPILL] = "spill",
    [REASON_READING] = "reading",
    [REASON_OTHER] = "other",
    [REASON_SKEW] = "skew",
    [REASON_LOST] = "lost",
};

const char *reason_name(enum reason reason) {
    require(reason < REASON_COUNT);
    return names[reason];
}

// Time of the successful tasks of a stage, by what it was spent on; seconds. They add up to it.
enum part { PART_CPU, PART_GC, PART_FETCH, PART_WRITE, PART_LOAD, PART_DELAY, PART_REST, PARTS };

static void parts_of(const struct stage_facts *stage, double parts[PARTS]) {
    parts[PART_CPU] = (double)stage->cpu_ns / 1e9;
    parts[PART_GC] = (double)stage->gc_ms / 1e3;
    parts[PART_FETCH] = (double)stage->fetch_wait_ms / 1e3;
    parts[PART_WRITE] = (double)stage->shuffle_write_ns / 1e9;
    parts[PART_LOAD] = (double)stage->deserialize_ms / 1e3;
    parts[PART_DELAY] = (double)stage->delay_ms / 1e3;
    parts[PART_REST] = (double)stage->task_ms / 1e3;
    for (int part = 0; part < PART_REST; part++) {
        parts[PART_REST] -= parts[part];
    }
}

struct volume_ratio stage_volume(const struct stage_facts *a, const struct stage_facts *b) {
    if (a->records > 0 && b->records > 0) {
        return (struct volume_ratio){(double)b->records / (double)a->records, "records"};
    }
    if (a->bytes > 0 && b->bytes > 0) {
        return (struct volume_ratio){(double)b->bytes / (double)a->bytes, "bytes"};
    }
    return (struct volume_ratio){1, ""};
}

static enum reason reason_of_rest(const struct stage_facts *a, const struct stage_facts *b,
                                  double seconds) {
    bool more = b->disk_spilled_bytes > a->disk_spilled_bytes;
    bool less = b->disk_spilled_bytes < a->disk_spilled_bytes;
    if ((more && seconds > 0) || (less && seconds < 0)) {
        return REASON_SPILL;
    }
    return a->input_records + b->input_records + a->input_bytes + b->input_bytes > 0
               ? REASON_READING
               : REASON_OTHER;
}

static enum reason reason_of_part(enum part part, const struct stage_facts *a,
                                  const struct stage_facts *b, double seconds) {
    static const enum reason reasons[PART_REST] = {
        [PART_CPU] = REASON_COMPUTE,      [PART_GC] = REASON_GC,
        [PART_FETCH] = REASON_FETCH_WAIT, [PART_WRITE] = REASON_SHUFFLE_WRITE,
        [PART_LOAD] = REASON_DESERIALIZE, [PART_DELAY] = REASON_SCHEDULING,
    };
    return part == PART_REST ? reason_of_rest(a, b, seconds) : reasons[part];
}

// What the work took, spread evenly over the slots, and what uneven tasks left of them.
static double even_s(const struct stage_facts *stage) {
    return (double)stage->task_ms / 1e3 / (double)stage->slots;
}
static double lost_s(const struct stage_facts *stage) {
    return (double)stage->lost_ms / 1e3 / (double)stage->slots;
}
static double uneven_s(const struct stage_facts *stage) {
    return (double)(stage->wall_ms - stage->wait_ms) / 1e3 - even_s(stage) - lost_s(stage);
}

static void work_out(const struct stage_facts *a, const struct stage_facts *b,
                     double seconds[REASON_COUNT]) {
    double a_parts[PARTS], b_parts[PARTS], slots = (double)a->slots;
    double volume = stage_volume(a, b).ratio;
    parts_of(a, a_parts);
    parts_of(b, b_parts);
    seconds[REASON_WAITING] = (double)(b->wait_ms - a->wait_ms) / 1e3;
    seconds[REASON_LOST] = lost_s(b) - lost_s(a);
    seconds[REASON_SKEW] = uneven_s(b) - uneven_s(a);
    seconds[REASON_SLOTS] = even_s(b) - (double)b->task_ms / 1e3 / slots;
    for (enum part part = 0; part < PARTS; part++) {
        double more_s = a_parts[part] * (volume - 1) / slots;
        double rest_s = (b_parts[part] - a_parts[part]) / slots - more_s;
        seconds[REASON_VOLUME] += more_s;
        seconds[reason_of_part(part, a, b, rest_s)] += rest_s;
    }
}

static int larger_first(const void *x, const void *y) {
    const struct stage_reason *a = x, *b = y;
    double a_s = fabs(a->seconds), b_s = fabs(b->seconds);
    return a_s != b_s ? (a_s > b_s ? -1 : 1) : (int)a->reason - (int)b->reason;
}

void stage_change_explain(struct stage_change *change, const struct stage_facts *a,
                          const struct stage_facts *b) {
    double seconds[REASON_COUNT] = {0}, whole_s = change->seconds;
    work_out(a, b, seconds);
    change->reason_count = 0;
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        bool same_way = (seconds[reason] > 0) == (whole_s > 0);
        if (fabs(seconds[reason]) > fabs(whole_s) * (same_way ? 0.1 : 0.25)) {
            change->reasons[change->reason_count++] =
                (struct stage_reason){reason, seconds[reason]};
        }
    }
    qsort(change->reasons, change->reason_count, sizeof *change->reasons, larger_first);
}

// "8.1 times" of what grew, "0.12 times" of what shrank.
static void add_times(struct buf *out, double ratio) {
    buf_printf(out,
               ratio >= 9.95    ? "%.0f times "
               : ratio >= 0.995 ? "%.1f times "
                                : "%.2f times ",
               ratio);
}

static void add_seconds(struct buf *out, const char *what, double a_s, double b_s) {
    char before[SPAN_TEXT_SIZE], after[SPAN_TEXT_SIZE];
    buf_printf(out, "%s %s -> %s of task time", what, span_format_seconds(a_s, before),
               span_format_seconds(b_s, after));
}

static void add_bytes(struct buf *out, const char *what, int64_t a, int64_t b) {
    char before[SPAN_TEXT_SIZE], after[SPAN_TEXT_SIZE];
    buf_printf(out, "%s %s -> %s", what, span_format_bytes((double)a, before),
               span_format_bytes((double)b, after));
}

static void add_volume(const struct stage_facts *a, const struct stage_facts *b, struct buf *out) {
    struct volume_ratio volume = stage_volume(a, b);
    char before[SPAN_TEXT_SIZE], after[SPAN_TEXT_SIZE];
    add_times(out, volume.ratio);
    if (a->records > 0 && b->records > 0) {
        buf_printf(out, "the records (%s -> %s)", span_format_count((double)a->records, before),
                   span_format_count((double)b->records, after));
    } else {
        buf_printf(out, "the bytes (%s -> %s)", span_format_bytes((double)a->bytes, before),
                   span_format_bytes((double)b->bytes, after));
    }
}

// Of one record: mostly far below a millisecond.
static const char *short_time(double seconds, char out[SPAN_TEXT_SIZE]) {
    if (seconds * 1e6 >= 999.5) {
        return span_format_seconds(seconds, out);
    }
    snprintf(out, SPAN_TEXT_SIZE, "%.3g us", seconds * 1e6);
    return out;
}

static void add_compute(const struct stage_facts *a, const struct stage_facts *b, struct buf *out) {
    double a_s = (double)a->cpu_ns / 1e9, b_s = (double)b->cpu_ns / 1e9;
    bool counted = a->records > 0 && b->records > 0;
    double a_one = counted ? a_s / (double)a->records : a_s;
    double b_one = counted ? b_s / (double)b->records : b_s;
    if (a_one <= 0 || !a->tells_cpu || !b->tells_cpu) {
        add_seconds(out, "computing", a_s, b_s);
        return;
    }
    add_times(out, b_one / a_one);
    if (counted) {
        char before[SPAN_TEXT_SIZE], after[SPAN_TEXT_SIZE];
        buf_printf(out, "the CPU time for each record (%s -> %s)", short_time(a_one, before),
                   short_time(b_one, after));
    } else {
        add_seconds(out, "the CPU time:", a_s, b_s);
    }
}

static void add_longest(const struct stage_facts *a, const struct stage_facts *b, struct buf *out) {
    char texts[4][SPAN_TEXT_SIZE];
    buf_printf(out, "uneven tasks: the longest %s against a mean of %s; before, %s against %s",
               span_format_ms((double)b->max_task_ms, texts[0]),
               span_format_ms(b->mean_task_ms, texts[1]),
               span_format_ms((double)a->max_task_ms, texts[2]),
               span_format_ms(a->mean_task_ms, texts[3]));
}

// Those that are a kind of task time.
static const struct part_words {
    const char *what;
    enum part part;
} part_words[REASON_COUNT] = {
    [REASON_GC] = {"garbage collection", PART_GC},
    [REASON_FETCH_WAIT] = {"waiting for shuffled data", PART_FETCH},
    [REASON_SHUFFLE_WRITE] = {"writing shuffled data", PART_WRITE},
    [REASON_DESERIALIZE] = {"unpacking tasks", PART_LOAD},
    [REASON_SCHEDULING] = {"delay in the scheduler", PART_DELAY},
    [REASON_READING] = {"reading, or waiting that no metric explains", PART_REST},
    [REASON_OTHER] = {"waiting that no metric explains", PART_REST},
};

static void add_part(const struct stage_facts *a, const struct stage_facts *b,
                     const struct part_words *words, struct buf *out) {
    double a_parts[PARTS], b_parts[PARTS];
    parts_of(a, a_parts);
    parts_of(b, b_parts);
    add_seconds(out, words->what, fmax(0, a_parts[words->part]), fmax(0, b_parts[words->part]));
}

void stage_reason_words(const struct stage_facts *a, const struct stage_facts *b,
                        enum reason reason, struct buf *out) {
    char before[SPAN_TEXT_SIZE], after[SPAN_TEXT_SIZE];
    require(reason < REASON_COUNT);
    if (part_words[reason].what != NULL) {
        add_part(a, b, &part_words[reason], out);
    } else if (reason == REASON_WAITING) {
        buf_printf(out, "waited for its first task slot %s -> %s",
                   span_format_ms((double)a->wait_ms, before),
                   span_format_ms((double)b->wait_ms, after));
    } else if (reason == REASON_SLOTS) {
        buf_printf(out, "task slots %lld -> %lld", (long long)a->slots, (long long)b->slots);
    } else if (reason == REASON_VOLUME) {
        add_volume(a, b, out);
    } else if (reason == REASON_COMPUTE) {
        add_compute(a, b, out);
    } else if (reason == REASON_SPILL) {
        add_bytes(out, "spilled to disk", a->disk_spilled_bytes, b->disk_spilled_bytes);
    } else if (reason == REASON_SKEW) {
        add_longest(a, b, out);
    } else {
        add_seconds(out, "attempts that failed or were killed", (double)a->lost_ms / 1e3,
                    (double)b->lost_ms / 1e3);
    }
}

typedef const char *format_fn(double value, char out[SPAN_TEXT_SIZE]);

// Of what reads alike nothing is said.
static void add_told(struct buf *out, const char *what, double a, double b, format_fn *format) {
    char before[SPAN_TEXT_SIZE], after[SPAN_TEXT_SIZE];
    if (strcmp(format(a, before), format(b, after)) != 0) {
        buf_printf(out, "%s%s %s -> %s", out->len > 0 ? ", " : "", what, before, after);
    }
}

void stage_told_words(const struct stage_facts *a, const struct stage_facts *b, struct buf *out) {
    struct buf words = {0};
    add_told(&words, "time of all tasks", (double)a->task_ms, (double)b->task_ms, span_format_ms);
    if (a->tells_cpu && b->tells_cpu) {
        add_told(&words, "CPU time", (double)a->cpu_ns / 1e6, (double)b->cpu_ns / 1e6,
                 span_format_ms);
    }
    add_told(&words, "garbage collection", (double)a->gc_ms, (double)b->gc_ms, span_format_ms);
    if (a->records >= 0 && b->records >= 0) {
        add_told(&words, "records", (double)a->records, (double)b->records, span_format_count);
    }
    add_told(&words, "read", (double)a->bytes, (double)b->bytes, span_format_bytes);
    add_told(&words, "spilled to disk", (double)a->disk_spilled_bytes,
             (double)b->disk_spilled_bytes, span_format_bytes);
    add_told(&words, "longest task", (double)a->max_task_ms, (double)b->max_task_ms,
             span_format_ms);
    add_told(&words, "failed tasks", (double)a->tasks_failed, (double)b->tasks_failed,
             span_format_count);
    buf_add_str(out, buf_str(&words));
    buf_fini(&words);
}
