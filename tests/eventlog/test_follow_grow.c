// test_follow_grow: logs of every packing that grow by bytes cut anywhere, polled at random and
// followed anew from the position kept at random: every line comes once, in order. The random
// numbers are always the same.
#include "follow_text.h"

#include <zlib.h>
#include <zstd.h>

static uint32_t seed;

static uint32_t roll(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

// A log of `lines` lines: short ones, and a few of 100 KB.
static void make_text(struct buf *out, int lines) {
    for (int i = 0; i < lines; i++) {
        buf_printf(out, "{\"Event\":\"SparkListenerTaskEnd\",\"n\":%d,\"pad\":\"", i);
        int letters = roll(40) == 0 ? (int)roll(100000) : (int)roll(300);
        for (int k = 0; k < letters; k++) {
            buf_add_char(out, (char)('a' + roll(26)));
        }
        buf_add_text(out, roll(20) == 0 ? "\"}\r\n" : "\"}\n");
    }
}

// As Spark writes it: a frame is closed at each flush.
static void pack_zstd(const struct buf *text, struct buf *out) {
    for (size_t at = 0; at < text->len;) {
        size_t n = 1 + roll(roll(4) == 0 ? 300000 : 3000);
        n = n < text->len - at ? n : text->len - at;
        char *to = buf_reserve(out, ZSTD_compressBound(n));
        size_t made = ZSTD_compress(to, ZSTD_compressBound(n), text->data + at, n, 1);
        assert_false(ZSTD_isError(made));
        out->len += made;
        out->data[out->len] = '\0';
        at += n;
    }
}

static void pack_gzip(const struct buf *text, struct buf *out) {
    for (size_t at = 0; at < text->len;) {
        size_t n = 1 + roll(roll(2) == 0 ? 400000 : 3000);
        n = n < text->len - at ? n : text->len - at;
        z_stream z = {.next_in = (Bytef *)text->data + at, .avail_in = (uInt)n};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
        size_t room = deflateBound(&z, n);
        z.next_out = (Bytef *)buf_reserve(out, room);
        z.avail_out = (uInt)room;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        out->len += room - z.avail_out;
        out->data[out->len] = '\0';
        deflateEnd(&z);
        at += n;
    }
}

// Handed-out text has one kind of line end.
static void without_cr(const struct buf *text, struct buf *out) {
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] != '\r') {
            buf_add_char(out, text->data[i]);
        }
    }
}

// A log that is being written.
struct written {
    char name[64], now[96];
    struct buf bytes, want;
    size_t at, most; // most: how much is written at once
};

static void write_some(struct written *w) {
    size_t n = 1 + roll(roll(8) == 0 ? (uint32_t)w->most * 20 : (uint32_t)w->most);
    n = n < w->bytes.len - w->at ? n : w->bytes.len - w->at;
    append(w->now, w->bytes.data + w->at, n);
    w->at += n;
    if (w->at == w->bytes.len) {
        char before[96];
        snprintf(before, sizeof before, "%s", w->now);
        w->now[strlen(w->now) - strlen(".inprogress")] = '\0';
        rename_log(before, w->now);
    }
}

static void check_prefix(struct tail *t, const struct written *w) {
    const struct buf *got = &came_of(t, w->name)->text;
    assert_true(got->len <= w->want.len);
    if (got->len > 0) {
        assert_memory_equal(got->data, w->want.data, got->len);
    }
}

// Takes all that is there, or some of it; begins anew at random.
static void look_at(struct tail *t, uint32_t restarts) {
    if (roll(3) == 0) {
        for (uint32_t n = roll(40); n > 0 && take_item(t); n--) {
        }
    } else {
        take_all(t);
    }
    if (restarts > 0 && roll(restarts) == 0) {
        start(t);
    }
}

static void follow_to_end(struct written *logs, size_t count, uint32_t restarts, unsigned open) {
    struct tail t = {.options = {.max_open = open}};
    start(&t);
    for (size_t left = count; left > 0;) {
        struct written *w = &logs[roll((uint32_t)count)];
        if (w->at < w->bytes.len) {
            write_some(w);
            left -= w->at == w->bytes.len;
        }
        look_at(&t, restarts);
        check_prefix(&t, w);
    }
    take_all(&t);
    assert_string_equal(buf_text(&t.words), "");
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(text_of(&t, logs[i].name), buf_text(&logs[i].want));
        assert_int_equal(came_of(&t, logs[i].name)->ended, 1);
    }
    stop(&t);
}

static void make_log(struct written *w, const char *name, const char *ending) {
    *w = (struct written){.at = 0};
    snprintf(w->name, sizeof w->name, "%s", name);
    snprintf(w->now, sizeof w->now, "%s%s.inprogress", name, ending);
}

static void free_log(struct written *w) {
    buf_fini(&w->bytes);
    buf_fini(&w->want);
}

// What Spark's own libraries and the command-line tools packed, a few bytes at a time.
static void test_packed_by_spark(void **state) {
    (void)state;
    static const char *const fixtures[] = {
        "spark.lz4",  "joined.lz4", "spark.snappy", "joined.snappy",
        "frames.zst", "members.gz", "tool.lz4",
    };
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        for (uint32_t n = 0; n < 6; n++) {
            struct written w;
            char path[512];
            seed = n * 1000 + (uint32_t)i;
            make_log(&w, "application_1_2_3", strchr(fixtures[i], '.'));
            snprintf(path, sizeof path, "%s/codecs/%s", FIXTURES, fixtures[i]);
            read_file(path, &w.bytes);
            make_codec_text(&w.want);
            w.most = n % 2 == 0 ? 60 : 2000;
            follow_to_end(&w, 1, n % 3 == 0 ? 0 : 4, 0);
            free_log(&w);
            remove_below(root);
        }
    }
}

// Frames, members and plain text, with lines and pieces larger than the buffers; several at once
// with fewer files open than there are.
static void test_large(void **state) {
    (void)state;
    static const char *const endings[] = {"", ".zstd", ".gz"};
    static void (*const pack[])(const struct buf *, struct buf *) = {NULL, pack_zstd, pack_gzip};
    for (uint32_t n = 0; n < 6; n++) {
        struct written logs[ARRAY_LEN(endings)];
        seed = n + 1;
        for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
            struct buf text = {0};
            char name[64];
            snprintf(name, sizeof name, "local-%zu", i + 1);
            make_log(&logs[i], name, endings[i]);
            make_text(&text, 300);
            without_cr(&text, &logs[i].want);
            if (pack[i] != NULL) {
                pack[i](&text, &logs[i].bytes);
            } else {
                buf_add_str(&logs[i].bytes, buf_str(&text));
            }
            logs[i].most = 20000;
            buf_fini(&text);
        }
        follow_to_end(logs, ARRAY_LEN(logs), n % 2 == 0 ? 0 : 5, 1 + n % 3);
        for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
            free_log(&logs[i]);
        }
        remove_below(root);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_packed_by_spark, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_large, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
