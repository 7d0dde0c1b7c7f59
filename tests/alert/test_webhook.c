// test_webhook: the webhook door against an HTTP server in this process: one request when an alert
// begins and one when it ends, what stands in it, that its URL is shown nowhere.
#include "support/test.h"

#include "alert/alert_doors.h"
#include "alert/fake_alertmanager.h"
#include "base/metrics.h"
#include "net/signature.h"

enum { RESEND_MS = 50, LONG_MS = 400 };

static struct alert_target target_of(const char *const *url, const char *secret) {
    unsigned count;
    const struct alert_door *const *doors = alert_door_table(&count);
    unsigned i = 0;
    while (i < count && strcmp(doors[i]->name, "webhook") != 0) {
        i++;
    }
    assert_true(i < count);
    return (struct alert_target){doors[i],
                                 {.urls = url,
                                  .url_count = 1,
                                  .resend_interval_ms = RESEND_MS,
                                  .timeout_ms = 20000,
                                  .secret = secret}};
}

static void texts_of_ones_own_go_along(void **state) {
    (void)state;
    static const struct alert_label own[] = {
        {"runbook_url", "https://runbooks/{kind}?p={pipeline}"},
        {"summary", "never wins"},
    };
    struct fake *fake = fake_new();
    const char *url = fake->url;
    struct alert_target target = target_of(&url, NULL);
    target.settings.annotations = own;
    target.settings.annotation_count = ARRAY_LEN(own);
    struct alert_doors *doors = NULL;
    struct err err;
    assert_int_equal(alert_doors_new(&target, 1, &doors, &err), ST_OK);
    tell(doors, "a/b", 0);
    json_t *body = fake_wait(fake, 1), *annotations = json_object_get(body, "annotations");
    assert_string_equal(json_string_value(json_object_get(annotations, "runbook_url")),
                        "https://runbooks/data_skew?p=a%2Fb");
    assert_string_equal(json_string_value(json_object_get(annotations, "summary")),
                        "Pipeline slowed by skewed data");
    json_decref(body);
    alert_doors_free(doors);
    static const struct alert_label wrong[] = {{"dashboard", "{nothing}"}};
    target.settings.annotations = wrong;
    target.settings.annotation_count = 1;
    assert_int_equal(alert_doors_new(&target, 1, &doors, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "annotations.dashboard: {nothing}"));
    fake_free(fake);
}

static struct alert_doors *hook_to(const char *url, const char *secret) {
    struct alert_target target = target_of(&url, secret);
    struct alert_doors *doors = NULL;
    struct err err;
    assert_int_equal(alert_doors_new(&target, 1, &doors, &err), ST_OK);
    return doors;
}

static void assert_member(const json_t *body, const char *name, const char *wanted) {
    const char *text = json_string_value(json_object_get(body, name));
    assert_string_equal(text != NULL ? text : "(none)", wanted);
}

static void one_request_each(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    struct alert_doors *hook = hook_to(fake->url, NULL);
    tell(hook, "orders", 0);
    json_t *began = fake_wait(fake, 1);
    assert_member(began, "version", "1");
    assert_member(began, "status", "firing");
    assert_member(began, "text", "FIRING PipelineDataSkew (warning): numbers");
    assert_member(began, "alertname", "PipelineDataSkew");
    assert_member(began, "severity", "warning");
    assert_member(began, "cluster", "prod");
    assert_member(began, "pipeline", "orders");
    assert_member(began, "kind", "data_skew");
    assert_member(began, "starts_at", "2026-01-02T03:04:05.678Z");
    assert_true(json_is_null(json_object_get(began, "ends_at")));
    assert_member(json_object_get(began, "labels"), "service", "data-pipeline");
    assert_member(json_object_get(began, "annotations"), "summary",
                  "Pipeline slowed by skewed data");
    struct alert news = alert_of("PipelineDataSkew", "orders", 0);
    snprintf(news.description, sizeof news.description, "other numbers");
    news.started_ms -= 5000;
    alert_doors_update(hook, NULL, &news, 1, clock_wall_ms());
    clock_sleep_ms(LONG_MS); // several resend intervals
    assert_int_equal(fake_count(fake), 1);
    news.ended_ms = 1767323046000;
    alert_doors_update(hook, NULL, &news, 1, clock_wall_ms());
    json_t *over = fake_wait(fake, 2);
    assert_member(over, "status", "resolved");
    assert_member(over, "text", "RESOLVED PipelineDataSkew (warning): other numbers");
    assert_member(over, "starts_at", "2026-01-02T03:04:05.678Z"); // as it was told
    assert_member(over, "ends_at", "2026-01-02T03:04:06.000Z");
    assert_member(over, "id", json_string_value(json_object_get(began, "id")));
    clock_sleep_ms(LONG_MS);
    assert_int_equal(fake_count(fake), 2);
    json_decref(began);
    json_decref(over);
    assert_true(alert_doors_drain(hook, 20000));
    alert_doors_free(hook);
    fake_free(fake);
}

static void each_alert_has_its_own_request_and_id(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    struct alert_doors *hook = hook_to(fake->url, NULL);
    tell(hook, "a", 0);
    tell(hook, "b", 0);
    json_t *one = fake_wait(fake, 1), *other = fake_wait(fake, 2);
    assert_string_not_equal(json_string_value(json_object_get(one, "id")),
                            json_string_value(json_object_get(other, "id")));
    assert_true(alert_doors_drain(hook, 20000));
    alert_doors_free(hook);
    struct alert_doors *later = hook_to(fake->url, NULL); // after a restart: the same id
    tell(later, "a", 0);
    json_t *again = fake_wait(fake, 3);
    assert_member(again, "id", json_string_value(json_object_get(one, "id")));
    json_decref(one);
    json_decref(other);
    json_decref(again);
    alert_doors_free(later);
    fake_free(fake);
}

static void what_fails_is_tried_again_and_what_is_refused_is_not(void **state) {
    (void)state;
    metrics_reset();
    struct fake *fake = fake_new();
    fake_set(fake, 503, "busy", false);
    struct alert_doors *hook = hook_to(fake->url, NULL);
    tell(hook, "orders", 0);
    json_decref(fake_wait(fake, 3));
    fake_set(fake, 200, "ok", false);
    wait_health(hook, ": ok, 1 firing, 0 waiting");
    fake_set(fake, 400, "invalid_payload", false);
    size_t before = fake_count(fake);
    tell(hook, "refused", 0);
    json_decref(fake_wait(fake, before + 1));
    wait_health(hook, "last error: status 400 invalid_payload");
    clock_sleep_ms(LONG_MS);
    assert_int_equal(fake_count(fake), before + 1);
    assert_int_equal(metrics_get(METRIC_ALERTS_DROPPED), 1);
    alert_doors_free(hook);
    fake_free(fake);
}

static void a_signature_is_of_the_body(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    struct alert_doors *hook = hook_to(fake->url, "whsec");
    tell(hook, "orders", 0);
    json_decref(fake_wait(fake, 1));
    pthread_mutex_lock(&fake->lock);
    const char *header = strstr(fake->head.data, "Stoker-Signature: t=");
    assert_non_null(header);
    char wanted[SIGNATURE_TEXT_SIZE];
    header += strlen("Stoker-Signature: ");
    signature_of(STR("whsec"), buf_str(&fake->bodies[0]), strtoll(header + 2, NULL, 10), wanted);
    assert_int_equal(strncmp(header, wanted, strlen(wanted)), 0);
    assert_null(strstr(fake->head.data, "whsec"));
    pthread_mutex_unlock(&fake->lock);
    alert_doors_free(hook);
    fake_free(fake);
}

static void its_address_is_a_secret(void **state) {
    (void)state;
    struct fake *fake = fake_new();
    struct buf url = {0}, seen = {0};
    buf_printf(&url, "%s/services/T0/B0/XYZZY?key=PLUGH", fake->url);
    struct alert_doors *hook = hook_to(buf_text(&url), NULL);
    tell(hook, "orders", 0);
    json_decref(fake_wait(fake, 1));
    pthread_mutex_lock(&fake->lock);
    assert_non_null(strstr(fake->head.data, "POST /services/T0/B0/XYZZY\n"));
    pthread_mutex_unlock(&fake->lock);
    wait_health(hook, "webhook http://127.0.0.1:");
    (void)alert_doors_health(hook, &seen);
    assert_non_null(strstr(seen.data, "/..."));
    assert_null(strstr(seen.data, "XYZZY"));
    assert_null(strstr(seen.data, "PLUGH"));
    buf_clear(&seen);
    const char *text = buf_text(&url);
    struct alert_target target = target_of(&text, NULL);
    struct err err;
    fake_set(fake, 405, "POST only", false); // it is there
    assert_int_equal(alert_doors_probe(&target, 0, &seen, &err), ST_OK);
    assert_null(strstr(seen.data, "XYZZY"));
    alert_doors_free(hook);
    buf_fini(&url);
    buf_fini(&seen);
    fake_free(fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_each),
        cmocka_unit_test(texts_of_ones_own_go_along),
        cmocka_unit_test(each_alert_has_its_own_request_and_id),
        cmocka_unit_test(what_fails_is_tried_again_and_what_is_refused_is_not),
        cmocka_unit_test(a_signature_is_of_the_body),
        cmocka_unit_test(its_address_is_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
