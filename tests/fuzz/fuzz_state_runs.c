// fuzz_state_runs: hostile keys and values as state of stage 1. The first byte chooses the options,
// the rest is a state file (tests/keep/state_file.h). What is read must go on without harm, and
// what is written then must be read again, to the same.
#include <stdio.h>
#include <stdlib.h>

#include "../keep/state_file.h"
#include "../support/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine_options options;
static struct decoder *decoder;

// Events of the run that the seeds hold, and of one that they do not; then silence.
static void go_on(struct engine *engine) {
    static const char *const events[] = {
        "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Stage Attempt ID\":0,\"Task End "
        "Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":77,\"Launch "
        "Time\":1700000100000,\"Finish Time\":1700000160000,\"Executor ID\":\"1\",\"Host\":\"h\"},"
        "\"Task Metrics\":{\"Executor Run Time\":50000,\"JVM GC Time\":40000}}",
        "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{\"Stage ID\":1,\"Stage Attempt "
        "ID\":0,\"Number of Tasks\":9,\"Submission Time\":1700000000000,\"Completion "
        "Time\":1700000170000}}",
        "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":0,\"Completion Time\":1700000171000,\"Job "
        "Result\":{\"Result\":\"JobFailed\",\"Exception\":{\"Message\":\"m\"}}}",
        "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":1700000172000}"};
    char padded[1024];
    int64_t offset = INT64_MAX - 20; // behind all that the state has heard
    for (size_t i = 0; i < 2 * ARRAY_LEN(events); i++) {
        struct err err;
        int len = snprintf(padded, sizeof padded, "%s", events[i / 2]);
        struct message message = {.value = {padded, (size_t)len},
                                  .key = i % 2 == 0 ? STR("app-1") : STR("another"),
                                  .topic = "t",
                                  .offset = offset++};
        if (engine_feed(engine, &message, sizeof padded, NULL, &err) == ST_FATAL) {
            abort();
        }
    }
    engine_tick(engine, 90000);
    engine_tick(engine, INT64_C(8) * 24 * 3600000);
}

static void add_all(struct engine *engine, struct buf *out) {
    struct keep_table *table = keep_table_new();
    buf_clear(out);
    engine_all(engine, table_put, table);
    keep_table_each(table, state_file_add, out); // by key: an order no enemy can make up
    keep_table_free(table);
}

static void write_and_read_again(struct engine *engine) {
    static struct buf first, again;
    struct keep_table *table = keep_table_new();
    struct err err = {0};
    add_all(engine, &first);
    engine_all(engine, table_put, table);
    struct engine *copy = engine_new(&options, decoder, &quiet_engine);
    if (engine_load(copy, table, &err) != ST_OK) {
        fprintf(stderr, "what was written is refused: %s\n", err.text);
        abort();
    }
    add_all(copy, &again);
    if (!str_eq(buf_str(&first), buf_str(&again))) {
        fprintf(stderr, "what was written reads as something else\n");
        abort();
    }
    engine_free(copy);
    keep_table_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = {0};
    if (size == 0) {
        return 0;
    }
    if (decoder == NULL) {
        decoder = decoder_new(&plain_decode);
    }
    engine_options_init(&options);
    options.applications_max = data[0] & 1 ? 1 : options.applications_max;
    options.publish_min = data[0] & 2 ? SEVERITY_NEGLIGIBLE : options.publish_min;
    struct keep_table *table = keep_table_new();
    state_file_read((struct str){(const char *)data + 1, size - 1}, table);
    struct engine *engine = engine_new(&options, decoder, &quiet_engine);
    if (engine_load(engine, table, &err) == ST_OK) {
        write_and_read_again(engine);
        go_on(engine);
        engine_changes(engine, table_put, table);
        write_and_read_again(engine);
        engine_finish(engine, false);
    }
    engine_free(engine);
    keep_table_free(table);
    return 0;
}
