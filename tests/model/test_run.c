// test_run: what may be left out of a run's record, and what may not; a copy shares nothing.
#include "support/test.h"

#include "base/mem.h"
#include "model/run.h"

// Kinds by a letter, worst first; a capital one is in great doubt.
static uint32_t shortened(const char *kinds, uint32_t most, char *left) {
    struct open_bottleneck open[32] = {0};
    uint32_t count = (uint32_t)strlen(kinds);
    for (uint32_t i = 0; i < count; i++) {
        bool sure = kinds[i] >= 'a';
        open[i].kind = (enum bottleneck_kind)(kinds[i] - (sure ? 'a' : 'A'));
        open[i].confidence = sure ? CONFIDENCE_HIGH : CONFIDENCE_LOW;
        open[i].stage = (int32_t)i;
    }
    uint32_t n = run_shorten_open(open, count, most);
    for (uint32_t i = 0; i < n; i++) {
        left[i] = (char)((open[i].confidence == CONFIDENCE_HIGH ? 'a' : 'A') + (int)open[i].kind);
        assert_true(i == 0 || open[i].stage > open[i - 1].stage); // worst first, still
    }
    left[n] = '\0';
    return n;
}

static void the_worst_of_each_kind_is_never_left_out(void **state) {
    static const struct {
        const char *open;
        uint32_t most;
        const char *left;
    } cases[] = {
        {"", 3, ""},          {"aab", 3, "aab"},    {"aaaab", 3, "aab"}, {"aaaabc", 3, "abc"},
        {"aaaabc", 1, "abc"}, {"abacb", 4, "abac"}, {"aaa", 0, "a"},     {"cbaabc", 5, "cbaab"},
        {"AAaab", 1, "Aab"}, // the one that is alerted about stands behind one that is not
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char left[32];
        shortened(cases[i].open, cases[i].most, left);
        assert_string_equal(left, cases[i].left);
    }
}

// Until nothing is left to leave out: bounded steps, and what must stay stays.
static void a_run_is_shortened_to_who_it_is_and_its_worst(void **state) {
    (void)state;
    enum { STAGES = 500, OPEN = 200 };
    static struct stage_summary stages[STAGES];
    static struct open_bottleneck open[OPEN];
    static char *texts[20];
    struct pipeline_run run = {.stages = stages,
                               .stage_count = STAGES,
                               .open = open,
                               .open_count = OPEN,
                               .recommendations = texts,
                               .recommendation_count = ARRAY_LEN(texts)};
    memset(run.failure, 'f', sizeof run.failure - 1);
    for (uint32_t i = 0; i < OPEN; i++) {
        open[i].kind = (enum bottleneck_kind)(i % 4);
        open[i].stage = (int32_t)i;
        memset(open[i].summary, 's', sizeof open[i].summary - 1);
    }
    int steps = 0;
    uint32_t before = STAGES;
    for (; pipeline_run_shorten(&run); steps++) {
        assert_true(run.stage_count == before / 2 && run.shortened);
        before = run.stage_count;
    }
    assert_in_range(steps, 9, 12);
    assert_int_equal(run.stage_count + run.recommendation_count, 0);
    assert_int_equal(run.open_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(run.open[i].stage, i);
        assert_string_equal(run.open[i].summary + strlen(run.open[i].summary) - 11, "(shortened)");
        assert_true(strlen(run.open[i].summary) <= 100);
    }
    assert_non_null(strstr(run.failure, "fff ... (shortened)"));
}

static void verdicts_and_advice_are_shortened_by_their_texts(void **state) {
    (void)state;
    struct bottleneck b = {.evidence_count = 3, .saving_s = 7};
    str_copy(b.summary, sizeof b.summary,
             STR("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                 "\xc3\xa4"
                 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                 "\xc3\xa4"
                 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                 "\xc3\xa4"
                 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                 "\xc3\xa4"
                 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                 "\xc3\xa4"));
    assert_true(bottleneck_shorten(&b));
    assert_true(str_is_utf8(str_of(b.summary)));
    assert_non_null(strstr(b.summary, "(shortened)"));
    assert_int_equal(b.evidence_count, 3);
    assert_true(bottleneck_shorten(&b));
    assert_int_equal(b.evidence_count, 0);
    assert_false(bottleneck_shorten(&b));
    char action[400] = "";
    memset(action, 'a', sizeof action - 1);
    char code[] = "df.repartition(8)";
    struct recommendation r = {
        .action = action, .code = code, .bottleneck_count = 200, .setting_count = 2};
    int steps = 0;
    while (recommendation_shorten(&r)) {
        steps++;
        assert_true(r.setting_count == 2 || strstr(action, "(shortened)") != NULL);
        assert_true(r.code != NULL || r.setting_count == 2 || steps > 8);
    }
    assert_in_range(steps, 8, 10);
    assert_null(r.code);
    assert_string_equal(code, "df.repartition(8)"); // its owner has it still
    assert_int_equal(r.setting_count + r.bottleneck_count, 0);
}

// Each list of its own, with what it holds; releasing both is the proof.
static void a_copy_shares_nothing(void **state) {
    (void)state;
    struct pipeline_run run = {.stage_count = 1,
                               .open_count = 2,
                               .setting_count = 1,
                               .advice_count = 1,
                               .recommendation_count = 1};
    run.stages = mem_zalloc(1, sizeof *run.stages);
    run.open = mem_zalloc(2, sizeof *run.open);
    run.open[1].kind = KIND_STRAGGLER;
    run.settings = mem_zalloc(1, sizeof *run.settings);
    run.advice = mem_zalloc(1, sizeof *run.advice);
    run.recommendations = mem_zalloc(1, sizeof *run.recommendations);
    run.recommendations[0] = mem_strdup("do it");
    struct pipeline_run copy;
    pipeline_run_copy(&copy, &run);
    assert_true(copy.stages != run.stages && copy.open != run.open);
    assert_true(copy.settings != run.settings && copy.advice != run.advice);
    pipeline_run_fini(&run);
    assert_int_equal(copy.open[1].kind, KIND_STRAGGLER);
    assert_string_equal(copy.recommendations[0], "do it");
    pipeline_run_fini(&copy);
    pipeline_run_copy(&copy, &run); // of nothing
    pipeline_run_fini(&copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_shares_nothing),
        cmocka_unit_test(the_worst_of_each_kind_is_never_left_out),
        cmocka_unit_test(a_run_is_shortened_to_who_it_is_and_its_worst),
        cmocka_unit_test(verdicts_and_advice_are_shortened_by_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
