// facts_kit: runs as plain facts, made by hand for the tests of this folder. A test overrides what
// it is about.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "runs/facts.h"

// A run of 100 s that ended well and read 1 GiB in 1,000,000 records, without stages.
static inline struct run_facts *facts_run(const char *app_id) {
    struct run_facts *run = mem_zalloc(1, sizeof *run);
    snprintf(run->identity.app_id, sizeof run->identity.app_id, "%s", app_id);
    snprintf(run->identity.pipeline, sizeof run->identity.pipeline, "etl");
    snprintf(run->identity.spark_version, sizeof run->identity.spark_version, "3.5.6");
    run->status = RUN_SUCCEEDED;
    run->started_ms = 1700000000000;
    run->ended_ms = run->started_ms + 100000;
    run->duration_s = 100;
    run->completeness = 1;
    run->totals.tasks = 1;
    run->totals.records = 1000000;
    run->totals.data_size_bytes = 1 << 30;
    return run;
}

// One more stage: 4 tasks of 10 s on 4 slots, 9 s of each on the CPU, 1,000 records and bytes.
static inline struct stage_facts *facts_stage(struct run_facts *run, const char *name,
                                              int64_t shape) {
    uint32_t i = run->stage_count++;
    run->stages = mem_resize(run->stages, run->stage_count, sizeof *run->stages);
    struct stage_facts *stage = &run->stages[i];
    *stage = (struct stage_facts){.stage = (int32_t)i,
                                  .attempts = 1,
                                  .shape = shape,
                                  .tells_cpu = true,
                                  .wall_ms = 10000,
                                  .tasks = 4,
                                  .task_ms = 40000,
                                  .run_ms = 40000,
                                  .cpu_ns = 36000000000,
                                  .bytes = 1000,
                                  .records = 1000,
                                  .slots = 4,
                                  .max_task_ms = 10000,
                                  .mean_task_ms = 10000};
    snprintf(stage->name, sizeof stage->name, "%s", name);
    return stage;
}

static inline void facts_setting(struct run_facts *run, const char *key, const char *value) {
    uint32_t i = run->setting_count++;
    run->settings = mem_resize(run->settings, run->setting_count, sizeof *run->settings);
    run->settings[i] = (struct run_setting){mem_strdup(key), mem_strdup(value)};
}

static inline struct bottleneck *facts_finding(struct run_facts *run, enum bottleneck_kind kind,
                                               int32_t stage, enum severity severity) {
    uint32_t i = run->finding_count++;
    run->findings = mem_resize(run->findings, run->finding_count, sizeof *run->findings);
    struct bottleneck *b = &run->findings[i];
    *b = (struct bottleneck){
        .kind = kind, .stage = stage, .severity = severity, .rule_met = TRI_TRUE};
    snprintf(b->summary, sizeof b->summary, "stage %d: %s", (int)stage, kind_name(kind));
    return b;
}
