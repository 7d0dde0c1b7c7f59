// test_table: a value in pieces is the value again, whatever an older one left behind, and pieces
// that are missing are never taken for the whole.
#include "support/test.h"

#include "base/buf.h"
#include "keep/table.h"
#include "keep/value.h"
#include "model/run.h"

// A changelog: every key and value as it was written, in order.
struct changelog {
    struct {
        char key[40];
        char value[300];
        int value_len; // -1: gone
        bool compacted;
    } records[200];
    int count;
};

static void write(void *ctx, struct str key, struct str value) {
    struct changelog *log = ctx;
    assert_true(log->count < 200 && value.len <= 300);
    str_copy(log->records[log->count].key, sizeof log->records[0].key, key);
    log->records[log->count].value_len = value.p == NULL ? -1 : (int)value.len;
    if (value.len > 0) {
        memcpy(log->records[log->count].value, value.p, value.len);
    }
    log->count++;
}

// As the broker does: of records [0, end) the newest of each key stay.
static void compact(struct changelog *log, int end) {
    for (int i = 0; i < end; i++) {
        for (int j = i + 1; j < end; j++) {
            log->records[i].compacted |= strcmp(log->records[i].key, log->records[j].key) == 0;
        }
    }
}

static struct keep_table *read_back(const struct changelog *log) {
    struct keep_table *table = keep_table_new();
    for (int i = 0; i < log->count; i++) {
        int len = log->records[i].value_len;
        if (!log->records[i].compacted) {
            keep_table_put(
                table, str_of(log->records[i].key),
                (struct str){len < 0 ? NULL : log->records[i].value, len < 0 ? 0 : (size_t)len});
        }
    }
    return table;
}

// Writes as the agent does: whole or in pieces, and forgets what is left over of those before.
static uint32_t put(struct changelog *log, struct str value, size_t piece_bytes, uint32_t before) {
    uint32_t pieces = 0;
    if (piece_bytes > 0) {
        pieces = keep_split(STR("key"), value, piece_bytes, write, log);
    } else {
        write(log, STR("key"), value);
    }
    keep_split_forget(STR("key"), pieces, before, write, log);
    return pieces;
}

static void expect(const struct changelog *log, struct str value, uint32_t pieces) {
    struct keep_table *table = read_back(log);
    struct str found = {NULL, 0};
    assert_int_equal(keep_table_get(table, STR("key"), &found), value.p != NULL);
    assert_true(str_eq(found, value));
    assert_int_equal(keep_table_pieces(table, STR("key")), pieces);
    assert_int_equal(keep_table_count(table), value.p != NULL);
    struct keep_table *split = keep_table_split(table);
    assert_int_equal(keep_table_count(split), pieces > 0);
    assert_int_equal(keep_table_pieces(split, STR("key")), pieces);
    keep_table_note_pieces(split, STR("key"), pieces + 1);
    assert_int_equal(keep_table_pieces(split, STR("key")), pieces + 1);
    keep_table_note_pieces(split, STR("key"), 0);
    assert_int_equal(keep_table_count(split), 0);
    keep_table_free(split);
    keep_table_free(table);
}

static void pieces_make_the_value_again(void **state) {
    (void)state;
    static const struct {
        size_t bytes, piece_bytes;
    } steps[] = {{10, 0}, {100, 30}, {90, 30}, {91, 30}, {100, 9}, {20, 30}, {5, 0}, {300, 100}};
    char text[320];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 7);
    }
    static struct changelog log;
    uint32_t pieces = 0;
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        struct str value = {text + i, steps[i].bytes};
        pieces = put(&log, value, steps[i].piece_bytes, pieces);
        expect(&log, value, pieces);
        for (int end = 0; end <= log.count; end++) { // whatever is compacted by now
            struct changelog old = log;
            compact(&old, end);
            expect(&old, value, pieces);
        }
    }
    pieces = put(&log, (struct str){NULL, 0}, 0, pieces); // gone
    expect(&log, (struct str){NULL, 0}, 0);
    compact(&log, log.count);
    for (int i = 0; i < log.count; i++) { // nothing is left of any piece
        assert_true(log.records[i].compacted || log.records[i].value_len == -1);
    }
}

// No release takes what is there for the value: not this one, nor one that knows no pieces.
static void a_missing_piece_is_refused(void **state) {
    (void)state;
    struct buf value = {0};
    struct bottleneck b = {.stage = 3, .saving_s = 9}, out = {0};
    struct err err;
    value_write(&record_bottleneck, &b, &value);
    for (int missing = 0; missing < 3; missing++) {
        static struct changelog log;
        log.count = 0;
        assert_int_equal(put(&log, buf_str(&value), (value.len + 2) / 3, 0), 3);
        log.records[1 + missing].compacted = true;
        struct keep_table *table = read_back(&log);
        struct str found;
        assert_true(keep_table_get(table, STR("key"), &found));
        memset(&out, 0, sizeof out);
        assert_int_equal(value_read(&record_bottleneck, found, &out, &err), ST_SKIP);
        assert_non_null(strstr(err.text, "run the release that wrote it"));
        log.records[1 + missing].compacted = false;
        keep_table_free(table);
    }
    buf_fini(&value);
}

static void keys_of_pieces_are_told_from_others(void **state) {
    static const struct {
        const char *key;
        bool piece;
    } keys[] = {{"#0.key", true}, {"#12.#pos", true}, {"#pos", false},   {"#", false},
                {"#.key", false}, {"#-1.key", false}, {"#x.key", false}, {"s1.0.app", false},
                {"", false},      {"#1", false}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct keep_table *table = keep_table_new();
        keep_table_put(table, str_of(keys[i].key), STR("value"));
        assert_int_equal(keep_table_count(table), !keys[i].piece); // of no value: passed over
        keep_table_free(table);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_the_value_again),
        cmocka_unit_test(a_missing_piece_is_refused),
        cmocka_unit_test(keys_of_pieces_are_told_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
