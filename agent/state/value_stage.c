// value_stage: one stage attempt as a value and back. Called by engine through state/value.h.
#include "app_priv.h"
#include "base/mem.h"
#include "value_priv.h"

// An array of integers as one field each, with its index.
static void put_indexed(struct buf *value, unsigned number, size_t index, int64_t amount) {
    if (amount != 0) {
        struct buf pair = {0};
        wire_put_i64(&pair, 1, (int64_t)index);
        wire_put_i64(&pair, 2, amount);
        wire_put(value, number, buf_str(&pair));
        buf_fini(&pair);
    }
}

static bool take_indexed(struct str bytes, size_t limit, size_t *index, int64_t *amount) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    int64_t at = 0;
    *amount = 0;
    while (wire_next(&reader, &number, &field)) {
        if (number > 2 || !wire_get_i64(field, number == 1 ? &at : amount)) {
            return false;
        }
    }
    *index = (size_t)at;
    return !reader.broken && at >= 0 && (size_t)at < limit && *amount >= 0;
}

static void put_detail(struct buf *value, const struct stage_detail *detail) {
    struct buf nested = {0};
    for (uint32_t i = 0; i < detail->slow_count; i++) {
        wire_put_nested(&nested, VALUE_SLOW_TASK, &detail->slow[i], value_rows_slow_task,
                        value_rows_slow_task_count);
    }
    for (uint32_t i = 0; i < detail->host_count; i++) {
        wire_put_nested(&nested, VALUE_STAGE_HOST, &detail->hosts[i], value_rows_stage_host,
                        value_rows_stage_host_count);
    }
    for (size_t i = 0; i < SKETCH_BUCKETS; i++) {
        put_indexed(&nested, VALUE_DURATION, i, detail->durations_ms.counts[i]);
    }
    wire_put(value, VALUE_DETAIL, buf_str(&nested));
    buf_fini(&nested);
}

void value_write_stage(const struct stage *stage, struct buf *value) {
    wire_begin(value);
    wire_put_rows(value, stage, value_rows_stage, value_rows_stage_count);
    wire_put_nested(value, VALUE_SUMMARY, &stage->summary, value_rows_summary,
                    value_rows_summary_count);
    for (size_t i = 0; i < FAILURE_CLASS_COUNT; i++) {
        put_indexed(value, VALUE_FAILURES, i, stage->failures[i]);
    }
    if (stage->detail != NULL) {
        put_detail(value, stage->detail);
    }
    for (uint32_t i = 0; i < stage->verdict_count; i++) {
        value_put_verdict(value, stage->verdicts[i]);
    }
}

static bool take_duration(struct sketch *sketch, struct str field) {
    size_t index;
    int64_t amount;
    if (!take_indexed(field, SKETCH_BUCKETS, &index, &amount) || amount > UINT32_MAX) {
        return false;
    }
    sketch->counts[index] = (uint32_t)amount;
    sketch->total += (uint64_t)amount;
    return true;
}

static bool take_detail(struct stage_detail *detail, struct str bytes) {
    struct wire_reader reader = wire_read(bytes);
    unsigned number;
    struct str field;
    bool good = true;
    while (good && wire_next(&reader, &number, &field)) {
        if (number == VALUE_SLOW_TASK) {
            good = detail->slow_count < STAGE_SLOW_TASKS &&
                   wire_take_all(&detail->slow[detail->slow_count++], value_rows_slow_task,
                                 value_rows_slow_task_count, field);
        } else if (number == VALUE_STAGE_HOST) {
            good = detail->host_count < STAGE_HOSTS_MAX;
            if (good) {
                MEM_GROW(detail->hosts, detail->host_count, detail->host_cap);
                detail->hosts[detail->host_count] = (struct stage_host){0};
                good = wire_take_all(&detail->hosts[detail->host_count++], value_rows_stage_host,
                                     value_rows_stage_host_count, field);
            }
        } else if (number == VALUE_DURATION) {
            good = take_duration(&detail->durations_ms, field);
        }
    }
    return good && !reader.broken;
}

static bool take_field(struct stage *stage, unsigned number, struct str field, bool *has_detail) {
    size_t index;
    int64_t amount;
    bool known;
    switch (number) {
    case VALUE_SUMMARY:
        return wire_take_all(&stage->summary, value_rows_summary, value_rows_summary_count, field);
    case VALUE_FAILURES:
        if (!take_indexed(field, FAILURE_CLASS_COUNT, &index, &amount)) {
            return false;
        }
        stage->failures[index] = amount;
        return true;
    case VALUE_DETAIL:
        *has_detail = true;
        return take_detail(stage->detail, field);
    case VALUE_VERDICT:
        return value_take_verdict(field, &stage->verdicts, &stage->verdict_count);
    default:
        return wire_take(stage, value_rows_stage, value_rows_stage_count, number, field, &known);
    }
}

enum status value_read_stage(struct app *app, struct str value, struct err *err) {
    struct wire_reader reader;
    enum status status = wire_open(value, &reader, err);
    if (status != ST_OK) {
        return status;
    }
    struct stage *stage = stage_new(0, 0);
    stage->job = 0; // zeros are not written
    stage->written = true;
    stage->summary.tasks_expected = 0;
    unsigned number;
    struct str field;
    bool good = true, has_detail = false;
    while (good && wire_next(&reader, &number, &field)) {
        good = take_field(stage, number, field, &has_detail);
    }
    good = good && !reader.broken && stage->summary.stage >= 0 && stage->summary.attempt >= 0 &&
           app_stage(app, stage->summary.stage, stage->summary.attempt) == NULL;
    if (!good) {
        stage_free(stage);
        return err_set(err, ST_SKIP, "a damaged or repeated state value of a stage");
    }
    if (!has_detail) {
        stage_drop_detail(stage);
    }
    app_stage_adopt(app, stage);
    return ST_OK;
}

int32_t value_stage_number(struct str value) {
    struct stage stage = {0};
    struct wire_reader reader;
    unsigned number;
    struct str field;
    bool known, good = wire_open(value, &reader, NULL) == ST_OK;
    while (good && wire_next(&reader, &number, &field)) {
        good = wire_take(&stage, value_rows_stage, value_rows_stage_count, number, field, &known);
    }
    return good && !reader.broken && stage.number >= 0 ? stage.number : -1;
}
