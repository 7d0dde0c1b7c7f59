// test_eventlog_codecs: every packing, with bytes written by Spark's own libraries and by the
// command-line tools; then the same bytes cut and broken at every place.
#include "log_text.h"

#include <unistd.h>
#include <zstd.h>

static const char *const fixtures[] = {
    "spark.lz4",  "joined.lz4", "spark.snappy", "joined.snappy",
    "frames.zst", "members.gz", "tool.lz4",
};

static void open_bytes(const char *name, const struct buf *bytes, size_t len, size_t chunk,
                       struct reading *r) {
    struct eventlog *log = NULL;
    struct err err = {0};
    *r = (struct reading){0};
    if (eventlog_open_memory(name, bytes->data, len, chunk, &log, &err) == ST_OK) {
        read_all(log, r);
    } else {
        assert_true(err.text[0] != '\0');
        r->skips = 1;
    }
}

static void fixture_path(char *out, size_t size, const char *name) {
    snprintf(out, size, "%s/codecs/%s", FIXTURES, name);
}

static void load(const char *name, struct buf *out) {
    char path[512];
    fixture_path(path, sizeof path, name);
    read_file(path, out);
}

static void test_real_bytes(void **state) {
    (void)state;
    struct buf want = {0};
    make_codec_text(&want);
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        char path[512];
        struct reading r;
        fixture_path(path, sizeof path, fixtures[i]);
        read_path(path, &r);
        assert_string_equal(buf_text(&r.words), "");
        assert_string_equal(buf_text(&r.text), buf_text(&want));
        assert_int_equal(r.lines, 300);
        reading_fini(&r);
    }
    buf_fini(&want);
}

// The content decides when the name says nothing, or adds .inprogress.
static void test_any_name_and_chunk(void **state) {
    (void)state;
    static const size_t chunks[] = {1, 7, 21, 4096};
    struct buf want = {0};
    make_codec_text(&want);
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct buf bytes = {0};
        load(fixtures[i], &bytes);
        for (size_t c = 0; c < ARRAY_LEN(chunks); c++) {
            struct reading r;
            open_bytes("log", &bytes, bytes.len, chunks[c], &r);
            assert_string_equal(buf_text(&r.words), "");
            assert_string_equal(buf_text(&r.text), buf_text(&want));
            reading_fini(&r);
        }
        buf_fini(&bytes);
    }
    buf_fini(&want);
}

// A stream that Spark has not closed yet: its whole blocks come, then the words.
static void test_open_stream(void **state) {
    (void)state;
    struct buf want = {0};
    struct reading r;
    make_codec_text(&want);
    read_path(FIXTURES "/codecs/open.lz4.inprogress", &r);
    assert_int_equal(r.skips, 1);
    assert_non_null(strstr(buf_text(&r.words), "the LZ4 stream has no end"));
    assert_int_equal(r.text.len, 32 * 1024 + 1); // one block, and our line end
    assert_memory_equal(r.text.data, want.data, 32 * 1024);
    reading_fini(&r);
    buf_fini(&want);
}

// True if `got` is the beginning of `want`, apart from the line end we added to a cut line.
static bool is_prefix(const struct buf *got, const struct buf *want) {
    size_t n = got->len;
    if (n > 0 && (n > want->len || memcmp(got->data, want->data, n) != 0)) {
        n--;
    }
    return n <= want->len && (n == 0 || memcmp(got->data, want->data, n) == 0);
}

// Cut anywhere: what is there comes out, and only a cut between whole streams goes unsaid.
static void test_cut_everywhere(void **state) {
    (void)state;
    struct buf want = {0};
    make_codec_text(&want);
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct buf bytes = {0};
        size_t unsaid = 0, most = 0;
        load(fixtures[i], &bytes);
        for (size_t len = 0; len < bytes.len; len += len < 2000 || len + 500 > bytes.len ? 1 : 37) {
            struct reading r;
            open_bytes(fixtures[i], &bytes, len, 4096, &r);
            assert_true(r.skips <= 1);
            assert_true(is_prefix(&r.text, &want));
            assert_true(r.text.len + 1 >= most); // never less than with fewer bytes
            most = r.text.len > most ? r.text.len : most;
            unsaid += r.skips == 0;
            reading_fini(&r);
        }
        bool block_stream = strstr(fixtures[i], "snappy") != NULL; // has no end mark
        assert_true(unsaid <= (block_stream ? 15 : 3));
        assert_true(most > want.len / 2);
        buf_fini(&bytes);
    }
    buf_fini(&want);
}

// One byte changed anywhere: no crash, at most one complaint. A changed byte can only go unsaid
// where the format does not guard it: LZ4 and gzip checksums guard the text itself.
static void test_flip_everywhere(void **state) {
    (void)state;
    struct buf want = {0};
    make_codec_text(&want);
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct buf bytes = {0};
        load(fixtures[i], &bytes);
        bool guarded = strstr(fixtures[i], "snappy") == NULL && strcmp(fixtures[i], "frames.zst");
        for (size_t at = 0; at < bytes.len; at += at < 1000 ? 1 : 41) {
            struct reading r;
            char old = bytes.data[at];
            bytes.data[at] = (char)(old ^ (1 << at % 8));
            open_bytes(fixtures[i], &bytes, bytes.len, 4096, &r);
            assert_true(r.skips <= 1);
            if (guarded && r.skips == 0) {
                assert_string_equal(buf_text(&r.text), buf_text(&want));
            }
            bytes.data[at] = old;
            reading_fini(&r);
        }
        buf_fini(&bytes);
    }
    buf_fini(&want);
}

// Damage in the middle costs nothing of what stands before it.
static void test_damage_is_located(void **state) {
    (void)state;
    struct buf bytes = {0}, want = {0};
    struct reading r;
    make_codec_text(&want);
    load("joined.lz4", &bytes);
    size_t second = 0;
    for (size_t at = 8; at + 8 < bytes.len && second == 0; at++) {
        second = memcmp(bytes.data + at, "LZ4Block", 8) == 0 ? at : 0;
    }
    bytes.data[second + 21 + 30] ^= 1; // within the second block
    open_bytes("x.lz4", &bytes, bytes.len, INPUT_READ_BYTES, &r);
    assert_int_equal(r.text.len, 2048 + 1);
    assert_memory_equal(r.text.data, want.data, 2048);
    assert_int_equal(r.skips, 1);
    unsigned long long place = 0;
    assert_int_equal(sscanf(buf_text(&r.words), "x.lz4: damaged near byte %llu", &place), 1);
    assert_true(place > second && place <= second + 21 + 2048);
    reading_fini(&r);
    buf_fini(&bytes);
    buf_fini(&want);
}

// Zstandard: a frame of several blocks loses only the block that is damaged and what follows.
static void test_damage_costs_one_block(void **state) {
    (void)state;
    struct buf text = {0}, packed = {0};
    for (uint32_t i = 0, x = 1; text.len < 300000; i++, x = x * 1103515245u + 12345u) {
        buf_printf(&text, "{\"Event\":\"X\",\"n\":%u,\"x\":%u}\n", i, x);
    }
    size_t bound = ZSTD_compressBound(text.len);
    packed.len = ZSTD_compress(buf_reserve(&packed, bound), bound, text.data, text.len, 1);
    assert_false(ZSTD_isError(packed.len));
    struct reading r;
    open_bytes("x.zst", &packed, packed.len - 1, INPUT_READ_BYTES, &r);
    assert_int_equal(r.skips, 1);
    assert_true(r.text.len >= (size_t)256 << 10); // two whole blocks
    assert_true(is_prefix(&r.text, &text));
    reading_fini(&r);
    packed.data[packed.len - 100] ^= 0x55;
    memset(packed.data + packed.len - 2000, 0xFF, 1000);
    open_bytes("x.zst", &packed, packed.len, INPUT_READ_BYTES, &r);
    assert_int_equal(r.skips, 1);
    assert_true(r.text.len >= (size_t)256 << 10);
    reading_fini(&r);
    buf_fini(&text);
    buf_fini(&packed);
}

// What is read of damaged bytes does not depend on how they come: a log that grows gives the lines
// that it gives when it is read whole.
static void test_damage_costs_the_same_however_it_comes(void **state) {
    (void)state;
    // A block of one byte 2570 times, and bytes that are no block.
    static const char run[] = "\x28\xb5\x2f\xfd\x04\x58\x52\x50\x00\xf5\xc5\x8c\x8a";
    static const char *const names[] = {"run.zst", "frames.zst", "tool.lz4"};
    static const size_t chunks[] = {3, 64, 4096, INPUT_READ_BYTES};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf bytes = {0};
        if (i == 0) {
            buf_add(&bytes, run, sizeof run - 1);
        } else {
            load(names[i], &bytes);
        }
        for (size_t at = 5; at < bytes.len; at += 1 + bytes.len / 97) {
            struct reading want, got;
            bytes.data[at] ^= i == 0 ? 0 : 0x41;
            open_bytes(names[i], &bytes, bytes.len, 1 << 20, &want);
            assert_true(i != 0 || want.text.len == 2570 + 1);
            for (size_t k = 0; k < ARRAY_LEN(chunks); k++) {
                open_bytes(names[i], &bytes, bytes.len, chunks[k], &got);
                assert_string_equal(buf_text(&got.text), buf_text(&want.text));
                reading_fini(&got);
            }
            bytes.data[at] ^= i == 0 ? 0 : 0x41;
            reading_fini(&want);
        }
        buf_fini(&bytes);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        const char *words;
    } cases[] = {
        {"a.lzf", "ZV\1\0\0\0\0", 7, "a.lzf: LZF packing is not supported: unpack the log first"},
        {"a.lzf", "", 0, "a.lzf: LZF packing is not supported: unpack the log first"},
        {"a", "ZV\1\0\0\0\0", 7, "a: LZF packing is not supported: unpack the log first"},
        {"a", "BZh91AY", 7, "a: bzip2 packing is not supported: unpack the log first"},
        {"a.zip", "PK\3\4aaaa", 8, "a.zip: zip packing is not supported: unpack the log first"},
        {"a.zst", "not zstd", 8, "a.zst: the name ends in .zst, but the content is not Zstandard"},
        {"a.gz.inprogress", "xx", 2,
         "a.gz.inprogress: the name ends in .gz, but the content is not gzip"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct eventlog *log = NULL;
        struct err err = {0};
        assert_int_equal(
            eventlog_open_memory(cases[i].name, cases[i].bytes, cases[i].len, 64, &log, &err),
            ST_SKIP);
        assert_null(log);
        assert_string_equal(err.text, cases[i].words);
    }
}

static void test_empty_and_unpacked(void **state) {
    (void)state;
    static const char *const names[] = {"a.zst", "a.zstd.inprogress", "a.gz", "a.lz4", "a.snappy"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct reading r;
        struct buf text = {0};
        open_bytes(names[i], &text, 0, 64, &r);
        assert_int_equal(r.skips + r.lines, 0);
        reading_fini(&r);
        buf_add_text(&text, "{\"Event\":\"X\"}\n"); // unpacked in place, the name kept
        open_bytes(names[i], &text, text.len, 64, &r);
        assert_int_equal(r.lines, 1);
        assert_int_equal(r.skips, 0);
        reading_fini(&r);
        buf_fini(&text);
    }
}

// A bomb (1 GiB of one letter in 40 KB) streams through: one long line, little memory.
static void test_bomb_streams(void **state) {
    (void)state;
    size_t size = (size_t)64 << 20;
    struct buf packed = {0};
    char *zeros = mem_alloc(size);
    memset(zeros, 'x', size);
    size_t bound = ZSTD_compressBound(size);
    size_t n = ZSTD_compress(buf_reserve(&packed, bound), bound, zeros, size, 1);
    assert_false(ZSTD_isError(n));
    packed.len = n;
    mem_free(zeros);
    struct buf bomb = {0};
    for (int i = 0; i < 16; i++) {
        buf_add_str(&bomb, buf_str(&packed));
    }
    struct reading r;
    open_bytes("bomb.zst", &bomb, bomb.len, INPUT_READ_BYTES, &r);
    assert_int_equal(r.long_lines, 1);
    assert_int_equal(r.lines + r.skips, 0);
    reading_fini(&r);
    buf_fini(&bomb);
    buf_fini(&packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_bytes),
        cmocka_unit_test(test_any_name_and_chunk),
        cmocka_unit_test(test_open_stream),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_flip_everywhere),
        cmocka_unit_test(test_damage_is_located),
        cmocka_unit_test(test_damage_costs_one_block),
        cmocka_unit_test(test_damage_costs_the_same_however_it_comes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_empty_and_unpacked),
        cmocka_unit_test(test_bomb_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
