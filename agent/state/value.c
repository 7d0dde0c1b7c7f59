// value: a run as a value and back, its stages apart (value_stage.c) and so its jobs, accumulators
// and executors (value_parts.c). Called by engine. Reading
// trusts nothing: counts are bounded by the same limits as live state.
#include "state/value.h"

#include <math.h>

#include "app_priv.h"
#include "base/mem.h"
#include "value_priv.h"

enum { VALUE_REVISION_MAX = 1000000000 }; // leaves room to rise

void value_put_verdict(struct buf *value, const struct bottleneck *b) {
    struct buf nested = {0};
    wire_put_rows(&nested, b, value_rows_verdict, value_rows_verdict_count);
    for (uint32_t i = 0; i < b->evidence_count; i++) {
        wire_put_nested(&nested, VALUE_EVIDENCE, &b->evidence[i], value_rows_evidence,
                        value_rows_evidence_count);
    }
    wire_put(value, VALUE_VERDICT, buf_str(&nested));
    buf_fini(&nested);
}

bool value_take_verdict(struct str bytes, struct bottleneck ***items, uint32_t *count) {
    struct bottleneck *b = mem_zalloc(1, sizeof *b);
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    bool known, good = *count < KIND_COUNT;
    while (good && wire_next(&reader, &number, &field)) {
        if (number == VALUE_EVIDENCE) {
            good = b->evidence_count < EVIDENCE_MAX &&
                   wire_take_all(&b->evidence[b->evidence_count], value_rows_evidence,
                                 value_rows_evidence_count, field) &&
                   b->evidence[b->evidence_count++].name != NULL;
        } else {
            good =
                wire_take(b, value_rows_verdict, value_rows_verdict_count, number, field, &known);
        }
    }
    good = good && !reader.broken && (unsigned)b->kind < KIND_COUNT &&
           (unsigned)b->severity < SEVERITY_COUNT && (unsigned)b->cause < CAUSE_COUNT &&
           (unsigned)b->life < LIFE_COUNT && (unsigned)b->floor < SEVERITY_COUNT &&
           (unsigned)b->cap < SEVERITY_COUNT && b->rule_met >= TRI_NULL &&
           b->rule_met <= TRI_TRUE && isfinite(b->saving_s) && b->saving_s >= 0 &&
           b->revision >= 0 && b->revision < VALUE_REVISION_MAX;
    for (uint32_t i = 0; i < *count && good; i++) {
        good = (*items)[i]->kind != b->kind; // a subject has one of each kind
    }
    if (!good) {
        mem_free(b);
        return false;
    }
    *items = mem_resize(*items, *count + 1, sizeof **items);
    (*items)[(*count)++] = b;
    return true;
}

// Pairs of integers: the id, then its value or the end of its range.
void value_put_pair(struct buf *value, unsigned number, int64_t a, int64_t b) {
    struct buf pair = {0};
    wire_put_i64(&pair, 1, a);
    wire_put_i64(&pair, 2, b);
    wire_put(value, number, buf_str(&pair));
    buf_fini(&pair);
}

bool value_take_pair(struct str bytes, int64_t *a, int64_t *b) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    *a = *b = 0;
    while (wire_next(&reader, &number, &field)) {
        if (number > 2 || !wire_get_i64(field, number == 1 ? a : b)) {
            return false;
        }
    }
    return !reader.broken;
}

static void put_ranges(struct buf *value, unsigned number, const struct rangeset *set) {
    for (size_t i = 0; i < set->len; i++) {
        value_put_pair(value, number, set->ranges[i].first, set->ranges[i].last);
    }
}

void value_write_app(const struct app *app, struct buf *value) {
    wire_begin(value);
    wire_put_rows(value, app, value_rows_app, value_rows_app_count);
    wire_put_nested(value, VALUE_TOTALS, &app->totals, value_rows_totals, value_rows_totals_count);
    for (unsigned i = 0; i < APP_PIPELINE_KEYS_MAX; i++) {
        if (app->pipeline_values[i] != NULL) {
            struct buf nested = {0};
            wire_put_i64(&nested, 1, i);
            wire_put(&nested, 2, str_of(app->pipeline_values[i]));
            wire_put(value, VALUE_PIPELINE_VALUE, buf_str(&nested));
            buf_fini(&nested);
        }
    }
    for (uint32_t i = 0; i < app->failed_key_count; i++) {
        value_put_pair(value, VALUE_FAILED_KEY, app->failed_keys[i], 0);
    }
    put_ranges(value, VALUE_ENDED_TASKS, &app->ended_tasks);
    put_ranges(value, VALUE_STARTED_JOBS, &app->started_jobs);
    put_ranges(value, VALUE_ENDED_JOBS, &app->ended_jobs);
    wire_put_nested(value, VALUE_EXECUTORS, &app->executors, value_rows_executors,
                    value_rows_executors_count);
    for (uint32_t i = 0; i < app->verdict_count; i++) {
        value_put_verdict(value, app->verdicts[i]);
    }
}

static bool take_range(struct rangeset *set, struct str bytes) {
    int64_t first, last;
    bool good = value_take_pair(bytes, &first, &last) && first <= last &&
                set->len < APP_TASK_RANGES_MAX &&
                (set->len == 0 || set->ranges[set->len - 1].last < first);
    if (good) {
        MEM_GROW(set->ranges, set->len, set->cap);
        set->ranges[set->len++] = (struct rangeset_range){first, last};
    }
    return good;
}

static bool take_pipeline_value(struct app *app, struct str bytes) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field, text = {"", 0};
    int64_t index = 0;
    while (wire_next(&reader, &number, &field)) {
        if (number == 1 && !wire_get_i64(field, &index)) {
            return false;
        }
        text = number == 2 ? field : text;
    }
    if (reader.broken || index < 0 || index >= APP_PIPELINE_KEYS_MAX || text.len > RUN_TEXT_MAX ||
        app->pipeline_values[index] != NULL) {
        return false;
    }
    app->pipeline_values[index] = mem_strndup(text.p, text.len);
    return true;
}

static bool take_list(struct app *app, unsigned number, struct str field) {
    int64_t a, b;
    switch (number) {
    case VALUE_TOTALS:
        return wire_take_all(&app->totals, value_rows_totals, value_rows_totals_count, field);
    case VALUE_PIPELINE_VALUE:
        return take_pipeline_value(app, field);
    case VALUE_FAILED_KEY:
        if (!value_take_pair(field, &a, &b) || app->failed_key_count >= APP_FAILED_KEYS_MAX) {
            return false;
        }
        MEM_GROW(app->failed_keys, app->failed_key_count, app->failed_key_cap);
        app->failed_keys[app->failed_key_count++] = a;
        return true;
    case VALUE_ENDED_TASKS:
        return take_range(&app->ended_tasks, field);
    case VALUE_STARTED_JOBS:
        return take_range(&app->started_jobs, field);
    case VALUE_ENDED_JOBS:
        return take_range(&app->ended_jobs, field);
    case VALUE_VERDICT:
        return value_take_verdict(field, &app->verdicts, &app->verdict_count);
    case VALUE_EXECUTORS:
        return wire_take_all(&app->executors, value_rows_executors, value_rows_executors_count,
                             field);
    default:
        return true; // of a later release
    }
}

enum status value_read_app(struct str value, const char *cluster, const struct pipeline_rule *rule,
                           struct app **out, struct err *err) {
    struct wire_reader reader;
    enum status status = wire_open(value, &reader, err);
    if (status != ST_OK) {
        return status;
    }
    struct app *app = app_new(cluster, STR(""), STR(""), rule);
    app->executors.task_cpus = 0; // zeros are not written
    unsigned number;
    struct str field;
    bool good = true, known;
    while (good && wire_next(&reader, &number, &field)) {
        good = wire_take(app, value_rows_app, value_rows_app_count, number, field, &known) &&
               (known || take_list(app, number, field));
    }
    if (!good || reader.broken) {
        app_free(app);
        return err_set(err, ST_SKIP, "a damaged state value of a run");
    }
    app->executors.slots_stale = true;
    *out = app;
    return ST_OK;
}
