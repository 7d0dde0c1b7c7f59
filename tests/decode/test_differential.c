// test_differential: the agent's decoder (simdjson) against the oracle (jansson) on every line of
// every fixture log and on seeded mutants of them. What jansson accepts, the agent must accept and
// read alike, field by field. What jansson refuses as JSON, the agent may accept: on-demand parsing
// does not look at what it skips, and takes a key that stands twice.
#include "support/quiet.h"
#include "support/test.h"

#include "both.h"
#include "mutate.h"
#include "support/logs.h"

struct run {
    struct both both;
    struct idmap wanted;
    uint64_t seed;
    long lines, mutants, different;
    int every; // mutates each such line
    struct buf mutant;
};

static void complain(struct run *run, const char *path, struct str line, const char *what) {
    if (run->different++ < 5) {
        print_error("%s: %s: %.*s\n", path, what, (int)(line.len < 3000 ? line.len : 3000), line.p);
    }
}

static void check(struct run *run, const char *path, struct str line, size_t readable,
                  const struct idmap *wanted) {
    const char *what = both_decode(&run->both, line, readable, wanted);
    if (what != NULL) {
        complain(run, path, line, what);
    }
}

static void compare_line(const char *path, struct str line, void *context) {
    struct run *run = context;
    run->lines++;
    check(run, path, line, line.len + LOGS_PADDING, NULL);
    check(run, path, line, line.len, &run->wanted);
}

// The mutant lies in memory of its own, so that a sanitizer sees a byte too far.
static void mutate_line(const char *path, struct str line, void *context) {
    struct run *run = context;
    if (run->lines++ % run->every != 0) {
        return;
    }
    for (int i = 0; i < 12; i++) {
        mutate(&run->mutant, line, &run->seed);
        struct str text = buf_str(&run->mutant);
        bool padded = i % 2 == 0;
        char *copy = mem_zalloc(text.len + (padded ? DECODE_PADDING : 1), 1);
        if (text.len > 0) {
            memcpy(copy, text.p, text.len);
        }
        run->mutants++;
        check(run, path, (struct str){copy, text.len}, text.len + (padded ? DECODE_PADDING : 0),
              i % 3 == 0 ? &run->wanted : NULL);
        mem_free(copy);
    }
}

static void init(struct run *run) {
    *run = (struct run){.seed = 20240229, .every = 16};
    both_init(&run->both, &plain_decode);
    for (int64_t id = 0; id < 2000; id += 3) {
        assert_true(idmap_put(&run->wanted, id, 1, 10000));
    }
}

static void fini(struct run *run) {
    both_fini(&run->both);
    idmap_fini(&run->wanted);
    buf_fini(&run->mutant);
}

static void test_every_line_reads_alike(void **state) {
    struct run run;
    (void)state;
    init(&run);
    assert_true(logs_each(FIXTURES "/logs", compare_line, &run) >= 30);
    assert_true(logs_each(FIXTURES "/shapes", compare_line, &run) >= 60);
    assert_true(run.lines > 5000);
    assert_true(run.both.accepted > 2 * run.lines * 99 / 100 - 100);
    assert_int_equal(run.different, 0);
    fini(&run);
}

static void test_mutants_read_alike(void **state) {
    struct run run;
    (void)state;
    init(&run);
    logs_each(FIXTURES "/logs", mutate_line, &run);
    run.every = 1;
    logs_each(FIXTURES "/shapes", mutate_line, &run);
    assert_true(run.mutants > 10000);
    assert_true(run.both.accepted > run.mutants / 3); // otherwise the mutants are too wild
    assert_int_equal(run.different, 0);
    fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_line_reads_alike),
        cmocka_unit_test(test_mutants_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
