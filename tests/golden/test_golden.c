// test_golden: every record and alert that a few telling logs give, in order, against the files
// NAME.records.jsonl beside this one. `test_golden --update` writes them anew: look at the
// difference before you commit it. `test_golden --keep FOLDER` keeps a record of each kind as its
// bytes and as JSON, for a release. The bytes take the way of the live agent: engine, Avro, stage 2
// from the decoded record.
#include "outputs.h"
#include "support/logs.h"
#include "support/quiet.h"

static const struct golden {
    const char *name, *log;
    bool in_progress;
} goldens[] = {
    {"skew_groupbykey", "logs/skew_groupbykey/events.jsonl.zst", false},
    {"spill_sort", "logs/spill_sort/events.jsonl.zst", false},
    {"slow_host", "logs/slow_host/events.jsonl.zst", false},
    {"executor_oom", "logs/executor_oom/events.jsonl.zst", false},
    {"ok_groupby", "logs/ok_groupby/events.jsonl.zst", false},
    {"restarted", "shapes/restarted.jsonl", false},
    {"over_one_hour", "shapes/over_one_hour.jsonl", false},
    {"job_failed", "shapes/job_failed.jsonl", false},
    {"still_running", "shapes/still_running.jsonl.inprogress", true},
};

static bool update;
static const char *keep; // folder, or NULL
static struct decoder *decoder;
static struct buf lines;
static int64_t offset;

// The last record of each kind of the log that has them all stays.
static void keep_bytes(const char *name, const char *ending, struct str bytes) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", keep, name, ending);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.p, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static void add_record(const char *name, struct str bytes) {
    size_t start = lines.len;
    buf_printf(&lines, "{\"%s\":", name);
    add_json(&lines, bytes);
    buf_add_text(&lines, "}\n");
    if (keep != NULL) {
        keep_bytes(name, "bin", bytes);
        keep_bytes(name, "json", (struct str){lines.data + start, lines.len - start});
    }
}

static void on_alert(void *ctx, const struct alert *alert) {
    (void)ctx;
    buf_printf(&lines,
               "{\"alert\":{\"name\":\"%s\",\"severity\":\"%s\",\"started_ms\":%lld,\"ended_ms\":"
               "%lld,\"pipeline\":",
               alert->name, alert->severity, (long long)alert->started_ms,
               (long long)alert->ended_ms);
    buf_add_json(&lines, str_of(alert->pipeline));
    buf_add_text(&lines, ",\"summary\":");
    buf_add_json(&lines, str_of(alert->summary));
    buf_add_text(&lines, ",\"description\":");
    buf_add_json(&lines, str_of(alert->description));
    buf_add_text(&lines, "}}\n");
}

static void feed_line(const char *path, struct str line, void *context) {
    (void)path;
    struct message message = {
        .value = line, .key = STR("app-golden"), .topic = "spark-events", .offset = offset++};
    // A log that is still being written may end within a line.
    (void)!engine_feed(context, &message, line.len + LOGS_PADDING, NULL, NULL);
}

static void render(const struct golden *golden) {
    struct engine_options options;
    struct pipelines_options pipelines_options;
    char path[256];
    snprintf(path, sizeof path, FIXTURES "/%s", golden->log);
    engine_options_init(&options);
    pipelines_options_init(&pipelines_options);
    struct engine *engine = engine_new(&options, decoder, &engine_output);
    pipelines = pipelines_new(&pipelines_options, &pipelines_output);
    buf_clear(&lines);
    offset = run_offset = 0;
    logs_file(path, feed_line, engine);
    engine_finish(engine, golden->in_progress);
    pipelines_flush(pipelines);
    engine_free(engine);
    pipelines_free(pipelines);
}

// Says which line differs first; false if any does.
static bool same_lines(const char *name, struct str want, struct str got) {
    size_t line = 1, start = 0, at = 0;
    while (at < want.len && at < got.len && want.p[at] == got.p[at]) {
        if (want.p[at++] == '\n') {
            line++;
            start = at;
        }
    }
    if (at == want.len && at == got.len) {
        return true;
    }
    print_error("%s.records.jsonl, line %zu, byte %zu\n", name, line, at - start);
    print_error("want %.*s\n", (int)(want.len - start > 2000 ? 2000 : want.len - start),
                want.p + start);
    print_error("got  %.*s\n", (int)(got.len - start > 2000 ? 2000 : got.len - start),
                got.p + start);
    return false;
}

static void records_are_as_ever(void **state) {
    (void)state;
    bool same = true;
    for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
        char path[256];
        if (keep != NULL && strcmp(goldens[i].name, "executor_oom") != 0) {
            continue;
        }
        snprintf(path, sizeof path, FIXTURES "/../golden/%s.records.jsonl", goldens[i].name);
        render(&goldens[i]);
        assert_true(lines.len > 0);
        if (update) {
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            assert_int_equal(fwrite(lines.data, 1, lines.len, file), lines.len);
            assert_int_equal(fclose(file), 0);
        }
        struct buf want = {0};
        logs_read_plain(path, &want);
        same = same_lines(goldens[i].name, buf_str(&want), buf_str(&lines)) && same;
        buf_fini(&want);
    }
    assert_true(same);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_are_as_ever)};
    update = argc > 1 && strcmp(argv[1], "--update") == 0;
    decoder = decoder_new(&plain_decode);
    codec = avro_codec_new();
    keep = argc > 2 && strcmp(argv[1], "--keep") == 0 ? argv[2] : NULL;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&lines);
    decoder_free(decoder);
    avro_codec_free(codec);
    return failed;
}
