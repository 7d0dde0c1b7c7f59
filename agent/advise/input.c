// input: what to do about data that is stored so that reading it takes the time: many small files,
// also those that the run itself writes, one that cannot be split, a database read through one
// connection, text where columns would do, the same files again and again. Called through the table
// of advisors, before partitioning, which leaves to it what it answers. Settings hardly help here,
// so it gives the lines to write.
#include <math.h>
#include <stdio.h>

#include "advise/sizing.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "detect/cost.h"
#include "facts.h"
#include "model/operator.h"

enum { CONNECTIONS_MAX = 16 };

// A database, and nothing else, is read.
static bool reads_database(const struct app *app, const struct stage *stage) {
    return stage != NULL && (app_stage_works(app, stage) & WORK_READS) == WORK_JDBC;
}

static bool is_asked(const struct app *app, const struct bottleneck *b) {
    bool cut = b->kind == KIND_LOW_PARALLELISM || b->kind == KIND_OVERSIZED_PARTITIONS;
    const struct stage *stage = cut ? app_stage(app, b->stage, b->stage_attempt) : NULL;
    return b->kind == KIND_SMALL_FILES || b->kind == KIND_IO_BOTTLENECK ||
           (cut && (b->cause == CAUSE_UNSPLITTABLE || reads_database(app, stage)));
}

// How often the files of a stage are read by the run, as far as its plans tell of the same.
static unsigned times_read(const struct app *app, const struct stage *stage) {
    unsigned times = 0;
    for (uint32_t i = 0; stage != NULL && stage->files > 0 && i < app->stage_count; i++) {
        const struct stage *other = app->stages[i];
        times += other->files == stage->files && other->files_bytes == stage->files_bytes &&
                 other->summary.attempt == 0;
    }
    return times;
}

enum { FILES, MIB, FILE_CPU_MS }; // the thresholds of small_files

// What a command of the run wrote, if it made many small files where fewer would have done; NULL if
// none did. What many and small are is small_files' own.
static const struct app_written *written_small(const struct advice_view *view) {
    const struct app_written *w = &view->app->written;
    const double *small = view->thresholds->of[KIND_SMALL_FILES];
    double files = (double)w->files, bytes = (double)w->bytes;
    bool many = files >= small[FILES] && bytes <= small[MIB] * 1048576 * files;
    return many && files > ceil(bytes / SIZING_PARTITION_BYTES) ? w : NULL;
}

// Hardly more than a file in each of its folders: there are too many of these.
static bool is_cut_too_fine(const struct app_written *written) {
    return written->folders > 0 && written->files < 2 * written->folders;
}

// What the stage reads, all or a part of it, an earlier execution of the run wrote.
static bool reads_written(const struct app_written *written, const struct stage *stage) {
    return written != NULL && stage != NULL && stage->files > 0 && stage->files <= written->files &&
           stage->files_bytes <= written->bytes && written->execution < stage->execution;
}

// The stage that wrote them, NULL if it is not known any more.
static const struct stage *writer_of(const struct app *app, const struct app_written *written) {
    const struct stage *writer = NULL;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        int64_t most = writer != NULL ? writer->summary.output_bytes : 0;
        if (written->execution > 0 && stage->execution == written->execution &&
            stage->summary.output_bytes > most) {
            writer = stage;
        }
    }
    return writer;
}

// What it waited for is known: not where work is done outside the JVM, nor of a source that tells
// no bytes, whose waiting cannot be told from that for what is written.
static bool waits_for_files(const struct app *app, const struct stage *writer) {
    unsigned source = app_stage_works(app, writer) & (WORK_JDBC | WORK_TABLE);
    return !writer->python && !app->foreign_engine && (source == 0 || writer->io_tasks > 0);
}

// What the run would have saved by writing no more files than needed: one of 128 MiB, one in each
// folder unless these are too many, one for each slot. Of the time of the tasks that wrote, all of
// it that they waited, but for what they waited for a busy CPU and what they read: to create a
// file, to close it, to move it where it belongs. The bytes would have been waited for, too, so it
// is the most. Of their CPU time what small_files takes for a file; and what the driver took to
// commit them all.
static double writing_saves_s(const struct advice_view *view, const struct app_written *w) {
    const struct stage *stage = writer_of(view->app, w);
    double files = (double)w->files, task_s = 0;
    double needed = ceil((double)w->bytes / SIZING_PARTITION_BYTES);
    needed = is_cut_too_fine(w) ? needed : fmax(needed, (double)w->folders);
    needed = fmax(needed, stage != NULL ? cost_slots(stage) : 1);
    double gone = 1 - fmin(1, needed / fmax(1, files));
    if (stage != NULL && waits_for_files(view->app, stage)) {
        const struct stage_summary *s = &stage->summary;
        double file_cpu_ms = view->thresholds->of[KIND_SMALL_FILES][FILE_CPU_MS];
        double waited_ms = fmax(0, (double)stage->write_wait_ns - (double)s->read_ns) / 1e6;
        waited_ms = cost_beyond_cpu_wait(waited_ms, (double)s->cpu_ns / 1e6,
                                         cost_cpu_wait_share(view->app, stage));
        double cpu_ms = fmin((double)s->cpu_ns / 1e6, files * file_cpu_ms);
        task_s = gone * (waited_ms + cpu_ms) / 1000;
    }
    double writing_s = stage != NULL ? cost_of_work(stage, task_s) : 0;
    return writing_s + gone * (double)w->commit_ms / 1000;
}

// Of what one task reads, wherever more could: to move its rows to these.
static double moving_s(const struct bottleneck *b) {
    bool whole = b->kind == KIND_LOW_PARALLELISM && b->cause == CAUSE_UNSPLITTABLE;
    double rows = whole ? facts_evidence(b, "records") : 0;
    return sizing_moving_s(rows, facts_evidence(b, "tasks"), facts_evidence(b, "live_slots"));
}

static bool is_not_worth_moving(const struct bottleneck *b) {
    return moving_s(b) > 0 && moving_s(b) >= b->saving_s;
}

// What of the savings moving the rows takes.
static double moved_s(const struct answers *answers) {
    double sum_s = 0;
    for (uint32_t i = 0; i < answers->count; i++) {
        sum_s += fmin(answers->list[i]->saving_s, moving_s(answers->list[i]));
    }
    return sum_s;
}

static const char *rewrite_words(const struct bottleneck *b) {
    return is_not_worth_moving(b)
               ? "The input cannot be split, so one task reads a whole file: write it in a format "
                 "that can (Parquet, ORC, or text that is uncompressed or packed with bzip2), or "
                 "as many smaller files. To repartition right after reading would take about as "
                 "long as it saves."
               : NULL;
}

// What is to be done about the dearest verdict.
enum way {
    WAY_COMPACT,
    WAY_PACK,
    WAY_SPLIT,
    WAY_REWRITE, // likewise, where moving the rows takes as long as it saves
    WAY_CONNECT,
    WAY_CACHE,
    WAY_COLUMNS,
    WAY_LESS,
    WAY_WRITE,       // fewer files to begin with
    WAY_WRITE_PARTS, // by what it is partitioned by
    WAY_WRITE_COARSER,
};

static enum way way_of_writing(const struct app_written *written) {
    return written->folders == 0      ? WAY_WRITE
           : is_cut_too_fine(written) ? WAY_WRITE_COARSER
                                      : WAY_WRITE_PARTS;
}

static enum way way_of(const struct app *app, const struct app_written *written,
                       const struct bottleneck *b, const struct stage *stage) {
    if (b->kind == KIND_SMALL_FILES && reads_written(written, stage)) {
        return way_of_writing(written);
    }
    if (b->kind == KIND_SMALL_FILES) {
        return facts_evidence(b, "files_by_tasks") > 0 ? WAY_PACK : WAY_COMPACT;
    }
    if (reads_database(app, stage)) {
        return WAY_CONNECT;
    }
    if (b->kind != KIND_IO_BOTTLENECK) {
        return is_not_worth_moving(b) ? WAY_REWRITE : WAY_SPLIT;
    }
    bool text = stage != NULL && (app_stage_works(app, stage) & WORK_TEXT) != 0;
    return times_read(app, stage) > 1 ? WAY_CACHE : text ? WAY_COLUMNS : WAY_LESS;
}

// Of partitions, files or connections, whichever it is about.
static double count_of(const struct bottleneck *b, const struct stage *stage, enum way way) {
    double slots = stage != NULL && stage->live_slots > 0 ? (double)stage->live_slots : 1;
    switch (way) {
    case WAY_COMPACT:
    case WAY_PACK:
    case WAY_WRITE:
        return ceil(fmax(1, facts_evidence(b, "files_bytes")) / SIZING_PARTITION_BYTES);
    case WAY_CONNECT:
        return fmin(slots, CONNECTIONS_MAX);
    default: {
        double bytes = facts_evidence(b, "input_bytes");
        return fmax((double)sizing_partitions(bytes), slots);
    }
    }
}

static const char write_code[] = "# PySpark: before the write\n"
                                 "df.repartition(@).write.format(fmt).save(path)\n"
                                 "-- SQL\n"
                                 "INSERT OVERWRITE t SELECT /*+ REPARTITION(@) */ * FROM ...\n";
static const char write_parts_code[] =
    "# PySpark: by the column of partitionBy, so that a folder's rows are in one task\n"
    "df.repartition(\"day\").write.partitionBy(\"day\").format(fmt).save(path)\n"
    "-- SQL\n"
    "INSERT OVERWRITE t PARTITION (day)\n"
    "  SELECT /*+ REPARTITION(day) */ ..., day FROM ...\n";
static const char write_coarser_code[] =
    "# PySpark: by what has fewer values, a month for a day\n"
    "df.withColumn(\"month\", F.trunc(\"day\", \"month\")).repartition(\"month\")"
    ".write.partitionBy(\"month\").format(fmt).save(path)\n"
    "-- SQL\n"
    "INSERT OVERWRITE t PARTITION (month)\n"
    "  SELECT /*+ REPARTITION(month) */ ..., trunc(day, 'MM') AS month FROM ...\n";

// @ is how many.
static const char *const codes[] = {
    [WAY_COMPACT] = "# PySpark: once, and at the end of the job that writes them\n"
                    "spark.read.format(fmt).load(path).repartition(@)"
                    ".write.format(fmt).save(new_path)\n"
                    "-- SQL\n"
                    "INSERT OVERWRITE new_table SELECT /*+ REPARTITION(@) */ * FROM old_table\n",
    [WAY_PACK] = "# PySpark: packs many files into a task, which textFile does not\n"
                 "lines = spark.read.text(path).rdd.map(lambda row: row.value)\n"
                 "# once, and at the end of the job that writes them\n"
                 "spark.read.text(path).repartition(@).write.text(new_path)\n",
    [WAY_SPLIT] = "# PySpark: right after reading\n"
                  "df = spark.read.format(fmt).load(path).repartition(@)\n"
                  "-- SQL\n"
                  "SELECT /*+ REPARTITION(@) */ ... FROM t\n",
    [WAY_REWRITE] = "# PySpark: once, and at the end of the job that writes it\n"
                    "spark.read.format(fmt).load(path).repartition(@).write.parquet(new_path)\n"
                    "-- SQL\n"
                    "CREATE TABLE t USING parquet AS SELECT /*+ REPARTITION(@) */ * FROM "
                    "old_table\n",
    [WAY_CONNECT] =
        "# PySpark: a number or date with an index, and its smallest and largest value\n"
        "df = spark.read.jdbc(url, table, column=\"id\", lowerBound=1,\n"
        "                     upperBound=1000000, numPartitions=@, properties=p)\n"
        "-- SQL\n"
        "CREATE TEMPORARY VIEW t USING jdbc OPTIONS (url '...', dbtable '...',\n"
        "  partitionColumn 'id', lowerBound '1', upperBound '1000000',\n"
        "  numPartitions '@')\n",
    [WAY_CACHE] = ANSWERS_KEEP_CODE,
    [WAY_COLUMNS] =
        "# PySpark: once\n"
        "spark.read.format(fmt).load(path).write.partitionBy(\"day\")"
        ".parquet(new_path)\n"
        "-- SQL\n"
        "CREATE TABLE t USING parquet PARTITIONED BY (day) AS SELECT * FROM old_table\n",
    [WAY_LESS] = NULL,
    [WAY_WRITE] = write_code,
    [WAY_WRITE_PARTS] = write_parts_code,
    [WAY_WRITE_COARSER] = write_coarser_code,
};

static const char *const when_not[] = {
    [WAY_COMPACT] = "Not if they are read only once: then have them written larger.",
    [WAY_PACK] = "Not if each file must stay whole in one record.",
    [WAY_SPLIT] = "Not if what follows is cheaper than moving the rows once.",
    [WAY_REWRITE] = "Not if it is read only once: then have it written otherwise.",
    [WAY_CONNECT] = "Not more connections at once than the database bears.",
    [WAY_CACHE] =
        "Not if it does not fit beside what else needs the memory: then write it out once.",
    [WAY_COLUMNS] = "Not if the data is read only once.",
    [WAY_LESS] = "Not if all of the data is needed: then only a faster source helps.",
    [WAY_WRITE] = "Not if moving the rows once more costs more than all who read them save.",
    [WAY_WRITE_PARTS] = "Not by that column alone where one of its values has most of the rows.",
    [WAY_WRITE_COARSER] = "Not where each reader wants just one of these folders.",
};

// " stage 3 writes 2,400 files of 310 KiB each, into 40 folders", and what to do about it.
static void say_written(const struct app *app, const struct app_written *written, struct buf *out) {
    static const char *const says[] = {
        [WAY_WRITE] = "fewer partitions before the write make fewer files",
        [WAY_WRITE_PARTS] = "repartition by the columns of partitionBy before the write",
        [WAY_WRITE_COARSER] = "partition by what has fewer values, a month for a day",
    };
    const struct stage *writer = writer_of(app, written);
    char files[SPAN_TEXT_SIZE], each[SPAN_TEXT_SIZE], folders[SPAN_TEXT_SIZE];
    buf_add_text(out, "The run itself writes small files");
    if (writer != NULL) {
        buf_printf(out, ", in stage %d", (int)writer->summary.stage);
    }
    buf_printf(out, ": %s of %s each", span_format_count((double)written->files, files),
               span_format_bytes((double)written->bytes / (double)written->files, each));
    if (written->folders > 0) {
        buf_printf(out, ", into %s folder%s", span_format_count((double)written->folders, folders),
                   written->folders == 1 ? "" : "s");
    }
    buf_printf(out, "; %s.", says[way_of_writing(written)]);
}

// The dearest; but columns do not help while one task has to read all of it: what cannot be split,
// or comes through one connection, comes first where it is of the same stage.
static const struct bottleneck *first_of(const struct answers *answers) {
    const struct bottleneck *dearest = answers->list[0];
    for (uint32_t i = 1; i < answers->count && dearest->kind == KIND_IO_BOTTLENECK; i++) {
        const struct bottleneck *b = answers->list[i];
        if (b->kind == KIND_LOW_PARALLELISM && b->stage == dearest->stage &&
            b->stage_attempt == dearest->stage_attempt) {
            return b;
        }
    }
    return dearest;
}

// What the numbers say beyond the detector's own words, which speak of files in general.
static void say(const struct app *app, const struct answers *answers, const struct bottleneck *b,
                const struct stage *stage, enum way way, struct buf *out) {
    double count = count_of(b, stage, way);
    char bytes[SPAN_TEXT_SIZE], files[SPAN_TEXT_SIZE];
    if (way == WAY_CONNECT) {
        buf_printf(out,
                   "Read the database through %.0f connections at once: the options "
                   "partitionColumn, lowerBound, upperBound and numPartitions, or predicates, "
                   "one for each partition.",
                   count);
        return;
    }
    if (way >= WAY_WRITE) {
        say_written(app, &app->written, out);
        return;
    }
    if (way == WAY_CACHE) {
        buf_printf(out, "Keep what is read in memory: %u stages read the same files.",
                   times_read(app, stage));
    }
    answers_add_remedies(answers, rewrite_words, out);
    if (way == WAY_COMPACT || way == WAY_PACK) {
        buf_printf(out, " %.0f file%s of 128 MiB would hold the %s of those %s.", count,
                   count == 1 ? "" : "s",
                   span_format_bytes(facts_evidence(b, "files_bytes"), bytes),
                   span_format_count(facts_evidence(b, "files"), files));
    } else if (way == WAY_SPLIT) {
        buf_printf(out, " %.0f partitions fit it.", count);
    }
}

// Of what nobody reads here: whoever will, has to open them.
static void recommend_writing(const struct advice_view *view, const struct app_written *written,
                              struct advice *out) {
    enum way way = way_of_writing(written);
    struct recommendation *r = advice_add(out, view, ADVICE_INPUT);
    struct answers none = {0};
    struct buf what = {0};
    say_written(view->app, written, &what);
    double fits = ceil((double)written->bytes / SIZING_PARTITION_BYTES);
    r->code = answers_code(codes[way], fmax(1, fits));
    r->when_not = when_not[way];
    r->saving_s = writing_saves_s(view, written);
    snprintf(r->saving_how, sizeof r->saving_how, "%s",
             r->saving_s > 0 ? "what its tasks waited to write files, and the commit of those too "
                               "many, at most; and whoever reads them"
                             : "no time of this run: whoever reads them");
    answers_finish(&none, &what, r);
}

static void recommend_reading(const struct advice_view *view, const struct answers *answers,
                              const struct app_written *written, struct advice *out) {
    const struct bottleneck *worst = first_of(answers);
    const struct stage *stage = app_stage(view->app, worst->stage, worst->stage_attempt);
    enum way way = way_of(view->app, written, worst, stage);
    struct recommendation *r = advice_add(out, view, ADVICE_INPUT);
    struct buf what = {0};
    say(view->app, answers, worst, stage, way, &what);
    if (way < WAY_WRITE && written != NULL) {
        buf_add_char(&what, ' ');
        say_written(view->app, written, &what);
    }
    r->code = codes[way] != NULL ? answers_code(codes[way], count_of(worst, stage, way)) : NULL;
    r->when_not = when_not[way];
    r->saving_s = answers->saving_s + (way < WAY_WRITE ? 0 : writing_saves_s(view, written));
    snprintf(r->saving_how, sizeof r->saving_how,
             "sum over %u stage%s of what reading cost beyond the work on what was read%s%s, at "
             "most",
             answers->count, answers->count == 1 ? "" : "s",
             moved_s(answers) > 0 ? ", less what moving the rows takes" : "",
             way < WAY_WRITE ? "" : ", and what writing so many files waited for");
    answers_finish(answers, &what, r);
    r->saving_s = fmax(0, r->saving_s - moved_s(answers));
    if (r->saving_s == 0 && way == WAY_REWRITE) {
        snprintf(r->saving_how, sizeof r->saving_how,
                 "nothing by moving the rows in this run, which takes as long: whoever reads them "
                 "from then on");
    }
}

static void recommend(const struct advice_view *view, struct advice *out) {
    static const enum bottleneck_kind kinds[] = {KIND_SMALL_FILES, KIND_IO_BOTTLENECK,
                                                 KIND_LOW_PARALLELISM, KIND_OVERSIZED_PARTITIONS};
    const struct app_written *written = written_small(view);
    struct answers answers = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        answers_take(view, kinds[i], is_asked, &answers);
    }
    answers_leave_out(&answers, out);
    if (answers.count > 0) {
        recommend_reading(view, &answers, written, out);
    } else if (written != NULL) {
        recommend_writing(view, written, out);
    }
    answers_fini(&answers);
}

const struct advisor advisor_input = {
    .name = "input",
    .help =
        "how to store or read the input so that reading does not take the time: fewer files of "
        "128 MiB, files that can be split, several connections to a database, columns, "
        "caching; with the lines to write; for small_files, io_bottleneck, for low_parallelism and "
        "oversized_partitions of what cannot be split or of a database, and where a command of "
        "the run itself writes files as small as those of small_files",
    .advise = recommend,
};
