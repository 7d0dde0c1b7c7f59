// test_confidence: what puts a verdict in doubt, at the edge of each reason; and that doubts add up
// but never go beyond low.
#include "detect_kit.h"

#include "support/spark.h"

// How a verdict that compares tasks differs from one on a healthy stage of 100, seen whole.
struct shape {
    int64_t tasks, unmeasured; // 0 tasks: 100
    double missing;            // share of its events
    double saving_s;
    bool running, failed;
    enum limit limit; // LIMIT_UNNAMED: none was hit
    enum cause cause;
    enum confidence own;
    enum bottleneck_kind kind;
};

static struct verdict weigh(const struct shape *shape) {
    const struct detector *detector = detector_of(shape->kind);
    struct app *app = spark_app();
    struct stage stage = {0};
    stage.summary.tasks = shape->tasks > 0 ? shape->tasks : 100;
    stage.summary.failed = shape->failed;
    stage.metric_tasks = stage.summary.tasks - shape->unmeasured;
    if (shape->limit != LIMIT_UNNAMED) {
        app_note_limit(app, shape->limit);
    }
    struct verdict verdict = {
        .rule_met = TRI_TRUE, .cause = shape->cause, .saving_s = shape->saving_s};
    if (shape->own != CONFIDENCE_HIGH) {
        verdict_doubt(&verdict, shape->own, "a doubt of its own");
    }
    confidence_weigh(detector, app, detector->subject == SUBJECT_STAGE ? &stage : NULL,
                     1 - shape->missing, !shape->running, &verdict);
    app_free(app);
    assert_int_equal(verdict.confidence == CONFIDENCE_HIGH, verdict.confidence_why == NULL);
    return verdict;
}

static void what_was_seen_whole_is_in_no_doubt(void **state) {
    (void)state;
    assert_int_equal(weigh(&(struct shape){0}).confidence, CONFIDENCE_HIGH);
}

struct weighed {
    struct shape shape;
    enum confidence confidence;
    const char *why;
};
static const struct weighed cases[] = {
    {{.missing = 0.05}, CONFIDENCE_HIGH, NULL},
    {{.missing = 0.06}, CONFIDENCE_MEDIUM, "events of the stage are missing"},
    {{.missing = 0.51}, CONFIDENCE_LOW, "most of the stage's events are missing"},
    {{.running = true, .missing = 0.25}, CONFIDENCE_HIGH, NULL},
    {{.running = true, .missing = 0.26}, CONFIDENCE_MEDIUM, "the stage goes on"},
    {{.running = true, .missing = 0.4}, CONFIDENCE_MEDIUM, "the stage goes on"},
    {{.running = true, .missing = 0.76}, CONFIDENCE_LOW, "few of the stage's tasks have ended"},
    // Bytes that were spilled stay so, however few tasks have ended; and no doubt counts twice.
    {{.kind = KIND_MEMORY_PRESSURE, .running = true, .missing = 0.9},
     CONFIDENCE_MEDIUM,
     "the stage goes on"},
    {{.kind = KIND_MEMORY_PRESSURE, .running = true, .missing = 0.9, .own = CONFIDENCE_MEDIUM},
     CONFIDENCE_MEDIUM,
     "a doubt of its own"},
    {{.failed = true, .missing = 0.9},
     CONFIDENCE_MEDIUM,
     "the stage failed before all of its tasks had ended"},
    {{.tasks = 10}, CONFIDENCE_HIGH, NULL},
    {{.tasks = 9}, CONFIDENCE_MEDIUM, "few tasks to compare"},
    {{.tasks = 5}, CONFIDENCE_MEDIUM, "few tasks to compare"},
    {{.tasks = 4}, CONFIDENCE_LOW, "too few tasks to compare"},
    {{.tasks = 4, .saving_s = 299}, CONFIDENCE_LOW, "too few tasks to compare"},
    {{.tasks = 4, .saving_s = 300}, CONFIDENCE_HIGH, NULL}, // minutes are no chance
    {{.unmeasured = 5}, CONFIDENCE_HIGH, NULL},
    {{.unmeasured = 6}, CONFIDENCE_MEDIUM, "some tasks reported no metrics"},
    {{.unmeasured = 51}, CONFIDENCE_LOW, "most tasks reported no metrics"},
    {{.limit = LIMIT_MEMORY},
     CONFIDENCE_MEDIUM,
     "a limit was hit, and something of the run was let go"},
    {{.limit = LIMIT_NAMES}, CONFIDENCE_HIGH, NULL}, // a shorter name says as much
    {{.cause = CAUSE_UNKNOWN}, CONFIDENCE_MEDIUM, "the numbers do not tell the cause"},
    {{.own = CONFIDENCE_MEDIUM}, CONFIDENCE_MEDIUM, "a doubt of its own"},
    {{.own = CONFIDENCE_LOW}, CONFIDENCE_LOW, "a doubt of its own"},
    // Two small ones are a great one; the first of equals is told, else the greater.
    {{.own = CONFIDENCE_MEDIUM, .running = true, .missing = 0.5},
     CONFIDENCE_LOW,
     "a doubt of its own"},
    // That the stage goes on is why the cause is not known.
    {{.cause = CAUSE_UNKNOWN, .running = true, .missing = 0.5},
     CONFIDENCE_MEDIUM,
     "the stage goes on"},
    {{.own = CONFIDENCE_MEDIUM, .missing = 0.6},
     CONFIDENCE_LOW,
     "most of the stage's events are missing"},
    // What compares no tasks may have few, and none measured.
    {{.kind = KIND_MEMORY_PRESSURE, .tasks = 2, .unmeasured = 2}, CONFIDENCE_HIGH, NULL},
    {{.kind = KIND_NETWORK_OVERHEAD, .missing = 0.06},
     CONFIDENCE_MEDIUM,
     "events of the run are missing"},
    {{.kind = KIND_NETWORK_OVERHEAD, .running = true}, CONFIDENCE_MEDIUM, "the run goes on"},
    // What an event says stands, whatever else did not come.
    {{.kind = KIND_PIPELINE_FAILURE, .missing = 0.9, .running = true, .limit = LIMIT_MEMORY},
     CONFIDENCE_HIGH,
     NULL},
    {{.kind = KIND_TASK_FAILURES, .tasks = 1, .failed = true}, CONFIDENCE_HIGH, NULL},
};

static void each_reason_has_its_edge(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct verdict verdict = weigh(&cases[i].shape);
        if (verdict.confidence != cases[i].confidence) {
            fail_msg("case %zu: %s, %s", i, confidence_name(verdict.confidence),
                     verdict.confidence_why);
        }
        if (cases[i].why != NULL) {
            assert_string_equal(verdict.confidence_why, cases[i].why);
        }
    }
}

static void the_greater_doubt_of_a_detector_stays(void **state) {
    (void)state;
    struct verdict verdict = {.rule_met = TRI_TRUE};
    verdict_doubt(&verdict, CONFIDENCE_MEDIUM, "one");
    verdict_doubt(&verdict, CONFIDENCE_MEDIUM, "two");
    assert_string_equal(verdict.confidence_why, "one");
    verdict_doubt(&verdict, CONFIDENCE_LOW, "three");
    verdict_doubt(&verdict, CONFIDENCE_MEDIUM, "four");
    assert_int_equal(verdict.confidence, CONFIDENCE_LOW);
    assert_string_equal(verdict.confidence_why, "three");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_whole_is_in_no_doubt),
        cmocka_unit_test(each_reason_has_its_edge),
        cmocka_unit_test(the_greater_doubt_of_a_detector_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
