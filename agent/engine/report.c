// report: builds what leaves the engine: PipelineRun updates and recommendations, out of one look
// at the run's verdicts. Called by engine.c when one is due; allocates per report, never per event.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advise/advise.h"
#include "base/check.h"
#include "base/mem.h"
#include "engine_priv.h"

static int slower_first(const void *a, const void *b) {
    const struct stage *x = *(struct stage *const *)a, *y = *(struct stage *const *)b;
    int64_t wx = stage_wall_ms(x), wy = stage_wall_ms(y);
    if (wx != wy) {
        return wx > wy ? -1 : 1;
    }
    int by_id = (x->summary.stage > y->summary.stage) - (x->summary.stage < y->summary.stage);
    return by_id != 0 ? by_id : x->summary.attempt - y->summary.attempt;
}

static void add_stages(const struct app *app, struct pipeline_run *run) {
    if (app->stage_count == 0) {
        return;
    }
    struct stage **sorted = mem_alloc(app->stage_count * sizeof *sorted);
    memcpy(sorted, app->stages, app->stage_count * sizeof *sorted);
    qsort(sorted, app->stage_count, sizeof *sorted, slower_first);
    run->stage_count = app->stage_count < RUN_STAGES_MAX ? app->stage_count : RUN_STAGES_MAX;
    run->stages = mem_alloc(run->stage_count * sizeof *run->stages);
    for (uint32_t i = 0; i < run->stage_count; i++) {
        run->stages[i] = sorted[i]->summary;
    }
    run->shortened = run->stage_count < app->stage_count;
    mem_free(sorted);
}

static int worse_first(const void *a, const void *b) {
    const struct open_bottleneck *x = a, *y = b;
    if (x->severity != y->severity) {
        return x->severity > y->severity ? -1 : 1;
    }
    if (x->saving_s != y->saving_s) {
        return x->saving_s > y->saving_s ? -1 : 1;
    }
    return strcmp(x->id, y->id);
}

static void count_kinds(struct bottleneck *const *list, uint32_t count, uint32_t *of_kind) {
    for (uint32_t i = 0; i < count; i++) {
        of_kind[list[i]->kind]++;
    }
}

static void place_kinds(struct run_verdicts *v, struct bottleneck *const *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        v->all[v->end[list[i]->kind]++] = list[i];
    }
}

// Two passes over the stages, whatever number of kinds there is.
static struct run_verdicts collect(const struct app *app) {
    struct run_verdicts v = {0};
    uint32_t of_kind[KIND_COUNT] = {0}, sum = 0;
    count_kinds(app->verdicts, app->verdict_count, of_kind);
    for (uint32_t i = 0; i < app->stage_count; i++) {
        count_kinds(app->stages[i]->verdicts, app->stages[i]->verdict_count, of_kind);
    }
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        v.end[kind] = sum; // where it begins, until its verdicts are placed
        sum += of_kind[kind];
    }
    v.all = mem_alloc((sum + 1) * sizeof(struct bottleneck *));
    place_kinds(&v, app->verdicts, app->verdict_count);
    for (uint32_t i = 0; i < app->stage_count; i++) {
        place_kinds(&v, app->stages[i]->verdicts, app->stages[i]->verdict_count);
    }
    return v;
}

static void add_open(const struct run_verdicts *verdicts, struct pipeline_run *run) {
    uint32_t cap = 0, len = 0;
    struct open_bottleneck *open = NULL;
    for (uint32_t i = 0; i < verdicts->end[KIND_COUNT - 1]; i++) {
        const struct bottleneck *b = verdicts->all[i];
        if (!bottleneck_is_open(b)) {
            continue;
        }
        MEM_GROW(open, len, cap);
        open[len] = (struct open_bottleneck){.kind = b->kind,
                                             .severity = b->severity,
                                             .cause = b->cause,
                                             .stage = b->stage,
                                             .stage_attempt = b->stage_attempt,
                                             .saving_s = b->saving_s};
        memcpy(open[len].id, b->id, sizeof b->id);
        memcpy(open[len].summary, b->summary, sizeof b->summary);
        run->open_by_severity[b->severity]++;
        len++;
    }
    if (len > 0) {
        qsort(open, len, sizeof *open, worse_first);
    }
    run->open = open;
    run->open_count = run_shorten_open(open, len, RUN_OPEN_MAX);
    run->shortened = run->shortened || run->open_count < len;
}

// What is said of a run at one moment: its verdicts by kind and the advice they call for.
struct account {
    struct run_verdicts verdicts;
    struct advice advice;
};

static void account_init(struct account *account, const struct engine *engine,
                         const struct app *app) {
    *account = (struct account){.verdicts = collect(app)};
    struct advice_view view = {.app = app,
                               .verdicts = &account->verdicts,
                               .thresholds = judge_thresholds(engine, app),
                               .duration_s = app_duration_s(app)};
    advise(engine->options->advisors, engine->options->advisor_count, &view, &account->advice);
}

static void account_fini(struct account *account) {
    advice_fini(&account->advice);
    mem_free(account->verdicts.all);
}

static enum run_status status_of(const struct engine *engine, const struct live_run *live) {
    enum run_status status = app_status(live->app, live->over);
    return status == RUN_LOST && engine->in_progress ? RUN_RUNNING : status;
}

static void report_run(struct engine *engine, struct live_run *live,
                       const struct account *account) {
    struct app *app = live->app;
    struct pipeline_run run = {
        .identity = app->identity,
        .revision = ++live->told.run_revision,
        .started_ms = app_start_ms(app),
        .time_ms = app->now_ms,
        .duration_s = app_duration_s(app),
        .status = status_of(engine, live),
        .completeness = app_completeness(app),
    };
    run.ended_ms = live->over && run.status != RUN_RUNNING ? app_end_ms(app) : 0;
    memcpy(run.id, app->run_id, sizeof run.id);
    if (run.status == RUN_FAILED) {
        memcpy(run.failure, app->failure, sizeof run.failure);
    }
    app_totals(app, &run.totals);
    if (run.duration_s > 0) {
        run.records_per_s = (double)run.totals.records / run.duration_s;
        run.gb_per_h = (double)run.totals.data_size_bytes / 1073741824.0 / (run.duration_s / 3600);
    }
    run.limits = app->limits;
    add_stages(app, &run);
    add_open(&account->verdicts, &run);
    char *texts[ADVICE_KIND_COUNT]; // the account's
    for (uint32_t i = 0; i < account->advice.count; i++) {
        texts[i] = account->advice.list[i].action;
    }
    run.recommendations = texts;
    run.recommendation_count = account->advice.count;
    engine->output.run(engine->output.ctx, &run);
    run.recommendation_count = 0;
    run.recommendations = NULL;
    pipeline_run_fini(&run);
}

static uint64_t hash_text(uint64_t hash, const char *text) { // FNV-1a, Fowler, Noll and Vo
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
    }
    return hash;
}

static uint64_t digest(const struct recommendation *r) {
    uint64_t hash = hash_text(0xCBF29CE484222325u, r->action);
    for (uint32_t i = 0; i < r->bottleneck_count; i++) {
        hash = hash_text(hash, r->bottlenecks[i]);
    }
    for (uint32_t i = 0; i < r->setting_count; i++) {
        hash = hash_text(hash_text(hash, r->settings[i].key), r->settings[i].value);
    }
    return hash_text(hash, r->saving_how);
}

struct told_advice *report_told(struct told *told, enum advice_kind kind) {
    for (uint32_t i = 0; i < told->advice_count; i++) {
        if (told->advice[i].kind == kind) {
            return &told->advice[i];
        }
    }
    require(told->advice_count < ADVICE_KIND_COUNT); // a slot for every kind
    told->advice[told->advice_count] = (struct told_advice){.kind = kind};
    return &told->advice[told->advice_count++];
}

// Hands out the recommendations that changed.
static void report_advice(struct engine *engine, struct live_run *live, struct advice *advice) {
    for (uint32_t i = 0; i < advice->count; i++) {
        struct recommendation *r = &advice->list[i];
        int kind = advice_kind_parse(str_of(r->kind));
        require(kind >= 0); // advice_add names kinds only
        struct told_advice *told = report_told(&live->told, (enum advice_kind)kind);
        uint64_t content = digest(r);
        if (told->digest != content) {
            told->digest = content;
            r->revision = ++told->revision;
            r->updated_ms = live->app->now_ms;
            engine->output.recommendation(engine->output.ctx, &live->app->identity,
                                          live->app->run_id, r);
        }
    }
}

void report(struct engine *engine, struct live_run *live) {
    struct account account;
    live->run_due = false;
    app_fix_pipeline(live->app);
    account_init(&account, engine, live->app);
    report_run(engine, live, &account);
    report_advice(engine, live, &account.advice);
    account_fini(&account);
}

void engine_each_run(struct engine *engine,
                     void (*each)(void *ctx, const struct app *app, enum run_status status,
                                  const struct recommendation *recommendations, uint32_t count),
                     void *ctx) {
    for (struct live_run *live = engine->runs; live != NULL; live = live->hh.next) {
        struct account account;
        app_settle_pipeline(live->app);
        account_init(&account, engine, live->app);
        for (uint32_t i = 0; i < account.advice.count; i++) {
            account.advice.list[i].revision = 1;
        }
        each(ctx, live->app, status_of(engine, live), account.advice.list, account.advice.count);
        account_fini(&account);
    }
}
