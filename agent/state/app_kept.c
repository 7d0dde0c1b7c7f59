// app_kept: what of a run is kept, described by tables, and its parts one by one. A run keeps its
// stages, open jobs, accumulators and executors under keys of their own, the last two in chunks, so
// that a value stays small and is written only when something in it changed. Called by engine; must
// not know how a value or a key is written.
#include <stdlib.h>
#include <string.h>

#include "app_priv.h"
#include "base/mem.h"
#include "kept_array.h"
#include "kept_verdicts.h"
#include "model/operator.h"

KEPT_VERDICTS(app);

// Ids that were seen, as ranges.
static bool range_fits(void *object) {
    const struct rangeset_range *range = object;
    return range->first <= range->last;
}
static const struct record_row range_rows[] = {
    RECORD_ROW(1, I64, rangeset_range, first),
    RECORD_ROW(2, I64, rangeset_range, last),
};
static const struct record record_range = {"range", sizeof(struct rangeset_range), range_rows,
                                           ARRAY_LEN(range_rows), range_fits};

#define RANGES(set)                                                                                \
    KEPT_ARRAY(set, app, set.ranges, set.len, set.cap, APP_TASK_RANGES_MAX);                       \
    static bool set##_added(void *app, void *item) {                                               \
        const struct rangeset_range *range = item;                                                 \
        return range == ((struct app *)app)->set.ranges || range[-1].last < range->first;          \
    }                                                                                              \
    static const struct record_list set##_list = {set##_size, set##_at, set##_add, set##_added}
RANGES(started_tasks);
RANGES(ended_tasks);
RANGES(started_jobs);
RANGES(ended_jobs);

// What the properties of the pipeline rule said, by their place in the rule.
struct pipeline_value {
    int64_t place;
    char text[RUN_TEXT_MAX + 1];
};
_Static_assert(sizeof(struct pipeline_value) <= sizeof(union record_scratch), "built in scratch");
static const struct record_row pipeline_value_rows[] = {
    RECORD_ROW(1, I64, pipeline_value, place, .most = APP_PIPELINE_KEYS_MAX - 1),
    RECORD_ROW(2, CHARS, pipeline_value, text, .prose = true),
};
static const struct record record_pipeline_value =
    RECORD_OF("property", pipeline_value, pipeline_value_rows);

static uint32_t pipeline_values_size(const void *app) {
    (void)app;
    return APP_PIPELINE_KEYS_MAX;
}
static const void *pipeline_value_at(const void *app, uint32_t i, union record_scratch *scratch) {
    const char *text = ((const struct app *)app)->pipeline_values[i];
    struct pipeline_value *value = (struct pipeline_value *)(void *)scratch;
    if (text == NULL) {
        return NULL;
    }
    value->place = i;
    str_copy(value->text, sizeof value->text, str_of(text));
    return value;
}
static void *in_scratch(void *owner, uint32_t count, union record_scratch *scratch) {
    (void)owner, (void)count;
    return scratch;
}
static bool pipeline_value_added(void *of, void *item) {
    struct app *app = of;
    const struct pipeline_value *value = item;
    if (app->pipeline_values[value->place] != NULL) {
        return false;
    }
    app->pipeline_values[value->place] = mem_strdup(value->text);
    return true;
}
static const struct record_list pipeline_value_list = {pipeline_values_size, pipeline_value_at,
                                                       in_scratch, pipeline_value_added};

// Limits that were hit, by their numbers; those of a later release are passed over.
struct kept_limit {
    int64_t number;
};
static const struct record_row limit_rows[] = {
    RECORD_ROW(1, I64, kept_limit, number, .words = &vocabulary_limit, .most = INT64_MAX)};
static const struct record record_limit = RECORD_OF("limit", kept_limit, limit_rows);

static uint32_t limits_size(const void *app) {
    (void)app;
    return LIMIT_COUNT;
}
static const void *limit_at(const void *app, uint32_t i, union record_scratch *scratch) {
    struct kept_limit *kept = (struct kept_limit *)(void *)scratch;
    kept->number = i;
    return limit_in(((const struct app *)app)->limits, (enum limit)i) ? kept : NULL;
}
static bool limit_added(void *of, void *item) {
    int64_t number = ((const struct kept_limit *)item)->number;
    if (number < LIMIT_COUNT) {
        ((struct app *)of)->limits |= 1u << number;
    }
    return true;
}
static const struct record_list limit_list = {limits_size, limit_at, in_scratch, limit_added};

// Nothing is kept of the delivery of a run that no listener of ours sends.
static uint32_t delivery_size(const void *app) {
    const struct delivery *delivery = &((const struct app *)app)->delivery;
    return delivery->numbers.len > 0 || delivery->listener[0] != '\0' ||
           delivery_loss(delivery).sent > 0 || delivery->report.slimmed > 0;
}
static const void *delivery_at(const void *app, uint32_t i, union record_scratch *scratch) {
    (void)i, (void)scratch;
    return &((const struct app *)app)->delivery;
}
static void *delivery_add(void *app, uint32_t count, union record_scratch *scratch) {
    (void)count, (void)scratch;
    return delivery_size(app) > 0 ? NULL : &((struct app *)app)->delivery;
}
static const struct record_list delivery_list = {delivery_size, delivery_at, delivery_add, NULL};

static uint32_t streams_size(const void *app) {
    return ((const struct app *)app)->streams.count;
}
static const void *stream_at(const void *app, uint32_t i, union record_scratch *scratch) {
    (void)scratch;
    return &((const struct app *)app)->streams.list[i];
}
static void *stream_add(void *of, uint32_t count, union record_scratch *scratch) {
    struct streams *streams = &((struct app *)of)->streams;
    (void)count, (void)scratch;
    if (streams->count >= STREAMS_MAX) {
        return NULL;
    }
    streams->list = mem_resize(streams->list, streams->count + 1, sizeof *streams->list);
    streams->list[streams->count] = (struct stream_query){0};
    return &streams->list[streams->count++];
}
static const struct record_list stream_list = {streams_size, stream_at, stream_add, NULL};

static const struct record_row own_waits_rows[] = {
    RECORD_ROW(1, I64, own_waits, stages, .most = INT64_MAX),
    RECORD_ROW(2, I64, own_waits, longest_ms, .most = INT64_MAX),
    RECORD_ROW(3, I64, own_waits, longest_took_ms, .most = INT64_MAX),
    RECORD_ROW(4, I32, own_waits, longest_stage, .most = INT32_MAX),
};
static const struct record record_own_waits = RECORD_OF("own_waits", own_waits, own_waits_rows);

static const struct record_row load_computed_rows[] = {
    RECORD_ROW(1, I64, load_computed, run_ms, .most = INT64_MAX),
    RECORD_ROW(2, I64, load_computed, waited_ms, .most = INT64_MAX),
};
static const struct record record_load_computed =
    RECORD_OF("computed", load_computed, load_computed_rows);

static const struct record_row app_written_rows[] = {
    RECORD_ROW(1, I64, app_written, execution, .most = INT64_MAX),
    RECORD_ROW(2, I64, app_written, files, .most = INT64_MAX),
    RECORD_ROW(3, I64, app_written, bytes, .most = INT64_MAX),
    RECORD_ROW(4, I64, app_written, folders, .most = INT64_MAX),
    RECORD_ROW(5, I64, app_written, commit_ms, .most = INT64_MAX),
};
static const struct record record_app_written = RECORD_OF("written", app_written, app_written_rows);

static const struct record_row app_rows[] = {
    RECORD_ROW(1, INLINE, app, identity, .item = &record_run_identity), // 1 to 7
    RECORD_ROW(8, CHARS, app, run_id),
    RECORD_ROW(9, BOOL, app, pipeline_fixed),
    RECORD_ROW(10, I64, app, started_ms),
    RECORD_ROW(11, I64, app, ended_ms),
    RECORD_ROW(12, I64, app, first_ms),
    RECORD_ROW(13, I64, app, now_ms),
    RECORD_ROW(14, BOOL, app, has_exit_code),
    RECORD_ROW(15, I64, app, exit_code),
    RECORD_ROW(16, I32, app, spark_major),
    RECORD_ROW(17, I32, app, spark_minor),
    RECORD_ROW(18, I64, app, scan_rows),
    RECORD_ROW(19, I64, app, shuffle_read_records),
    RECORD_ROW(20, I64, app, files_bytes),
    RECORD_ROW(21, I64, app, fetch_wait_ms),
    RECORD_ROW(22, I64, app, shuffle_write_ns),
    RECORD_ROW(23, I64, app, task_ends),
    RECORD_ROW(24, I64, app, exclusions),
    RECORD_ROW(25, I64, app, blacklistings),
    RECORD_ROW(26, I64, app, executor_memory_mib),
    RECORD_ROW(27, BOOL, app, sql_error),
    RECORD_ROW(28, CHARS, app, failure, .prose = true),
    RECORD_ROW(29, BOOL, app, limit_hit),
    RECORD_ROW(30, BOOL, app, foreign_engine),
    RECORD_ROW(31, I32, app, stage_number),
    RECORD_ROW(32, I64, app, gone_expected, .most = INT64_MAX),
    RECORD_ROW(33, I64, app, gone_seen, .most = INT64_MAX),
    RECORD_ROW(34, F64, app, gone_shuffle_s, .most = INT64_MAX),
    RECORD_ROW(35, I64, app, gone_slots_most, .most = INT64_MAX),
    RECORD_ROW(36, I64, app, gone_last_finish_ms, .most = INT64_MAX),
    RECORD_ROW(37, I64, app, accums_from, .most = INT64_MAX),
    RECORD_ROW(45, NESTED, app, work, .item = &record_busy),
    RECORD_ROW(46, NESTED, app, in_jobs, .item = &record_busy),
    RECORD_ROW(70, BOOL, app, drivers_oom),
    RECORD_ROW(86, NESTED, app, own_waits, .item = &record_own_waits),
    RECORD_ROW(85, NESTED, app, load, .item = &record_load),
    RECORD_ROW(87, NESTED, app, peaks, .item = &record_peaks),
    RECORD_ROW(88, NESTED, app, written, .item = &record_app_written),
    RECORD_ROW(89, NESTED, app, computed, .item = &record_load_computed),
    RECORD_ROW(75, I64, app, uncounted_rows, .most = INT64_MAX),
    RECORD_ROW(76, I64, app, sized_rows, .most = INT64_MAX),
    RECORD_ROW(77, I64, app, silent_rows, .most = INT64_MAX),
    RECORD_ROW(78, I64, app, source_bytes, .most = INT64_MAX),
    RECORD_ROW(79, BOOL, app, unsized_source),
    RECORD_ROW(80, I32, app, works, .most = WORK_ALL),
    RECORD_ROW(200, NESTED, app, totals, .item = &record_run_totals),
    RECORD_HOOKED(201, LIST, "pipeline_values", &pipeline_value_list,
                  .item = &record_pipeline_value, .max = APP_PIPELINE_KEYS_MAX),
    RECORD_HOOKED(202, LIST, "failed_keys", &app_failure_list, .item = &record_failure,
                  .max = OUTCOME_FAILURES_MAX),
    {.number = 203, .type = RECORD_RETIRED},
    RECORD_HOOKED(206, LIST, "ended_tasks", &ended_tasks_list, .item = &record_range,
                  .max = APP_TASK_RANGES_MAX),
    RECORD_HOOKED(232, LIST, "started_tasks", &started_tasks_list, .item = &record_range,
                  .max = APP_TASK_RANGES_MAX),
    RECORD_HOOKED(207, LIST, "started_jobs", &started_jobs_list, .item = &record_range,
                  .max = APP_TASK_RANGES_MAX),
    RECORD_HOOKED(208, LIST, "ended_jobs", &ended_jobs_list, .item = &record_range,
                  .max = APP_TASK_RANGES_MAX),
    RECORD_ROW(210, NESTED, app, executors, .item = &record_executor_sums),
    RECORD_ROW(236, NESTED, app, plans, .item = &record_plans),
    RECORD_HOOKED(222, LIST, "limits", &limit_list, .item = &record_limit, .max = LIMIT_COUNT),
    RECORD_HOOKED(223, LIST, "delivery", &delivery_list, .item = &record_delivery, .max = 1),
    RECORD_HOOKED(224, LIST, "signs", &app_signs_list, .item = &record_run_signs, .max = 1),
    RECORD_HOOKED(228, LIST, "streams", &stream_list, .item = &record_stream, .max = STREAMS_MAX),
    RECORD_HOOKED(225, LIST, "outcome", &app_outcome_list, .item = &record_outcome, .max = 1),
    RECORD_HOOKED(209, LIST, "verdicts", &app_verdict_list, .item = &record_bottleneck,
                  .max = KIND_COUNT),
};
const struct record record_app = RECORD_OF("application", app, app_rows);

static const struct record_row job_rows[] = {
    RECORD_ROW(1, I64, app_job, number),
    RECORD_ROW(2, I64, app_job, execution_id),
    RECORD_ROW(4, I32, app_job, id, .most = INT32_MAX),
    RECORD_ROW(10, I64, app_job, started_ms),
    {.number = 3, .type = RECORD_RETIRED},
    RECORD_AS(5, I64, app_job, work.description, "description"),
    RECORD_AS(6, I64, app_job, work.site, "site"),
    RECORD_ROW(7, I64, app_job, first_stage, .most = INT64_MAX),
    RECORD_ROW(8, I64, app_job, last_stage, .most = INT64_MAX),
    RECORD_ROW(9, I32, app_job, sign, .most = JOB_ABORTED),
    RECORD_ROW(13, I64, app_job, family, .most = INT64_MAX),
    RECORD_ROW(14, BOOL, app_job, stream),
};
const struct record record_job = RECORD_OF("job", app_job, job_rows);

void app_each_part(struct app *app, bool touched, app_part_fn *each, void *ctx) {
    for (uint32_t i = 0; i < app->job_count; i++) {
        struct app_job *job = &app->jobs[i];
        each(ctx, (struct kept_part){'j', {job->id}}, &job->kept, job);
    }
    for (size_t i = 0; i < app->accum_chunks.cap; i++) {
        int64_t number = app->accum_chunks.keys[i];
        if (number != INT64_MIN) {
            struct accum_chunk chunk = {app, number * ACCUM_CHUNK};
            struct kept kept = app_chunk_mark(app->accum_chunks.values[i]);
            each(ctx, (struct kept_part){'a', {number}}, &kept, &chunk);
            app->accum_chunks.values[i] = app_chunk_bits(kept);
        }
    }
    for (uint32_t i = 0; i < executors_chunks(&app->executors); i++) {
        struct executor_chunk chunk = {&app->executors, i};
        each(ctx, (struct kept_part){'x', {i}}, &app->executors.kept[i], &chunk);
    }
    if (app->properties.count > 0) {
        each(ctx, (struct kept_part){'c', {0}}, &app->properties.kept, &app->properties);
    }
    if (app->session.count > 0) {
        each(ctx, (struct kept_part){'q', {0}}, &app->session.kept, &app->session);
    }
    for (uint32_t i = 0; i < app->stage_count; i++) {
        struct stage *stage = app->stages[i];
        if (touched && !stage->kept.touched) {
            continue;
        }
        each(ctx, (struct kept_part){'s', {stage->summary.stage, stage->summary.attempt}},
             &stage->kept, stage);
    }
}

struct app *app_blank(const struct pipeline_rule *rule) {
    struct app *app = app_new("", STR(""), STR(""), rule);
    app->run_id[0] = '\0'; // what is empty or zero is not written
    return app;
}

void *app_part_open(struct app *app, struct kept_part part) {
    struct stage *stage;
    switch (part.letter) {
    case 's':
        stage = stage_new(0, 0);
        stage_drop_detail(stage);
        stage->summary.tasks_expected = 0; // what is zero is not written
        return stage;
    case 'j':
        return mem_zalloc(1, sizeof(struct app_job));
    case 'a': {
        if (part.numbers[0] < INT64_MIN / ACCUM_CHUNK ||
            part.numbers[0] > INT64_MAX / ACCUM_CHUNK) {
            return NULL;
        }
        struct accum_chunk *chunk = mem_zalloc(1, sizeof *chunk);
        *chunk = (struct accum_chunk){app, part.numbers[0] * ACCUM_CHUNK};
        return chunk;
    }
    case 'x': {
        if (part.numbers[0] < 0 || part.numbers[0] >= EXECUTOR_CHUNKS) {
            return NULL;
        }
        struct executor_chunk *chunk = mem_zalloc(1, sizeof *chunk);
        *chunk = (struct executor_chunk){&app->executors, (uint32_t)part.numbers[0]};
        return chunk;
    }
    case 'c':
        return app->properties.count == 0 && part.numbers[0] == 0 ? &app->properties : NULL;
    case 'q':
        return app->session.count == 0 && part.numbers[0] == 0 ? &app->session : NULL;
    default:
        return NULL;
    }
}

static bool take_stage(struct app *app, struct kept_part part, struct stage *stage, bool good) {
    const struct stage_summary *s = &stage->summary;
    good = good && s->stage >= 0 && s->attempt >= 0 && s->stage == part.numbers[0] &&
           s->attempt == part.numbers[1] && app_stage(app, s->stage, s->attempt) == NULL;
    if (!good) {
        stage_free(stage);
        return false;
    }
    stage->kept.written = true;
    app_stage_adopt(app, stage);
    return true;
}

static bool take_job(struct app *app, struct kept_part part, struct app_job *job, bool good) {
    good = good && job->id == part.numbers[0] && app->job_count < APP_OPEN_JOBS_MAX;
    if (good) {
        uint32_t at = app->job_count;
        MEM_GROW(app->jobs, app->job_count, app->job_cap);
        app->job_count++;
        for (; at > 0 && app->jobs[at - 1].number > job->number; at--) { // in the order they began
            app->jobs[at] = app->jobs[at - 1];
        }
        job->kept.written = true;
        app->jobs[at] = *job;
    }
    mem_free(job);
    return good;
}

bool app_part_close(struct app *app, struct kept_part part, void *object, bool good) {
    if (part.letter == 's') {
        return take_stage(app, part, object, good);
    }
    if (part.letter == 'j') {
        return take_job(app, part, object, good);
    }
    if (part.letter == 'c' || part.letter == 'q') {
        struct properties *properties = object;
        properties->kept.written = true;
        return good;
    }
    if (part.letter == 'a' && good) {
        idmap_put(&app->accum_chunks, part.numbers[0], ACCUM_CHUNK_WRITTEN, SIZE_MAX);
    } else if (part.letter == 'x' && good) {
        app->executors.kept[part.numbers[0]].written = true;
    }
    mem_free(object);
    return good;
}

static int by_number(const void *x, const void *y) {
    const struct stage *a = *(struct stage *const *)x, *b = *(struct stage *const *)y;
    return (a->number > b->number) - (a->number < b->number);
}

bool app_loaded(struct app *app) {
    if (app->limit_hit && app->limits == 0) { // kept by 0.1.0
        app->limits = 1u << LIMIT_UNNAMED;
    }
    if (app->stage_count > 0) {
        qsort(app->stages, app->stage_count, sizeof(struct stage *), by_number);
    }
    app->last_finish_ms = app->gone_last_finish_ms > app->last_finish_ms ? app->gone_last_finish_ms
                                                                         : app->last_finish_ms;
    for (uint32_t i = app->stage_count; i > 0; i--) {
        struct stage *stage = app->stages[i - 1];
        if (stage->completed && stage->detail != NULL &&
            app->closed_detail_count < APP_CLOSED_DETAILS) {
            app->closed_details[app->closed_detail_count++] = stage;
        }
    }
    app_stages_bound(app, 0);
    return executors_complete(&app->executors);
}
