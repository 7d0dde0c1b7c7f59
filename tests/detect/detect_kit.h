// detect_kit: asks one detector as the engine does, with the default thresholds. For the tests of
// detect.
#pragma once

#include "support/test.h"

#include "detect/detector.h"

static inline struct verdict judge(enum bottleneck_kind kind, const struct app *app,
                                   const struct stage *stage, bool over) {
    const struct detector *detector = detector_of(kind);
    struct thresholds thresholds;
    thresholds_init(&thresholds);
    struct detector_view view = {app, stage, over, thresholds.of[kind]};
    struct verdict verdict = {.rule_met = TRI_NULL, .cap = SEVERITY_CRITICAL};
    detector->judge(&view, &verdict);
    return verdict;
}

// A number of the evidence, which must be there.
static inline double evidence(const struct verdict *verdict, const char *name) {
    for (uint32_t i = 0; i < verdict->evidence_count; i++) {
        if (strcmp(verdict->evidence[i].name, name) == 0) {
            return verdict->evidence[i].value;
        }
    }
    fail_msg("no evidence %s", name);
    return 0;
}
