// test_sizing: the base formulas at their edges, as a table, and what is worked out beyond them.
#include "support/test.h"

#include "advise/sizing.h"
#include "base/compiler.h"

#define KIB 1024.0
#define MIB (1024.0 * KIB)
#define GIB (1024.0 * MIB)
#define TIB (1024.0 * GIB)

static void partitions_are_of_128_mib(void **state) {
    (void)state;
    static const struct {
        double bytes;
        int64_t want;
    } cases[] = {
        {-1, 1},
        {0, 1},
        {1, 1},
        {127 * MIB, 1},
        {128 * MIB - 1, 1},
        {128 * MIB, 1},
        {256 * MIB - 1, 1},
        {256 * MIB, 2},
        {1 * GIB, 8},
        {1280 * MIB, 10},
        {125 * GIB - 1, 999},
        {125 * GIB, 1000},
        {128 * GIB, 1000},
        {500 * GIB, 1000},
        {100 * TIB, 1000},
        {INFINITY, 1000},
        {NAN, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(sizing_partitions(cases[i].bytes), cases[i].want);
    }
}

static void more_than_a_fifth_off_is_worth_a_word(void **state) {
    (void)state;
    static const struct {
        double now, target;
        bool want;
    } cases[] = {
        {100, 100, false}, {100, 120, false}, {100, 121, true}, {100, 80, false},
        {100, 79, true},   {200, 240, false}, {200, 241, true}, {1, 1, false},
        {1, 2, true},      {5, 6, false},     {0, 1, true},     {1000, 1, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(sizing_differs(cases[i].now, cases[i].target), cases[i].want);
    }
}

static void memory_follows_the_data(void **state) {
    (void)state;
    static const struct {
        double bytes;
        int64_t executor_gib, driver_gib, overhead_mib;
    } cases[] = {
        {0, 4, 2, 384},
        {127 * MIB, 4, 2, 384},
        {40 * GIB, 4, 2, 384},
        {49.9 * GIB, 4, 2, 384}, // whole GiB alone
        {50 * GIB, 5, 2, 384},
        {99.9 * GIB, 9, 4, 384},
        {100 * GIB, 10, 5, 1024},
        {128 * GIB, 12, 6, 1024},
        {199.9 * GIB, 19, 9, 1024},
        {200 * GIB, 20, 10, 2048},
        {500 * GIB, 50, 25, 5120},
        {100 * TIB, 10240, 5120, 1024 * 1024},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sizing_memory memory = sizing_memory(cases[i].bytes);
        assert_int_equal(memory.executor_mib, 1024 * cases[i].executor_gib);
        assert_int_equal(memory.driver_mib, 1024 * cases[i].driver_gib);
        assert_int_equal(memory.overhead_mib, cases[i].overhead_mib);
    }
}

// Every heap that was worked out for an amount has room for it, and one GiB less has not.
static void a_heap_fits_what_it_is_for(void **state) {
    (void)state;
    assert_near(sizing_moving_s(4e6, 1, 2), 6, 1e-9);
    assert_near(sizing_moving_s(-1, 1, 2) + sizing_moving_s(9, -1, 2) + sizing_moving_s(9, 1, -1),
                0, 0);
    assert_near(sizing_unified_bytes(1324, 0.6), 614.4 * MIB, 1);
    assert_near(sizing_unified_bytes(100, 0.6), 0, 0);
    assert_int_equal(sizing_heap_mib(0, 0.6), 1024);
    uint64_t seed = 7;
    for (int i = 0; i < 1000; i++) {
        double want = (double)(test_random(&seed) % (UINT64_C(1) << 38));
        double fraction = 0.1 + (double)(test_random(&seed) % 80) / 100;
        int64_t heap_mib = sizing_heap_mib(want, fraction);
        assert_int_equal(heap_mib % 1024, 0);
        assert_true(sizing_unified_bytes(heap_mib, fraction) >= want - 1);
        assert_true(heap_mib == 1024 || sizing_unified_bytes(heap_mib - 1024, fraction) < want);
    }
    assert_int_equal(sizing_overhead_mib(1024, 0.1, 384), 384);
    assert_int_equal(sizing_overhead_mib(3839, 0.1, 384), 384);
    assert_int_equal(sizing_overhead_mib(10240, 0.1, 384), 1024);
    assert_int_equal(sizing_overhead_mib(10240, 0.4, 384), 4096);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_of_128_mib),
        cmocka_unit_test(more_than_a_fifth_off_is_worth_a_word),
        cmocka_unit_test(memory_follows_the_data),
        cmocka_unit_test(a_heap_fits_what_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
