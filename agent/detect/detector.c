// detector: the table of detectors and what they share: evidence, summary, severity. Called by
// engine to judge; by advise, fleet and commands for words and thresholds.
#include "detect/detector.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/scrub.h"

#define DETECTOR(name) extern const struct detector detector_##name;
#include "detect/detectors.def"
#undef DETECTOR

static const struct detector *const all[] = {
#define DETECTOR(name) &detector_##name,
#include "detect/detectors.def"
#undef DETECTOR
};

const struct detector *const *detectors(unsigned *count) {
    *count = ARRAY_LEN(all);
    return all;
}

const struct detector *detector_of(enum bottleneck_kind kind) {
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i]->kind == kind) {
            return all[i];
        }
    }
    require(!"every kind has a detector");
    return NULL;
}

void thresholds_init(struct thresholds *thresholds) {
    *thresholds = (struct thresholds){0};
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        for (unsigned t = 0; t < all[i]->threshold_count; t++) {
            thresholds->of[all[i]->kind][t] = all[i]->thresholds[t].def;
        }
    }
}

static bool has_evidence(const struct bottleneck *bottleneck, const char *name) {
    for (uint32_t i = 0; i < bottleneck->evidence_count; i++) {
        if (strcmp(bottleneck->evidence[i].name, name) == 0) {
            return bottleneck->evidence[i].value > 0;
        }
    }
    return false;
}

const char *detector_remedy(const struct detector *detector, const struct bottleneck *bottleneck) {
    const struct fine_remedy *fine = detector->fine_remedies;
    for (; fine != NULL && fine->evidence != NULL; fine++) {
        if (fine->cause == bottleneck->cause && has_evidence(bottleneck, fine->evidence)) {
            return fine->text;
        }
    }
    const struct remedy *remedy = detector->remedies;
    while (remedy->cause != CAUSE_NONE && remedy->cause != bottleneck->cause) {
        remedy++;
    }
    return remedy->text;
}

void verdict_evidence(struct verdict *verdict, const char *name, double value) {
    require(verdict->evidence_count < EVIDENCE_MAX && name != NULL);
    verdict->evidence[verdict->evidence_count++] = (struct evidence){name, value};
}

void verdict_doubt(struct verdict *verdict, enum confidence confidence, const char *why) {
    require(why != NULL);
    if (confidence > verdict->confidence) {
        verdict->confidence = confidence;
        verdict->confidence_why = why;
    }
}

void verdict_summary(struct verdict *verdict, const char *fmt, ...) {
    char text[SCRUB_COPY_MAX];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    // What it is made of was scrubbed when it was read, and this is done at every judgement; but
    // where it is cut no mark may be cut.
    if (len >= 0 && (size_t)len < sizeof verdict->summary) {
        memcpy(verdict->summary, text, (size_t)len + 1);
    } else {
        scrub_copy(verdict->summary, sizeof verdict->summary, str_of(text));
    }
}

// A smaller share of the run matters to nobody, whatever its seconds.
#define SHARE_LEAST 0.005

// Seconds that matter by themselves, or seconds with a share of the run that matters.
static const struct severity_step {
    enum severity severity;
    double seconds_alone, seconds, share;
} steps[] = {
    {SEVERITY_CRITICAL, 7200, 10, 0.50},
    {SEVERITY_SEVERE, 1800, 2, 0.20},
    {SEVERITY_MODERATE, 300, 0.8, 0.05},
    {SEVERITY_LOW, 60, 0.3, 0.01},
};

enum severity severity_of_loss(double saving_s, double run_s, bool running) {
    double length_s = running && run_s < 300 ? 300 : run_s;
    double share = length_s > 0 ? saving_s / length_s : 0;
    if (share < SHARE_LEAST) {
        return SEVERITY_NEGLIGIBLE;
    }
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        if (saving_s >= steps[i].seconds_alone ||
            (saving_s >= steps[i].seconds && share >= steps[i].share)) {
            return steps[i].severity;
        }
    }
    return SEVERITY_NEGLIGIBLE;
}

void detectors_to_markdown(struct buf *out) {
    buf_add_text(out,
                 "| kind | subject | met when | `null` when | alert |\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        const struct detector *d = all[i];
        buf_printf(out, "| `%s` | %s | %s | %s | `%s` |\n", kind_name(d->kind),
                   d->subject == SUBJECT_RUN ? "run" : "stage", d->rule, d->unknown_when,
                   d->alert_name);
    }
}

void severities_to_markdown(struct buf *out) {
    buf_add_text(out,
                 "| severity | seconds saved, by themselves | or seconds | and share of the run "
                 "|\n|---|--:|--:|--:|\n");
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        buf_printf(out, "| %s | %g | %g | %g %% |\n", severity_name(steps[i].severity),
                   steps[i].seconds_alone, steps[i].seconds, steps[i].share * 100);
    }
    buf_printf(out, "| negligible | | | below %g %%, whatever the seconds |\n", SHARE_LEAST * 100);
}

void thresholds_to_markdown(struct buf *out) {
    buf_add_text(out, "| setting | default | what it is | source |\n|---|--:|---|---|\n");
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        for (unsigned t = 0; t < all[i]->threshold_count; t++) {
            const struct detector_threshold *row = &all[i]->thresholds[t];
            buf_printf(out, "| `detectors.%s.%s` | %g | %s | %s |\n", kind_name(all[i]->kind),
                       row->name, row->def, row->help, row->source);
        }
    }
}
