// test_secrets: a secret in every string of every event of many logs, and none in what leaves: the
// Avro records of all topics, alerts, kept state as bytes and as `stoker state` shows it, and every
// form of `analyze`. A text that is read past the scrubber shows here.
#include "outputs.h"

#include <jansson.h>

#include "present/render.h"
#include "present/render_state.h"
#include "support/logs.h"
#include "support/quiet.h"

#define SECRET "Zq7hunter2Xw9"
// How it is written, one after the other; %s is the text that was there.
static const char *const forms[] = {
    "password=" SECRET " %s",
    "%s jdbc:postgresql://etl:" SECRET "@db:5432/x",
    "{\"secretKey\": \"" SECRET "\"} %s",
    "%s Authorization: Bearer " SECRET,
    "https://h/x?sig=" SECRET "&y=1 %s",
    "%s",
};

enum where { RECORDS, ALERTS, STATE, STATE_SHOWN, JSON, TEXT, HTML, PLACES };
static const char *const places[PLACES] = {"records",   "alerts", "state", "stoker state",
                                           "json form", "text",   "html"};
static struct buf out[PLACES];
static struct decoder *decoder;
static int64_t offset;
static size_t form;
static bool no_failure_text, plant = true;
static bool all_strings; // those, too, that must be certain words for the event to mean anything

// Does the agent compare this string with words, or find its way by it?
static bool is_word(const char *key) {
    static const char *const words[] = {"Event", "Reason",   "Result", "Metadata", "metricType",
                                        "name",  "nodeName", "Update", "Value",    "Spark Version"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(key, words[i]) == 0) {
            return all_strings ? i == 0 : true;
        }
    }
    return false;
}

static json_t *planted(json_t *value, const char *key) {
    const char *name;
    size_t i;
    json_t *inner;
    void *next;
    if (json_is_string(value) && plant && !is_word(key)) {
        struct buf text = {0};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_printf(&text, forms[form++ % ARRAY_LEN(forms)], json_string_value(value));
#pragma GCC diagnostic pop
        json_t *string = json_string(buf_text(&text));
        buf_fini(&text);
        return string;
    }
    json_object_foreach_safe(value, next, name, inner) {
        json_object_set_new(value, name, planted(inner, name));
    }
    json_array_foreach(value, i, inner) {
        json_array_set_new(value, i, planted(inner, key));
    }
    return json_incref(value);
}

static void feed_line(const char *path, struct str line, void *engine) {
    (void)path;
    json_t *event = json_loadb(line.p, line.len, JSON_ALLOW_NUL, NULL);
    if (event == NULL) {
        return;
    }
    json_t *all = planted(event, "");
    char *text = json_dumps(all, JSON_COMPACT);
    struct message message = {
        .value = str_of(text), .key = STR("app-1"), .topic = "spark-events", .offset = offset++};
    (void)!engine_feed(engine, &message, strlen(text), NULL, NULL);
    free(text);
    json_decref(all);
    json_decref(event);
}

static void add_record(const char *name, struct str bytes) {
    (void)name;
    add_json(&out[RECORDS], bytes);
}

static void on_alert(void *ctx, const struct alert *alert) {
    (void)ctx;
    buf_printf(&out[ALERTS], "%s %s %s %s\n", alert->name, alert->pipeline, alert->summary,
               alert->description);
}

static void add_state(void *table, struct str key, struct str value) {
    buf_add_str(&out[STATE], key);
    buf_add_str(&out[STATE], value);
    keep_table_put(table, key, value);
}
static void add_line(void *ctx, const char *text) {
    buf_add_text(ctx, text);
}

static void show_state(struct engine *engine) {
    struct keep_table *table = keep_table_new();
    engine_all(engine, add_state, table);
    pipelines_all(pipelines, add_state, table);
    for (int form_of = 0; form_of < 4; form_of++) {
        struct render_state how = {.values = (form_of & 1) != 0,
                                   .json = (form_of & 2) != 0,
                                   .line = add_line,
                                   .ctx = &out[STATE_SHOWN]};
        render_state_partition(&how, "t", 0, table);
    }
    keep_table_free(table);
}

static void present(void *ctx, const struct app *app, enum run_status status,
                    const struct recommendation *recommendations, uint32_t count) {
    (void)ctx;
    struct render_style style = {.width = 100, .all = true};
    render_json(&out[JSON], app, status, recommendations, count);
    render_text(&out[TEXT], app, status, recommendations, count, &style);
    render_html(&out[HTML], app, status, recommendations, count);
}

static void play(const char *path) {
    struct engine_options options;
    struct pipelines_options pipelines_options;
    engine_options_init(&options);
    options.no_failure_text = no_failure_text;
    pipelines_options_init(&pipelines_options);
    struct engine *engine = engine_new(&options, decoder, &engine_output);
    pipelines = pipelines_new(&pipelines_options, &pipelines_output);
    logs_file(path, feed_line, engine);
    show_state(engine);
    engine_finish(engine, false);
    engine_each_run(engine, present, NULL);
    pipelines_flush(pipelines);
    show_state(engine);
    engine_free(engine);
    pipelines_free(pipelines);
}

static void no_secret_leaves(void **state) {
    (void)state;
    static const char *const logs[] = {
        FIXTURES "/shapes/job_failed.jsonl",
        FIXTURES "/shapes/sql_error.jsonl",
        FIXTURES "/shapes/executor_lost.jsonl",
        FIXTURES "/shapes/fetch_failed.jsonl",
        FIXTURES "/shapes/databricks.jsonl",
        FIXTURES "/shapes/reasons.jsonl",
        FIXTURES "/shapes/hostile_text.jsonl",
        FIXTURES "/shapes/exit_code.jsonl",
        FIXTURES "/logs/slow_host/events.jsonl.zst",
        FIXTURES "/logs/broadcastable_join/events.jsonl.zst",
        FIXTURES "/logs/executor_oom/events.jsonl.zst",
        FIXTURES "/logs/ok_streaming/events.jsonl.zst",
    };
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        for (size_t first = 0; first < 2 * ARRAY_LEN(forms); first++) {
            form = first;
            all_strings = first >= ARRAY_LEN(forms);
            offset = run_offset = 0;
            play(logs[i]);
        }
    }
    for (int p = 0; p < PLACES; p++) {
        const char *found = memmem(out[p].data, out[p].len, SECRET, strlen(SECRET));
        if (found != NULL) {
            const char *from = found - out[p].data > 200 ? found - 200 : out[p].data;
            fail_msg("%s: ...%.*s", places[p], (int)(found - from) + 20, from);
        }
        if (memmem(out[p].data, out[p].len, "[hidden]", 8) == NULL) {
            fail_msg("nothing was hidden in %s", places[p]); // so nothing was looked at
        }
        buf_fini(&out[p]);
    }
}

static bool is_told(int place, const char *text) {
    return memmem(out[place].data, out[place].len, text, strlen(text)) != NULL;
}

// publish.failure_text: none. The words of the failure are nowhere, and it is said why.
static void failures_are_withheld_on_request(void **state) {
    (void)state;
    plant = false;
    for (int none = 0; none < 2; none++) {
        no_failure_text = none;
        offset = run_offset = 0;
        play(FIXTURES "/shapes/job_failed.jsonl");
        for (int p = 0; p < PLACES; p++) {
            if (is_told(p, "boom") == none || is_told(p, "(withheld by") != none) {
                fail_msg("%s, %d", places[p], none);
            }
            buf_fini(&out[p]);
        }
    }
    no_failure_text = false;
    plant = true;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_secret_leaves),
                                       cmocka_unit_test(failures_are_withheld_on_request)};
    decoder = decoder_new(&plain_decode);
    codec = avro_codec_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    decoder_free(decoder);
    avro_codec_free(codec);
    return failed;
}
