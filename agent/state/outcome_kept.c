// outcome_kept: how the outcome of a run is kept: what failed and stands, what is open and what is
// over. Only tables and what they reach it by; part of the tables of app_kept.c. Failures stand
// where release 0.1.0 kept the keys of failed jobs, which are the first of their fields.
#include "app_priv.h"
#include "kept_array.h"

static const struct record_row failure_rows[] = {
    RECORD_AS(1, I64, failure, execution, "key"),
    {.number = 2, .type = RECORD_RETIRED},
    RECORD_ROW(3, I64, failure, family, .most = INT64_MAX),
    RECORD_ROW(4, I32, failure, of, .most = FAILURE_OF_SHUTDOWN),
    RECORD_AS(5, I64, failure, work.description, "description"),
    RECORD_AS(6, I64, failure, work.site, "site"),
    RECORD_ROW(7, I64, failure, ended_ms),
    RECORD_ROW(8, I64, failure, executions, .most = INT64_MAX),
    RECORD_ROW(9, I64, failure, jobs, .most = INT64_MAX),
    RECORD_ROW(10, I64, failure, number, .most = INT64_MAX),
};
const struct record record_failure = RECORD_OF("key", failure, failure_rows);

KEPT_ARRAY(failure, app, outcome.failures, outcome.failure_count, outcome.failure_cap,
           OUTCOME_FAILURES_MAX);
const struct record_list app_failure_list = {failure_size, failure_at, failure_add, NULL};

static const struct record_row execution_rows[] = {
    RECORD_ROW(1, I64, execution, id, .most = INT64_MAX),
    RECORD_ROW(2, I64, execution, root, .most = INT64_MAX),
    RECORD_AS(3, I64, execution, work.description, "description"),
    RECORD_AS(4, I64, execution, work.site, "site"),
    RECORD_ROW(5, I64, execution, stream_run),
    RECORD_ROW(6, I64, execution, started_ms),
    RECORD_ROW(7, BOOL, execution, doubtful),
};
static const struct record record_execution = RECORD_OF("execution", execution, execution_rows);

KEPT_ARRAY(execution, outcome, executions, execution_count, execution_cap, OUTCOME_EXECUTIONS_MAX);
static const struct record_list execution_list = {execution_size, execution_at, execution_add,
                                                  NULL};

static bool ids_fit(void *object) {
    const struct rangeset_range *range = object;
    return range->first >= 0 && range->first <= range->last;
}
static const struct record_row ids_rows[] = {
    RECORD_ROW(1, I64, rangeset_range, first, .most = INT64_MAX),
    RECORD_ROW(2, I64, rangeset_range, last, .most = INT64_MAX),
};
static const struct record record_ids = {"range", sizeof(struct rangeset_range), ids_rows,
                                         ARRAY_LEN(ids_rows), ids_fit};

#define IDS(set)                                                                                   \
    KEPT_ARRAY(set, outcome, set.ranges, set.len, set.cap, APP_TASK_RANGES_MAX);                   \
    static bool set##_added(void *outcome, void *item) {                                           \
        const struct rangeset_range *range = item;                                                 \
        return range == ((struct outcome *)outcome)->set.ranges ||                                 \
               range[-1].last < range->first - 1;                                                  \
    }                                                                                              \
    static const struct record_list set##_list = {set##_size, set##_at, set##_add, set##_added}
IDS(ended);
IDS(well);

static const struct record_row outcome_rows[] = {
    RECORD_ROW(1, I64, outcome, newest_execution, .most = INT64_MAX),
    RECORD_ROW(2, I64, outcome, failures_seen, .most = INT64_MAX),
    RECORD_ROW(3, I64, outcome, told, .most = INT64_MAX),
    RECORD_ROW(4, BOOL, outcome, stage_cut),
    RECORD_HOOKED(100, LIST, "executions", &execution_list, .item = &record_execution,
                  .max = OUTCOME_EXECUTIONS_MAX),
    RECORD_HOOKED(101, LIST, "ended", &ended_list, .item = &record_ids, .max = APP_TASK_RANGES_MAX),
    RECORD_HOOKED(102, LIST, "well", &well_list, .item = &record_ids, .max = APP_TASK_RANGES_MAX),
};
const struct record record_outcome = RECORD_OF("outcome", outcome, outcome_rows);

// Nothing is kept of a run without executions in which nothing failed.
static uint32_t outcome_size(const void *app) {
    const struct outcome *outcome = &((const struct app *)app)->outcome;
    return outcome->newest_execution > 0 || outcome->failures_seen > 0 || outcome->stage_cut ||
           outcome->ended.len > 0 || outcome->well.len > 0;
}
static const void *outcome_at(const void *app, uint32_t i, union record_scratch *scratch) {
    (void)i, (void)scratch;
    return &((const struct app *)app)->outcome;
}
static void *outcome_add(void *app, uint32_t count, union record_scratch *scratch) {
    (void)count, (void)scratch;
    return outcome_size(app) > 0 ? NULL : &((struct app *)app)->outcome;
}
const struct record_list app_outcome_list = {outcome_size, outcome_at, outcome_add, NULL};
