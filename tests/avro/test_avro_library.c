// test_avro_library: Avro C as the oracle of what the codec writes by hand: it must read every
// record, and write what it read as the very same bytes.
#include "avro/random_run.h"

#include <avro.h>

#include "avro/avro_codec.h"

enum { FRAME_BYTES = 10 };

// Reads the bytes behind the frame as the schema says, and writes them again.
static void assert_as_the_library_writes(enum avro_record record, const struct buf *bytes) {
    avro_schema_t schema;
    avro_value_t value;
    const char *text = avro_schema_text(record);
    int64_t body = (int64_t)bytes->len - FRAME_BYTES;
    assert_int_equal(avro_schema_from_json_length(text, strlen(text), &schema), 0);
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    assert_int_equal(avro_generic_value_new(class, &value), 0);
    avro_reader_t reader = avro_reader_memory(bytes->data + FRAME_BYTES, body);
    assert_int_equal(avro_value_read(reader, &value), 0);
    char *again = mem_zalloc(1, (size_t)body + 1);
    avro_writer_t writer = avro_writer_memory(again, body);
    assert_int_equal(avro_value_write(writer, &value), 0);
    assert_int_equal(avro_writer_tell(writer), body); // all of it was read
    assert_memory_equal(again, bytes->data + FRAME_BYTES, (size_t)body);
    mem_free(again);
    avro_writer_free(writer);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
}

static void runs(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf bytes = {0};
    uint64_t seed = 7;
    for (int i = 0; i < 300; i++) {
        struct pipeline_run run = random_run(&seed);
        avro_encode_run(codec, &run, &bytes);
        assert_as_the_library_writes(AVRO_RUN, &bytes);
        pipeline_run_fini(&run);
    }
    buf_fini(&bytes);
    avro_codec_free(codec);
}

static void bottlenecks(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf bytes = {0};
    uint64_t seed = 8;
    for (uint32_t i = 0; i < 300; i++) {
        struct run_identity identity = {0};
        struct bottleneck b = {.stage = (int32_t)(i % 5) - 1,
                               .stage_attempt = (int32_t)(i % 3) - 1};
        random_text(&seed, identity.pipeline, sizeof identity.pipeline);
        random_text(&seed, b.summary, sizeof b.summary);
        random_numbers(&seed, &b.opened_ms, 1);
        b.rule_met = (enum tri)(i % 3);
        b.reason = i % 2 == 0 ? NULL : "why not";
        b.evidence_count = i % (EVIDENCE_MAX + 1);
        char names[EVIDENCE_MAX][8];
        for (uint32_t e = 0; e < b.evidence_count; e++) {
            snprintf(names[e], sizeof names[e], "n%u", e);
            b.evidence[e] = (struct evidence){names[e], (double)test_random(&seed) / 3};
        }
        avro_encode_bottleneck(codec, &identity, "run", &b, &bytes);
        assert_as_the_library_writes(AVRO_BOTTLENECK, &bytes);
    }
    buf_fini(&bytes);
    avro_codec_free(codec);
}

static void recommendations_and_windows(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf bytes = {0};
    uint64_t seed = 9;
    char ids[3][ID_TEXT_SIZE] = {"a", "b", "c"};
    struct setting_advice settings[] = {{(char[]){"spark.a"}, (char[]){"1"}},
                                        {(char[]){"spark.b"}, (char[]){""}}};
    struct own_setting own[] = {{(char[]){"spark.c"}, (char[]){"2g"}, (char[]){"4g"}, true}};
    for (uint32_t i = 0; i < 100; i++) {
        struct run_identity identity = {.cluster = "c"};
        char action[64];
        random_text(&seed, action, sizeof action);
        struct recommendation r = {.kind = "memory",
                                   .action = action,
                                   .code = i % 2 == 0 ? NULL : action,
                                   .when_not = i % 3 == 0 ? NULL : "never",
                                   .bottlenecks = ids,
                                   .bottleneck_count = i % 4,
                                   .settings = settings,
                                   .setting_count = i % 3,
                                   .own = own,
                                   .own_count = i % 2,
                                   .revision = (int32_t)i,
                                   .saving_s = i / 7.0};
        avro_encode_recommendation(codec, &identity, "run", &r, &bytes);
        assert_as_the_library_writes(AVRO_RECOMMENDATION, &bytes);
        struct pipeline_window w = {.duration_p50_s = i / 3.0};
        random_text(&seed, w.pipeline, sizeof w.pipeline);
        random_numbers(&seed, &w.pane_start_ms, 6);
        w.open_bottlenecks[SEVERITY_SEVERE] = i;
        avro_encode_window(codec, &w, &bytes);
        assert_as_the_library_writes(AVRO_WINDOW, &bytes);
    }
    buf_fini(&bytes);
    avro_codec_free(codec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs),
        cmocka_unit_test(bottlenecks),
        cmocka_unit_test(recommendations_and_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
