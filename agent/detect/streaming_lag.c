// streaming_lag: a streaming query falls behind: rows come faster than they are processed, or its
// batches take longer than their trigger, and it gets worse. Called through the detector table,
// also while the run goes on. One slow batch, a query that warms up or works off what had gathered,
// and one that is busy all the time and keeps up are none.
#include <math.h>

#include "base/span.h"
#include "detect/detector.h"

enum { LOAD, BATCHES, GROWTH, LEAST_S };
static const struct detector_threshold thresholds[] = {
    [LOAD] = {"load",
              "time a batch takes over the time in which its rows came, above which it is "
              "behind",
              1.05, 1, 1000, "chosen: healthy batches of the corpus have at most 0.75"},
    [BATCHES] = {"batches", "batches with rows, behind the first, that must have come", 3, 2,
                 STREAM_BATCHES, "chosen: more than one slow batch and its echo"},
    [GROWTH] =
        {"growth",
         "how much longer the later half of the last batches takes than the "
         "earlier, from which it gets worse; half of that beyond a known trigger",
         1.5, 1, 1000,
         "chosen after simulating queries with near settings: at 0.5 to 0.8 of what they can "
         "take, with noise of 30 %, up to 6 % of batches were told, while they began; at 1.2 most"},
    [LEAST_S] = {"least_s", "seconds it fell behind that are worth a word", 3, 0, 1e9,
                 "chosen: some triggers of the shortest usual length"},
};

// So many of three batches are behind: the others are noise.
enum { BEHIND_OF_THREE = 2, LEAST_BATCHES = 4, FEW_BATCHES = 6, SOME_BATCHES = 8 };
// Rows that come so much faster than they are processed, in every batch, need no other sign.
#define LOAD_ALONE 1.25

struct lag {
    const struct stream_query *query;
    unsigned batches, behind;
    bool still;        // the last one is behind, too
    bool lately;       // or the one before
    double growth;     // of the batches' length
    double least_load; // of a batch
    double behind_s; // by which its last batches, as many as add up, took longer than rows came in
    double load;     // of these
};

// From the last batch back: how far it fell behind since it last kept up.
static void add_up(const struct stream_query *query, struct lag *lag) {
    double took_ms = 0, came_ms = 0;
    for (uint32_t i = query->recent_count; i > 0; i--) {
        took_ms += (double)query->recent[i - 1].took_ms;
        came_ms += fmax(1, (double)query->recent[i - 1].came_ms);
        if ((took_ms - came_ms) / 1000 > lag->behind_s) {
            lag->behind_s = (took_ms - came_ms) / 1000;
            lag->load = took_ms / came_ms;
        }
    }
}

static void measure(const struct stream_query *query, double load, struct lag *lag) {
    double halves_ms[2] = {0, 0};
    unsigned n = query->recent_count;
    *lag = (struct lag){.query = query, .batches = n, .least_load = INFINITY};
    for (unsigned i = 0; i < n; i++) {
        const struct stream_batch *batch = &query->recent[i];
        double took = (double)batch->took_ms, came = fmax(1, (double)batch->came_ms);
        bool late = query->trigger_ms > 0 && took > load * (double)query->trigger_ms;
        lag->lately = lag->still;
        lag->still = took > load * came || late;
        lag->behind += lag->still;
        lag->least_load = fmin(lag->least_load, took / came);
        if (2 * i + 1 != n) { // of an odd number the middle one is in neither half
            halves_ms[2 * i >= n] += took;
        }
    }
    lag->growth = halves_ms[0] > 0 ? halves_ms[1] / halves_ms[0] : 0;
    add_up(query, lag);
}

// What it takes to get worse: twice of it, and every batch behind, where there are hardly any.
static double growth_wanted(const struct lag *lag, double growth) {
    if (lag->batches < LEAST_BATCHES) {
        return lag->behind == lag->batches ? 1 + 2 * (growth - 1) : INFINITY;
    }
    return lag->query->trigger_ms > 0 ? 1 + (growth - 1) / 2 : growth;
}

static bool lags(const struct lag *lag, const double *t) {
    const struct stream_query *query = lag->query;
    bool still = lag->still || (lag->lately && lag->batches >= SOME_BATCHES);
    if (lag->batches < t[BATCHES] || 3 * lag->behind < BEHIND_OF_THREE * lag->batches || !still ||
        lag->behind_s < t[LEAST_S]) {
        return false;
    }
    if (query->trigger_ms > 0 && query->took_ms <= query->trigger_ms) {
        return false; // it still waits for its trigger
    }
    bool alone = lag->least_load >= LOAD_ALONE && lag->batches >= LEAST_BATCHES;
    return lag->growth >= growth_wanted(lag, t[GROWTH]) || alone;
}

static void tell(const struct lag *lag, struct verdict *out) {
    const struct stream_query *query = lag->query;
    double first_s = (double)query->recent[0].took_ms / 1000;
    double last_s = (double)query->took_ms / 1000;
    verdict_evidence(out, "batches", lag->batches);
    verdict_evidence(out, "batches_behind", lag->behind);
    verdict_evidence(out, "load", lag->load);
    verdict_evidence(out, "growth", lag->growth);
    verdict_evidence(out, "behind_s", lag->behind_s);
    verdict_evidence(out, "first_batch_s", first_s);
    verdict_evidence(out, "last_batch_s", last_s);
    verdict_evidence(out, "trigger_s", (double)query->trigger_ms / 1000);
    verdict_evidence(out, "input_rows_per_s", query->input_per_s);
    verdict_evidence(out, "processed_rows_per_s", query->processed_per_s);
    char behind[SPAN_TEXT_SIZE], first[SPAN_TEXT_SIZE], last[SPAN_TEXT_SIZE];
    verdict_summary(
        out,
        "the query %s fell behind by %s in its last %u batches, of which the first took "
        "%s and the last %s: rows come %.1f times as fast as they are processed",
        query->name[0] != '\0' ? query->name : "without a name",
        span_format_seconds(lag->behind_s, behind), lag->batches,
        span_format_seconds(first_s, first), span_format_seconds(last_s, last), lag->load);
}

static void judge(const struct detector_view *view, struct verdict *out) {
    const struct streams *streams = &view->app->streams;
    struct lag worst = {0};
    out->rule_met = TRI_FALSE;
    for (uint32_t i = 0; i < streams->count; i++) {
        struct lag lag;
        measure(&streams->list[i], view->thresholds[LOAD], &lag);
        if (lags(&lag, view->thresholds) && lag.behind_s > worst.behind_s) {
            worst = lag;
        }
    }
    if (worst.query == NULL) {
        return;
    }
    out->rule_met = TRI_TRUE;
    out->saving_s = fmin(worst.behind_s, app_duration_s(view->app));
    out->floor = SEVERITY_MODERATE; // what it lacks is time now, not a share of the days it runs
    out->cap = SEVERITY_SEVERE;
    if (worst.batches < SOME_BATCHES) { // a query that begins may still settle at one length
        verdict_doubt(out, worst.batches < FEW_BATCHES ? CONFIDENCE_LOW : CONFIDENCE_MEDIUM,
                      "few batches to compare");
    }
    tell(&worst, out);
}

static const struct remedy remedies[] = {
    {CAUSE_NONE,
     "The query does not keep up with its source. Give it more slots and as many partitions of the "
     "source (its shuffle partitions stay those of its checkpoint), look for the slow stage of its "
     "batches above, keep less state (a watermark, RocksDB), write fewer and larger files, or use "
     "a "
     "longer trigger where each batch pays a fixed price. maxOffsetsPerTrigger keeps batches short "
     "while the backlog grows: it does not help it to catch up."},
};

const struct detector detector_streaming_lag = {
    .kind = KIND_STREAMING_LAG,
    .subject = SUBJECT_RUN,
    .live = true,
    .help = "a streaming query falls behind its source",
    .rule =
        "of a query's last batches with rows (4 to 12, without the first) two of three took "
        "1.05 x the time in which their rows came, or 1.05 x their trigger, the last one too, and "
        "the later half took 1.5 x the earlier (1.25 x beyond a known trigger), or every one "
        "1.25 x that time; of three every one, and the last took 2 x the first; at least 3 s "
        "behind",
    .unknown_when = "never",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineStreamingLag",
    .alert_summary = "Pipeline falls behind its source",
    .judge = judge,
};
