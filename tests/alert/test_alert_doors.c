// test_alert_doors: the table of doors, that each gets the same alerts in its own form, what labels
// become, settings that are refused, and that credentials are sent but never logged or shown.
#include "support/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "alert/alert_doors.h"
#include "alert/fake_alertmanager.h"
#include "base/log.h"
#include "commands/setup.h"

// A door that only this test has: one alert a request, in a form of its own.
static void render_hook(const struct alert_message *messages, size_t count, struct buf *body) {
    assert_int_equal(count, 1);
    buf_printf(body, "{\"hook\":%s,\"text\":%s,\"on\":%s}", messages[0].labels,
               messages[0].annotations, messages[0].firing ? "true" : "false");
}

static enum alert_verdict judge_hook(int code, struct str answer, struct buf *words) {
    buf_add_printable(words, answer);
    return code == 202 ? ALERT_TAKEN : ALERT_FORBIDDEN;
}

static const struct alert_door hook = {.name = "hook",
                                       .title = "Hook",
                                       .path = "/in",
                                       .ready_path = "/up",
                                       .batch_max = 1,
                                       .render = render_hook,
                                       .judge = judge_hook};

static json_t *labels_of(json_t *body, size_t i) {
    return json_object_get(json_array_get(body, i), "labels");
}

static struct alert_doors *two_doors(const struct fake *am, const struct fake *other) {
    unsigned count;
    const char *am_urls[] = {am->url}, *other_urls[] = {other->url};
    const struct alert_label external[] = {{"team", "data"}};
    struct alert_target targets[] = {
        {alert_door_table(&count)[0],
         {.urls = am_urls, .url_count = 1, .resend_interval_ms = 3600000}},
        {&hook,
         {.urls = other_urls,
          .url_count = 1,
          .resend_interval_ms = 3600000,
          .bearer = "t",
          .external = external,
          .external_count = 1}}};
    struct alert_doors *doors = NULL;
    struct err err;
    assert_int_equal(alert_doors_new(targets, ARRAY_LEN(targets), &doors, &err), ST_OK);
    return doors;
}

static void every_door_gets_the_same_alerts(void **state) {
    (void)state;
    struct fake *am = fake_new(), *other = fake_new();
    fake_set(other, 202, "", false);
    struct alert_doors *doors = two_doors(am, other);
    static const int64_t ends_ms[] = {0, 1767323046000};
    for (size_t i = 0; i < ARRAY_LEN(ends_ms); i++) {
        tell(doors, "orders", ends_ms[i]);
        json_t *body = fake_wait(am, i + 1), *told = fake_wait(other, i + 1);
        json_t *labels = json_object_get(told, "hook");
        assert_string_equal(json_string_value(json_object_get(labels, "team")), "data");
        json_object_del(labels, "team"); // the one label that only it was given
        assert_true(json_equal(labels_of(body, 0), labels));
        assert_true(json_equal(json_object_get(json_array_get(body, 0), "annotations"),
                               json_object_get(told, "text")));
        assert_int_equal(json_is_true(json_object_get(told, "on")), i == 0);
        json_decref(body);
        json_decref(told);
    }
    pthread_mutex_lock(&other->lock);
    assert_non_null(strstr(other->head.data, "POST /in\n"));
    assert_non_null(strstr(other->head.data, "Authorization: Bearer t\n"));
    pthread_mutex_unlock(&other->lock);
    assert_true(alert_doors_drain(doors, 20000));
    alert_doors_free(doors);
    fake_free(am);
    fake_free(other);
}

static void a_door_that_nobody_answers_is_named(void **state) {
    (void)state;
    struct fake *am = fake_new(), *other = fake_new();
    fake_set(other, 403, "go away", false);
    struct alert_doors *doors = two_doors(am, other);
    struct buf lines = {0};
    assert_null(alert_doors_health(doors, &lines));
    tell(doors, "orders", 0);
    wait_health(doors, "failing, 1 firing, 1 waiting");
    wait_health(doors, ": ok, 1 firing, 0 waiting"); // the other door is not held up
    assert_string_equal(alert_doors_health(doors, &lines), "Hook");
    assert_non_null(strstr(lines.data, "\nhook http://127.0.0.1:"));
    assert_non_null(strstr(lines.data, "last error: status 403 go away\n"));
    assert_int_equal(alert_doors_firing(doors), 1);
    struct alert moved = alert_of("PipelineDataSkew", "orders", 0);
    alert_doors_forget(doors, NULL, &moved, 1);
    wait_health(doors, "failing, 0 firing, 0 waiting");
    assert_int_equal(alert_doors_firing(doors), 0);
    alert_doors_free(doors);
    buf_fini(&lines);
    fake_free(am);
    fake_free(other);
}

// Pushed out while it held: no end is told, and it is not told again.
static void a_silenced_alert_is_forgotten_without_an_end(void **state) {
    (void)state;
    struct fake *am = fake_new(), *other = fake_new();
    fake_set(other, 202, "", false);
    struct alert_doors *doors = two_doors(am, other);
    struct buf lines = {0};
    tell(doors, "orders", 0);
    json_decref(fake_wait(am, 1));
    wait_health(doors, ": ok, 1 firing, 0 waiting");
    struct alert pushed_out = alert_of("PipelineDataSkew", "orders", 0);
    pushed_out.silenced = true;
    alert_doors_update(doors, NULL, &pushed_out, 1, clock_wall_ms());
    alert_doors_health(doors, &lines);
    assert_non_null(strstr(lines.data, ", 0 firing, 0 waiting"));
    assert_null(strstr(lines.data, "1 firing"));
    assert_true(alert_doors_drain(doors, 20000));
    assert_int_equal(fake_count(am), 1);
    alert_doors_free(doors);
    buf_fini(&lines);
    fake_free(am);
    fake_free(other);
}

static bool has_setting(const struct alert_door *door, const char *name) {
    char key[100];
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    snprintf(key, sizeof key, "%s.%s", door->name, name);
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            if (strcmp(tables[t].rows[r].key, key) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void every_row_is_whole(void **state) {
    (void)state;
    static const char *const names[] = {"urls",
                                        "resend_interval",
                                        "timeout",
                                        "ca_file",
                                        "basic_auth_user",
                                        "bearer_token",
                                        "external_labels",
                                        "basic_auth_password"};
    const struct alert_message two[] = {
        {.labels = "{\"a\":\"b\"}", .annotations = "{}", .starts_ms = 1, .ends_ms = 2},
        {.labels = "{}", .annotations = "{}", .starts_ms = 1, .ends_ms = 2, .firing = true}};
    unsigned count;
    const struct alert_door *const *doors = alert_door_table(&count);
    assert_true(count > 0);
    for (unsigned i = 0; i < count; i++) {
        for (size_t n = 0; n < ARRAY_LEN(names); n++) {
            assert_true(has_setting(doors[i], names[n]));
        }
        assert_true(doors[i]->path[0] == '\0' || doors[i]->path[0] == '/');
        assert_true(doors[i]->ready_path[0] == '\0' || doors[i]->ready_path[0] == '/');
        struct buf body = {0}, words = {0};
        doors[i]->render(two, doors[i]->batch_max < 2 ? 1 : 2, &body);
        json_t *json = json_loadb(body.data, body.len, 0, NULL);
        assert_non_null(json);
        json_decref(json);
        assert_int_equal(doors[i]->judge(500, STR("\x1b\xFF"), &words), ALERT_FAILED);
        assert_null(memchr(buf_text(&words), '\x1b', words.len));
        assert_true(str_is_utf8(buf_str(&words)));
        buf_fini(&body);
        buf_fini(&words);
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(doors[i]->name, doors[k]->name);
        }
    }
}

// What is posted of one alert, as text.
static void posted(const struct alert *alert, const struct alert_label *external, size_t count,
                   struct buf *out) {
    struct fake *fake = fake_new();
    const char *urls[] = {fake->url};
    struct alert_doors *doors = open_door(&(struct alert_settings){
        .urls = urls, .url_count = 1, .external = external, .external_count = count});
    alert_doors_update(doors, NULL, alert, 1, clock_wall_ms());
    json_decref(fake_wait(fake, 1));
    pthread_mutex_lock(&fake->lock);
    buf_clear(out);
    buf_add_str(out, buf_str(&fake->bodies[0]));
    pthread_mutex_unlock(&fake->lock);
    alert_doors_free(doors);
    fake_free(fake);
}

static void hostile_names_become_labels_that_are_taken(void **state) {
    (void)state;
    struct alert alert = {.name = "PipelineFailure",
                          .severity = "critical",
                          .kind = "pipeline_failure",
                          .pipeline = "a\"b\\c\n\x01\xFF\xC3\xA9}",
                          .cluster = "",
                          .summary = "one\ntwo\x1b[31m"};
    memset(alert.description, 'x', sizeof alert.description - 1);
    const struct alert_label external[] = {
        {"cluster", "from settings"},
        {"severity", "never wins"},
        {"__meta-1.x", "v"},
        {"1st", "digit"},
        {"empty", ""},
        {"___", "no name left"},
        {"\xC3\xA9t\xC3\xA9", "u"},
    };
    struct buf body = {0};
    posted(&alert, external, ARRAY_LEN(external), &body);
    static const char labels[] =
        "[{\"labels\":{\"_1st\":\"digit\",\"alertname\":\"PipelineFailure\","
        "\"cluster\":\"from settings\",\"kind\":\"pipeline_failure\","
        "\"meta_1_x\":\"v\","
        "\"pipeline\":\"a\\\"b\\\\c\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
        "\xC3\xA9}\","
        "\"service\":\"data-pipeline\",\"severity\":\"critical\","
        "\"x_t__\":\"u\"},\"annotations\":";
    assert_int_equal(strncmp(body.data, labels, sizeof labels - 1), 0);
    assert_non_null(strstr(body.data, "\"summary\":\"one\\ntwo\xEF\xBF\xBD[31m\""));
    assert_int_equal(strspn(strstr(body.data, "xxx"), "x"), 1023);
    memset(alert.pipeline, '\xFF', sizeof alert.pipeline - 1); // three bytes each once replaced
    alert.summary[0] = alert.description[0] = '\0';
    posted(&alert, NULL, 0, &body);
    assert_true(body.len < 640);
    assert_true(str_is_utf8(buf_str(&body)));
    assert_null(strstr(body.data, "cluster"));
    assert_non_null(strstr(body.data, "\"annotations\":{}"));
    buf_fini(&body);
}

static enum status refusal(const struct alert_settings *settings, struct err *err) {
    unsigned count;
    struct alert_target target = {alert_door_table(&count)[0], *settings};
    struct alert_doors *doors = NULL;
    return alert_doors_new(&target, 1, &doors, err);
}

static void settings_that_cannot_work_are_refused(void **state) {
    (void)state;
    const struct {
        struct alert_settings settings;
        const char *words;
    } cases[] = {
        {{.username = "u", .bearer = "t"}, "alertmanager: basic authentication and a bearer"},
        {{.bearer = "t\nX-Evil: 1"}, "control character"},
        {{.ca_file = "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
        {{.urls = (const char *[]){"file:///etc/passwd"}, .url_count = 1},
         "alertmanager.urls[0]: not a URL"},
        {{.urls = (const char *[]){"http://a", "http://u:geheim@ bad"}, .url_count = 2},
         "urls[1]: not a URL"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        assert_int_equal(refusal(&cases[i].settings, &err), ST_FATAL);
        assert_non_null(strstr(err.text, cases[i].words));
        assert_null(strstr(err.text, "geheim"));
    }
    struct alert_doors *off = open_door(&(struct alert_settings){0});
    struct buf health = {0};
    tell(off, "a", 0);
    assert_null(alert_doors_health(off, &health));
    assert_int_equal(alert_doors_firing(off), 0);
    assert_string_equal(buf_text(&health), "");
    alert_doors_free(off);
    assert_int_equal(alert_doors_new(NULL, 0, &off, NULL), ST_OK);
    assert_null(alert_doors_health(off, &health));
    alert_doors_free(off);
    alert_doors_free(NULL);
}

static void a_probe_asks_once(void **state) {
    (void)state;
    unsigned count;
    struct fake *fake = fake_new();
    struct buf url = {0}, shown = {0};
    buf_printf(&url, "%s/am/?token=geheim", fake->url);
    const char *urls[] = {"http://127.0.0.1:1", url.data};
    struct alert_target target = {
        alert_door_table(&count)[0],
        {.urls = urls, .url_count = 2, .username = "heinz", .password = "geheim"}};
    struct err err;
    assert_int_equal(alert_doors_probe(&target, 1, &shown, &err), ST_OK);
    pthread_mutex_lock(&fake->lock);
    assert_non_null(strstr(fake->head.data, "GET /am/-/ready\n"));
    assert_non_null(strstr(fake->head.data, "Authorization: Basic aGVpbno6Z2VoZWlt\n"));
    pthread_mutex_unlock(&fake->lock);
    assert_null(strstr(shown.data, "geheim"));
    assert_non_null(strstr(shown.data, "/am/"));
    fake_set(fake, 503, "", false);
    assert_int_equal(alert_doors_probe(&target, 1, &shown, &err), ST_RETRY);
    assert_string_equal(err.text, "answers 503 to /-/ready");
    assert_int_equal(alert_doors_probe(&target, 0, &shown, &err), ST_RETRY);
    assert_string_equal(err.text, "Connection refused");
    buf_fini(&url);
    buf_fini(&shown);
    fake_free(fake);
}

// Everything the door logs and shows while it sends with `settings` and is answered 401.
static void run_and_listen(const struct alert_settings *settings, struct fake *fake,
                           const char *header, struct buf *said) {
    char path[] = "/tmp/stoker-test-XXXXXX";
    int file = mkstemp(path), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    unlink(path);
    dup2(file, STDERR_FILENO);
    log_configure(LOG_DEBUG, LOG_LOGFMT);
    struct alert_doors *am = open_door(settings);
    fake_set(fake, 401, "who are you?", false);
    size_t before = fake_count(fake);
    tell(am, "a", 0);
    json_decref(fake_wait(fake, before + 1));
    wait_health(am, "who are you?");
    (void)alert_doors_health(am, said);
    alert_doors_free(am);
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
    struct alert_settings cases[] = {
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
        cmocka_unit_test(every_door_gets_the_same_alerts),
        cmocka_unit_test(a_door_that_nobody_answers_is_named),
        cmocka_unit_test(a_silenced_alert_is_forgotten_without_an_end),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(hostile_names_become_labels_that_are_taken),
        cmocka_unit_test(a_probe_asks_once),
        cmocka_unit_test(settings_that_cannot_work_are_refused),
        cmocka_unit_test(secrets_are_sent_but_never_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
