// network_overhead: a run moves far more data between its stages than it reads. Called through the
// detector table.
#include <math.h>

#include "base/sat.h"
#include "base/span.h"
#include "detect/detector.h"

enum { RATIO, RATE };
static const struct detector_threshold thresholds[] = {
    [RATE] =
        {"mib_per_s",
         "speed at which a task is assumed to serialise, write, send and read shuffled bytes", 20,
         0.1, 100000,
         "assumed, low on purpose; a run with little fetch wait loses nothing to it (Ousterhout "
         "et al., NSDI 2015: 2 % at the median)"},
    [RATIO] = {"ratio", "shuffle bytes over data size above which shuffling dominates", 2, 0.01,
               1000, "base rule; no peer judges the volume of shuffles"},
};

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct app *app = view->app;
    struct run_totals totals;
    app_totals(app, &totals);
    if (totals.data_size_bytes == 0) {
        out->reason = "the run read no input bytes to compare with";
        return;
    }
    double shuffle = (double)sat_add(totals.shuffle_read_bytes, totals.shuffle_write_bytes);
    double data = (double)totals.data_size_bytes;
    out->rule_met = shuffle > view->thresholds[RATIO] * data ? TRI_TRUE : TRI_FALSE;
    if (out->rule_met == TRI_FALSE) {
        return;
    }
    // What moving the data costs at most: the time of the tasks that fetch a shuffle, spread over
    // the slots that were busy, in proportion to what is above the allowed ratio.
    double shuffling_s = app->gone_shuffle_s;
    double most_slots = app->gone_slots_most > 1 ? (double)app->gone_slots_most : 1;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        double slots = stage->slots > 0 ? (double)stage->slots : 1;
        most_slots = slots > most_slots ? slots : most_slots;
        if (stage->summary.shuffle_read_bytes > 0) {
            shuffling_s += (double)stage->task_ms / 1000 / slots;
        }
    }
    double excess = 1 - view->thresholds[RATIO] * data / shuffle;
    double moving_s = shuffle * excess / (view->thresholds[RATE] * 1048576) / most_slots;
    out->saving_s = fmin(shuffling_s * excess, moving_s);
    verdict_evidence(out, "shuffle_read_bytes", (double)totals.shuffle_read_bytes);
    verdict_evidence(out, "shuffle_write_bytes", (double)totals.shuffle_write_bytes);
    verdict_evidence(out, "data_size_bytes", data);
    verdict_evidence(out, "data_size_is_files", totals.data_size_is_files ? 1 : 0);
    verdict_evidence(out, "ratio", shuffle / data);
    verdict_evidence(out, "shuffle_stages_s", shuffling_s);
    verdict_evidence(out, "fetch_wait_ms", (double)app->fetch_wait_ms);
    verdict_evidence(out, "shuffle_write_ms", (double)app->shuffle_write_ns / 1e6);
    char moved[SPAN_TEXT_SIZE], size[SPAN_TEXT_SIZE];
    verdict_summary(out, "the run shuffled %s for %s of input, %.1f times as much",
                    span_format_bytes(shuffle, moved), span_format_bytes(data, size),
                    shuffle / data);
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "Move less data between stages: combine on the map side (reduceByKey rather than "
     "groupByKey, aggregate before joining), broadcast small tables and variables, choose "
     "the partition count to fit, keep data that is joined often partitioned the same way "
     "and the executors close to it."},
};

const struct detector detector_network_overhead = {
    .kind = KIND_NETWORK_OVERHEAD,
    .subject = SUBJECT_RUN,
    .live = true,
    .help = "a run shuffles far more data than it reads",
    .rule = "shuffle read + written > 2 x data size",
    .unknown_when = "no input bytes",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineNetworkOverhead",
    .alert_summary = "Pipeline shuffles far more than it reads",
    .judge = judge,
};
