// test_url: what is a URL, what is asked and what is shown of it.
#include "net/url.h"
#include "support/test.h"

static void what_is_asked_and_what_is_shown(void **state) {
    (void)state;
    static const struct {
        const char *text, *below, *target, *shown;
    } cases[] = {
        {"http://a", "", "http://a/", "http://a/"},
        {"http://a", "/-/ready", "http://a/-/ready", "http://a/"},
        {"https://a:1/am/", "/api", "https://a:1/am/api", "https://a:1/am/"},
        {"http://a/b//", "/c", "http://a/b/c", "http://a/b//"},
        {"HTTP://a/B", "", "http://a/B", "http://a/B"},
        {"http://u:hush:er@a:65535/x?token=hush#hush", "/y",
         "http://u:hush:er@a:65535/x/y?token=hush", "http://a:65535/x"},
        {"http://[::1]:9093/", "", "http://[::1]:9093/", "http://[::1]:9093/"},
        {"http://a/b:c@d?e:", "", "http://a/b:c@d?e:", "http://a/b:c@d"},
        {"http://a/\xC2\x9Bx", "", "http://a/\xC2\x9Bx", "http://a/\\xc2\\x9bx"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url url;
        struct err err;
        assert_int_equal(url_parse(cases[i].text, cases[i].below, &url, &err), ST_OK);
        assert_string_equal(url.target, cases[i].target);
        assert_string_equal(url.shown, cases[i].shown);
        url_fini(&url);
        url_fini(&url);
    }
}

static void what_is_no_url_is_not_repeated(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "h:9093",
                                      "/a",
                                      "HTTP:a",
                                      "file:///a",
                                      "ftp://a",
                                      "smtp://hush@h",
                                      "http://",
                                      "http://?",
                                      "http://:80",
                                      "http:/a",
                                      "http:///a",
                                      "http://a:",
                                      "http://a:/x",
                                      "http://a:0",
                                      "http://a:65536",
                                      "http://a:b",
                                      "http://u:hush@",
                                      "http://u:hush@a:99999",
                                      "http://[::1",
                                      "http://[::1]x/",
                                      "http://a b",
                                      "http://a/ b",
                                      "http://a/\x01",
                                      "http://u:hush@ bad"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct url url;
        struct err err;
        assert_int_equal(url_parse(bad[i], "/x", &url, &err), ST_FATAL);
        assert_string_equal(err.text, "not a URL of the form http://host:port/path");
        assert_null(url.target);
        assert_null(url.shown);
    }
}

static void a_path_can_be_hidden(void **state) {
    (void)state;
    static const char *const urls[][2] = {
        {"https://u:hush@hooks:8443/services/HUSH?k=HUSH", "https://hooks:8443/..."},
        {"http://[::1]:80/HUSH", "http://[::1]:80/..."},
        {"http://a", "http://a/..."},
    };
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct url url;
        struct err err;
        assert_int_equal(url_parse(urls[i][0], "", &url, &err), ST_OK);
        url_hide_path(&url);
        assert_string_equal(url.shown, urls[i][1]);
        url_hide_path(&url); // twice is once
        assert_string_equal(url.shown, urls[i][1]);
        url_fini(&url);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_and_what_is_shown),
        cmocka_unit_test(what_is_no_url_is_not_repeated),
        cmocka_unit_test(a_path_can_be_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
