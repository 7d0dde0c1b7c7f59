// test_config_check: names and addresses that have a form of their own: what is taken, and what is
// refused in which words.
#include "config/config_support.h"

// Loads `key: "value"` with a section around it; the mistakes, if any, are in the config.
static struct config *load_one(const char *section, const char *key, const char *value) {
    struct buf text = {0};
    buf_printf(&text, "%s: {%s: \"%s\"}\n", section, key, value);
    struct config *config = load(text.data, text.len);
    buf_fini(&text);
    return config;
}

static void expect_one(const char *section, const char *key, const char *value,
                       const char *errors) {
    struct config *config = load_one(section, key, value);
    if (strcmp(config_errors(config), errors) != 0) {
        print_message("%s.%s: %s\n", section, key, value);
    }
    assert_string_equal(config_errors(config), errors);
    config_free(config);
}

static void test_listen(void **state) {
    (void)state;
    static const char *const good[] = {
        "",          "127.0.0.1:9571",
        "0.0.0.0:0", "localhost:1",
        ":65535",    "[::1]:9571",
        "[::]:0",    "[1111:2222:3333:4444:5555:6666:255.255.255.255]:9571"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        expect_one("http", "listen", good[i], "");
    }
    static const char *const bad[] = {
        ":",           "foo",       "9571",       "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
        "127.0.0.1:x", "h:9571",    "*:9571",     "127.1:80",  "[::1]",      "[]:80",
        "[::1]x:80",   "::1:80",    "[::1%lo]:1", "[:80",      "[::1:80",    "1.2.3.4:-1",
        "1.2.3.4:-0",  "1.2.3.4: 1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf words = {0};
        buf_printf(&words,
                   "f:1: http.listen: not an address to listen on: %s; write 127.0.0.1:9571, "
                   "[::1]:9571 or :9571\n",
                   bad[i]);
        expect_one("http", "listen", bad[i], buf_text(&words));
        buf_fini(&words);
    }
}

static void test_topic_names(void **state) {
    (void)state;
    char longest[251];
    memset(longest, 'a', sizeof longest - 1);
    longest[249] = '\0';
    const char *const good[] = {"a", "A.b_c-9", "...", longest};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        expect_one("topics", "events", good[i], "");
    }
    static const char *const bad[] = {".", "..", "a b", "../x", "^spark", "a,b", "\xc3\xb6"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct config *config = load_one("topics", "dlq", bad[i]);
        struct buf begin = {0};
        buf_printf(&begin, "f:1: topics.dlq: no name for a topic: ");
        assert_int_equal(strncmp(config_errors(config), begin.data, begin.len), 0);
        buf_fini(&begin);
        config_free(config);
    }
    longest[249] = 'a';
    longest[250] = '\0';
    struct config *config = load_one("topics", "events", longest);
    assert_non_null(strstr(config_errors(config), "at most 249\n"));
    config_free(config);
}

static void test_urls(void **state) {
    (void)state;
    static const char *const good[] = {"http://a",           "https://a:1/alertmanager?x=1:2",
                                       "http://u:p@a:65535", "http://u:p:q@a",
                                       "http://[::1]:9093/", "http://[::1]",
                                       "http://a/b:c@d"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        expect_one("alertmanager", "urls", good[i], "");
    }
    static const struct {
        const char *url, *shown;
    } bad[] = {
        {"a", "a"},
        {"/a", "/a"},
        {"HTTP:a", "HTTP:a"},
        {"file:///a", "file:///a"},
        {"http://", "http://"},
        {"http://?", "http://?"},
        {"http://:80", "http://:80"},
        {"http://a:", "http://a:"},
        {"http://a:0", "http://a:0"},
        {"http://a:65536", "http://a:65536"},
        {"http://a:b", "http://a:b"},
        {"http://u:hush@", "http://[hidden]@"},
        {"http://u:hush@a:99999", "http://[hidden]@a:99999"},
        {"http://[::1", "http://[::1"},
        {"http://a b", "http://a b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf words = {0};
        buf_printf(&words, "f:1: alertmanager.urls: not a URL such as http://host:9093: %s\n",
                   bad[i].shown);
        expect_one("alertmanager", "urls", bad[i].url, buf_text(&words));
        buf_fini(&words);
    }
}

// The checks see the last good value of a setting that was refused.
static void test_refused_values_are_not_kept(void **state) {
    (void)state;
    static const char text[] = "window: {length: 0, pane: 0s}\ntopics: {dlq_enabled: x}\n"
                               "detectors: {data_skew: {ratio: 0}}\n";
    struct config *config = load(text, sizeof text - 1);
    assert_int_equal(config_int(config, "window.length"), 3600000);
    assert_int_equal(config_int(config, "window.pane"), 60000);
    assert_true(config_bool(config, "topics.dlq_enabled"));
    assert_near(config_real(config, "detectors.data_skew.ratio"), 3, 0);
    assert_string_equal(config_origin(config, "window.pane"), "default");
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_topic_names),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_refused_values_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
