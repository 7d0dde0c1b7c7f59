// test_landing: the landing page and /status: hostile names, order, bounds, balanced tags. With an
// argument it prints a page to look at.
#include "support/test.h"

#include <stdio.h>

#include "serve/landing.h"

static const struct landing_pipeline some[] = {
    {"orders_daily", 412, "succeeded", 1834.2, 48211.7, {0, 1, 0, 0, 0}},
    {"clickstream_sessions", 96, "failed", 5421.9, 812.4, {0, 0, 1, 2, 1}},
    {"customer_360", 31, "running", -1, -1, {0, 0, 2, 0, 0}},
    {"a_pipeline_with_a_name_that_is_really_far_too_long_to_fit_in_any_table_cell_at_once",
     3,
     "lost",
     12.5,
     99.5,
     {3, 0, 0, 0, 0}},
    {"new", 0, "", -1, -1, {0, 0, 0, 0, 0}},
};

static struct landing landing_of(const struct landing_pipeline *pipelines, size_t count) {
    return (struct landing){.version = "0.1.0",
                            .cluster = "prod-eu",
                            .instance = "stoker-0",
                            .now_ms = 1767323045678,
                            .started_ms = 1767323045678 - 93784000,
                            .ready = true,
                            .reason = "",
                            .details = "alertmanager http://10.0.0.7:9093/: ok, 3 firing, 0 "
                                       "waiting, last accepted 2026-01-02T03:04:00.120Z\n",
                            .partitions = 12,
                            .events_read = 184223941,
                            .events_skipped = 3,
                            .input_lag = 1250,
                            .newest_event_ms = 1767323044100,
                            .alerts_active = 3,
                            .pipelines = pipelines,
                            .pipeline_count = count};
}

static void the_page_says_what_there_is(void **state) {
    (void)state;
    struct landing landing = landing_of(some, ARRAY_LEN(some));
    struct buf page = {0};
    landing_render_html(&landing, &page);
    assert_non_null(strstr(page.data, "<b>Ready.</b> Up for "));
    assert_non_null(strstr(page.data, "184&#8239;223&#8239;941"));
    assert_non_null(strstr(page.data, "03:04:04<small>2026-01-02 UTC, 1.6 s ago</small>"));
    assert_non_null(strstr(page.data, "<span class=\"s critical\">1 critical</span>, <span"));
    assert_non_null(strstr(page.data, "48&#8239;212"));
    const char *worst = strstr(page.data, "clickstream_sessions");
    assert_true(worst < strstr(page.data, "customer_360"));
    assert_true(strstr(page.data, "customer_360") < strstr(page.data, "orders_daily"));
    assert_null(strstr(page.data, "http-equiv=\"Content-Security-Policy\""));
    assert_null(strstr(page.data, "src="));
    landing.ready = false;
    landing.reason = "no broker <b>";
    landing.newest_event_ms = 0;
    landing.pipeline_count = 0;
    buf_clear(&page);
    landing_render_html(&landing, &page);
    assert_non_null(strstr(page.data, "<b>Not ready:</b> no broker &#60;b&#62;. Up for "));
    assert_non_null(strstr(page.data, "none yet"));
    assert_non_null(strstr(page.data, "None seen yet."));
    buf_fini(&page);
}

static void the_json_says_the_same(void **state) {
    (void)state;
    struct landing_pipeline two[] = {{"b\"\n", 2, "succeeded", 1.5, -1, {0, 0, 1, 0, 0}},
                                     {"a", 0, "", -1, NAN, {0, 0, 0, 0, 7}}};
    struct landing landing = landing_of(two, 2);
    landing.details = "x\n";
    landing.newest_event_ms = 0;
    struct buf page = {0};
    landing_render_json(&landing, &page);
    assert_string_equal(
        buf_text(&page),
        "{\"version\":\"0.1.0\",\"cluster\":\"prod-eu\",\"instance\":\"stoker-0\","
        "\"time\":\"2026-01-02T03:04:05.678Z\",\"started\":\"2026-01-01T01:01:01.678Z\","
        "\"ready\":true,\"reason\":\"\",\"details\":\"x\\u000a\",\"partitions\":12,"
        "\"events_read\":184223941,\"events_skipped\":3,\"input_lag\":1250,"
        "\"newest_event\":null,\"alerts_active\":3,\"pipeline_count\":2,\"pipelines\":["
        "{\"pipeline\":\"a\",\"runs\":0,\"last_status\":\"\",\"last_duration_s\":null,"
        "\"records_per_s\":null,\"open\":{\"negligible\":0,\"low\":0,\"moderate\":0,\"severe\":0,"
        "\"critical\":7}},"
        "{\"pipeline\":\"b\\\"\\u000a\",\"runs\":2,\"last_status\":\"succeeded\","
        "\"last_duration_s\":1.5,\"records_per_s\":null,\"open\":{\"negligible\":0,\"low\":0,"
        "\"moderate\":1,\"severe\":0,\"critical\":0}}]}\n");
    buf_fini(&page);
}

// Fails unless every opened tag is closed in order. Tags without a closing one are known.
static void check_tags(const char *page) {
    char open[64][16];
    size_t depth = 0;
    for (const char *at = strchr(page, '<'); at != NULL; at = strchr(at + 1, '<')) {
        char name[16] = "";
        bool close = at[1] == '/';
        sscanf(at + 1 + close, "%15[a-z0-9!A-Z]", name);
        assert_true(name[0] != '\0');
        if (close) {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (strcmp(name, "meta") != 0 && name[0] != '!') {
            assert_true(depth < ARRAY_LEN(open));
            strcpy(open[depth++], name);
        }
    }
    assert_int_equal(depth, 0);
}

static void hostile_text_stays_text(void **state) {
    (void)state;
    static const char evil[] = "</th><script>alert('x')</script>\x1b\xFF\"&<";
    struct landing_pipeline one = {evil, 1, evil, 1e308 * 10, 1e300, {INT64_MIN, -1, 1, 1, 1}};
    struct landing landing = landing_of(&one, 1);
    landing.version = landing.cluster = landing.instance = landing.reason = landing.details = evil;
    for (int ready = 0; ready < 2; ready++) {
        struct buf page = {0};
        landing.ready = ready;
        landing_render_html(&landing, &page);
        assert_null(strstr(page.data, "<script"));
        assert_null(strstr(page.data, "alert('"));
        assert_null(strchr(page.data, '\x1b'));
        assert_true(str_is_utf8(buf_str(&page)));
        check_tags(page.data);
        buf_clear(&page);
        landing_render_json(&landing, &page);
        assert_true(str_is_utf8(buf_str(&page)));
        assert_null(strchr(page.data, '\x1b'));
        buf_fini(&page);
    }
}

static void a_fleet_is_cut(void **state) {
    (void)state;
    static struct landing_pipeline many[LANDING_PIPELINES_MAX + 7];
    static char names[ARRAY_LEN(many)][16];
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        many[i] = (struct landing_pipeline){.name = names[i], .last_status = ""};
    }
    many[ARRAY_LEN(many) - 1].open[SEVERITY_LOW] = 1;
    struct landing landing = landing_of(many, ARRAY_LEN(many));
    struct buf page = {0};
    landing_render_html(&landing, &page);
    assert_non_null(strstr(page.data, "7 more are not shown."));
    assert_non_null(strstr(page.data, "p206</th>")); // not the last any more
    check_tags(page.data);
    buf_fini(&page);
}

static int print_page(const char *what) {
    struct landing landing = landing_of(some, ARRAY_LEN(some));
    struct buf page = {0};
    if (strcmp(what, "--not-ready") == 0) {
        landing.ready = false;
        landing.reason = "no broker has answered since 2026-01-02T03:01:00Z";
        landing.pipeline_count = 0;
        landing.newest_event_ms = 0;
    }
    landing_render_html(&landing, &page);
    fwrite(page.data, 1, page.len, stdout);
    buf_fini(&page);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        return print_page(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_what_there_is),
        cmocka_unit_test(the_json_says_the_same),
        cmocka_unit_test(hostile_text_stays_text),
        cmocka_unit_test(a_fleet_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
