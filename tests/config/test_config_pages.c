// test_config_pages: what `stoker config` prints: complete, readable by the loader, without
// secrets.
#include "config/config_support.h"

static void test_secrets_stay_hidden(void **state) {
    (void)state;
    static const char text[] =
        "kafka:\n  common:\n    sasl.password: HUSH\n    ssl.key.pem: HUSH\n"
        "    sasl.oauthbearer.config: HUSH\n    sasl.jaas.config: HUSH\n    Client.Secret: HUSH\n"
        "    sasl.kerberos.kinit.cmd: kinit -w HUSH\n    sasl.oauthbearer.extensions: a=HUSH\n"
        "    x.y: \"https://h/t?token=HUSH&a=1\"\n"
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
        "f:14: alertmanager.bearer_token: holds a line break or another control character\n"
        "f:15: alertmanager.urls: not a URL such as http://host:9093: smtp://[hidden]@host\n");
    assert_non_null(strstr(buf_text(&shown), "\"sasl.password\": \"[hidden]\" # f:3\n"));
    assert_non_null(strstr(buf_text(&shown), "  basic_auth_password: \"[hidden]\" # f:13\n"));
    assert_non_null(strstr(buf_text(&shown), "\"https://h/t?token=[hidden]&a=1\" # f:10\n"));
    assert_non_null(strstr(buf_text(&shown), "[\"https://[hidden]@host/x\", "));
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

// The same setting of two alert doors.
static bool same_name(const struct setting *a, const struct setting *b) {
    return strcmp(strrchr(a->key, '.'), strrchr(b->key, '.')) == 0;
}

static void test_every_setting_is_explained(void **state) {
    (void)state;
    unsigned count;
    const struct setting_table *tables = setup_tables(&count);
    struct buf doc = {0}, sample = {0}, needle = {0};
    config_doc(tables, count, &doc);
    config_sample(tables, count, &sample);
    const struct setting *seen[512];
    unsigned n = 0;
    for (unsigned t = 0; t < count; t++) {
        for (unsigned r = 0; r < tables[t].count; r++) {
            const struct setting *s = &tables[t].rows[r];
            assert_true(s->help != NULL && strlen(s->help) > 10 && s->help[0] != '\0');
            assert_int_equal(s->help[strlen(s->help) - 1], '.');
            assert_null(strpbrk(s->help, "|\n"));
            for (unsigned i = 0; i < n; i++) {
                assert_true(strcmp(seen[i]->help, s->help) != 0 || same_name(seen[i], s));
            }
            assert_true(n < ARRAY_LEN(seen));
            seen[n++] = s;
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_stay_hidden),
        cmocka_unit_test(test_show_reads_back),
        cmocka_unit_test(test_sample_is_the_defaults),
        cmocka_unit_test(test_every_setting_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
