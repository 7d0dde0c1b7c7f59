// fuzz_state_pipelines: hostile keys and values as state of stage 2. The first byte chooses the
// options, the rest is a state file (tests/keep/state_file.h). What is read must go on without
// harm, and what is written then must be read again, to the same.
#include <stdio.h>
#include <stdlib.h>

#include "../keep/state_file.h"
#include "../support/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Two updates, of a pipeline that may be known and of one that is not, and ticks.
static void go_on(struct pipelines *p, int64_t offset) {
    struct open_bottleneck open = {.severity = SEVERITY_CRITICAL};
    struct pipeline_run run = {.id = "0b6cf9b2-0000-5000-8000-00000000000a",
                               .revision = 4,
                               .time_ms = 1700000300000,
                               .identity = {.cluster = "prod", .pipeline = "etl"},
                               .open = &open,
                               .open_count = 1};
    struct told_setting setting = {"spark.executor.memory", "4g", "8g", "memory"};
    struct run_advice advice = {.kind = ADVICE_MEMORY, .revision = 1, .saving_s = 3};
    run.settings = &setting;
    run.advice = &advice;
    run.setting_count = run.advice_count = 1;
    pipelines_feed(p, &run, offset, 0);
    snprintf(run.identity.pipeline, sizeof run.identity.pipeline, "new");
    run.ended_ms = run.time_ms;
    run.duration_s = 10;
    pipelines_feed(p, &run, offset + 1, 1700000300000);
    pipelines_tick(p, 90000);
    pipelines_tick(p, INT64_C(8) * 24 * 3600000);
}

static void write_and_read_again(struct pipelines *p, const struct pipelines_options *options) {
    static struct buf first, again;
    struct keep_table *table = keep_table_new();
    struct err err = {0};
    buf_clear(&first);
    buf_clear(&again);
    pipelines_all(p, table_put, table);
    keep_table_each(table, state_file_add, &first); // by key: an order no enemy can make up
    struct pipelines *copy = pipelines_new(options, &quiet_pipelines);
    if (pipelines_load(copy, table, &err) != ST_OK) {
        fprintf(stderr, "what was written is refused: %s\n", err.text);
        abort();
    }
    struct keep_table *read = keep_table_new();
    pipelines_all(copy, table_put, read);
    keep_table_each(read, state_file_add, &again);
    keep_table_free(read);
    if (!str_eq(buf_str(&first), buf_str(&again))) {
        fprintf(stderr, "what was written reads as something else\n");
        abort();
    }
    pipelines_free(copy);
    keep_table_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pipelines_options options;
    struct err err = {0};
    if (size == 0) {
        return 0;
    }
    pipelines_options_init(&options);
    options.pane_ms = data[0] & 1 ? 300000 : 60000;
    options.window_ms = data[0] & 2 ? 300000 : 3600000;
    options.runs_max = data[0] & 4 ? 1 : 100;
    options.pipelines_max = data[0] & 8 ? 1 : 100;
    struct keep_table *table = keep_table_new();
    state_file_read((struct str){(const char *)data + 1, size - 1}, table);
    struct pipelines *p = pipelines_new(&options, &quiet_pipelines);
    if (pipelines_load(p, table, &err) == ST_OK) {
        write_and_read_again(p, &options);
        go_on(p, INT64_MAX - 1); // behind all that the state has heard
        pipelines_changes(p, table_put, table);
        write_and_read_again(p, &options);
        pipelines_flush(p);
    }
    pipelines_free(p);
    keep_table_free(table);
    return 0;
}
