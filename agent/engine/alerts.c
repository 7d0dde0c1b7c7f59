// alerts: when a pipeline's condition begins and ends. Called by pipelines.c per update. One alert
// per pipeline and kind: its labels never change while it fires; numbers and severity are in the
// text.
//
// A bottleneck's alert ends when the run that raised it no longer has it, or when a newer run of
// the pipeline ends without it. The alert of a failed run ends when a newer run succeeds.
#include <stdio.h>
#include <string.h>

#include "pipelines_priv.h"

static const char *const names[KIND_COUNT] = {
    [KIND_DATA_SKEW] = "PipelineDataSkew",
    [KIND_MEMORY_PRESSURE] = "PipelineMemoryPressure",
    [KIND_NETWORK_OVERHEAD] = "PipelineNetworkOverhead",
    [KIND_IO_BOTTLENECK] = "PipelineIoBottleneck",
    [KIND_RESOURCE_CONTENTION] = "PipelineResourceContention",
    [KIND_SLOW_RUN] = "PipelineSlowRun",
    [KIND_LOW_THROUGHPUT] = "PipelineLowThroughput",
    [KIND_STRAGGLER] = "PipelineStraggler",
    [KIND_TASK_FAILURES] = "PipelineTaskFailures",
    [KIND_PIPELINE_FAILURE] = "PipelineFailure",
};

static const char *const summaries[KIND_COUNT] = {
    [KIND_DATA_SKEW] = "Pipeline slowed by skewed data",
    [KIND_MEMORY_PRESSURE] = "Pipeline short of memory",
    [KIND_NETWORK_OVERHEAD] = "Pipeline shuffles far more than it reads",
    [KIND_IO_BOTTLENECK] = "Pipeline slowed by reading its input",
    [KIND_RESOURCE_CONTENTION] = "Pipeline waits for resources",
    [KIND_SLOW_RUN] = "Pipeline run takes too long",
    [KIND_LOW_THROUGHPUT] = "Pipeline handles few records a second",
    [KIND_STRAGGLER] = "Pipeline slowed by straggling tasks",
    [KIND_TASK_FAILURES] = "Pipeline loses work to failed tasks",
    [KIND_PIPELINE_FAILURE] = "Pipeline execution failed",
};

// The run's worst open bottleneck of a kind, or NULL. The list is sorted, worst first.
static const struct open_bottleneck *worst_of(const struct pipeline_run *run,
                                              enum bottleneck_kind kind) {
    for (uint32_t i = 0; i < run->open_count; i++) {
        if (run->open[i].kind == kind) {
            return &run->open[i];
        }
    }
    return NULL;
}

static void describe(struct alert *alert, const struct pipeline_run *run,
                     const struct open_bottleneck *worst) {
    const char *attempt = run->identity.attempt;
    snprintf(alert->description, sizeof alert->description,
             "Pipeline %.100s, run %.100s%s%s: %s (severity %s, up to %.1f s lost).",
             run->identity.pipeline, run->identity.app_id, attempt[0] != '\0' ? " attempt " : "",
             attempt, worst->summary, severity_name(worst->severity), worst->saving_s);
}

static void raise(struct pipelines *pipelines, struct pipeline *pipeline,
                  const struct pipeline_run *run, const struct open_bottleneck *worst) {
    struct alert *alert = &pipeline->alerts[worst->kind];
    struct alert before = *alert;
    if (alert->name[0] == '\0') {
        snprintf(alert->name, sizeof alert->name, "%s", names[worst->kind]);
        snprintf(alert->summary, sizeof alert->summary, "%s", summaries[worst->kind]);
        alert->severity = worst->kind == KIND_PIPELINE_FAILURE ? "critical" : "warning";
        alert->kind = kind_name(worst->kind);
        memcpy(alert->cluster, run->identity.cluster, sizeof alert->cluster);
        memcpy(alert->pipeline, run->identity.pipeline, sizeof alert->pipeline);
        alert->started_ms = run->time_ms;
    }
    memcpy(pipeline->alert_run[worst->kind], run->id, ID_TEXT_SIZE);
    describe(alert, run, worst);
    if (before.name[0] == '\0' || strcmp(before.description, alert->description) != 0) {
        pipelines->output.alert(pipelines->output.ctx, alert);
    }
}

static void end(struct pipelines *pipelines, struct pipeline *pipeline, int kind, int64_t time_ms) {
    struct alert *alert = &pipeline->alerts[kind];
    alert->ended_ms = time_ms > alert->started_ms ? time_ms : alert->started_ms;
    pipelines->output.alert(pipelines->output.ctx, alert);
    *alert = (struct alert){0};
    pipeline->alert_run[kind][0] = '\0';
}

void alerts_update(struct pipelines *pipelines, struct pipeline *pipeline,
                   const struct pipeline_run *run) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct open_bottleneck *worst = worst_of(run, (enum bottleneck_kind)kind);
        if (worst != NULL && worst->severity >= pipelines->options->alert_min) {
            raise(pipelines, pipeline, run, worst);
            continue;
        }
        if (pipeline->alerts[kind].name[0] == '\0') {
            continue;
        }
        bool own = strcmp(pipeline->alert_run[kind], run->id) == 0;
        bool better =
            run->ended_ms > 0 && (kind != KIND_PIPELINE_FAILURE || run->status == RUN_SUCCEEDED);
        if (own || better) {
            end(pipelines, pipeline, kind, run->time_ms);
        }
    }
}
