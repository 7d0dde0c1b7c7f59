// advise: the general advice per kind of bottleneck, in words, followed by the numbers of the run
// it is for. Called by engine when verdicts change. The texts follow the article's list of
// remedies.
#include "advise/advise.h"

#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/span.h"
#include "model/id.h"

struct advice_text {
    enum cause cause; // CAUSE_NONE: any
    const char *text;
};

static const struct advice_text data_skew[] = {
    {CAUSE_NONE,
     "Spread the hot keys: salt them (append a small random number to the key, aggregate "
     "twice), or use a custom partitioner; if one side of a join is small, broadcast it so "
     "that nothing is shuffled by key. On Spark 3 and later let adaptive execution split "
     "skewed join partitions."},
};
static const struct advice_text straggler[] = {
    {CAUSE_SLOW_HOST, "Look at the host before the job: disk, noisy neighbours, thermal or network "
                      "limits. Until it is mended exclude it, or turn on speculative execution."},
    {CAUSE_COSTLY_RECORDS,
     "The slow tasks have as much data as the others, so salting keys will not "
     "help: find the records that cost so much (a pattern, a large document, a "
     "deep nesting) and make their work cheaper, or split them into more tasks."},
    {CAUSE_BLOCKED,
     "The slow tasks wait rather than work: look for locks, calls to outside services, "
     "slow shuffle fetches or long garbage collections in them."},
    {CAUSE_SCHEDULING, "The slow tasks wait to be launched or to hand in their results: fewer and "
                       "larger tasks, smaller task results, a less busy driver."},
    {CAUSE_NONE,
     "Look at the slowest tasks in the Spark UI: the events do not tell what holds them."},
};
static const struct advice_text memory_pressure[] = {
    {CAUSE_OOM,
     "Give tasks more memory or less to hold: more executor memory, fewer cores per executor, "
     "more partitions; do not collect whole groups or files into one record; cut long lineages "
     "by checkpointing; use Kryo serialisation."},
    {CAUSE_GC,
     "Less garbage: leaner structures (primitive arrays instead of objects), Kryo "
     "serialisation, fewer cached objects; else more executor memory. Cut long lineages by "
     "checkpointing."},
    {CAUSE_NONE,
     "Give each task less to hold or more room: more partitions, more executor memory, leaner "
     "structures, Kryo serialisation; cut long lineages by checkpointing."},
};
static const struct advice_text network_overhead[] = {
    {CAUSE_NONE,
     "Move less data between stages: combine on the map side (reduceByKey rather than "
     "groupByKey, aggregate before joining), broadcast small tables and variables, choose "
     "the partition count to fit, keep data that is joined often partitioned the same way "
     "and the executors close to it."},
};
static const struct advice_text io_bottleneck[] = {
    {CAUSE_NONE,
     "Read less, and read it faster: a columnar format (Parquet, ORC), data partitioned by what "
     "queries filter on, files of 128 MB to 1 GB instead of many small or one unsplittable "
     "compressed file, and caching of what is read more than once."},
};
static const struct advice_text resource_contention[] = {
    {CAUSE_NONE,
     "The stage waited for task slots: give the run its own queue or a guaranteed share, start "
     "it when the cluster is less busy, raise the minimum of executors, or ask for fewer."},
};
static const struct advice_text slow_run[] = {
    {CAUSE_NONE,
     "Runs of more than an hour are best cut into smaller incremental updates: process what is "
     "new since the last run instead of everything."},
};
static const struct advice_text low_throughput[] = {
    {CAUSE_NONE,
     "For so few records a second re-evaluate the architecture: is the work bound to an outside "
     "service or to a single task, and does it need a cluster at all?"},
};
static const struct advice_text task_failures[] = {
    {CAUSE_OOM, "Task attempts die for lack of memory; see the advice on memory first."},
    {CAUSE_CONTAINER_KILLED,
     "Containers are killed for exceeding their memory: raise the memory overhead "
     "(off-heap, Python workers), not the heap."},
    {CAUSE_EXECUTOR_LOST,
     "Executors disappear and their work is done again: look at preemption, spot nodes "
     "and the resource manager's log; an external shuffle service or decommissioning "
     "keeps their output."},
    {CAUSE_FETCH_FAILED,
     "Shuffle data could not be fetched: executors died or were too busy to answer; see "
     "their loss first, then fetch retries and timeouts."},
    {CAUSE_USER_CODE,
     "The task's own code throws: handle the records it cannot take (count and set them "
     "aside) instead of failing and retrying the whole task."},
    {CAUSE_NONE,
     "Look at the first failed attempt in the Spark UI: the later ones mostly repeat it."},
};
static const struct advice_text pipeline_failure[] = {
    {CAUSE_NONE,
     "Mend the cause below and run again; if a retry alone helps, look for what differs between "
     "the attempts (memory, hosts, input)."},
};

static const struct {
    const struct advice_text *texts; // the last one is for any cause
} advice[KIND_COUNT] = {
    [KIND_DATA_SKEW] = {data_skew},
    [KIND_STRAGGLER] = {straggler},
    [KIND_MEMORY_PRESSURE] = {memory_pressure},
    [KIND_NETWORK_OVERHEAD] = {network_overhead},
    [KIND_IO_BOTTLENECK] = {io_bottleneck},
    [KIND_RESOURCE_CONTENTION] = {resource_contention},
    [KIND_SLOW_RUN] = {slow_run},
    [KIND_LOW_THROUGHPUT] = {low_throughput},
    [KIND_TASK_FAILURES] = {task_failures},
    [KIND_PIPELINE_FAILURE] = {pipeline_failure},
};

enum { NUMBERS_MAX = 3 }; // verdicts spelt out in one text

static const char *text_for(enum bottleneck_kind kind, enum cause cause) {
    const struct advice_text *text = advice[kind].texts;
    while (text->cause != CAUSE_NONE && text->cause != cause) {
        text++;
    }
    return text->text;
}

bool advise_kind(const struct run_identity *identity, enum bottleneck_kind kind,
                 const struct bottleneck *const *verdicts, uint32_t count, double duration_s,
                 struct recommendation *out) {
    const struct bottleneck *worst = NULL;
    uint32_t open = 0;
    double saving_s = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (bottleneck_is_open(verdicts[i])) {
            open++;
            saving_s += verdicts[i]->saving_s;
            worst = worst == NULL || verdicts[i]->saving_s > worst->saving_s ? verdicts[i] : worst;
        }
    }
    if (worst == NULL) {
        return false;
    }
    *out = (struct recommendation){.kind = kind_name(kind)};
    id_of_recommendation(identity, out->kind, out->id);
    out->bottlenecks = mem_alloc(open * sizeof *out->bottlenecks);
    struct buf action = {0};
    buf_add_text(&action, text_for(kind, worst->cause));
    buf_add_text(&action, " In this run: ");
    for (uint32_t i = 0; i < count; i++) {
        if (!bottleneck_is_open(verdicts[i])) {
            continue;
        }
        if (out->bottleneck_count < NUMBERS_MAX) {
            buf_add_text(&action, out->bottleneck_count > 0 ? "; " : "");
            buf_add_text(&action, verdicts[i]->summary);
        }
        memcpy(out->bottlenecks[out->bottleneck_count++], verdicts[i]->id, ID_TEXT_SIZE);
    }
    if (open > NUMBERS_MAX) {
        buf_printf(&action, "; and %u more like these", open - NUMBERS_MAX);
    }
    buf_add_char(&action, '.');
    out->action = mem_strdup(buf_text(&action));
    buf_fini(&action);
    out->saving_s = fmin(saving_s, duration_s);
    char text[SPAN_TEXT_SIZE];
    snprintf(out->saving_how, sizeof out->saving_how,
             "sum over %u verdict%s of the time each one's cause cost at most, not more than the "
             "run (%s)",
             open, open == 1 ? "" : "s", span_format_seconds(duration_s, text));
    return true;
}
