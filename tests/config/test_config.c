// test_config: values from files, variables, single settings and secret files, and which of them
// wins.
#include "config/config_support.h"

static void test_values(void **state) {
    (void)state;
    static const char text[] = "cluster: \"pr\xc3\xb6"
                               "d\"\n"
                               "topics: {dlq_enabled: false, partitions: 12}\n"
                               "agent: {commit_interval: 250ms}\n"
                               "input: {max_message_bytes: 64k}\n"
                               "alertmanager: {urls: [\"http://a\", 'http://b']}\n"
                               "kafka:\n  consumer:\n    session.timeout.ms: 45000\n"
                               "    session: {x: y}\n"
                               "detectors: {data_skew: {ratio: 4.5}}\n";
    struct config *config = load(text, sizeof text - 1);
    assert_string_equal(config_errors(config), "");
    assert_string_equal(config_text(config, "cluster"), "pr\xc3\xb6"
                                                        "d");
    assert_false(config_bool(config, "topics.dlq_enabled"));
    assert_int_equal(config_int(config, "topics.partitions"), 12);
    assert_int_equal(config_int(config, "agent.commit_interval"), 250);
    assert_int_equal(config_int(config, "input.max_message_bytes"), 65536);
    assert_near(config_real(config, "detectors.data_skew.ratio"), 4.5, 0);
    unsigned count;
    const char *const *urls = config_list(config, "alertmanager.urls", &count);
    assert_int_equal(count, 2);
    assert_string_equal(urls[1], "http://b");
    const struct config_pair *pairs = config_map(config, "kafka.consumer", &count);
    assert_int_equal(count, 2);
    assert_string_equal(pairs[0].key, "session.timeout.ms");
    assert_string_equal(pairs[0].value, "45000");
    assert_string_equal(pairs[1].key, "session.x");
    assert_string_equal(config_origin(config, "agent.commit_interval"), "f:3");
    assert_string_equal(config_origin(config, "kafka.consumer.session.timeout.ms"), "f:8");
    assert_null(config_origin(config, "kafka.consumer.none"));
    assert_string_equal(config_origin(config, "log.level"), "default");
    config_free(config);
}

static void test_later_sources_win(void **state) {
    (void)state;
    const char *environment[] = {
        "STOKER_KAFKA__BROKERS=env:1", "STOKER_CLUSTER=env",         "PATH=/bin",
        "STOKER_LOG__LEVEL=warn",      "STOKER_ALERTMANAGER__URLS=", NULL};
    struct config *config = new_config();
    static const char text[] = "kafka: {brokers: file:1, common: {a: file, b: file}}\n"
                               "cluster: file\nalertmanager: {urls: [http://file]}\n";
    config_load_text(config, "f", (struct str){text, sizeof text - 1});
    config_load_env(config, (char *const *)environment);
    config_set(config, "cluster", "set", "--set");
    config_set(config, "kafka.common.b", "set", "--set");
    config_set(config, "cluster", "set again", "--set");
    setup_check(config);
    assert_string_equal(config_errors(config), "");
    assert_string_equal(config_text(config, "kafka.brokers"), "env:1");
    assert_string_equal(config_origin(config, "kafka.brokers"), "STOKER_KAFKA__BROKERS");
    assert_string_equal(config_text(config, "cluster"), "set again");
    assert_string_equal(config_text(config, "log.level"), "warn");
    unsigned count;
    (void)config_list(config, "alertmanager.urls", &count);
    assert_int_equal(count, 0);
    assert_string_equal(config_origin(config, "kafka.common.a"), "f:1");
    assert_string_equal(config_origin(config, "kafka.common.b"), "--set");
    config_free(config);
}

static void test_environment(void **state) {
    (void)state;
    const char *environment[] = {
        "STOKER_DETECTORS__DATA_SKEW__RATIO=7", "STOKER_KAFKA__CONSUMER__SESSION_TIMEOUT_MS=6000",
        "STOKER_ALERTMANAGER__EXTERNAL_LABELS__MY_TEAM=data", "STOKER_PIPELINE__FROM=a.b, app_name",
        // what Kubernetes makes of services called stoker and stoker-ui
        "STOKER_SERVICE_HOST=10.0.0.1", "STOKER_SERVICE_PORT=9571", "STOKER_SERVICE_PORT_HTTP=9571",
        "STOKER_PORT=tcp://10.0.0.1:9571", "STOKER_PORT_9571_TCP_ADDR=10.0.0.1",
        "STOKER_UI_SERVICE_HOST=10.0.0.2",
        // mistakes
        "STOKER_KAFKA__BROKRS=a", "STOKER_NONSENSE=a", "STOKER_LOG__LEVEL=loud",
        "STOKER_DETECTORS__DATA_SKEW__RATIO_X=1", "STOKER_CLUSTER=\xca",
        "STOKER_KAFKA__COMMON__\xca=1", NULL};
    struct config *config = new_config();
    config_load_env(config, (char *const *)environment);
    assert_string_equal(
        config_errors(config),
        "STOKER_KAFKA__BROKRS: kafka.brokrs: unknown key; did you mean kafka.brokers?\n"
        "STOKER_NONSENSE: nonsense: unknown key; stoker config doc lists all\n"
        "STOKER_LOG__LEVEL: log.level: not a choice: loud; one of debug, info, warn, error\n"
        "STOKER_DETECTORS__DATA_SKEW__RATIO_X: detectors.data_skew.ratio_x: unknown key; did you "
        "mean detectors.data_skew.ratio?\n"
        "STOKER_CLUSTER: cluster: its value is not UTF-8\n"
        "STOKER_KAFKA__COMMON__\\xca: a key of more than 200 bytes, or not UTF-8\n");
    assert_near(config_real(config, "detectors.data_skew.ratio"), 7, 0);
    unsigned count;
    const struct config_pair *pairs = config_map(config, "kafka.consumer", &count);
    assert_int_equal(count, 1);
    assert_string_equal(pairs[0].key, "session.timeout.ms");
    pairs = config_map(config, "alertmanager.external_labels", &count);
    assert_int_equal(count, 1);
    assert_string_equal(pairs[0].key, "my_team");
    const char *const *from = config_list(config, "pipeline.from", &count);
    assert_int_equal(count, 2);
    assert_string_equal(from[0], "a.b");
    config_free(config);
}

static void write_file(const char *path, const char *bytes, size_t len) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void test_secret_files(void **state) {
    (void)state;
    char folder[] = "/tmp/stoker-secret-XXXXXX", path[64], empty[64], text[512];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(empty, sizeof empty, "%s/empty", folder);
    write_file(path, "hu\nsh\r\n\n", 8);
    write_file(empty, "\n", 1);
    int len = snprintf(text, sizeof text,
                       "kafka: {common: {sasl.password_file: %s, ssl.key.pem_file: %s, "
                       "x_file: plain}}\n",
                       path, path);
    struct config *config = load(text, (size_t)len);
    assert_string_equal(config_errors(config), "");
    unsigned count;
    const struct config_pair *pairs = config_map(config, "kafka.common", &count);
    assert_int_equal(count, 3);
    assert_string_equal(pairs[0].key, "sasl.password");
    assert_string_equal(pairs[0].value, "hu\nsh");
    assert_string_equal(pairs[2].key, "x_file"); // no secret: librdkafka's to judge
    write_file(path, "hush", 4);
    snprintf(text, sizeof text, "STOKER_KAFKA__PRODUCER__SASL_PASSWORD_FILE=%s", path);
    const char *environment[] = {text, NULL};
    config_load_env(config, (char *const *)environment);
    config_set(config, "alertmanager.bearer_token_file", path, "--set");
    pairs = config_map(config, "kafka.producer", &count);
    assert_int_equal(count, 1);
    assert_string_equal(pairs[0].value, "hush");
    assert_string_equal(config_text(config, "alertmanager.bearer_token"), "hush");
    assert_string_equal(config_errors(config), "");
    config_set(config, "alertmanager.bearer_token_file", "/nowhere/x", "--set");
    config_set(config, "alertmanager.bearer_token_file", folder, "--set");
    config_set(config, "alertmanager.bearer_token_file", "/dev/zero", "--set");
    config_set(config, "alertmanager.bearer_token_file", empty, "--set");
    len = snprintf(text, sizeof text,
                   "--set: alertmanager.bearer_token_file: /nowhere/x cannot be read\n"
                   "--set: alertmanager.bearer_token_file: %s is not a plain file\n"
                   "--set: alertmanager.bearer_token_file: /dev/zero is not a plain file\n"
                   "--set: alertmanager.bearer_token_file: %s is empty\n",
                   folder, empty);
    assert_string_equal(config_errors(config), text);
    config_free(config);
    len = snprintf(text, sizeof text, "alertmanager: {bearer_token: a, bearer_token_file: %s}\n",
                   path);
    expect(text, (size_t)len, "f:1: alertmanager.bearer_token: is set twice\n");
    unlink(path);
    unlink(empty);
    rmdir(folder);
}

static void test_unreadable_files(void **state) {
    (void)state;
    struct config *config = new_config();
    config_load_file(config, "/nowhere/stoker.yaml");
    config_load_file(config, "/");
    assert_string_equal(config_errors(config),
                        "/nowhere/stoker.yaml: cannot be read: No such file or directory\n"
                        "/: cannot be read: Is a directory\n");
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),           cmocka_unit_test(test_later_sources_win),
        cmocka_unit_test(test_environment),      cmocka_unit_test(test_secret_files),
        cmocka_unit_test(test_unreadable_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
