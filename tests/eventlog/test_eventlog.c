// test_eventlog: how a plain log is cut into lines: line ends, limits, names, progress, standard
// input. Packing is tested in test_eventlog_codecs, folders in test_eventlog_folder.
#include "log_text.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOM "\xef\xbb\xbf"

static void read_bytes(const char *text, size_t len, size_t chunk, struct reading *r) {
    struct eventlog *log = NULL;
    assert_int_equal(eventlog_open_memory("log", text, len, chunk, &log, NULL), ST_OK);
    read_all(log, r);
}

static void test_line_ends(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"\n", ""},
        {"\r\n\r\n\n", ""},
        {"a", "a\n"},
        {"a\n", "a\n"},
        {"a\r\n", "a\n"},
        {"a\nb", "a\nb\n"},
        {"a\r\n\r\nb\r\n", "a\nb\n"},
        {"\n\na\n\n\nb\n\n", "a\nb\n"},
        {"a\rb\n", "a\rb\n"},
        {"a\r\r\n", "a\r\n"},
        {"a\r", "a\n"},
        {"\r", ""},
        // a byte order mark, also where a second file begins, and what only looks like one
        {BOM "a\nb\n", "a\nb\n"},
        {BOM "a", "a\n"},
        {BOM "\r\n" BOM "a\n" BOM "b\n", "a\nb\n"},
        {BOM BOM "a\n", BOM "a\n"},
        {"a" BOM "\n", "a" BOM "\n"},
        {"\xef\xbb\n", "\xef\xbb\n"},
        {BOM, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t chunk = 1; chunk < 8; chunk++) {
            struct reading r;
            read_bytes(cases[i].in, strlen(cases[i].in), chunk, &r);
            assert_string_equal(buf_text(&r.text), cases[i].out);
            assert_int_equal(r.skips, 0);
            reading_fini(&r);
        }
    }
}

static void test_cut_is_the_last_lines(void **state) {
    (void)state;
    static const struct {
        const char *in;
        bool cut;
    } cases[] = {{"", false}, {"a\n", false}, {"a\nb", true}, {"a\n\n", false}, {"a\r", true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct eventlog *log = NULL;
        struct str line;
        size_t len = strlen(cases[i].in);
        assert_int_equal(eventlog_open_memory("log", cases[i].in, len, 64, &log, NULL), ST_OK);
        do {
            assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
        } while (line.p != NULL);
        assert_int_equal(eventlog_cut(log), cases[i].cut);
        assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK); // the end stays the end
        assert_null(line.p);
        eventlog_free(log);
    }
}

static void test_nul_bytes_are_text(void **state) {
    (void)state;
    struct reading r;
    read_bytes("a\0b\n\0\n", 6, 3, &r);
    assert_int_equal(r.text.len, 6);
    assert_memory_equal(r.text.data, "a\0b\n\0\n", 6);
    reading_fini(&r);
}

// UTF-16 in both orders, with its mark and without, is said once and gives no line, whatever comes
// at once; so is a device that gives NULs.
static void test_other_encodings(void **state) {
    (void)state;
#define TEXT(bytes)                                                                                \
    { bytes, sizeof(bytes) - 1 }
    static const struct str texts[] = {
        TEXT("\xff\xfe{\0\"\0E\0\n\0{\0}\0\n\0"),
        TEXT("\xfe\xff\0{\0\"\0E\0\n\0{\0}\0\n"),
        TEXT("{\0\"\0E\0\n\0"),
        TEXT("\0{\0\"\0E\0\n"),
        TEXT("\0\0\0\0\0\0\0\0"),
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t chunk = 1; chunk < 8; chunk++) {
            struct reading r;
            read_bytes(texts[i].p, texts[i].len, chunk, &r);
            assert_int_equal(r.lines, 0);
            assert_string_equal(buf_text(&r.words),
                                "log: not UTF-8 text, UTF-16 perhaps: convert it first, as with "
                                "iconv -f UTF-16 -t UTF-8\n");
            reading_fini(&r);
        }
    }
}

// Every length around the limit and the reading size, with and without CR and final line end.
static void test_limit_is_exact(void **state) {
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", ""};
    for (size_t limit = 1; limit <= 40; limit += 13) {
        for (size_t len = 1; len <= 60; len++) {
            for (size_t chunk = 1; chunk <= 64; chunk = chunk * 2 + 1) {
                for (size_t e = 0; e < ARRAY_LEN(ends); e++) {
                    struct buf text = {0};
                    struct eventlog *log = NULL;
                    struct reading r;
                    buf_printf(&text, "%.*s%s", (int)len,
                               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                               ends[e]);
                    if (ends[e][0] != '\0') {
                        buf_add_text(&text, "y\n");
                    }
                    assert_int_equal(
                        eventlog_open_memory("log", text.data, text.len, chunk, &log, NULL), ST_OK);
                    eventlog_set_max_line(log, limit);
                    read_all(log, &r);
                    bool more = ends[e][0] != '\0';
                    assert_int_equal(r.long_lines, len > limit);
                    assert_int_equal(r.lines, (len <= limit) + more);
                    assert_int_equal(r.skips, 0);
                    reading_fini(&r);
                    buf_fini(&text);
                }
            }
        }
    }
}

static void test_line_of_33_mib(void **state) {
    (void)state;
    size_t big = (size_t)33 << 20;
    struct buf text = {0};
    buf_add_text(&text, "first\n{\"Event\":\"Big\",");
    char *at = buf_reserve(&text, big);
    memset(at, 'x', big);
    text.len += big;
    buf_add_text(&text, "\nlast\n");
    struct eventlog *log = NULL;
    struct str line;
    struct err err;
    assert_int_equal(eventlog_open_memory("log", text.data, text.len, INPUT_READ_BYTES, &log, NULL),
                     ST_OK);
    assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
    assert_true(str_is(line, "first"));
    assert_int_equal(eventlog_next(log, &line, NULL, &err), ST_SKIP);
    assert_int_equal(line.len, EVENTLOG_HEAD_BYTES);
    assert_memory_equal(line.p, text.data + 6, EVENTLOG_HEAD_BYTES);
    assert_string_equal(err.text, "log: a line is longer than 33554432 bytes");
    assert_int_equal(eventlog_long_lines(log), 1);
    assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
    assert_true(str_is(line, "last"));
    assert_false(eventlog_cut(log));
    eventlog_free(log);
    buf_fini(&text);
}

static void test_line_of_31_mib_is_whole(void **state) {
    (void)state;
    struct buf text = {0};
    size_t big = (size_t)31 << 20;
    memset(buf_reserve(&text, big), 'x', big);
    text.len = big;
    struct reading r;
    read_bytes(text.data, text.len, INPUT_READ_BYTES, &r);
    assert_int_equal(r.lines, 1);
    assert_int_equal(r.text.len, big + 1);
    reading_fini(&r);
    buf_fini(&text);
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *path, *app, *attempt;
        bool known, in_progress;
    } cases[] = {
        {"/a/local-1596020211915", "local-1596020211915", "", true, false},
        {"app-20200706201101-0003.zstd", "app-20200706201101-0003", "", true, false},
        {"application_1516285256255_0012", "application_1516285256255_0012", "", true, false},
        {"application_1516285256255_0012_1.lz4.inprogress", "application_1516285256255_0012", "1",
         true, true},
        {"spark-0123456789abcdef0123456789abcdef.snappy", "spark-0123456789abcdef0123456789abcdef",
         "", true, false},
        {"spark-application-1600000000000.gz", "spark-application-1600000000000", "", true, false},
        {"events_12_application_1_2_3.zstd.compact", "application_1_2", "3", true, false},
        {"events_2_local-1623876083964", "local-1623876083964", "", true, false},
        {"eventlog_v2_local-1623876083964", "local-1623876083964", "", true, false},
        {"/x/eventlog_v2_app-1-2_4", "app-1-2", "4", true, false},
        {"events.jsonl.zst", "events.jsonl", "", false, false},
        {"local-12x", "local-12x", "", false, false},
        {"app-1-2_3_4", "app-1-2_3_4", "", false, false},
        {"my log.inprogress", "my log", "", false, true},
        {".zst", ".zst", "", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct eventlog *log = NULL;
        struct str app, attempt;
        assert_int_equal(eventlog_open_memory(cases[i].path, "", 0, 64, &log, NULL), ST_OK);
        assert_int_equal(eventlog_name_app_id(log, &app, &attempt), cases[i].known);
        assert_true(str_is(app, cases[i].app));
        assert_true(str_is(attempt, cases[i].attempt));
        assert_int_equal(eventlog_in_progress(log), cases[i].in_progress);
        assert_string_equal(eventlog_name(log), cases[i].path);
        eventlog_free(log);
    }
}

static void test_missing_and_unreadable(void **state) {
    (void)state;
    struct eventlog *log = NULL;
    struct err err = {0};
    assert_int_equal(eventlog_open("/nonexistent/log", &log, &err), ST_SKIP);
    assert_null(log);
    assert_string_equal(err.text, "/nonexistent/log: No such file or directory");
}

static void make_pipe(char *root, char *path, size_t size) {
    assert_non_null(mkdtemp(root));
    snprintf(path, size, "%s/pipe", root);
    assert_int_equal(mkfifo(path, 0600), 0);
}

// What is neither a file nor a pipe gives no end, and a pipe that nobody writes to gives nothing.
static void test_no_files(void **state) {
    (void)state;
    char root[] = "/tmp/stoker-eventlog-XXXXXX", path[64], words[128];
    struct eventlog *log = NULL;
    struct err err = {0};
    assert_int_equal(eventlog_open("/dev/zero", &log, &err), ST_SKIP);
    assert_null(log);
    assert_string_equal(err.text, "/dev/zero: neither a file nor a pipe");
    make_pipe(root, path, sizeof path);
    assert_int_equal(eventlog_open(path, &log, &err), ST_SKIP);
    assert_null(log);
    snprintf(words, sizeof words, "%s: a named pipe, and nobody writes to it", path);
    assert_string_equal(err.text, words);
    unlink(path);
    rmdir(root);
}

// A named pipe is read to its end, although its writer comes later than the reader and is slow.
static void test_named_pipe(void **state) {
    (void)state;
    char root[] = "/tmp/stoker-eventlog-XXXXXX", path[64];
    struct buf text = {0};
    make_pipe(root, path, sizeof path);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY); // waits for the reader
        bool good = fd >= 0 && write(fd, "one\nt", 5) == 5;
        for (int tick = 0; tick < 20; tick++) {
            sched_yield();
        }
        _exit(good && write(fd, "wo\n", 3) == 3 ? 0 : 1);
    }
    struct eventlog *log = NULL;
    struct err err = {0};
    struct str line;
    assert_int_equal(eventlog_open(path, &log, &err), ST_OK);
    enum status status;
    do {
        status = eventlog_next(log, &line, NULL, &err);
        assert_true(status == ST_OK || status == ST_RETRY);
        if (line.p != NULL) {
            buf_printf(&text, "%.*s\n", (int)line.len, line.p);
        }
    } while (line.p != NULL || status == ST_RETRY);
    assert_string_equal(buf_text(&text), "one\ntwo\n");
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    eventlog_free(log);
    buf_fini(&text);
    unlink(path);
    rmdir(root);
}

static void test_progress(void **state) {
    (void)state;
    char path[] = "/tmp/stoker-eventlog-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct buf text = {0};
    make_codec_text(&text);
    write_file(path, text.data, text.len);
    struct eventlog *log = NULL;
    struct str line;
    uint64_t done = 1, total = 0;
    assert_int_equal(eventlog_open(path, &log, NULL), ST_OK);
    eventlog_progress(log, &done, &total);
    assert_true(done <= INPUT_SNIFF_BYTES);
    assert_int_equal(total, text.len);
    do {
        assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
    } while (line.p != NULL);
    eventlog_progress(log, &done, &total);
    assert_int_equal(done, text.len);
    eventlog_free(log);
    unlink(path);
    buf_fini(&text);
}

// "-" reads whatever standard input is, packed too, and knows no total.
static void test_standard_input(void **state) {
    (void)state;
    struct buf text = {0};
    struct reading r;
    uint64_t done, total;
    struct str app, attempt;
    make_codec_text(&text);
    int keep = dup(STDIN_FILENO);
    assert_non_null(freopen(FIXTURES "/codecs/spark.lz4", "rb", stdin));
    struct eventlog *log = NULL;
    assert_int_equal(eventlog_open("-", &log, NULL), ST_OK);
    assert_string_equal(eventlog_name(log), "stdin");
    assert_false(eventlog_name_app_id(log, &app, &attempt));
    assert_int_equal(app.len, 0);
    eventlog_progress(log, &done, &total);
    assert_int_equal(total, 0);
    read_all(log, &r);
    assert_string_equal(buf_text(&r.text), buf_text(&text));
    assert_int_equal(r.skips, 0);
    dup2(keep, STDIN_FILENO);
    close(keep);
    reading_fini(&r);
    buf_fini(&text);
}

static void on_alarm(int signal_number) {
    (void)signal_number;
}

// A signal ends the wait for input, nothing is lost, and the same call goes on.
static void test_signal_ends_the_wait(void **state) {
    (void)state;
    int ends[2], keep = dup(STDIN_FILENO);
    struct sigaction act = {.sa_handler = on_alarm}, old;
    struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    struct eventlog *log = NULL;
    struct str line;
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    sigaction(SIGALRM, &act, &old);
    setitimer(ITIMER_REAL, &every, NULL);
    assert_int_equal(eventlog_open("-", &log, NULL), ST_OK);
    assert_int_equal(write(ends[1], "on", 2), 2);
    assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_RETRY);
    assert_int_equal(write(ends[1], "e\ntwo", 5), 5);
    close(ends[1]);
    enum status status;
    do {
        status = eventlog_next(log, &line, NULL, NULL);
    } while (status == ST_RETRY);
    assert_true(str_is(line, "one"));
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_int_equal(eventlog_next(log, &line, NULL, NULL), ST_OK);
    assert_true(str_is(line, "two"));
    eventlog_free(log);
    dup2(keep, STDIN_FILENO);
    close(keep);
    close(ends[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_cut_is_the_last_lines),
        cmocka_unit_test(test_nul_bytes_are_text),
        cmocka_unit_test(test_other_encodings),
        cmocka_unit_test(test_limit_is_exact),
        cmocka_unit_test(test_line_of_33_mib),
        cmocka_unit_test(test_line_of_31_mib_is_whole),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_missing_and_unreadable),
        cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_named_pipe),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_signal_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
