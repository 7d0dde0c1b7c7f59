// test_run_advice: what the record of a run that ended says of its settings and of the advice it
// got, for whoever follows it up: as it was told, as it is advised, and what would show that lines
// were written.
#include "engine_kit.h"

#include "advise/advise.h"
#include "advise/setting.h"

#define APP "app-1"

static struct told_setting settings[RUN_SETTINGS_MAX];
static struct run_advice advice[RUN_ADVICE_MAX];
static uint32_t setting_count, advice_count;
static int32_t revision;               // of the advice that was handed out last
static enum bottleneck_kind answered;  // by lines to write
static bool gives_setting, gives_code; // what the advisor says

static void recommend(const struct advice_view *view, struct advice *out) {
    uint32_t count;
    struct recommendation *r = advice_add(out, view, ADVICE_PARTITIONING);
    const struct bottleneck *const *list = run_verdicts_of(view->verdicts, answered, &count);
    advice_answers(r, list, count);
    r->action = mem_strdup("repartition");
    r->code = gives_code ? mem_strdup("df.repartition(8)") : NULL;
    r->saving_s = 7;
    if (gives_setting) {
        advice_set_int(r, SETTING_SQL_SHUFFLE_PARTITIONS, 8);
    }
}

static const struct advisor advisor = {"partitions", "for this test", recommend};
static const struct advisor *const advisors_here[] = {&advisor};

static void on_run(void *ctx, const struct pipeline_run *run) {
    kit_on_run(ctx, run);
    setting_count = run->setting_count;
    advice_count = run->advice_count;
    if (run->ended_ms == 0) {
        assert_int_equal(setting_count + advice_count, 0); // while it runs: nothing yet
        return;
    }
    memcpy(settings, run->settings, setting_count * sizeof *settings);
    memcpy(advice, run->advice, advice_count * sizeof *advice);
}

static void on_advice(void *ctx, const struct run_identity *identity, const char *run_id,
                      const struct recommendation *r) {
    kit_on_advice(ctx, identity, run_id, r);
    revision = r->revision;
}

static int set_up(void **state) {
    (void)state;
    struct engine_output output = {NULL, on_run, kit_on_verdict, on_advice};
    kit_options();
    kit.options.advisors = advisors_here;
    kit.options.advisor_count = 1;
    kit.engine = engine_new(&kit.options, kit.decoder, &output);
    gives_setting = gives_code = false;
    answered = KIND_DATA_SKEW;
    setting_count = advice_count = 0;
    return 0;
}

// A run of an hour and more with a skew, told these settings.
static void play(const char *told) {
    kit_app_start(APP, "etl", 0);
    kit_feed(APP, "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"Spark Properties\":{%s}}", told);
    kit_stage(APP, 0, 9, 1, 0);
    for (int i = 0; i < 8; i++) {
        kit_task(APP, 0, i, 1, 3, 1);
    }
    kit_task(APP, 0, 8, 1, 3900, 900);
    kit_stage(APP, 0, 9, 1, 3900);
    assert_int_equal(setting_count, 0);
    kit_app_end(APP, 4000);
}

static const struct told_setting *find(const char *key) {
    for (uint32_t i = 0; i < setting_count; i++) {
        if (strcmp(settings[i].key, key) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

static void assert_setting(const char *key, const char *value, const char *advised,
                           const char *by) {
    const struct told_setting *s = find(key);
    assert_non_null(s);
    assert_string_equal(s->value, value);
    assert_string_equal(s->advised, advised);
    assert_string_equal(s->by, by);
}

static void settings_are_as_told_and_as_advised(void **state) {
    (void)state;
    gives_setting = gives_code = true;
    play("\"spark.executor.memory\":\"4096m\",\"spark.serializer\":\""
         "a.name.of.more.than.eighty.bytes.is.left.out.as.half.of.it.would.be.another.name."
         "Serializer"
         "\",\"spark.kubernetes.container.image\":\"https://me:hunter2@here/spark\"");
    assert_int_equal(setting_count, 3);
    assert_null(strstr(find("spark.kubernetes.container.image")->value, "hunter2"));
    assert_setting("spark.executor.memory", "4096m", "", "");
    assert_setting("spark.sql.shuffle.partitions", "", "8", "partitioning");
    assert_int_equal(advice_count, 1);
    assert_string_equal(advice[0].id, kit_find(KIT_ADVICE, APP, -1)->id);
    assert_int_equal(advice[0].kind, ADVICE_PARTITIONING);
    assert_string_equal(advice[0].finding, ""); // settings tell
    assert_true(advice[0].saving_s == 7);
    assert_true(revision > 0);
    assert_int_equal(advice[0].revision, revision); // the one that is handed out with it
}

// Advice that is named beside what the run sets itself is advice.
static void what_is_set_on_purpose_is_advised_otherwise(void **state) {
    (void)state;
    gives_setting = true;
    play("\"spark.sql.shuffle.partitions\":\"50\"");
    assert_int_equal(setting_count, 1);
    assert_setting("spark.sql.shuffle.partitions", "50", "8", "partitioning");
}

static void lines_are_shown_by_what_they_do_away_with(void **state) {
    (void)state;
    gives_code = true;
    play("\"spark.yarn.queue\":\"etl\"");
    assert_int_equal(setting_count, 0);
    assert_string_equal(advice[0].finding, "data_skew");
}

// A run that is shorter, for whatever reason, has no lines more in it.
static void the_length_of_a_run_shows_no_lines(void **state) {
    (void)state;
    gives_code = true;
    answered = KIND_SLOW_RUN;
    play("\"spark.yarn.queue\":\"etl\"");
    assert_int_equal(advice_count, 1);
    assert_string_equal(advice[0].finding, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_are_as_told_and_as_advised, set_up, kit_tear_down),
        cmocka_unit_test_setup_teardown(what_is_set_on_purpose_is_advised_otherwise, set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(lines_are_shown_by_what_they_do_away_with, set_up,
                                        kit_tear_down),
        cmocka_unit_test_setup_teardown(the_length_of_a_run_shows_no_lines, set_up, kit_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
