// test_followed: what becomes of advice: which runs have applied it, what that did, where that
// cannot be told, and that what did not help twice is withdrawn.
#include "pipelines_kit.h"

#include <math.h>

#include "base/metrics.h"

static const char memory[] = "spark.executor.memory", partitions[] = "spark.sql.shuffle.partitions";

// A run that ended.
struct shape {
    double duration_s;
    int64_t bytes, records;
    enum run_status status;                     // RUN_RUNNING: it succeeded
    const char *memory, *partitions;            // what it is told; NULL: nothing
    const char *more_memory, *other_partitions; // advised; NULL: nothing
    double saving_s;                            // of each advice
    const char *finding;                        // advised lines to write against it
    bool skewed;                                // has data_skew open
    double missing;                             // of its completeness
};

static int number;

static void add(struct pipeline_run *run, struct told_setting *settings, const char *key,
                const char *value, const char *advised, const char *by) {
    if (value != NULL || advised != NULL) {
        struct told_setting *s = &settings[run->setting_count++];
        snprintf(s->key, sizeof s->key, "%s", key);
        snprintf(s->value, sizeof s->value, "%s", value != NULL ? value : "");
        snprintf(s->advised, sizeof s->advised, "%s", advised != NULL ? advised : "");
        snprintf(s->by, sizeof s->by, "%s", advised != NULL ? by : "");
    }
}

static void advise(struct pipeline_run *run, struct run_advice *advice, enum advice_kind kind,
                   const struct shape *shape) {
    struct run_advice *a = &advice[run->advice_count++];
    *a = (struct run_advice){.kind = kind, .revision = 3, .saving_s = shape->saving_s};
    snprintf(a->id, sizeof a->id, "%s.%s", run->id, advice_kind_name(kind));
}

static void ends(struct pipelines *p, struct shape shape) {
    struct told_setting settings[2] = {0};
    struct run_advice advice[3];
    char id[20];
    snprintf(id, sizeof id, "run-%d", ++number);
    struct pipeline_run run = shape.skewed ? skewed(id, 1, number) : update(id, 1, number);
    ended(&run, shape.status == RUN_RUNNING ? RUN_SUCCEEDED : shape.status, shape.duration_s);
    run.totals.data_size_bytes = shape.bytes;
    run.totals.records = shape.records;
    run.completeness = 1 - shape.missing;
    snprintf(run.identity.spark_version, sizeof run.identity.spark_version, "3.5.6");
    add(&run, settings, memory, shape.memory, shape.more_memory, "memory");
    add(&run, settings, partitions, shape.partitions, shape.other_partitions, "partitioning");
    if (shape.more_memory != NULL) {
        advise(&run, advice, ADVICE_MEMORY, &shape);
    }
    if (shape.other_partitions != NULL) {
        advise(&run, advice, ADVICE_PARTITIONING, &shape);
    }
    if (shape.finding != NULL) {
        advise(&run, advice, advice_kind_of(KIND_DATA_SKEW), &shape);
        snprintf(advice[run.advice_count - 1].finding, sizeof advice->finding, "%s", shape.finding);
    }
    run.settings = settings;
    run.advice = advice;
    pipelines_feed(p, &run, number, 0);
}

static struct pipelines *start(void) {
    number = 0;
    return fresh();
}

static void told(int at, enum fate fate, const char *id, const char *run) {
    assert_true(at < seen.outcome_count);
    assert_int_equal(seen.outcomes[at].outcome.fate, fate);
    assert_string_equal(seen.outcomes[at].id, id);
    assert_string_equal(seen.outcomes[at].run, run);
}

// By their meaning, and beyond the advice in its direction.
static void applied_is_told_by_the_settings(void **state) {
    (void)state;
    static const struct {
        const char *had, *advised, *has;
        bool is_memory, applied;
    } cases[] = {
        {"2g", "4g", "4g", true, true},       {"2g", "4g", "4096m", true, true},
        {"2g", "4g", "4194304k", true, true}, {"2g", "4g", "4095m", true, false},
        {"2g", "4g", "6g", true, true},       {"2g", "4g", "2g", true, false},
        {"2g", "4g", "much", true, false},    {NULL, "4g", "4g", true, true}, // 1g by itself
        {"8g", "4g", "3g", true, true},       {"8g", "4g", "5g", true, false},
        {"8g", "4g", NULL, true, true}, // Spark's own 1g
        {"400", "100", "100", false, true},   {"400", "100", "50", false, true},
        {"400", "100", "101", false, false},  {"400", "200", NULL, false, true},
        {NULL, "400", NULL, false, false},    {NULL, "400", "1000", false, true},
        {"400", "400", "400", false, false}, // had it when it was advised
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pipelines *p = start();
        bool m = cases[i].is_memory;
        ends(p, (struct shape){100, 1000, .memory = m ? cases[i].had : NULL,
                               .partitions = m ? NULL : cases[i].had,
                               .more_memory = m ? cases[i].advised : NULL,
                               .other_partitions = m ? NULL : cases[i].advised});
        assert_int_equal(seen.outcome_count, 0);
        ends(p, (struct shape){50, 1000, .memory = m ? cases[i].has : NULL,
                               .partitions = m ? NULL : cases[i].has});
        if (seen.outcome_count != cases[i].applied) {
            fail_msg("case %zu", i);
        }
        if (cases[i].applied) {
            told(0, FATE_HELPED, m ? "run-1.memory" : "run-1.partitioning", "run-2");
            assert_int_equal(seen.outcomes[0].revision, 4); // after that of the advice
        }
        pipelines_free(p);
    }
}

struct judgement {
    double before_s[4];     // 0: no run
    int64_t bytes, records; // of each of them
    struct shape now;
    double saving_s;
    enum fate fate;
    enum confidence confidence;
    const char *per;
    double change;
};

static void judge(const struct judgement *c, size_t row) {
    struct pipelines *p = start();
    int before = 0;
    for (; before < 4 && c->before_s[before] != 0; before++) {
        double s = c->before_s[before];
        ends(p, (struct shape){fabs(s), c->bytes, c->records, s < 0 ? RUN_FAILED : RUN_SUCCEEDED,
                               .memory = "2g", .more_memory = "4g",
                               .saving_s = c->saving_s * fabs(s)});
    }
    struct shape now = c->now;
    now.memory = "4g";
    ends(p, now);
    if (seen.outcome_count != 1 || seen.outcomes[0].outcome.fate != c->fate ||
        seen.outcomes[0].outcome.confidence != c->confidence) {
        fail_msg("case %zu: %s", row, seen.outcomes[0].action);
    }
    const struct advice_outcome *o = &seen.outcomes[0].outcome;
    assert_true(fabs(o->change - c->change) < 1e-9);
    assert_string_equal(o->per != NULL ? o->per : "", c->per);
    assert_string_equal(seen.outcomes[0].setting, "spark.executor.memory=4g");
    pipelines_free(p);
}

#define SURE CONFIDENCE_HIGH
#define FAIR CONFIDENCE_MEDIUM
#define UNSURE CONFIDENCE_LOW
#define STEADY                                                                                     \
    { 100, 100, 100 }
#define UNSTEADY                                                                                   \
    { 90, 100, 110 }

static const struct judgement judgements[] = {
    // from 5 % on
    {STEADY, 1000, 0, {95, .bytes = 1000}, .5, FATE_HELPED, FAIR, "byte", -.05},
    {STEADY, 1000, 0, {95.5, .bytes = 1000}, .5, FATE_NO_EFFECT, SURE, "byte", -.045},
    {STEADY, 1000, 0, {105.5, .bytes = 1000}, .5, FATE_HARMED, FAIR, "byte", .055},
    {STEADY, 1000, 0, {104.5, .bytes = 1000}, .5, FATE_NO_EFFECT, SURE, "byte", .045},
    {STEADY, 1000, 0, {70, .bytes = 1000}, .5, FATE_HELPED, SURE, "byte", -.3},
    // by more than the runs differ anyhow
    {UNSTEADY, 1000, 0, {90, .bytes = 1000}, .5, FATE_NO_EFFECT, SURE, "byte", -.1},
    {UNSTEADY, 1000, 0, {89, .bytes = 1000}, .5, FATE_HELPED, FAIR, "byte", -.11},
    {UNSTEADY, 1000, 0, {79, .bytes = 1000}, .5, FATE_HELPED, SURE, "byte", -.21},
    {UNSTEADY, 1000, 0, {111, .bytes = 1000}, .5, FATE_HARMED, FAIR, "byte", .11},
    // what could not have been seen says nothing
    {UNSTEADY, 1000, 0, {100, .bytes = 1000}, .1, FATE_NO_EFFECT, UNSURE, "byte", 0},
    {UNSTEADY, 1000, 0, {100, .bytes = 1000}, .11, FATE_NO_EFFECT, FAIR, "byte", 0},
    {STEADY, 1000, 0, {100, .bytes = 1000}, .05, FATE_NO_EFFECT, UNSURE, "byte", 0},
    // by input
    {STEADY, 1000, 0, {200, .bytes = 2000}, .5, FATE_NO_EFFECT, SURE, "byte", 0},
    {STEADY, 1000, 0, {200, .bytes = 4000}, .5, FATE_HELPED, SURE, "byte", -.5},
    {STEADY, 1000, 0, {200, .bytes = 4001}, .5, FATE_APPLIED, UNSURE, "", 0},
    {STEADY, 1000, 0, {50, .bytes = 250}, .5, FATE_HARMED, SURE, "byte", 1},
    {STEADY, 1000, 0, {50, .bytes = 249}, .5, FATE_APPLIED, UNSURE, "", 0},
    {STEADY, 0, 500, {50, .records = 500}, .5, FATE_HELPED, SURE, "record", -.5},
    {STEADY, 1000, 500, {50, .records = 500}, .5, FATE_HELPED, SURE, "record", -.5},
    {STEADY, 0, 0, {50, .records = 0}, .5, FATE_HELPED, UNSURE, "run", -.5},
    {STEADY, 0, 0, {50, 1000, .records = 500}, .5, FATE_HELPED, UNSURE, "run", -.5},
    // of few runs, or not all of one
    {{100, 100}, 1000, 0, {50, .bytes = 1000}, .5, FATE_HELPED, UNSURE, "byte", -.5},
    {{100}, 1000, 0, {50, .bytes = 1000}, .5, FATE_HELPED, UNSURE, "byte", -.5},
    {{100, 102}, 1000, 0, {101, .bytes = 1000}, .5, FATE_NO_EFFECT, UNSURE, "byte", 0},
    {STEADY, 1000, 0, {50, .bytes = 1000, .missing = .06}, .5, FATE_HELPED, UNSURE, "byte", -.5},
    {STEADY, 1000, 0, {50, .bytes = 1000, .missing = .04}, .5, FATE_HELPED, SURE, "byte", -.5},
    // failures
    {STEADY, 1000, 0, {9, 1000, .status = RUN_FAILED}, .5, FATE_HARMED, FAIR, "", 0},
    {{100, 100}, 1000, 0, {9, 1000, .status = RUN_FAILED}, .5, FATE_HARMED, UNSURE, "", 0},
    {{-9, -9, -9}, 1000, 0, {9, 1000, .status = RUN_FAILED}, .5, FATE_NO_EFFECT, FAIR, "", 0},
    {{-9, -9, -9}, 1000, 0, {500, .bytes = 1000}, .5, FATE_HELPED, FAIR, "", 0},
    {{-9}, 1000, 0, {500, .bytes = 1000}, .5, FATE_HELPED, UNSURE, "", 0},
    {{100, 100, 100, -9}, 1000, 0, {100, .bytes = 1000}, .5, FATE_NO_EFFECT, SURE, "byte", 0},
};

static void the_judge_at_its_edges(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(judgements); i++) {
        judge(&judgements[i], i);
    }
}

static const struct shape plain = {100, 1000, .memory = "2g", .more_memory = "4g", .saving_s = 50};
static const struct shape useless = {100, 1000, .memory = "4g"};

// Runs under the settings of the one before the advice was applied are compared with, not those
// under others, nor those that were killed.
static void other_settings_are_not_compared_with(void **state) {
    (void)state;
    struct pipelines *p = start();
    for (int i = 0; i < 3; i++) {
        ends(p, (struct shape){50, 1000, .memory = "2g", .partitions = "7"});
    }
    for (int i = 0; i < 3; i++) {
        ends(p, plain);
    }
    ends(p, (struct shape){1, 1000, .memory = "2g", .status = RUN_KILLED});
    ends(p, (struct shape){1, 1000, .memory = "4g", .status = RUN_LOST});
    assert_int_equal(seen.outcome_count, 0);
    ends(p, (struct shape){70, 1000, .memory = "4g"});
    told(0, FATE_HELPED, "run-6.memory", "run-9");
    assert_int_equal(seen.outcomes[0].outcome.runs, 3);
    pipelines_free(p);
}

// Of two runs, then no more; of a third one under other settings neither.
static void two_runs_tell(void **state) {
    (void)state;
    struct pipelines *p = start();
    for (int i = 0; i < 3; i++) {
        ends(p, plain);
    }
    ends(p, (struct shape){60, 1000, .memory = "4g"});
    ends(p, (struct shape){60, 1000, .memory = "4g", .partitions = "7"});
    assert_int_equal(seen.outcome_count, 1);
    ends(p, (struct shape){60, 9000, .memory = "4g"}); // not comparable, and told to be applied
    assert_int_equal(seen.outcome_count, 1);
    ends(p, (struct shape){95.5, 1000, .memory = "4g"});
    ends(p, (struct shape){60, 1000, .memory = "4g"});
    assert_int_equal(seen.outcome_count, 2);
    told(0, FATE_HELPED, "run-3.memory", "run-4");
    told(1, FATE_NO_EFFECT, "run-3.memory", "run-7");
    assert_int_equal(seen.outcomes[1].revision, 5);
    pipelines_free(p);
}

// A larger input may be what comes first.
static void what_cannot_be_told_is_told_later(void **state) {
    (void)state;
    struct pipelines *p = start();
    for (int i = 0; i < 3; i++) {
        ends(p, plain);
    }
    ends(p, (struct shape){100, 9000, .memory = "4g"});
    ends(p, (struct shape){100, 9000, .memory = "4g"});
    ends(p, (struct shape){50, 1000, .memory = "4g"});
    assert_int_equal(seen.outcome_count, 2);
    told(0, FATE_APPLIED, "run-3.memory", "run-4");
    told(1, FATE_HELPED, "run-3.memory", "run-6");
    assert_non_null(strstr(seen.outcomes[0].action, "an input of about its size"));
    assert_string_equal(seen.outcomes[1].action,
                        "Applied: 50.0 % less time per byte of input than before (3 runs, up to "
                        "0.0 % apart): it helped.");
    pipelines_free(p);
}

static void those_applied_at_once_share_it(void **state) {
    (void)state;
    struct pipelines *p = start();
    struct shape both = plain;
    both.other_partitions = "400";
    for (int i = 0; i < 3; i++) {
        ends(p, both);
    }
    ends(p, (struct shape){50, 1000, .memory = "4g", .partitions = "400"});
    assert_int_equal(seen.outcome_count, 2);
    assert_int_equal(seen.outcomes[0].kind, ADVICE_MEMORY);
    assert_true(seen.outcomes[0].outcome.with == advice_bit(ADVICE_PARTITIONING));
    assert_true(seen.outcomes[1].outcome.with == advice_bit(ADVICE_MEMORY));
    assert_non_null(strstr(seen.outcomes[0].action, "shares this with advice on partitioning"));
    ends(p, (struct shape){50, 1000, .memory = "2g", .partitions = "400"}); // one goes
    ends(p, (struct shape){50, 1000, .memory = "4g", .partitions = "400"}); // and comes back
    told(2, FATE_NO_EFFECT, "run-3.memory", "run-6");
    assert_true(seen.outcomes[2].outcome.with == 0);
    pipelines_free(p);
}

static void lines_are_told_by_the_finding(void **state) {
    (void)state;
    const struct shape given = {100, 1000, .skewed = true, .finding = "data_skew", .saving_s = 50};
    struct pipelines *p = start();
    for (int i = 0; i < 3; i++) {
        ends(p, given);
    }
    ends(p, (struct shape){100, 1000, .skewed = true});
    ends(p, (struct shape){50, 1000, .status = RUN_FAILED}); // died before it could have it
    assert_int_equal(seen.outcome_count, 0);
    ends(p, (struct shape){50, .bytes = 1000});
    told(0, FATE_HELPED, "run-3.data_skew", "run-6");
    assert_int_equal(seen.outcomes[0].outcome.confidence, CONFIDENCE_LOW);
    assert_string_equal(seen.outcomes[0].setting, "");
    pipelines_free(p);
}

// Twice in a row, surely: then whoever is given it again gets it withdrawn.
static void what_did_not_help_twice_is_withdrawn(void **state) {
    (void)state;
    int64_t withdrawn = metrics_get(METRIC_ADVICE_WITHDRAWN);
    struct pipelines *p = start();
    for (int i = 0; i < 3; i++) {
        ends(p, plain);
    }
    ends(p, useless);
    ends(p, plain); // takes it back, is given it again
    told(0, FATE_NO_EFFECT, "run-3.memory", "run-4");
    assert_int_equal(seen.outcome_count, 1);
    ends(p, useless);
    told(1, FATE_NO_EFFECT, "run-5.memory", "run-6");
    for (int i = 0; i < 3; i++) { // now it stays away, whatever value it names
        struct shape again = plain;
        again.more_memory = i == 1 ? "16g" : "4g";
        ends(p, again);
        char id[40], run[20];
        snprintf(run, sizeof run, "run-%d", 7 + i);
        snprintf(id, sizeof id, "%s.memory", run);
        assert_int_equal(seen.outcome_count, 3 + i);
        told(2 + i, FATE_WITHDRAWN, id, run);
        assert_int_equal(seen.outcomes[2 + i].revision, 4);
        assert_non_null(strstr(seen.outcomes[2 + i].action, "applied twice and did not help"));
        assert_string_equal(seen.outcomes[2 + i].setting, "");
    }
    assert_int_equal(metrics_get(METRIC_ADVICE_WITHDRAWN) - withdrawn, 3);
    struct shape other = plain; // other settings are other advice
    other.more_memory = NULL;
    other.other_partitions = "400";
    ends(p, other);
    assert_int_equal(seen.outcome_count, 5);
    pipelines_free(p);
}

static void nothing_else_is_withdrawn(void **state) {
    (void)state;
    struct pipelines *p = start(); // helped in between
    for (int i = 0; i < 3; i++) {
        ends(p, plain);
    }
    ends(p, useless);
    ends(p, plain);
    ends(p, (struct shape){50, 1000, .memory = "4g"});
    ends(p, plain);
    ends(p, useless);
    ends(p, plain);
    assert_int_equal(seen.outcome_count, 3);
    pipelines_free(p);

    p = start(); // nobody can be sure
    ends(p, plain);
    for (int i = 0; i < 4; i++) {
        ends(p, (struct shape){100, 0, .memory = "4g"});
        ends(p, (struct shape){100, 0, .memory = "2g", .more_memory = "4g", .saving_s = 50});
    }
    for (int i = 0; i < seen.outcome_count; i++) {
        assert_int_not_equal(seen.outcomes[i].outcome.fate, FATE_WITHDRAWN);
    }
    assert_int_equal(seen.outcome_count, 4);
    pipelines_free(p);
}

// What is refuted stays, whatever else is advised; of the rest the oldest makes room.
static void a_few_are_followed(void **state) {
    (void)state;
    static const char *const keys[] = {
        "spark.task.cpus",           "spark.executor.cores",      "spark.driver.cores",
        "spark.driver.memory",       "spark.executor.instances",  "spark.default.parallelism",
        "spark.memory.fraction",     "spark.memory.offHeap.size", "spark.sql.files.openCostInBytes",
        "spark.speculation.quantile"};
    struct pipelines *p = start();
    for (int i = 0; i < 3; i++) {
        ends(p, plain);
    }
    ends(p, useless);
    ends(p, useless);
    assert_int_equal(seen.outcome_count, 2);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct pipeline_run run = update("x", 1, ++number);
        struct told_setting setting = {.advised = "1", .by = "memory"};
        struct run_advice advice = {.id = "other", .kind = ADVICE_MEMORY, .revision = 1};
        snprintf(run.id, sizeof run.id, "run-%d", number);
        snprintf(setting.key, sizeof setting.key, "%s", keys[i]);
        ended(&run, RUN_SUCCEEDED, 1);
        run.settings = &setting;
        run.advice = &advice;
        run.setting_count = run.advice_count = 1;
        pipelines_feed(p, &run, number, 0);
    }
    assert_int_equal(seen.outcome_count, 2);
    ends(p, plain);
    assert_int_equal(seen.outcome_count, 3);
    assert_int_equal(seen.outcomes[2].outcome.fate, FATE_WITHDRAWN);
    pipelines_free(p);
}

// An end that is told again, with a higher revision, tells nothing anew.
static void a_run_tells_once(void **state) {
    (void)state;
    struct pipelines *p = start();
    for (int i = 0; i < 3; i++) {
        ends(p, plain);
    }
    ends(p, useless);
    ends(p, useless);
    ends(p, plain);
    assert_int_equal(seen.outcome_count, 3);
    struct pipeline_run run = update("run-6", 2, number);
    struct told_setting setting = {.key = "spark.executor.memory", .advised = "4g", .by = "memory"};
    struct run_advice advice = {.id = "again", .kind = ADVICE_MEMORY, .revision = 4};
    ended(&run, RUN_SUCCEEDED, 10);
    run.settings = &setting;
    run.advice = &advice;
    run.setting_count = run.advice_count = 1;
    pipelines_feed(p, &run, number + 1, 0);
    assert_int_equal(seen.outcome_count, 3);
    pipelines_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applied_is_told_by_the_settings),
        cmocka_unit_test(the_judge_at_its_edges),
        cmocka_unit_test(other_settings_are_not_compared_with),
        cmocka_unit_test(two_runs_tell),
        cmocka_unit_test(what_cannot_be_told_is_told_later),
        cmocka_unit_test(those_applied_at_once_share_it),
        cmocka_unit_test(lines_are_told_by_the_finding),
        cmocka_unit_test(what_did_not_help_twice_is_withdrawn),
        cmocka_unit_test(nothing_else_is_withdrawn),
        cmocka_unit_test(a_few_are_followed),
        cmocka_unit_test(a_run_tells_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
