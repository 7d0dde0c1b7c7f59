// small_files: a stage reads many files far below a split, and opening them takes the time. Called
// through the detector table. How many there are the scans of its plan tell; of RDDs of files every
// task has one at least. What it costs is measured in the stage itself: time that is neither the
// CPU's nor the bytes', never an assumed price of a file, and of the CPU's what opening them takes
// at most; where workers outside the JVM hide what the time went to, a file counts for little at
// most.
#include <math.h>

#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"
#include "model/operator.h"

enum { FILES, MIB, FILE_CPU_MS };
static const struct detector_threshold thresholds[] = {
    [FILES] = {"files", "files that such a stage reads at least", 100, 2, 1e9,
               "DataFlint: more than 100 files of less than 3 MB on the average"},
    [MIB] = {"mib", "MiB that its files have at most, on the average", 3, 0.001, 1024,
             "DataFlint: more than 100 files of less than 3 MB on the average"},
    [FILE_CPU_MS] =
        {"file_cpu_ms",
         "milliseconds of CPU time that are taken for the opening or making of a file, "
         "at most",
         2, 0, 1000,
         "a bound, not a price: Spark 4.1 took 1.2 to 1.7 for each of 3,000 files of 20 "
         "rows that it read, and 2.5 for each of 2,400 that it wrote"},
};

enum { SPLIT = 128 << 20, OUTSIDE_FILE_MS = 250 };
// So many tasks that read files tell of those to come.
enum { READERS_LEAST = 10 };

// What a stage read, and what fewer files would have spared it.
struct files {
    double files, bytes, needed; // needed: files that are whole splits, one for each slot at least
    double spared_ms;            // of its tasks' time
    bool of_tasks;               // counted by tasks, not by the plan
    bool outside;                // part of its work is done outside the JVM
};

// Not of blocks that it cached, which are counted as input, too.
static bool reads_files(const struct app *app, const struct stage *stage) {
    unsigned works = app_stage_works(app, stage);
    return (works & WORK_FILES) != 0 && (stage->works & WORK_FILES) != 0;
}

// While the stage goes on: how many times the tasks that ended its tasks are, as those to come read
// what those that ended did.
static double all_over_ended(const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    bool tells = !stage->completed && stage->io_tasks >= READERS_LEAST;
    return tells && s->tasks_expected > s->tasks ? (double)s->tasks_expected / (double)s->tasks : 1;
}

static bool count(const struct detector_view *view, struct files *out) {
    const struct app *app = view->app;
    const struct stage *stage = view->stage;
    *out = (struct files){.files = (double)stage->files, .bytes = (double)stage->files_bytes};
    if (stage->files == 0 && reads_files(app, stage)) {
        double all = view->over ? 1 : all_over_ended(stage);
        out->files = all * (double)stage->io_tasks;
        out->bytes = all * (double)stage->summary.input_bytes;
        out->of_tasks = true;
    }
    out->needed = fmax(cost_slots(stage), ceil(out->bytes / SPLIT));
    out->outside = app->foreign_engine || stage->python;
    return out->files > 0;
}

// A task for each file: with fewer files there were fewer tasks, each with what all of them take at
// least, and the CPU time of the records. Else of the time off the CPU what was the reading's. Of
// the time on it, which tells files and records not apart, a little for each file.
static double spared_ms(const struct stage *stage, const struct files *files, double file_cpu_ms) {
    double gone = 1 - fmin(1, files->needed / files->files);
    double cpu_ms = (double)stage->summary.cpu_ns / 1e6;
    double waited_ms = files->of_tasks ? fmax(0, (double)stage->task_ms - cpu_ms)
                                       : (double)stage->summary.read_ns / 1e6;
    return files->outside ? fmin(gone * waited_ms, files->files * OUTSIDE_FILE_MS)
                          : gone * (waited_ms + fmin(cpu_ms, files->files * file_cpu_ms));
}

static void tell(const struct stage *stage, const struct files *files, struct verdict *out) {
    char count[SPAN_TEXT_SIZE], mean[SPAN_TEXT_SIZE], spared[SPAN_TEXT_SIZE];
    verdict_evidence(out, "files", files->files);
    verdict_evidence(out, "files_bytes", files->bytes);
    verdict_evidence(out, "bytes_per_file", files->bytes / files->files);
    verdict_evidence(out, "files_needed", files->needed);
    verdict_evidence(out, "files_by_tasks", files->of_tasks ? 1 : 0);
    verdict_evidence(out, "reading_tasks", (double)stage->io_tasks);
    verdict_evidence(out, "task_ms", (double)stage->task_ms);
    verdict_evidence(out, "cpu_ms", (double)stage->summary.cpu_ns / 1e6);
    verdict_evidence(out, "read_ms", (double)stage->summary.read_ns / 1e6);
    verdict_evidence(out, "spared_ms", files->spared_ms);
    verdict_evidence(out, "slots", cost_slots(stage));
    verdict_evidence(out, "outside_jvm", files->outside ? 1 : 0);
    verdict_summary(out, "stage %d reads %s files of %s each: %s of its tasks' time is theirs",
                    (int)stage->summary.stage, span_format_count(files->files, count),
                    span_format_bytes(files->bytes / files->files, mean),
                    span_format_ms(files->spared_ms, spared));
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct stage *stage = view->stage;
    struct files files;
    out->rule_met = TRI_FALSE;
    if (!count(view, &files) || files.files < view->thresholds[FILES] ||
        files.bytes > view->thresholds[MIB] * 1048576 * files.files ||
        files.needed >= files.files) {
        return;
    }
    out->rule_met = TRI_TRUE;
    files.spared_ms = spared_ms(stage, &files, view->thresholds[FILE_CPU_MS]);
    out->saving_s = cost_of_work(stage, files.spared_ms / 1000);
    if (app_run_kind(view->app) == RUN_KIND_STREAM) {
        out->cap = SEVERITY_LOW; // a stream reads what has just come
    }
    tell(stage, &files, out);
    if (files.outside) {
        verdict_doubt(out, CONFIDENCE_MEDIUM, "part of the work is done outside the JVM");
    }
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Read fewer and larger files: let the writer make files of 128 MB to 1 GB (repartition before "
     "writing, a table format's compaction: OPTIMIZE, rewrite_data_files), and read a folder of "
     "small files through spark.read, which packs many into one task, rather than textFile, "
     "which makes a task of each (wholeTextFiles, coalesce)."},
};

const struct detector detector_small_files = {
    .kind = KIND_SMALL_FILES,
    .subject = SUBJECT_STAGE,
    .completeness = 0.01, // what a file takes shows soon
    .help = "a stage opens many files far below a split",
    .rule =
        "at least 100 files of at most 3 MiB on the average, by the scans of its plan, or a task "
        "each of RDDs of files; it costs what of its tasks' time is neither the CPU's nor "
        "needed for files of whole splits, and 2 ms of the CPU's for each file at most. While a "
        "stage goes on, ten such tasks and more tell of "
        "those to come",
    .unknown_when = "never: a stage that reads no files has none",
    .never_text = "no stage of the run is known",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineSmallFiles",
    .alert_summary = "Pipeline reads many small files",
    .judge = judge,
};
