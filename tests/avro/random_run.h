// random_run: a PipelineRun with a value of its own in every field, for the tests of the codec.
#pragma once

#include "support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "model/run.h"

// Text as an application may be called.
static void random_text(uint64_t *seed, char *out, size_t cap) {
    static const char *const pieces[] = {"etl", "\xC3\xA9", "\xF0\x9F\x98\x80", "<b>", "\"", " ",
                                         "0",   "\\"};
    size_t n = 0;
    while (test_random(seed) % 8 != 0) {
        const char *piece = pieces[test_random(seed) % ARRAY_LEN(pieces)];
        if (n + strlen(piece) >= cap) {
            break;
        }
        n += (size_t)snprintf(out + n, cap - n, "%s", piece);
    }
    out[n] = '\0';
}

static void random_numbers(uint64_t *seed, int64_t *numbers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (int64_t)(test_random(seed) >> (test_random(seed) % 64));
    }
}

static struct pipeline_run random_run(uint64_t *seed) {
    struct pipeline_run run = {.duration_s = (double)(test_random(seed) % 100000) / 7,
                               .completeness = 0.5};
    random_text(seed, run.identity.cluster, sizeof run.identity.cluster);
    random_text(seed, run.identity.app_id, sizeof run.identity.app_id);
    random_text(seed, run.identity.pipeline, sizeof run.identity.pipeline);
    random_text(seed, run.failure, sizeof run.failure);
    random_numbers(seed, &run.revision, 1);
    random_numbers(seed, &run.started_ms, 1);
    random_numbers(seed, &run.ended_ms, 1);
    random_numbers(seed, &run.time_ms, 1);
    random_numbers(seed, &run.totals.input_bytes, 17);
    run.totals.data_size_bytes = 5;
    run.totals.records_from = (enum records_from)(test_random(seed) % RECORDS_FROM_COUNT);
    run.status = (enum run_status)(test_random(seed) % RUN_STATUS_COUNT);
    run.stage_count = (uint32_t)(test_random(seed) % 5);
    run.stages = mem_zalloc(run.stage_count, sizeof *run.stages);
    for (uint32_t i = 0; i < run.stage_count; i++) {
        random_text(seed, run.stages[i].name, sizeof run.stages[i].name);
        random_numbers(seed, &run.stages[i].submitted_ms, 6);
        run.stages[i].stage = (int32_t)i;
        run.stages[i].mean_task_ms = 1.0 / 3;
    }
    run.open_count = (uint32_t)(test_random(seed) % 4);
    run.open = mem_zalloc(run.open_count, sizeof *run.open);
    for (uint32_t i = 0; i < run.open_count; i++) {
        random_text(seed, run.open[i].summary, sizeof run.open[i].summary);
        run.open[i].kind = (enum bottleneck_kind)(test_random(seed) % KIND_COUNT);
        run.open[i].severity = (enum severity)(test_random(seed) % SEVERITY_COUNT);
        run.open[i].cause = (enum cause)(test_random(seed) % CAUSE_COUNT);
        run.open[i].stage = (int32_t)i - 1;
        run.open[i].stage_attempt = (int32_t)i - 1;
    }
    random_numbers(seed, &run.open_by_severity[SEVERITY_LOW], SEVERITY_COUNT - SEVERITY_LOW);
    random_text(seed, run.listener, sizeof run.listener);
    random_numbers(seed, &run.events_lost, 2);
    run.shortened = test_random(seed) % 2 == 0;
    run.recommendation_count = (uint32_t)(test_random(seed) % 3);
    run.recommendations = mem_zalloc(run.recommendation_count, sizeof *run.recommendations);
    for (uint32_t i = 0; i < run.recommendation_count; i++) {
        char text[64];
        random_text(seed, text, sizeof text);
        run.recommendations[i] = mem_strdup(text);
    }
    run.limits = (uint32_t)(test_random(seed) % (1u << LIMIT_COUNT));
    return run;
}
