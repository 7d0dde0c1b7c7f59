// spark: builds Spark events as the decoder would, for tests of state and detect. Defaults make a
// healthy task; a test overrides what it is about.
#pragma once

#include "state/app.h"

static const char *const spark_by_name[] = {"app_name"};
static const struct pipeline_rule spark_rule = {spark_by_name, 1};

static inline struct app *spark_app(void) {
    struct app *app = app_new("c", STR("app-1"), STR(""), &spark_rule);
    struct event start = {.kind = EVENT_APP_START, .time_ms = 1000000};
    start.app_start.name = STR("etl");
    start.app_start.app_id = STR("app-1");
    app_apply(app, &start, NULL);
    return app;
}

static inline void spark_executor(struct app *app, const char *id, const char *host,
                                  int64_t cores) {
    struct event event = {.kind = EVENT_EXECUTOR_ADDED, .time_ms = 1000000};
    event.executor.id = str_of(id);
    event.executor.host = str_of(host);
    event.executor.cores = cores;
    app_apply(app, &event, NULL);
}

static inline struct stage *spark_stage(struct app *app, enum event_kind kind, int32_t id,
                                        int64_t tasks, int64_t submitted_ms, int64_t completed_ms) {
    struct event event = {.kind = kind, .time_ms = completed_ms > 0 ? completed_ms : submitted_ms};
    event.stage = (struct event_stage){
        .id = id, .tasks = tasks, .submitted_ms = submitted_ms, .completed_ms = completed_ms};
    struct stage *stage = NULL;
    app_apply(app, &event, &stage);
    return stage;
}

// A successful task of stage 0 on executor "1", launched at 1,001,000 ms, all of it run time and 90
// % CPU.
static inline struct event spark_task(int64_t id, int64_t duration_ms) {
    struct event event = {.kind = EVENT_TASK_END, .time_ms = 1001000 + duration_ms};
    event.task = (struct event_task){.task_id = id,
                                     .index = (int32_t)id,
                                     .launch_ms = 1001000,
                                     .finish_ms = 1001000 + duration_ms,
                                     .executor = STR("1"),
                                     .host = STR("h1"),
                                     .result = TASK_SUCCESS,
                                     .exit_caused_by_app = -1,
                                     .has_metrics = true,
                                     .run_ms = duration_ms,
                                     .cpu_ns = duration_ms * 900000,
                                     .remote_read_bytes = 1000,
                                     .shuffle_read_records = 10};
    return event;
}
