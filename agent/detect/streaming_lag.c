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
              1.1, 1, 1000, "chosen: healthy batches of the corpus have at most 0.75"},
    [BATCHES] = {"batches", "batches with rows, behind the first, that must have come", 4, 2,
                 STREAM_BATCHES, "chosen: more than one slow batch and its echo"},
    [GROWTH] = {"growth",
                "how much longer the later half of the last batches takes than the "
                "earlier, from which it gets worse",
                1.2, 1, 1000, "chosen: a query that keeps up settles at one length"},
    [LEAST_S] = {"least_s", "seconds it fell behind that are worth a word", 5, 0, 1e9,
                 "chosen: some triggers of the shortest usual length"},
};

// So many of four batches are behind: the others are noise.
enum { BEHIND_OF_FOUR = 3, FEW_BATCHES = 6 };
// Rows that come so much faster than they are processed, in every batch, need no other sign.
#define LOAD_ALONE 1.25

struct lag {
    const struct stream_query *stream;
    unsigned batches, behind;
    bool still;              // the last one is behind, too
    double growth;           // of the batches' length
    double least_load, load; // of the last batches, as a whole
    double behind_s;         // by which they took longer than their rows came in
};

static void measure(const struct stream_query *stream, double load, struct lag *lag) {
    double halves_ms[2] = {0, 0}, took_ms = 0, came_ms = 0;
    unsigned n = stream->recent_count;
    *lag = (struct lag){.stream = stream, .batches = n, .least_load = INFINITY};
    for (unsigned i = 0; i < n; i++) {
        const struct stream_batch *batch = &stream->recent[i];
        double took = (double)batch->took_ms, came = fmax(1, (double)batch->came_ms);
        bool late = stream->trigger_ms > 0 && took > load * (double)stream->trigger_ms;
        lag->still = took > load * came || late;
        lag->behind += lag->still;
        lag->least_load = fmin(lag->least_load, took / came);
        took_ms += took;
        came_ms += came;
        if (2 * i + 1 != n) { // of an odd number the middle one is in neither half
            halves_ms[2 * i >= n] += took;
        }
    }
    lag->growth = halves_ms[0] > 0 ? halves_ms[1] / halves_ms[0] : 0;
    lag->load = came_ms > 0 ? took_ms / came_ms : 0;
    lag->behind_s = fmax(0, took_ms - came_ms) / 1000;
}

static bool lags(const struct lag *lag, const double *t) {
    const struct stream_query *stream = lag->stream;
    if (lag->batches < t[BATCHES] || 4 * lag->behind < BEHIND_OF_FOUR * lag->batches ||
        !lag->still || lag->behind_s < t[LEAST_S]) {
        return false;
    }
    if (stream->trigger_ms > 0 && stream->took_ms <= stream->trigger_ms) {
        return false; // it still waits for its trigger
    }
    return lag->growth >= t[GROWTH] || lag->least_load >= LOAD_ALONE;
}

static void tell(const struct lag *lag, struct verdict *out) {
    const struct stream_query *stream = lag->stream;
    double first_s = (double)stream->recent[0].took_ms / 1000;
    double last_s = (double)stream->took_ms / 1000;
    verdict_evidence(out, "batches", lag->batches);
    verdict_evidence(out, "batches_behind", lag->behind);
    verdict_evidence(out, "load", lag->load);
    verdict_evidence(out, "growth", lag->growth);
    verdict_evidence(out, "behind_s", lag->behind_s);
    verdict_evidence(out, "first_batch_s", first_s);
    verdict_evidence(out, "last_batch_s", last_s);
    verdict_evidence(out, "trigger_s", (double)stream->trigger_ms / 1000);
    verdict_evidence(out, "input_rows_per_s", stream->input_per_s);
    verdict_evidence(out, "processed_rows_per_s", stream->processed_per_s);
    char behind[SPAN_TEXT_SIZE], first[SPAN_TEXT_SIZE], last[SPAN_TEXT_SIZE];
    verdict_summary(
        out,
        "the query %s fell behind by %s in its last %u batches, of which the first took "
        "%s and the last %s: rows come %.1f times as fast as they are processed",
        stream->name[0] != '\0' ? stream->name : "without a name",
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
    if (worst.stream == NULL) {
        return;
    }
    out->rule_met = TRI_TRUE;
    out->saving_s = fmin(worst.behind_s, app_duration_s(view->app));
    out->floor = SEVERITY_MODERATE; // what it lacks is time now, not a share of the days it runs
    out->cap = SEVERITY_SEVERE;
    if (worst.batches < STREAM_BATCHES) { // a query that begins may still settle at one length
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
    .rule = "of a query's last batches with rows (4 to 8, without the first) three of four took "
            "1.1 x the time in which their rows came, or 1.1 x their trigger, and the later half "
            "took 1.2 x the earlier, or every one 1.25 x that time; at least 5 s behind",
    .unknown_when = "never",
    .thresholds = thresholds,
    .threshold_count = ARRAY_LEN(thresholds),
    .remedies = remedies,
    .alert_name = "PipelineStreamingLag",
    .alert_summary = "Pipeline falls behind its source",
    .judge = judge,
};
