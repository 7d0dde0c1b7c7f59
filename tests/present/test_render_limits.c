// test_render_limits: a limit that a run has hit is told once in every form of its results, with
// its name and what it means, and in its record; a run that has hit none says nothing.
#include "support/quiet.h"
#include "support/test.h"

#include <stdio.h>

#include "base/compiler.h"
#include "engine/engine.h"
#include "present/render.h"

enum { EXECUTORS = EXECUTORS_MAX + 50 };

static const char *report;     // of the listener, NULL: there is none
static uint32_t record_limits; // of the newest record

static void on_run(void *ctx, const struct pipeline_run *run) {
    (void)ctx;
    record_limits = run->limits;
}

enum { JSON, TEXT, HTML, FORMS };

static void render(void *ctx, const struct app *app, enum run_status status,
                   const struct recommendation *recommendations, uint32_t count) {
    struct buf *forms = ctx;
    const struct render_style style = {.width = 1000};
    render_json(&forms[JSON], app, status, recommendations, count);
    render_text(&forms[TEXT], app, status, recommendations, count, &style);
    render_html(&forms[HTML], app, status, recommendations, count);
}

static void feed(struct engine *engine, const char *text) {
    struct message message = {
        .value = str_of(text), .key = STR("app"), .topic = "spark-events", .offset = 0};
    assert_int_equal(engine_feed(engine, &message, message.value.len, NULL, NULL), ST_OK);
}

static unsigned times(const struct buf *in, const char *text) {
    unsigned n = 0;
    for (const char *at = buf_text(in); (at = strstr(at, text)) != NULL; at++) {
        n++;
    }
    return n;
}

// The forms of a run with so many executors.
static void analyze(int executors, struct buf forms[FORMS]) {
    struct engine_options options;
    struct engine_output output = {NULL, on_run, quiet_bottleneck, quiet_recommendation};
    engine_options_init(&options);
    struct decoder *decoder = decoder_new(&plain_decode);
    struct engine *engine = engine_new(&options, decoder, &output);
    record_limits = 0;
    feed(engine, "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"a\","
                 "\"Timestamp\":1000000}");
    for (int i = 0; i < executors; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":1000000,\"Executor ID\":"
                 "\"%d\",\"Executor Info\":{\"Host\":\"h%d\",\"Total Cores\":4}}",
                 i, i % 7);
        feed(engine, text);
    }
    if (report != NULL) {
        feed(engine, report);
    }
    feed(engine, "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":1001000}");
    engine_each_run(engine, render, forms);
    engine_free(engine);
    decoder_free(decoder);
}

static void a_limit_that_was_hit_is_told_in_every_form(void **state) {
    (void)state;
    struct buf forms[FORMS] = {{0}};
    analyze(EXECUTORS, forms);
    const char *means = limit_means(LIMIT_EXECUTORS);
    assert_int_equal(record_limits, 1u << LIMIT_EXECUTORS);
    assert_int_equal(times(&forms[JSON], "\"limits_hit\":true"), 1);
    assert_int_equal(times(&forms[JSON], "{\"name\":\"executors\",\"means\":\""), 1);
    assert_int_equal(times(&forms[TEXT], "  limit hit: executors: "), 1);
    assert_int_equal(times(&forms[HTML], "Limit hit: <strong>executors</strong>: "), 1);
    for (int form = 0; form < FORMS; form++) {
        assert_int_equal(times(&forms[form], means), 1);
        buf_fini(&forms[form]);
    }
}

static void a_run_within_its_limits_says_nothing_of_them(void **state) {
    (void)state;
    struct buf forms[FORMS] = {{0}};
    analyze(EXECUTORS_MAX, forms);
    assert_int_equal(record_limits, 0);
    assert_int_equal(times(&forms[JSON], "\"limits_hit\":false,\"limits\":[]"), 1);
    assert_int_equal(times(&forms[TEXT], "limit"), 0);
    assert_int_equal(times(&forms[HTML], "limit"), 0);
    for (int form = 0; form < FORMS; form++) {
        buf_fini(&forms[form]);
    }
}

// Of a run of which nothing is known to be missing nothing is said, whether its events were counted
// or not.
static void a_loss_is_told_in_every_form(void **state) {
    (void)state;
    const char *const words =
        "events_lost: 8 of the 100 events that its listener had to send did not come, among them 5 "
        "ends of tasks and 2 that are of no use here; events_cut: 3 were too large and came "
        "without "
        "some of what they said";
    struct buf forms[FORMS] = {{0}};
    report = "{\"Event\":\"StokerListenerReport\",\"Accepted\":100,\"Dropped\":{"
             "\"SparkListenerTaskEnd\":5,\"SparkListenerJobEnd\":1,\"Other\":2},"
             "\"Cut\":{\"SparkListenerTaskEnd\":3}}";
    analyze(0, forms);
    assert_int_equal(
        times(&forms[JSON], "\"completeness\":0.91,\"events_lost\":8,\"events_cut\":3,"), 1);
    assert_int_equal(times(&forms[TEXT], words), 1);
    assert_int_equal(times(&forms[TEXT], "task ends were seen"), 0);
    assert_int_equal(times(&forms[HTML], words), 1);
    for (int counted = 0; counted < 2; counted++) {
        report = counted ? "{\"Event\":\"StokerListenerReport\",\"Accepted\":100}" : NULL;
        for (int form = 0; form < FORMS; form++) {
            buf_clear(&forms[form]);
        }
        analyze(0, forms);
        assert_int_equal(times(&forms[JSON], "\"events_lost\":0"), counted);
        assert_int_equal(times(&forms[JSON], "events_lost"), counted);
        assert_int_equal(times(&forms[TEXT], "events_"), 0);
        assert_int_equal(times(&forms[HTML], "events_"), 0);
    }
    for (int form = 0; form < FORMS; form++) {
        buf_fini(&forms[form]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_that_was_hit_is_told_in_every_form),
        cmocka_unit_test(a_loss_is_told_in_every_form),
        cmocka_unit_test(a_run_within_its_limits_says_nothing_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
