// test_avro_hostile: records that nobody means well with: lists and maps beyond all bounds, numbers
// that are none, text that is no UTF-8, in both directions.
#include "support/test.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "avro/avro_codec.h"
#include "base/mem.h"

enum { HUGE_BYTES = 10 << 20, AMPLIFICATION_MAX = 8 };
enum { BEHIND = 11 }; // bytes of the fields behind the lists, in an empty run

// Freed blocks are not to be held back where memory is measured.
const char *__asan_default_options(void); // NOLINT(bugprone-reserved-identifier)
const char *__asan_default_options(void) {
    return "quarantine_size_mb=1";
}

static void add_long(struct buf *out, int64_t number) {
    uint64_t rest = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
    for (; rest >= 0x80; rest >>= 7) {
        buf_add_char(out, (char)(rest | 0x80));
    }
    buf_add_char(out, (char)rest);
}

// An empty record of the kind, framed. A run ends in four empty lists (stages, kinds, open,
// recommendations) and what is BEHIND, a bottleneck in its empty evidence and two times.
static struct buf empty_record(struct avro_codec *codec, enum avro_record record) {
    struct buf out = {0};
    if (record == AVRO_RUN) {
        struct pipeline_run run = {0};
        avro_encode_run(codec, &run, &out);
    } else {
        struct run_identity identity = {0};
        struct bottleneck bottleneck = {.rule_met = TRI_TRUE, .stage = -1, .stage_attempt = -1};
        avro_encode_bottleneck(codec, &identity, "", &bottleneck, &out);
    }
    return out;
}

// The record with `count` times the same item instead of the empty list that begins `tail` bytes
// before its end.
static struct buf with_items(struct avro_codec *codec, enum avro_record record, size_t tail,
                             struct str item, size_t count) {
    struct buf out = empty_record(codec, record);
    out.len -= tail;
    if (count > 0) {
        add_long(&out, (int64_t)count);
    }
    for (size_t i = 0; i < count; i++) {
        buf_add_str(&out, item);
    }
    for (size_t i = 0; i < tail; i++) {
        buf_add_char(&out, '\0');
    }
    return out;
}

// The bytes of one empty stage, or open bottleneck: what a run with one has more than one without.
static struct buf one_item(struct avro_codec *codec, bool stage) {
    struct pipeline_run run = {.stage_count = stage, .open_count = !stage};
    struct buf bytes = {0}, empty = empty_record(codec, AVRO_RUN), item = {0};
    run.stages = mem_zalloc(1, sizeof *run.stages);
    run.open = mem_zalloc(1, sizeof *run.open);
    run.open->stage = run.open->stage_attempt = -1;
    avro_encode_run(codec, &run, &bytes);
    size_t start = empty.len - BEHIND - 4 + 1, rest = BEHIND + (stage ? 4 : 2);
    if (!stage) { // its kind is in the list before
        start += 2 + 1 + strlen(kind_name((enum bottleneck_kind)0)) + 1;
    }
    buf_add(&item, bytes.data + start, bytes.len - start - rest);
    pipeline_run_fini(&run);
    buf_fini(&bytes);
    buf_fini(&empty);
    return item;
}

// Peak memory of a child that reads the bytes (or does nothing), in bytes; its verdict in *status.
static int64_t peak_of(struct avro_codec *codec, struct str bytes, bool json, bool idle,
                       enum status *status) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct err err;
        struct buf out = {0};
        struct pipeline_run run;
        enum status got = idle   ? ST_OK
                          : json ? avro_to_json(codec, bytes, NULL, &out, &err)
                                 : avro_decode_run(codec, bytes, AVRO_TAKE_STAGES, &run, &err);
        _exit((int)got);
    }
    struct rusage usage;
    int code = 0;
    assert_true(child > 0 && wait4(child, &code, 0, &usage) == child && WIFEXITED(code));
    *status = (enum status)WEXITSTATUS(code);
    return (int64_t)usage.ru_maxrss * 1024;
}

static void assert_moderate(struct avro_codec *codec, struct buf *bytes, const char *what,
                            enum status as_run, enum status as_json) {
    enum status status;
    int64_t idle = peak_of(codec, buf_str(bytes), false, true, &status);
    for (int json = 0; json <= 1; json++) {
        int64_t more = peak_of(codec, buf_str(bytes), json != 0, false, &status) - idle;
        double times = (double)more / (double)bytes->len;
        print_message("%s, %s: %zu bytes take %.2f times as much\n", what, json ? "json" : "run",
                      bytes->len, times);
        assert_int_equal(status, json ? as_json : as_run);
        assert_true(times < AMPLIFICATION_MAX);
    }
    buf_fini(bytes);
}

static void no_record_takes_many_times_its_size(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct str nothing = {"\0", 1};
    struct buf stage = one_item(codec, true), open = one_item(codec, false), text = {0}, bytes;
    bytes = with_items(codec, AVRO_RUN, BEHIND + 1, nothing, HUGE_BYTES);
    assert_moderate(codec, &bytes, "empty recommendations", ST_OK, ST_OK);
    bytes = with_items(codec, AVRO_RUN, BEHIND + 3, nothing, HUGE_BYTES);
    assert_moderate(codec, &bytes, "empty kinds", ST_OK, ST_OK);
    bytes = with_items(codec, AVRO_RUN, BEHIND + 4, buf_str(&stage), HUGE_BYTES / stage.len);
    assert_moderate(codec, &bytes, "stages", ST_SKIP, ST_SKIP);
    bytes = with_items(codec, AVRO_RUN, BEHIND + 4, buf_str(&stage), RUN_STAGES_MAX);
    assert_true(bytes.len > 10000);
    struct pipeline_run run;
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, NULL), ST_OK);
    assert_int_equal(run.stage_count, RUN_STAGES_MAX);
    pipeline_run_fini(&run);
    buf_fini(&bytes);
    bytes = with_items(codec, AVRO_RUN, BEHIND + 2, buf_str(&open), HUGE_BYTES / open.len);
    assert_moderate(codec, &bytes, "open bottlenecks", ST_SKIP, ST_SKIP);
    add_long(&text, HUGE_BYTES);
    memset(buf_reserve(&text, HUGE_BYTES), 1, HUGE_BYTES);
    text.len += HUGE_BYTES;
    bytes = with_items(codec, AVRO_RUN, BEHIND + 1, buf_str(&text), 1);
    assert_moderate(codec, &bytes, "one text of control characters", ST_OK, ST_OK);
    buf_fini(&stage);
    buf_fini(&open);
    buf_fini(&text);
    avro_codec_free(codec);
}

// A bottleneck whose evidence has `count` entries, keys 0000000 and up or all alike.
static struct buf with_evidence(struct avro_codec *codec, size_t count, bool alike) {
    struct buf out = empty_record(codec, AVRO_BOTTLENECK);
    static const char behind_it[] = "\0\0\0\010high\0"; // the map's end, two times, and so on
    out.len -= sizeof behind_it;
    add_long(&out, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        add_long(&out, 7);
        buf_printf(&out, "%07zu", alike ? 0 : i);
        buf_add(&out, "\0\0\0\0\0\0\xF0\x3F", 8); // 1.0
    }
    buf_add(&out, behind_it, sizeof behind_it);
    return out;
}

static void maps_are_small_and_their_keys_differ(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf json = {0}, bytes = with_evidence(codec, HUGE_BYTES / 16, false);
    assert_moderate(codec, &bytes, "evidence", ST_SKIP, ST_SKIP);
    static const struct {
        size_t count;
        bool alike;
        enum status status;
    } cases[] = {{24, false, ST_OK}, {64, false, ST_OK}, {65, false, ST_SKIP}, {2, true, ST_SKIP}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bytes = with_evidence(codec, cases[i].count, cases[i].alike);
        assert_int_equal(avro_to_json(codec, buf_str(&bytes), NULL, &json, NULL), cases[i].status);
        buf_fini(&bytes);
    }
    buf_fini(&json);
    avro_codec_free(codec);
}

// Lists keep their first items; what is beyond is looked at, but not kept.
static void lists_of_a_run_have_their_bounds(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct buf open = one_item(codec, false);
    struct pipeline_run run;
    struct buf bytes = with_items(codec, AVRO_RUN, BEHIND + 2, buf_str(&open), RUN_OPEN_MAX + 1);
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, NULL), ST_OK);
    assert_int_equal(run.open_count, RUN_OPEN_MAX);
    assert_int_equal(run.open[RUN_OPEN_MAX - 1].stage, -1);
    pipeline_run_fini(&run);
    buf_fini(&bytes);
    bytes = with_items(codec, AVRO_RUN, BEHIND + 1, (struct str){"\2x", 2},
                       RUN_RECOMMENDATIONS_MAX + 1);
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, NULL), ST_OK);
    assert_int_equal(run.recommendation_count, RUN_RECOMMENDATIONS_MAX);
    assert_string_equal(run.recommendations[RUN_RECOMMENDATIONS_MAX - 1], "x");
    pipeline_run_fini(&run);
    bytes.data[bytes.len - BEHIND - 2] = '\xFF'; // the text that is not kept
    assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &run, NULL),
                     ST_SKIP);
    buf_fini(&bytes);
    buf_fini(&open);
    avro_codec_free(codec);
}

static void numbers_that_are_none_become_0_both_ways(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct run_identity identity = {0};
    struct bottleneck b = {.evidence = {{"nan", NAN}, {"inf", INFINITY}, {"minus", -INFINITY}},
                           .evidence_count = 3};
    struct recommendation r = {.kind = "k", .action = (char[]){""}, .saving_s = -INFINITY};
    struct buf bytes = {0}, json = {0};
    avro_encode_bottleneck(codec, &identity, "", &b, &bytes);
    assert_null(memmem(bytes.data, bytes.len, "\xF0\x7F", 2)); // top bytes of NaN, Inf
    assert_null(memmem(bytes.data, bytes.len, "\xF8\x7F", 2));
    assert_null(memmem(bytes.data, bytes.len, "\xF0\xFF", 2));
    assert_int_equal(avro_to_json(codec, buf_str(&bytes), NULL, &json, NULL), ST_OK);
    assert_non_null(strstr(buf_text(&json), "\"evidence\":{\"nan\":0,\"inf\":0,\"minus\":0}"));
    avro_encode_recommendation(codec, &identity, "", &r, &bytes);
    assert_null(memmem(bytes.data, bytes.len, "\xF0\xFF", 2));
    const double odd[] = {NAN, INFINITY, -INFINITY}, mark = 1234.5;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) { // written by somebody else
        struct pipeline_run run = {.duration_s = mark}, back;
        avro_encode_run(codec, &run, &bytes);
        char *at = memmem(bytes.data, bytes.len, &mark, sizeof mark);
        assert_non_null(at);
        memcpy(at, &odd[i], sizeof odd[i]);
        assert_int_equal(avro_decode_run(codec, buf_str(&bytes), AVRO_TAKE_STAGES, &back, NULL),
                         ST_OK);
        assert_true(back.duration_s == 0);
        buf_clear(&json);
        assert_int_equal(avro_to_json(codec, buf_str(&bytes), NULL, &json, NULL), ST_OK);
        assert_non_null(strstr(buf_text(&json), "\"duration_s\":0,"));
    }
    buf_fini(&bytes);
    buf_fini(&json);
    avro_codec_free(codec);
}

static void keys_that_are_no_utf8_are_mended_like_text(void **state) {
    (void)state;
    struct avro_codec *codec = avro_codec_new();
    struct run_identity identity = {0};
    struct bottleneck b = {.evidence = {{"a\xFF", 1}, {"a\xFE", 2}}, .evidence_count = 2};
    struct setting_advice advice[] = {{(char[]){"spark\xC3"}, (char[]){"\xED\xA0\x80"}}};
    struct recommendation r = {
        .kind = "k", .action = (char[]){""}, .settings = advice, .setting_count = 1};
    struct buf bytes = {0}, json = {0};
    avro_encode_bottleneck(codec, &identity, "", &b, &bytes);
    assert_int_equal(avro_to_json(codec, buf_str(&bytes), NULL, &json, NULL), ST_OK);
    // Keys that are alike when mended are one.
    assert_non_null(strstr(buf_text(&json), "\"evidence\":{\"a\xEF\xBF\xBD\":2}"));
    buf_clear(&json);
    avro_encode_recommendation(codec, &identity, "", &r, &bytes);
    assert_int_equal(avro_to_json(codec, buf_str(&bytes), NULL, &json, NULL), ST_OK);
    assert_non_null(strstr(buf_text(&json), "{\"spark\xEF\xBF\xBD\":\"\xEF\xBF\xBD"));
    buf_fini(&bytes);
    buf_fini(&json);
    avro_codec_free(codec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_record_takes_many_times_its_size),
        cmocka_unit_test(maps_are_small_and_their_keys_differ),
        cmocka_unit_test(lists_of_a_run_have_their_bounds),
        cmocka_unit_test(numbers_that_are_none_become_0_both_ways),
        cmocka_unit_test(keys_that_are_no_utf8_are_mended_like_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
