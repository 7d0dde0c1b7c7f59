// test_agent_alerts: what a live agent tells a receiver of alerts when its settings are others than
// those its state was written with, and what its pages and its log say of a limit.
#include "world.h"

#include <unistd.h>

#include "alert/fake_alertmanager.h"
#include "net/http_client.h"

static const char *receiver[1];

static void open_as(struct world *w, struct fake *am, const char *cluster) {
    static struct alert_target target;
    unsigned count;
    receiver[0] = am->url;
    target = (struct alert_target){
        .door = alert_door_table(&count)[0],
        .settings = {.urls = receiver, .url_count = 1, .resend_interval_ms = 3600000}};
    w->options.alert_targets = &target;
    w->options.alert_target_count = 1;
    w->options.engine.cluster = w->options.pipelines.cluster = cluster;
    open_agent(w);
}

static struct fake *told; // by
static bool was_told(struct world *w) {
    (void)w;
    return fake_count(told) > 0;
}

static const char *text_of(const json_t *alert, const char *labels, const char *key) {
    const json_t *in = labels == NULL ? alert : json_object_get(alert, labels);
    return json_string_value(json_object_get(in, key));
}

// The old name's alert ends under its old labels, and none fires under both names.
static void alerts_of_the_name_before_end(void **state) {
    (void)state;
    struct world *w = world_new(true);
    struct fake *am = fake_new(), *after = fake_new();
    agent_free(w->agent);
    open_as(w, am, "before");
    send_log(w, skew_log, "app-1", 0, -1);
    told = am;
    turn_until(w, was_told);
    json_t *body = fake_wait(am, 1), *end = NULL;
    const json_t *raised = json_array_get(body, 0);
    assert_string_equal(text_of(raised, "labels", "cluster"), "before");
    turn_until(w, run_ended);
    agent_free(w->agent);
    open_as(w, after, "after");
    told = after;
    turn_until(w, was_told);
    end = fake_wait(after, 1);
    assert_int_equal(json_array_size(end), json_array_size(body));
    assert_true(json_equal(json_object_get(json_array_get(end, 0), "labels"),
                           json_object_get(raised, "labels")));
    char now[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339(clock_wall_ms(), now);
    assert_true(strcmp(text_of(json_array_get(end, 0), NULL, "endsAt"), now) <= 0);
    assert_int_equal(fake_count(after), 1);
    json_decref(body);
    json_decref(end);
    world_free(w);
    fake_free(am);
    fake_free(after);
}

// The agent's page at `path`, asked once; "" without an answer.
static void ask(const struct agent *agent, const char *path, struct buf *out) {
    struct http_client *client =
        http_client_new(&(struct http_settings){.timeout_ms = 20000, .answer_max_bytes = 1 << 20});
    struct http_answer answer;
    struct url url;
    struct err err;
    char text[64];
    snprintf(text, sizeof text, "http://127.0.0.1:%d%s", agent_http_port(agent), path);
    assert_int_equal(url_parse(text, "", &url, &err), ST_OK);
    buf_clear(out);
    if (http_client_send(client, &(struct http_request){.url = &url}, &answer, &err) == ST_OK) {
        buf_add_str(out, answer.body);
    }
    url_fini(&url);
    http_client_free(client);
}

static bool says_limit(struct world *w) {
    struct buf page = {0};
    ask(w->agent, "/readyz?verbose", &page);
    bool said = strstr(buf_text(&page), "\nlimits.pipelines is reached in 1 partitions: ") != NULL;
    buf_fini(&page);
    return said;
}

static void a_limit_that_is_reached_is_shown(void **state) {
    (void)state;
    struct world *w = world_new(true);
    agent_free(w->agent);
    w->options.pipelines.pipelines_max = 1;
    w->options.http_listen = "127.0.0.1:0";
    open_agent(w);
    turn_until(w, ready);
    assert_false(says_limit(w));
    send_log(w, skew_log, "app-1", 0, -1);
    turn_until(w, says_limit);
    struct buf page = {0};
    ask(w->agent, "/", &page);
    assert_non_null(strstr(buf_text(&page), "limits.pipelines is reached in 1 partitions: "));
    buf_fini(&page);
    world_free(w);
}

static int log_file, log_before; // where the log goes, and where it went

static int listen_to_log(void **state) {
    (void)state;
    char path[] = "/tmp/stoker-test-XXXXXX";
    log_file = mkstemp(path);
    log_before = dup(STDERR_FILENO);
    unlink(path);
    return log_file < 0 || log_before < 0 || dup2(log_file, STDERR_FILENO) < 0;
}

static int leave_log(void **state) {
    (void)state;
    dup2(log_before, STDERR_FILENO);
    close(log_before);
    return close(log_file);
}

static const char *wanted; // in the log
static bool is_logged(struct world *w) {
    char log[65536];
    (void)w;
    ssize_t len = pread(log_file, log, sizeof log - 1, 0);
    log[len < 0 ? 0 : len] = '\0';
    return strstr(log, wanted) != NULL;
}

static void send_run(struct world *w, const char *name) {
    char text[256];
    snprintf(text, sizeof text,
             "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"%s\",\"Timestamp\":1000}",
             name);
    send_as(w, name, text);
    send_as(w, name, "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":90000}");
}

static int ended_of;
static bool runs_ended(struct world *w) {
    return w->runs_ended >= ended_of;
}

// Which limit pushed pipelines out is said, with an update or with a tick alone.
static void the_log_says_which_limit_made_room(void **state) {
    (void)state;
    enum { OTHERS = 300, LIMIT_BYTES = 1 << 20 };
    static const char *const names[] = {"a", "b", "c"};
    struct world *w = world_new(true);
    struct budget *budget = budget_new(LIMIT_BYTES);
    struct budget_account others[OTHERS] = {0};
    agent_free(w->agent);
    w->options.pipelines.budget = budget;
    w->options.pipelines.pipelines_max = 2;
    w->options.tick_ms = 100;
    open_agent(w);
    log_configure(LOG_WARN, LOG_LOGFMT);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        send_run(w, names[i]);
    }
    wanted = "event=pipelines_pushed_out partition=0 pipelines=1 for_memory=0 alerts_silenced=0 "
             "error=\"more pipelines than limits.pipelines: ";
    turn_until(w, is_logged);
    agent_free(w->agent); // whose log is silent for a minute
    w->options.pipelines.pipelines_max = 100;
    open_agent(w);
    ended_of = w->runs_ended + 1;
    send_run(w, "d");
    turn_until(w, runs_ended);
    for (int i = 0; i < OTHERS; i++) { // few bytes are left for each, and one has them all
        budget_open(&others[i], budget);
    }
    budget_count(&others[0], LIMIT_BYTES);
    wanted = "error=\"more is kept than limits.memory: ";
    turn_until(w, is_logged);
    for (int i = 0; i < OTHERS; i++) {
        budget_close(&others[i]);
    }
    world_free(w);
    budget_free(budget);
}

static void the_log_names_limits_of_runs(void **state) {
    (void)state;
    struct world *w = world_new(true);
    struct budget *budget = budget_new(8000);
    agent_free(w->agent);
    w->options.engine.budget = budget;
    open_agent(w);
    log_configure(LOG_WARN, LOG_LOGFMT);
    send_log(w, skew_log, "app-1", 0, -1);
    wanted = " limits=memory held_back=";
    turn_until(w, is_logged);
    world_free(w);
    budget_free(budget);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts_of_the_name_before_end),
        cmocka_unit_test(a_limit_that_is_reached_is_shown),
        cmocka_unit_test_setup_teardown(the_log_says_which_limit_made_room, listen_to_log,
                                        leave_log),
        cmocka_unit_test_setup_teardown(the_log_names_limits_of_runs, listen_to_log, leave_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
