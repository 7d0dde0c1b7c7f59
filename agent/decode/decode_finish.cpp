// decode_finish: what an event is before its fields are read (all missing) and after: lists handed
// over, texts turned into classes, and whether it has what makes it one.
#include "decoder.h"

using namespace decode;

void decoder_init_missing(event *out, event_kind kind) {
    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->name = str_of(event_kind_name(kind));
    out->app_id = out->app_attempt = out->version = {"", 0};
    set_missing(shape_of(kind), out);
    if (kind == EVENT_TASK_END) {
        out->task.error = {"", 0};
    } else if (kind == EVENT_APP_START) {
        out->app_start.app_id = out->app_start.attempt = {"", 0};
    } else if (shape_of(kind).rules == shape_of(EVENT_SQL_START).rules) {
        out->sql.error = {"", 0};
    }
}

void decoder_begin(decoder *d, str name) {
    context &c = d->c;
    event_kind kind = event_kind_of(name);
    memcpy(c.out, &d->missing[kind], sizeof *c.out);
    if (kind == EVENT_OTHER) {
        c.out->name = {name.p, str_cut_utf8(name, 256)};
    }
}

static void finish_task(context &c) {
    event_task &t = c.out->task;
    t.stage_attempt = t.stage_attempt < 0 ? 0 : t.stage_attempt;
    t.accums = c.accums.items;
    t.accum_count = c.accums.len;
    if (c.out->kind != EVENT_TASK_END) {
        return;
    }
    if (c.words[WORD_RESULT].len > 0) {
        t.result = event_task_result(c.words[WORD_RESULT]);
    } else {
        t.result = t.failed ? TASK_UNKNOWN_REASON : t.killed ? TASK_KILLED : TASK_SUCCESS;
    }
    for (int i = WORD_DESCRIPTION; i < WORD_COUNT && t.error.len == 0; i++) {
        t.error = c.words[i].len > 0 ? c.words[i] : t.error;
    }
}

static void finish_stage(context &c) {
    event_stage &s = c.out->stage;
    s.attempt = s.attempt < 0 ? 0 : s.attempt;
    s.parents = c.ids.items;
    s.parent_count = c.ids.len;
    s.properties = c.properties.items;
    s.property_count = c.properties.len;
}

static void finish_job(context &c) {
    event_job &j = c.out->job;
    j.stages = c.ids.items;
    j.stage_count = c.ids.len;
    j.properties = c.properties.items;
    j.property_count = c.properties.len;
    j.succeeded = c.out->kind == EVENT_JOB_END && !str_is(c.words[WORD_RESULT], "JobFailed");
}

static void finish_sql(context &c) {
    event_sql &s = c.out->sql;
    s.accums = c.accums.items;
    s.accum_count = c.accums.len;
    s.plan.nodes = c.nodes.items;
    s.plan.node_count = c.nodes.len;
    s.plan.metrics = c.metrics.items;
    s.plan.metric_count = c.metrics.len;
}

// Hands the lists over; false if the event lacks what makes it one.
bool decoder_finish(context &c) {
    switch (c.out->kind) {
    case EVENT_TASK_START:
    case EVENT_TASK_END:
        finish_task(c);
        return c.has_info && c.out->task.stage >= 0;
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        finish_stage(c);
        return c.out->stage.id >= 0;
    case EVENT_JOB_START:
    case EVENT_JOB_END:
        finish_job(c);
        return c.out->job.id >= 0;
    case EVENT_SQL_START:
    case EVENT_SQL_END:
    case EVENT_SQL_ADAPTIVE_PLAN:
    case EVENT_SQL_ADAPTIVE_METRICS:
    case EVENT_SQL_DRIVER_ACCUMS:
        finish_sql(c);
        return true;
    case EVENT_ENVIRONMENT:
        c.out->environment.properties = c.properties.items;
        c.out->environment.property_count = c.properties.len;
        return true;
    default:
        return true;
    }
}
