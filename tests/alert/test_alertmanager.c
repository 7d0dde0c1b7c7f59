// test_alertmanager: the alert door against HTTP servers in this process: what arrives, what an
// answer leads to, that a dead Alertmanager holds up nobody.
#include "support/test.h"

#include "alert/alert_doors.h"
#include "alert/fake_alertmanager.h"
#include "base/metrics.h"

static const char *field(json_t *body, size_t i, const char *part, const char *name) {
    json_t *alert = json_array_get(body, i);
    json_t *value = part == NULL ? alert : json_object_get(alert, part);
    const char *text = json_string_value(json_object_get(value, name));
    return text == NULL ? "(none)" : text;
}

static void a_change_goes_out_at_once_and_again(void **state) {
    (void)state;
    metrics_reset();
    struct fake *fake = fake_new();
    struct buf url = {0};
    buf_printf(&url, "%s/am/", fake->url);
    struct alert_doors *am = door_to(url.data, NULL, 100);
    tell(am, "orders", 0);
    for (size_t i = 1; i <= 3; i++) {
        json_t *body = fake_wait(fake, i);
        assert_int_equal(json_array_size(body), 1);
        assert_int_equal(json_object_size(json_array_get(body, 0)), 4);
        assert_string_equal(field(body, 0, "labels", "alertname"), "PipelineDataSkew");
        assert_string_equal(field(body, 0, "labels", "severity"), "warning");
        assert_string_equal(field(body, 0, "labels", "service"), "data-pipeline");
        assert_string_equal(field(body, 0, "labels", "pipeline"), "orders");
        assert_string_equal(field(body, 0, "labels", "cluster"), "prod");
        assert_string_equal(field(body, 0, "labels", "kind"), "data_skew");
        assert_string_equal(field(body, 0, "annotations", "description"), "numbers");
        assert_string_equal(field(body, 0, NULL, "startsAt"), "2026-01-02T03:04:05.678Z");
        json_decref(body);
    }
    pthread_mutex_lock(&fake->lock);
    assert_non_null(strstr(fake->head.data, "POST /am/api/v2/alerts\n"));
    assert_non_null(strstr(fake->head.data, "Content-Type: application/json\n"));
    assert_non_null(strstr(fake->head.data, "User-Agent: stoker"));
    pthread_mutex_unlock(&fake->lock);
    assert_int_equal(metrics_get(METRIC_ALERTS_ACTIVE), 1);
    assert_true(metrics_get(METRIC_ALERTS_SENT) >= 2);
    tell(am, "orders", 1767323046000);
    bool ended = false;
    for (size_t i = 4; i < 100 && !ended; i++) {
        json_t *body = fake_wait(fake, i);
        ended = strcmp(field(body, 0, NULL, "endsAt"), "2026-01-02T03:04:06.000Z") == 0;
        json_decref(body);
    }
    assert_true(ended);
    assert_int_equal(metrics_get(METRIC_ALERTS_ACTIVE), 0);
    assert_true(alert_doors_drain(am, 20000));
    alert_doors_free(am);
    buf_fini(&url);
    fake_free(fake);
}

static void a_dead_or_hanging_one_delays_no_other(void **state) {
    (void)state;
    struct fake *fake = fake_new(), *hanging = fake_new();
    fake_set(hanging, 200, "", true);
    struct alert_doors *am = door_to(hanging->url, fake->url, 3600000);
    tell(am, "a", 0);
    json_decref(fake_wait(hanging, 1));
    tell(am, "b", 0);
    size_t seen = 0, requests = 0;
    while (seen < 2) {
        json_t *body = fake_wait(fake, ++requests);
        assert_non_null(body);
        seen += json_array_size(body);
        json_decref(body);
    }
    assert_int_equal(fake_count(hanging), 1);
    struct buf health = {0};
    wait_health(am, ": ok, 2 firing, 0 waiting");
    assert_null(alert_doors_health(am, &health));
    assert_non_null(strstr(health.data, "not used yet, 2 firing, 2 waiting, last accepted never"));
    assert_false(alert_doors_drain(am, 100)); // gives the hanging one up before its timeout
    buf_clear(&health);
    (void)alert_doors_health(am, &health);
    assert_non_null(strstr(health.data, "last error: status 0 given up: the agent stops"));
    alert_doors_free(am);
    buf_fini(&health);
    fake_free(hanging);
    fake_free(fake);

    am = door_to("http://127.0.0.1:1", NULL, 3600000); // nobody listens
    tell(am, "a", 0);
    wait_health(am, "failing, 1 firing, 1 waiting, last accepted never, last error: status 0 ");
    assert_string_equal(alert_doors_health(am, &health), "Alertmanager");
    alert_doors_free(am);
    buf_fini(&health);
}

static void the_answer_decides_what_follows(void **state) {
    (void)state;
    static const struct {
        unsigned status;
        const char *answer, *shown;
        int dropped;
    } cases[] = {
        {500, "broken\x1b[31m\n", "status 500 broken\\x1b[31m\n", 0},
        {429, "", "status 429 \n", 0},
        {404, "<html>", "status 404 <html>\n", 0},
        {401, "Unauthorized\n", "status 401 Unauthorized\n", 0},
        {302, "elsewhere", "status 302 elsewhere\n", 0},
        {400, "Client sent an HTTP request to an HTTPS server.\n",
         "status 400 Client sent an HTTP request to an HTTPS server.\n", 0},
        {400, "\"at least one label pair required\"", "status 400 at least one label pair r", 1},
        {422, "{\"code\":602,\"message\":\"0.labels in body is required\"}",
         "status 422 0.labels in body is required\n", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        metrics_reset();
        struct fake *fake = fake_new();
        fake_set(fake, cases[i].status, cases[i].answer, false);
        struct alert_doors *am = door_to(fake->url, NULL, 3600000);
        tell(am, "a", 0);
        wait_health(am, cases[i].shown);
        assert_true(metrics_get(METRIC_ALERT_ERRORS) >= 1); // a slow machine may see a retry
        assert_int_equal(metrics_get(METRIC_ALERTS_DROPPED), cases[i].dropped);
        assert_int_equal(metrics_get(METRIC_ALERTS_SENT), 0);
        assert_int_equal(metrics_get(METRIC_ALERTS_ACTIVE), 1 - cases[i].dropped);
        fake_set(fake, 200, "", false);
        // What was refused for good is not said again; all else is, at the latest on the way out.
        assert_true(alert_doors_drain(am, 20000));
        int64_t errors = metrics_get(METRIC_ALERT_ERRORS);
        assert_int_equal(fake_count(fake), errors + (cases[i].dropped ? 0 : 1));
        alert_doors_free(am);
        fake_free(fake);
    }
}

static void a_failure_is_tried_again_soon(void **state) {
    (void)state;
    static const unsigned codes[] = {408, 429, 503};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct fake *fake = fake_new();
        fake_set(fake, codes[i], "", false);
        struct alert_doors *am = door_to(fake->url, NULL, 3600000);
        tell(am, "a", 0);
        json_decref(fake_wait(fake, 1));
        fake_set(fake, 200, "", false);
        json_t *body = fake_wait(fake, 2); // after a second, not after an hour
        assert_non_null(body);
        json_decref(body);
        wait_health(am, ": ok, 1 firing, 0 waiting");
        alert_doors_free(am);
        fake_free(fake);
    }
}

// At most the first try and one after a second: news do not shorten the wait either.
static void a_failing_one_is_not_hammered(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    fake_set(fake, 500, "", false);
    struct alert_doors *am = door_to(fake->url, NULL, 3600000);
    for (int i = 0; i < 30; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        tell(am, name, 0);
        clock_sleep_ms(50);
    }
    assert_in_range(fake_count(fake), 1, 2);
    alert_doors_free(am);
    fake_free(fake);
}

static void what_only_a_human_can_mend_waits_for_a_whole_interval(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    fake_set(fake, 403, "", false);
    struct alert_doors *am = door_to(fake->url, NULL, 3600000);
    tell(am, "a", 0);
    wait_health(am, "status 403");
    clock_sleep_ms(1500);
    assert_int_equal(fake_count(fake), 1);
    alert_doors_free(am);
    fake_free(fake);
}

static void one_bad_alert_does_not_take_the_others_along(void **state) {
    (void)state;
    metrics_reset();
    struct fake *fake = fake_new();
    fake->refuse = "\"bad\"";
    fake_set(fake, 200, "\"invalid label set\"", true);
    struct alert_doors *am = door_to(fake->url, NULL, 3600000);
    tell(am, "first", 0);
    json_decref(fake_wait(fake, 1));
    tell(am, "good", 0);
    tell(am, "bad", 0);
    tell(am, "fine", 0);
    fake_set(fake, 200, "\"invalid label set\"", false);
    wait_health(am, "3 firing, 0 waiting");
    assert_int_equal(metrics_get(METRIC_ALERTS_DROPPED), 1);
    assert_int_equal(metrics_get(METRIC_ALERTS_SENT), 3);
    assert_int_equal(fake_count(fake), 5);
    alert_doors_free(am);
    fake_free(fake);
}

static void many_go_in_batches_and_the_table_is_bounded(void **state) {
    (void)state;
    metrics_reset();
    struct fake *fake = fake_new();
    const char *urls[] = {fake->url};
    struct alert_doors *am = open_door(&(struct alert_settings){
        .urls = urls, .url_count = 1, .resend_interval_ms = 3600000, .alerts_max = 600});
    fake_set(fake, 200, "", true);
    tell(am, "first", 0);
    json_decref(fake_wait(fake, 1));
    for (int i = 0; i < 700; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        tell(am, name, 0);
    }
    assert_int_equal(metrics_get(METRIC_ALERTS_DROPPED), 101);
    assert_int_equal(metrics_get(METRIC_ALERTS_ACTIVE), 600);
    fake_set(fake, 200, "", false);
    static const size_t sizes[] = {256, 256, 88};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        json_t *body = fake_wait(fake, 2 + i);
        assert_int_equal(json_array_size(body), sizes[i]);
        assert_string_equal(field(body, 0, "labels", "pipeline"), i == 0   ? "p100"
                                                                  : i == 1 ? "p356"
                                                                           : "p612");
        json_decref(body);
    }
    assert_true(alert_doors_drain(am, 20000));
    alert_doors_free(am);
    fake_free(fake);
}

static void the_end_of_the_agent_resolves_nothing(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    struct alert_doors *am = door_to(fake->url, NULL, 3600000);
    tell(am, "kept", 0);
    wait_health(am, "1 firing, 0 waiting");
    struct alert moved = alert_of("PipelineDataSkew", "moved", 0);
    tell(am, "moved", 0);
    wait_health(am, "2 firing, 0 waiting");
    alert_doors_forget(am, NULL, &moved, 1);
    wait_health(am, "1 firing, 0 waiting");
    assert_true(alert_doors_drain(am, 20000));
    alert_doors_free(am);
    assert_int_equal(fake_count(fake), 2);
    for (size_t i = 1; i <= 2; i++) {
        json_t *body = fake_wait(fake, i);
        char now[CLOCK_RFC3339_SIZE];
        clock_format_rfc3339(clock_wall_ms(), now);
        assert_true(strcmp(field(body, 0, NULL, "endsAt"), now) > 0);
        json_decref(body);
    }
    fake_free(fake);
}

int main(void) {
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_goes_out_at_once_and_again),
        cmocka_unit_test(a_dead_or_hanging_one_delays_no_other),
        cmocka_unit_test(the_answer_decides_what_follows),
        cmocka_unit_test(a_failure_is_tried_again_soon),
        cmocka_unit_test(a_failing_one_is_not_hammered),
        cmocka_unit_test(what_only_a_human_can_mend_waits_for_a_whole_interval),
        cmocka_unit_test(one_bad_alert_does_not_take_the_others_along),
        cmocka_unit_test(many_go_in_batches_and_the_table_is_bounded),
        cmocka_unit_test(the_end_of_the_agent_resolves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
