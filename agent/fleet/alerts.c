// alerts: when a pipeline's condition begins and ends. Called by pipelines.c per update. One alert
// per pipeline and kind: its labels never change while it fires; numbers and severity are in the
// text.
//
// A bottleneck's alert ends when the run that raised it no longer has it, or when a newer run of
// the pipeline ends without it; but not by a run whose stages may have been let go for
// limits.memory. While a run goes on its length is not known yet: what it would lose is weighed
// against what the pipeline's runs usually take. The alert of a failed run ends when a newer run
// succeeds. Those of a silent pipeline end after a while, and those of another cluster when state
// is loaded: the setting is another one now, and nobody will speak of that pipeline any more.
// Agents that still have the old name may: what they raise ends after a shorter silence.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/scrub.h"
#include "base/span.h"
#include "detect/detector.h"
#include "model/limit.h"
#include "pipelines_priv.h"

// From so many runs that succeeded on, what they take is usual.
enum { USUAL_RUNS = 3 };

static int by_length(const void *x, const void *y) {
    const double *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

// What the pipeline's runs usually take, seconds: the median of those that succeeded; 0 if there
// were too few.
static double usual_s(const struct pipeline *pipeline) {
    double *lengths = mem_alloc((pipeline->run_count + 1) * sizeof *lengths), usual = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < pipeline->run_count; i++) {
        const struct known_run *run = &pipeline->runs[i];
        if (run->ended_ms > 0 && run->status == RUN_SUCCEEDED) {
            lengths[count++] = run->duration_s;
        }
    }
    if (count >= USUAL_RUNS) {
        qsort(lengths, count, sizeof *lengths, by_length);
        usual = lengths[(count - 1) / 2];
    }
    mem_free(lengths);
    return usual;
}

static enum severity lesser(enum severity a, enum severity b) {
    return a < b ? a : b;
}

// How bad it is in a run of that length, or of the usual one if that is longer: never worse than
// its stage 1 says, and no better than it is whatever it costs.
static enum severity weigh(const struct open_bottleneck *open, double run_s, double usual_s) {
    if (usual_s <= run_s) {
        return open->severity;
    }
    enum severity loss = severity_of_loss(open->saving_s, usual_s, true);
    loss = loss < open->floor ? open->floor : loss;
    return lesser(open->severity, loss);
}

// The run's worst open bottleneck of a kind that is sure enough, with its severity weighed anew.
// False if there is none. The list is sorted, worst first.
static bool worst_of(const struct pipeline_run *run, enum bottleneck_kind kind,
                     enum confidence least, double usual_s, struct open_bottleneck *out) {
    const struct open_bottleneck *worst = NULL;
    enum severity severity = SEVERITY_NEGLIGIBLE;
    for (uint32_t i = 0; i < run->open_count; i++) {
        const struct open_bottleneck *open = &run->open[i];
        if (open->kind != kind || open->confidence > least) {
            continue;
        }
        enum severity weighed = weigh(open, run->duration_s, usual_s);
        if (worst == NULL || weighed > severity) {
            worst = open;
            severity = weighed;
        }
    }
    if (worst != NULL) {
        *out = *worst;
        out->severity = severity;
    }
    return worst != NULL;
}

static void describe(struct alert *alert, const struct pipeline_run *run,
                     const struct open_bottleneck *worst) {
    const char *attempt = run->identity.attempt;
    char text[SCRUB_COPY_MAX], saving[SPAN_TEXT_SIZE];
    bool sure = worst->confidence == CONFIDENCE_HIGH;
    snprintf(text, sizeof text,
             "Pipeline %.100s, run %.100s%s%s: %s (severity %s%s%s%s, up to %s lost).",
             run->identity.pipeline, run->identity.app_id, attempt[0] != '\0' ? " attempt " : "",
             attempt, worst->summary, severity_name(worst->severity), sure ? "" : ", ",
             sure ? "" : confidence_name(worst->confidence), sure ? "" : " confidence",
             span_format_seconds(worst->saving_s, saving));
    scrub_copy(alert->description, sizeof alert->description, str_of(text)); // names are cut above
}

static void set_name(const struct pipeline *pipeline, struct alert *alert,
                     enum bottleneck_kind kind) {
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

static void count(struct pipelines *pipelines, struct pipeline *pipeline, int by) {
    require((int64_t)pipeline->alert_count + by >= 0 &&
            pipelines->alert_count >= pipeline->alert_count);
    pipeline->alert_count += (uint32_t)by;
    pipelines->alert_count += (size_t)by;
}

// One that ended waits to be forgotten, behind those that ended before.
static void wait_to_be_forgotten(struct pipelines *pipelines, struct pipeline *pipeline,
                                 struct pipeline_alert *kept) {
    kept->pipeline = pipeline;
    TAILQ_INSERT_TAIL(&pipelines->ended, kept, ended_link);
}

static void wait_no_more(struct pipelines *pipelines, struct pipeline_alert *kept) {
    if (kept->pipeline != NULL) {
        TAILQ_REMOVE(&pipelines->ended, kept, ended_link);
        kept->pipeline = NULL;
    }
}

static struct pipeline_alert *add(struct pipelines *pipelines, struct pipeline *pipeline,
                                  enum bottleneck_kind kind) {
    require(pipeline->alerts[kind] == NULL);
    count(pipelines, pipeline, 1);
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
        wait_no_more(pipelines, kept);
        *kept = (struct pipeline_alert){.alert = {.started_ms = time_ms},
                                        .kind = (int64_t)worst->kind + 1};
        set_name(pipeline, &kept->alert, worst->kind);
        pipeline->firing_count++;
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
    wait_to_be_forgotten(pipelines, pipeline, kept);
    pipeline->firing_count--;
    keep_touch(&pipeline->kept);
}

static void tell_end(struct pipelines *pipelines, struct pipeline *pipeline, int kind,
                     int64_t time_ms) {
    end(pipelines, pipeline, kind, time_ms);
    pipelines->output.alert(pipelines->output.ctx, &pipeline->alerts[kind]->alert);
}

static void forget(struct pipelines *pipelines, struct pipeline_alert *kept) {
    struct pipeline *pipeline = kept->pipeline;
    wait_no_more(pipelines, kept);
    pipeline->alerts[kept->kind - 1] = NULL;
    mem_free(kept);
    count(pipelines, pipeline, -1);
    keep_touch(&pipeline->kept);
    registry_change(pipelines, pipeline);
}

// Ends what is active of pipelines that have been silent for longer than `silence_ms`. The list is
// in the order of their last updates.
static void end_silent(struct pipelines *pipelines, const struct pipeline_list *firing,
                       int64_t silence_ms) {
    struct pipeline *p = TAILQ_FIRST(firing);
    while (p != NULL && pipelines->clock_ms - p->seen_clock_ms > silence_ms) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            if (alerts_is_active(p->alerts[kind])) {
                tell_end(pipelines, p, kind, pipelines->time_ms);
            }
        }
        registry_change(pipelines, p);
        p = TAILQ_FIRST(firing);
    }
}

void alerts_age(struct pipelines *pipelines) {
    const struct pipelines_options *options = pipelines->options;
    end_silent(pipelines, &pipelines->firing[false], options->alert_silence_ms);
    end_silent(pipelines, &pipelines->firing[true], options->alert_keep_ms);
    struct pipeline_alert *kept;
    while ((kept = TAILQ_FIRST(&pipelines->ended)) != NULL &&
           pipelines->clock_ms - kept->ended_clock_ms > options->alert_keep_ms) {
        forget(pipelines, kept);
    }
}

static int by_end(const void *x, const void *y) {
    const struct pipeline_alert *a = *(struct pipeline_alert *const *)x,
                                *b = *(struct pipeline_alert *const *)y;
    return (a->ended_clock_ms > b->ended_clock_ms) - (a->ended_clock_ms < b->ended_clock_ms);
}

static void complete(struct pipelines *pipelines, struct pipeline *p) {
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct pipeline_alert *kept = p->alerts[kind];
        if (kept == NULL) {
            continue;
        }
        set_name(p, &kept->alert, (enum bottleneck_kind)kind);
        count(pipelines, p, 1);
        p->firing_count += alerts_is_active(kept);
        if (!alerts_is_active(kept)) {
            wait_to_be_forgotten(pipelines, p, kept);
        } else if (p->is_foreign) {
            end(pipelines, p, kind, pipelines->time_ms);
        }
    }
}

void alerts_complete(struct pipelines *pipelines) {
    for (struct pipeline *p = pipelines->all; p != NULL; p = p->hh.next) {
        complete(pipelines, p);
    }
    struct pipeline_alert *kept,
        **ended = mem_alloc((pipelines->alert_count + 1) * sizeof(struct pipeline_alert *));
    size_t ended_count = 0;
    while ((kept = TAILQ_FIRST(&pipelines->ended)) != NULL) {
        ended[ended_count++] = kept;
        TAILQ_REMOVE(&pipelines->ended, kept, ended_link);
    }
    if (ended_count > 0) {
        qsort(ended, ended_count, sizeof *ended, by_end);
    }
    for (size_t i = 0; i < ended_count; i++) {
        TAILQ_INSERT_TAIL(&pipelines->ended, ended[i], ended_link);
    }
    mem_free(ended);
}

void alerts_update(struct pipelines *pipelines, struct pipeline *pipeline,
                   const struct pipeline_run *run, int64_t time_ms) {
    const struct pipelines_options *options = pipelines->options;
    bool knows_stages = !limit_in(run->limits, LIMIT_MEMORY);
    bool loud = run->open_count > 0 && run->open[0].severity >= options->alert_min;
    double usual = loud && run->ended_ms == 0 ? usual_s(pipeline) : 0;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct open_bottleneck worst;
        if (worst_of(run, (enum bottleneck_kind)kind, options->alert_confidence, usual, &worst) &&
            worst.severity >= options->alert_min) {
            raise(pipelines, pipeline, run, &worst, time_ms);
            continue;
        }
        if (!alerts_is_active(pipeline->alerts[kind])) {
            continue;
        }
        bool own = strcmp(pipeline->alerts[kind]->run, run->id) == 0 && knows_stages;
        bool better = run->ended_ms > 0 &&
                      (kind != KIND_PIPELINE_FAILURE ? knows_stages : run->status == RUN_SUCCEEDED);
        if (own || better) {
            tell_end(pipelines, pipeline, kind, time_ms);
        }
    }
}
