// plans_kept: the joins of plans as they are kept, described by tables. Called by app_kept.c
// through record_plans; whether what was read fits together is checked there and here, item by
// item.
#include "app_priv.h"
#include "kept_array.h"

static const struct record_row plan_side_rows[] = {
    RECORD_ROW(1, I64, plan_side, rows),
    RECORD_ROW(2, I64, plan_side, bytes),
    RECORD_ROW(3, I64, plan_side, moved),
};
static const struct record record_plan_side = RECORD_OF("side", plan_side, plan_side_rows);

static const struct record_row plan_join_rows[] = {
    RECORD_ROW(1, I64, plan_join, execution, .most = INT64_MAX),
    RECORD_ROW(2, I32, plan_join, way, .most = JOIN_WAY_COUNT - 1),
    RECORD_ROW(3, I32, plan_join, type, .most = JOIN_TYPE_COUNT - 1),
    RECORD_ROW(4, I64, plan_join, out),
    RECORD_ROW(5, NESTED, plan_join, left, .item = &record_plan_side),
    RECORD_ROW(6, NESTED, plan_join, right, .item = &record_plan_side),
    RECORD_ROW(7, I64, plan_join, task_ms, .most = INT64_MAX),
    RECORD_ROW(8, I32, plan_join, stage),
    RECORD_ROW(9, I32, plan_join, attempt),
    RECORD_ROW(10, BOOL, plan_join, final),
};
static const struct record record_plan_join = RECORD_OF("join", plan_join, plan_join_rows);

static const struct record_row plan_value_rows[] = {
    RECORD_ROW(1, I64, plan_value, id, .most = INT64_MAX),
    RECORD_ROW(2, I64, plan_value, sum),
};
static const struct record record_plan_value = RECORD_OF("value", plan_value, plan_value_rows);

static const struct record_row join_side_rows[] = {
    RECORD_ROW(1, I64, join_side, rows),
    RECORD_ROW(2, I64, join_side, bytes),
    RECORD_ROW(3, I64, join_side, moved),
};
static const struct record record_join_side = RECORD_OF("side", join_side, join_side_rows);

static const struct record_row join_over_rows[] = {
    RECORD_ROW(1, I64, join_over, execution, .most = INT64_MAX),
    RECORD_ROW(2, I32, join_over, way, .most = JOIN_WAY_COUNT - 1),
    RECORD_ROW(3, I32, join_over, type, .most = JOIN_TYPE_COUNT - 1),
    RECORD_ROW(4, I64, join_over, out),
    RECORD_ROW(5, NESTED, join_over, left, .item = &record_join_side),
    RECORD_ROW(6, NESTED, join_over, right, .item = &record_join_side),
    RECORD_ROW(7, I64, join_over, cost_ms, .most = INT64_MAX),
    RECORD_ROW(8, I32, join_over, stage),
    RECORD_ROW(9, I32, join_over, attempt),
    RECORD_ROW(10, BOOL, join_over, final),
};
static const struct record record_join_over = RECORD_OF("join", join_over, join_over_rows);

static const struct record_row plan_scan_rows[] = {
    RECORD_ROW(1, I64, plan_scan, execution, .most = INT64_MAX),
    RECORD_ROW(2, I64, plan_scan, rows),
    RECORD_ROW(3, I64, plan_scan, files),
    RECORD_ROW(4, I64, plan_scan, bytes),
    RECORD_ROW(5, I32, plan_scan, stage),
};
static const struct record record_plan_scan = RECORD_OF("scan", plan_scan, plan_scan_rows);

static const struct record_row plan_engine_rows[] = {
    RECORD_ROW(1, I64, plan_engine, execution, .most = INT64_MAX),
    RECORD_ROW(2, I32, plan_engine, native, .most = INT32_MAX),
    RECORD_ROW(3, I32, plan_engine, jvm, .most = INT32_MAX),
    RECORD_ROW(4, I32, plan_engine, transitions, .most = INT32_MAX),
    RECORD_ROW(5, I32, plan_engine, python, .most = WORK_ALL),
};
static const struct record record_plan_engine = RECORD_OF("engine", plan_engine, plan_engine_rows);

KEPT_ARRAY(join, plans, joins, join_count, join_cap, PLANS_JOINS_MAX);
KEPT_ARRAY(value, plans, values, value_count, value_cap, PLANS_VALUES_MAX);
KEPT_ARRAY(over, plans, overs, over_count, over_cap, PLANS_OVERS_MAX);
KEPT_ARRAY(scan, plans, scans, scan_count, scan_cap, PLANS_SCANS_MAX);
KEPT_ARRAY(engine, plans, engines, engine_count, engine_cap, PLANS_ENGINES_MAX);

static const struct record_list join_list = {join_size, join_at, join_add, NULL};
static const struct record_list over_list = {over_size, over_at, over_add, NULL};
static const struct record_list scan_list = {scan_size, scan_at, scan_add, NULL};
static const struct record_list engine_list = {engine_size, engine_at, engine_add, NULL};

// The values stand by rising id.
static bool value_added(void *of, void *item) {
    const struct plan_value *value = item;
    return value == ((struct plans *)of)->values || value[-1].id < value->id;
}
static const struct record_list value_list = {value_size, value_at, value_add, value_added};

static const struct record_row plans_rows[] = {
    RECORD_HOOKED(1, LIST, "joins", &join_list, .item = &record_plan_join, .max = PLANS_JOINS_MAX),
    RECORD_HOOKED(2, LIST, "values", &value_list, .item = &record_plan_value,
                  .max = PLANS_VALUES_MAX),
    RECORD_HOOKED(3, LIST, "joins_over", &over_list, .item = &record_join_over,
                  .max = PLANS_OVERS_MAX),
    RECORD_HOOKED(4, LIST, "scans", &scan_list, .item = &record_plan_scan, .max = PLANS_SCANS_MAX),
    RECORD_HOOKED(5, LIST, "engines", &engine_list, .item = &record_plan_engine,
                  .max = PLANS_ENGINES_MAX),
};
const struct record record_plans = RECORD_OF("plans", plans, plans_rows);
