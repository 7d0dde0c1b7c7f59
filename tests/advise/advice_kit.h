// advice_kit: a run with verdicts to ask one advisor about, without the others and without what is
// done to all that they say. For the tests of advisors.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "advise/advise.h"
#include "model/operator.h"
#include "support/spark.h"

enum { KIT_VERDICTS = 8 };
#define KIT_MIB INT64_C(1048576)

static struct advice_kit {
    struct app *app;
    struct bottleneck found[KIT_VERDICTS];
    const struct bottleneck *list[KIT_VERDICTS];
    unsigned count;
    struct run_verdicts verdicts;
    struct advice advice;
} kit;

static inline int kit_set_up(void **state) {
    (void)state;
    memset(&kit, 0, sizeof kit);
    kit.app = spark_app();
    kit.app->spark_major = 3;
    kit.app->spark_minor = 5;
    kit.verdicts.all = kit.list;
    return 0;
}

static inline int kit_tear_down(void **state) {
    (void)state;
    advice_fini(&kit.advice);
    app_free(kit.app);
    return 0;
}

// A verdict on a stage (-1: on the run), in the order of kinds. Its stage is made if it is new.
static inline struct bottleneck *kit_verdict(enum bottleneck_kind kind, enum cause cause,
                                             int32_t stage, double saving_s) {
    unsigned n = kit.count++;
    struct bottleneck *b = &kit.found[n];
    *b = (struct bottleneck){.kind = kind,
                             .stage = stage,
                             .cause = cause,
                             .rule_met = TRI_TRUE,
                             .severity = SEVERITY_SEVERE,
                             .saving_s = saving_s};
    snprintf(b->id, sizeof b->id, "id-%u", n);
    snprintf(b->summary, sizeof b->summary, "stage %d has it", (int)stage);
    kit.list[n] = b;
    for (int k = (int)kind; k < KIND_COUNT; k++) {
        kit.verdicts.end[k] = n + 1;
    }
    if (stage >= 0 && app_stage(kit.app, stage, 0) == NULL) {
        spark_stage(kit.app, EVENT_STAGE_COMPLETED, stage, 900, 1000, 2000);
    }
    return b;
}

static inline void kit_evidence(struct bottleneck *b, const char *name, double value) {
    b->evidence[b->evidence_count++] = (struct evidence){name, value};
}

static inline void kit_property(const char *key, const char *value) {
    properties_put(&kit.app->properties, str_of(key), str_of(value));
}

// What the advisor of that name says (NULL: all of them, in their order), the first of it; NULL if
// nothing.
static inline const struct recommendation *kit_ask(const char *name) {
    unsigned count;
    const struct advisor *const *all = advisors(&count);
    struct thresholds thresholds;
    thresholds_init(&thresholds);
    struct advice_view view = {
        .app = kit.app, .verdicts = &kit.verdicts, .thresholds = &thresholds, .duration_s = 1000};
    advice_fini(&kit.advice);
    for (unsigned i = 0; i < count; i++) {
        if (name == NULL || strcmp(all[i]->name, name) == 0) {
            all[i]->advise(&view, &kit.advice);
        }
    }
    return kit.advice.count == 0 ? NULL : &kit.advice.list[0];
}

// What the last answer sets a key to, "" if it does not.
static inline const char *kit_value(const char *key) {
    for (uint32_t a = 0; a < kit.advice.count; a++) {
        const struct recommendation *r = &kit.advice.list[a];
        for (uint32_t i = 0; i < r->setting_count; i++) {
            if (strcmp(r->settings[i].key, key) == 0) {
                return r->settings[i].value;
            }
        }
    }
    return "";
}

#define KIT_TEST(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)
