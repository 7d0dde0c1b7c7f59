// test_follow: logs that end, are renamed, replaced, removed, rolled and compacted while they are
// followed, and while nobody does: every line once, in order, and what went wrong in words, once.
#include "follow_text.h"

#include <zlib.h>
#include <zstd.h>

static void mk(const char *name) {
    assert_int_equal(mkdir(at(name), 0755), 0);
}

static void rm(const char *name) {
    assert_int_equal(unlink(at(name)), 0);
}

static void expect(struct tail *t, const char *name, const char *text) {
    take_all(t);
    assert_string_equal(text_of(t, name), text);
}

static bool said(const struct tail *t, const char *words) {
    return strstr(buf_text(&t->words), words) != NULL;
}

// How often.
static unsigned times_said(const struct tail *t, const char *words) {
    unsigned n = 0;
    for (const char *p = buf_text(&t->words); (p = strstr(p, words)) != NULL; p++) {
        n++;
    }
    return n;
}

// Several looks: a file that is not in one listing is not gone.
static void look_often(struct tail *t) {
    for (int i = 0; i < 5; i++) {
        take_all(t);
    }
}

static void test_lines_as_they_are_written(void **state) {
    (void)state;
    struct tail t = {0};
    start(&t);
    take_all(&t);
    put("app-1-2.inprogress", "{log start}\n{on the t");
    expect(&t, "app-1-2", "{log start}\n");
    add("app-1-2.inprogress", "wo}\n{three}\n");
    expect(&t, "app-1-2", "{log start}\n{on the two}\n{three}\n");
    add("app-1-2.inprogress", "{four}");
    expect(&t, "app-1-2", "{log start}\n{on the two}\n{three}\n");
    rename_log("app-1-2.inprogress", "app-1-2");
    expect(&t, "app-1-2", "{log start}\n{on the two}\n{three}\n{four}\n");
    struct came *c = came_of(&t, "app-1-2");
    assert_int_equal(c->ended, 1);
    start(&t);
    expect(&t, "app-1-2", "{log start}\n{on the two}\n{three}\n{four}\n");
    assert_int_equal(c->ended, 1); // told once
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_ended_while_away(void **state) {
    (void)state;
    struct tail t = {0};
    start(&t);
    put("local-17.inprogress", "{log start}\n{on the t");
    put("app-1-1.inprogress", "{log start}\n{one}\n");
    take_all(&t);
    add("local-17.inprogress", "wo}\n{three}\n");
    rename_log("local-17.inprogress", "local-17");
    put("application_12_34_1", "{log start}\n{b}");
    struct buf packed = {0};
    static const char text[] = "{log start}\n{one}\n{two}\n";
    buf_reserve(&packed, ZSTD_compressBound(sizeof text));
    size_t n = ZSTD_compress(packed.data, 512, text, sizeof text - 1, 1);
    append("app-1-1.zstd", packed.data, n); // somebody packed it
    rm("app-1-1.inprogress");
    start(&t);
    expect(&t, "local-17", "{log start}\n{on the two}\n{three}\n");
    assert_string_equal(text_of(&t, "app-1-1"), text);
    assert_string_equal(text_of(&t, "application_12_34_1"), "{log start}\n{b}\n");
    assert_string_equal(buf_text(&t.words), "");
    buf_fini(&packed);
    stop(&t);
}

// A name that never said it was written to: has ended when it is quiet, and may grow all the same.
static void test_settling(void **state) {
    (void)state;
    struct tail t = {.options = {.settle_ms = 60000}};
    static const struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    put("app-1-2", "{log start}\n{rest}");
    start(&t);
    expect(&t, "app-1-2", "{log start}\n");
    assert_int_equal(came_of(&t, "app-1-2")->ended, 0);
    put("app-1-3", "{log start}\n{rest}");
    assert_int_equal(utimensat(AT_FDCWD, at("app-1-3"), old, 0), 0);
    expect(&t, "app-1-3", "{log start}\n{rest}\n");
    assert_int_equal(came_of(&t, "app-1-3")->ended, 1);
    add("app-1-3", "\n{more}\n");
    expect(&t, "app-1-3", "{log start}\n{rest}\n{more}\n");
    stop(&t);
}

static void test_rolled(void **state) {
    (void)state;
    struct tail t = {0};
    mk("eventlog_v2_local-9_2");
    put("eventlog_v2_local-9_2/appstatus_local-9_2.inprogress", "");
    start(&t);
    take_all(&t);
    put("eventlog_v2_local-9_2/events_1_local-9_2", "{log start}\n{one}\n");
    expect(&t, "eventlog_v2_local-9_2", "{log start}\n{one}\n");
    add("eventlog_v2_local-9_2/events_1_local-9_2", "{two}\n");
    for (int i = 2; i <= 11; i++) {
        char name[64];
        snprintf(name, sizeof name, "eventlog_v2_local-9_2/events_%d_local-9_2", i);
        put(name, i == 9 ? "{a part's start}\n{cut" : "{a part's start}\n");
        if (i == 7) {
            start(&t);
        }
    }
    take_all(&t);
    add("eventlog_v2_local-9_2/events_11_local-9_2", "{last");
    take_all(&t);
    struct came *c = came_of(&t, "eventlog_v2_local-9_2");
    assert_int_equal(c->ended, 0);
    rename_log("eventlog_v2_local-9_2/appstatus_local-9_2.inprogress",
               "eventlog_v2_local-9_2/appstatus_local-9_2");
    take_all(&t);
    assert_int_equal(c->ended, 1);
    assert_string_equal(c->id, "local-9");
    assert_string_equal(c->attempt, "2");
    assert_int_equal(c->position.part, 11);
    struct buf want = {0};
    buf_add_text(&want, "{log start}\n{one}\n{two}\n");
    for (int i = 2; i <= 11; i++) {
        buf_add_text(&want, i == 9 ? "{a part's start}\n{cut\n" : "{a part's start}\n");
    }
    buf_add_text(&want, "{last\n");
    assert_string_equal(buf_text(&c->text), buf_text(&want));
    start(&t);
    expect(&t, "eventlog_v2_local-9_2", buf_text(&want));
    assert_string_equal(buf_text(&t.words), "");
    buf_fini(&want);
    stop(&t);
}

static void test_missing_parts(void **state) {
    (void)state;
    struct tail t = {0};
    mk("eventlog_v2_local-9");
    put("eventlog_v2_local-9/events_2_local-9", "{a part's start}\n");
    put("eventlog_v2_local-9/events_5_local-9", "{a part's start}\n");
    start(&t);
    expect(&t, "eventlog_v2_local-9", "{a part's start}\n{a part's start}\n");
    assert_true(said(&t, "part 1 is missing before events_2_local-9"));
    assert_true(said(&t, "parts 3 to 4 are missing before events_5_local-9"));
    assert_int_equal(came_of(&t, "eventlog_v2_local-9")->trouble, 2);
    stop(&t);
}

// What was read stays read; what was not comes from the compacted part.
static void test_compacted(void **state) {
    (void)state;
    struct tail t = {0};
    mk("eventlog_v2_local-9");
    put("eventlog_v2_local-9/appstatus_local-9.inprogress", "");
    put("eventlog_v2_local-9/events_1_local-9", "{log start}\n");
    put("eventlog_v2_local-9/events_2_local-9", "{second part}\n");
    put("eventlog_v2_local-9/events_3_local-9", "{the third part}\n");
    start(&t);
    expect(&t, "eventlog_v2_local-9", "{log start}\n{second part}\n{the third part}\n");
    put("eventlog_v2_local-9/events_2_local-9.compact.inprogress", "{1 and 2}");
    take_all(&t);
    put("eventlog_v2_local-9/events_2_local-9.compact", "{1 and 2, compacted}\n");
    take_all(&t);
    struct tail late = {0}; // a follower that comes now begins with it
    start(&late);
    expect(&late, "eventlog_v2_local-9", "{1 and 2, compacted}\n{the third part}\n");
    assert_string_equal(buf_text(&late.words), "");
    stop(&late);
    rm("eventlog_v2_local-9/events_1_local-9");
    rm("eventlog_v2_local-9/events_2_local-9");
    add("eventlog_v2_local-9/events_3_local-9", "{more}\n");
    expect(&t, "eventlog_v2_local-9", "{log start}\n{second part}\n{the third part}\n{more}\n");
    // While away, past what was read.
    rm("eventlog_v2_local-9/events_2_local-9.compact");
    rm("eventlog_v2_local-9/events_3_local-9");
    put("eventlog_v2_local-9/events_4_local-9.compact", "{1 to 4, compacted}\n");
    put("eventlog_v2_local-9/events_5_local-9", "{the fifth part}\n");
    start(&t);
    take_all(&t);
    assert_non_null(strstr(text_of(&t, "eventlog_v2_local-9"),
                           "{more}\n{1 to 4, compacted}\n{the fifth part}\n"));
    stop(&t);
}

// A part that goes while it is read, and its rest with it.
static void test_compacted_under_the_reader(void **state) {
    (void)state;
    struct tail t = {0};
    mk("eventlog_v2_local-9");
    put("eventlog_v2_local-9/appstatus_local-9.inprogress", "");
    put("eventlog_v2_local-9/events_1_local-9", "{log start}\n{one}\n");
    start(&t);
    assert_true(take_item(&t)); // open now
    add("eventlog_v2_local-9/events_1_local-9", "{two}\n");
    put("eventlog_v2_local-9/events_1_local-9.compact", "{1, compacted}\n");
    put("eventlog_v2_local-9/events_2_local-9", "{the second part}\n");
    rm("eventlog_v2_local-9/events_1_local-9");
    expect(&t, "eventlog_v2_local-9", "{log start}\n{one}\n{two}\n{the second part}\n");
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_another_file_under_the_name(void **state) {
    (void)state;
    struct tail t = {0};
    put("app-1-2.inprogress", "{log start}\n{one}\n");
    start(&t);
    take_all(&t);
    put("app-1-2.inprogress.new", "{log start of another}\n{1}\n");
    rename_log("app-1-2.inprogress.new", "app-1-2.inprogress");
    expect(&t, "app-1-2", "{log start}\n{one}\n{log start of another}\n{1}\n");
    assert_int_equal(came_of(&t, "app-1-2")->again, 1);
    rm("app-1-2.inprogress"); // while away
    put("app-1-2", "{log start of a third}\n{2}\n");
    start(&t);
    take_all(&t);
    assert_non_null(strstr(text_of(&t, "app-1-2"), "{1}\n{log start of a third}\n{2}\n"));
    assert_int_equal(came_of(&t, "app-1-2")->again, 2);
    assert_int_equal(times_said(&t, "not the file that was read before"), 2);
    stop(&t);
}

// The same text in another file is the same log: a copy, a store of objects.
static void test_a_copy_goes_on(void **state) {
    (void)state;
    struct tail t = {0};
    put("app-1-2.inprogress", "{log start}\n{one}\n{tw");
    start(&t);
    take_all(&t);
    put("copy.tmp", "{log start}\n{one}\n{two}\n");
    rename_log("copy.tmp", "app-1-2.inprogress");
    expect(&t, "app-1-2", "{log start}\n{one}\n{two}\n");
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_truncated(void **state) {
    (void)state;
    struct tail t = {0};
    struct buf long_log = {0};
    buf_add_text(&long_log, "{log start}\n");
    while (long_log.len < 3 * FOLLOW_HEAD_BYTES) {
        buf_add_text(&long_log, "{a line of the log}\n");
    }
    put("app-1-2.inprogress", buf_text(&long_log));
    start(&t);
    expect(&t, "app-1-2", buf_text(&long_log));
    assert_int_equal(truncate(at("app-1-2.inprogress"), 2 * FOLLOW_HEAD_BYTES), 0);
    look_often(&t);
    assert_string_equal(text_of(&t, "app-1-2"), buf_text(&long_log));
    assert_int_equal(times_said(&t, "shorter than what was read of it before"), 1);
    // Written anew from its start, in place.
    assert_int_equal(truncate(at("app-1-2.inprogress"), 0), 0);
    look_often(&t);
    buf_clear(&t.words);
    add("app-1-2.inprogress", "{log start of another}\n");
    rename_log("app-1-2.inprogress", "app-1-2");
    take_all(&t);
    assert_non_null(strstr(text_of(&t, "app-1-2"), "\n{log start of another}\n"));
    assert_int_equal(came_of(&t, "app-1-2")->again, 1);
    buf_fini(&long_log);
    stop(&t);
}

static void test_removed(void **state) {
    (void)state;
    struct tail t = {0};
    put("app-1-2.inprogress", "{log start}\n{one}\n{tw");
    put("app-1-3.inprogress", "{log start}\n");
    start(&t);
    take_all(&t);
    add("app-1-2.inprogress", "o}\n{rest}");
    rm("app-1-2.inprogress"); // open: what is in it still comes
    look_often(&t);
    assert_string_equal(text_of(&t, "app-1-2"), "{log start}\n{one}\n{two}\n{rest}\n");
    assert_int_equal(came_of(&t, "app-1-2")->gone, 1);
    assert_int_equal(came_of(&t, "app-1-3")->gone, 0);
    rm("app-1-3.inprogress"); // while away
    start(&t);
    look_often(&t);
    assert_int_equal(came_of(&t, "app-1-3")->gone, 1);
    assert_int_equal(came_of(&t, "app-1-2")->gone, 2);
    put("app-1-3.inprogress", "{log start}\n{back}\n"); // it was not there for a moment only
    expect(&t, "app-1-3", "{log start}\n{back}\n");
    stop(&t);
}

// Away for one look, as a file is that is written anew beside its name.
static void test_not_there_for_a_moment(void **state) {
    (void)state;
    struct tail t = {0};
    put("app-1-2.inprogress", "{log start}\n{one}\n");
    start(&t);
    take_all(&t);
    rename_log("app-1-2.inprogress", ".moving");
    take_all(&t);
    rename_log(".moving", "app-1-2");
    look_often(&t);
    assert_int_equal(came_of(&t, "app-1-2")->gone, 0);
    assert_int_equal(came_of(&t, "app-1-2")->ended, 1);
    expect(&t, "app-1-2", "{log start}\n{one}\n");
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_damaged(void **state) {
    (void)state;
    struct tail t = {0};
    static const char text[] = "{log start}\n{one}\n";
    char frame[256];
    size_t n = ZSTD_compress(frame, sizeof frame, text, sizeof text - 1, 1);
    append("app-1-2.zstd.inprogress", frame, n);
    append("app-1-2.zstd.inprogress", frame, n / 2); // more is expected
    start(&t);
    expect(&t, "app-1-2", text);
    assert_string_equal(buf_text(&t.words), "");
    rename_log("app-1-2.zstd.inprogress", "app-1-2.zstd"); // but it does not come
    look_often(&t);
    assert_int_equal(times_said(&t, "app-1-2.zstd: damaged near byte"), 1);
    assert_int_equal(came_of(&t, "app-1-2")->ended, 1);
    append("app-1-4.zstd", frame, n); // and in the middle of one that has ended
    append("app-1-4.zstd", "not a frame at all, and never was", 33);
    append("app-1-4.zstd", frame, n);
    look_often(&t);
    expect(&t, "app-1-4", text);
    assert_int_equal(times_said(&t, "app-1-4.zstd: damaged near byte"), 1);
    assert_int_equal(came_of(&t, "app-1-4")->ended, 1);
    append("app-1-3.zstd.inprogress", frame, n);
    append("app-1-3.zstd.inprogress", "not a frame at all, and never was", 33);
    look_often(&t);
    expect(&t, "app-1-3", text);
    assert_int_equal(times_said(&t, "app-1-3.zstd.inprogress: damaged near byte"), 1);
    append("app-1-3.zstd.inprogress", frame, n);
    look_often(&t);
    assert_int_equal(times_said(&t, "app-1-3.zstd.inprogress: damaged near byte"), 1);
    stop(&t);
}

// Of a frame that is not whole its blocks come whole, though each unpacks to more than the buffer
// holds.
static void test_a_large_frame(void **state) {
    (void)state;
    struct tail t = {0};
    struct buf text = {0}, frame = {0};
    while (text.len < 500000) {
        buf_add_text(&text, "{a line of the log}\n");
    }
    char *to = buf_reserve(&frame, ZSTD_compressBound(text.len));
    size_t n = ZSTD_compress(to, ZSTD_compressBound(text.len), text.data, text.len, 1);
    start(&t);
    for (size_t i = 0; i < n; i++) {
        append("app-1-2.zstd.inprogress", to + i, 1);
        take_all(&t);
        size_t blocks = (came_of(&t, "app-1-2")->text.len + 20) / (128 << 10);
        assert_true(came_of(&t, "app-1-2")->text.len == text.len ||
                    came_of(&t, "app-1-2")->text.len + 20 - blocks * (128 << 10) <= 20);
    }
    expect(&t, "app-1-2", buf_text(&text));
    buf_fini(&frame);
    buf_fini(&text);
    stop(&t);
}

// A mark that is not one of this file: unpacked from the start instead.
static void test_a_wrong_mark(void **state) {
    (void)state;
    struct tail t = {0};
    static const char one[] = "{log start}\n", two[] = "{one}\n{two}\n";
    char frame[256];
    append("app-1-2.zstd.inprogress", frame,
           ZSTD_compress(frame, sizeof frame, one, sizeof one - 1, 1));
    append("app-1-2.zstd.inprogress", frame,
           ZSTD_compress(frame, sizeof frame, two, sizeof two - 1, 1));
    start(&t);
    for (int i = 0; i < 2; i++) {
        assert_true(take_item(&t));
    }
    assert_string_equal(text_of(&t, "app-1-2"), "{log start}\n{one}\n");
    came_of(&t, "app-1-2")->position.mark_bytes = 3;
    came_of(&t, "app-1-2")->position.mark_packed = 3;
    start(&t);
    expect(&t, "app-1-2", "{log start}\n{one}\n{two}\n");
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_long_lines(void **state) {
    (void)state;
    struct tail t = {.options = {.max_line_bytes = 100}};
    struct buf text = {0};
    buf_add_text(&text, "{log start}\n{");
    for (int i = 0; i < 300000; i++) {
        buf_add_char(&text, 'x');
    }
    append("app-1-2.inprogress", text.data, text.len);
    start(&t);
    expect(&t, "app-1-2", "{log start}\n");
    start(&t);
    take_all(&t);
    add("app-1-2.inprogress", "}\n{two}\n");
    expect(&t, "app-1-2", "{log start}\n{two}\n");
    append("app-1-2.inprogress", text.data, text.len); // the last one, and the name changes
    take_all(&t);
    rename_log("app-1-2.inprogress", "app-1-2");
    take_all(&t);
    assert_int_equal(came_of(&t, "app-1-2")->long_lines, 2);
    buf_fini(&text);
    stop(&t);
}

// Databricks: the current part gets a name of its own, packed or not, and a new one begins.
static void test_dated_parts(void **state) {
    (void)state;
    struct tail t = {.options = {.depth = 1}};
    mk("0601-cluster");
    put("0601-cluster/eventlog", "{log start}\n{one}\n");
    start(&t);
    expect(&t, "0601-cluster/eventlog", "{log start}\n{one}\n");
    add("0601-cluster/eventlog", "{two}\n");
    rename_log("0601-cluster/eventlog", "0601-cluster/eventlog-2021-06-01--10-00");
    put("0601-cluster/eventlog", "{second part}\n");
    expect(&t, "0601-cluster/eventlog", "{log start}\n{one}\n{two}\n{second part}\n");
    add("0601-cluster/eventlog", "{three}\n"); // while away: renamed, and two more
    rename_log("0601-cluster/eventlog", "0601-cluster/eventlog-2021-06-01--11-00");
    put("0601-cluster/eventlog-2021-06-01--12-00", "{the third part}\n");
    put("0601-cluster/eventlog", "{the fourth part}\n");
    start(&t);
    expect(
        &t, "0601-cluster/eventlog",
        "{log start}\n{one}\n{two}\n{second part}\n{three}\n{the third part}\n{the fourth part}\n");
    assert_string_equal(came_of(&t, "0601-cluster/eventlog")->id, "0601-cluster");
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_positions_as_text(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "1",
        "2:0:1:2:1:1:0:0:1:0",
        "1:0:1:2:1:1:0:0:1",
        "1:0:1:2:1:1:0:0:1:0:0",
        "1:0:-1:2:1:1:0:0:1:0",
        "1:0:1:2:2:1:0:0:1:0",
        "1:0:1:2:1:1:0:0:256:0",
        "1:0:1:2:1:1:0:0:1:2",
        "1:0:1:2:1:1:0:0:x:0",
        "1:0:99999999999999999999:2:1:1:0:0:1:0",
    };
    struct follow_position p = {.part = 77},
                           max = {INT64_MAX, INT64_MAX, UINT64_MAX, INT64_MAX, INT64_MAX,
                                  INT64_MAX, INT64_MIN, UINT8_MAX,  true};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(follow_position_read(str_of(bad[i]), &p));
        assert_int_equal(p.part, 77);
    }
    struct buf text = {0}, again = {0};
    follow_position_add(&text, &max);
    assert_true(follow_position_read(buf_str(&text), &p));
    follow_position_add(&again, &p);
    assert_string_equal(buf_text(&text), buf_text(&again));
    assert_true(p.head_print == UINT64_MAX && p.seen_ms == INT64_MIN && p.ended);
    buf_fini(&text);
    buf_fini(&again);
}

#define LIFE(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        LIFE(test_lines_as_they_are_written),
        LIFE(test_ended_while_away),
        LIFE(test_settling),
        LIFE(test_rolled),
        LIFE(test_missing_parts),
        LIFE(test_compacted),
        LIFE(test_compacted_under_the_reader),
        LIFE(test_another_file_under_the_name),
        LIFE(test_a_copy_goes_on),
        LIFE(test_truncated),
        LIFE(test_removed),
        LIFE(test_not_there_for_a_moment),
        LIFE(test_damaged),
        LIFE(test_a_large_frame),
        LIFE(test_a_wrong_mark),
        LIFE(test_long_lines),
        LIFE(test_dated_parts),
        cmocka_unit_test(test_positions_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
