// streaming: what makes a query that falls behind keep up: more slots if its batches use those it
// has, more partitions of its source if they do not, state outside the heap if it is garbage that
// takes the time. Called through the table of advisors. Never advises what a checkpoint keeps as it
// was (the partitions of a stateful query), nor limits that only hide the backlog.
#include <math.h>
#include <stdio.h>

#include "advise/setting.h"
#include "answers.h"
#include "base/mem.h"
#include "base/span.h"
#include "facts.h"

enum { SPARK_ROCKSDB = 302 };
#define USED_ENOUGH 0.5 // of the slots' time: below, more of them change nothing
#define GC_SHARE 0.1

struct use {
    double slots;
    double share; // of their time that tasks ran, while there was work
    double load;  // time of a batch over the time in which its rows came
};

static struct use use_of(const struct app *app, const struct bottleneck *lag) {
    struct app_times times;
    app_times(app, &times);
    double slots = (double)(facts_tasks_at_once(app) > executors_live_slots(&app->executors)
                                ? facts_tasks_at_once(app)
                                : executors_live_slots(&app->executors));
    return (struct use){
        .slots = slots,
        .share = fmin(1, (double)app->totals.task_ms / fmax(1, slots * (double)times.busy_ms)),
        .load = fmax(1, facts_evidence(lag, "load")),
    };
}

static void set_executors(const struct app *app, double wanted, struct recommendation *r) {
    double dynamic = 0;
    (void)setting_number(app, SETTING_DYNAMIC_ALLOCATION_ENABLED, &dynamic);
    if (!facts_has_containers(app)) {
        return; // as many as there are workers
    }
    if (dynamic != 0) {
        advice_set_int(r, SETTING_DYNAMIC_ALLOCATION_MAX_EXECUTORS, wanted);
    } else {
        advice_set_int(r, SETTING_EXECUTOR_INSTANCES, wanted);
    }
}

static void advise_lag(const struct app *app, const struct bottleneck *lag,
                       struct recommendation *r, struct buf *what) {
    struct use use = use_of(app, lag);
    double each = (double)facts_tasks_at_once(app);
    double wanted_slots = ceil(use.slots * use.load);
    double gc = (double)app->totals.gc_ms / fmax(1, (double)app->totals.run_ms);
    if (use.share >= USED_ENOUGH) {
        buf_printf(what,
                   "Give the query %.0f slots instead of %.0f: its batches use %.0f %% of their "
                   "time, and rows come %.1f times as fast as they are processed. ",
                   wanted_slots, use.slots, 100 * use.share, use.load);
        set_executors(app, ceil(wanted_slots / each), r);
    } else {
        buf_printf(what,
                   "Cut each batch into more tasks: they use only %.0f %% of the time of %.0f "
                   "slots, so more slots alone would not help. ",
                   100 * use.share, use.slots);
        r->code = answers_code(
            "# PySpark, of Kafka: as many partitions as slots, whatever the topic has\n"
            "spark.readStream.format(\"kafka\").option(\"minPartitions\", @)\n",
            use.slots);
    }
    if (gc > GC_SHARE && setting_spark_of(app) >= SPARK_ROCKSDB) {
        buf_printf(what, "Garbage takes %.0f %% of the run time: keep state outside of the heap. ",
                   100 * gc);
        advice_set_text(r, SETTING_SQL_STREAMING_STATE_STORE_PROVIDER,
                        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider");
    }
}

static const char *otherwise(const struct bottleneck *lag) {
    (void)lag;
    return "Look for the slow stage of its batches, too, keep less state (a watermark), write "
           "fewer "
           "and larger files, or use a longer trigger where each batch pays a fixed price. "
           "maxOffsetsPerTrigger keeps batches short while the backlog grows: it does not help.";
}

static void recommend(const struct advice_view *view, struct advice *out) {
    struct answers answers = {0};
    answers_take(view, KIND_STREAMING_LAG, NULL, &answers);
    if (answers.count > 0) {
        struct recommendation *r = advice_add(out, view, ADVICE_STREAMING);
        struct buf what = {0};
        advise_lag(view->app, answers.list[0], r, &what);
        answers_add_remedies(&answers, otherwise, &what);
        r->when_not = "Not where the rows come in bursts that the query works off before the next; "
                      "a query that goes on from its checkpoint keeps its state store and its "
                      "shuffle partitions.";
        snprintf(r->saving_how, sizeof r->saving_how,
                 "by how much its last batches took longer than their rows took to come");
        answers_finish(&answers, &what, r);
    }
    answers_fini(&answers);
}

const struct advisor advisor_streaming = {
    .name = "streaming",
    .help = "more executors where the batches of a query that falls behind use their slots, more "
            "partitions of its source where they do not, a state store outside of the heap where "
            "garbage takes the time; for streaming_lag",
    .advise = recommend,
};
