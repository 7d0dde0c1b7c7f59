// test_pipelines_budget: beyond the budget of bytes pipelines go in the order in which they make
// room: those without alerts first, and no alert ends because of it. The bytes are those of memory.
#include "pipelines_kit.h"

#include "base/metrics.h"

enum { NAMES = 120, LIMIT_BYTES = 300000 };

static void feed(struct pipelines *pipelines, int name, int64_t minute, bool alerting) {
    char id[ID_TEXT_SIZE];
    snprintf(id, sizeof id, "run-%d", name);
    struct pipeline_run run = update(id, minute, minute);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "etl-%d", name);
    if (name % 2 == 0 && !alerting) {
        ended(&run, RUN_SUCCEEDED, 60);
    }
    run.open = &skew;
    run.open_count = alerting;
    pipelines_feed(pipelines, &run, minute * NAMES + name, 0);
}

static void counted(void *ctx, const struct pipeline_stats *stats) {
    (void)stats;
    ++*(int *)ctx;
}
static void active(void *ctx, const struct alert *alert) {
    *(int *)ctx += alert->ended_ms == 0;
}

static void memory_stays_within_and_no_alert_ends(void **state) {
    (void)state;
    int held = 0, alerts = 0;
    int64_t largest = 0, before = mem_room_bytes(MEM_ROOM_fleet);
    metrics_reset();
    struct pipelines *pipelines = fresh();
    pipelines_free(pipelines);
    struct budget *budget = budget_new(LIMIT_BYTES);
    options.budget = budget;
    pipelines =
        pipelines_new(&options, &(struct pipelines_output){&seen, on_window, on_alert, on_outcome});
    for (int name = 0; name < NAMES; name++) {
        feed(pipelines, name, 1, name < 5);
        int64_t bytes = mem_room_bytes(MEM_ROOM_fleet) - before;
        largest = bytes > largest ? bytes : largest;
    }
    assert_in_range(largest, LIMIT_BYTES / 2, LIMIT_BYTES * 5 / 4);
    pipelines_each(pipelines, counted, &held);
    pipelines_each_alert(pipelines, active, &alerts);
    assert_in_range(held, 10, NAMES - 1);
    assert_int_equal(alerts, 5); // the oldest of all, but they have alerts
    assert_int_equal(seen.alert_count, 5);
    assert_true(metrics_get(METRIC_LIMIT_MEMORY) > 0);
    pipelines_free(pipelines);
    budget_free(budget);
    assert_true(mem_room_bytes(MEM_ROOM_fleet) == before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_stays_within_and_no_alert_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
