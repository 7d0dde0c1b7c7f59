// gate: see the header. Called by cmd_analyze for every run; numbers are those of `analyze --format
// json`, so that whoever is stopped by a limit can look them up.
#include "runs/gate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/span.h"
#include "model/limit.h"
#include "runs/compare.h"

#define SLOWDOWN_USUAL 0.2
#define SLOWER_LEAST_S 1.0 // than the baseline: less is the noise of short runs
#define TAIL_LEAST_S 1.0
#define TAIL_LEAST_SHARE 0.01
// A run that reads so much more, or less, is another one.
#define GROWTH_MOST 10.0

const char *gate_verdict_name(enum gate_verdict verdict) {
    static const char *const names[GATE_VERDICTS] = {"fine", "inconclusive", "breached"};
    require(verdict < GATE_VERDICTS);
    return names[verdict];
}

void gate_limits_init(struct gate_limits *limits) {
    *limits = (struct gate_limits){.duration_ms = -1,
                                   .spill_bytes = -1,
                                   .failed_tasks = -1,
                                   .fail_on = -1,
                                   .fail_on_new = -1,
                                   .slowdown = SLOWDOWN_USUAL};
}

bool gate_limits_any(const struct gate_limits *limits) {
    return limits->duration_ms >= 0 || limits->skew > 0 || limits->spill_bytes >= 0 ||
           limits->failed_tasks >= 0 || limits->fail_on >= 0 || limits->baseline != NULL;
}

static struct gate_line *add(struct gate *gate, enum gate_verdict verdict, const char *limit,
                             const char *fmt, ...) PRINTF_LIKE(4, 5);
static struct gate_line *add(struct gate *gate, enum gate_verdict verdict, const char *limit,
                             const char *fmt, ...) {
    struct gate_line *line = &gate->lines[gate->line_count];
    gate->line_count += gate->line_count < GATE_LINES_MAX;
    *line = (struct gate_line){.verdict = verdict, .limit = limit, .stage = -1};
    va_list args;
    va_start(args, fmt);
    vsnprintf(line->words, sizeof line->words, fmt, args);
    va_end(args);
    gate->verdict = verdict > gate->verdict ? verdict : gate->verdict;
    return line;
}

static void set_numbers(struct gate_line *line, int32_t stage, double value, double allowed) {
    line->stage = stage;
    line->value = value;
    line->allowed = allowed;
}

// The stage with most of what a function tells; NULL if none has any.
static const struct stage_facts *most_of(const struct run_facts *run,
                                         int64_t (*of)(const struct stage_facts *)) {
    const struct stage_facts *most = NULL;
    for (uint32_t i = 0; i < run->stage_count; i++) {
        int64_t value = of(&run->stages[i]);
        most = value > (most == NULL ? 0 : of(most)) ? &run->stages[i] : most;
    }
    return most;
}
static int64_t wall_of(const struct stage_facts *stage) {
    return stage->wall_ms;
}
static int64_t spill_of(const struct stage_facts *stage) {
    return stage->disk_spilled_bytes;
}
static int64_t failed_of(const struct stage_facts *stage) {
    return stage->tasks_failed;
}

static void judge_duration(const struct run_facts *run, int64_t most_ms, struct gate *gate) {
    double most_s = (double)most_ms / 1e3;
    char took[SPAN_TEXT_SIZE], allowed[SPAN_TEXT_SIZE], longest[SPAN_TEXT_SIZE];
    if (run->duration_s <= most_s) {
        return;
    }
    const struct stage_facts *stage = most_of(run, wall_of);
    span_format_seconds(run->duration_s, took);
    span_format_seconds(most_s, allowed);
    struct gate_line *line =
        stage == NULL ? add(gate, GATE_BREACHED, "max-duration", "the run took %s, more than %s",
                            took, allowed)
                      : add(gate, GATE_BREACHED, "max-duration",
                            "the run took %s, more than %s; its longest stage is %d (%s) with %s",
                            took, allowed, (int)stage->stage, stage->name,
                            span_format_ms((double)stage->wall_ms, longest));
    set_numbers(line, stage == NULL ? -1 : stage->stage, run->duration_s, most_s);
}

static void judge_skew(const struct run_facts *run, double most, struct gate *gate) {
    for (uint32_t i = 0; i < run->stage_count; i++) {
        const struct stage_facts *stage = &run->stages[i];
        double longest_ms = (double)stage->max_task_ms, mean_ms = stage->mean_task_ms;
        double tail_s = (longest_ms - mean_ms) / 1e3;
        bool matters = tail_s >= fmax(TAIL_LEAST_S, TAIL_LEAST_SHARE * run->duration_s);
        if (mean_ms > 0 && matters && longest_ms > most * mean_ms) {
            char longest[SPAN_TEXT_SIZE], mean[SPAN_TEXT_SIZE];
            struct gate_line *line =
                add(gate, GATE_BREACHED, "max-skew",
                    "stage %d (%s): its longest task took %s, %.1f times the mean of %s, more than "
                    "%g times",
                    (int)stage->stage, stage->name, span_format_ms(longest_ms, longest),
                    longest_ms / mean_ms, span_format_ms(mean_ms, mean), most);
            set_numbers(line, stage->stage, longest_ms / mean_ms, most);
        }
    }
}

static void judge_spill(const struct run_facts *run, int64_t most, struct gate *gate) {
    int64_t spilled = run->totals.disk_spilled_bytes;
    const struct stage_facts *stage = most_of(run, spill_of);
    char all[SPAN_TEXT_SIZE], allowed[SPAN_TEXT_SIZE], own[SPAN_TEXT_SIZE];
    if (spilled > most) {
        struct gate_line *line =
            add(gate, GATE_BREACHED, "max-spill",
                "%s were spilled to disk, more than %s; most by stage %d (%s) with %s",
                span_format_bytes((double)spilled, all), span_format_bytes((double)most, allowed),
                stage == NULL ? -1 : (int)stage->stage, stage == NULL ? "" : stage->name,
                span_format_bytes(stage == NULL ? 0 : (double)stage->disk_spilled_bytes, own));
        set_numbers(line, stage == NULL ? -1 : stage->stage, (double)spilled, (double)most);
    }
}

static void judge_failed_tasks(const struct run_facts *run, int64_t most, struct gate *gate) {
    int64_t failed = run->totals.tasks_failed;
    const struct stage_facts *stage = most_of(run, failed_of);
    if (failed > most) {
        struct gate_line *line = add(
            gate, GATE_BREACHED, "max-failed-tasks",
            "%lld task attempts failed, more than %lld; most of stage %d (%s) with %lld",
            (long long)failed, (long long)most, stage == NULL ? -1 : (int)stage->stage,
            stage == NULL ? "" : stage->name, stage == NULL ? 0LL : (long long)stage->tasks_failed);
        set_numbers(line, stage == NULL ? -1 : stage->stage, (double)failed, (double)most);
    }
}

static void add_finding(const struct bottleneck *b, const char *limit, int allowed, const char *how,
                        struct gate *gate) {
    struct gate_line *line =
        add(gate, GATE_BREACHED, limit, "%s%s %s%s%s%s: %s", how, severity_name(b->severity),
            kind_name(b->kind), b->cause == CAUSE_NONE ? "" : " (", cause_name(b->cause),
            b->cause == CAUSE_NONE ? "" : ")", b->summary);
    set_numbers(line, b->stage, (double)b->severity, allowed);
}

static void judge_findings(const struct run_facts *run, int worst, struct gate *gate) {
    for (uint32_t i = 0; i < run->finding_count; i++) {
        if ((int)run->findings[i].severity >= worst) {
            add_finding(&run->findings[i], "fail-on", worst, "", gate);
        }
    }
}

static void judge_new_findings(const struct comparison *comparison, int worst, struct gate *gate) {
    for (uint32_t i = 0; i < comparison->finding_count; i++) {
        const struct finding_change *change = &comparison->findings[i];
        bool came = change->turn == FINDING_NEW || change->turn == FINDING_WORSE;
        if (came && (int)change->b->severity >= worst) {
            add_finding(
                change->b, "fail-on-new", worst,
                change->turn == FINDING_NEW ? "new: " : "worse than in the baseline: ", gate);
        }
    }
}

// What the run reads over what the baseline did; 1 if that is not known. Records first: the bytes
// that tasks count vary with caches and columns.
static double growth_of(const struct run_facts *base, const struct run_facts *run) {
    const struct run_totals *a = &base->totals, *b = &run->totals;
    if (a->records > 0 && b->records > 0 && a->records_from == b->records_from) {
        return (double)b->records / (double)a->records;
    }
    bool sized = a->data_size_bytes > 0 && b->data_size_bytes > 0;
    return sized ? (double)b->data_size_bytes / (double)a->data_size_bytes : 1;
}

// The stage that got slower most, with its first reason.
static void add_slowest(struct gate_line *line, const struct comparison *comparison) {
    struct buf words = {0};
    buf_add_text(&words, line->words);
    for (uint32_t i = 0; i < comparison->stage_count; i++) {
        const struct stage_change *change = &comparison->stages[i];
        const struct stage_facts *a = comparison_a(comparison, change);
        const struct stage_facts *b = comparison_b(comparison, change);
        char longer[SPAN_TEXT_SIZE];
        if (b == NULL || change->seconds <= 0) {
            continue;
        }
        line->stage = b->stage;
        buf_printf(&words, "; most of it stage %d (%s) with %s%s", (int)b->stage, b->name,
                   span_format_seconds(change->seconds, longer), a == NULL ? ", which is new" : "");
        if (a != NULL && change->reason_count > 0) {
            buf_add_text(&words, ": ");
            stage_reason_words(a, b, change->reasons[0].reason, &words);
        }
        break;
    }
    str_copy(line->words, sizeof line->words, buf_str(&words));
    buf_fini(&words);
}

static void judge_baseline(const struct run_facts *run, const struct gate_limits *limits,
                           struct gate *gate) {
    const struct run_facts *base = limits->baseline;
    double growth = growth_of(base, run), slower_s;
    struct comparison comparison;
    char took[SPAN_TEXT_SIZE], before[SPAN_TEXT_SIZE];
    if (base->status != RUN_SUCCEEDED || base->completeness < GATE_COMPLETENESS_LEAST) {
        add(gate, GATE_INCONCLUSIVE, "", "the baseline %s with %.0f %% of its events seen",
            run_status_name(base->status), 100 * base->completeness);
        return;
    }
    comparison_init(&comparison, base, run);
    slower_s = run->duration_s - base->duration_s * fmax(1, growth);
    if (growth > GROWTH_MOST || growth < 1 / GROWTH_MOST) {
        add(gate, GATE_INCONCLUSIVE, "", "the run reads %.3g times what the baseline does", growth);
    } else if (slower_s > SLOWER_LEAST_S &&
               slower_s > limits->slowdown * base->duration_s * fmax(1, growth)) {
        double percent = 100 * slower_s / (base->duration_s * fmax(1, growth));
        struct gate_line *line = add(
            gate, GATE_BREACHED, "max-slowdown",
            "the run took %s and the baseline %s, on %.2f times the data: %.0f %% longer, more "
            "than %.0f %%",
            span_format_seconds(run->duration_s, took),
            span_format_seconds(base->duration_s, before), growth, percent, 100 * limits->slowdown);
        set_numbers(line, -1, percent / 100, limits->slowdown);
        add_slowest(line, &comparison);
    }
    if (limits->fail_on_new >= 0) {
        judge_new_findings(&comparison, limits->fail_on_new, gate);
    }
    comparison_fini(&comparison);
}

// Why it cannot be said that all is well.
static void judge_whole(const struct run_facts *run, struct gate *gate) {
    if (run->status == RUN_RUNNING) {
        add(gate, GATE_INCONCLUSIVE, "", "the run has not ended");
    } else if (run->status == RUN_LOST) {
        add(gate, GATE_INCONCLUSIVE, "", "the log ends before the run does");
    } else if (run->status != RUN_SUCCEEDED) {
        add(gate, GATE_INCONCLUSIVE, "", "the run %s%s%s: what it would have taken is not known",
            run->status == RUN_KILLED ? "was killed" : "failed",
            run->failure[0] != '\0' ? ": " : "", run->failure);
    } else if (run->totals.tasks == 0) {
        add(gate, GATE_INCONCLUSIVE, "", "the log tells of no task");
    }
    if (run->completeness < GATE_COMPLETENESS_LEAST) {
        add(gate, GATE_INCONCLUSIVE, "", "only %.1f %% of the run's events were seen",
            100 * run->completeness);
    }
    for (int limit = 0; limit < LIMIT_COUNT; limit++) {
        if (limit_in(run->limits, (enum limit)limit) &&
            (limit == LIMIT_STAGES || limit == LIMIT_TASK_IDS || limit == LIMIT_MEMORY)) {
            add(gate, GATE_INCONCLUSIVE, "", "limit hit: %s: %s", limit_name((enum limit)limit),
                limit_means((enum limit)limit));
        }
    }
}

void gate_judge(const struct run_facts *run, const struct gate_limits *limits, struct gate *out) {
    out->verdict = GATE_FINE;
    out->line_count = 0;
    if (limits->duration_ms >= 0) {
        judge_duration(run, limits->duration_ms, out);
    }
    if (limits->skew > 0) {
        judge_skew(run, limits->skew, out);
    }
    if (limits->spill_bytes >= 0) {
        judge_spill(run, limits->spill_bytes, out);
    }
    if (limits->failed_tasks >= 0) {
        judge_failed_tasks(run, limits->failed_tasks, out);
    }
    if (limits->fail_on >= 0) {
        judge_findings(run, limits->fail_on, out);
    }
    if (limits->baseline != NULL) {
        judge_baseline(run, limits, out);
    }
    judge_whole(run, out);
}
