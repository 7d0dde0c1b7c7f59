// test_follow_folders: what is found in the folders that are followed, what is passed over, what
// it costs, and whose turn it is.
#include "follow_text.h"

#include <dlfcn.h>
#include <sys/wait.h>

#include "eventlog/follow_priv.h"

// What the follower asks of the file system, counted.
static unsigned long stats, opens, listings;

int stat(const char *path, struct stat *st) {
    static int (*real)(const char *, struct stat *);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "stat");
    }
    stats++;
    return real(path, st);
}

int open(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "open");
    }
    opens++;
    return real(path, flags, mode);
}

DIR *opendir(const char *path) {
    static DIR *(*real)(const char *);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "opendir");
    }
    listings++;
    return real(path);
}

static void mk(const char *name) {
    assert_int_equal(mkdir(at(name), 0755), 0);
}

static bool has(const struct tail *t, const char *name) {
    for (size_t i = 0; i < t->len; i++) {
        if (strcmp(t->came[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *file, *log, *id, *attempt;
        bool known;
    } cases[] = {
        {"application_1234_0001", "application_1234_0001", "application_1234_0001", "", true},
        {"application_1234_0002_1.zstd", "application_1234_0002_1", "application_1234_0002", "1",
         true},
        {"local-1600000000000.lz4.inprogress", "local-1600000000000", "local-1600000000000", "",
         true},
        {"app-20210601-0001_2", "app-20210601-0001_2", "app-20210601-0001", "2", true},
        {"spark-0123456789abcdef0123456789abcdef", "spark-0123456789abcdef0123456789abcdef",
         "spark-0123456789abcdef0123456789abcdef", "", true},
        {"my_own_app_1", "my_own_app_1", "my_own_app_1", "", false},
        {"two\nlines", "two\nlines", "two\nlines", "", false},
        {"\xc3\xbcml\xc3\xa4ut \xf0\x9f\x94\xa5", "\xc3\xbcml\xc3\xa4ut \xf0\x9f\x94\xa5",
         "\xc3\xbcml\xc3\xa4ut \xf0\x9f\x94\xa5", "", false},
        {"not \xff UTF-8", "not \xff UTF-8", "not \xff UTF-8", "", false},
        {"a:b%s%n", "a:b%s%n", "a:b%s%n", "", false},
    };
    struct tail t = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        put(cases[i].file, "{log start}\n");
    }
    start(&t);
    take_all(&t);
    start(&t);
    take_all(&t);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(has(&t, cases[i].log));
        struct came *c = came_of(&t, cases[i].log);
        assert_int_equal(c->known_form, cases[i].known);
        assert_string_equal(c->id, cases[i].id);
        assert_string_equal(c->attempt, cases[i].attempt);
    }
    for (size_t i = 0; i < t.len; i++) {
        assert_string_equal(buf_text(&t.came[i].text),
                            t.came[i].text.len > 0 ? "{log start}\n" : "");
    }
    assert_int_equal(t.len, ARRAY_LEN(cases));
    stop(&t);
}

static void test_what_is_no_log(void **state) {
    (void)state;
    static const char *const others[] = {
        ".hidden",     "_SUCCESS", "_tmp",        ".local-1.crc", "local-1.crc",
        "local-1.tmp", "log~",     "x._COPYING_", "a.filepart",   "events.swp",
    };
    struct tail t = {0};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        put(others[i], "{log start}\n");
    }
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    assert_int_equal(symlink(at("nowhere"), at("dangling")), 0);
    assert_int_equal(symlink(root, at("loop")), 0);
    mk("folder");
    put("folder/local-2", "{log start}\n");
    put("local-1", "{log start}\n");
    assert_int_equal(symlink(at("local-1"), at("link")), 0);
    put("empty", "");
    start(&t);
    take_all(&t);
    assert_string_equal(text_of(&t, "local-1"), "{log start}\n");
    assert_string_equal(text_of(&t, "link"), "{log start}\n");
    assert_int_equal(came_of(&t, "empty")->ended, 1);
    assert_int_equal(t.len, 3);
    assert_string_equal(buf_text(&t.words), "");
    stop(&t);
}

static void test_options(void **state) {
    (void)state;
    static const struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    mk("a");
    mk("a/b");
    mk("a/b/c");
    mk("a/eventlog_v2_local-5");
    put("a/eventlog_v2_local-5/events_1_local-5", "{log start}\n");
    put("a/local-1", "{log start}\n");
    put("a/b/local-2", "{log start}\n");
    put("a/b/c/local-3", "{log start}\n");
    put("local-0", "{log start}\n");
    put("app-1-1", "{log start}\n");
    assert_int_equal(utimensat(AT_FDCWD, at("local-0"), old, 0), 0);
    struct tail t = {.options = {.depth = 2, .pattern = "*local-*", .since_ms = 1100000000000}};
    start(&t);
    take_all(&t);
    assert_true(has(&t, "a/local-1") && has(&t, "a/b/local-2"));
    assert_true(has(&t, "a/eventlog_v2_local-5"));
    assert_int_equal(t.len, 3);
    add("local-0", "{one}\n"); // it is not that old any more
    take_all(&t);
    assert_string_equal(text_of(&t, "local-0"), "{log start}\n{one}\n");
    stop(&t);
}

// A file is followed alone, through its renaming; a folder of parts may be given itself.
static void test_given_themselves(void **state) {
    (void)state;
    char file[1024], folder[1024];
    put("local-1.inprogress", "{log start}\n");
    put("local-2", "{log start}\n");
    mk("eventlog_v2_local-5_3");
    put("eventlog_v2_local-5_3/events_1_local-5_3", "{log start}\n{one}\n");
    snprintf(file, sizeof file, "%s", at("local-1.inprogress"));
    snprintf(folder, sizeof folder, "%s", at("eventlog_v2_local-5_3"));
    struct tail t = {.dirs = {file, folder}, .dirs_len = 2};
    start(&t);
    take_all(&t);
    add("local-1.inprogress", "{one}\n{rest}");
    rename_log("local-1.inprogress", "local-1");
    take_all(&t);
    assert_string_equal(text_of(&t, "local-1"), "{log start}\n{one}\n{rest}\n");
    assert_string_equal(text_of(&t, "eventlog_v2_local-5_3"), "{log start}\n{one}\n");
    assert_string_equal(came_of(&t, "eventlog_v2_local-5_3")->attempt, "3");
    assert_int_equal(t.len, 2);
    const char *twice[] = {root, at("eventlog_v2_local-5_3/..")};
    struct follower *f = NULL;
    struct err err = {0};
    assert_int_equal(follower_new(twice, 2, &t.options, &f, &err), ST_SKIP);
    assert_non_null(strstr(err.text, "is given twice"));
    assert_null(f);
    stop(&t);
}

// A folder that cannot be read says so once, and takes no log for gone.
static void test_a_folder_comes_and_goes(void **state) {
    (void)state;
    char dir[1024];
    snprintf(dir, sizeof dir, "%s", at("logs"));
    struct tail t = {.dirs = {dir}, .dirs_len = 1};
    start(&t);
    for (int i = 0; i < 5; i++) {
        take_all(&t);
    }
    mk("logs");
    mk("logs/eventlog_v2_local-5");
    put("logs/local-1.inprogress", "{log start}\n");
    put("logs/eventlog_v2_local-5/events_1_local-5", "{log start}\n");
    take_all(&t);
    assert_string_equal(text_of(&t, "local-1"), "{log start}\n");
    rename_log("logs", "elsewhere");
    add("elsewhere/local-1.inprogress", "{one}\n");
    for (int i = 0; i < 5; i++) {
        take_all(&t);
    }
    rename_log("elsewhere", "logs");
    add("logs/local-1.inprogress", "{two}\n");
    take_all(&t);
    assert_string_equal(text_of(&t, "local-1"), "{log start}\n{one}\n{two}\n");
    assert_string_equal(text_of(&t, "eventlog_v2_local-5"), "{log start}\n");
    assert_int_equal(came_of(&t, "local-1")->gone + came_of(&t, "eventlog_v2_local-5")->gone, 0);
    struct buf want = {0};
    buf_printf(&want, "%s: No such file or directory\n%s: No such file or directory\n", dir, dir);
    assert_string_equal(buf_text(&t.words), buf_text(&want));
    buf_fini(&want);
    stop(&t);
}

// A folder of parts that is removed takes its log with it, and only that.
static void test_a_rolled_log_is_removed(void **state) {
    (void)state;
    struct tail t = {0};
    mk("eventlog_v2_local-5");
    put("eventlog_v2_local-5/events_1_local-5", "{log start}\n");
    put("local-1", "{log start}\n");
    start(&t);
    take_all(&t);
    remove_below(at("eventlog_v2_local-5"));
    assert_int_equal(rmdir(at("eventlog_v2_local-5")), 0);
    for (int i = 0; i < 5; i++) {
        take_all(&t);
    }
    assert_int_equal(came_of(&t, "eventlog_v2_local-5")->gone, 1);
    assert_int_equal(came_of(&t, "local-1")->gone, 0);
    stop(&t);
}

// What may not be read is said once and read when it may.
static void test_unreadable(void **state) {
    (void)state;
    struct tail t = {0};
    bool is_root = geteuid() == 0;
    put("local-1.inprogress", "{log start}\n");
    put("local-2.inprogress", "{log start}\n");
    assert_int_equal(chmod(at("local-1.inprogress"), 0), 0);
    assert_int_equal(chmod(root, 0755), 0);
    if (is_root) {
        assert_int_equal(seteuid(65534), 0);
    }
    start(&t);
    for (int i = 0; i < 5; i++) {
        take_all(&t);
    }
    assert_string_equal(text_of(&t, "local-2"), "{log start}\n");
    assert_string_equal(text_of(&t, "local-1"), "");
    assert_int_equal(came_of(&t, "local-1")->trouble, 1);
    assert_non_null(strstr(buf_text(&t.words), "local-1.inprogress: Permission denied"));
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(chmod(at("local-1.inprogress"), 0644), 0);
    take_all(&t);
    assert_string_equal(text_of(&t, "local-1"), "{log start}\n");
    stop(&t);
}

// A large log that lies there does not keep one that grows waiting, nor many small ones.
static void test_turns(void **state) {
    (void)state;
    struct tail t = {0};
    struct buf large = {0};
    while (large.len < (size_t)16 << 20) {
        buf_add_text(&large, "{\"Event\":\"SparkListenerTaskEnd\",\"of\":\"a large log\"}\n");
    }
    append("app-1-1", large.data, large.len);
    append("app-1-2", large.data, large.len);
    put("app-1-3.inprogress", "{log start}\n");
    start(&t);
    size_t before = 0;
    while (came_of(&t, "app-1-3")->text.len == 0) {
        assert_true(take_item(&t));
    }
    before = came_of(&t, "app-1-1")->text.len + came_of(&t, "app-1-2")->text.len;
    assert_true(before <= (size_t)1 << 20);
    // All the others get their share.
    while (came_of(&t, "app-1-1")->text.len < (size_t)8 << 20) {
        assert_true(take_item(&t));
    }
    size_t other = came_of(&t, "app-1-2")->text.len;
    assert_true(other > (size_t)7 << 20 && other < (size_t)9 << 20);
    struct follow_progress p;
    follower_progress(t.f, &p);
    assert_int_equal(p.logs, 3);
    assert_int_equal(p.unread, 2);
    assert_int_equal(p.growing, 3);
    assert_int_equal(p.known_bytes, 2 * large.len + 12);
    assert_true(p.read_bytes >= ((size_t)15 << 20) && p.read_bytes <= ((size_t)18 << 20));
    assert_true(p.oldest_unread_ms > 1600000000000);
    take_all(&t);
    follower_progress(t.f, &p);
    assert_int_equal(p.unread, 0);
    assert_int_equal(p.growing, 1);
    assert_true(p.read_bytes == p.known_bytes && p.oldest_unread_ms == 0);
    buf_fini(&large);
    stop(&t);
}

static unsigned open_files(void) {
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

// Growing logs that are more than may be open: no more files than allowed, and no line lost.
static void test_open_files(void **state) {
    (void)state;
    struct tail t = {.options = {.max_open = 5}};
    char name[64];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "local-%d.inprogress", i);
        put(name, "{log start}\n");
    }
    unsigned before = open_files();
    start(&t);
    for (int round = 0; round < 3; round++) {
        while (take_item(&t)) {
            assert_true(open_files() <= before + 5);
        }
        for (int i = 0; i < 40; i++) {
            snprintf(name, sizeof name, "local-%d.inprogress", i);
            add(name, "{one more}\n");
        }
    }
    take_all(&t);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "local-%d", i);
        assert_string_equal(text_of(&t, name), "{log start}\n{one more}\n{one more}\n{one more}\n");
    }
    stop(&t);
}

enum { MANY = 4000 };

// Thousands of logs that have ended and were read: none is opened, and in ten minutes of looking
// each second each is looked at once or twice. One that changes is seen within a second.
static void test_many_logs(void **state) {
    (void)state;
    static const struct timespec old[2] = {{1700000000, 0}, {1700000000, 0}};
    const struct follow_options options = {.poll_ms = 1000, .settle_ms = 1000, .max_open = 64};
    const char *dirs[] = {root};
    struct watch w;
    watch_init(&w, dirs, 1, &options);
    for (int i = 0; i < MANY; i++) {
        char name[64];
        snprintf(name, sizeof name, "application_1_%d", i);
        put(name, "{log start}\n");
        assert_int_equal(utimensat(AT_FDCWD, at(name), old, 0), 0);
        const struct follow_position ended = {
            .text_bytes = 12, .seen_bytes = 12, .seen_ms = 1700000000000, .ended = true};
        assert_true(watch_expect(&w, root, name, &ended));
    }
    put("local-1.inprogress", "{log start}\n");
    assert_int_equal(utimensat(AT_FDCWD, root, old, 0), 0);
    stats = opens = listings = 0;
    watch_look(&w, 1000);
    assert_int_equal(w.ready_len, 1);
    assert_in_range(stats, MANY, MANY + 10);
    stats = 0;
    for (int64_t ms = 2000; ms <= 600000; ms += 1000) {
        watch_look(&w, ms);
    }
    assert_int_equal(opens, 0);
    assert_int_equal(w.ready_len, 1);
    assert_in_range(stats, 1, (unsigned long)MANY * 2 + 600 * 2);
    assert_in_range(listings, 1, 12);
    put("application_1_new", "{log start}\n");
    watch_look(&w, 601000);
    assert_int_equal(w.ready_len, 2);
    watch_fini(&w);
}

// Another process writes, as Spark does, while this one follows.
static void test_another_process(void **state) {
    (void)state;
    enum { LOGS = 3, LINES = 3000 };
    pid_t child = fork();
    if (child == 0) {
        FILE *f[LOGS];
        char name[64], to[1024];
        for (int i = 0; i < LOGS; i++) {
            snprintf(name, sizeof name, "local-%d.inprogress", i);
            f[i] = fopen(at(name), "w");
        }
        for (int n = 0; n < LINES; n++) {
            fprintf(f[n % LOGS], "{\"line\":%d}\n", n);
            if (n % 97 == 0) {
                fflush(f[n % LOGS]);
            }
        }
        for (int i = 0; i < LOGS; i++) {
            fclose(f[i]);
            snprintf(name, sizeof name, "local-%d.inprogress", i);
            snprintf(to, sizeof to, "local-%d", i);
            rename(at(name), at(to));
        }
        _exit(0);
    }
    // One that is seen first when it has its last name is taken for whole once it is quiet.
    struct follow_options options = {.poll_ms = 1, .settle_ms = 1};
    const char *dirs[] = {root};
    struct follower *f = NULL;
    int next[LOGS] = {0, 1, 2}, ended = 0;
    assert_int_equal(follower_new(dirs, 1, &options, &f, NULL), ST_OK);
    while (ended < LOGS) {
        struct follow_item item;
        follower_next(f, 60000, &item);
        assert_int_not_equal(item.kind, FOLLOW_IDLE); // nothing for a minute
        int log = item.log->name[6] - '0';
        ended += item.kind == FOLLOW_ENDED;
        if (item.kind == FOLLOW_LINE) {
            char want[64];
            snprintf(want, sizeof want, "{\"line\":%d}", next[log]);
            assert_true(str_is(item.line, want));
            next[log] += LOGS;
        }
    }
    for (int i = 0; i < LOGS; i++) {
        assert_int_equal(next[i], LINES + i);
    }
    follower_free(f);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

#define FOLDERS(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDERS(test_names),
        FOLDERS(test_what_is_no_log),
        FOLDERS(test_options),
        FOLDERS(test_given_themselves),
        FOLDERS(test_a_folder_comes_and_goes),
        FOLDERS(test_a_rolled_log_is_removed),
        FOLDERS(test_unreadable),
        FOLDERS(test_turns),
        FOLDERS(test_open_files),
        FOLDERS(test_many_logs),
        FOLDERS(test_another_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
