// bench_pipelines N...: N pipelines with three runs each in three panes of their window, every
// tenth with an alert, all with two pieces of advice that are followed up, and prints the memory
// that takes. Run by tests/bench/run.sh.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/quiet.h"
#include "resident.h"

static void measure(long count) {
    struct pipelines_options options;
    pipelines_options_init(&options);
    options.pipelines_max = (uint32_t)count;
    struct pipelines *pipelines = pipelines_new(&options, &quiet_pipelines);
    struct open_bottleneck open = {
        .kind = KIND_DATA_SKEW, .severity = SEVERITY_SEVERE, .summary = "made up"};
    struct told_setting settings[] = {
        {"spark.executor.memory", "2g", "8g", "memory"},
        {"spark.executor.memoryOverhead", "", "1g", "memory"},
        {"spark.serializer", "", "org.apache.spark.serializer.KryoSerializer", "memory"},
        {"spark.sql.shuffle.partitions", "200", "1000", "partitioning"},
    };
    struct run_advice advice[] = {{.kind = ADVICE_MEMORY, .revision = 1, .saving_s = 20},
                                  {.kind = ADVICE_PARTITIONING, .revision = 1, .saving_s = 9}};
    long before = resident_kib();
    for (long i = 0; i < 3 * count; i++) {
        struct pipeline_run run = {.revision = 1, .duration_s = 60, .open = &open};
        run.time_ms = run.ended_ms = 1700000000000 + i / count * 600000;
        run.started_ms = run.time_ms - 60000;
        run.status = RUN_SUCCEEDED;
        run.open_count = i % count % 10 == 0;
        run.settings = settings;
        run.setting_count = ARRAY_LEN(settings);
        run.advice = advice;
        run.advice_count = ARRAY_LEN(advice);
        snprintf(run.id, sizeof run.id, "run-%ld", i);
        snprintf(run.identity.cluster, sizeof run.identity.cluster, "bench");
        snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "pipeline-%ld", i % count);
        pipelines_feed(pipelines, &run, i, 0);
    }
    printf("%ld pipelines: %ld KiB, %.1f KiB each\n", count, resident_kib() - before,
           (double)(resident_kib() - before) / (double)count);
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (fork() == 0) {
            measure(strtol(argv[i], NULL, 10));
        }
        int status = 0;
        wait(&status);
        if (status != 0) {
            return 1;
        }
    }
    return 0;
}
