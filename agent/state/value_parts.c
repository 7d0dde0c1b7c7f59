// value_parts: what a run keeps under keys of its own: its open jobs, its accumulators and its
// executors, the last two in chunks, so that a value stays small and is written only when something
// in it changed. Called by engine through state/value.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_priv.h"
#include "base/mem.h"
#include "value_priv.h"

void app_note_gone(struct app *app, char kind, int64_t number, int64_t attempt) {
    char prefix[64];
    int len = kind == 's' ? snprintf(prefix, sizeof prefix, "s%lld.%lld.", (long long)number,
                                     (long long)attempt)
                          : snprintf(prefix, sizeof prefix, "%c%lld.", kind, (long long)number);
    buf_add(&app->gone, prefix, (size_t)len + 1); // with its NUL
}

void app_touch_accum(struct app *app, int64_t id) {
    int64_t chunk = id >> ACCUM_CHUNK_BITS;
    if (app->touched_accum_count > 0 &&
        app->touched_accums[app->touched_accum_count - 1] == chunk) {
        return; // they come in bursts of neighbours
    }
    MEM_GROW(app->touched_accums, app->touched_accum_count, app->touched_accum_cap);
    app->touched_accums[app->touched_accum_count++] = chunk;
}

static int by_number(const void *x, const void *y) {
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

// Sorts, leaves each once; returns how many.
static size_t unique(int64_t *items, size_t count) {
    size_t kept = 0;
    if (count > 0) {
        qsort(items, count, sizeof *items, by_number);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || items[kept - 1] != items[i]) {
            items[kept++] = items[i];
        }
    }
    return kept;
}

static size_t add_chunks(const struct idmap *map, int64_t *out) {
    size_t count = 0;
    for (size_t i = 0; i < map->cap; i++) {
        if (map->keys[i] != INT64_MIN) {
            out[count++] = map->keys[i] >> ACCUM_CHUNK_BITS;
        }
    }
    return count;
}

struct writer {
    value_part_fn each;
    void *ctx;
    struct buf value;
};

static void hand_out(struct writer *writer, char kind, int64_t number) {
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%c%lld.", kind, (long long)number);
    writer->each(writer->ctx, prefix, buf_str(&writer->value));
}

static void write_accums(const struct app *app, int64_t chunk, struct writer *writer) {
    wire_begin(&writer->value);
    int64_t first = chunk * (1 << ACCUM_CHUNK_BITS);
    for (int64_t id = first; id < first + (1 << ACCUM_CHUNK_BITS); id++) {
        int64_t value;
        if (idmap_get(&app->accum_roles, id, &value)) {
            value_put_pair(&writer->value, VALUE_ROLE, id, value);
        }
        if (idmap_get(&app->driver_values, id, &value)) {
            value_put_pair(&writer->value, VALUE_DRIVER_VALUE, id, value);
        }
    }
    hand_out(writer, 'a', chunk);
}

static void write_job(const struct app_job *job, struct writer *writer) {
    wire_begin(&writer->value);
    wire_put_rows(&writer->value, job, value_rows_job, value_rows_job_count);
    struct buf stages = {0}; // one field: a job may list 65,536 of them
    for (uint32_t i = 0; i < job->stage_count; i++) {
        buf_add(&stages, &job->stages[i], sizeof job->stages[i]);
    }
    wire_put(&writer->value, VALUE_JOB_STAGE, buf_str(&stages));
    buf_fini(&stages);
    hand_out(writer, 'j', job->id);
}

static void write_executors(const struct app *app, uint32_t chunk, struct writer *writer) {
    executors_write(&app->executors, chunk, &writer->value);
    hand_out(writer, 'x', chunk);
}

static void write_properties(const struct app *app, struct writer *writer) {
    wire_begin(&writer->value);
    properties_write(&app->properties, &writer->value);
    hand_out(writer, 'c', 0);
}

static uint32_t executor_chunks(const struct executors *executors) {
    uint32_t most =
        executors->count > executors->host_count ? executors->count : executors->host_count;
    return (most + EXECUTORS_PER_CHUNK - 1) / EXECUTORS_PER_CHUNK;
}

void value_each_part(const struct app *app, value_part_fn each, void *ctx) {
    struct writer writer = {.each = each, .ctx = ctx};
    for (uint32_t i = 0; i < app->job_count; i++) {
        write_job(&app->jobs[i], &writer);
    }
    size_t most = app->accum_roles.len + app->driver_values.len;
    int64_t *chunks = mem_alloc((most + 1) * sizeof *chunks);
    size_t count = add_chunks(&app->accum_roles, chunks);
    count = unique(chunks, count + add_chunks(&app->driver_values, chunks + count));
    for (size_t i = 0; i < count; i++) {
        write_accums(app, chunks[i], &writer);
    }
    mem_free(chunks);
    for (uint32_t chunk = 0; chunk < executor_chunks(&app->executors); chunk++) {
        write_executors(app, chunk, &writer);
    }
    if (app->properties.count > 0) {
        write_properties(app, &writer);
    }
    buf_fini(&writer.value);
}

void value_each_changed_part(struct app *app, value_part_fn each, void *ctx) {
    struct writer writer = {.each = each, .ctx = ctx};
    for (size_t at = 0; at < app->gone.len; at += strlen(app->gone.data + at) + 1) {
        each(ctx, app->gone.data + at, (struct str){NULL, 0});
    }
    buf_clear(&app->gone);
    for (uint32_t i = 0; i < app->job_count; i++) {
        if (!app->jobs[i].written) {
            write_job(&app->jobs[i], &writer);
            app->jobs[i].written = true;
        }
    }
    size_t count = unique(app->touched_accums, app->touched_accum_count);
    for (size_t i = 0; i < count; i++) {
        write_accums(app, app->touched_accums[i], &writer);
    }
    app->touched_accum_count = 0;
    for (uint32_t chunk = 0; chunk < executor_chunks(&app->executors); chunk++) {
        if (app->executors.touched[chunk]) {
            write_executors(app, chunk, &writer);
            app->executors.touched[chunk] = false;
        }
    }
    if (app->properties.touched) {
        write_properties(app, &writer);
        app->properties.touched = false;
    }
    buf_fini(&writer.value);
}

static bool take_job_stages(struct app_job *job, struct str field) {
    size_t count = field.len / sizeof *job->stages;
    if (field.len % sizeof *job->stages != 0 || count > EVENT_STAGE_IDS_MAX ||
        job->stages != NULL) {
        return false;
    }
    job->stages = mem_alloc(field.len + 1);
    memcpy(job->stages, field.p, field.len);
    job->stage_count = (uint32_t)count;
    return true;
}

static bool take_job(struct app *app, struct wire_reader *reader) {
    struct app_job job = {.written = true};
    unsigned number;
    struct str field;
    bool known, good = app->job_count < APP_OPEN_JOBS_MAX;
    while (good && wire_next(reader, &number, &field)) {
        good = number == VALUE_JOB_STAGE
                   ? take_job_stages(&job, field)
                   : wire_take(&job, value_rows_job, value_rows_job_count, number, field, &known);
    }
    if (!good || reader->broken || job.id < 0) {
        mem_free(job.stages);
        return false;
    }
    uint32_t at = app->job_count;
    MEM_GROW(app->jobs, app->job_count, app->job_cap);
    app->job_count++;
    for (; at > 0 && app->jobs[at - 1].number > job.number; at--) { // in the order they began
        app->jobs[at] = app->jobs[at - 1];
    }
    app->jobs[at] = job;
    return true;
}

static bool take_accums(struct app *app, struct wire_reader *reader) {
    unsigned number;
    struct str field;
    int64_t a, b;
    bool good = true;
    while (good && wire_next(reader, &number, &field)) {
        if (number == VALUE_ROLE) {
            good = value_take_pair(field, &a, &b) &&
                   idmap_put(&app->accum_roles, a, b, APP_ACCUMS_MAX);
        } else if (number == VALUE_DRIVER_VALUE) {
            good = value_take_pair(field, &a, &b) &&
                   idmap_put(&app->driver_values, a, b, APP_DRIVER_ACCUMS_MAX);
        }
    }
    return good && !reader->broken;
}

static bool take_executors(struct app *app, struct wire_reader *reader) {
    unsigned number;
    struct str field;
    bool good = true;
    while (good && wire_next(reader, &number, &field)) {
        good = executors_read(&app->executors, number, field);
    }
    return good && !reader->broken;
}

static bool take_properties(struct app *app, struct wire_reader *reader) {
    unsigned number;
    struct str field;
    bool good = app->properties.count == 0;
    while (good && wire_next(reader, &number, &field)) {
        good = number != VALUE_PROPERTY || properties_read(&app->properties, field);
    }
    return good && !reader->broken;
}

enum status value_read_part(struct app *app, char kind, struct str value, struct err *err) {
    struct wire_reader reader;
    enum status status = wire_open(value, &reader, err);
    if (status != ST_OK) {
        return status;
    }
    bool good = kind == 'j'   ? take_job(app, &reader)
                : kind == 'a' ? take_accums(app, &reader)
                : kind == 'x' ? take_executors(app, &reader)
                : kind == 'c' ? take_properties(app, &reader)
                              : false;
    return good ? ST_OK : err_set(err, ST_SKIP, "damaged state of a run");
}

bool value_is_complete(const struct app *app) {
    return executors_complete(&app->executors);
}
