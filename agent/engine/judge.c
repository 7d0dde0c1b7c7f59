// judge: runs the detectors and keeps each verdict's life: opened -> updated -> confirmed |
// retracted, same id, rising revision. Called by engine.c; the only place that changes a verdict.
// While a run goes on changes that matter are handed out, others once a minute, as far as its bytes
// pay for them (pace.h); once it is over every change is, so the last revision of each verdict is
// what analyze prints.
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "detect/cost.h"
#include "detect/roots.h"
#include "engine_priv.h"
#include "model/id.h"
#include "pace.h"

enum { REPEAT_AFTER_MS = 60000 };

// A subject's list of verdicts.
struct verdict_list {
    struct bottleneck ***items;
    uint32_t *count;
};

static struct bottleneck *add_verdict(const struct live_run *live, struct verdict_list list,
                                      enum bottleneck_kind kind) {
    for (uint32_t i = 0; i < *list.count; i++) {
        require((*list.items)[i]->kind != kind); // a subject has one of each
    }
    struct bottleneck *verdict = mem_zalloc(1, sizeof *verdict);
    verdict->kind = kind;
    *list.items = mem_resize(*list.items, *list.count + 1, sizeof **list.items);
    (*list.items)[(*list.count)++] = verdict;
    verdict->revision = (int32_t)live->told.verdict_base;
    return verdict;
}

static enum severity weigh(double saving_s, enum severity floor, enum severity cap, double run_s,
                           bool running) {
    enum severity severity = severity_of_loss(saving_s, run_s, running);
    severity = severity < floor ? floor : severity;
    return severity > cap ? cap : severity;
}

static void set_loss(struct bottleneck *b, double run_s, bool running) {
    require(isfinite(b->saving_s) && b->saving_s >= 0);
    double share = run_s > 0 ? b->saving_s / run_s : 0;
    b->saving_share = share > 1 ? 1 : share;
    b->severity = weigh(b->saving_s, b->floor, b->cap, run_s, running);
}

static bool same_numbers(const struct bottleneck *a, const struct bottleneck *b) {
    if (a->evidence_count != b->evidence_count || a->saving_s != b->saving_s ||
        a->saving_share != b->saving_share || a->completeness != b->completeness ||
        strcmp(a->summary, b->summary) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < a->evidence_count; i++) {
        if (a->evidence[i].value != b->evidence[i].value) {
            return false;
        }
    }
    return true;
}

static bool same_verdict(const struct bottleneck *a, const struct bottleneck *b) {
    return a->severity == b->severity && a->cause == b->cause && a->rule_met == b->rule_met &&
           a->life == b->life && a->confidence == b->confidence &&
           strcmp(a->explained_by, b->explained_by) == 0;
}

// Whether the run is to be told at once, since the worst of a kind is another one.
static void note_worst(struct live_run *live, const struct bottleneck *now,
                       const struct bottleneck *before) {
    bool was_open = before != NULL && bottleneck_is_open(before);
    enum severity had = was_open ? before->severity : SEVERITY_NEGLIGIBLE;
    enum severity has = bottleneck_is_open(now) ? now->severity : SEVERITY_NEGLIGIBLE;
    enum severity told = live->pace.worst[now->kind];
    bool surer = before != NULL &&
                 (before->confidence == CONFIDENCE_LOW) != (now->confidence == CONFIDENCE_LOW);
    live->run_due = live->run_due || has > told || (had == told && has < had) ||
                    (surer && has >= SEVERITY_MODERATE); // it may be alerted about, or no more
}

// About the bytes of its record.
static size_t record_bytes(const struct run_identity *identity, const struct bottleneck *b) {
    enum { ALL = 350, EVIDENCE = 24 };
    return ALL + EVIDENCE * (size_t)b->evidence_count + strlen(b->summary) +
           strlen(identity->app_id) + strlen(identity->pipeline) + strlen(identity->app_name) +
           strlen(identity->user) + strlen(identity->cluster);
}

// Hands out what changed, if anyone outside should hear of it.
static void publish(struct engine *engine, struct live_run *live, struct bottleneck *now,
                    const struct bottleneck *before) {
    bool matters = before == NULL || !same_verdict(now, before);
    int64_t app_ms = live->app->now_ms;
    now->untold = now->untold || matters || !same_numbers(now, before);
    if (!matters && !(now->untold && (live->over || app_ms - now->updated_ms >= REPEAT_AFTER_MS))) {
        return;
    }
    note_worst(live, now, before);
    bool hidden = now->severity < engine->options->publish_min && !now->published;
    bool is_paid = live->over || now->stage < 0; // the run is judged with its updates, which are
    if (!hidden && !is_paid &&
        !pace_pays_verdict(live, record_bytes(&live->app->identity, now), matters)) {
        return;
    }
    now->updated_ms = app_ms;
    now->untold = false;
    if (hidden) {
        return;
    }
    now->published = true;
    now->revision++;
    require(now->revision > 0 && (before == NULL || now->revision > before->revision));
    if (now->revision > live->told.verdict_revision) {
        live->told.verdict_revision = now->revision;
    }
    app_fix_pipeline(live->app);
    engine->output.bottleneck(engine->output.ctx, &live->app->identity, live->app->run_id, now);
}

// The one function that moves a verdict through its life.
static enum life next_life(const struct bottleneck *before, bool holds, bool settled) {
    if (!holds) {
        return LIFE_RETRACTED;
    }
    if (settled) {
        return LIFE_CONFIRMED;
    }
    return before == NULL ? LIFE_OPENED : LIFE_UPDATED;
}

static void fill(struct bottleneck *b, const struct verdict *verdict, double completeness) {
    b->rule_met = verdict->rule_met;
    b->reason = verdict->reason;
    b->cause = verdict->cause;
    b->floor = verdict->floor;
    b->cap = verdict->cap;
    b->confidence = verdict->confidence;
    b->confidence_why = verdict->confidence_why;
    b->saving_s = verdict->saving_s;
    b->completeness = completeness;
    memcpy(b->evidence, verdict->evidence, sizeof b->evidence);
    b->evidence_count = verdict->evidence_count;
    memcpy(b->summary, verdict->summary, sizeof b->summary);
}

struct subject {
    struct verdict_list list;
    int32_t stage, stage_attempt;
    struct bottleneck *before; // the verdict so far, NULL if none
    double completeness;
    bool settled;                    // the stage has ended, or the run
    char explained_by[ID_TEXT_SIZE]; // "" if it is nobody's doing
};

static void conclude(struct engine *engine, struct live_run *live, const struct detector *detector,
                     const struct subject *subject, const struct verdict *verdict) {
    struct app *app = live->app;
    struct bottleneck *b = subject->before;
    bool holds = verdict->rule_met == TRI_TRUE || verdict->opens;
    if (b == NULL && !holds) {
        return;
    }
    struct bottleneck old;
    bool is_new = b == NULL;
    if (is_new) {
        b = add_verdict(live, subject->list, detector->kind);
        b->stage = subject->stage;
        b->stage_attempt = subject->stage_attempt;
        b->opened_ms = b->updated_ms = app->now_ms;
        id_of_bottleneck(&app->identity, b->stage, b->stage_attempt, b->kind, b->id);
    } else {
        old = *b;
    }
    if (holds) { // a retracted verdict keeps its last numbers
        fill(b, verdict, subject->completeness);
        memcpy(b->explained_by, subject->explained_by, sizeof b->explained_by);
    }
    b->life = next_life(is_new ? NULL : &old, holds, subject->settled);
    set_loss(b, app_duration_s(app), !live->over);
    publish(engine, live, b, is_new ? NULL : &old);
}

const struct thresholds *judge_thresholds(const struct engine *engine, const struct app *app) {
    (void)app; // its pipeline's name is settled as soon as its properties are known
    return &engine->options->thresholds;
}

static void ask(struct engine *engine, struct live_run *live, const struct detector *detector,
                const struct subject *subject, const struct stage *stage, bool over,
                struct verdict *out) {
    *out = (struct verdict){.rule_met = TRI_NULL, .cap = SEVERITY_CRITICAL};
    const struct thresholds *thresholds = judge_thresholds(engine, live->app);
    struct detector_view view = {.app = live->app,
                                 .stage = stage,
                                 .over = over,
                                 .thresholds = thresholds->of[detector->kind]};
    bool rule = stage != NULL || detector->subject == SUBJECT_RUN;
    if (rule) {
        detector->judge(&view, out);
    } else {
        out->rule_met = TRI_FALSE;
        detector->judge_run(&view, out);
    }
    require(out->floor <= out->cap && (out->rule_met != TRI_NULL || out->reason != NULL));
    if (!isfinite(out->saving_s) || out->saving_s < 0) {
        out->saving_s = 0; // out of sums that overflowed
    }
    out->saving_s = cost_at_most(live->app, stage, out->saving_s);
    confidence_weigh(detector, live->app, stage, subject->completeness, subject->settled, out);
    if (rule && out->rule_met != TRI_NULL) {
        live->evaluated |= 1u << detector->kind;
    }
}

// What the detectors said of one subject, before anything is concluded from it.
struct judgement {
    struct verdict verdicts[KIND_COUNT];
    bool asked[KIND_COUNT];
    struct finding findings[KIND_COUNT];
};

// The kind of a subject's verdict with that id, or -1.
static int kind_of_id(const struct subject *subject, const char *id) {
    for (uint32_t i = 0; i < *subject->list.count; i++) {
        if (strcmp((*subject->list.items)[i]->id, id) == 0) {
            return (int)(*subject->list.items)[i]->kind;
        }
    }
    return -1;
}

// What stands of it: as it was said now, else as it was concluded before.
static void add_before(const struct subject *subject, struct judgement *j) {
    for (uint32_t i = 0; i < *subject->list.count; i++) {
        const struct bottleneck *b = (*subject->list.items)[i];
        struct finding *finding = &j->findings[b->kind];
        int root = b->explained_by[0] != '\0' ? kind_of_id(subject, b->explained_by) : -1;
        finding->was_explained = root >= 0;
        finding->was_root = root >= 0 ? (enum bottleneck_kind)root : 0;
        if (!j->asked[b->kind]) {
            finding->holds = b->rule_met != TRI_NULL && b->life != LIFE_RETRACTED && root < 0;
            finding->severity = b->severity;
            finding->cause = b->cause;
            finding->saving_s = b->saving_s;
        }
    }
}

static void find_roots(const struct live_run *live, const struct subject *subject,
                       const struct stage *stage, struct judgement *j) {
    double run_s = app_duration_s(live->app);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct verdict *v = &j->verdicts[kind];
        if (j->asked[kind]) {
            j->findings[kind] = (struct finding){
                // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it was asked
                .holds = v->rule_met == TRI_TRUE || v->opens,
                .severity = weigh(v->saving_s, v->floor, v->cap, run_s, !live->over),
                .cause = v->cause,
                .saving_s = v->saving_s,
                .verdict = v};
        }
    }
    add_before(subject, j);
    roots_find(stage, j->findings);
}

static void conclude_kind(struct engine *engine, struct live_run *live, struct subject *subject,
                          const struct detector *detector, const struct judgement *j) {
    const struct finding *finding = &j->findings[detector->kind];
    subject->explained_by[0] = '\0';
    if (finding->on_stage != NULL) {
        memcpy(subject->explained_by, finding->on_stage->id, sizeof subject->explained_by);
    } else if (finding->is_explained) {
        id_of_bottleneck(&live->app->identity, subject->stage, subject->stage_attempt,
                         finding->root, subject->explained_by);
    }
    conclude(engine, live, detector, subject, &j->verdicts[detector->kind]);
}

void judge_stage(struct engine *engine, struct live_run *live, struct stage *stage, bool over) {
    unsigned count;
    const struct detector *const *all = detectors(&count);
    const struct stage_summary *s = &stage->summary;
    double expected = (double)s->tasks_expected;
    double tasks = expected > 0 ? fmin(1, (double)s->tasks / expected) : 1;
    struct subject subject = {.list = {&stage->verdicts, &stage->verdict_count},
                              .stage = s->stage,
                              .stage_attempt = s->attempt,
                              .completeness = fmin(tasks, app_seen_beside_tasks(live->app)),
                              .settled = stage->completed || over};
    struct judgement j;
    memset(j.asked, 0, sizeof j.asked);
    memset(j.findings, 0, sizeof j.findings);
    for (unsigned i = 0; i < count; i++) {
        const struct detector *detector = all[i];
        if (detector->subject != SUBJECT_STAGE ||
            (!subject.settled && tasks < detector->completeness) ||
            (detector->needs_detail && stage->detail == NULL)) {
            continue;
        }
        j.asked[detector->kind] = true;
        ask(engine, live, detector, &subject, stage, over, &j.verdicts[detector->kind]);
    }
    find_roots(live, &subject, stage, &j);
    for (unsigned i = 0; i < count; i++) {
        if (j.asked[all[i]->kind]) {
            subject.before = stage_verdict(stage, all[i]->kind);
            conclude_kind(engine, live, &subject, all[i], &j);
        }
    }
    app_stage_judged(live->app, stage, over);
}

// A rule that could be evaluated nowhere in the run is told once, with the reason.
static void tell_unevaluated(struct live_run *live, const struct detector *detector,
                             const char *reason) {
    struct app *app = live->app;
    struct bottleneck *b = app_verdict(app, detector->kind);
    if ((live->evaluated & (1u << detector->kind)) != 0) {
        if (b != NULL && b->rule_met == TRI_NULL) {
            b->life = LIFE_RETRACTED; // a late event brought what was missing
        }
        return;
    }
    if (b != NULL) {
        return;
    }
    struct verdict_list list = {&app->verdicts, &app->verdict_count};
    b = add_verdict(live, list, detector->kind);
    b->stage = b->stage_attempt = -1;
    b->rule_met = TRI_NULL;
    b->reason = reason;
    b->life = LIFE_CONFIRMED;
    b->cap = SEVERITY_NEGLIGIBLE;
    b->completeness = app_completeness(app);
    b->opened_ms = b->updated_ms = app->now_ms;
    id_of_bottleneck(&app->identity, -1, -1, b->kind, b->id);
}

// A verdict on the run was given while it went on; of the whole run the rule cannot be evaluated.
// It was retracted, and stands from now on for what is not known.
static void cannot_be_told(struct live_run *live, struct bottleneck *b, const char *reason) {
    live->evaluated &= ~(1u << b->kind);
    b->rule_met = TRI_NULL;
    b->reason = reason;
    b->life = LIFE_CONFIRMED;
    b->cause = CAUSE_NONE;
    b->floor = b->cap = b->severity = SEVERITY_NEGLIGIBLE;
    b->saving_s = b->saving_share = 0;
    b->evidence_count = 0;
    b->summary[0] = '\0';
}

static void conclude_on_run(struct engine *engine, struct live_run *live, struct subject *subject,
                            const struct detector *detector, const struct judgement *j) {
    struct app *app = live->app;
    const struct verdict *verdict = &j->verdicts[detector->kind];
    bool untold = subject->settled && verdict->rule_met == TRI_NULL;
    if (untold && app_verdict(app, detector->kind) == NULL) {
        live->evaluated &= ~(1u << detector->kind); // while it went on it could be
    }
    if (subject->settled) {
        bool rule = detector->subject == SUBJECT_RUN;
        tell_unevaluated(live, detector, rule ? verdict->reason : detector->never_text);
    }
    subject->before = app_verdict(app, detector->kind);
    if (subject->before != NULL && subject->before->rule_met == TRI_NULL) {
        if (verdict->rule_met != TRI_TRUE) {
            return;
        }
        subject->before->reason = NULL;
    }
    conclude_kind(engine, live, subject, detector, j);
    if (untold && subject->before != NULL) {
        cannot_be_told(live, subject->before, verdict->reason);
    }
}

void judge_run(struct engine *engine, struct live_run *live, bool over) {
    unsigned count;
    const struct detector *const *all = detectors(&count);
    struct app *app = live->app;
    struct subject subject = {.list = {&app->verdicts, &app->verdict_count},
                              .stage = -1,
                              .stage_attempt = -1,
                              .completeness = app_completeness(app),
                              .settled = over};
    struct judgement j;
    memset(j.asked, 0, sizeof j.asked);
    memset(j.findings, 0, sizeof j.findings);
    for (unsigned i = 0; i < count; i++) {
        bool of_run = all[i]->subject == SUBJECT_RUN ? over || all[i]->live
                                                     : over && all[i]->judge_run != NULL;
        if (of_run) {
            j.asked[all[i]->kind] = true;
            ask(engine, live, all[i], &subject, NULL, over, &j.verdicts[all[i]->kind]);
        }
    }
    find_roots(live, &subject, NULL, &j);
    roots_find_on_stages(app, j.findings);
    for (unsigned i = 0; i < count; i++) {
        if (j.asked[all[i]->kind]) {
            conclude_on_run(engine, live, &subject, all[i], &j);
        } else if (over) {
            tell_unevaluated(live, all[i], all[i]->never_text);
        }
    }
}

static void settle_one(struct engine *engine, struct live_run *live, struct bottleneck *b) {
    if (b->rule_met == TRI_NULL) {
        return;
    }
    struct bottleneck old = *b;
    if (b->life != LIFE_RETRACTED) {
        b->life = LIFE_CONFIRMED;
    }
    set_loss(b, app_duration_s(live->app), false);
    publish(engine, live, b, &old);
}

void judge_settle(struct engine *engine, struct live_run *live) {
    struct app *app = live->app;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        for (uint32_t v = 0; v < app->stages[i]->verdict_count; v++) {
            keep_touch(&app->stages[i]->kept);
            settle_one(engine, live, app->stages[i]->verdicts[v]);
        }
    }
    for (uint32_t v = 0; v < app->verdict_count; v++) {
        settle_one(engine, live, app->verdicts[v]);
    }
}
