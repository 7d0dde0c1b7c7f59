// report: builds what leaves the engine: PipelineRun updates and recommendations, out of one look
// at the run's verdicts. Called by engine.c when one is due; allocates per report, never per event.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advise/advise.h"
#include "advise/setting.h"
#include "base/check.h"
#include "base/mem.h"
#include "engine_priv.h"
#include "pace.h"

enum {
    LIVE_STAGES = 10, // listed while a run goes on
    LIVE_OPEN = 10,
};

static int slower_first(const struct stage *x, const struct stage *y) {
    int64_t wx = stage_wall_ms(x), wy = stage_wall_ms(y);
    if (wx != wy) {
        return wx > wy ? -1 : 1;
    }
    int by_id = (x->summary.stage > y->summary.stage) - (x->summary.stage < y->summary.stage);
    return by_id != 0 ? by_id : x->summary.attempt - y->summary.attempt;
}

// The slowest of the run's stages, slowest first. Those that do not fit are left out as they come:
// sorting them all takes longer than all the rest of a report.
static void add_stages(const struct app *app, uint32_t most, struct pipeline_run *run) {
    if (app->stage_count == 0) {
        return;
    }
    uint32_t count = 0;
    const struct stage **slowest = mem_alloc((most + 1) * sizeof *slowest);
    for (uint32_t i = 0; i < app->stage_count; i++) {
        const struct stage *stage = app->stages[i];
        uint32_t at = 0;
        for (uint32_t end = count; at < end;) {
            uint32_t middle = (at + end) / 2;
            if (slower_first(stage, slowest[middle]) < 0) {
                end = middle;
            } else {
                at = middle + 1;
            }
        }
        memmove(slowest + at + 1, slowest + at, (count - at) * sizeof *slowest);
        slowest[at] = stage;
        count += count < most;
    }
    run->stage_count = count;
    run->stages = mem_alloc(count * sizeof *run->stages);
    for (uint32_t i = 0; i < count; i++) {
        run->stages[i] = slowest[i]->summary;
    }
    run->shortened = count < app->stage_count;
    mem_free(slowest);
}

static int worse_first(const void *a, const void *b) {
    const struct open_bottleneck *x = a, *y = b;
    if (x->severity != y->severity) {
        return x->severity > y->severity ? -1 : 1;
    }
    if (x->confidence != y->confidence) {
        return x->confidence < y->confidence ? -1 : 1;
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

static void add_open(const struct run_verdicts *verdicts, uint32_t most, struct pipeline_run *run) {
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
                                             .floor = b->floor,
                                             .cause = b->cause,
                                             .confidence = b->confidence,
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
    run->open_count = run_shorten_open(open, len, most);
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

static uint64_t hash_mem(uint64_t hash, const void *bytes, size_t len) { // FNV-1a
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ at[i]) * 0x100000001B3u; // of Fowler, Noll and Vo
    }
    return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
    return hash_mem(hash, text, strlen(text));
}
#define HASH_START 0xCBF29CE484222325u

struct digesting {
    uint64_t hash;
    const char *object;
};

// A field of a record, by its row.
static bool digest_row(void *ctx, const struct record_row *row, unsigned number, size_t base) {
    struct digesting *digesting = ctx;
    const char *at = digesting->object + base + row->offset;
    (void)number;
    if (row->type == RECORD_CHARS) {
        digesting->hash = hash_mem(hash_text(digesting->hash, at), "", 1);
        return true;
    }
    if (row->type != RECORD_LIST) { // a number
        digesting->hash = hash_mem(digesting->hash, at, row->size);
        return true;
    }
    const char *items = *(const char *const *)(const void *)at;
    uint32_t count =
        *(const uint32_t *)(const void *)(digesting->object + base + row->count_offset);
    struct digesting item = {hash_mem(digesting->hash, &count, sizeof count), items};
    for (uint32_t i = 0; i < count; i++) {
        record_each_row(row->item, digest_row, &item);
        item.object += row->item->size;
    }
    digesting->hash = item.hash;
    return true;
}

// Of all that the record says: rows, and what no row describes.
static uint64_t digest_run(const struct pipeline_run *run) {
    struct digesting digesting = {HASH_START, (const char *)run};
    record_each_row(&record_pipeline_run, digest_row, &digesting);
    for (uint32_t i = 0; i < run->recommendation_count; i++) {
        digesting.hash = hash_text(digesting.hash, run->recommendations[i]);
    }
    return hash_mem(digesting.hash, &run->limits, sizeof run->limits);
}

// About the bytes of the next update of the run and of the recommendations told with it, by what
// this one takes; and for the time it takes to look at all stages and verdicts, so much for each.
// What has no bound of its own while the run goes on (ids of what is answered) is dearer.
static int64_t price_of(const struct live_run *live, const struct account *account,
                        const struct pipeline_run *run) {
    enum { RUN = 900, STAGE = 150, OPEN = 150, ADVICE = 400, ID = 150, LOOK = 16, VERDICT = 600 };
    const uint32_t verdicts = account->verdicts.end[KIND_COUNT - 1];
    size_t bytes = RUN + STAGE * (size_t)run->stage_count;
    for (uint32_t i = 0; i < run->open_count; i++) {
        bytes += OPEN + strlen(run->open[i].summary);
    }
    for (uint32_t i = 0; i < account->advice.count; i++) {
        const struct recommendation *r = &account->advice.list[i];
        bytes += ADVICE + 2 * strlen(r->action) + ID * (size_t)r->bottleneck_count;
    }
    bytes += LOOK * ((size_t)live->app->stage_count + verdicts);
    // Those on the run are judged with each update, after its end all are.
    return (int64_t)(bytes + VERDICT * (size_t)(live->over ? verdicts : live->app->verdict_count));
}

// What this one says to set the setting to; where the run sets all of it on purpose, what would
// fit. NULL: nothing.
static const char *advised_by(const struct recommendation *r, const char *key) {
    for (uint32_t i = 0; i < r->setting_count; i++) {
        if (strcmp(r->settings[i].key, key) == 0) {
            return r->settings[i].value;
        }
    }
    for (uint32_t i = 0; i < r->own_count && r->setting_count == 0; i++) {
        if (strcmp(r->own[i].key, key) == 0) {
            return r->own[i].fits;
        }
    }
    return NULL;
}

// The settings of a run that ended, and what was advised: what stage 2 follows advice up by. What
// is too long is left out, not cut: half a text would be another one.
static void add_settings(const struct app *app, const struct advice *advice,
                         struct pipeline_run *run) {
    run->settings = mem_zalloc(SETTING_COUNT, sizeof *run->settings);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row((enum setting)i);
        struct told_setting s = {0};
        if (row->family) {
            continue;
        }
        for (uint32_t k = 0; k < advice->count && s.advised[0] == '\0'; k++) {
            const char *advised = advised_by(&advice->list[k], row->key);
            if (advised != NULL && str_copy(s.advised, sizeof s.advised, str_of(advised))) {
                str_copy(s.by, sizeof s.by, str_of(advice->list[k].kind));
            }
        }
        bool whole = str_copy(s.key, sizeof s.key, str_of(row->key)) &&
                     str_copy(s.value, sizeof s.value, setting_told(app, (enum setting)i));
        if (whole && (s.value[0] != '\0' || s.by[0] != '\0')) {
            run->settings[run->setting_count++] = s;
        }
    }
}

// The kind of bottleneck that lines to write do away with: that of the first one answered. Those
// that are the run's length itself tell nothing of what was written.
static const char *finding_of(const struct recommendation *r, const struct run_verdicts *verdicts) {
    if (r->code == NULL || r->setting_count + r->own_count > 0 || r->bottleneck_count == 0) {
        return "";
    }
    for (uint32_t i = 0; i < verdicts->end[KIND_COUNT - 1]; i++) {
        const struct bottleneck *b = verdicts->all[i];
        if (strcmp(b->id, r->bottlenecks[0]) == 0) {
            bool length = b->kind == KIND_SLOW_RUN || b->kind == KIND_LOW_THROUGHPUT;
            return length ? "" : kind_name(b->kind);
        }
    }
    return "";
}

static void add_advice(const struct account *account, struct pipeline_run *run) {
    const struct advice *advice = &account->advice;
    run->advice = mem_zalloc(advice->count + 1, sizeof *run->advice);
    for (uint32_t i = 0; i < advice->count; i++) {
        const struct recommendation *r = &advice->list[i];
        struct run_advice *a = &run->advice[run->advice_count++];
        *a = (struct run_advice){.kind = (enum advice_kind)advice_kind_parse(str_of(r->kind)),
                                 .revision = r->revision,
                                 .saving_s = r->saving_s};
        memcpy(a->id, r->id, sizeof a->id);
        str_copy(a->finding, sizeof a->finding, str_of(finding_of(r, &account->verdicts)));
    }
}

static void fill_run(struct engine *engine, struct live_run *live, const struct account *account,
                     struct pipeline_run *run) {
    struct app *app = live->app;
    *run = (struct pipeline_run){
        .identity = app->identity,
        .started_ms = app_start_ms(app),
        .duration_s = app_duration_s(app),
        .status = status_of(engine, live),
        .completeness = app_completeness(app),
        .limits = app->limits,
    };
    struct delivery_loss loss = delivery_loss(&app->delivery);
    run->events_lost = loss.lost;
    run->events_cut = loss.cut;
    memcpy(run->listener, app->delivery.listener, sizeof run->listener);
    run->ended_ms = live->over && run->status != RUN_RUNNING ? app_end_ms(app) : 0;
    memcpy(run->id, app->run_id, sizeof run->id);
    if (run->status == RUN_FAILED || run->status == RUN_KILLED) {
        memcpy(run->failure, app->failure, sizeof run->failure);
    }
    app_totals(app, &run->totals);
    run->records_per_s = run_records_per_s(&run->totals, run->duration_s);
    run->gb_per_h = run_gb_per_h(&run->totals, run->duration_s);
    add_stages(app, live->over ? RUN_STAGES_MAX : LIVE_STAGES, run);
    add_open(&account->verdicts, live->over ? RUN_OPEN_MAX : LIVE_OPEN, run);
    if (run->ended_ms > 0) {
        add_settings(app, &account->advice, run);
        add_advice(account, run);
    }
}

// What was told of the worst of each kind, from now on.
static void note_worst(struct live_run *live, const struct pipeline_run *run) {
    memset(live->pace.worst, 0, sizeof live->pace.worst);
    for (uint32_t i = run->open_count; i > 0; i--) { // the worst one last
        live->pace.worst[run->open[i - 1].kind] = run->open[i - 1].severity;
    }
}

// What is missing is counted as it is told: a gap that a late event fills was none.
static void count_lost(struct live_run *live) {
    int64_t lost = delivery_loss(&live->app->delivery).lost;
    if (lost > live->counted_lost) {
        metrics_add(METRIC_LISTENER_LOST, lost - live->counted_lost);
        live->counted_lost = lost;
    }
}

static void report_run(struct engine *engine, struct live_run *live,
                       const struct account *account) {
    struct pipeline_run run;
    char *texts[ADVICE_KIND_COUNT]; // the account's
    fill_run(engine, live, account, &run);
    for (uint32_t i = 0; i < account->advice.count; i++) {
        texts[i] = account->advice.list[i].action;
    }
    run.recommendations = texts;
    run.recommendation_count = account->advice.count;
    uint64_t content = digest_run(&run);
    bool at_once = (live->run_due && !live->over) || run.status != live->pace.status;
    if (live->pace.digest != content) {
        run.revision = ++live->told.run_revision;
        run.time_ms = live->app->now_ms;
        engine->output.run(engine->output.ctx, &run);
    }
    pace_told(engine, live, at_once);
    live->pace.digest = content;
    live->pace.status = run.status;
    live->pace.price_bytes = price_of(live, account, &run);
    note_worst(live, &run);
    run.recommendation_count = 0;
    run.recommendations = NULL;
    pipeline_run_fini(&run);
}

static uint64_t digest(const struct recommendation *r) {
    uint64_t hash = hash_text(HASH_START, r->action);
    for (uint32_t i = 0; i < r->bottleneck_count; i++) {
        hash = hash_text(hash, r->bottlenecks[i]);
    }
    for (uint32_t i = 0; i < r->setting_count; i++) {
        hash = hash_text(hash_text(hash, r->settings[i].key), r->settings[i].value);
    }
    hash = hash_text(hash, r->code != NULL ? r->code : "");
    hash = hash_text(hash, r->when_not != NULL ? r->when_not : "");
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

// Gives each its revision, before anything is told: the update of the run tells it, too. What
// changed gets the next one, and this moment. Returns the places of what did.
static uint64_t revise_advice(struct live_run *live, struct advice *advice) {
    uint64_t changed = 0;
    _Static_assert(ADVICE_KIND_COUNT <= 64, "a bit for each");
    for (uint32_t i = 0; i < advice->count; i++) {
        struct recommendation *r = &advice->list[i];
        int kind = advice_kind_parse(str_of(r->kind));
        require(kind >= 0); // advice_add names kinds only
        struct told_advice *told = report_told(&live->told, (enum advice_kind)kind);
        uint64_t content = digest(r);
        if (told->digest != content) {
            told->digest = content;
            told->revision++;
            r->updated_ms = live->app->now_ms;
            changed |= UINT64_C(1) << i;
        }
        r->revision = told->revision;
    }
    return changed;
}

static void report_advice(struct engine *engine, const struct live_run *live,
                          const struct advice *advice, uint64_t changed) {
    for (uint32_t i = 0; i < advice->count; i++) {
        if ((changed >> i & 1) != 0) {
            engine->output.recommendation(engine->output.ctx, &live->app->identity,
                                          live->app->run_id, &advice->list[i]);
        }
    }
}

void report(struct engine *engine, struct live_run *live) {
    struct account account;
    live->run_due = false;
    app_fix_pipeline(live->app);
    account_init(&account, engine, live->app);
    count_lost(live);
    uint64_t changed = revise_advice(live, &account.advice);
    report_run(engine, live, &account);
    report_advice(engine, live, &account.advice, changed);
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
