// test_eventlog_folder: which files of a folder make up a log, in which order, and what is said
// when one is missing. Files are made in a scratch folder of this test.
#include "log_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/stoker-folder-XXXXXX";

static int make_root(void **state) {
    (void)state;
    strcpy(root + sizeof root - 7, "XXXXXX");
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state) {
    (void)state;
    DIR *dir = opendir(root);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            unlinkat(dirfd(dir), e->d_name, 0);
            unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
        }
    }
    closedir(dir);
    return rmdir(root);
}

static void put(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    write_file(path, text, strlen(text));
}

static void test_eleven_parts_sort_as_numbers(void **state) {
    (void)state;
    struct reading r;
    struct buf want = {0};
    for (int i = 12; i >= 1; i--) {
        char name[64], text[64];
        snprintf(name, sizeof name, "events_%d_local-1600000000000", i);
        snprintf(text, sizeof text, "part %d\n", i);
        put(name, text);
    }
    put("appstatus_local-1600000000000", "");
    for (int i = 1; i <= 12; i++) {
        buf_printf(&want, "part %d\n", i);
    }
    read_path(root, &r);
    assert_string_equal(buf_text(&r.text), buf_text(&want));
    assert_int_equal(r.skips, 0);
    reading_fini(&r);
    buf_fini(&want);
}

static void test_missing_parts_are_named(void **state) {
    (void)state;
    struct reading r;
    put("events_2_app-1-2", "two\n");
    put("events_3_app-1-2", "three");
    put("events_7_app-1-2", "seven\n");
    put("events_7_app-1-2.zstd", "");
    read_path(root, &r);
    assert_string_equal(buf_text(&r.text), "two\nthree\nseven\n");
    assert_int_equal(r.skips, 3);
    assert_non_null(strstr(buf_text(&r.words), "part 1 is missing before events_2_app-1-2\n"));
    assert_non_null(strstr(buf_text(&r.words), "parts 4 to 6 are missing before events_7_app-1-2"));
    assert_non_null(strstr(buf_text(&r.words), "part 7 is there twice"));
    reading_fini(&r);
}

static void test_compaction_replaces(void **state) {
    (void)state;
    struct reading r;
    put("events_1_app-1-2", "one\n");
    put("events_2_app-1-2", "two\n");
    put("events_2_app-1-2.compact", "one and two\n");
    put("events_4_app-1-2", "four\n");
    put("events_4_app-1-2.compact", "one to four\n");
    put("events_5_app-1-2", "five\n");
    put("events_10_app-1-2", "ten\n");
    read_path(root, &r);
    assert_string_equal(buf_text(&r.text), "one to four\nfive\nten\n");
    assert_int_equal(r.skips, 1);
    assert_non_null(strstr(buf_text(&r.words), "parts 6 to 9 are missing"));
    reading_fini(&r);
}

static void test_cut_part_is_not_joined(void **state) {
    (void)state;
    struct eventlog *log = NULL;
    struct str line;
    put("events_1_app-1-2", "one");
    put("events_2_app-1-2", "two\n");
    assert_int_equal(eventlog_open(root, &log, NULL), ST_OK);
    assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
    assert_true(str_is(line, "one"));
    assert_true(eventlog_cut(log));
    assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
    assert_true(str_is(line, "two"));
    assert_false(eventlog_cut(log));
    eventlog_free(log);
}

static void test_identity_and_progress(void **state) {
    (void)state;
    struct eventlog *log = NULL;
    struct str app, attempt, line;
    uint64_t done, total;
    put("events_1_application_1600000000000_0007_2", "one\n");
    put("events_2_application_1600000000000_0007_2", "two\n");
    put("appstatus_application_1600000000000_0007_2.inprogress", "");
    assert_int_equal(eventlog_open(root, &log, NULL), ST_OK);
    assert_true(eventlog_name_app_id(log, &app, &attempt));
    assert_true(str_is(app, "application_1600000000000_0007"));
    assert_true(str_is(attempt, "2"));
    assert_true(eventlog_in_progress(log));
    do {
        assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
    } while (line.p != NULL);
    eventlog_progress(log, &done, &total);
    assert_int_equal(done, 8);
    assert_int_equal(total, 8);
    eventlog_free(log);
}

static void test_bad_part_does_not_spoil_others(void **state) {
    (void)state;
    struct reading r;
    put("events_1_app-1-2.zstd", "rubbish");
    put("events_2_app-1-2.zstd", "{\"Event\":\"X\"}\n");
    read_path(root, &r);
    assert_int_equal(r.lines, 1);
    assert_int_equal(r.skips, 1);
    assert_non_null(strstr(buf_text(&r.words), "events_1_app-1-2.zstd: the name ends in .zstd"));
    reading_fini(&r);
}

// As some editors and shells write files: each part begins with a byte order mark.
static void test_marked_parts(void **state) {
    (void)state;
    struct reading r;
    put("events_1_app-1-2", "\xef\xbb\xbf{1}\n{2}\n");
    put("events_2_app-1-2", "\xef\xbb\xbf{3}");
    put("events_3_app-1-2.zstd", "\xef\xbb\xbf{4}\n");
    put("events_4_app-1-2", "\xff\xfe{");
    put("events_5_app-1-2", "{5}\n");
    read_path(root, &r);
    assert_string_equal(buf_text(&r.text), "{1}\n{2}\n{3}\n{4}\n{5}\n");
    assert_int_equal(r.skips, 1);
    assert_non_null(strstr(buf_text(&r.words), "/events_4_app-1-2: not UTF-8 text"));
    reading_fini(&r);
}

static void test_databricks_parts(void **state) {
    (void)state;
    struct reading r;
    put("eventlog", "last\n");
    put("eventlog-2021-06-14--20-00", "second\n");
    put("eventlog-2021-06-14--18-00.gz", "{first}\n");
    read_path(root, &r);
    assert_string_equal(buf_text(&r.text), "{first}\nsecond\nlast\n");
    reading_fini(&r);
}

static void test_single_log_beside_others(void **state) {
    (void)state;
    struct reading r;
    put("label.json", "{\n  \"kind\": \"data_skew\"\n}\n");
    put("notes.txt", "an \"Event\" took place\n");
    put("app-1-2", "{\"Event\":\"SparkListenerLogStart\"}\n");
    put(".app-1-2.crc", "crc");
    read_path(root, &r);
    assert_string_equal(buf_text(&r.text), "{\"Event\":\"SparkListenerLogStart\"}\n");
    reading_fini(&r);
}

static void test_unclear_folders(void **state) {
    (void)state;
    struct eventlog *log = NULL;
    struct err err = {0};
    assert_int_equal(eventlog_open(root, &log, &err), ST_SKIP);
    assert_null(log);
    assert_non_null(strstr(err.text, "holds no event log"));
    put("app-1-2", "{\"Event\":\"SparkListenerLogStart\"}\n");
    put("app-1-3", "{\"Event\":\"SparkListenerLogStart\"}\n");
    assert_int_equal(eventlog_open(root, &log, &err), ST_SKIP);
    assert_null(log);
    assert_non_null(strstr(err.text, "more than one event log (app-1-2, app-1-3)"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_eleven_parts_sort_as_numbers),
        TEST(test_missing_parts_are_named),
        TEST(test_compaction_replaces),
        TEST(test_cut_part_is_not_joined),
        TEST(test_identity_and_progress),
        TEST(test_bad_part_does_not_spoil_others),
        TEST(test_marked_parts),
        TEST(test_databricks_parts),
        TEST(test_single_log_beside_others),
        TEST(test_unclear_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
