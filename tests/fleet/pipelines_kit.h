// pipelines_kit: what the tests of stage 2 share: updates made by hand, and what comes out.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "fleet/pipelines.h"

enum { MAX = 256 };
struct seen {
    struct pipeline_window windows[MAX];
    int window_count;
    struct alert alerts[MAX];
    int alert_count;
    struct told_outcome {
        char id[ID_TEXT_SIZE], run[ID_TEXT_SIZE], action[400], setting[80];
        int32_t revision;
        enum advice_kind kind;
        struct advice_outcome outcome;
    } outcomes[MAX];
    int outcome_count;
};

static void on_window(void *ctx, const struct pipeline_window *window) {
    struct seen *seen = ctx;
    assert_true(seen->window_count < MAX);
    seen->windows[seen->window_count++] = *window;
}
static void on_alert(void *ctx, const struct alert *alert) {
    struct seen *seen = ctx;
    assert_true(seen->alert_count < MAX);
    seen->alerts[seen->alert_count++] = *alert;
}
static void on_outcome(void *ctx, const struct run_identity *identity, const char *run_id,
                       const struct recommendation *r) {
    struct seen *seen = ctx;
    assert_true(seen->outcome_count < MAX);
    assert_string_equal(identity->pipeline, "etl");
    struct told_outcome *told = &seen->outcomes[seen->outcome_count++];
    *told = (struct told_outcome){.revision = r->revision, .outcome = r->outcome};
    told->kind = (enum advice_kind)advice_kind_parse(str_of(r->kind));
    snprintf(told->id, sizeof told->id, "%s", r->id);
    snprintf(told->run, sizeof told->run, "%s", run_id);
    snprintf(told->action, sizeof told->action, "%s", r->action);
    if (r->setting_count > 0) {
        snprintf(told->setting, sizeof told->setting, "%s=%s", r->settings[0].key,
                 r->settings[0].value);
    }
}

static struct seen seen;
static struct pipelines_options options;

static inline struct pipelines *fresh(void) {
    memset(&seen, 0, sizeof seen);
    pipelines_options_init(&options);
    struct pipelines_output output = {&seen, on_window, on_alert, on_outcome};
    return pipelines_new(&options, &output);
}

static struct pipeline_run update(const char *run_id, int64_t revision, int64_t minute) {
    struct pipeline_run run = {.revision = revision,
                               .time_ms = minute * 60000,
                               .started_ms = 60000,
                               .status = RUN_RUNNING,
                               .duration_s = (double)(minute - 1) * 60};
    snprintf(run.id, sizeof run.id, "%s", run_id);
    snprintf(run.identity.cluster, sizeof run.identity.cluster, "c");
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "etl");
    snprintf(run.identity.app_id, sizeof run.identity.app_id, "%s", run_id);
    return run;
}

static void ended(struct pipeline_run *run, enum run_status status, double duration_s) {
    run->status = status;
    run->ended_ms = run->time_ms;
    run->duration_s = duration_s;
}

static struct open_bottleneck skew = {
    .kind = KIND_DATA_SKEW, .severity = SEVERITY_SEVERE, .summary = "hot key"};

// The same with a bottleneck that stands open.
static inline struct pipeline_run skewed(const char *run_id, int64_t revision, int64_t minute) {
    struct pipeline_run run = update(run_id, revision, minute);
    run.open = &skew;
    run.open_count = 1;
    return run;
}
