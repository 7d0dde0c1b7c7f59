// test_partitioning: the advice on how data is cut: its formula, which setting it dares to give,
// one piece of advice for all that shows it, and none of the general kind beside it.
#include "support/test.h"

#include <stdio.h>

#include "advise/advise.h"
#include "model/operator.h"
#include "support/spark.h"

#define MIB (1024LL * 1024)

static struct app *app;
static struct bottleneck found[3];
static const struct bottleneck *list[3];
static struct run_verdicts verdicts;
static struct advice advice;

static int set_up(void **state) {
    (void)state;
    app = spark_app();
    memset(found, 0, sizeof found);
    memset(&verdicts, 0, sizeof verdicts);
    verdicts.all = list;
    advice = (struct advice){0};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    advice_fini(&advice);
    app_free(app);
    return 0;
}

// The n-th verdict, on a stage of its own; in the order of kinds.
static struct stage *on_stage(unsigned n, enum bottleneck_kind kind, enum cause cause,
                              double saving_s) {
    found[n] = (struct bottleneck){.kind = kind,
                                   .stage = (int32_t)n,
                                   .cause = cause,
                                   .rule_met = TRI_TRUE,
                                   .severity = SEVERITY_SEVERE,
                                   .saving_s = saving_s};
    snprintf(found[n].id, sizeof found[n].id, "id-%u", n);
    snprintf(found[n].summary, sizeof found[n].summary, "stage %u is badly cut", n);
    list[n] = &found[n];
    for (int k = (int)kind; k < KIND_COUNT; k++) {
        verdicts.end[k] = n + 1;
    }
    struct stage *stage = spark_stage(app, EVENT_STAGE_COMPLETED, (int32_t)n, 900, 1000, 2000);
    stage->summary.tasks = 900;
    stage->live_slots = 4;
    stage->summary.shuffle_read_bytes = stage->bytes = 1280 * MIB;
    return stage;
}

static const struct recommendation *ask(void) {
    unsigned count;
    const struct advisor *const *all = advisors(&count);
    struct advice_view view = {.app = app, .verdicts = &verdicts, .duration_s = 1000};
    advice_fini(&advice);
    advise(all, count, &view, &advice);
    return &advice.list[0];
}

static void property(const char *key, const char *value) {
    properties_put(&app->properties, str_of(key), str_of(value));
}

static void one_advice_answers_all_that_shows_it(void **state) {
    (void)state;
    on_stage(0, KIND_LOW_PARALLELISM, CAUSE_SINGLE_PARTITION, 30);
    on_stage(1, KIND_TINY_TASKS, CAUSE_NONE, 50);
    const struct recommendation *r = ask();
    assert_int_equal(advice.count, 1); // and no remedies beside it
    assert_string_equal(r->kind, "partitioning");
    assert_int_equal(r->bottleneck_count, 2);
    assert_string_equal(r->bottlenecks[0], "id-1"); // the dearer first
    assert_near(r->saving_s, 80, 0);
    assert_int_equal(strncmp(r->action, "Make fewer tasks of more", 24), 0);
    assert_non_null(strstr(r->action, "All of the stage's data is in one partition"));
    assert_non_null(strstr(r->action, " 10 partitions fit stage 1 (4 slots, 1.2 GiB)."));
    assert_non_null(strstr(r->action, " In this run: stage 1 is badly cut; "));
    found[0].life = found[1].life = LIFE_RETRACTED;
    ask();
    assert_int_equal(advice.count, 0);
}

static void the_shuffle_is_set_where_the_setting_made_it(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_TINY_TASKS, CAUSE_NONE, 50);
    assert_int_equal(ask()->setting_count, 0); // 900 is not the default: the code asks for it
    property("spark.sql.shuffle.partitions", "900");
    const struct recommendation *r = ask();
    assert_int_equal(r->setting_count, 1);
    assert_string_equal(r->settings[0].key, "spark.sql.shuffle.partitions");
    assert_string_equal(r->settings[0].value, "10");
    stage->bytes = 0; // as many as slots at least
    assert_string_equal(ask()->settings[0].value, "4");
    stage->bytes = 900000 * MIB; // a thousand at most, which is within a fifth of what it has
    assert_int_equal(ask()->setting_count, 0);
    stage->summary.input_bytes = 1281 * MIB; // not the shuffle's doing
    stage->bytes = 0;
    assert_int_equal(ask()->setting_count, 0);
}

static void a_default_of_two_hundred_is_a_setting_too(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_OVERSIZED_PARTITIONS, CAUSE_FEW_PARTITIONS, 50);
    stage->summary.tasks = stage->summary.tasks_expected = 200;
    stage->bytes = stage->summary.shuffle_read_bytes = 400LL * 1024 * MIB;
    const struct recommendation *r = ask();
    assert_int_equal(r->setting_count, 1);
    assert_string_equal(r->settings[0].value, "1000");
}

static void a_split_is_set_where_the_setting_made_it(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_OVERSIZED_PARTITIONS, CAUSE_FEW_PARTITIONS, 50);
    stage->works = WORK_FILES;
    stage->summary.tasks = 10;
    stage->summary.shuffle_read_bytes = 0;
    stage->summary.input_bytes = stage->bytes = 20LL * 1024 * MIB;
    assert_int_equal(ask()->setting_count, 0); // of Spark's own splits that is not to be had
    property("spark.sql.files.maxPartitionBytes", "2g");
    const struct recommendation *r = ask();
    assert_int_equal(r->setting_count, 1);
    assert_string_equal(r->settings[0].key, "spark.sql.files.maxPartitionBytes");
    assert_string_equal(r->settings[0].value, "128m");
    found[0].cause = CAUSE_UNSPLITTABLE; // no setting splits it
    assert_int_equal(ask()->setting_count, 0);
}

static void a_database_is_read_in_parallel(void **state) {
    (void)state;
    struct stage *stage = on_stage(0, KIND_LOW_PARALLELISM, CAUSE_SINGLE_PARTITION, 50);
    stage->works = WORK_JDBC;
    const struct recommendation *r = ask();
    assert_int_equal(strncmp(r->action, "Read the database in parallel", 29), 0);
    assert_non_null(strstr(r->action, "numPartitions"));
    assert_null(strstr(r->action, "coalesce"));
}

static void a_stage_that_was_let_go_is_told_without_numbers(void **state) {
    (void)state;
    on_stage(0, KIND_TINY_TASKS, CAUSE_NONE, 50);
    found[0].stage = 77;
    const struct recommendation *r = ask();
    assert_non_null(strstr(r->action, "In this run: stage 0 is badly cut."));
    assert_int_equal(r->setting_count, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_advice_answers_all_that_shows_it),
        TEST(the_shuffle_is_set_where_the_setting_made_it),
        TEST(a_default_of_two_hundred_is_a_setting_too),
        TEST(a_split_is_set_where_the_setting_made_it),
        TEST(a_database_is_read_in_parallel),
        TEST(a_stage_that_was_let_go_is_told_without_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
