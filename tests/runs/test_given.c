// test_given: of a topic of recommendations those of one run make its set, with what became of
// each, and nothing that must not be pasted.
#include "records_kit.h"

#include "runs/given.h"

// One of "memory" with id "m" of run id-of-app-1.
static struct recommendation memory(void) {
    static char key[] = "spark.executor.memory", value[] = "4g", code[] = "df.cache()";
    static char action[] = "Give more. In this run: it spilled.";
    static struct setting_advice settings[] = {{key, value}};
    struct recommendation r = {.kind = "memory",
                               .action = action,
                               .code = code,
                               .when_not = "never",
                               .settings = settings,
                               .setting_count = 1,
                               .saving_s = 5,
                               .saving_how = "worked out",
                               .revision = 1};
    snprintf(r.id, sizeof r.id, "m");
    return r;
}

static void feed(struct records *records, struct given *given, const char *app_id,
                 const struct recommendation *r) {
    struct pipeline_run run = records_run(app_id, 1000);
    avro_encode_recommendation(records->codec, &run.identity, run.id, r, &records->bytes);
    struct message message = records_message(records, "etl");
    given_take(given, &message);
}

// A run that says it was advised about memory.
static struct pipeline_run advised(struct run_advice *advice) {
    struct pipeline_run run = records_run("app-1", 1000);
    *advice = (struct run_advice){.id = "m", .kind = ADVICE_MEMORY, .revision = 2, .saving_s = 7};
    run.advice = advice;
    run.advice_count = 1;
    return run;
}

static void the_newest_of_each_is_the_set(void **state) {
    struct records *records = *state;
    struct run_advice advice;
    struct pipeline_run run = advised(&advice);
    struct recommendation set[RUN_ADVICE_MAX], r = memory();
    struct given given;
    given_init(&given, records->codec, &run);
    r.revision = 2;
    feed(records, &given, "app-1", &r);
    r.revision = 1;
    r.action = (char[]){"before"};
    feed(records, &given, "app-1", &r);
    snprintf(r.id, sizeof r.id, "n"); // not of the run's last word
    r.kind = "join";
    feed(records, &given, "app-1", &r);
    assert_int_equal(given_set(&given, set), 1);
    assert_string_equal(set[0].kind, "memory");
    assert_string_equal(set[0].action, "Give more. In this run: it spilled.");
    assert_int_equal(set[0].remedy_bytes, strlen("Give more."));
    assert_string_equal(set[0].code, "df.cache()");
    assert_string_equal(set[0].when_not, "never");
    assert_string_equal(set[0].saving_how, "worked out");
    assert_near(set[0].saving_s, 7, 0); // the run's own record is newer
    assert_int_equal(set[0].setting_count, 1);
    assert_string_equal(set[0].settings[0].key, "spark.executor.memory");
    assert_string_equal(set[0].settings[0].value, "4g");
    assert_int_equal(given.settings_refused, 0);
    given_fini(&given);
}

static void what_became_of_it_is_told_and_withdrawn_is_out(void **state) {
    struct records *records = *state;
    struct run_advice advice;
    struct pipeline_run run = advised(&advice);
    struct recommendation set[RUN_ADVICE_MAX], r = memory();
    struct given given;
    given_init(&given, records->codec, &run);
    feed(records, &given, "app-1", &r);
    r.revision = 3;
    r.action = (char[]){"Applied: it helped."};
    r.outcome = (struct advice_outcome){.fate = FATE_HELPED, .change = -0.25, .per = "byte"};
    feed(records, &given, "app-9", &r);
    assert_int_equal(given_state_of(&given.list[0]), GIVEN_STANDS);
    assert_int_equal(given.list[0].later.recommendation.outcome.fate, FATE_HELPED);
    assert_string_equal(given.list[0].later.recommendation.outcome.per, "byte");
    assert_string_equal(given.list[0].later.identity.app_id, "app-9");
    r.revision = 4;
    r.outcome = (struct advice_outcome){.fate = FATE_WITHDRAWN};
    feed(records, &given, "app-1", &r);
    assert_int_equal(given_state_of(&given.list[0]), GIVEN_WITHDRAWN);
    assert_int_equal(given_set(&given, set), 0);
    given_fini(&given);
}

static void what_the_run_tells_of_others_is_kept_apart(void **state) {
    struct records *records = *state;
    struct run_advice advice;
    struct pipeline_run run = advised(&advice);
    struct recommendation r = memory();
    struct given given;
    given_init(&given, records->codec, &run);
    r.outcome.fate = FATE_HARMED;
    snprintf(r.id, sizeof r.id, "earlier");
    feed(records, &given, "app-1", &r);
    feed(records, &given, "app-2", &r); // of another run: nothing to do with it
    assert_int_equal(given.told_count, 1);
    assert_string_equal(given.told[0].recommendation.id, "earlier");
    assert_int_equal(given_state_of(&given.list[0]), GIVEN_MISSING);
    given_fini(&given);
}

// A record that was shortened, or of an earlier release.
static void a_run_that_names_no_advice_has_what_the_topic_has(void **state) {
    struct records *records = *state;
    struct pipeline_run run = records_run("app-1", 1000);
    struct recommendation set[RUN_ADVICE_MAX], r = memory();
    struct given given;
    given_init(&given, records->codec, &run);
    feed(records, &given, "app-2", &r);
    assert_int_equal(given.count, 0);
    feed(records, &given, "app-1", &r);
    assert_int_equal(given_set(&given, set), 1);
    assert_near(set[0].saving_s, 5, 0);
    given_fini(&given);
}

static void what_must_not_be_pasted_is_refused(void **state) {
    struct records *records = *state;
    struct setting_advice settings[] = {
        {(char[]){"spark.executor.memory"}, (char[]){"4g"}},
        {(char[]){"spark.driver.extraJavaOptions"}, (char[]){"-agentpath:/tmp/x"}},
        {(char[]){"spark.driver.memory"}, (char[]){"4g'; rm -rf /"}},
        {(char[]){"spark.memory.fraction"}, (char[]){"0.6\033[2J"}},
        {(char[]){"spark.serializer"}, (char[]){""}},
    };
    struct own_setting own[] = {
        {(char[]){"spark.sql.shuffle.partitions"}, (char[]){"2000"}, (char[]){"8"}, false},
        {(char[]){"a b"}, (char[]){"1"}, (char[]){"2"}, false},
    };
    struct pipeline_run run = records_run("app-1", 1000);
    struct recommendation set[RUN_ADVICE_MAX], r = memory();
    struct given given;
    given_init(&given, records->codec, &run);
    r.settings = settings;
    r.setting_count = ARRAY_LEN(settings);
    r.own = own;
    r.own_count = ARRAY_LEN(own);
    feed(records, &given, "app-1", &r);
    r.kind = "join"; // the first that gives a setting counts
    r.setting_count = 1;
    r.own_count = 0;
    snprintf(r.id, sizeof r.id, "j");
    feed(records, &given, "app-1", &r);
    assert_int_equal(given_set(&given, set), 2);
    assert_int_equal(set[0].setting_count, 1);
    assert_string_equal(set[0].settings[0].key, "spark.executor.memory");
    assert_int_equal(set[0].own_count, 1);
    assert_string_equal(set[0].own[0].fits, "8");
    assert_int_equal(set[1].setting_count, 0);
    assert_int_equal(given.settings_refused, 6);
    given_fini(&given);
}

static void what_cannot_be_read_is_counted_with_its_place(void **state) {
    struct records *records = *state;
    struct pipeline_run run = records_run("app-1", 1000);
    struct recommendation r = memory();
    struct given given;
    given_init(&given, records->codec, &run);
    feed(records, &given, "app-1", &r);
    struct message message = records_message(records, "etl");
    message.value.len--;
    given_take(&given, &message);
    message.key = STR("other");
    given_take(&given, &message);
    message = records_of_run(records, &run); // a record of another kind
    given_take(&given, &message);
    assert_int_equal(given.unreadable, 2);
    assert_string_equal(given.unreadable_why,
                        "partition 3 offset 1: a damaged Recommendation record");
    assert_int_equal(given.count, 1);
    given_fini(&given);
}

int main(void) {
#define GIVEN_TEST(name) cmocka_unit_test_setup_teardown(name, records_set_up, records_tear_down)
    const struct CMUnitTest tests[] = {
        GIVEN_TEST(the_newest_of_each_is_the_set),
        GIVEN_TEST(what_became_of_it_is_told_and_withdrawn_is_out),
        GIVEN_TEST(what_the_run_tells_of_others_is_kept_apart),
        GIVEN_TEST(a_run_that_names_no_advice_has_what_the_topic_has),
        GIVEN_TEST(what_must_not_be_pasted_is_refused),
        GIVEN_TEST(what_cannot_be_read_is_counted_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
