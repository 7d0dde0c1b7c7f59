// test_render_settings: settings in every form in which they are pasted, and what a run has on
// purpose as a comment beside them, in text, HTML and JSON.
#include "support/test.h"

#include "present/render.h"
#include "present/render_settings.h"
#include "support/spark.h"

static struct buf out;

static struct setting_advice settings[] = {
    {(char[]){"spark.sql.shuffle.partitions"}, (char[]){"8"}},
    {(char[]){"spark.executor.memory"}, (char[]){"4g"}},
    {(char[]){"spark.metrics.conf.*.sink.prometheusServlet.path"}, (char[]){"/metrics"}},
};
static struct own_setting own = {(char[]){"spark.speculation"}, (char[]){"true\n<b>"},
                                 (char[]){"false"}, false};

static const char *in_form(enum settings_form form, uint32_t left_out) {
    buf_clear(&out);
    assert_int_equal(render_settings(&out, form, settings, ARRAY_LEN(settings), 2), left_out);
    return buf_text(&out);
}

static void every_form_is_as_it_is_pasted(void **state) {
    (void)state;
    assert_string_equal(in_form(SETTINGS_CONF, 0),
                        "  --conf spark.sql.shuffle.partitions=8\n"
                        "  --conf spark.executor.memory=4g\n"
                        "  --conf 'spark.metrics.conf.*.sink.prometheusServlet.path=/metrics'\n");
    assert_string_equal(in_form(SETTINGS_DEFAULTS, 0),
                        "  spark.sql.shuffle.partitions 8\n"
                        "  spark.executor.memory 4g\n"
                        "  spark.metrics.conf.*.sink.prometheusServlet.path /metrics\n");
    assert_string_equal(in_form(SETTINGS_SQL, 2), "  SET spark.sql.shuffle.partitions=8;\n");
    assert_string_equal(in_form(SETTINGS_OPERATOR, 0),
                        "  sparkConf:\n    \"spark.sql.shuffle.partitions\": \"8\"\n"
                        "    \"spark.executor.memory\": \"4g\"\n"
                        "    \"spark.metrics.conf.*.sink.prometheusServlet.path\": \"/metrics\"\n");
    buf_clear(&out);
    assert_int_equal(render_settings(&out, SETTINGS_OPERATOR, NULL, 0, 2), 0);
    assert_int_equal(out.len, 0);
    for (int form = 0; form <= SETTINGS_OPERATOR; form++) {
        assert_non_null(settings_form_name((enum settings_form)form));
    }
    assert_null(settings_form_name((enum settings_form)(SETTINGS_OPERATOR + 1)));
}

static void what_is_set_on_purpose_stands_beside_them(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct recommendation advice = {.kind = "partitioning",
                                    .action = (char[]){"Cut it."},
                                    .settings = settings,
                                    .setting_count = 1,
                                    .own = &own,
                                    .own_count = 1};
    struct render_style style = {.width = 100};
    buf_clear(&out);
    render_text(&out, app, RUN_SUCCEEDED, &advice, 1, &style);
    assert_non_null(strstr(buf_text(&out), "             Cut it.\n"
                                           "             --conf spark.sql.shuffle.partitions=8\n"
                                           "             # --conf spark.speculation=false (this "
                                           "run sets true\\x0a<b>, probably on purpose)\n"));
    buf_clear(&out);
    render_html(&out, app, RUN_SUCCEEDED, &advice, 1);
    assert_non_null(strstr(buf_text(&out), "<p><strong>partitioning</strong>: Cut it.</p>\n"
                                           "<pre>--conf spark.sql.shuffle.partitions=8\n"
                                           "# --conf spark.speculation=false (this run sets "
                                           "true\\x0a&#60;b&#62;, probably on purpose)\n"
                                           "</pre>\n</div>"));
    buf_clear(&out);
    render_json(&out, app, RUN_SUCCEEDED, &advice, 1);
    assert_non_null(strstr(buf_text(&out),
                           "\"settings\":{\"spark.sql.shuffle.partitions\":\"8\"},"
                           "\"set_on_purpose\":{\"spark.speculation\":{\"value\":"
                           "\"true\\u000a<b>\",\"fits\":\"false\",\"by_program\":false}}"));
    advice.setting_count = advice.own_count = 0;
    buf_clear(&out);
    render_html(&out, app, RUN_SUCCEEDED, &advice, 1);
    assert_null(strstr(buf_text(&out), "<pre>"));
    buf_fini(&out);
    app_free(app);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_as_it_is_pasted),
        cmocka_unit_test(what_is_set_on_purpose_stands_beside_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
