// test_config_bad: files that are wrong, every complaint to the letter, and files that look odd and
// are right.
#include "config/config_support.h"

#define TEXT10 "0-a.B_c/ d"
#define TEXT30 TEXT10 TEXT10 TEXT10
#define TEXT100 TEXT30 TEXT30 TEXT30 TEXT10

#define BAD(text, errors)                                                                          \
    { text, sizeof(text) - 1, errors }

struct bad_file {
    const char *text;
    size_t len;
    const char *errors;
};

static const struct bad_file bad_files[] = {
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
        "f:1: agent.commit_interval: out of range: 1h; 10ms to 10s\n"),
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
    BAD("window: {pane: 0}\n", "f:1: window.pane: out of range: 0; 1s to 1d\n"),
    // across keys
    BAD("window: {length: 1h, pane: 7m}\n",
        "f:1: window.pane: must divide window.length into at most 1440 panes\n"),
    BAD("window: {length: 24h, pane: 1s}\n",
        "f:1: window.pane: must divide window.length into at most 1440 panes\n"),
    BAD("kafka: {brokers: }\n", "f:1: kafka.brokers: is empty; name at least one broker, "
                                "host:port\n"),
    BAD("agent: {group: \"\"}\n", "f:1: agent.group: is empty; name a consumer group\n"),
    BAD("agent: {group: " TEXT100 TEXT100 "}\n",
        "f:1: agent.group: group and instance have more than 230 bytes together\n"),
    BAD("agent: {group: " TEXT100 ", instance: " TEXT100 "x" TEXT30 "}\n",
        "f:1: agent.instance: group and instance have more than 230 bytes together\n"),
    BAD("topics: {runs: \"\"}\n", "f:1: topics.runs: is empty; name a topic\n"),
    BAD("topics: {runs: x, windows: x}\n", "f:1: topics.windows: is the same topic as "
                                           "topics.runs\n"),
    BAD("alertmanager: {urls: [h:9093]}\n",
        "f:1: alertmanager.urls: not a URL such as http://host:9093: h:9093\n"),
    BAD("alertmanager: {urls: [\"http://\", \"ftp://u:hush@h\"]}\n",
        "f:1: alertmanager.urls: not a URL such as http://host:9093: http://\n"
        "f:1: alertmanager.urls: not a URL such as http://host:9093: ftp://[hidden]@h\n"),
    BAD("webhook: {urls: [\"ftp://h/hush\"]}\n",
        "f:1: webhook.urls: not a URL such as http://host:9093: [hidden]\n"),
    BAD("webhook: {annotations: {dashboard: \"https://g/{run}\"}}\n",
        "f:1: webhook.annotations.dashboard: {run}: may hold {alertname}, {severity}, "
        "{cluster}, {pipeline} and {kind}\n"),
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
        GOOD("agent: {group: " TEXT100 ", instance: " TEXT100 TEXT30 "}\n"),
        GOOD("alertmanager:\n  urls: http://a, http://b\n"),
        GOOD("kafka: {common: {ssl.certificate.pem: \"a\\nb\\n\"}}\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        expect(good[i].p, good[i].len, "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_good_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
