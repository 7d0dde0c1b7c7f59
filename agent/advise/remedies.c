// remedies: the general advice per kind of bottleneck, in the detector's own words for the cause of
// the worst one, followed by the numbers of this run. Called through the table of advisors.
#include <stdio.h>
#include <string.h>

#include "advise/advise.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/span.h"
#include "detect/detector.h"

enum { NUMBERS_MAX = 3 }; // verdicts spelt out in one text

// The open verdict that costs most, the first of equals; NULL if none is open. *saving_s gets the
// sum of what the open ones cost.
static const struct bottleneck *worst_of(const struct bottleneck *const *verdicts, uint32_t count,
                                         double *saving_s) {
    const struct bottleneck *worst = NULL;
    *saving_s = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (bottleneck_is_root(verdicts[i])) {
            *saving_s += verdicts[i]->saving_s;
            worst = worst == NULL || verdicts[i]->saving_s > worst->saving_s ? verdicts[i] : worst;
        }
    }
    return worst;
}

// True if a sentence would have two full stops.
static bool is_ended(struct str text) {
    return text.len > 0 && strchr(".!?", text.p[text.len - 1]) != NULL;
}

static char *action_text(const char *remedy, const struct bottleneck *const *verdicts,
                         uint32_t count) {
    struct buf action = {0};
    uint32_t open = 0;
    buf_add_text(&action, remedy);
    buf_add_text(&action, " In this run: ");
    for (uint32_t i = 0; i < count; i++) {
        if (!bottleneck_is_root(verdicts[i])) {
            continue;
        }
        if (open < NUMBERS_MAX) {
            buf_add_text(&action, open > 0 ? "; " : "");
            buf_add_text(&action, verdicts[i]->summary);
        }
        open++;
    }
    if (open > NUMBERS_MAX) {
        buf_printf(&action, "; and %u more like these", open - NUMBERS_MAX);
    }
    buf_add_text(&action, is_ended(buf_str(&action)) ? "" : ".");
    char *text = mem_strdup(buf_text(&action));
    buf_fini(&action);
    return text;
}

// Another advisor has said what to do about it: one root cause is one piece of advice.
static bool is_answered(const struct advice *advice, const struct bottleneck *verdict) {
    for (uint32_t i = 0; i < advice->count; i++) {
        const struct recommendation *r = &advice->list[i];
        for (uint32_t k = 0; k < r->bottleneck_count && kind_parse(str_of(r->kind)) < 0; k++) {
            if (strcmp(r->bottlenecks[k], verdict->id) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void advise_kind(const struct advice_view *view, const struct detector *detector,
                        struct advice *out) {
    uint32_t count;
    const struct bottleneck *const *verdicts =
        run_verdicts_of(view->verdicts, detector->kind, &count);
    double saving_s;
    const struct bottleneck *worst = worst_of(verdicts, count, &saving_s);
    if (worst == NULL || is_answered(out, worst)) {
        return;
    }
    struct recommendation *r = advice_add(out, view, advice_kind_of(detector->kind));
    uint32_t open = advice_answers(r, verdicts, count);
    const char *remedy = detector_remedy(detector, worst);
    r->action = action_text(remedy, verdicts, count);
    r->remedy_bytes = strlen(remedy);
    r->saving_s = saving_s;
    char text[SPAN_TEXT_SIZE];
    snprintf(r->saving_how, sizeof r->saving_how,
             "sum over %u verdict%s of the time each one's cause cost at most, all advice together "
             "not more than the run (%s)",
             open, open == 1 ? "" : "s", span_format_seconds(view->duration_s, text));
}

static void recommend(const struct advice_view *view, struct advice *out) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (kind != KIND_JOIN_STRATEGY) { // has an advisor of its own
            advise_kind(view, detector_of((enum bottleneck_kind)kind), out);
        }
    }
}

const struct advisor advisor_remedies = {
    .name = "remedies",
    .help = "what helps in general against a kind of bottleneck and its cause, with the numbers of "
            "the run; for every kind that the run has an open bottleneck of, but joins",
    .advise = recommend,
};
