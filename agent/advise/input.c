// input: what to do about data that is stored so that reading it takes the time: many small files,
// one that cannot be split, a database read through one connection, text where columns would do,
// the same files again and again. Called through the table of advisors, before partitioning, which
// leaves to it what it answers. Settings hardly help here, so it gives the lines to write.
#include <math.h>
#include <stdio.h>

#include "advise/sizing.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
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

// What is to be done about the dearest verdict.
enum way { WAY_COMPACT, WAY_PACK, WAY_SPLIT, WAY_CONNECT, WAY_CACHE, WAY_COLUMNS, WAY_LESS };

static enum way way_of(const struct app *app, const struct bottleneck *b,
                       const struct stage *stage) {
    if (b->kind == KIND_SMALL_FILES) {
        return facts_evidence(b, "files_by_tasks") > 0 ? WAY_PACK : WAY_COMPACT;
    }
    if (reads_database(app, stage)) {
        return WAY_CONNECT;
    }
    if (b->kind != KIND_IO_BOTTLENECK) {
        return WAY_SPLIT;
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
        return ceil(fmax(1, facts_evidence(b, "files_bytes")) / SIZING_PARTITION_BYTES);
    case WAY_CONNECT:
        return fmin(slots, CONNECTIONS_MAX);
    default: {
        double bytes = facts_evidence(b, "input_bytes");
        return fmax((double)sizing_partitions(bytes), slots);
    }
    }
}

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
    [WAY_CONNECT] =
        "# PySpark: a number or date with an index, and its smallest and largest value\n"
        "df = spark.read.jdbc(url, table, column=\"id\", lowerBound=1,\n"
        "                     upperBound=1000000, numPartitions=@, properties=p)\n"
        "-- SQL\n"
        "CREATE TEMPORARY VIEW t USING jdbc OPTIONS (url '...', dbtable '...',\n"
        "  partitionColumn 'id', lowerBound '1', upperBound '1000000',\n"
        "  numPartitions '@')\n",
    [WAY_CACHE] = "# PySpark: before the first use\n"
                  "df = spark.read.format(fmt).load(path).select(...).where(...).persist()\n"
                  "-- SQL\n"
                  "CACHE TABLE t AS SELECT ... FROM files WHERE ...\n",
    [WAY_COLUMNS] =
        "# PySpark: once\n"
        "spark.read.format(fmt).load(path).write.partitionBy(\"day\")"
        ".parquet(new_path)\n"
        "-- SQL\n"
        "CREATE TABLE t USING parquet PARTITIONED BY (day) AS SELECT * FROM old_table\n",
    [WAY_LESS] = NULL,
};

static const char *const when_not[] = {
    [WAY_COMPACT] = "Not if they are read only once: then have them written larger.",
    [WAY_PACK] = "Not if each file must stay whole in one record.",
    [WAY_SPLIT] = "Not if what follows is cheaper than moving the rows once.",
    [WAY_CONNECT] = "Not more connections at once than the database bears.",
    [WAY_CACHE] =
        "Not if it does not fit beside what else needs the memory: then write it out once.",
    [WAY_COLUMNS] = "Not if the data is read only once.",
    [WAY_LESS] = "Not if all of the data is needed: then only a faster source helps.",
};

// What the numbers say beyond the detector's own words, which speak of files in general.
static void say(const struct app *app, const struct answers *answers, const struct stage *stage,
                enum way way, struct buf *out) {
    const struct bottleneck *b = answers->list[0];
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
    if (way == WAY_CACHE) {
        buf_printf(out, "Keep what is read in memory: %u stages read the same files.",
                   times_read(app, stage));
    }
    answers_add_remedies(answers, NULL, out);
    if (way == WAY_COMPACT || way == WAY_PACK) {
        buf_printf(out, " %.0f file%s of 128 MiB would hold the %s of those %s.", count,
                   count == 1 ? "" : "s",
                   span_format_bytes(facts_evidence(b, "files_bytes"), bytes),
                   span_format_count(facts_evidence(b, "files"), files));
    } else if (way == WAY_SPLIT) {
        buf_printf(out, " %.0f partitions fit it.", count);
    }
}

static void recommend(const struct advice_view *view, struct advice *out) {
    static const enum bottleneck_kind kinds[] = {KIND_SMALL_FILES, KIND_IO_BOTTLENECK,
                                                 KIND_LOW_PARALLELISM, KIND_OVERSIZED_PARTITIONS};
    struct answers answers = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        answers_take(view, kinds[i], is_asked, &answers);
    }
    if (answers.count > 0) {
        const struct bottleneck *worst = answers.list[0];
        const struct stage *stage = app_stage(view->app, worst->stage, worst->stage_attempt);
        enum way way = way_of(view->app, worst, stage);
        struct recommendation *r = advice_add(out, view, ADVICE_INPUT);
        struct buf what = {0};
        say(view->app, &answers, stage, way, &what);
        r->code = codes[way] != NULL ? answers_code(codes[way], count_of(worst, stage, way)) : NULL;
        r->when_not = when_not[way];
        snprintf(r->saving_how, sizeof r->saving_how,
                 "sum over %u stage%s of what reading cost beyond the work on what was read, at "
                 "most",
                 answers.count, answers.count == 1 ? "" : "s");
        answers_finish(&answers, &what, r);
    }
    answers_fini(&answers);
}

const struct advisor advisor_input = {
    .name = "input",
    .help = "how to store or read the input so that reading does not take the time: fewer files of "
            "128 MiB, files that can be split, several connections to a database, columns, "
            "caching; with the lines to write; for small_files, io_bottleneck, and for "
            "low_parallelism and oversized_partitions of what cannot be split or of a database",
    .advise = recommend,
};
