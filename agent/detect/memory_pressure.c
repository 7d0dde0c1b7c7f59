// memory_pressure: a stage spills, collects garbage for a large part of its time, or runs out of
// memory. Called through the detector table. Which memory attempts ran out of, and what helps, is
// task_failures' to tell, which explains it (roots.c).
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"
#include "state/failure.h"

enum { GC_SHARE, SPILL_DISK_RATE, SPILL_MEMORY_RATE };
#define SPILL_SHARE_MOST 0.8 // of the time of tasks that spill: the rest is their own work
static const struct detector_threshold thresholds[] = {
    [GC_SHARE] = {"gc_share", "share of run time in garbage collection that counts as pressure",
                  0.10, 0.01, 1,
                  "Dr. Elephant: moderate from 10 %; Spark's own UI marks an executor from 10 %"},
    [SPILL_DISK_RATE] = {"disk_mib_per_s",
                         "spilled bytes are never taken to be written and read back more slowly",
                         50, 1, 100000,
                         "a bound, not a speed: a slow disk shared by several tasks"},
    [SPILL_MEMORY_RATE] = {"serialize_mib_per_s",
                           "spilled records are never taken to be serialised more slowly", 400, 1,
                           100000, "a bound, not a speed: one core, rows as Spark lays them out"},
};

// Of the CPU time of tasks that spill, the share that the spill takes: as many of the bytes that go
// through a serialiser are its own, written and read back.
static double share_of_cpu(const struct stage_summary *s) {
    double spilled = 2 * (double)s->disk_spilled_bytes;
    double others = (double)s->input_bytes + (double)s->shuffle_read_bytes +
                    (double)s->shuffle_write_bytes + (double)s->output_bytes;
    return spilled > 0 ? spilled / (spilled + others) : 1;
}

// Of the time that tasks that spill waited for what no metric tells, ms: the disk's at most, not
// what they waited for a busy CPU, as the run's stages that only compute do.
static double disk_wait_ms(const struct detector_view *view) {
    const struct stage *stage = view->stage;
    return cost_beyond_cpu_wait((double)stage->spill_wait_ms, (double)stage->spill_cpu_ns / 1e6,
                                cost_cpu_wait_share(view->app, stage));
}

// Spark has no timer for spilling. What it cost is at most what the tasks that spilled show: the
// waiting that nothing else explains, and a share of their CPU time; and no more than the bytes
// would take on a slow disk. Tasks that do not tell their CPU time show only the bytes.
static double spill_work_s(const struct detector_view *view) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    const double mib = 1024.0 * 1024.0;
    double disk_s = 2 * (double)s->disk_spilled_bytes / mib / view->thresholds[SPILL_DISK_RATE];
    double cpu_s = (double)s->memory_spilled_bytes / mib / view->thresholds[SPILL_MEMORY_RATE];
    if (stage_tells_cpu(stage)) {
        disk_s = fmin(disk_s, disk_wait_ms(view) / 1000);
        cpu_s = fmin(cpu_s, share_of_cpu(s) * (double)stage->spill_cpu_ns / 1e9);
    }
    return fmin(disk_s + cpu_s, SPILL_SHARE_MOST * (double)stage->spill_task_ms / 1000);
}

static double failed_s(const struct stage *stage) {
    return (double)stage->failed_ms / 1000 / cost_slots(stage);
}

// Attempts died of the same lack of memory, and that cost more.
static bool deaths_cost_more(const struct stage *stage, double saving_s) {
    bool died = failure_ooms(stage->failures) + stage->failures[FAILURE_CONTAINER_KILLED] > 0;
    return died && (stage->summary.failed || failed_s(stage) >= saving_s);
}

// A container that was killed for all of its memory says nothing of the heap.
static void judge_deaths(const struct stage *stage, struct verdict *out) {
    int64_t ooms = failure_ooms(stage->failures);
    out->opens = ooms > 0;
    if (ooms == 0) {
        out->cap = SEVERITY_NEGLIGIBLE;
        return;
    }
    out->cause = CAUSE_OOM;
    out->floor = SEVERITY_MODERATE;
    out->saving_s = failed_s(stage);
    verdict_summary(out, "stage %d: %lld task attempt%s ran out of memory",
                    (int)stage->summary.stage, (long long)ooms, ooms == 1 ? "" : "s");
}

static void judge_spill_or_gc(const struct detector_view *view, double gc_share,
                              struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    double spill_s = cost_of_work(stage, spill_work_s(view));
    bool gc_high = gc_share > view->thresholds[GC_SHARE];
    // Half of the threshold is what healthy stages pay. A pause counts once for each task that it
    // stopped, as their run time does.
    double usual_ms = view->thresholds[GC_SHARE] / 2 * (double)s->run_ms;
    double gc_s = gc_high ? cost_of_work(stage, ((double)s->gc_ms - usual_ms) / 1000) : 0;
    char memory[SPAN_TEXT_SIZE], disk[SPAN_TEXT_SIZE];
    if (out->rule_met == TRI_TRUE && spill_s >= gc_s) {
        out->cause = CAUSE_SPILL;
        out->saving_s = spill_s;
        verdict_summary(out, "stage %d spilled %s of memory to %s on disk", (int)s->stage,
                        span_format_bytes((double)s->memory_spilled_bytes, memory),
                        span_format_bytes((double)s->disk_spilled_bytes, disk));
    } else if (gc_high) {
        out->cause = CAUSE_GC;
        out->opens = true;
        out->saving_s = gc_s;
        verdict_summary(out, "stage %d spent %.0f %% of its run time in garbage collection",
                        (int)s->stage, 100 * gc_share);
    }
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    const struct stage_summary *s = &stage->summary;
    if (stage->tasks_with_metrics == 0) {
        out->reason = "no task of the stage reported metrics";
    } else {
        out->rule_met =
            s->memory_spilled_bytes > 0 || s->disk_spilled_bytes > 0 ? TRI_TRUE : TRI_FALSE;
    }
    double gc_share = s->run_ms > 0 ? fmin(1, (double)s->gc_ms / (double)s->run_ms) : 0;
    if (out->rule_met != TRI_NULL) {
        judge_spill_or_gc(view, gc_share, out);
    }
    if (deaths_cost_more(stage, out->saving_s)) {
        judge_deaths(stage, out);
    }
    if (out->rule_met != TRI_TRUE && !out->opens) {
        return;
    }
    verdict_evidence(out, "memory_spilled_bytes", (double)s->memory_spilled_bytes);
    verdict_evidence(out, "disk_spilled_bytes", (double)s->disk_spilled_bytes);
    verdict_evidence(out, "spill_task_ms", (double)stage->spill_task_ms);
    verdict_evidence(out, "spill_wait_ms", (double)stage->spill_wait_ms);
    verdict_evidence(out, "spill_cpu_ms", (double)stage->spill_cpu_ns / 1e6);
    if (disk_wait_ms(view) < (double)stage->spill_wait_ms) {
        verdict_evidence(out, "spill_wait_beyond_cpu_ms", disk_wait_ms(view));
    }
    verdict_evidence(out, "gc_ms", (double)s->gc_ms);
    verdict_evidence(out, "run_ms", (double)s->run_ms);
    verdict_evidence(out, "gc_share", gc_share);
    verdict_evidence(out, "oom_failures", (double)failure_ooms(stage->failures));
    verdict_evidence(out, "container_killed", (double)stage->failures[FAILURE_CONTAINER_KILLED]);
    verdict_evidence(out, "tasks", (double)s->tasks);
    verdict_evidence(out, "slots", (double)stage->slots);
    verdict_evidence(out, "peak_task_memory_bytes", (double)stage->peak_memory_bytes);
    verdict_evidence(out, "executor_memory_mib", (double)view->app->executor_memory_mib);
}

static const struct remedy remedies[] = {
    {CAUSE_GC,
     "Less garbage: leaner structures (primitive arrays instead of objects), Kryo "
     "serialisation, fewer cached objects; else more executor memory. Cut long lineages by "
     "checkpointing."},
    {CAUSE_NONE,
     "Give each task less to hold or more room: more partitions, more executor memory, leaner "
     "structures, Kryo serialisation; cut long lineages by checkpointing."},
};

const struct detector detector_memory_pressure = {
    .kind = KIND_MEMORY_PRESSURE,
    .subject = SUBJECT_STAGE,
    .help = "a stage spills to disk, collects garbage too long or runs out of memory",
    .rule = "memory + disk bytes spilled > 0; also opens at GC > 10 % of run time and on "
            "out-of-memory failures, about which `task_failures` advises",
    .unknown_when = "no task with metrics",
    .never_text = "no task of the run reported metrics",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineMemoryPressure",
    .alert_summary = "Pipeline short of memory",
    .judge = judge,
};
