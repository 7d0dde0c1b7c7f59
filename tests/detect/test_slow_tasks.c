// test_slow_tasks: why the slow tasks of a stage are slow: the edge between each cause and the
// next, and what would be saved.
#include "slow_tasks_kit.h"

static void twice_the_data_is_the_data(void **state) {
    (void)state;
    struct shape s = even;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_bytes = 2000;
    assert_cause(s, CAUSE_DATA);
    s.slow_bytes = 1999;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_records = 1000; // bytes are known and even: many small records are work, not data
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_bytes = s.rest_bytes = 0; // no bytes are known: records tell
    s.slow_records = 20;
    assert_cause(s, CAUSE_DATA);
    s.slow_records = 19;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_bytes = 1; // only the slow ones read anything
    assert_cause(s, CAUSE_DATA);
    assert_near(compare(&s).data_share, 1, 0);
}

// Ten times the time: nine seconds more. If time grows with the data, 2.7 of them are three tenths.
static void little_of_the_time_is_the_data_only_if_nothing_else_is(void **state) {
    (void)state;
    struct shape s = even;
    s.slow_bytes = 3700;
    assert_near(compare(&s).data_share, 0.3, 1e-9);
    s.there = 3; // on a slow host
    s.there_ms = 2000;
    assert_cause(s, CAUSE_DATA);
    s.slow_bytes = 3699;
    assert_cause(s, CAUSE_SLOW_HOST);
    s.there = 2;
    assert_cause(s, CAUSE_DATA);
    s.fetch_ms = 5001;
    assert_cause(s, CAUSE_FETCH_WAIT);
    s.slow_bytes = 10000;
    assert_near(compare(&s).data_share, 1, 1e-9);
    assert_cause(s, CAUSE_DATA); // more data is more to wait for
    s.slow_bytes = 500;
    assert_near(compare(&s).data_share, 0, 0);
}

static void three_in_four_on_one_slow_host(void **state) {
    (void)state;
    struct shape s = even;
    s.there = 3;
    s.there_ms = 2000;
    assert_cause(s, CAUSE_SLOW_HOST);
    struct slow_tasks slow = compare(&s);
    assert_int_equal(slow.host, 1);
    assert_int_equal(slow.on_host, 3);
    assert_near(slow.saving_s, 30 - 24 * 1.0 / 4, 1e-9); // all as fast as elsewhere, four at a time
    s.slots = 100;
    assert_near(compare(&s).saving_s, 30 - 1, 1e-9); // but no stage is shorter than a task
    s.there_ms = 1999;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.there_ms = 2000;
    s.there = 2;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    assert_int_equal(compare(&s).host, -1);
    s.there = 4;
    struct stage stage = stage_of(&s);
    detail.host_count = 1; // the only host: compared with nothing
    slow_tasks_compare(&nobody, &stage, &slow);
    assert_int_equal(slow.host, -1);
}

static void more_than_half_of_their_time_says_why(void **state) {
    (void)state;
    struct shape s = even;
    s.delay_ms = 5000;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.delay_ms = 5001;
    assert_cause(s, CAUSE_SCHEDULING);
    s = even;
    s.fetch_ms = 3000;
    s.gc_ms = 2000;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.gc_ms = 2001;
    assert_cause(s, CAUSE_BLOCKED);
    s.gc_ms = 5001;
    assert_cause(s, CAUSE_GC);
    s.gc_ms = 0;
    s.fetch_ms = 5001;
    assert_cause(s, CAUSE_FETCH_WAIT);
    s.fetch_ms = 3000;
    s.gc_ms = 2001;
    s.cold = SLOW; // they warmed up: no wonder
    assert_cause(s, CAUSE_COLD_START);
    assert_true(compare(&s).cold);
    s.cold = SLOW - 1;
    assert_cause(s, CAUSE_BLOCKED);
    assert_false(compare(&s).cold);
}

// What came just after the first tasks was still a little slow: evened out without them.
static void what_is_even_but_for_the_first_warmed_up(void **state) {
    (void)state;
    struct shape s = even;
    s.cold = SLOW;
    s.between_ms = 3315; // of 20 that are not cold: thrice their mean of 1116 ms is 3347
    assert_int_equal(compare(&s).count, SLOW + 1);
    assert_cause(s, CAUSE_COLD_START);
    s.between_ms = 3400;
    assert_cause(s, CAUSE_COLD_START); // most of the extra time
    s.between_ms = 9900;
    s.cold = 3;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    struct stage stage = stage_of(&even); // a third of the extra time is of others, but no outliers
    for (unsigned i = 0; i < SLOW; i++) {
        detail.slow[i].duration_ms = i == 0 ? 12000 : 3000;
        detail.slow[i].cold = i == 0;
    }
    stage.task_ms = REST * 1000 + 12000 + (SLOW - 1) * 3000;
    stage.summary.max_task_ms = 12000;
    stage.summary.mean_task_ms = (double)stage.task_ms / (REST + SLOW);
    struct slow_tasks slow;
    slow_tasks_compare(&nobody, &stage, &slow);
    assert_int_equal(slow.count, SLOW);
    assert_int_equal(slow.cause, CAUSE_COLD_START);
}

// The other executors warmed up in no time.
static void what_few_executors_have_is_no_warming_up(void **state) {
    (void)state;
    struct shape s = even;
    s.cold = SLOW;
    s.all_cold = 2 * SLOW - 1;
    assert_cause(s, CAUSE_COLD_START);
    s.all_cold = 2 * SLOW;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
}

// One takes half a minute for what others do in seven seconds.
static void executors_warm_up_alike(void **state) {
    (void)state;
    struct slow_tasks slow;
    struct shape s = even;
    s.cold = SLOW;
    for (int64_t less = 0; less < 2; less++) {
        struct stage stage = stage_of(&s);
        for (unsigned i = 0; i < SLOW; i++) {
            detail.slow[i].duration_ms = i == 0 ? 28000 : 7000 - less;
        }
        stage.task_ms = REST * 1000 + 28000 + (SLOW - 1) * (7000 - less);
        stage.summary.max_task_ms = 28000;
        stage.summary.mean_task_ms = (double)stage.task_ms / (REST + SLOW);
        slow_tasks_compare(&nobody, &stage, &slow);
        assert_int_equal(slow.cause, less == 0 ? CAUSE_COLD_START : CAUSE_COSTLY_RECORDS);
    }
}

// Later stages run new code, too: then all slots begin slowly, not one.
static void a_stage_that_begins_slowly_warms_up(void **state) {
    (void)state;
    struct shape s = even;
    s.first = 4;
    assert_cause(s, CAUSE_COLD_START);
    s.first = 3; // of four slots; the fourth slow task needs another reason
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.first = 4;
    s.slots = 6; // the first of two slots were not slow
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slots = 4;
    s.after_ms = 250;
    assert_cause(s, CAUSE_COLD_START);
    s.after_ms = 251; // the second wave
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.after_ms = 0;
    s.slots = 13; // all began at once
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slots = 4;
    s.slow_bytes = 10000;
    assert_cause(s, CAUSE_DATA);
}

// On two slots the first two tasks were quick; a long one followed at once.
static void what_follows_quick_first_tasks_warms_nothing_up(void **state) {
    (void)state;
    struct shape s = even;
    s.slots = 2;
    s.first = SLOW;
    struct stage stage = stage_of(&s);
    for (unsigned i = 0; i < 3; i++) {
        detail.slow[i].duration_ms = i == 0 ? 10000 : 1000;
        detail.slow[i].launch_ms = stage.first_launch_ms + (i == 0 ? 110 : 0);
    }
    stage.task_ms = (REST + SLOW - 1) * 1000 + 10000;
    detail.slow_count = 3;
    stage.summary.max_task_ms = 10000;
    stage.summary.mean_task_ms = (double)stage.task_ms / (REST + SLOW);
    struct slow_tasks slow;
    slow_tasks_compare(&nobody, &stage, &slow);
    assert_int_equal(slow.count, 1);
    assert_int_equal(slow.cause, CAUSE_COSTLY_RECORDS);
    for (unsigned i = 1; i < 3; i++) {
        detail.slow[i].duration_ms = 9000; // both slots began slowly
    }
    stage.task_ms += 16000;
    stage.summary.mean_task_ms = (double)stage.task_ms / (REST + SLOW);
    slow_tasks_compare(&nobody, &stage, &slow);
    assert_int_equal(slow.cause, CAUSE_COLD_START);
}

static void the_processor_tells_work_from_waiting(void **state) {
    (void)state;
    struct shape s = even;
    s.slow_cpu_ms = 2500; // twice the others' and more, but a quarter of their time
    assert_cause(s, CAUSE_BLOCKED);
    s.slow_cpu_ms = 3000;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s.slow_cpu_ms = 2000; // off the processor as all the others: Python's work
    s.rest_cpu_ms = 200;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s = even;
    s.slow_run_ms = 4000; // the rest of their time is in no metric
    s.slow_cpu_ms = 1700;
    assert_cause(s, CAUSE_UNKNOWN);
    s.slow_cpu_ms = 1800;
    assert_cause(s, CAUSE_COSTLY_RECORDS);
    s = even; // Spark before 2.1 reports none
    s.slow_cpu_ms = s.rest_cpu_ms = 0;
    s.cpu_untold = true;
    assert_cause(s, CAUSE_UNKNOWN);
    s.cpu_untold = false; // what is told is told
    assert_cause(s, CAUSE_COSTLY_RECORDS);
}

// The stage waited for them as if they had succeeded; but the same records were done in a second.
static void what_lost_to_its_copy_is_slow_all_the_same(void **state) {
    (void)state;
    struct shape s = even;
    s.lost = true;
    s.slow_cpu_ms = 100;
    assert_cause(s, CAUSE_BLOCKED);
    struct slow_tasks slow = compare(&s);
    assert_int_equal(slow.count, SLOW);
    assert_int_equal(slow.lost, SLOW);
    assert_near(slow.longest_ms, 10000, 0);
    assert_near(slow.rest_ms, 1000, 0); // of all that succeeded
    assert_near(slow.saving_s, 9, 1e-9);
    s.slow_cpu_ms = 9000;
    assert_cause(s, CAUSE_UNKNOWN);
    s.slow_run_ms = s.slow_cpu_ms = 0; // killed tasks may report nothing
    assert_cause(s, CAUSE_UNKNOWN);
    s.slow_bytes = 100000;
    s.cold = SLOW;
    assert_cause(s, CAUSE_UNKNOWN); // neither the data nor a warm-up
    s.there = 4;
    s.there_ms = 5000;
    assert_cause(s, CAUSE_SLOW_HOST);
    // What lingers after the stage's end held nothing up.
    struct stage stage = stage_of(&even);
    stage.summary.completed_ms = 5000;
    struct stage_task task = {.duration_ms = 9000, .launch_ms = 2000, .lost = true};
    assert_int_equal(stage_task_length_ms(&stage, &task), 3000);
    task.lost = false;
    assert_int_equal(stage_task_length_ms(&stage, &task), 9000);
}

static void no_task_warms_up_for_minutes(void **state) {
    (void)state;
    struct slow_tasks slow;
    struct shape s = even;
    s.cold = SLOW;
    for (int64_t more = 0; more < 2; more++) {
        struct stage stage = stage_of(&s);
        for (unsigned i = 0; i < SLOW; i++) {
            detail.slow[i].duration_ms = 31000 + more;
        }
        stage.task_ms = REST * 1000 + SLOW * (31000 + more);
        stage.summary.max_task_ms = 31000 + more;
        stage.summary.mean_task_ms = (double)stage.task_ms / (REST + SLOW);
        slow_tasks_compare(&nobody, &stage, &slow);
        assert_int_equal(slow.cause, more == 0 ? CAUSE_COLD_START : CAUSE_COSTLY_RECORDS);
    }
}

static void the_slowest_are_named(void **state) {
    (void)state;
    static const struct {
        unsigned slow; // of the four
        const char *names;
    } cases[] = {{1, "(task 17)"}, {2, "(tasks 17 and 4)"}, {4, "(tasks 17, 4 and -2147483648)"}};
    struct app app = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage stage = stage_of(&even);
        detail.slow_count = cases[i].slow;
        stage.task_ms -= (SLOW - (int64_t)cases[i].slow) * 9000;
        stage.summary.mean_task_ms = (double)stage.task_ms / (REST + SLOW);
        detail.slow[0].index = 17;
        detail.slow[1].index = 4;
        detail.slow[2].index = INT32_MIN;
        assert_non_null(strstr(judge(KIND_STRAGGLER, &app, &stage, true).summary, cases[i].names));
    }
}

static void the_stage_waits_for_what_exceeds_the_mean(void **state) {
    (void)state;
    struct shape s = even;
    assert_near(compare(&s).saving_s, 7.5, 1e-9); // 10 s, mean of 2.5 s
    // But its work must be done: 24 s of it in the 7.5 slots that 60 s in eight must have had.
    s.wall_ms = 8000;
    assert_near(compare(&s).saving_s, 8 - 24 / 7.5, 1e-9);
    s.slots = 100; // and no stage is shorter than the longest task left
    assert_near(compare(&s).saving_s, 7, 1e-9);
    s = even;
    s.slots = 2; // four of them, two at a time: twice as much
    assert_near(compare(&s).saving_s, 15, 1e-9);
    s.wall_ms = 25000;
    assert_near(compare(&s).saving_s, 25 - 24 / 2.4, 1e-9);
    // Slow is what takes twice the usual and more than the mean.
    s = even;
    s.between_ms = 2400;
    assert_int_equal(compare(&s).count, SLOW);
    s.between_ms = 2700;
    assert_int_equal(compare(&s).count, SLOW + 1);
    struct stage stage = stage_of(&s); // a single slow one: the mean is below twice the usual
    detail.slow_count = 2;
    detail.slow[1].duration_ms = 1700;
    stage.task_ms = 22 * 1000 + 10000 + 1700;
    stage.summary.mean_task_ms = (double)stage.task_ms / 24;
    struct slow_tasks slow;
    slow_tasks_compare(&nobody, &stage, &slow);
    assert_int_equal(slow.count, 1);
}

// Twenty-three tasks of a second each have ended, of twenty-four; the last runs.
static struct stage hanging(struct stage_running *running, int32_t host) {
    struct shape s = even;
    struct stage stage = stage_of(&s);
    *running = (struct stage_running){.task_id = 7, .launch_ms = 1000, .index = 7, .host = host};
    detail.slow_count = 1;
    detail.slow[0].duration_ms = 1000;
    memset(&detail.durations_ms, 0, sizeof detail.durations_ms);
    sketch_add(&detail.durations_ms, 1000);
    detail.running = running;
    detail.running_count = 1;
    stage.task_ms = 23000;
    stage.summary.max_task_ms = 1000;
    stage.summary.mean_task_ms = 1000;
    stage.summary.tasks = 23;
    stage.summary.tasks_expected = 24;
    return stage;
}

static void a_task_that_runs_is_slow_as_soon_as_it_must_be(void **state) {
    (void)state;
    struct stage_running running;
    struct stage stage = hanging(&running, 0);
    // 24 x e > 3 x (23 + e) s from 69 / 21 s on.
    assert_false(slow_tasks_hang(&stage, 3, 1000 + 3285));
    assert_true(slow_tasks_hang(&stage, 3, 1000 + 3286));
    stage.summary.tasks_expected = 48; // the rest take as long as the mean: 141 / 45 s
    assert_true(slow_tasks_hang(&stage, 3, 1000 + 3134));
    assert_false(slow_tasks_hang(&stage, 3, 1000 + 3133));
    stage.summary.tasks_expected = 23; // all have ended: its start is of nothing
    assert_false(slow_tasks_hang(&stage, 3, 1000 + 90000));
    stage.summary.tasks_expected = 24;
    stage.completed = true;
    assert_false(slow_tasks_hang(&stage, 3, 1000 + 90000));
    stage = hanging(&running, 0); // so short that nobody must know before it ends
    stage.task_ms = 2300;
    stage.summary.mean_task_ms = 100;
    assert_false(slow_tasks_hang(&stage, 3, 1000 + 1999));
    assert_true(slow_tasks_hang(&stage, 3, 1000 + 2000));
}

static void what_runs_tells_where_it_runs(void **state) {
    (void)state;
    struct stage_running running;
    struct stage stage = hanging(&running, 0);
    struct app app = {.now_ms = 1000 + 20000};
    struct verdict v = judge(KIND_STRAGGLER, &app, &stage, false);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cause, CAUSE_UNKNOWN);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
    assert_near(v.saving_s, 19, 1e-9);
    assert_non_null(strstr(v.summary, "task 7 still runs, for 20.0 s so far, 20.0 times the mean"));
    v = judge(KIND_DATA_SKEW, &app, &stage, false);
    assert_int_equal(v.rule_met, TRI_TRUE);
    assert_int_equal(v.cap, SEVERITY_NEGLIGIBLE);
    stage.summary.shuffle_read_bytes = 1; // it may have read far more than the others
    assert_int_equal(judge(KIND_STRAGGLER, &app, &stage, false).cap, SEVERITY_NEGLIGIBLE);
    assert_int_equal(judge(KIND_DATA_SKEW, &app, &stage, false).cap, SEVERITY_CRITICAL);
    // Three of them on the host whose tasks take twice as long.
    struct stage_running three[3];
    stage = hanging(&three[0], 1);
    three[1] = three[2] = three[0];
    detail.running_count = 3;
    stage.summary.tasks_expected = 26;
    hosts[1].task_ms *= 2;
    v = judge(KIND_STRAGGLER, &app, &stage, false);
    assert_int_equal(v.cause, CAUSE_SLOW_HOST);
    three[2].host = 0;
    assert_int_equal(judge(KIND_STRAGGLER, &app, &stage, false).cause, CAUSE_UNKNOWN);
}

// A cold start is negligible only where nothing else explains it.
static void a_cold_start_on_a_slow_host_is_a_slow_host(void **state) {
    (void)state;
    struct app app = {0};
    struct shape s = even;
    s.cold = SLOW;
    struct stage stage = stage_of(&s);
    assert_int_equal(judge(KIND_STRAGGLER, &app, &stage, true).cap, SEVERITY_NEGLIGIBLE);
    s.there = 4;
    s.there_ms = 5000;
    stage = stage_of(&s);
    struct verdict v = judge(KIND_STRAGGLER, &app, &stage, true);
    assert_int_equal(v.cause, CAUSE_SLOW_HOST);
    assert_int_equal(v.cap, SEVERITY_CRITICAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_the_data_is_the_data),
        cmocka_unit_test(three_in_four_on_one_slow_host),
        cmocka_unit_test(more_than_half_of_their_time_says_why),
        cmocka_unit_test(little_of_the_time_is_the_data_only_if_nothing_else_is),
        cmocka_unit_test(what_lost_to_its_copy_is_slow_all_the_same),
        cmocka_unit_test(no_task_warms_up_for_minutes),
        cmocka_unit_test(the_slowest_are_named),
        cmocka_unit_test(a_task_that_runs_is_slow_as_soon_as_it_must_be),
        cmocka_unit_test(what_runs_tells_where_it_runs),
        cmocka_unit_test(what_is_even_but_for_the_first_warmed_up),
        cmocka_unit_test(what_few_executors_have_is_no_warming_up),
        cmocka_unit_test(executors_warm_up_alike),
        cmocka_unit_test(a_stage_that_begins_slowly_warms_up),
        cmocka_unit_test(what_follows_quick_first_tasks_warms_nothing_up),
        cmocka_unit_test(the_processor_tells_work_from_waiting),
        cmocka_unit_test(the_stage_waits_for_what_exceeds_the_mean),
        cmocka_unit_test(a_cold_start_on_a_slow_host_is_a_slow_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
