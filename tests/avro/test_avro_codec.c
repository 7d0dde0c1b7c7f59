// test_avro_codec: records to bytes and back, fingerprints against published and independent ones,
// damaged bytes.
#include "support/test.h"

#include <stdio.h>

#include "avro/avro_codec.h"
#include "avro/random_run.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "model/topic.h"

static void fingerprints_are_the_standard_ones(void **state) {
    (void)state;
    static const struct {
        const char *schema, *canonical;
        uint64_t fingerprint;
    } cases[] = {
        // From the Avro project's schema tests.
        {"\"null\"", "\"null\"", 7195948357588979594u},
        {"\"int\"", "\"int\"", 8247732601305521295u},
        {"{\"type\":\"string\"}", "\"string\"", (uint64_t)-8142146995180207161},
        {"[ \"int\", {\"type\":\"boolean\"} ]", "[\"int\",\"boolean\"]", 5392556393470105090u},
        {"{\"fields\":[], \"type\":\"record\", \"name\":\"foo\", \"namespace\":\"x.y\"}",
         "{\"name\":\"x.y.foo\",\"type\":\"record\",\"fields\":[]}", 5916914534497305771u},
        // Names with dots, the namespaces they give, references; fingerprints are fastavro's.
        {"{\"type\":\"record\",\"name\":\"a.b.C\",\"namespace\":\"x.y\",\"fields\":["
         "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"D\",\"size\":4}},"
         "{\"name\":\"g\",\"type\":\"D\"},{\"name\":\"h\",\"type\":{\"type\":\"D\"}}]}",
         "{\"name\":\"a.b.C\",\"type\":\"record\",\"fields\":[{\"name\":\"f\",\"type\":"
         "{\"name\":\"a.b.D\",\"type\":\"fixed\",\"size\":4}},{\"name\":\"g\",\"type\":\"a.b.D\"},"
         "{\"name\":\"h\",\"type\":\"a.b.D\"}]}",
         16771506092613534239u},
        {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"doc\":\"d\",\"fields\":["
         "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"o.E\",\"symbols\":[\"A\",\"B\"]}},"
         "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"o.E\"}}},"
         "{\"name\":\"self\",\"type\":[\"null\",{\"type\":\"R\"}],\"default\":null},"
         "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":{\"type\":{\"type\":\"string\"},"
         "\"namespace\":\"z\"}}}]}",
         "{\"name\":\"n.R\",\"type\":\"record\",\"fields\":[{\"name\":\"e\",\"type\":{\"name\":\"o."
         "E\","
         "\"type\":\"enum\",\"symbols\":[\"A\",\"B\"]}},{\"name\":\"l\",\"type\":{\"type\":"
         "\"array\","
         "\"items\":\"o.E\"}},{\"name\":\"self\",\"type\":[\"null\",\"n.R\"]},{\"name\":\"m\","
         "\"type\":"
         "{\"type\":\"map\",\"values\":\"string\"}}]}",
         327006249780594476u},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t fingerprint = 0;
        struct buf canonical = {0};
        assert_int_equal(avro_fingerprint(str_of(cases[i].schema), &fingerprint, &canonical, NULL),
                         ST_OK);
        assert_string_equal(buf_text(&canonical), cases[i].canonical);
        assert_true(fingerprint == cases[i].fingerprint);
        buf_fini(&canonical);
    }
    uint64_t unused;
    struct err err;
    assert_int_equal(avro_fingerprint(STR("{"), &unused, NULL, &err), ST_SKIP);
}

static void assert_same_run(const struct pipeline_run *a, const struct pipeline_run *b) {
    assert_memory_equal(&a->identity, &b->identity, sizeof a->identity);
    assert_memory_equal(&a->totals, &b->totals, sizeof a->totals);
    assert_string_equal(a->failure, b->failure);
    assert_true(a->revision == b->revision && a->started_ms == b->started_ms &&
                a->ended_ms == b->ended_ms);
    assert_true(a->time_ms == b->time_ms && a->status == b->status &&
                a->duration_s == b->duration_s);
    assert_int_equal(a->stage_count, b->stage_count);
    assert_int_equal(a->open_count, b->open_count);
    assert_int_equal(a->limits, b->limits);
    assert_int_equal(a->recommendation_count, b->recommendation_count);
    assert_memory_equal(a->open_by_severity, b->open_by_severity, sizeof a->open_by_severity);
    assert_int_equal(a->shortened, b->shortened);
    assert_string_equal(a->listener, b->listener);
    assert_true(a->events_lost == b->events_lost && a->events_cut == b->events_cut);
    for (uint32_t i = 0; i < a->stage_count; i++) {
        assert_memory_equal(&a->stages[i], &b->stages[i], sizeof a->stages[i]);
    }
    for (uint32_t i = 0; i < a->open_count; i++) {
        assert_memory_equal(&a->open[i], &b->open[i], sizeof a->open[i]);
    }
    for (uint32_t i = 0; i < a->recommendation_count; i++) {
        assert_string_equal(a->recommendations[i], b->recommendations[i]);
    }
}

static void runs_come_back_as_they_went(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf bytes = {0};
    uint64_t seed = 99;
    for (int i = 0; i < 300; i++) {
        struct pipeline_run run = random_run(&seed), back;
        struct err err = {0};
        avro_encode_run(codec, &run, &bytes);
        assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &back, &err),
                         ST_OK);
        assert_same_run(&run, &back);
        pipeline_run_fini(&run);
        pipeline_run_fini(&back);
    }
    buf_fini(&bytes);
    avro_codec_free(codec);
}

// What an agent of an earlier release published as it came is hidden when it is read.
static void secrets_published_before_are_hidden(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf bytes = {0};
    struct open_bottleneck open = {.summary = "the run failed: token=hunter2x"};
    struct pipeline_run run = {.status = RUN_FAILED,
                               .identity.pipeline = "etl pwd=hunter2x",
                               .failure = "cannot open jdbc:x://u:hunter2x@h",
                               .open = &open,
                               .open_count = 1};
    struct pipeline_run back;
    struct err err;
    avro_encode_run(codec, &run, &bytes);
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &back, &err), ST_OK);
    assert_string_equal(back.failure, "cannot open jdbc:x://[hidden]@h");
    assert_string_equal(back.identity.pipeline, "etl pwd=[hidden]");
    assert_string_equal(back.open[0].summary, "the run failed: token=[hidden]");
    pipeline_run_fini(&back);
    buf_fini(&bytes);
    avro_codec_free(codec);
}

static void damaged_bytes_are_refused_or_read_but_never_harm(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf bytes = {0};
    uint64_t seed = 5;
    struct pipeline_run run = random_run(&seed), back;
    struct err err;
    avro_encode_run(codec, &run, &bytes);
    for (size_t len = 0; len < bytes.len; len++) { // every cut, in memory of just that size
        char *cut = mem_strndup(bytes.data, len);
        assert_int_equal(
            avro_decode_run(codec, (struct str){cut, len}, AVRO_TAKE_STAGES, &back, &err), ST_SKIP);
        mem_free(cut);
    }
    for (size_t at = 0; at < bytes.len; at++) { // every byte changed
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
            if (avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &back, &err) == ST_OK) {
                pipeline_run_fini(&back);
            }
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
        }
    }
    buf_add_char(&bytes, 'x');
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &back, &err),
                     ST_SKIP);
    pipeline_run_fini(&run);
    buf_fini(&bytes);
    avro_codec_free(codec);
}

// Puts a word of the same length in the place of the last `word`.
static void other_word(struct buf *bytes, const char *word) {
    char *at = NULL;
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= bytes->len; i++) {
        at = memcmp(bytes->data + i, word, len) == 0 ? bytes->data + i : at;
    }
    assert_non_null(at);
    at[len - 1] = 'X';
}

// A newer release may know more kinds; its runs are read all the same.
static void words_of_a_newer_release_are_left_out(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct open_bottleneck open[] = {
        {.kind = KIND_MEMORY_PRESSURE, .severity = SEVERITY_LOW, .stage = 1, .summary = "one"},
        {.kind = KIND_DATA_SKEW, .severity = SEVERITY_SEVERE, .cause = CAUSE_BLOCKED, .stage = 2},
        {.kind = KIND_SLOW_RUN, .severity = SEVERITY_LOW, .stage = -1, .summary = "three"}};
    struct pipeline_run run = {.open = open, .open_count = ARRAY_LEN(open)}, back;
    static const struct {
        const char *word;
        uint32_t left;
    } cases[] = {{"data_skew", 2}, {"severe", 2}, {"blocked", 3}};
    struct buf bytes = {0};
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        metrics_reset();
        avro_encode_run(codec, &run, &bytes);
        other_word(&bytes, cases[i].word);
        assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_SKIP_STAGES, &back, &err),
                         ST_OK);
        assert_int_equal(back.open_count, cases[i].left);
        assert_int_equal(metrics_get(METRIC_WORDS_UNKNOWN), 1);
        assert_string_equal(back.open[0].summary, "one");
        assert_string_equal(back.open[cases[i].left - 1].summary, "three");
        assert_true(cases[i].left == 2 || back.open[1].cause == CAUSE_NONE);
        pipeline_run_fini(&back);
    }
    avro_encode_run(codec, &run, &bytes);
    other_word(&bytes, run_status_name(run.status)); // what became of a run is not to be guessed
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_SKIP_STAGES, &back, &err),
                     ST_SKIP);
    assert_non_null(strstr(err.text, "a word"));
    buf_fini(&bytes);
    avro_codec_free(codec);
}

static void other_records_are_told_apart_and_readable(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct run_identity identity = {
        .cluster = "c", .app_id = "app-1", .pipeline = "p\xFFq"}; // not UTF-8
    struct bottleneck b = {.id = "x",
                           .kind = KIND_DATA_SKEW,
                           .stage = -1,
                           .stage_attempt = -1,
                           .rule_met = TRI_NULL,
                           .reason = "because"};
    b.evidence[0] = (struct evidence){"ratio", NAN};
    b.evidence[1] = (struct evidence){"max_task_ms", 3};
    b.evidence_count = 2;
    b.saving_s = INFINITY;
    struct buf bytes = {0}, json = {0};
    struct pipeline_run back;
    struct err err;
    enum avro_record record;
    avro_encode_bottleneck(codec, &identity, "run", &b, &bytes);
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &back, &err),
                     ST_SKIP);
    assert_int_equal(avro_to_json(codec, buf_str(&bytes), &record, &json, &err), ST_OK);
    assert_int_equal(record, AVRO_BOTTLENECK);
    assert_non_null(strstr(buf_text(&json), "\"pipeline\":\"p\xEF\xBF\xBDq\""));
    assert_non_null(strstr(buf_text(&json), "\"rule_met\":null,\"reason\":\"because\""));
    assert_non_null(strstr(buf_text(&json), "\"saving_s\":0,"));
    assert_non_null(strstr(buf_text(&json), "\"max_task_ms\":3"));
    buf_clear(&json);
    struct recommendation r = {
        .id = "y", .kind = "data_skew", .action = (char[]){"do"}, .revision = 3};
    avro_encode_recommendation(codec, &identity, "run", &r, &bytes);
    assert_int_equal(avro_to_json(codec, buf_str(&bytes), &record, &json, &err), ST_OK);
    assert_int_equal(record, AVRO_RECOMMENDATION);
    struct pipeline_window w = {
        .pipeline = "etl", .runs = 4, .open_bottlenecks = {[SEVERITY_SEVERE] = 2}};
    buf_clear(&json);
    avro_encode_window(codec, &w, &bytes);
    assert_int_equal(avro_to_json(codec, buf_str(&bytes), &record, &json, &err), ST_OK);
    assert_int_equal(record, AVRO_WINDOW);
    assert_non_null(strstr(buf_text(&json), "\"severe\":2"));
    buf_fini(&bytes);
    buf_fini(&json);
    avro_codec_free(codec);
}

// What topics are made and verified for: nothing of a run can make its record larger.
static void the_largest_run_is_within_what_topics_must_take(void **state) {
    (void)state;
    static struct stage_summary stages[RUN_STAGES_MAX];
    static struct open_bottleneck open[RUN_OPEN_MAX];
    static char action[4096];
    char *texts[RUN_RECOMMENDATIONS_MAX];
    memset(action, 'a', sizeof action - 1);
    for (size_t i = 0; i < RUN_RECOMMENDATIONS_MAX; i++) {
        texts[i] = action;
    }
    for (size_t i = 0; i < RUN_STAGES_MAX; i++) {
        memset(&stages[i], 0x7f, sizeof stages[i]); // numbers of the most bytes, too
        stages[i].name[sizeof stages[i].name - 1] = '\0';
        stages[i].failed = true;
    }
    for (size_t i = 0; i < RUN_OPEN_MAX; i++) {
        memset(open[i].summary, 's', sizeof open[i].summary - 1);
        memset(open[i].id, 'i', sizeof open[i].id - 1);
    }
    struct pipeline_run run = {.stages = stages,
                               .stage_count = RUN_STAGES_MAX,
                               .open = open,
                               .open_count = RUN_OPEN_MAX,
                               .recommendations = texts,
                               .recommendation_count = RUN_RECOMMENDATIONS_MAX};
    memset(run.failure, 'f', sizeof run.failure - 1);
    struct avro_codec *codec = avro_codec_new();
    struct buf out = {0};
    avro_encode_run(codec, &run, &out);
    assert_in_range(out.len, 200000, TOPIC_RECORD_BYTES - 4096);
    buf_fini(&out);
    avro_codec_free(codec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_are_the_standard_ones),
        cmocka_unit_test(runs_come_back_as_they_went),
        cmocka_unit_test(secrets_published_before_are_hidden),
        cmocka_unit_test(damaged_bytes_are_refused_or_read_but_never_harm),
        cmocka_unit_test(words_of_a_newer_release_are_left_out),
        cmocka_unit_test(other_records_are_told_apart_and_readable),
        cmocka_unit_test(the_largest_run_is_within_what_topics_must_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
