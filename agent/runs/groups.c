// groups: see the header. Called by the commands report and bench-job; every number is made of
// those that `analyze --format json` prints of each run, or its record has.
#include "runs/groups.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/mem.h"

#define COMPLETE_LEAST 0.95 // share of a run's events below which its numbers are not counted

const char *size_unit_name(enum size_unit unit) {
    static const char *const names[SIZE_UNITS] = {"bytes", "records", "asked", "unknown"};
    require(unit < SIZE_UNITS);
    return names[unit];
}

void report_run_init(struct report_run *run, const struct app *app, enum run_status status,
                     const char *log, const char *asked) {
    struct run_totals totals;
    app_totals(app, &totals);
    struct str tags = app_property(app, PROPERTY_YARN_TAGS);
    *run = (struct report_run){
        .identity = app->identity,
        .log = mem_strdup(log),
        .tags = mem_strndup(tags.p, tags.len),
        .asked = asked == NULL ? NULL : mem_strdup(asked),
        .status = status,
        .started_ms = app_start_ms(app),
        .duration_s = app_duration_s(app),
        .completeness = app_completeness(app),
        .records = totals.records,
        .data_size_bytes = totals.data_size_bytes,
    };
    memcpy(run->run_id, app->run_id, sizeof run->run_id);
    memcpy(run->failure, app->failure, sizeof run->failure);
    run->records_per_s = run_records_per_s(&totals, run->duration_s);
    run->gb_per_h = run_gb_per_h(&totals, run->duration_s);
}

void report_run_of_record(struct report_run *run, const struct pipeline_run *record,
                          const char *place) {
    *run = (struct report_run){
        .identity = record->identity,
        .log = mem_strdup(place),
        .of_record = true,
        .tags = mem_strdup(""),
        .status = record->status,
        .started_ms = record->started_ms,
        .duration_s = record->duration_s,
        .completeness = record->completeness,
        .records = record->totals.records,
        .data_size_bytes = record->totals.data_size_bytes,
        .records_per_s = record->records_per_s,
        .gb_per_h = record->gb_per_h,
    };
    memcpy(run->run_id, record->id, sizeof run->run_id);
    memcpy(run->failure, record->failure, sizeof run->failure);
}

void report_run_fini(struct report_run *run) {
    mem_free(run->log);
    mem_free(run->tags);
    mem_free(run->asked);
    *run = (struct report_run){0};
}

const char *report_run_left_out(const struct report_run *run) {
    switch (run->status) {
    case RUN_SUCCEEDED:
        return run->completeness < COMPLETE_LEAST ? "too few of its events were seen"
               : run->duration_s <= 0             ? "it took no time that was told"
                                                  : NULL;
    case RUN_RUNNING:
        return "it has not ended";
    case RUN_FAILED:
        return "it failed";
    case RUN_KILLED:
        return "it was killed";
    default:
        return run->of_record ? "no end of it was seen" : "its log ends before it does";
    }
}

struct spread spread_of(const double *values, uint32_t count) {
    struct spread spread = {.count = count};
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += values[i];
        spread.min = i == 0 ? values[i] : fmin(spread.min, values[i]);
        spread.max = i == 0 ? values[i] : fmax(spread.max, values[i]);
    }
    spread.mean = count > 0 ? sum / count : 0;
    for (uint32_t i = 0; i < count; i++) {
        squares += (values[i] - spread.mean) * (values[i] - spread.mean);
    }
    spread.deviation = count > 1 ? sqrt(squares / (count - 1)) : 0;
    return spread;
}

struct report_run *report_add(struct report *report) {
    MEM_GROW(report->runs, report->run_count, report->run_cap);
    struct report_run *run = &report->runs[report->run_count++];
    *run = (struct report_run){0};
    return run;
}

void report_add_failure(struct report *report, const char *asked, uint32_t iteration,
                        const char *words) {
    MEM_GROW(report->failures, report->failure_count, report->failure_cap);
    report->failures[report->failure_count++] = (struct report_failure){
        .asked = mem_strdup(asked), .words = mem_strdup(words), .iteration = iteration};
}

// True if one of the words between separators is it.
static bool has_word(const char *words, const char *separators, const char *word) {
    while (*words != '\0') {
        size_t len = strcspn(words, separators);
        if (len > 0 && str_is((struct str){words, len}, word)) {
            return true;
        }
        words += len + (words[len] != '\0');
    }
    return false;
}

static bool is_day(int64_t at_ms, const char *word) {
    char day[16];
    struct tm parts;
    time_t seconds = (time_t)(at_ms / 1000);
    return gmtime_r(&seconds, &parts) != NULL &&
           strftime(day, sizeof day, "%Y-%m-%d", &parts) > 0 && strcmp(day, word) == 0;
}

uint32_t report_set_baseline(struct report *report, const char *word) {
    uint32_t count = 0;
    report->baseline_named = true;
    for (uint32_t i = 0; i < report->run_count && word[0] != '\0'; i++) {
        struct report_run *run = &report->runs[i];
        run->baseline = strcmp(run->identity.app_id, word) == 0 || strcmp(run->log, word) == 0 ||
                        strcmp(run->run_id, word) == 0 || has_word(run->tags, ", ", word) ||
                        has_word(run->log, "/", word) || is_day(run->started_ms, word);
        count += run->baseline;
    }
    return count;
}

static enum size_unit unit_of(const struct report_run *run) {
    return run->asked != NULL         ? SIZE_ASKED
           : run->data_size_bytes > 0 ? SIZE_BYTES
           : run->records > 0         ? SIZE_RECORDS
                                      : SIZE_UNKNOWN;
}

static double size_of(const struct report_run *run) {
    switch (unit_of(run)) {
    case SIZE_ASKED:
        return strtod(run->asked, NULL); // of words that are no number: 0
    case SIZE_BYTES:
        return (double)run->data_size_bytes;
    case SIZE_RECORDS:
        return (double)run->records;
    default:
        return 0;
    }
}

static int by_number(double a, double b) {
    return (a > b) - (a < b);
}

static int by_pipeline(const struct report_run *x, const struct report_run *y) {
    int by_cluster = strcmp(x->identity.cluster, y->identity.cluster);
    return by_cluster != 0 ? by_cluster : strcmp(x->identity.pipeline, y->identity.pipeline);
}

static int by_start(const void *a, const void *b) {
    const struct report_run *x = a, *y = b;
    int order = by_number((double)x->started_ms, (double)y->started_ms);
    order = order != 0 ? order : strcmp(x->identity.app_id, y->identity.app_id);
    return order != 0 ? order : strcmp(x->log, y->log);
}

// By pipeline; what is counted first; by unit, size, and what was asked for in other words.
static int by_size(const void *a, const void *b) {
    const struct report_run *x = a, *y = b;
    int order = by_pipeline(x, y);
    bool x_out = report_run_left_out(x) != NULL, y_out = report_run_left_out(y) != NULL;
    if (order == 0) {
        order = (int)x_out - (int)y_out;
    }
    if (order == 0 && !x_out) {
        order = (int)unit_of(x) - (int)unit_of(y);
        order = order != 0 ? order : by_number(size_of(x), size_of(y));
    }
    if (order == 0 && !x_out && x->asked != NULL && y->asked != NULL) {
        order = strcmp(x->asked, y->asked);
    }
    return order != 0 ? order : by_start(a, b);
}

static void fill_group(const struct report *report, struct report_group *group) {
    const struct report_run *runs = report->runs + group->first;
    double *values = mem_alloc((group->count + 1) * sizeof *values), size = 0;
    group->unit = unit_of(&runs[0]);
    group->asked = runs[0].asked;
    group->size_min = group->size_max = size_of(&runs[0]);
#define SPREAD(member)                                                                             \
    for (uint32_t i = 0; i < group->count; i++) {                                                  \
        values[i] = runs[i].member;                                                                \
    }                                                                                              \
    group->member = spread_of(values, group->count);
    SPREAD(duration_s)
    SPREAD(records_per_s)
    SPREAD(gb_per_h)
#undef SPREAD
    for (uint32_t i = 0; i < group->count; i++) {
        size += size_of(&runs[i]);
        group->size_min = fmin(group->size_min, size_of(&runs[i]));
        group->size_max = fmax(group->size_max, size_of(&runs[i]));
    }
    group->size = size / group->count;
    mem_free(values);
}

// Where a stretch of runs, in the order of their size, is parted: before the returned one, at the
// widest gap; `count` if it is one group.
static uint32_t widest_gap(const struct report_run *runs, uint32_t count) {
    uint32_t at = count;
    double widest = 1;
    if (size_of(&runs[count - 1]) <= GROUP_SPAN * size_of(&runs[0])) {
        return count;
    }
    for (uint32_t i = 1; i < count; i++) {
        double gap = size_of(&runs[i]) / size_of(&runs[i - 1]);
        if (gap > widest) {
            widest = gap;
            at = i;
        }
    }
    return at;
}

// True if these two, side by side in their order, can be in one group.
static bool same_kind(const struct report_run *a, const struct report_run *b) {
    bool one = unit_of(a) == unit_of(b);
    return one && (a->asked == NULL || strcmp(a->asked, b->asked) == 0);
}

// Groups the runs from `first` on, `count` of them, which are of one kind and in the order of their
// size. Runs of equal size are never parted, so it goes no deeper than there are sizes.
static void part(struct report *report, struct report_pipeline *pipeline, uint32_t *cap,
                 uint32_t first, uint32_t count) {
    struct report_run *runs = report->runs + first;
    bool sized = unit_of(&runs[0]) < SIZE_ASKED;
    uint32_t at = sized ? widest_gap(runs, count) : count;
    if (at < count) {
        part(report, pipeline, cap, first, at);
        part(report, pipeline, cap, first + at, count - at);
        return;
    }
    MEM_GROW(pipeline->groups, pipeline->group_count, *cap);
    struct report_group *group = &pipeline->groups[pipeline->group_count++];
    *group = (struct report_group){.first = first, .count = count, .ratio_to = -1};
    fill_group(report, group);
    qsort(runs, count, sizeof *runs, by_start);
}

// What throughput is told of both groups.
static double throughput(const struct report_group *group, const char *of, struct spread *spread) {
    *spread = strcmp(of, "records/s") == 0 ? group->records_per_s
              : strcmp(of, "GB/h") == 0    ? group->gb_per_h
                                           : group->duration_s;
    return strcmp(of, "1/duration") != 0 ? spread->mean : spread->mean > 0 ? 1 / spread->mean : 0;
}

static const char *throughput_of(const struct report_group *a, const struct report_group *b) {
    return a->records_per_s.min > 0 && b->records_per_s.min > 0 ? "records/s"
           : a->gb_per_h.min > 0 && b->gb_per_h.min > 0         ? "GB/h"
                                                                : "1/duration";
}

// `own`: what of the group is held against the baseline.
static void set_ratio(struct report_group *group, const struct report_group *own,
                      const struct report_group *base, int32_t base_at) {
    struct spread these, those;
    group->ratio_of = throughput_of(own, base);
    double now = throughput(own, group->ratio_of, &these);
    double before = throughput(base, group->ratio_of, &those);
    group->ratio = before > 0 ? now / before : 0;
    group->ratio_to = base_at;
    group->apart = these.min > those.max || these.max < those.min;
}

// The runs of a group that are the baseline, or those that are not, as a group of their own; false
// if there are none.
static bool pick(const struct report *report, const struct report_group *group, bool baseline,
                 struct report_group *out) {
    struct report picked = {0};
    for (uint32_t i = 0; i < group->count; i++) {
        const struct report_run *run = &report->runs[group->first + i];
        if (run->baseline == baseline) {
            *report_add(&picked) = *run; // what it owns is borrowed
        }
    }
    *out = (struct report_group){.count = picked.run_count};
    if (out->count > 0) {
        fill_group(&picked, out);
    }
    mem_free(picked.runs);
    return out->count > 0;
}

// Of the groups with runs of the baseline its own, or the one whose size is nearest; -1 if there is
// none.
static int32_t nearest_baseline(const struct report *report, const struct report_pipeline *pipeline,
                                uint32_t of) {
    int32_t nearest = -1;
    double distance = INFINITY;
    const struct report_group *group = &pipeline->groups[of];
    for (uint32_t i = 0; i < pipeline->group_count; i++) {
        const struct report_group *other = &pipeline->groups[i];
        struct report_group base;
        double apart = i == of ? -1 : fabs(log(fmax(other->size, 1)) - log(fmax(group->size, 1)));
        if (other->unit == group->unit && apart < distance && pick(report, other, true, &base)) {
            distance = apart;
            nearest = (int32_t)i;
        }
    }
    return nearest;
}

// Against the runs that were named; a group of nothing else is the baseline itself.
static void set_named_ratio(const struct report *report, struct report_pipeline *pipeline,
                            uint32_t of) {
    struct report_group *group = &pipeline->groups[of], own, base;
    int32_t at = nearest_baseline(report, pipeline, of);
    if (at >= 0 && pick(report, &pipeline->groups[at], true, &base)) {
        group->is_baseline = !pick(report, group, false, &own);
        set_ratio(group, group->is_baseline ? group : &own, &base, at);
    }
}

// Against the smallest size of the same kind: how the pipeline scales.
static void set_scaling_ratio(struct report_pipeline *pipeline, uint32_t of) {
    uint32_t at = 0;
    while (pipeline->groups[at].unit != pipeline->groups[of].unit) {
        at++;
    }
    struct report_group *group = &pipeline->groups[of];
    group->is_baseline = at == of;
    set_ratio(group, group, &pipeline->groups[at], (int32_t)at);
}

static void add_pipeline(struct report *report, uint32_t first, uint32_t count, uint32_t *cap) {
    MEM_GROW(report->pipelines, report->pipeline_count, *cap);
    struct report_pipeline *pipeline = &report->pipelines[report->pipeline_count++];
    const struct report_run *runs = report->runs;
    uint32_t groups_cap = 0, end = first + count, i = first;
    *pipeline = (struct report_pipeline){0};
    memcpy(pipeline->cluster, runs[first].identity.cluster, sizeof pipeline->cluster);
    memcpy(pipeline->name, runs[first].identity.pipeline, sizeof pipeline->name);
    while (i < end && report_run_left_out(&runs[i]) == NULL) {
        uint32_t from = i;
        while (i < end && report_run_left_out(&runs[i]) == NULL &&
               same_kind(&runs[from], &runs[i])) {
            i++;
        }
        part(report, pipeline, &groups_cap, from, i - from);
    }
    pipeline->left_out_first = i;
    pipeline->left_out_count = end - i;
    for (uint32_t of = 0; of < pipeline->group_count; of++) {
        if (report->baseline_named) {
            set_named_ratio(report, pipeline, of);
        } else {
            set_scaling_ratio(pipeline, of);
        }
    }
}

void report_build(struct report *report) {
    uint32_t cap = 0;
    require(report->pipelines == NULL);
    if (report->run_count > 0) {
        qsort(report->runs, report->run_count, sizeof *report->runs, by_size);
    }
    for (uint32_t i = 0; i < report->run_count;) {
        uint32_t first = i;
        while (i < report->run_count && by_pipeline(&report->runs[first], &report->runs[i]) == 0) {
            i++;
        }
        add_pipeline(report, first, i - first, &cap);
    }
}

void report_fini(struct report *report) {
    for (uint32_t i = 0; i < report->run_count; i++) {
        report_run_fini(&report->runs[i]);
    }
    for (uint32_t i = 0; i < report->pipeline_count; i++) {
        mem_free(report->pipelines[i].groups);
    }
    for (uint32_t i = 0; i < report->failure_count; i++) {
        mem_free(report->failures[i].asked);
        mem_free(report->failures[i].words);
    }
    mem_free(report->runs);
    mem_free(report->pipelines);
    mem_free(report->failures);
    *report = (struct report){0};
}
