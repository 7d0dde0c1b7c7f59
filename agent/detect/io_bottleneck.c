// io_bottleneck: tasks that read input spend more time reading than computing. Called through the
// detector table. Where work runs outside the JVM, waiting looks like reading: then it stays quiet;
// likewise where a CPU is busy, which stages that do not read tell.
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"

enum { SMALL_FILES_TASKS = 100, SMALL_FILES_BYTES = 1 << 20 };

static const struct detector_threshold thresholds[] = {
    {"ratio", "share of reading in reading + computing above which input is the bottleneck", 0.5,
     0.01, 0.99, "base rule; spark-tui calls a stage I/O-bound below 30 % CPU of its run time"},
};

// What the verdict rests on.
struct reading {
    double read_ns, compute_ns;
    double busy;    // share of waiting for a CPU
    double rest_ns; // of the reading, what is none of that
    double bytes_per_task;
    bool contention; // that explains it
    bool foreign;    // part of the work is done outside the JVM
};

static struct reading look(const struct detector_view *view) {
    const struct stage *stage = view->stage;
    struct reading r = {
        .read_ns = (double)stage->summary.read_ns,
        .compute_ns = (double)stage->io_cpu_ns,
        .busy = cost_cpu_wait_share(view->app, stage),
        .bytes_per_task = (double)stage->summary.input_bytes / (double)stage->io_tasks,
        .foreign = view->app->foreign_engine || stage->python,
    };
    r.rest_ns = cost_beyond_cpu_wait(r.read_ns, r.compute_ns, r.busy);
    r.contention = r.rest_ns <= view->thresholds[0] * (r.rest_ns + r.compute_ns);
    return r;
}

static void tell(const struct stage *stage, const struct reading *r, struct verdict *out) {
    const struct stage_summary *s = &stage->summary;
    double all_ns = r->read_ns + r->compute_ns;
    double share = all_ns > 0 ? r->read_ns / all_ns : 0;
    verdict_evidence(out, "read_ms", r->read_ns / 1e6);
    verdict_evidence(out, "compute_ms", r->compute_ns / 1e6);
    verdict_evidence(out, "read_share", share);
    if (r->busy > 0) {
        verdict_evidence(out, "cpu_wait_share", r->busy);
        verdict_evidence(out, "read_beyond_cpu_wait_ms", r->rest_ns / 1e6);
    }
    verdict_evidence(out, "reading_tasks", (double)stage->io_tasks);
    verdict_evidence(out, "input_bytes", (double)s->input_bytes);
    verdict_evidence(out, "input_records", (double)s->input_records);
    verdict_evidence(out, "scan_ms", stage->scan_tasks > 0 ? (double)stage->scan_ns / 1e6 : -1);
    verdict_evidence(out, "slots", (double)stage->slots);
    verdict_evidence(out, "outside_jvm", r->foreign ? 1 : 0);
    verdict_evidence(out, "input_bytes_per_task", r->bytes_per_task);
    char read[SPAN_TEXT_SIZE], compute[SPAN_TEXT_SIZE], tasks[SPAN_TEXT_SIZE];
    verdict_summary(
        out,
        "stage %d spent %s of task time reading input against %s computing (%.0f %%), over %s "
        "task%s%s%s",
        (int)s->stage, span_format_seconds(r->read_ns / 1e9, read),
        span_format_seconds(r->compute_ns / 1e9, compute), 100 * share,
        span_format_count((double)stage->io_tasks, tasks), stage->io_tasks == 1 ? "" : "s",
        r->foreign ? "; part of it may be work outside the JVM" : "",
        r->contention ? "; the run's tasks that only compute wait as much: for a CPU" : "");
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    if (stage->io_tasks == 0) {
        out->reason = stage->summary.input_bytes > 0 && !stage_tells_cpu(stage)
                          ? "the tasks that read input do not tell their CPU time"
                          : "no successful task read input bytes";
        return;
    }
    struct reading r = look(view);
    bool met = r.read_ns > view->thresholds[0] * (r.read_ns + r.compute_ns);
    out->rule_met = met ? TRI_TRUE : TRI_FALSE;
    if (!met) {
        return;
    }
    out->saving_s = cost_of_work(stage, r.rest_ns / 1e9);
    if (r.contention) {
        out->cause = CAUSE_OVERSUBSCRIBED;
        out->cap = SEVERITY_NEGLIGIBLE; // stages that only compute tell of it
    }
    // A task per tiny file spends its time on opening files, whoever does the rest of the work.
    bool small_files = stage->io_tasks >= SMALL_FILES_TASKS && r.bytes_per_task < SMALL_FILES_BYTES;
    if (r.foreign && stage->scan_tasks == 0 && !small_files) {
        out->cap = SEVERITY_NEGLIGIBLE; // cannot tell reading from work in another process
    } else if (r.foreign && stage->scan_tasks == 0) {
        verdict_doubt(out, CONFIDENCE_MEDIUM, "work outside the JVM may look like reading");
    }
    tell(stage, &r, out);
}

static const struct remedy remedies[] = {
    {CAUSE_OVERSUBSCRIBED,
     "It is no matter of the input: tasks wait for a CPU, in stages that read nothing as well. "
     "Give executors as many cores as they really have, or look for what else runs on the hosts."},
    {CAUSE_NONE,
     "Read less, and read it faster: a columnar format (Parquet, ORC), data partitioned by what "
     "queries filter on, files of 128 MB to 1 GB instead of many small or one unsplittable "
     "compressed file, and caching of what is read more than once."},
};

const struct detector detector_io_bottleneck = {
    .kind = KIND_IO_BOTTLENECK,
    .subject = SUBJECT_STAGE,
    .completeness = 0.25,
    .help = "reading input takes longer than computing on it",
    .rule = "read > 0.5 x (read + compute), over tasks with input bytes: read = run - CPU "
            "- GC - fetch wait - shuffle write, at most the scans' own time; compute = CPU "
            "time",
    .unknown_when = "no task with input bytes that tells its CPU time (Spark before 2.1 does not)",
    .never_text = "no successful task of the run read input bytes and told its CPU time",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .by_run = true,
    .alert_name = "PipelineIoBottleneck",
    .alert_summary = "Pipeline slowed by reading its input",
    .judge = judge,
};
