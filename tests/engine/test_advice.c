// test_advice: an advisor of its own, with a kind that is none of a bottleneck: its recommendation
// is handed out, revised when it says something else, kept with the state and gone on with after a
// restart. And what holds for every advisor: bounds, ids, the table.
#include "engine_kit.h"

#include "advise/advise.h"
#include "advise/setting.h"
#include "keep/table.h"
#include "model/id.h"
#include "support/spark.h"

#define APP "app-1"

static const char *tip;   // what the advisor says; NULL: nothing
static const char *how;   // its saving was computed
static double saving_s;   // and promises
static double promised_s; // what came out, of the last one handed out

static void recommend(const struct advice_view *view, struct advice *out) {
    if (tip == NULL) {
        return;
    }
    struct recommendation *r = advice_add(out, view, ADVICE_PARTITIONING);
    uint32_t count;
    const struct bottleneck *const *skews = run_verdicts_of(view->verdicts, KIND_DATA_SKEW, &count);
    advice_answers(r, skews, count);
    advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, view->app->stage_count > 1 ? 2 : 1);
    snprintf(r->saving_how, sizeof r->saving_how, "%s", how);
    r->action = mem_strdup(tip);
    r->saving_s = saving_s;
}

static const struct advisor partitions = {"partitions", "for this test", recommend};
static const struct advisor *const with_partitions[] = {&partitions};

static void on_advice(void *ctx, const struct run_identity *identity, const char *run_id,
                      const struct recommendation *advice) {
    kit_on_advice(ctx, identity, run_id, advice);
    promised_s = advice->saving_s;
    assert_int_equal(advice->setting_count, 1);
    assert_string_equal(advice->settings[0].key, "spark.sql.shuffle.partitions");
}

static void begin(void) {
    struct engine_output output = {NULL, kit_on_run, kit_on_verdict, on_advice};
    kit.options.advisors = with_partitions;
    kit.options.advisor_count = 1;
    kit.engine = engine_new(&kit.options, kit.decoder, &output);
}

static int set_up(void **state) {
    (void)state;
    kit_options();
    tip = "repartition";
    how = "somehow";
    saving_s = 5;
    begin();
    return 0;
}

// The next minute of the run, in which two tasks end: enough events for an update.
static void minute(int n) {
    kit_task(APP, 0, 1000 + n, 1, 60 * n + 1, 1);
    kit_task(APP, 0, n, 1, 60 * n + 1, 1);
}

static void an_advisor_of_its_own_is_heard_and_revised(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 0);
    minute(0);
    minute(1);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 1);
    const struct kit_record *r = kit_find(KIT_ADVICE, APP, 0);
    assert_string_equal(r->advice_kind, "partitioning");
    assert_int_equal(r->revision, 1);
    struct run_identity identity = {.cluster = "default", .app_id = APP};
    char id[ID_TEXT_SIZE];
    id_of_recommendation(&identity, "partitioning", id);
    assert_string_equal(r->id, id);
    minute(2); // says the same again: not told
    assert_int_equal(kit_count(KIT_ADVICE, APP), 1);
    tip = "coalesce";
    minute(3);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 2);
    tip = NULL;
    minute(4);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 2);
    assert_int_equal(kit_find(KIT_ADVICE, APP, 1)->revision, 2);
    kit_check_revisions();
}

// Whatever of a recommendation changes is news.
static void every_part_of_the_advice_is_its_content(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 0);
    kit_stage(APP, 0, 20, 1, 0);
    minute(0);
    minute(1);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 1);
    kit_stage(APP, 1, 10, 61, 0); // a second stage: another value of the setting
    minute(2);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 2);
    how = "otherwise";
    minute(3);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 3);
    for (int i = 0; i < 8; i++) { // a skew to answer
        kit_task(APP, 1, 100 + i, 182, 184, 1);
    }
    kit_task(APP, 1, 108, 182, 236, 100);
    minute(4);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 4);
    kit_check_revisions();
}

// The runs' values with one more field: 10, the revisions of the run before, beyond any.
static void put_damaged(void *ctx, struct str key, struct str value) {
    static const char field[] = "\x0a\x06\x80\x80\x80\x80\x80\x40"; // 2^40
    struct buf more = {0};
    buf_add_str(&more, value);
    if (key.p[0] == 'r') {
        buf_add(&more, field, sizeof field - 1);
    }
    keep_table_put(ctx, key, buf_str(&more));
    buf_fini(&more);
}

static void revisions_that_cannot_be_are_refused(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 0);
    minute(0);
    for (int round = 0; round < 2; round++) {
        struct keep_table *table = keep_table_new();
        engine_all(kit.engine, round == 0 ? table_put : put_damaged, table);
        struct engine *engine = engine_new(&kit.options, kit.decoder, &(struct engine_output){0});
        assert_int_equal(engine_load(engine, table, &kit.err), round == 0 ? ST_OK : ST_SKIP);
        engine_free(engine);
        keep_table_free(table);
    }
}

static void what_was_told_survives_a_restart(void **state) {
    (void)state;
    kit_app_start(APP, "etl", 0);
    minute(0);
    minute(1);
    tip = "coalesce";
    minute(2);
    struct keep_table *table = keep_table_new();
    engine_all(kit.engine, table_put, table);
    engine_free(kit.engine);
    begin();
    assert_int_equal(engine_load(kit.engine, table, &kit.err), ST_OK);
    keep_table_free(table);
    minute(3);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 2); // known, so not told again
    tip = "repartition";
    minute(4);
    assert_int_equal(kit_find(KIT_ADVICE, APP, -1)->revision, 3);
    kit_check_revisions();
}

static void no_advice_promises_more_than_the_run(void **state) {
    (void)state;
    saving_s = 1e9;
    kit_app_start(APP, "etl", 0);
    minute(0);
    minute(2);
    assert_int_equal(kit_count(KIT_ADVICE, APP), 1);
    assert_near(promised_s, 121, 0);
}

// Skew of two stages at a time costs more than the run took: what the remedies promise together
// does not.
static void remedies_promise_no_more_than_the_run(void **state) {
    (void)state;
    struct app *app = app_new("c", STR("a"), STR(""), &kit.options.pipeline);
    struct bottleneck b[2] = {{.kind = KIND_DATA_SKEW,
                               .rule_met = TRI_TRUE,
                               .severity = SEVERITY_SEVERE,
                               .cause = CAUSE_DATA,
                               .saving_s = 80,
                               .summary = "one"},
                              {.kind = KIND_DATA_SKEW,
                               .rule_met = TRI_TRUE,
                               .severity = SEVERITY_SEVERE,
                               .cause = CAUSE_DATA,
                               .saving_s = 50,
                               .summary = "two"}};
    const struct bottleneck *all[] = {&b[0], &b[1]};
    struct run_verdicts verdicts = {.all = all};
    for (int kind = KIND_DATA_SKEW; kind < KIND_COUNT; kind++) {
        verdicts.end[kind] = 2;
    }
    struct advice_view view = {.app = app,
                               .verdicts = &verdicts,
                               .thresholds = &kit.options.thresholds,
                               .duration_s = 100};
    for (int round = 0; round < 2; round++) {
        struct advice advice = {0};
        unsigned count;
        const struct advisor *const *table = advisors(&count);
        advise(table, count, &view, &advice);
        assert_int_equal(advice.count, 1);
        assert_string_equal(advice.list[0].kind, "data_skew");
        assert_int_equal(advice.list[0].bottleneck_count, 2 - round);
        assert_near(advice.list[0].saving_s, round == 0 ? 100 : 80, 0);
        assert_memory_equal(advice.list[0].saving_how,
                            round == 0 ? "sum over 2 verdicts" : "sum over 1 verdict ", 19);
        assert_non_null(strstr(advice.list[0].action,
                               round == 0 ? "In this run: one; two." : "In this run: one."));
        advice_fini(&advice);
        b[1].life = LIFE_RETRACTED; // not open: neither answered nor summed up
    }
    app_free(app);
}

// Advice on parts of a run shares the run, advice on its length gets what is left.
static void all_advice_together_saves_no_more_than_the_run(void **state) {
    (void)state;
    static const struct {
        double skew_s, io_s, slow_s, failure_s; // as found
        double skew_left_s, io_left_s, slow_left_s;
    } cases[] = {{30, 20, 40, 0, 30, 20, 40},
                 {30, 20, 60, 0, 30, 20, 50},
                 {90, 60, 60, 100, 60, 40, 0},
                 {60, 40, 0, 100, 60, 40, 0},
                 {900, 50, 0, 0, 200 / 3.0, 100 / 3.0, 0}};
    struct app *app = app_new("c", STR("a"), STR(""), &kit.options.pipeline);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bottleneck b[4] = {{.kind = KIND_DATA_SKEW, .saving_s = cases[i].skew_s},
                                  {.kind = KIND_IO_BOTTLENECK, .saving_s = cases[i].io_s},
                                  {.kind = KIND_SLOW_RUN, .saving_s = cases[i].slow_s},
                                  {.kind = KIND_PIPELINE_FAILURE, .saving_s = cases[i].failure_s}};
        const struct bottleneck *all[4];
        struct run_verdicts verdicts = {.all = all};
        for (unsigned k = 0; k < 4; k++) {
            b[k].rule_met = TRI_TRUE;
            b[k].severity = SEVERITY_SEVERE;
            snprintf(b[k].id, sizeof b[k].id, "id-%u", k);
            all[k] = &b[k];
            for (int kind = (int)b[k].kind; kind < KIND_COUNT; kind++) {
                verdicts.end[kind] = k + 1;
            }
        }
        struct advice_view view = {.app = app,
                                   .verdicts = &verdicts,
                                   .thresholds = &kit.options.thresholds,
                                   .duration_s = 100};
        struct advice advice = {0};
        unsigned count;
        const struct advisor *const *table = advisors(&count);
        advise(table, count, &view, &advice);
        assert_int_equal(advice.count, 4);
        assert_near(advice.list[1].saving_s, cases[i].skew_left_s, 1e-9);
        assert_near(advice.list[0].saving_s, cases[i].io_left_s, 1e-9); // advice on the input
        assert_near(advice.list[2].saving_s, cases[i].slow_left_s, 1e-9);
        assert_near(advice.list[3].saving_s, cases[i].failure_s, 1e-9); // the run itself
        advice_fini(&advice);
    }
    app_free(app);
}

static void every_advisor_explains_itself(void **state) {
    (void)state;
    unsigned count;
    const struct advisor *const *all = advisors(&count);
    assert_true(count > 0);
    for (unsigned i = 0; i < count; i++) {
        assert_true(strlen(all[i]->help) > 10);
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(all[i]->name, all[k]->name);
        }
    }
}

// Kept numbers: those of today never mean something else.
static void kinds_of_advice_have_their_numbers(void **state) {
    (void)state;
    static const struct {
        int number;
        const char *name;
    } today[] = {
        {0, "data_skew"},
        {1, "memory_pressure"},
        {2, "network_overhead"},
        {3, "io_bottleneck"},
        {4, "resource_contention"},
        {5, "slow_run"},
        {6, "low_throughput"},
        {7, "straggler"},
        {8, "task_failures"},
        {9, "pipeline_failure"},
        {10, "driver_bound"},
        {11, "idle_executors"},
        {16, "streaming_lag"},
        {64, "partitioning"},
        {65, "memory"},
        {66, "join"},
        {67, "input"},
        {68, "streaming"},
        {69, "kubernetes"},
        {70, "general"},
        {71, "caching"},
    };
    for (size_t i = 0; i < ARRAY_LEN(today); i++) {
        assert_true(advice_kind_known(today[i].number));
        assert_string_equal(advice_kind_name((enum advice_kind)today[i].number), today[i].name);
        assert_int_equal(advice_kind_parse(str_of(today[i].name)), today[i].number);
    }
    assert_false(advice_kind_known(-1));
    assert_false(advice_kind_known(63));
    assert_false(advice_kind_known(1000));
    assert_int_equal(advice_kind_parse(STR("no such kind")), -1);
    assert_true(ADVICE_KIND_COUNT >= (int)ARRAY_LEN(today));
}

// The general advice of one verdict with this summary.
static void remedy_of(const char *summary, struct advice *out) {
    struct bottleneck b = {
        .kind = KIND_SLOW_RUN, .severity = SEVERITY_SEVERE, .rule_met = TRI_TRUE, .saving_s = 1};
    snprintf(b.summary, sizeof b.summary, "%s", summary);
    const struct bottleneck *list[] = {&b};
    struct run_verdicts verdicts = {.all = list};
    for (int kind = KIND_SLOW_RUN; kind < KIND_COUNT; kind++) {
        verdicts.end[kind] = 1;
    }
    struct app *app = spark_app();
    const struct advice_view view = {.app = app, .verdicts = &verdicts, .duration_s = 10};
    unsigned count;
    const struct advisor *const *all = advisors(&count);
    while (strcmp((*all)->name, "remedies") != 0) {
        all++;
    }
    *out = (struct advice){0};
    advise(all, 1, &view, out);
    app_free(app);
}

static void a_sentence_ends_once(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"took long", ": took long."},
                                           {"a stack.", ": a stack."}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct advice advice;
        remedy_of(cases[i][0], &advice);
        const struct recommendation *r = &advice.list[0];
        size_t len = strlen(r->action), end = strlen(cases[i][1]);
        assert_true(len > end);
        assert_string_equal(r->action + len - end, cases[i][1]);
        assert_string_equal(r->action + r->remedy_bytes + strlen(" In this run"), cases[i][1]);
        advice_fini(&advice);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_advisor_of_its_own_is_heard_and_revised, set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(every_part_of_the_advice_is_its_content, set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(revisions_that_cannot_be_are_refused, set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(what_was_told_survives_a_restart, set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(no_advice_promises_more_than_the_run, set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(remedies_promise_no_more_than_the_run, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(all_advice_together_saves_no_more_than_the_run, kit_set_up,
                                        kit_tear_down),
        cmocka_unit_test(every_advisor_explains_itself),
        cmocka_unit_test(kinds_of_advice_have_their_numbers),
        cmocka_unit_test(a_sentence_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
