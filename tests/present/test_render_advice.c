// test_render_advice: each piece of advice with all its parts, in lines no wider than asked, the
// dearest first; names that Kubernetes takes; hostile texts stay in their quotes.
#include "support/test.h"

#include <ctype.h>

#include "advise/setting.h"
#include "base/mem.h"
#include "present/render.h"
#include "present/render_advice.h"
#include "support/spark.h"

static struct recommendation piece(enum advice_kind kind, const char *what, const char *why,
                                   double saving_s) {
    struct recommendation r = {.kind = advice_kind_name(kind), .saving_s = saving_s};
    struct buf action = {0};
    buf_add_text(&action, what);
    r.remedy_bytes = action.len;
    buf_printf(&action, " In this run: %s", why);
    r.action = mem_strdup(buf_text(&action));
    buf_fini(&action);
    strcpy(r.saving_how, "as was seen");
    return r;
}

static void every_part_is_told(void **state) {
    (void)state;
    struct recommendation list[] = {piece(ADVICE_MEMORY, "Give more.", "it was full.", 5),
                                    piece(ADVICE_JOIN, "Hint.", "it was small.", 50)};
    advice_set_bytes(&list[0], SETTING_EXECUTOR_MEMORY, 4294967296.0);
    advice_set_int(&list[0], SETTING_SQL_SHUFFLE_PARTITIONS, 9);
    list[1].code = mem_strdup("# one\nout = 2\n");
    list[1].when_not = "Not on Sundays.";
    struct buf out = {0};
    render_advice(&out, list, 2, 100, &(struct render_style){.width = 80});
    const char *text = buf_text(&out);
    assert_true(strstr(text, "\njoin\n") < strstr(text, "\nmemory\n")); // the dearest first
    assert_non_null(strstr(text, "\n  What       Hint.\n  Why        it was small.\n"
                                 "  Saves      up to 50.0 s or 50 % of the run: as was seen\n"
                                 "  When not   Not on Sundays.\n"
                                 "  Code       # one\n             out = 2\n"));
    assert_non_null(strstr(text, "  Settings   --conf spark.executor.memory=4g\n"
                                 "             --conf spark.sql.shuffle.partitions=9\n"));
    assert_non_null(strstr(text, "\n    --conf spark.executor.memory=4g\n"));
    assert_non_null(strstr(text, "\n    spark.executor.memory 4g\n"));
    assert_non_null(strstr(text, "\n    SET spark.sql.shuffle.partitions=9;\n"));
    assert_null(strstr(text, "SET spark.executor.memory"));
    assert_non_null(strstr(text, "\n      \"spark.executor.memory\": \"4g\"\n"));
    buf_clear(&out);
    render_advice(&out, NULL, 0, 100, &(struct render_style){.width = 80});
    assert_string_equal(buf_text(&out), "\n  Nothing to advise.\n");
    buf_fini(&out);
    recommendation_fini(&list[0]);
    recommendation_fini(&list[1]);
}

static void no_line_is_wider_than_asked(void **state) {
    (void)state;
    struct recommendation r =
        piece(ADVICE_MEMORY, "Words that go on and on and on and on and on and on and on.",
              "and these, which do so likewise, as words do when they may.", 1);
    struct buf out = {0};
    render_advice(&out, &r, 1, 0, &(struct render_style){.width = 40});
    for (const char *line = buf_text(&out); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        assert_true(len <= 40);
        line += len + 1;
    }
    assert_null(strstr(buf_text(&out), "% of the run"));
    buf_fini(&out);
    recommendation_fini(&r);
}

static void what_a_text_holds_is_escaped(void **state) {
    (void)state;
    struct recommendation r = piece(ADVICE_MEMORY, "A\x1b[31m", "b\x1b]0;t\x07", 1);
    r.code = mem_strdup("c\x1b[0m\n");
    struct buf out = {0};
    render_advice(&out, &r, 1, 0, &(struct render_style){.width = 100});
    assert_null(memchr(buf_text(&out), 0x1b, out.len));
    assert_null(memchr(buf_text(&out), 0x07, out.len));
    buf_fini(&out);
    recommendation_fini(&r);
}

static void a_page_has_the_lines_to_write(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct recommendation r = piece(ADVICE_JOIN, "Hint.", "it was small.", 1);
    r.code = mem_strdup("a < b\n  c");
    r.when_not = "Not if it grows.";
    struct buf out = {0};
    render_html(&out, app, RUN_SUCCEEDED, &r, 1);
    assert_non_null(strstr(buf_text(&out), "it was small.</p>\n<pre>a &#60; b\n  c\n</pre>\n"
                                           "<p>Not if it grows.</p>\n</div>"));
    buf_fini(&out);
    recommendation_fini(&r);
    app_free(app);
}

static void names_are_those_of_kubernetes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"daily-kpis", "daily-kpis"},
        {"Daily KPIs (2026)", "daily-kpis-2026"},
        {"", "spark"},
        {"---", "spark"},
        {"9 lives", "s-9-lives"},
        {"a_b.c/d", "a-b-c-d"},
        {"\xc3\x9cn\xc3\xaf", "n"},
    };
    char name[RENDER_NAME_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        render_manifest_name(cases[i][0], name);
        assert_string_equal(name, cases[i][1]);
    }
    uint64_t seed = 3;
    for (int i = 0; i < 1000; i++) {
        char text[100];
        size_t len = test_random(&seed) % sizeof text;
        for (size_t k = 0; k < len; k++) {
            text[k] = (char)(1 + test_random(&seed) % 255);
        }
        text[len < sizeof text ? len : sizeof text - 1] = '\0';
        render_manifest_name(text, name);
        len = strlen(name);
        assert_in_range(len, 1, 63);
        assert_true(islower((unsigned char)name[0]) && name[len - 1] != '-');
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), len);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_told),
        cmocka_unit_test(no_line_is_wider_than_asked),
        cmocka_unit_test(what_a_text_holds_is_escaped),
        cmocka_unit_test(a_page_has_the_lines_to_write),
        cmocka_unit_test(names_are_those_of_kubernetes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
