// alerts: when a pipeline's condition begins and ends. Called by pipelines.c per update. One alert
// per pipeline and kind: its labels never change while it fires; numbers and severity are in the
// text.
//
// A bottleneck's alert ends when the run that raised it no longer has it, or when a newer run of
// the pipeline ends without it. The alert of a failed run ends when a newer run succeeds.
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "detect/detector.h"
#include "pipelines_priv.h"

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

void alerts_name(const struct pipeline *pipeline, struct alert *alert, enum bottleneck_kind kind) {
    const char *newline = strchr(pipeline->key, '\n');
    struct str cluster = {pipeline->key, (size_t)(newline - pipeline->key)};
    const struct detector *detector = detector_of(kind);
    snprintf(alert->name, sizeof alert->name, "%s", detector->alert_name);
    snprintf(alert->summary, sizeof alert->summary, "%s", detector->alert_summary);
    alert->severity = detector->alert_critical ? "critical" : "warning";
    alert->kind = kind_name(kind);
    str_copy(alert->cluster, sizeof alert->cluster, cluster);
    str_copy(alert->pipeline, sizeof alert->pipeline, str_of(newline + 1));
}

void alerts_count(struct pipelines *pipelines, struct pipeline *pipeline, int by) {
    require((int64_t)pipeline->alert_count + by >= 0 &&
            pipelines->alert_count >= pipeline->alert_count);
    pipeline->alert_count += (uint32_t)by;
    pipelines->alert_count += (size_t)by;
}

bool alerts_is_active(const struct pipeline_alert *kept) {
    return kept != NULL && kept->alert.ended_ms == 0;
}

static struct pipeline_alert *add(struct pipelines *pipelines, struct pipeline *pipeline,
                                  enum bottleneck_kind kind) {
    require(pipeline->alerts[kind] == NULL);
    alerts_count(pipelines, pipeline, 1);
    return pipeline->alerts[kind] = mem_zalloc(1, sizeof *pipeline->alerts[kind]);
}

static void raise(struct pipelines *pipelines, struct pipeline *pipeline,
                  const struct pipeline_run *run, const struct open_bottleneck *worst,
                  int64_t time_ms) {
    struct pipeline_alert *kept = pipeline->alerts[worst->kind];
    char before[sizeof kept->alert.description] = "";
    if (alerts_is_active(kept)) {
        memcpy(before, kept->alert.description, sizeof before);
    } else {
        kept = kept == NULL ? add(pipelines, pipeline, worst->kind) : kept;
        *kept = (struct pipeline_alert){.alert = {.started_ms = time_ms},
                                        .kind = (int64_t)worst->kind + 1};
        alerts_name(pipeline, &kept->alert, worst->kind);
    }
    memcpy(kept->run, run->id, ID_TEXT_SIZE);
    describe(&kept->alert, run, worst);
    if (strcmp(before, kept->alert.description) != 0) {
        pipelines->output.alert(pipelines->output.ctx, &kept->alert);
    }
}

static void end(struct pipelines *pipelines, struct pipeline *pipeline, int kind, int64_t time_ms) {
    struct pipeline_alert *kept = pipeline->alerts[kind];
    struct alert *alert = &kept->alert;
    alert->ended_ms = time_ms > alert->started_ms ? time_ms : alert->started_ms;
    kept->ended_clock_ms = pipelines->clock_ms;
    keep_touch(&pipeline->kept);
    pipelines->output.alert(pipelines->output.ctx, alert);
}

void alerts_end_all(struct pipelines *pipelines, struct pipeline *pipeline) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (alerts_is_active(pipeline->alerts[kind])) {
            end(pipelines, pipeline, kind, pipelines->time_ms);
        }
    }
}

void alerts_expire(struct pipelines *pipelines, struct pipeline *pipeline) {
    const struct pipelines_options *options = pipelines->options;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct pipeline_alert *kept = pipeline->alerts[kind];
        if (alerts_is_active(kept)) {
            if (pipelines->clock_ms - pipeline->seen_clock_ms > options->alert_silence_ms) {
                end(pipelines, pipeline, kind, pipelines->time_ms);
            }
        } else if (kept != NULL &&
                   pipelines->clock_ms - kept->ended_clock_ms > options->alert_keep_ms) {
            mem_free(kept);
            pipeline->alerts[kind] = NULL;
            alerts_count(pipelines, pipeline, -1);
            keep_touch(&pipeline->kept);
        }
    }
}

void alerts_update(struct pipelines *pipelines, struct pipeline *pipeline,
                   const struct pipeline_run *run, int64_t time_ms) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct open_bottleneck *worst = worst_of(run, (enum bottleneck_kind)kind);
        if (worst != NULL && worst->severity >= pipelines->options->alert_min) {
            raise(pipelines, pipeline, run, worst, time_ms);
            continue;
        }
        if (!alerts_is_active(pipeline->alerts[kind])) {
            continue;
        }
        bool own = strcmp(pipeline->alerts[kind]->run, run->id) == 0;
        bool better =
            run->ended_ms > 0 && (kind != KIND_PIPELINE_FAILURE || run->status == RUN_SUCCEEDED);
        if (own || better) {
            end(pipelines, pipeline, kind, time_ms);
        }
    }
}
