// network_overhead: a run moves far more data between its stages than it reads. Called through the
// detector table.
#include <math.h>

#include "base/sat.h"
#include "base/span.h"
#include "detect/cost.h"
#include "detect/detector.h"

enum { RATIO, RATE };
static const struct detector_threshold thresholds[] = {
    [RATE] =
        {"mib_per_s",
         "shuffled bytes are never taken to be written, sent and read more slowly by a task", 20,
         0.1, 100000,
         "a bound, not a speed; a run with little fetch wait loses nothing to it (Ousterhout et "
         "al., NSDI 2015: 2 % at the median)"},
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
    if (shuffle <= view->thresholds[RATIO] * data) { // more of the data would not change it
        out->rule_met = TRI_FALSE;
        return;
    }
    if (app_bytes_uncounted(app)) {
        out->reason = "a source of the run read rows whose bytes nobody counted";
        return;
    }
    out->rule_met = TRI_TRUE;
    // What moving the data costs at most is what the stages show of it; of that, what is above the
    // allowed ratio. And no more than the bytes would take at a low speed.
    double moving_s = app->gone_shuffle_s;
    double most_slots = app->gone_slots_most > 1 ? (double)app->gone_slots_most : 1;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        most_slots = fmax(most_slots, cost_slots(stage));
        moving_s += stage_shuffle_s(stage, app->foreign_engine);
    }
    double excess = 1 - view->thresholds[RATIO] * data / shuffle;
    double slowly_s = shuffle / (view->thresholds[RATE] * 1048576) / most_slots;
    out->saving_s = fmin(moving_s, slowly_s) * excess;
    verdict_evidence(out, "shuffle_read_bytes", (double)totals.shuffle_read_bytes);
    verdict_evidence(out, "shuffle_write_bytes", (double)totals.shuffle_write_bytes);
    verdict_evidence(out, "data_size_bytes", data);
    verdict_evidence(out, "data_size_is_files", totals.data_size_is_files ? 1 : 0);
    verdict_evidence(out, "ratio", shuffle / data);
    verdict_evidence(out, "shuffle_moving_s", moving_s);
    verdict_evidence(out, "slots_most", most_slots);
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
    .unknown_when =
        "no input bytes, or more than 1 % of the rows are of sources whose bytes nobody counted "
        "and the rest is too little",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineNetworkOverhead",
    .alert_summary = "Pipeline shuffles far more than it reads",
    .judge = judge,
};
