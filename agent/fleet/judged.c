// judged: what an applied piece of advice did, told from the times of the pipeline's own runs.
// Called by followed.c for a run that has it. Pure: it looks at the runs that are known and changes
// nothing. It must never call noise an effect, nor take a larger input for a slower run.
//
// A run's time is divided by its input: by bytes, by records where those are not known, else by
// nothing. Compared with are runs that succeeded under the settings of the one before the advice
// was applied, with an input of at most four times this one's and at least a quarter: beyond that,
// what a run takes whatever its input (starting, planning, committing) weighs too differently. The
// middle one of them is what was usual, and the distance of the farthest is how much they differ
// anyhow. A change is an effect if it is larger than that, and at least 5 %.
#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "pipelines_priv.h"

enum {
    COMPARED_MAX = 10, // runs, the newest: what a pipeline took last month says little
    ENOUGH_RUNS = 3,   // fewer have no middle, and their distance says nothing
};
static const double LEAST_CHANGE = 0.05, MOST_TIMES_THE_INPUT = 4;

enum per { PER_BYTE, PER_RECORD, PER_RUN, PER_COUNT };
static const char *const per_names[PER_COUNT] = {"byte", "record", "run"};

static double amount_of(const struct known_run *run, enum per per) {
    return per == PER_BYTE ? (double)run->data_bytes : per == PER_RECORD ? (double)run->records : 1;
}

// The runs before, as far as they can be compared.
struct past {
    enum per per;
    double cost[COMPARED_MAX]; // time by input
    uint32_t count;
    uint32_t succeeded, failed;
    bool last_failed; // the newest of them
};

static bool is_before(const struct known_run *run, const struct application *a) {
    return run->number < a->number && run->ended_ms > 0 && run->settings == a->settings &&
           (run->status == RUN_SUCCEEDED || run->status == RUN_FAILED);
}

static struct past look_back(const struct pipeline *p, const struct known_run *now,
                             const struct application *a, enum per per) {
    struct past past = {.per = per};
    double amount = amount_of(now, per);
    for (uint32_t i = p->run_count; i > 0 && past.count < COMPARED_MAX; i--) {
        const struct known_run *run = &p->runs[i - 1];
        if (!is_before(run, a)) {
            continue;
        }
        bool failed = run->status == RUN_FAILED;
        past.last_failed = past.succeeded + past.failed == 0 ? failed : past.last_failed;
        past.failed += failed;
        past.succeeded += !failed;
        double other = amount_of(run, per);
        if (!failed && run->duration_s > 0 && other > 0 && amount <= MOST_TIMES_THE_INPUT * other &&
            other <= MOST_TIMES_THE_INPUT * amount) {
            past.cost[past.count++] = run->duration_s / other;
        }
    }
    return past;
}

// By the first measure that this run and one before it have, whatever their sizes.
static enum per measure(const struct pipeline *p, const struct known_run *now,
                        const struct application *a) {
    for (enum per per = PER_BYTE; per < PER_RUN; per++) {
        for (uint32_t i = 0; i < p->run_count && amount_of(now, per) > 0; i++) {
            const struct known_run *run = &p->runs[i];
            if (is_before(run, a) && run->status == RUN_SUCCEEDED && amount_of(run, per) > 0) {
                return per;
            }
        }
    }
    return PER_RUN;
}

static int by_size(const void *x, const void *y) {
    const double *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

// What is usual, and how far the farthest is from it, as a share.
static double middle(struct past *past, double *spread) {
    uint32_t n = past->count;
    qsort(past->cost, n, sizeof *past->cost, by_size);
    double usual = (past->cost[(n - 1) / 2] + past->cost[n / 2]) / 2;
    *spread = fmax(past->cost[n - 1] - usual, usual - past->cost[0]) / usual;
    return usual;
}

static void doubt(struct judged *judged, const char *why) {
    judged->outcome.confidence = CONFIDENCE_LOW;
    judged->doubt = judged->doubt != NULL ? judged->doubt : why;
}

static void weigh(struct judged *judged, const struct past *past, const struct application *a) {
    struct advice_outcome *o = &judged->outcome;
    double noise = fmax(o->spread, LEAST_CHANGE);
    double shown = o->fate == FATE_NO_EFFECT ? a->share : fabs(o->change); // what would be seen
    o->confidence = shown > 2 * noise ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    if (o->runs < ENOUGH_RUNS) {
        doubt(judged, "fewer than 3 runs to compare with");
    }
    if (past->per == PER_RUN) {
        doubt(judged, "no input is known, so it may have changed");
    }
    if (a->by_finding) {
        doubt(judged, "that a finding is gone is no proof");
    }
    if (1 - a->completeness >= LEAST_CHANGE) {
        doubt(judged, "not all of the run is known");
    }
    if (o->fate == FATE_NO_EFFECT && shown <= noise) {
        doubt(judged, "the runs differ by more than was to be saved");
    }
}

// Where one of them failed there are no times to compare.
static void judge_failure(struct judged *judged, const struct past *past, bool failed) {
    struct advice_outcome *o = &judged->outcome;
    if (failed) {
        o->fate = past->last_failed ? FATE_NO_EFFECT : FATE_HARMED;
        judged->why = past->last_failed ? "it failed, as did the run before"
                                        : "it failed, and the run before did not";
    } else {
        o->fate = FATE_HELPED;
        judged->why = "it succeeded, and the runs before failed";
    }
    o->runs = past->last_failed ? past->failed : past->succeeded;
    o->confidence = CONFIDENCE_MEDIUM;
    if (o->runs < ENOUGH_RUNS) {
        doubt(judged, "fewer than 3 runs to compare with");
    }
}

void judged_by(struct judged *judged, const struct pipeline *pipeline, const struct known_run *now,
               const struct application *application) {
    *judged = (struct judged){.outcome = {.fate = FATE_APPLIED, .confidence = CONFIDENCE_LOW}};
    struct advice_outcome *o = &judged->outcome;
    enum per per = measure(pipeline, now, application);
    struct past past = look_back(pipeline, now, application, per);
    bool failed = now->status == RUN_FAILED;
    if (past.succeeded + past.failed == 0) {
        judged->why = "no run before it is known";
    } else if (failed || past.succeeded == 0) {
        judge_failure(judged, &past, failed);
    } else if (past.count == 0 || now->duration_s <= 0) {
        judged->why = "no run before it had an input of about its size (a quarter to four times)";
    } else {
        double usual = middle(&past, &o->spread);
        o->per = per_names[per];
        o->runs = past.count;
        o->change = now->duration_s / amount_of(now, per) / usual - 1;
        bool seen = fabs(o->change) > o->spread && fabs(o->change) >= LEAST_CHANGE;
        o->fate = !seen ? FATE_NO_EFFECT : o->change < 0 ? FATE_HELPED : FATE_HARMED;
        weigh(judged, &past, application);
    }
}
