// run_kind: see the header. A query that ends by itself (Trigger.AvailableNow, Once) is batch work,
// but no event names its trigger. It is known by how it ended: without an error, nothing of it cut
// short, and busy nearly all the time it lasted, while a stream that is stopped was either in the
// middle of a batch or waited for the next one. Called by the files of app.
#include "state/run_kind.h"

#include <ctype.h>
#include <string.h>

#include "app_priv.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "base/sat.h"

// At least so much of its time a query that ends by itself is busy: the rest is its start.
enum { BUSY_PERCENT = 80 };

void run_signs_fini(struct run_signs *signs) {
    mem_free(signs->queries);
    *signs = (struct run_signs){0};
}

static bool property_is_of_stream(struct str key) {
    switch (event_property_of(key)) {
    case PROPERTY_STREAMING_QUERY_ID:
    case PROPERTY_STREAMING_BATCH_ID:
    case PROPERTY_DSTREAM_BATCH_TIME:
    case PROPERTY_DSTREAM_OUTPUT_OP_ID:
        return true;
    default:
        return false;
    }
}

static void see_job(struct app *app, const struct event_job *job) {
    for (uint32_t i = 0; i < job->property_count && !app->signs.endless; i++) {
        enum property property = event_property_of(job->properties[i].key);
        app->signs.stream |= property_is_of_stream(job->properties[i].key);
        app->signs.endless |=
            property == PROPERTY_DSTREAM_BATCH_TIME || property == PROPERTY_DSTREAM_OUTPUT_OP_ID;
    }
}

void app_stream_cut(struct app *app) {
    app->signs.stream = app->signs.endless = true;
}

// The query's run, NULL if there are too many or it is not known.
static struct run_query *find_query(struct app *app, int64_t run, bool make) {
    struct run_signs *signs = &app->signs;
    for (uint32_t i = 0; i < signs->query_count; i++) {
        if (signs->queries[i].run == run) {
            return &signs->queries[i];
        }
    }
    if (!make) {
        return NULL;
    }
    if (signs->query_count == RUN_QUERIES_MAX) {
        signs->endless = true;
        return NULL;
    }
    signs->queries = mem_resize(signs->queries, signs->query_count + 1, sizeof *signs->queries);
    struct run_query *query = &signs->queries[signs->query_count++];
    *query = (struct run_query){.run = run, .started_ms = app->now_ms};
    return query;
}

static bool is_busy(int64_t busy_ms, int64_t from_ms, int64_t to_ms) {
    return sat_mul(busy_ms, 100) >= sat_mul(sat_sub0(to_ms, from_ms), BUSY_PERCENT);
}

static void end_query(struct app *app, const struct event_stream *stream) {
    struct run_signs *signs = &app->signs;
    struct run_query *query = find_query(app, app_text_hash(stream->run_id), false);
    bool by_itself = stream->error.len == 0 && query != NULL && query->batch > 0 &&
                     is_busy(query->busy_ms, query->started_ms, app->now_ms);
    if (!by_itself) {
        signs->endless = true;
    } else {
        signs->ended_busy_ms = query->busy_ms;
        signs->ended_started_ms = query->started_ms;
        signs->ended_jobs = app->totals.jobs;
    }
    if (query != NULL) {
        *query = signs->queries[--signs->query_count];
    }
}

static void apply_progress(struct app *app, const struct event_stream *stream) {
    struct run_query *query = find_query(app, app_text_hash(stream->run_id), true);
    if (query != NULL && stream->batch_id >= query->batch && stream->batch_id < INT64_MAX) {
        int64_t ms = stream->trigger_ms > 0 ? stream->trigger_ms : stream->batch_ms;
        query->batch = stream->batch_id + 1;
        sat_inc(&query->busy_ms, ms);
    }
}

void app_see_signs(struct app *app, const struct event *event) {
    switch (event->kind) {
    case EVENT_JOB_START:
        see_job(app, &event->job);
        return;
    case EVENT_THRIFT_SERVER:
    case EVENT_CONNECT:
        app->signs.server = true;
        return;
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_IDLE:
        find_query(app, app_text_hash(event->stream.run_id), true);
        break;
    case EVENT_STREAM_PROGRESS:
        apply_progress(app, &event->stream);
        break;
    case EVENT_STREAM_TERMINATED:
        end_query(app, &event->stream);
        break;
    default:
        return;
    }
    app->signs.queries_seen = true;
}

// "livy-session-12": the beginning, then digits only.
static bool is_numbered(struct str name, struct str beginning) {
    if (name.len <= beginning.len || !str_starts(name, beginning)) {
        return false;
    }
    for (size_t i = beginning.len; i < name.len; i++) {
        if (!isdigit((unsigned char)name.p[i])) {
            return false;
        }
    }
    return true;
}

// Names that Spark's own servers and shells, and notebooks, go by.
static bool is_server_name(struct str name) {
    static const char *const names[] = {
        "Thrift JDBC/ODBC Server", "Spark Connect server", "Spark shell", "PySparkShell", "SparkR",
        "Databricks Shell"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_is(name, names[i])) {
            return true;
        }
    }
    return str_starts(name, STR("SparkSQL::")) || str_starts(name, STR("Zeppelin")) ||
           is_numbered(name, STR("livy-session-"));
}

static bool is_server(const struct app *app) {
    struct str name = str_of(app->identity.app_name);
    return app->signs.server ||
           is_server_name(name.len > 0 ? name : app_property(app, PROPERTY_APP_NAME));
}

// A query that ended by itself, and the run with it or with other work; one after which the run
// only waited for its end was stopped.
static bool ended_by_itself(const struct app *app) {
    const struct run_signs *signs = &app->signs;
    return app->totals.jobs > signs->ended_jobs ||
           is_busy(signs->ended_busy_ms, signs->ended_started_ms, app_end_ms(app));
}

enum run_kind app_run_kind(const struct app *app) {
    const struct run_signs *signs = &app->signs;
    if (is_server(app)) {
        return RUN_KIND_SERVER_OR_SHELL;
    }
    if (signs->endless || signs->query_count > 0 || (signs->stream && !signs->queries_seen)) {
        return RUN_KIND_STREAM;
    }
    return signs->queries_seen && !ended_by_itself(app) ? RUN_KIND_STREAM : RUN_KIND_BATCH;
}

static uint32_t queries_size(const void *signs) {
    return ((const struct run_signs *)signs)->query_count;
}
static const void *query_at(const void *signs, uint32_t i, union record_scratch *scratch) {
    (void)scratch;
    return &((const struct run_signs *)signs)->queries[i];
}
static void *query_add(void *of, uint32_t count, union record_scratch *scratch) {
    struct run_signs *signs = of;
    (void)count, (void)scratch;
    if (signs->query_count >= RUN_QUERIES_MAX) {
        return NULL;
    }
    signs->queries = mem_resize(signs->queries, signs->query_count + 1, sizeof *signs->queries);
    signs->queries[signs->query_count] = (struct run_query){0};
    return &signs->queries[signs->query_count++];
}
static const struct record_list query_list = {queries_size, query_at, query_add, NULL};
static const struct record_row query_rows[] = {
    RECORD_ROW(1, I64, run_query, run),
    RECORD_ROW(2, I64, run_query, started_ms),
    RECORD_ROW(3, I64, run_query, batch, .most = INT64_MAX),
    RECORD_ROW(4, I64, run_query, busy_ms, .most = INT64_MAX),
};
static const struct record record_query = RECORD_OF("query", run_query, query_rows);

static const struct record_row signs_rows[] = {
    RECORD_ROW(1, BOOL, run_signs, server),
    RECORD_ROW(2, BOOL, run_signs, stream),
    RECORD_ROW(3, BOOL, run_signs, endless),
    RECORD_ROW(4, BOOL, run_signs, queries_seen),
    RECORD_ROW(5, I64, run_signs, ended_busy_ms, .most = INT64_MAX),
    RECORD_ROW(6, I64, run_signs, ended_started_ms),
    RECORD_ROW(7, I64, run_signs, ended_jobs, .most = INT64_MAX),
    RECORD_HOOKED(100, LIST, "queries", &query_list, .item = &record_query, .max = RUN_QUERIES_MAX),
};
const struct record record_run_signs = RECORD_OF("signs", run_signs, signs_rows);

// Nothing is kept of the signs of a run that shows none.
static uint32_t signs_size(const void *app) {
    const struct run_signs *signs = &((const struct app *)app)->signs;
    return signs->server || signs->stream || signs->endless || signs->queries_seen;
}
static const void *signs_at(const void *app, uint32_t i, union record_scratch *scratch) {
    (void)i, (void)scratch;
    return &((const struct app *)app)->signs;
}
static void *signs_add(void *app, uint32_t count, union record_scratch *scratch) {
    (void)count, (void)scratch;
    return signs_size(app) > 0 ? NULL : &((struct app *)app)->signs;
}
const struct record_list app_signs_list = {signs_size, signs_at, signs_add, NULL};
