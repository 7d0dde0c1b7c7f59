// test_match: which stage of a run is which of another: by place in the code and operators, in the
// order of the work, whatever their numbers are.
#include "facts_kit.h"
#include "runs/match.h"

static void a_place_is_told_without_what_changes(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"collect at /opt/jobs/job.py:550", "collect at job.py"},
        {"collect at job.py:12", "collect at job.py"},
        {"csv at NativeMethodAccessorImpl.java:0", "csv at NativeMethodAccessorImpl.java"},
        {"save at hdfs://a/b 2026-01-01/x.scala:7", "save at b x.scala"},
        {"17", ""},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = {0};
        buf_add_text(&out, "stage 1 ");
        match_site(str_of(cases[i][0]), &out);
        assert_int_equal(strncmp(buf_text(&out), "stage 1 ", 8), 0); // nothing before it is cut
        assert_string_equal(buf_text(&out) + 8, cases[i][1]);
        buf_fini(&out);
    }
}

// The partner in a of every stage of b, as "0,1,-": "-" for none; behind "|" those of a alone.
static void check(struct run_facts *a, struct run_facts *b, const char *want) {
    uint32_t count;
    struct stage_pair *pairs = match_stages(a, b, &count);
    struct buf got = {0};
    for (uint32_t i = 0; i < count; i++) {
        const char *before = pairs[i].b < 0 ? "|" : i > 0 ? "," : "";
        buf_printf(&got, pairs[i].a < 0 ? "%s-" : "%s%d", before, (int)pairs[i].a);
    }
    assert_string_equal(buf_text(&got), want);
    buf_fini(&got);
    mem_free(pairs);
    run_facts_free(a);
    run_facts_free(b);
}

static struct run_facts *run_of(const char *const *names, const int64_t *shapes, size_t count) {
    struct run_facts *run = facts_run("app");
    for (size_t i = 0; i < count; i++) {
        facts_stage(run, names[i], shapes[i]);
    }
    return run;
}
#define RUN(names, shapes)                                                                         \
    run_of((const char *const[])names, (const int64_t[])shapes,                                    \
           sizeof((const int64_t[])shapes) / sizeof(int64_t))
#define LIST(...)                                                                                  \
    { __VA_ARGS__ }

static void equals_go_by_their_number(void **state) {
    (void)state;
    check(RUN(LIST("s at A:1", "s at A:2", "c at B:3"), LIST(1, 1, 2)),
          RUN(LIST("s at A:9", "s at A:8", "c at B:3"), LIST(1, 1, 2)), "0,1,2");
}

static void what_was_put_in_moves_nothing(void **state) {
    (void)state;
    check(RUN(LIST("s at A:1", "s at A:1", "c at B:3"), LIST(1, 2, 3)),
          RUN(LIST("s at A:1", "new at C:1", "s at A:1", "c at B:3"), LIST(1, 9, 2, 3)), "0,-,1,2");
    check(RUN(LIST("s at A:1", "old at C:1", "c at B:3"), LIST(1, 9, 3)),
          RUN(LIST("s at A:1", "c at B:3"), LIST(1, 3)), "0,2|1");
}

// Where all stages have one name, as those of PySpark do, the operators tell them apart.
static void operators_tell_apart_what_a_name_does_not(void **state) {
    (void)state;
    check(RUN(LIST("s at X:0", "s at X:0", "s at X:0"), LIST(1, 2, 3)),
          RUN(LIST("s at X:0", "s at X:0", "s at X:0", "s at X:0"), LIST(1, 7, 2, 3)), "0,-,1,2");
}

// The same name, none of the operators, or the other way round, is better than nothing.
static void what_is_changed_is_still_found(void **state) {
    (void)state;
    check(RUN(LIST("s at A:1", "c at B:1"), LIST(1, 2)),
          RUN(LIST("s at A:1", "c at B:1"), LIST(1, 5)), "0,1");
    check(RUN(LIST("s at A:1", "c at B:1"), LIST(1, 2)),
          RUN(LIST("s at A:1", "c at moved:1"), LIST(1, 2)), "0,1");
    check(RUN(LIST("s at A:1"), LIST(0)), RUN(LIST("s at A:1"), LIST(0)), "0");
    check(RUN(LIST("s at A:1"), LIST(0)), RUN(LIST("c at B:1"), LIST(0)), "-|0");
}

// Several threads of a driver submit in any order.
static void what_crosses_is_paired_all_the_same(void **state) {
    (void)state;
    check(RUN(LIST("s at A:1", "c at B:1"), LIST(1, 2)),
          RUN(LIST("c at B:1", "s at A:1"), LIST(2, 1)), "1,0");
}

// Both sides of a join are read at one place, in whatever order they are asked for.
static void what_read_as_much_is_the_same(void **state) {
    (void)state;
    struct run_facts *a = RUN(LIST("c at J:1", "c at J:1", "c at J:1"), LIST(1, 1, 2));
    struct run_facts *b = RUN(LIST("c at J:1", "c at J:1", "c at J:1"), LIST(1, 1, 3));
    a->stages[0].records = b->stages[1].records = 5000000;
    a->stages[1].records = b->stages[0].records = 1500000;
    check(a, b, "1,0,2");
    a = RUN(LIST("c at J:1", "c at J:1"), LIST(1, 1)); // as much in both says nothing
    b = RUN(LIST("c at J:1", "c at J:1"), LIST(1, 1));
    check(a, b, "0,1");
}

static void among_equals_the_size_tells(void **state) {
    (void)state;
    struct run_facts *a = RUN(LIST("s at A:1", "s at A:1"), LIST(1, 1));
    struct run_facts *b = RUN(LIST("s at A:1", "s at A:1", "s at A:1"), LIST(1, 1, 1));
    a->stages[0].records = b->stages[0].records = 10;
    a->stages[1].records = b->stages[2].records = 10000000;
    b->stages[1].records = 70;
    check(a, b, "0,-,1");
}

// Too many for an alignment: by the number among equals.
static void thousands_of_stages_are_paired(void **state) {
    (void)state;
    struct run_facts *a = facts_run("a"), *b = facts_run("b");
    enum { MANY = 2500 };
    for (int i = 0; i < MANY; i++) {
        facts_stage(a, i % 2 == 0 ? "s at A:1" : "c at B:1", 1 + i % 2);
        facts_stage(b, i % 2 == 0 ? "s at A:1" : "c at B:1", 1 + i % 2);
    }
    assert_true((int64_t)MANY * MANY > MATCH_CELLS_MAX);
    uint32_t count;
    struct stage_pair *pairs = match_stages(a, b, &count);
    assert_int_equal(count, MANY);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(pairs[i].a, i);
        assert_int_equal(pairs[i].b, i);
    }
    mem_free(pairs);
    run_facts_free(a);
    run_facts_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_told_without_what_changes),
        cmocka_unit_test(equals_go_by_their_number),
        cmocka_unit_test(what_was_put_in_moves_nothing),
        cmocka_unit_test(operators_tell_apart_what_a_name_does_not),
        cmocka_unit_test(what_is_changed_is_still_found),
        cmocka_unit_test(what_crosses_is_paired_all_the_same),
        cmocka_unit_test(what_read_as_much_is_the_same),
        cmocka_unit_test(among_equals_the_size_tells),
        cmocka_unit_test(thousands_of_stages_are_paired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
