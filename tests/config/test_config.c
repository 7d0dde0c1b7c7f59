// test_config: files, variables and single settings, good and bad; every complaint to the letter.
#include <stdio.h>
#include <unistd.h>

#include "commands/setup.h"
#include "config/config.h"
#include "support/test.h"

static struct config *new_config(void) {
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    return config_new(tables, count);
}

static struct config *load(const char *text, size_t len) {
    struct config *config = new_config();
    config_load_text(config, "f", (struct str){text, len});
    config_finish(config);
    return config;
}

static void expect(const char *text, size_t len, const char *errors) {
    struct config *config = load(text, len);
    if (strcmp(config_errors(config), errors) != 0) {
        print_message("text:\n%s\ngot:\n%s\nwant:\n%s\n", text, config_errors(config), errors);
    }
    assert_string_equal(config_errors(config), errors);
    config_free(config);
}

#define BAD(text, errors)                                                                          \
    { text, sizeof(text) - 1, errors }

static const struct {
    const char *text;
    size_t len;
    const char *errors;
} bad_files[] = {
    // keys
    BAD("kafka:\n  brokrs: a:1\n", "f:2: kafka.brokrs: unknown key; did you mean kafka.brokers?\n"),
    BAD("\n\nkafak: {brokers: a}\n",
        "f:3: kafak.brokers: unknown key; did you mean kafka.brokers?\n"),
    BAD("brokers: a\n", "f:1: brokers: unknown key; did you mean kafka.brokers?\n"),
    BAD("kafka: {events: a}\n", "f:1: kafka.events: unknown key; did you mean topics.events?\n"),
    BAD("kafka: {consumr: {group.id: a}}\n",
        "f:1: kafka.consumr.group.id: unknown key; did you mean kafka.consumer.group.id?\n"),
    BAD("zzzzzzzz: 1\n", "f:1: zzzzzzzz: unknown key; stoker config doc lists all\n"),
    BAD("5: 1\n", "f:1: 5: unknown key; stoker config doc lists all\n"),
    BAD("detectors: {data_skew: {ratoi: 3}}\n",
        "f:1: detectors.data_skew.ratoi: unknown key; did you mean detectors.data_skew.ratio?\n"),
    BAD("? [a]\n: b\n", "f:1: keys must be plain words\n"),
    BAD("kafka:\n  ~: b\n", "f:2: kafka: keys must be plain words\n"),
    BAD("\"clu\\0ster\": b\n", "f:1: keys must be plain words\n"),
    BAD("topics: {runs_file: a}\n",
        "f:1: topics.runs_file: unknown key; did you mean topics.runs?\n"),
    // repeats
    BAD("cluster: a\ncluster: b\n", "f:2: cluster: is set twice\n"),
    BAD("kafka: {brokers: a}\nlog: {level: info}\nkafka: {common: {a: b}}\n",
        "f:3: kafka: this section is there twice\n"),
    BAD("kafka: {common: {a: b, a: c}}\n", "f:1: kafka.common.a: is set twice\n"),
    BAD("kafka.common.a: b\nkafka: {common: {a: c}}\n", "f:2: kafka.common.a: is set twice\n"),
    BAD("alertmanager:\n  urls: []\n  urls: []\n", "f:3: alertmanager.urls: is set twice\n"),
    BAD("cluster: a\n---\ncluster: b\n", "f:2: a second document; one is wanted\n"),
    // shapes
    BAD("cluster: {a: b}\n", "f:1: cluster: a value is wanted here, not a section\n"),
    BAD("cluster: [a]\n", "f:1: cluster: a list is not wanted here\n"),
    BAD("kafka: [a]\n", "f:1: kafka: a list is not wanted here\n"),
    BAD("kafka: {common: {a: [b]}}\n", "f:1: kafka.common.a: a list is not wanted here\n"),
    BAD("klaka: [a]\n", "f:1: klaka: unknown key; stoker config doc lists all\n"),
    BAD("kafka: a\n", "f:1: kafka: is a section; its settings go below it, indented\n"),
    BAD("kafka: {common: a}\n",
        "f:1: kafka.common: names and values are wanted here, not a text\n"),
    BAD("alertmanager: {urls: {a: b}}\n",
        "f:1: alertmanager.urls: a list is wanted here, not a section\n"),
    BAD("alertmanager: {urls: [[a], ~]}\n", "f:1: alertmanager.urls: its elements must be texts\n"
                                            "f:1: alertmanager.urls: an element is empty\n"),
    BAD("[a, b]\n", "f:1: the file must hold sections with settings\n"),
    BAD("cluster\n", "f:1: the file must hold sections with settings\n"),
    BAD("a: &x {b: 1}\ncluster: *x\n", "f:1: a.b: unknown key; stoker config doc lists all\n"
                                       "f:2: cluster: aliases and anchors are not taken\n"),
    BAD("kafka:\n  <<: *x\n", "f:2: kafka.<<: aliases and anchors are not taken\n"),
    BAD("a: {a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}}\n",
        "f:1: a.a.a.a.a.a.a.a.a: nested too deeply\n"),
    BAD("a: [[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]\n",
        "f:1: a: unknown key; stoker config doc lists all\nf:1: nested too deeply\n"),
    // not YAML
    BAD("kafka:\n\tbrokers: a\n",
        "f:2: not YAML: found character that cannot start any token, column 1; indent with "
        "spaces, not with a tab\n"),
    BAD("cluster: 'a\n", "f:2: not YAML: found unexpected end of stream, column 1\n"),
    BAD("cluster: a\n  b: c\n", "f:2: not YAML: mapping values are not allowed in this context, "
                                "column 4\n"),
    BAD("cluster: a\nlog: {level: \xff}\n", "f:2: not YAML: invalid leading UTF-8 octet\n"),
    BAD("cluster: \x01\n", "f:1: not YAML: control characters are not allowed\n"),
    // values
    BAD("agent: {workers: }\n", "f:1: agent.workers: has no value\n"),
    BAD("topics: {partitions: x}\n", "f:1: topics.partitions: not a whole number: x\n"),
    BAD("topics: {partitions: 0}\n", "f:1: topics.partitions: out of range: 0; 1 to 10000\n"),
    BAD("topics: {dlq_enabled: yes}\n", "f:1: topics.dlq_enabled: neither true nor false: yes\n"),
    BAD("agent: {commit_interval: 1 fortnight}\n",
        "f:1: agent.commit_interval: not a duration such as 250ms, 1s, 5m or 1h: 1 fortnight\n"),
    BAD("agent: {commit_interval: 1h}\n",
        "f:1: agent.commit_interval: out of range: 1h; 10ms to 1m\n"),
    BAD("input: {max_message_bytes: many}\n",
        "f:1: input.max_message_bytes: not a size such as 512k, 32m or 1g: many\n"),
    BAD("input: {max_message_bytes: 2g}\n",
        "f:1: input.max_message_bytes: out of range: 2g; 1k to 1g\n"),
    BAD("detectors: {data_skew: {ratio: nan}}\n",
        "f:1: detectors.data_skew.ratio: not a number: nan\n"),
    BAD("detectors: {data_skew: {ratio: 0x10}}\n",
        "f:1: detectors.data_skew.ratio: not a number: 0x10\n"),
    BAD("log: {level: infos}\n",
        "f:1: log.level: not a choice: infos; one of debug, info, warn, error\n"),
    BAD("avro: {framing: confluent}\n", "f:1: avro.framing: this release has no Schema Registry "
                                        "client yet; use single-object: confluent\n"),
    BAD("cluster: |\n  a\n  b\n",
        "f:1: cluster: holds a line break or another control character: a\\x0ab\\x0a\n"),
    BAD("cluster: \"a\\0b\"\n", "f:1: cluster: holds a NUL byte\n"),
    // across keys
    BAD("window: {length: 1h, pane: 7m}\n",
        "f:1: window.pane: must divide window.length into at most 1440 panes\n"),
    BAD("window: {length: 24h, pane: 1s}\n",
        "f:1: window.pane: must divide window.length into at most 1440 panes\n"),
    BAD("kafka: {brokers: }\n", "f:1: kafka.brokers: is empty; name at least one broker, "
                                "host:port\n"),
    BAD("agent: {group: \"\"}\n", "f:1: agent.group: is empty; name a consumer group\n"),
    BAD("topics: {runs: \"\"}\n", "f:1: topics.runs: is empty; name a topic\n"),
    BAD("topics: {runs: x, windows: x}\n", "f:1: topics.windows: is the same topic as "
                                           "topics.runs\n"),
    BAD("alertmanager: {urls: [h:9093]}\n",
        "f:1: alertmanager.urls: not a URL such as http://host:9093: h:9093\n"),
    BAD("alertmanager: {urls: [\"http://\", \"ftp://u:hush@h\"]}\n",
        "f:1: alertmanager.urls: not a URL such as http://host:9093: http://\n"
        "f:1: alertmanager.urls: not a URL such as http://host:9093: ftp://********@h\n"),
    BAD("alertmanager: {bearer_token: hush, basic_auth_user: u}\n",
        "f:1: alertmanager.bearer_token: basic and bearer authentication exclude each other\n"),
    BAD("alertmanager: {basic_auth_password: hush}\n",
        "f:1: alertmanager.basic_auth_password: needs alertmanager.basic_auth_user\n"),
    // a mistake does not hide the next
    BAD("cluster: {}\nx: 1\nlog: {level: a, format: b}\n",
        "f:1: cluster: a value is wanted here, not a section\n"
        "f:2: x: unknown key; stoker config doc lists all\n"
        "f:3: log.level: not a choice: a; one of debug, info, warn, error\n"
        "f:3: log.format: not a choice: b; one of logfmt, json\n"),
};

static void test_bad_files(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_files); i++) {
        expect(bad_files[i].text, bad_files[i].len, bad_files[i].errors);
    }
}

static void test_many_mistakes(void **state) {
    (void)state;
    struct buf text = {0};
    for (int i = 0; i < 100000; i++) {
        buf_printf(&text, "x%d: 1\n", i);
    }
    struct config *config = load(text.data, text.len);
    const char *errors = config_errors(config), *last = "more mistakes are not shown\n";
    unsigned lines = 0;
    for (const char *p = errors; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    assert_int_equal(lines, 101);
    assert_string_equal(errors + strlen(errors) - strlen(last), last);
    config_free(config);
    buf_clear(&text);
    for (int i = 0; i < 1 << 20; i++) {
        buf_add_char(&text, '[');
    }
    expect(text.data, text.len, "f:1: the file must hold sections with settings\n");
    buf_add_char(&text, '[');
    expect(text.data, text.len, "f: larger than 1 MiB: is this the right file?\n");
    buf_clear(&text);
    buf_printf(&text, "kafka: {%0*d: 1}\n", 250, 0);
    expect(text.data, text.len, "f:1: kafka: a key of more than 200 bytes\n");
    buf_fini(&text);
}

#define GOOD(text)                                                                                 \
    { text, sizeof(text) - 1 }

static void test_good_files(void **state) {
    (void)state;
    static const struct str good[] = {
        GOOD(""),
        GOOD("# nothing\n"),
        GOOD("---\n"),
        GOOD("---\n...\n"),
        GOOD("kafka:\ntopics: ~\nlog: {}\n"),
        GOOD("kafka:\n  consumer:\n  common: null\n"),
        GOOD("\xef\xbb\xbf"
             "cluster: a\n"),
        GOOD("cluster: a\r\nkafka:\r\n  brokers: b\r\n"),
        GOOD("kafka: {brokers: a, common: {\n  x.y: z}}\nlog:\n  level: debug\n"),
        GOOD("kafka.brokers: a\n"),
        GOOD("alertmanager:\n  urls:\n  - http://a:1/x\n  - \"https://b\"\n"),
        GOOD("alertmanager:\n  urls: http://a, http://b\n"),
        GOOD("kafka: {common: {ssl.certificate.pem: \"a\\nb\\n\"}}\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        expect(good[i].p, good[i].len, "");
    }
}

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
    config_finish(config);
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
        "STOKER_DETECTORS__DATA_SKEW__RATIO_X=1", NULL};
    struct config *config = new_config();
    config_load_env(config, (char *const *)environment);
    assert_string_equal(
        config_errors(config),
        "STOKER_KAFKA__BROKRS: kafka.brokrs: unknown key; did you mean kafka.brokers?\n"
        "STOKER_NONSENSE: nonsense: unknown key; stoker config doc lists all\n"
        "STOKER_LOG__LEVEL: log.level: not a choice: loud; one of debug, info, warn, error\n"
        "STOKER_DETECTORS__DATA_SKEW__RATIO_X: detectors.data_skew.ratio_x: unknown key; did you "
        "mean detectors.data_skew.ratio?\n");
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

static void test_secrets_stay_hidden(void **state) {
    (void)state;
    static const char text[] =
        "kafka:\n  common:\n    sasl.password: HUSH\n    ssl.key.pem: HUSH\n"
        "    sasl.oauthbearer.config: HUSH\n    sasl.jaas.config: HUSH\n    Client.Secret: HUSH\n"
        "alertmanager:\n  basic_auth_user: me\n  basic_auth_password: HUSH\n"
        "  bearer_token: \"HUSH\\n\"\n"
        "  urls: [\"https://me:HUSH@host/x\", \"smtp://HUSH@host\", \"http://a\"]\n";
    struct config *config = load(text, sizeof text - 1);
    struct buf shown = {0};
    config_show(config, &shown);
    assert_null(strstr(buf_text(&shown), "HUSH"));
    assert_null(strstr(config_errors(config), "HUSH"));
    assert_string_equal(
        config_errors(config),
        "f:11: alertmanager.bearer_token: holds a line break or another control character\n"
        "f:12: alertmanager.urls: not a URL such as http://host:9093: smtp://********@host\n");
    assert_non_null(strstr(buf_text(&shown), "\"sasl.password\": \"********\" # f:3\n"));
    assert_non_null(strstr(buf_text(&shown), "  basic_auth_password: \"********\" # f:10\n"));
    assert_non_null(strstr(buf_text(&shown), "[\"https://********@host/x\", "));
    assert_non_null(strstr(buf_text(&shown), "  bearer_token: \"\" # default\n"));
    buf_fini(&shown);
    config_free(config);
}

// What `config show` prints is a file that says the same.
static void test_show_reads_back(void **state) {
    (void)state;
    static const char text[] = "cluster: \"- a: #b\\\\\"\nlog: {level: warn}\n"
                               "kafka: {brokers: 'h:1', common: {a.b: \"x: y\", \"c d\": 5}}\n"
                               "pipeline: {from: [\"a, b\", 'c']}\n";
    struct config *config = load(text, sizeof text - 1), *again;
    struct buf shown = {0}, shown_again = {0};
    config_show(config, &shown);
    again = load(shown.data, shown.len);
    assert_string_equal(config_errors(again), "");
    assert_string_equal(config_text(again, "cluster"), "- a: #b\\");
    unsigned count;
    const struct config_pair *pairs = config_map(again, "kafka.common", &count);
    assert_int_equal(count, 2);
    assert_string_equal(pairs[0].value, "x: y");
    const char *const *from = config_list(again, "pipeline.from", &count);
    assert_int_equal(count, 2);
    assert_string_equal(from[0], "a, b");
    buf_fini(&shown);
    buf_fini(&shown_again);
    config_free(config);
    config_free(again);
}

// `config show` without its remarks on where values come from.
static void add_plain_show(struct buf *out, const struct config *config) {
    struct buf shown = {0};
    config_show(config, &shown);
    for (const char *p = buf_text(&shown); *p != '\0';) {
        const char *end = strchr(p, '\n');
        const char *mark = memmem(p, (size_t)(end - p), " # ", 3);
        buf_add(out, p, (size_t)((mark != NULL ? mark : end) - p));
        buf_add_char(out, '\n');
        p = end + 1;
    }
    buf_fini(&shown);
}

static void test_sample_is_the_defaults(void **state) {
    (void)state;
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    struct buf sample = {0}, ours = {0}, defaults = {0};
    config_sample(tables, count, &sample);
    struct config *config = load(sample.data, sample.len), *fresh = new_config();
    assert_string_equal(config_errors(config), "");
    add_plain_show(&ours, config);
    add_plain_show(&defaults, fresh);
    assert_string_equal(buf_text(&ours), buf_text(&defaults));
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            const struct setting *s = &tables[t].rows[r];
            if (s->type != SETTING_MAP) { // an empty one sets nothing
                assert_int_equal(strncmp(config_origin(config, s->key), "f:", 2), 0);
            }
        }
    }
    config_free(config);
    config_free(fresh);
    buf_fini(&sample);
    buf_fini(&ours);
    buf_fini(&defaults);
}

static void test_every_setting_is_explained(void **state) {
    (void)state;
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    struct buf doc = {0}, sample = {0}, needle = {0};
    config_doc(tables, count, &doc);
    config_sample(tables, count, &sample);
    const char *helps[512];
    unsigned n = 0;
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            const struct setting *s = &tables[t].rows[r];
            assert_true(s->help != NULL && strlen(s->help) > 10 && s->help[0] != '\0');
            assert_int_equal(s->help[strlen(s->help) - 1], '.');
            assert_null(strpbrk(s->help, "|\n"));
            for (unsigned i = 0; i < n; i++) {
                assert_string_not_equal(helps[i], s->help);
            }
            assert_true(n < ARRAY_LEN(helps));
            helps[n++] = s->help;
            buf_clear(&needle);
            buf_printf(&needle, "\n| `%s` | ", s->key);
            assert_non_null(strstr(buf_text(&doc), buf_text(&needle)));
            buf_clear(&needle);
            buf_printf(&needle, "# %s\n", s->help);
            assert_non_null(strstr(buf_text(&sample), buf_text(&needle)));
        }
    }
    assert_true(n > 40);
    buf_fini(&doc);
    buf_fini(&sample);
    buf_fini(&needle);
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
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_later_sources_win),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_secret_files),
        cmocka_unit_test(test_secrets_stay_hidden),
        cmocka_unit_test(test_show_reads_back),
        cmocka_unit_test(test_sample_is_the_defaults),
        cmocka_unit_test(test_every_setting_is_explained),
        cmocka_unit_test(test_unreadable_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
