// test_setup: what is set arrives, in its unit, in the field of the room that uses it.
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/setup.h"
#include "support/test.h"

// The settings of the agent with these single ones set; freed by the caller.
static struct config *with(const char *const *sets, unsigned count) {
    struct command_args args = {.set_count = count};
    for (unsigned i = 0; i < count; i++) {
        args.sets[i] = sets[i];
    }
    struct config *config = setup_config_raw(&args);
    assert_string_equal(config_errors(config), "");
    return config;
}

static void test_of_the_agent(void **state) {
    (void)state;
    static const char *const sets[] = {
        "cluster=c1",
        "agent.instance=i1",
        "agent.group=g1",
        "agent.membership=dynamic",
        "agent.workers=3",
        "agent.commit_interval=2s",
        "agent.tick=0s",
        "topics.events=in",
        "topics.state_pipelines=kept",
        "topics.dlq_enabled=false",
        "input.max_message_bytes=1m",
        "http.listen=:0",
        "http.hosts=stoker, *.svc",
        "metrics.max_pipelines=7",
        "kafka.brokers=b1:1",
        "kafka.common.client.rack=r",
        "kafka.consumer.fetch.min.bytes=2",
    };
    struct config *config = with(sets, sizeof sets / sizeof *sets);
    struct setup_agent agent;
    setup_agent_init(&agent, config);
    const struct agent_options *o = &agent.options;
    assert_string_equal(o->cluster, "c1");
    assert_string_equal(o->instance, "i1");
    assert_string_equal(o->group, "g1");
    assert_true(o->dynamic);
    assert_int_equal(o->workers, 3);
    assert_int_equal(o->commit_interval_ms, 2000);
    assert_int_equal(o->tick_ms, 0);
    assert_string_equal(o->topics[TOPIC_EVENTS], "in");
    assert_string_equal(o->topics[TOPIC_STATE_PIPELINES], "kept");
    assert_string_equal(o->topics[TOPIC_RUNS], "stoker.runs");
    assert_false(o->dlq_enabled);
    assert_int_equal(o->decode.max_bytes, 1 << 20);
    assert_int_equal(o->max_record_bytes, (1 << 20) + 65536); // the headers of a dead letter
    assert_string_equal(o->http_listen, ":0");
    assert_string_equal(o->http_hosts[1], "*.svc");
    assert_int_equal(o->metrics_pipelines_max, 7);
    assert_string_equal(o->consumer.brokers, "b1:1");
    assert_string_equal(o->producer.client_id, "i1");
    assert_int_equal(o->consumer.common_count, 1);
    assert_int_equal(o->consumer.role_count, 1);
    assert_string_equal(o->consumer.role[0].key, "fetch.min.bytes");
    assert_int_equal(o->producer.role_count, 0);
    setup_agent_fini(&agent);
    config_free(config);
}

static void test_of_the_stages(void **state) {
    (void)state;
    static const char *const sets[] = {
        "pipeline.from=spark.x, app_name",
        "publish.min_severity=severe",
        "publish.failure_text=none",
        "limits.idle=2h",
        "limits.grace=1m",
        "limits.applications=9",
        "limits.pipelines=8",
        "window.length=30m",
        "window.pane=2m",
        "alertmanager.min_severity=critical",
        "alertmanager.min_confidence=high",
        "alertmanager.expire_after=1d",
        "input.wrapper_event_key=e",
        "input.wrapper_app_key=a",
        "input.wrapper_attempt_key=t",
    };
    struct config *config = with(sets, sizeof sets / sizeof *sets);
    struct setup_agent agent;
    setup_agent_init(&agent, config);
    const struct agent_options *o = &agent.options;
    assert_string_equal(o->engine.cluster, "default");
    assert_int_equal(o->engine.pipeline.count, 2);
    assert_string_equal(o->engine.pipeline.keys[0], "spark.x");
    assert_int_equal(o->engine.publish_min, SEVERITY_SEVERE);
    assert_true(o->engine.no_failure_text);
    assert_int_equal(o->engine.idle_ms, 2 * 3600 * 1000);
    assert_int_equal(o->engine.grace_ms, 60 * 1000);
    assert_int_equal(o->engine.applications_max, 9);
    assert_int_equal(o->pipelines.window_ms, 30 * 60 * 1000);
    assert_int_equal(o->pipelines.pane_ms, 2 * 60 * 1000);
    assert_int_equal(o->pipelines.alert_min, SEVERITY_CRITICAL);
    assert_int_equal(o->pipelines.alert_confidence, CONFIDENCE_HIGH);
    assert_int_equal(o->pipelines.pipelines_max, 8);
    assert_string_equal(o->pipelines.cluster, "default");
    assert_int_equal(o->pipelines.alert_silence_ms, 24 * 3600 * 1000);
    assert_string_equal(o->decode.wrapper_event_key, "e");
    assert_string_equal(o->decode.wrapper_app_key, "a");
    assert_string_equal(o->decode.wrapper_attempt_key, "t");
    assert_int_equal(o->decode.more_property_count, 2); // those of pipeline.from are kept, too
    setup_agent_fini(&agent);
    config_free(config);
}

// One for all partitions of the process.
static void test_of_the_budget(void **state) {
    (void)state;
    static const char *const sets[] = {"limits.memory=64m"};
    struct config *config = with(sets, sizeof sets / sizeof *sets);
    struct setup_agent agent;
    setup_agent_init(&agent, config);
    const struct agent_options *o = &agent.options;
    assert_ptr_equal(o->engine.budget, agent.budget);
    assert_ptr_equal(o->pipelines.budget, agent.budget);
    struct budget_account account = {0};
    budget_open(&account, agent.budget);
    budget_count(&account, 64 << 20);
    assert_int_equal(budget_excess(&account), 0);
    budget_count(&account, 1);
    assert_int_equal(budget_excess(&account), (8 << 20) + 1);
    budget_close(&account);
    setup_agent_fini(&agent);
    config_free(config);
}

static void test_of_the_alert_door(void **state) {
    (void)state;
    static const char *const sets[] = {
        "alertmanager.urls=http://a:1, http://b:2",
        "alertmanager.resend_interval=2m",
        "alertmanager.timeout=3s",
        "alertmanager.basic_auth_user=u",
        "alertmanager.basic_auth_password=p",
        "alertmanager.external_labels.region=eu",
        "alertmanager.annotations.runbook_url=https://r/{kind}",
    };
    struct config *config = with(sets, sizeof sets / sizeof *sets);
    struct setup_agent agent;
    setup_agent_init(&agent, config);
    const struct alert_settings *s = &agent.options.alert_targets[0].settings;
    assert_string_equal(agent.options.alert_targets[0].door->name, "alertmanager");
    assert_int_equal(s->url_count, 2);
    assert_int_equal(s->alerts_max, 40000); // four times limits.pipelines
    assert_string_equal(s->urls[1], "http://b:2");
    assert_int_equal(s->resend_interval_ms, 120 * 1000);
    assert_int_equal(s->timeout_ms, 3000);
    assert_string_equal(s->username, "u");
    assert_string_equal(s->password, "p");
    assert_null(s->bearer);
    assert_null(s->ca_file);
    assert_int_equal(s->external_count, 1);
    assert_string_equal(s->external[0].name, "region");
    assert_string_equal(s->external[0].value, "eu");
    assert_int_equal(s->annotation_count, 1);
    assert_string_equal(s->annotations[0].name, "runbook_url");
    assert_string_equal(s->annotations[0].value, "https://r/{kind}");
    setup_agent_fini(&agent);
    config_free(config);
}

// A threshold of a detector is a setting by its kind and name.
static void test_of_a_detector(void **state) {
    (void)state;
    unsigned count;
    const struct detector *detector = detectors(&count)[0];
    assert_true(detector->threshold_count > 0);
    const struct detector_threshold *threshold = &detector->thresholds[0];
    char set[128];
    double value = threshold->def < threshold->max ? threshold->max : threshold->min;
    snprintf(set, sizeof set, "detectors.%s.%s=%.15g", kind_name(detector->kind), threshold->name,
             value);
    const char *const sets[] = {set};
    struct config *config = with(sets, 1);
    struct engine_options engine, built_in;
    setup_engine(config, &engine);
    engine_options_init(&built_in);
    assert_true(memcmp(&engine.thresholds, &built_in.thresholds, sizeof engine.thresholds) != 0);
    config_free(config);
    config = with(NULL, 0);
    setup_engine(config, &engine);
    assert_memory_equal(&engine.thresholds, &built_in.thresholds, sizeof engine.thresholds);
    config_free(config);
}

// What tests and the demo take as built in is what an agent without settings does.
static void test_defaults_agree(void **state) {
    (void)state;
    struct config *config = with(NULL, 0);
    struct setup_agent agent;
    struct engine_options engine;
    struct pipelines_options pipelines;
    setup_agent_init(&agent, config);
    engine_options_init(&engine);
    pipelines_options_init(&pipelines);
    assert_string_equal(agent.options.engine.cluster, engine.cluster);
    assert_int_equal(agent.options.engine.publish_min, engine.publish_min);
    assert_int_equal(agent.options.engine.idle_ms, engine.idle_ms);
    assert_int_equal(agent.options.engine.grace_ms, engine.grace_ms);
    assert_int_equal(agent.options.engine.applications_max, engine.applications_max);
#define SAME(field) assert_int_equal(agent.options.pipelines.field, pipelines.field)
    SAME(window_ms);
    SAME(pane_ms);
    SAME(alert_min);
    SAME(alert_confidence);
    SAME(pipelines_max);
    SAME(runs_max);
    SAME(alert_keep_ms);
    SAME(alert_silence_ms);
#undef SAME
    setup_agent_fini(&agent);
    config_free(config);
}

// However small the messages are that are read.
static void our_own_records_are_not_bound_by_the_input(void **state) {
    (void)state;
    static const char *const sets[] = {"input.max_message_bytes=1k"};
    struct config *config = with(sets, 1);
    struct setup_agent agent;
    setup_agent_init(&agent, config);
    assert_int_equal(agent.options.max_record_bytes, TOPIC_RECORD_BYTES);
    setup_agent_fini(&agent);
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_the_agent),
        cmocka_unit_test(test_of_the_stages),
        cmocka_unit_test(test_of_the_budget),
        cmocka_unit_test(test_of_the_alert_door),
        cmocka_unit_test(test_of_a_detector),
        cmocka_unit_test(test_defaults_agree),
        cmocka_unit_test(our_own_records_are_not_bound_by_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
