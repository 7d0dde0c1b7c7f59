// test_compare: why a stage took longer, in seconds that add up; settings and findings that differ.
#include "facts_kit.h"

#include <math.h>

#include "runs/compare.h"

struct pair {
    struct run_facts *a, *b;
    struct stage_facts *x, *y; // the only stages
};

// The same stage in two runs.
static struct pair same_stage(void) {
    struct pair pair = {.a = facts_run("a"), .b = facts_run("b")};
    pair.x = facts_stage(pair.a, "s at A:1", 1);
    pair.y = facts_stage(pair.b, "s at A:1", 1);
    return pair;
}

static void free_pair(struct pair *pair) {
    run_facts_free(pair->a);
    run_facts_free(pair->b);
}

// The reasons as "volume +10.0 compute -2.5".
static const char *reasons_of(const struct pair *pair, char *out, size_t cap) {
    struct comparison c;
    comparison_init(&c, pair->a, pair->b);
    assert_int_equal(c.stage_count, 1);
    out[0] = '\0';
    for (uint32_t i = 0; i < c.stages[0].reason_count; i++) {
        size_t at = strlen(out);
        snprintf(out + at, cap - at, "%s%s %+.1f", i > 0 ? " " : "",
                 reason_name(c.stages[0].reasons[i].reason), c.stages[0].reasons[i].seconds);
    }
    comparison_fini(&c);
    return out;
}

#define ASSERT_REASONS(pair, want)                                                                 \
    do {                                                                                           \
        char said[300];                                                                            \
        assert_string_equal(reasons_of(&(pair), said, sizeof said), want);                         \
        free_pair(&(pair));                                                                        \
    } while (0)

static void more_data_is_volume(void **state) {
    (void)state;
    struct pair pair = same_stage(); // twice of everything
    pair.y->records = 2000;
    pair.y->task_ms = 80000;
    pair.y->cpu_ns = 72000000000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "volume +10.0");
}

static void dearer_records_are_compute(void **state) {
    (void)state;
    struct pair pair = same_stage();
    pair.y->task_ms = 80000;
    pair.y->cpu_ns = 76000000000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "compute +10.0");
    pair = same_stage(); // half the data, each record four times as dear: both are told
    pair.y->records = 500;
    pair.y->task_ms = 76000;
    pair.y->cpu_ns = 72000000000;
    pair.y->wall_ms = 19000;
    ASSERT_REASONS(pair, "compute +13.5 volume -5.0");
}

static void every_kind_of_task_time_is_a_reason(void **state) {
    (void)state;
    struct pair pair = same_stage();
    pair.y->gc_ms = 40000;
    pair.y->task_ms = 80000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "gc +10.0");
    pair = same_stage();
    pair.y->fetch_wait_ms = 40000;
    pair.y->task_ms = 80000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "fetch_wait +10.0");
    pair = same_stage();
    pair.y->shuffle_write_ns = 20000000000;
    pair.y->deserialize_ms = 8000;
    pair.y->delay_ms = 12000;
    pair.y->task_ms = 80000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "shuffle_write +5.0 scheduling +3.0 deserialize +2.0");
}

// Time that no metric explains is told by what the stage did meanwhile.
static void the_rest_goes_by_what_was_done(void **state) {
    (void)state;
    struct pair pair = same_stage();
    pair.y->disk_spilled_bytes = 1000;
    pair.y->task_ms = 80000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "spill +10.0");
    pair = same_stage();
    pair.y->input_bytes = 1000;
    pair.y->task_ms = 80000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "reading +10.0");
    pair = same_stage();
    pair.y->task_ms = 80000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "other +10.0");
}

static void what_is_no_work_is_a_reason_too(void **state) {
    (void)state;
    struct pair pair = same_stage(); // one task of the four holds all of it
    pair.y->wall_ms = 25000;
    pair.y->max_task_ms = 25000;
    ASSERT_REASONS(pair, "skew +15.0");
    pair = same_stage();
    pair.y->wait_ms = 8000;
    pair.y->wall_ms = 18000;
    ASSERT_REASONS(pair, "waiting +8.0");
    pair = same_stage();
    pair.y->slots = 2;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "slots +10.0");
    pair = same_stage();
    pair.y->lost_ms = 40000;
    pair.y->wall_ms = 20000;
    ASSERT_REASONS(pair, "lost +10.0");
    pair = same_stage(); // faster is told likewise
    pair.y->task_ms = 20000;
    pair.y->cpu_ns = 16000000000;
    pair.y->wall_ms = 5000;
    ASSERT_REASONS(pair, "compute -5.0");
}

// Whatever the numbers, the parts are the whole.
static void the_reasons_add_up(void **state) {
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 2000; round++) {
        struct stage_facts stages[2] = {{0}};
        for (int i = 0; i < 2; i++) {
            struct stage_facts *s = &stages[i];
            int64_t *const numbers[] = {
                &s->wall_ms,          &s->wait_ms,        &s->lost_ms,  &s->task_ms,
                &s->cpu_ns,           &s->gc_ms,          &s->records,  &s->fetch_wait_ms,
                &s->shuffle_write_ns, &s->deserialize_ms, &s->delay_ms, &s->disk_spilled_bytes};
            for (size_t n = 0; n < ARRAY_LEN(numbers); n++) {
                *numbers[n] = rand_r(&seed) % 3 == 0 ? 0 : rand_r(&seed) % 100000;
            }
            s->slots = 1 + rand_r(&seed) % 8;
        }
        struct stage_change change = {.seconds = 0}; // every reason counts beside 0
        stage_change_explain(&change, &stages[0], &stages[1]);
        double sum = 0, whole = (double)(stages[1].wall_ms - stages[0].wall_ms) / 1e3;
        for (uint32_t i = 0; i < change.reason_count; i++) {
            sum += change.reasons[i].seconds;
        }
        assert_true(fabs(sum - whole) < 1e-6 * (1 + fabs(whole)));
    }
}

static void words_have_the_numbers_of_both(void **state) {
    (void)state;
    struct pair pair = same_stage();
    struct buf out = {0};
    pair.y->records = 2500;
    pair.y->cpu_ns = 360000000000;
    stage_reason_words(pair.x, pair.y, REASON_VOLUME, &out);
    assert_string_equal(buf_text(&out), "2.5 times the records (1,000 -> 2,500)");
    buf_clear(&out);
    stage_reason_words(pair.x, pair.y, REASON_COMPUTE, &out);
    assert_string_equal(buf_text(&out), "4.0 times the CPU time for each record (36 ms -> 144 ms)");
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        buf_clear(&out);
        stage_reason_words(pair.x, pair.y, reason, &out);
        assert_true(out.len > 10);
        for (enum reason other = 0; other < reason; other++) {
            assert_string_not_equal(reason_name(reason), reason_name(other));
        }
    }
    buf_fini(&out);
    free_pair(&pair);
}

static void the_largest_difference_comes_first(void **state) {
    (void)state;
    struct run_facts *a = facts_run("a"), *b = facts_run("b");
    struct comparison c;
    facts_stage(a, "s at A:1", 1);
    facts_stage(a, "gone at B:1", 2)->wall_ms = 30000;
    facts_stage(b, "s at A:1", 1)->wall_ms = 10500;
    facts_stage(b, "new at C:1", 3)->wall_ms = 60000;
    facts_stage(b, "gone at B:1", 2)->wall_ms = 30090;
    b->duration_s = 130;
    b->times.driver_ms = 5000;
    comparison_init(&c, a, b);
    assert_int_equal(c.stage_count, 3);
    assert_string_equal(comparison_b(&c, &c.stages[0])->name, "new at C:1");
    assert_null(comparison_a(&c, &c.stages[0]));
    assert_int_equal(c.stages[0].reason_count, 0);
    assert_true(stage_change_matters(&c.stages[0]));
    assert_true(fabs(c.stages[1].seconds - 0.5) < 1e-9); // 0.4 % of the run
    assert_false(stage_change_matters(&c.stages[1]));
    assert_true(fabs(c.seconds - 30) < 1e-9 && fabs(c.driver_s - 5) < 1e-9);
    assert_true(fabs(c.start_up_s + c.stages_s + c.driver_s - c.seconds) < 1e-9);
    comparison_fini(&c);
    run_facts_free(a);
    run_facts_free(b);
}

static void settings_that_differ_are_told(void **state) {
    (void)state;
    struct run_facts *a = facts_run("a"), *b = facts_run("b");
    struct comparison c;
    facts_setting(a, "spark.a", "1");
    facts_setting(a, "spark.b", "2");
    facts_setting(a, "spark.c", "3");
    facts_setting(b, "spark.b", "4");
    facts_setting(b, "spark.c", "3");
    facts_setting(b, "spark.d", "5");
    comparison_init(&c, a, b);
    assert_int_equal(c.setting_count, 3);
    assert_string_equal(c.settings[0].key, "spark.a");
    assert_string_equal(c.settings[0].a, "1");
    assert_null(c.settings[0].b);
    assert_string_equal(c.settings[1].key, "spark.b");
    assert_string_equal(c.settings[1].b, "4");
    assert_string_equal(c.settings[2].key, "spark.d");
    assert_null(c.settings[2].a);
    comparison_fini(&c);
    run_facts_free(a);
    run_facts_free(b);
}

// Stages by what they are: number 0 of a is number 1 of b.
static void findings_that_differ_are_told(void **state) {
    (void)state;
    struct run_facts *a = facts_run("a"), *b = facts_run("b");
    struct comparison c;
    facts_stage(a, "s at A:1", 1);
    facts_stage(b, "new at B:1", 2);
    facts_stage(b, "s at A:1", 1);
    facts_finding(a, KIND_DATA_SKEW, 0, SEVERITY_SEVERE);    // the same
    facts_finding(a, KIND_MEMORY_PRESSURE, 0, SEVERITY_LOW); // worse
    facts_finding(a, KIND_SLOW_RUN, -1, SEVERITY_MODERATE);  // gone
    facts_finding(b, KIND_DATA_SKEW, 1, SEVERITY_SEVERE);
    facts_finding(b, KIND_MEMORY_PRESSURE, 0, SEVERITY_LOW); // new: of another stage
    facts_finding(b, KIND_MEMORY_PRESSURE, 1, SEVERITY_SEVERE);
    facts_finding(b, KIND_DRIVER_BOUND, -1, SEVERITY_LOW); // new
    comparison_init(&c, a, b);
    static const struct {
        enum finding_turn turn;
        enum bottleneck_kind kind;
    } want[] = {{FINDING_NEW, KIND_MEMORY_PRESSURE},
                {FINDING_NEW, KIND_DRIVER_BOUND},
                {FINDING_WORSE, KIND_MEMORY_PRESSURE},
                {FINDING_GONE, KIND_SLOW_RUN}};
    assert_int_equal(c.finding_count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct finding_change *change = &c.findings[i];
        assert_int_equal(change->turn, want[i].turn);
        assert_int_equal((change->b != NULL ? change->b : change->a)->kind, want[i].kind);
    }
    comparison_fini(&c);
    run_facts_free(a);
    run_facts_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_data_is_volume),
        cmocka_unit_test(dearer_records_are_compute),
        cmocka_unit_test(every_kind_of_task_time_is_a_reason),
        cmocka_unit_test(the_rest_goes_by_what_was_done),
        cmocka_unit_test(what_is_no_work_is_a_reason_too),
        cmocka_unit_test(the_reasons_add_up),
        cmocka_unit_test(words_have_the_numbers_of_both),
        cmocka_unit_test(the_largest_difference_comes_first),
        cmocka_unit_test(settings_that_differ_are_told),
        cmocka_unit_test(findings_that_differ_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
