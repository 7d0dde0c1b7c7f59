// test_usual_length: what a run that goes on would lose is weighed for its alerts against what the
// pipeline's runs usually take.
#include "pipelines_kit.h"

// A minute in a run of ten is moderate, in one of two hours it is not worth a word.
static struct open_bottleneck minute = {
    .kind = KIND_DATA_SKEW, .severity = SEVERITY_MODERATE, .saving_s = 60, .summary = "hot key"};

static int64_t place = 0;

static void feed(struct pipelines *p, struct pipeline_run *run) {
    pipelines_feed(p, run, place++, 0);
}

// A run that took so long and had nothing.
static void past(struct pipelines *p, const char *id, enum run_status status, double duration_s) {
    struct pipeline_run run = update(id, 1, 5);
    ended(&run, status, duration_s);
    feed(p, &run);
}

static struct pipelines *with_history(const double *durations_s, int count) {
    struct pipelines *p = fresh();
    for (int i = 0; i < count; i++) {
        char id[8];
        snprintf(id, sizeof id, "past%d", i);
        past(p, id, RUN_SUCCEEDED, durations_s[i]);
    }
    return p;
}

static struct pipeline_run ten_minutes(int64_t revision, struct open_bottleneck *open,
                                       uint32_t count) {
    struct pipeline_run run = update("now", revision, 11);
    run.open = open;
    run.open_count = count;
    return run;
}

static int alerts_of(struct pipelines *p, struct open_bottleneck *open, uint32_t count) {
    struct pipeline_run run = ten_minutes(1, open, count);
    feed(p, &run);
    pipelines_free(p);
    return seen.alert_count;
}

static void a_small_part_of_the_usual_length_is_not_loud(void **state) {
    (void)state;
    static const double hours[] = {7200, 7200, 7200};
    assert_int_equal(alerts_of(with_history(hours, 0), &minute, 1), 1);
    assert_int_equal(alerts_of(with_history(hours, 2), &minute, 1), 1); // two are no habit
    assert_int_equal(alerts_of(with_history(hours, 3), &minute, 1), 0);
    static const double minutes[] = {600, 300, 1200, 7200, 500}; // the usual one takes ten
    assert_int_equal(alerts_of(with_history(minutes, 5), &minute, 1), 1);
    static const double longer[] = {1199, 1199, 1199}; // 60 s are a little more than 5 % of them
    assert_int_equal(alerts_of(with_history(longer, 3), &minute, 1), 1);
    static const double too_long[] = {1201, 1201, 1201};
    assert_int_equal(alerts_of(with_history(too_long, 3), &minute, 1), 0);
}

static void only_what_succeeded_is_usual(void **state) {
    (void)state;
    static const double hours[] = {7200, 7200};
    struct pipelines *p = with_history(hours, 2);
    past(p, "failed", RUN_FAILED, 7200);
    past(p, "killed", RUN_KILLED, 7200);
    struct pipeline_run run = update("beside", 1, 5); // goes on, too
    run.duration_s = 7200;
    feed(p, &run);
    assert_int_equal(alerts_of(p, &minute, 1), 1);
}

static void what_is_bad_whatever_it_costs_is_told_at_once(void **state) {
    (void)state;
    static const double hours[] = {7200, 7200, 7200};
    struct open_bottleneck open[2] = {minute, minute};
    open[0].severity = SEVERITY_SEVERE; // weighed anew it is nothing; the other one stays
    open[1].floor = SEVERITY_MODERATE;
    assert_int_equal(alerts_of(with_history(hours, 3), &open[1], 1), 1);
    assert_int_equal(alerts_of(with_history(hours, 3), open, 2), 1);
    assert_non_null(strstr(seen.alerts[0].description, "(severity moderate, up to 1 m 00 s lost)"));
    open[0].kind = KIND_TASK_FAILURES;
    open[0].floor = SEVERITY_CRITICAL; // never worse than stage 1 says
    assert_int_equal(alerts_of(with_history(hours, 3), open, 1), 1);
    assert_non_null(strstr(seen.alerts[0].description, "(severity severe, "));
    struct open_bottleneck more = minute; // five minutes matter by themselves
    more.saving_s = 400;
    more.severity = SEVERITY_CRITICAL;
    assert_int_equal(alerts_of(with_history(hours, 3), &more, 1), 1);
    assert_non_null(strstr(seen.alerts[0].description, "(severity moderate, "));
}

static void the_end_of_the_run_settles_it(void **state) {
    (void)state;
    static const double hours[] = {7200, 7200, 7200};
    struct pipelines *p = with_history(hours, 3);
    struct pipeline_run run = ten_minutes(1, &minute, 1);
    feed(p, &run);
    assert_int_equal(seen.alert_count, 0);
    run = ten_minutes(2, &minute, 1); // no more than ten minutes this time
    ended(&run, RUN_SUCCEEDED, 600);
    feed(p, &run);
    assert_int_equal(seen.alert_count, 1);
    pipelines_free(p);
}

// An alert of the run before ends as ever: when a run ends without it, not because one begins.
static void a_run_that_begins_ends_no_alert_of_another(void **state) {
    (void)state;
    static const double hours[] = {7200, 7200, 7200};
    struct pipelines *p = with_history(hours, 3);
    struct pipeline_run run = update("before", 1, 6);
    struct open_bottleneck bad = minute;
    run.open = &bad;
    run.open_count = 1;
    ended(&run, RUN_SUCCEEDED, 600);
    feed(p, &run);
    assert_int_equal(seen.alert_count, 1);
    run = ten_minutes(1, &minute, 1);
    feed(p, &run);
    assert_int_equal(seen.alert_count, 1);
    pipelines_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_part_of_the_usual_length_is_not_loud),
        cmocka_unit_test(only_what_succeeded_is_usual),
        cmocka_unit_test(what_is_bad_whatever_it_costs_is_told_at_once),
        cmocka_unit_test(the_end_of_the_run_settles_it),
        cmocka_unit_test(a_run_that_begins_ends_no_alert_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
