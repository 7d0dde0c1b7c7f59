// facts: copies what is compared out of an app, or out of a run's record. Called by the commands
// once a log or the topics have been read; changes nothing of what it copies from.
#include "runs/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sat.h"

// What is summed over attempts of a stage, as the summary and as the stage have it.
#define SUMMARY_SUMS(X)                                                                            \
    X(tasks)                                                                                       \
    X(tasks_failed)                                                                                \
    X(tasks_killed)                                                                                \
    X(run_ms)                                                                                      \
    X(cpu_ns)                                                                                      \
    X(gc_ms)                                                                                       \
    X(memory_spilled_bytes)                                                                        \
    X(disk_spilled_bytes)                                                                          \
    X(input_bytes)                                                                                 \
    X(input_records)                                                                               \
    X(output_bytes)                                                                                \
    X(output_records)                                                                              \
    X(shuffle_read_bytes)                                                                          \
    X(shuffle_write_bytes)
#define STAGE_SUMS(X)                                                                              \
    X(task_ms)                                                                                     \
    X(bytes)                                                                                       \
    X(records)                                                                                     \
    X(fetch_wait_ms)                                                                               \
    X(shuffle_write_ns)                                                                            \
    X(deserialize_ms)                                                                              \
    X(delay_ms)

static double tail_ms(int64_t longest_ms, double mean_ms) {
    return (double)longest_ms - mean_ms;
}

static void add_attempt(struct stage_facts *facts, const struct stage *stage) {
    const struct stage_summary *s = &stage->summary;
    if (facts->attempts++ == 0) {
        facts->stage = s->stage;
        facts->tells_cpu = true;
    }
    if (s->name[0] != '\0') {
        memcpy(facts->name, s->name, sizeof facts->name);
    }
    facts->shape = stage->shape != 0 ? stage->shape : facts->shape;
    facts->python |= stage->python;
    facts->tells_cpu &= stage_tells_cpu(stage);
    sat_inc(&facts->wall_ms, stage_wall_ms(stage));
    sat_inc(&facts->wait_ms, stage_wait_ms(stage));
    sat_inc(&facts->lost_ms, sat_add(stage->failed_ms, stage->killed_ms));
#define ADD(name) sat_inc(&facts->name, s->name);
    SUMMARY_SUMS(ADD)
#undef ADD
#define ADD(name) sat_inc(&facts->name, stage->name);
    STAGE_SUMS(ADD)
#undef ADD
    facts->slots = stage->slots > facts->slots ? stage->slots : facts->slots;
    if (tail_ms(s->max_task_ms, s->mean_task_ms) >=
        tail_ms(facts->max_task_ms, facts->mean_task_ms)) {
        facts->max_task_ms = s->max_task_ms;
        facts->mean_task_ms = s->mean_task_ms;
    }
}

static int by_number(const void *a, const void *b) {
    const struct stage_summary *x = &(*(struct stage *const *)a)->summary;
    const struct stage_summary *y = &(*(struct stage *const *)b)->summary;
    int by_id = (x->stage > y->stage) - (x->stage < y->stage);
    return by_id != 0 ? by_id : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static void add_stages(struct run_facts *facts, const struct app *app) {
    struct stage **stages = mem_alloc((app->stage_count + 1) * sizeof(struct stage *));
    uint32_t count = 0;
    for (uint32_t i = 0; i < app->stage_count; i++) {
        if (stage_has_begun(app->stages[i])) {
            stages[count++] = app->stages[i];
        }
    }
    qsort(stages, count, sizeof *stages, by_number);
    facts->stages = mem_zalloc(count + 1, sizeof *facts->stages);
    for (uint32_t i = 0; i < count; i++) {
        bool other = i > 0 && stages[i]->summary.stage != stages[i - 1]->summary.stage;
        facts->stage_count += i == 0 || other;
        add_attempt(&facts->stages[facts->stage_count - 1], stages[i]);
    }
    for (uint32_t i = 0; i < facts->stage_count; i++) {
        struct stage_facts *stage = &facts->stages[i];
        stage->slots = stage->slots < 1 ? 1 : stage->slots;
    }
    mem_free(stages);
}

static int worse_first(const void *a, const void *b) {
    const struct bottleneck *x = a, *y = b;
    if (x->severity != y->severity) {
        return x->severity > y->severity ? -1 : 1;
    }
    if (x->saving_s != y->saving_s) {
        return x->saving_s > y->saving_s ? -1 : 1;
    }
    int by_stage = (x->stage > y->stage) - (x->stage < y->stage);
    return by_stage != 0 ? by_stage : (int)x->kind - (int)y->kind;
}

// Of another attempt of the stage, which is worse.
static bool is_told(const struct run_facts *facts, const struct bottleneck *b) {
    uint32_t i = 0;
    while (i < facts->finding_count &&
           (facts->findings[i].kind != b->kind || facts->findings[i].stage != b->stage)) {
        i++;
    }
    return i < facts->finding_count;
}

// Of all that are open, `len` of them, the worst stay, each kind once a stage.
static void settle_findings(struct run_facts *facts, uint32_t len) {
    if (len > 0) {
        qsort(facts->findings, len, sizeof *facts->findings, worse_first);
    }
    for (uint32_t i = 0; i < len && facts->finding_count < RUN_FINDINGS_MAX; i++) {
        if (!is_told(facts, &facts->findings[i])) {
            facts->findings[facts->finding_count++] = facts->findings[i];
        }
    }
}

static void add_findings(struct run_facts *facts, const struct app *app) {
    uint32_t len = 0, cap = 0;
    for (uint32_t i = 0; i <= app->stage_count; i++) {
        bool on_run = i == app->stage_count;
        uint32_t count = on_run ? app->verdict_count : app->stages[i]->verdict_count;
        struct bottleneck *const *list = on_run ? app->verdicts : app->stages[i]->verdicts;
        for (uint32_t v = 0; v < count; v++) {
            if (bottleneck_is_open(list[v])) {
                MEM_GROW(facts->findings, len, cap);
                facts->findings[len++] = *list[v];
            }
        }
    }
    settle_findings(facts, len);
}

// Properties that name the run, its place or its owner: they differ without any effect.
static bool names_the_run(enum property property) {
    switch (property) {
    case PROPERTY_APP_ID:
    case PROPERTY_APP_NAME:
    case PROPERTY_APP_ATTEMPT_ID:
    case PROPERTY_YARN_TAGS:
    case PROPERTY_KUBERNETES_DRIVER_LABEL:
    case PROPERTY_OPENLINEAGE_PARENT:
    case PROPERTY_DATABRICKS_JOB:
    case PROPERTY_DATABRICKS_CLUSTER_USAGE_TAGS_CLUSTER_ID:
    case PROPERTY_DATABRICKS_CLUSTER_USAGE_TAGS_CLUSTER_NAME:
        return true;
    default:
        return false;
    }
}

struct adding {
    struct run_facts *facts;
    uint32_t cap;
};

static void add_setting(void *ctx, enum property property, struct str name, struct str value) {
    struct adding *adding = ctx;
    struct run_facts *facts = adding->facts;
    if (names_the_run(property)) {
        return;
    }
    struct buf key = {0};
    buf_add_text(&key, property_key(property));
    buf_add_str(&key, name);
    MEM_GROW(facts->settings, facts->setting_count, adding->cap);
    facts->settings[facts->setting_count++] = (struct run_setting){
        .key = mem_strdup(buf_text(&key)), .value = mem_strndup(value.p, value.len)};
    buf_fini(&key);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct run_setting *)a)->key, ((const struct run_setting *)b)->key);
}

struct run_facts *run_facts_new(const struct app *app, enum run_status status) {
    struct run_facts *facts = mem_zalloc(1, sizeof *facts);
    facts->identity = app->identity;
    memcpy(facts->run_id, app->run_id, sizeof facts->run_id);
    memcpy(facts->failure, app->failure, sizeof facts->failure);
    facts->status = status;
    facts->started_ms = app_start_ms(app);
    facts->ended_ms = app_end_ms(app);
    facts->duration_s = app_duration_s(app);
    facts->completeness = app_completeness(app);
    facts->limits = app->limits;
    app_totals(app, &facts->totals);
    app_times(app, &facts->times);
    add_stages(facts, app);
    add_findings(facts, app);
    struct adding adding = {facts, 0};
    properties_each(&app->properties, add_setting, &adding);
    if (facts->setting_count > 0) {
        qsort(facts->settings, facts->setting_count, sizeof *facts->settings, by_key);
    }
    return facts;
}

// --- out of a record

static void forget(struct stage_facts *facts) {
    facts->wait_ms = facts->lost_ms = facts->slots = FACTS_UNKNOWN;
    facts->fetch_wait_ms = facts->shuffle_write_ns = FACTS_UNKNOWN;
    facts->deserialize_ms = facts->delay_ms = FACTS_UNKNOWN;
}

// A time or a number of somebody who may have written anything: at least 0.
static int64_t counted(int64_t number) {
    return number < 0 ? 0 : number;
}

// Of an attempt that did not end well, tasks may have lingered: for how long is not in a record.
static int64_t told_wall_ms(const struct stage_summary *s) {
    bool whole = !s->failed && s->submitted_ms > 0 && s->completed_ms >= s->submitted_ms;
    return whole ? sat_sub0(s->completed_ms, s->submitted_ms) : FACTS_UNKNOWN;
}

static void add_told_attempt(struct stage_facts *facts, const struct stage_summary *s) {
    int64_t wall_ms = told_wall_ms(s);
    double task_ms = (double)counted(s->tasks) * s->mean_task_ms;
    if (facts->attempts++ == 0) {
        facts->stage = s->stage;
        forget(facts);
    }
    if (s->name[0] != '\0') {
        memcpy(facts->name, s->name, sizeof facts->name);
    }
    facts->wall_ms =
        wall_ms < 0 || facts->wall_ms < 0 ? FACTS_UNKNOWN : sat_add(facts->wall_ms, wall_ms);
#define ADD(name) sat_inc(&facts->name, counted(s->name));
    SUMMARY_SUMS(ADD)
#undef ADD
    if (task_ms > 0 && task_ms < 0x1p53) {
        sat_inc(&facts->task_ms, (int64_t)(task_ms + 0.5));
    }
    facts->bytes = sat_add(facts->input_bytes, facts->shuffle_read_bytes);
    facts->records = facts->shuffle_read_bytes > 0 ? FACTS_UNKNOWN : facts->input_records;
    facts->tells_cpu = facts->cpu_ns > 0;
    if (tail_ms(s->max_task_ms, s->mean_task_ms) >=
        tail_ms(facts->max_task_ms, facts->mean_task_ms)) {
        facts->max_task_ms = s->max_task_ms;
        facts->mean_task_ms = s->mean_task_ms;
    }
}

static bool is_begun(const struct stage_summary *s) {
    return s->submitted_ms > 0 || s->completed_ms > 0 || s->tasks > 0 || s->tasks_failed > 0 ||
           s->tasks_killed > 0;
}

static int by_told_number(const void *a, const void *b) {
    const struct stage_summary *x = *(const struct stage_summary *const *)a;
    const struct stage_summary *y = *(const struct stage_summary *const *)b;
    int by_id = (x->stage > y->stage) - (x->stage < y->stage);
    return by_id != 0 ? by_id : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static void add_told_stages(struct run_facts *facts, const struct pipeline_run *run) {
    const struct stage_summary **stages =
        mem_alloc((run->stage_count + 1) * sizeof(const struct stage_summary *));
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->stage_count; i++) {
        if (is_begun(&run->stages[i])) {
            stages[count++] = &run->stages[i];
        }
    }
    if (count > 0) {
        qsort(stages, count, sizeof *stages, by_told_number);
    }
    facts->stages = mem_zalloc(count + 1, sizeof *facts->stages);
    for (uint32_t i = 0; i < count; i++) {
        facts->stage_count += i == 0 || stages[i]->stage != stages[i - 1]->stage;
        add_told_attempt(&facts->stages[facts->stage_count - 1], stages[i]);
    }
    facts->stages_untold = sat_sub0(run->totals.stages, run->stage_count);
    mem_free(stages);
}

static void add_told_findings(struct run_facts *facts, const struct pipeline_run *run) {
    int64_t open = 0;
    facts->findings = mem_zalloc(run->open_count + 1, sizeof *facts->findings);
    for (uint32_t i = 0; i < run->open_count; i++) {
        const struct open_bottleneck *o = &run->open[i];
        struct bottleneck *b = &facts->findings[i];
        *b = (struct bottleneck){.kind = o->kind,
                                 .stage = o->stage,
                                 .stage_attempt = o->stage_attempt,
                                 .rule_met = TRI_NULL,
                                 .severity = o->severity,
                                 .cause = o->cause,
                                 .confidence = o->confidence,
                                 .saving_s = o->saving_s};
        memcpy(b->id, o->id, sizeof b->id);
        memcpy(b->summary, o->summary, sizeof b->summary);
    }
    settle_findings(facts, run->open_count);
    for (int severity = 0; severity < SEVERITY_COUNT; severity++) {
        open = sat_add(open, counted(run->open_by_severity[severity]));
    }
    facts->findings_untold = open > run->open_count;
}

static void add_told_settings(struct run_facts *facts, const struct pipeline_run *run) {
    struct adding adding = {facts, 0};
    for (uint32_t i = 0; i < run->setting_count; i++) {
        const struct told_setting *s = &run->settings[i];
        if (s->value[0] != '\0') {
            MEM_GROW(facts->settings, facts->setting_count, adding.cap);
            facts->settings[facts->setting_count++] =
                (struct run_setting){.key = mem_strdup(s->key), .value = mem_strdup(s->value)};
        }
    }
    facts->settings_untold = run->setting_count == 0;
    if (facts->setting_count > 0) {
        qsort(facts->settings, facts->setting_count, sizeof *facts->settings, by_key);
    }
}

struct run_facts *run_facts_of_record(const struct pipeline_run *run) {
    struct run_facts *facts = mem_zalloc(1, sizeof *facts);
    facts->of_record = true;
    facts->identity = run->identity;
    memcpy(facts->run_id, run->id, sizeof facts->run_id);
    memcpy(facts->failure, run->failure, sizeof facts->failure);
    facts->status = run->status;
    facts->started_ms = run->started_ms;
    facts->ended_ms = run->ended_ms;
    facts->duration_s = run->duration_s;
    facts->completeness = run->completeness;
    facts->limits = run->limits;
    facts->totals = run->totals;
    add_told_stages(facts, run);
    add_told_findings(facts, run);
    add_told_settings(facts, run);
    return facts;
}

void run_facts_free(struct run_facts *facts) {
    if (facts == NULL) {
        return;
    }
    for (uint32_t i = 0; i < facts->setting_count; i++) {
        mem_free(facts->settings[i].key);
        mem_free(facts->settings[i].value);
    }
    mem_free(facts->settings);
    mem_free(facts->findings);
    mem_free(facts->stages);
    mem_free(facts);
}

const char *run_facts_setting(const struct run_facts *facts, const char *key) {
    for (uint32_t i = 0; i < facts->setting_count; i++) {
        if (strcmp(facts->settings[i].key, key) == 0) {
            return facts->settings[i].value;
        }
    }
    return NULL;
}

const struct stage_facts *run_facts_stage(const struct run_facts *facts, int32_t stage) {
    for (uint32_t i = 0; i < facts->stage_count; i++) {
        if (facts->stages[i].stage == stage) {
            return &facts->stages[i];
        }
    }
    return NULL;
}
