// test_render_findings: what people read of a run's verdicts: one problem once, in text and in
// HTML; what explains another names it; what was not judged is told in a line; nothing is wider
// than asked.
#include "support/test.h"

#include <stdio.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "present/render.h"
#include "support/spark.h"

static struct bottleneck *add(struct app *app, int32_t stage, enum bottleneck_kind kind,
                              enum cause cause, enum severity severity) {
    struct stage *of = NULL;
    if (stage >= 0) {
        of = app_stage(app, stage, 0);
        of = of != NULL ? of : spark_stage(app, EVENT_STAGE_SUBMITTED, stage, 10, 1001000, 0);
    }
    struct bottleneck ***list = of != NULL ? &of->verdicts : &app->verdicts;
    uint32_t *count = of != NULL ? &of->verdict_count : &app->verdict_count;
    struct bottleneck *b = mem_zalloc(1, sizeof *b);
    *list = mem_resize(*list, *count + 1, sizeof **list);
    (*list)[(*count)++] = b;
    b->kind = kind;
    b->cause = cause;
    b->severity = severity;
    b->cap = SEVERITY_CRITICAL;
    b->rule_met = TRI_TRUE;
    b->stage = stage;
    b->stage_attempt = stage >= 0 ? 0 : -1;
    b->saving_s = 10 * (double)severity + 0.5;
    b->saving_share = 0.1;
    snprintf(b->id, sizeof b->id, "%d-%s", stage, kind_name(kind));
    snprintf(b->summary, sizeof b->summary, "summary of %s", b->id);
    return b;
}

static void explain(struct bottleneck *b, const struct bottleneck *root) {
    memcpy(b->explained_by, root->id, sizeof b->explained_by);
}

static struct buf out;
static const char *text_of(const struct app *app, bool all, int width,
                           const struct recommendation *advice, uint32_t count) {
    const struct render_style style = {.width = width, .all = all};
    buf_clear(&out);
    render_text(&out, app, RUN_SUCCEEDED, advice, count, &style);
    return buf_text(&out);
}

static unsigned times(const char *in, const char *text) {
    unsigned n = 0;
    for (; (in = strstr(in, text)) != NULL; in++) {
        n++;
    }
    return n;
}

static void equal_verdicts_are_one_finding(void **state) {
    (void)state;
    struct app *app = spark_app();
    for (int stage = 0; stage < 12; stage++) {
        add(app, stage, KIND_MEMORY_PRESSURE, CAUSE_GC,
            stage == 5 ? SEVERITY_SEVERE : SEVERITY_LOW);
    }
    add(app, 20, KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_LOW); // another cause, another finding
    const char *text = text_of(app, false, 200, NULL, 0);
    assert_int_equal(times(text, "memory_pressure (gc)"), 1);
    assert_int_equal(times(text, "memory_pressure (spill)"), 1);
    assert_non_null(strstr(text, "summary of 5-memory_pressure"));
    assert_non_null(strstr(text, "likewise: stage 0 (low, up to 10.5 s), stage 1 (low"));
    assert_non_null(strstr(text, "stage 8 (low, up to 10.5 s) and 3 more"));
    app_free(app);
}

static void what_is_explained_stands_with_its_root(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct bottleneck *skew = add(app, 1, KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    explain(add(app, 1, KIND_MEMORY_PRESSURE, CAUSE_SPILL, SEVERITY_LOW), skew);
    struct bottleneck *slow = add(app, 2, KIND_STRAGGLER, CAUSE_UNKNOWN, SEVERITY_LOW);
    explain(add(app, 2, KIND_DATA_SKEW, CAUSE_UNKNOWN, SEVERITY_NEGLIGIBLE), slow);
    struct bottleneck *failure = add(app, -1, KIND_PIPELINE_FAILURE, CAUSE_NONE, SEVERITY_CRITICAL);
    explain(failure, skew);
    const char *text = text_of(app, true, 200, NULL, 0);
    assert_int_equal(times(text, "memory_pressure"), 2); // in one line
    assert_non_null(strstr(text, "explains memory_pressure (spill): summary of 1-memory_pressure"));
    assert_null(strstr(text, "data_skew (unknown)")); // the same again, and costs nothing more
    assert_non_null(strstr(text, "  critical   pipeline_failure, up to 40.5 s"));
    assert_non_null(strstr(text, "root cause: data_skew (data), stage 1"));
    buf_clear(&out);
    render_html(&out, app, RUN_SUCCEEDED, NULL, 0);
    assert_int_equal(times(buf_text(&out), "<tr class="), 3);
    assert_int_equal(times(buf_text(&out), "<small>explains memory_pressure (spill)"), 1);
    assert_int_equal(times(buf_text(&out), "<small>root cause: data_skew (data), stage 1"), 1);
    app_free(app);
}

static void a_doubt_is_told_with_its_reason(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct bottleneck *b = add(app, 1, KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    assert_null(strstr(text_of(app, false, 100, NULL, 0), "confidence"));
    b->confidence = CONFIDENCE_LOW;
    b->confidence_why = "too few tasks to compare";
    assert_non_null(strstr(text_of(app, false, 100, NULL, 0),
                           "\n             low confidence: too few tasks to compare\n"));
    buf_clear(&out);
    render_html(&out, app, RUN_SUCCEEDED, NULL, 0);
    assert_non_null(strstr(buf_text(&out), "<small>low confidence: too few tasks"));
    buf_clear(&out);
    render_json(&out, app, RUN_SUCCEEDED, NULL, 0);
    assert_non_null(strstr(buf_text(&out), "\"confidence\":\"low\",\"confidence_why\":\"too few"));
    app_free(app);
}

// Programs read these names: none may go.
static const char *const names[] = {"cluster",
                                    "app_id",
                                    "attempt",
                                    "pipeline",
                                    "app_name",
                                    "user",
                                    "spark_version",
                                    "started_ms",
                                    "ended_ms",
                                    "duration_s",
                                    "outcome",
                                    "total_records",
                                    "records_from",
                                    "data_size_bytes",
                                    "data_size_gb",
                                    "records_per_s",
                                    "gb_per_h",
                                    "shuffle_read_bytes",
                                    "shuffle_write_bytes",
                                    "completeness",
                                    "stage",
                                    "name",
                                    "tasks",
                                    "tasks_failed",
                                    "mean_task_ms",
                                    "max_task_ms",
                                    "memory_spilled_bytes",
                                    "disk_spilled_bytes",
                                    "input_bytes",
                                    "input_records",
                                    "output_bytes",
                                    "output_records",
                                    "run_ms",
                                    "cpu_ms",
                                    "gc_ms",
                                    "read_ms",
                                    "id",
                                    "kind",
                                    "rule_met",
                                    "severity",
                                    "cause",
                                    "confidence",
                                    "summary",
                                    "evidence",
                                    "state",
                                    "opened_ms",
                                    "updated_ms",
                                    "saving_s",
                                    "bottlenecks",
                                    "action",
                                    "settings"};

static void the_names_of_the_contract_are_there(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct bottleneck *b = add(app, 1, KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    b->evidence[b->evidence_count++] = (struct evidence){"ratio", 4};
    b->opened_ms = 1700000000001;
    b->updated_ms = 1700000000002;
    char action[] = "Salt them.";
    const struct recommendation advice = {.kind = "data_skew", .action = action};
    buf_clear(&out);
    render_json(&out, app, RUN_SUCCEEDED, &advice, 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char key[64];
        snprintf(key, sizeof key, "\"%s\":", names[i]);
        if (strstr(buf_text(&out), key) == NULL) {
            fail_msg("%s is not there", names[i]);
        }
    }
    assert_non_null(strstr(buf_text(&out), "\"state\":\"opened\",\"opened_ms\":1700000000001,"
                                           "\"updated_ms\":1700000000002"));
    app_free(app);
}

// General advice stands with its finding, without the numbers that stand there already; other
// advice at the end, whole, with its settings.
static void advice_is_told_once(void **state) {
    (void)state;
    struct app *app = spark_app();
    add(app, 1, KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    char skew[] = "Salt them. In this run: numbers.", memory[] = "More of it. In this run: 4 g.";
    char cut[] = "Repartition. In this run: numbers.", answered[1][ID_TEXT_SIZE] = {"1-data_skew"};
    struct setting_advice setting = {.key = (char[]){"spark.x"}, .value = (char[]){"4g"}};
    const struct recommendation advice[] = {
        {.kind = "data_skew", .action = skew, .remedy_bytes = 10},
        {.kind = "partitioning",
         .action = cut,
         .bottlenecks = answered,
         .bottleneck_count = 1,
         .remedy_bytes = 12},
        {.kind = "memory", .action = memory, .settings = &setting, .setting_count = 1},
    };
    const char *text = text_of(app, false, 100, advice, 3);
    assert_non_null(strstr(text, "             What helps: Salt them.\n"));
    assert_non_null(strstr(text, "             What helps: Repartition.\n")); // it answers it, too
    assert_null(strstr(text, "numbers"));
    assert_int_equal(times(text, "Advice:"), 1);
    assert_non_null(strstr(text, "Advice: memory\n             More of it. In this run: 4 g.\n"
                                 "             --conf spark.x=4g\n"));
    app_free(app);
}

static void what_is_small_or_unknown_is_counted(void **state) {
    (void)state;
    struct app *app = spark_app();
    struct bottleneck *b = add(app, 1, KIND_RESOURCE_CONTENTION, CAUSE_NONE, SEVERITY_NEGLIGIBLE);
    b->cap = SEVERITY_NEGLIGIBLE;
    b = add(app, -1, KIND_NETWORK_OVERHEAD, CAUSE_NONE, SEVERITY_NEGLIGIBLE);
    b->rule_met = TRI_NULL;
    b->reason = "no bytes";
    const char *text = text_of(app, false, 100, NULL, 0);
    assert_non_null(strstr(text, "Nothing here costs time worth saving.\n"));
    assert_non_null(strstr(text, "\n  1 more rule met at negligible cost, 1 rule could not be "
                                 "judged (--all shows them).\n"));
    text = text_of(app, true, 100, NULL, 0);
    assert_non_null(strstr(text, "negligible resource_contention\n")); // costs nothing to speak of
    assert_non_null(strstr(text, "not judged: network_overhead (no bytes)\n"));
    app_free(app);
}

// Wide characters take two columns, those that combine none.
static void no_line_is_wider_than_the_terminal(void **state) {
    (void)state;
    static const char wide[] = "\xE6\x97\xA5\xE6\x9C\xAC ", combining[] = "e\xCC\x81\xCC\x81 ";
    struct app *app = spark_app();
    struct bottleneck *b = add(app, 1, KIND_DATA_SKEW, CAUSE_DATA, SEVERITY_SEVERE);
    b->summary[0] = '\0';
    for (int i = 0; i < 20; i++) {
        strcat(b->summary, wide); // 4 columns each, 5 with the space
    }
    const char *line = strstr(text_of(app, false, 40, NULL, 0), wide);
    assert_non_null(line);
    assert_int_equal(strcspn(line, "\n"), 5 * sizeof wide - 5 - 1); // 27 columns: five of them
    b->summary[0] = '\0';
    for (int i = 0; i < 20; i++) {
        strcat(b->summary, combining); // 1 column each, 2 with the space
    }
    line = strstr(text_of(app, false, 40, NULL, 0), combining);
    assert_non_null(line);
    assert_int_equal(strcspn(line, "\n"), 14 * (sizeof combining - 1) - 1);
    app_free(app);
    buf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_verdicts_are_one_finding),
        cmocka_unit_test(what_is_explained_stands_with_its_root),
        cmocka_unit_test(a_doubt_is_told_with_its_reason),
        cmocka_unit_test(the_names_of_the_contract_are_there),
        cmocka_unit_test(advice_is_told_once),
        cmocka_unit_test(what_is_small_or_unknown_is_counted),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
