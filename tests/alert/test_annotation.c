// test_annotation: what is put in the place of names, and what a name cannot do to a link.
#include "support/test.h"

#include <stdio.h>

#include "alert/annotation.h"

static void assert_becomes(const char *text, const char *pipeline, const char *wanted) {
    struct alert alert = {
        .name = "PipelineDataSkew", .severity = "warning", .kind = "data_skew", .cluster = "prod"};
    snprintf(alert.pipeline, sizeof alert.pipeline, "%s", pipeline);
    struct buf out = {0};
    struct err err;
    assert_int_equal(annotation_check(text, &err), ST_OK);
    annotation_add(text, &alert, &out);
    assert_string_equal(buf_text(&out), wanted);
    buf_fini(&out);
}

static void values_in_the_place_of_names(void **state) {
    (void)state;
    assert_becomes("", "p", "");
    assert_becomes("no name }", "p", "no name }");
    assert_becomes("{alertname}/{severity}/{cluster}/{pipeline}/{kind}", "a b",
                   "PipelineDataSkew/warning/prod/a b/data_skew");
    assert_becomes("{pipeline}{pipeline}", "{kind}", "{kind}{kind}"); // a value is no text
}

static void a_link_leads_where_it_did(void **state) {
    (void)state;
    assert_becomes("https://g/d?var={pipeline}&x=1", "a&b=c#/ \xC3\xA9%",
                   "https://g/d?var=a%26b%3Dc%23%2F%20%C3%A9%25&x=1");
    assert_becomes("http://r/{kind}/{pipeline}", "-._~Az09", "http://r/data_skew/-._~Az09");
    assert_becomes("see https://r/{pipeline}", "a/b", "see https://r/a/b"); // no link by itself
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    struct err err;
    assert_int_equal(annotation_check("x {pipeline", &err), ST_FATAL);
    assert_string_equal(err.text, "{ without a }");
    assert_int_equal(annotation_check("{pipeline} {Pipeline}", &err), ST_FATAL);
    assert_non_null(strstr(err.text, "{Pipeline}: may hold {alertname}, "));
    assert_int_equal(annotation_check("{}", &err), ST_FATAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_in_the_place_of_names),
        cmocka_unit_test(a_link_leads_where_it_did),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
