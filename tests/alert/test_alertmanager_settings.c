// test_alertmanager_settings: settings the alert door refuses, and that credentials are sent but
// never logged or shown.
#include "support/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "alert/alertmanager.h"
#include "alert/fake_alertmanager.h"
#include "base/log.h"

static void settings_that_cannot_work_are_refused(void **state) {
    (void)state;
    const struct {
        struct alertmanager_settings settings;
        const char *words;
    } cases[] = {
        {{.username = "u", .bearer = "t"}, "exclude each other"},
        {{.bearer = "t\nX-Evil: 1"}, "control character"},
        {{.ca_file = "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
        {{.urls = (const char *[]){"file:///etc/passwd"}, .url_count = 1}, "urls[0]: not a URL"},
        {{.urls = (const char *[]){"http://u:geheim@ bad"}, .url_count = 1}, "urls[0]: not a URL"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct alertmanager *am = NULL;
        struct err err = {0};
        assert_int_equal(alertmanager_new(&cases[i].settings, &am, &err), ST_FATAL);
        assert_non_null(strstr(err.text, cases[i].words));
        assert_null(strstr(err.text, "geheim"));
    }
    struct alertmanager *off = NULL;
    struct alertmanager_settings none = {0};
    struct buf health = {0};
    assert_int_equal(alertmanager_new(&none, &off, NULL), ST_OK);
    tell(off, "a", 0);
    assert_true(alertmanager_health(off, &health));
    assert_string_equal(buf_text(&health), "");
    alertmanager_free(off);
    alertmanager_free(NULL);
}

// Everything the door logs and shows while it sends with `settings` and is answered 401.
static void run_and_listen(struct alertmanager_settings *settings, struct fake *fake,
                           const char *header, struct buf *said) {
    char path[] = "/tmp/stoker-test-XXXXXX";
    int file = mkstemp(path), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    unlink(path);
    dup2(file, STDERR_FILENO);
    log_configure(LOG_DEBUG, LOG_LOGFMT);
    struct alertmanager *am = NULL;
    struct err err = {0};
    enum status status = alertmanager_new(settings, &am, &err);
    assert_int_equal(status, ST_OK);
    fake_set(fake, 401, "who are you?", false);
    size_t before = fake_count(fake);
    tell(am, "a", 0);
    json_decref(fake_wait(fake, before + 1));
    wait_health(am, "who are you?");
    alertmanager_health(am, said);
    alertmanager_free(am);
    dup2(saved, STDERR_FILENO);
    close(saved);
    pthread_mutex_lock(&fake->lock);
    assert_non_null(strstr(fake->head.data, header)); // it was really used
    pthread_mutex_unlock(&fake->lock);
    char *log = buf_reserve(said, 65536);
    ssize_t len = pread(file, log, 65536, 0);
    assert_true(len > 0);
    said->len += (size_t)len;
    said->data[said->len] = '\0';
    close(file);
}

static void secrets_are_sent_but_never_shown(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    struct buf url = {0}, said = {0};
    buf_printf(&url, "http://heinz:geheim@%s/x?token=geheim", fake->url + strlen("http://"));
    struct alertmanager_settings cases[] = {
        {.username = "heinz", .password = "geheim"}, {.bearer = "geheim"}, {0}};
    // base64 of heinz:geheim
    static const char *const headers[] = {"Authorization: Basic aGVpbno6Z2VoZWlt\n",
                                          "Authorization: Bearer geheim\n",
                                          "Authorization: Basic aGVpbno6Z2VoZWlt\n"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *urls[] = {i == 2 ? url.data : fake->url};
        cases[i].urls = urls;
        cases[i].url_count = 1;
        run_and_listen(&cases[i], fake, headers[i], &said);
    }
    assert_non_null(strstr(said.data, "event=alertmanager_failed url=http://127.0.0.1:"));
    assert_non_null(strstr(said.data, "class=forbidden status=401 text=\"who are you?\""));
    assert_null(strstr(said.data, "geheim"));
    assert_null(strstr(said.data, "aGVpbno6Z2VoZWlt"));
    assert_null(strstr(said.data, "heinz"));
    buf_fini(&url);
    buf_fini(&said);
    fake_free(fake);
}

int main(void) {
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_that_cannot_work_are_refused),
        cmocka_unit_test(secrets_are_sent_but_never_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
