// test_stats: sketch, rangeset, idmap and ring against exact answers worked out the slow way.
#include "support/test.h"

#include "stats/idmap.h"
#include "stats/rangeset.h"
#include "stats/ring.h"
#include "stats/sketch.h"

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sketch_quantiles_are_close(void **state) {
    (void)state;
    static int64_t values[5000];
    uint64_t seed = 42;
    for (int round = 0; round < 20; round++) {
        struct sketch sketch = {0};
        for (int i = 0; i < 5000; i++) {
            unsigned bits = 1 + (unsigned)(test_random(&seed) % 31);
            values[i] = (int64_t)(test_random(&seed) >> (64 - bits));
            sketch_add(&sketch, values[i]);
        }
        qsort(values, 5000, sizeof *values, by_value);
        for (double q = 0.01; q <= 1.0; q += 0.01) {
            double exact = (double)values[(int)ceil(q * 5000) - 1];
            assert_near(sketch_quantile(&sketch, q), exact, 0.0625 * exact + 0.001);
        }
    }
}

static void sketch_merge_is_addition(void **state) {
    (void)state;
    struct sketch a = {0}, b = {0}, both = {0};
    uint64_t seed = 7;
    for (int i = 0; i < 1000; i++) {
        int64_t value = (int64_t)(test_random(&seed) % 100000);
        sketch_add(i % 3 == 0 ? &a : &b, value);
        sketch_add(&both, value);
    }
    sketch_merge(&a, &b);
    assert_memory_equal(&a, &both, sizeof a);
}

static void sketch_takes_the_extremes(void **state) {
    (void)state;
    struct sketch sketch = {0};
    assert_near(sketch_quantile(&sketch, 0.5), 0, 0);
    sketch_add(&sketch, -5);
    assert_near(sketch_quantile(&sketch, 1), 0, 0);
    sketch_add(&sketch, INT64_MAX);
    assert_true(sketch_quantile(&sketch, 1) > 4e9);
}

static void rangeset_equals_a_bitmap(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 50; round++) {
        struct rangeset set = {0};
        bool seen[512] = {false};
        for (int i = 0; i < 2000; i++) {
            int64_t id = (int64_t)(test_random(&seed) % 512);
            assert_int_equal(rangeset_has(&set, id), seen[id]);
            assert_int_equal(rangeset_add(&set, id, 1000, NULL), !seen[id]);
            seen[id] = true;
        }
        for (size_t i = 1; i < set.len; i++) { // sorted, apart by more than one
            assert_true(set.ranges[i - 1].last + 1 < set.ranges[i].first);
        }
        rangeset_fini(&set);
    }
}

static void rangeset_joins_the_lowest_beyond_its_limit(void **state) {
    (void)state;
    struct rangeset set = {0};
    bool joined = false;
    for (int64_t id = 0; id < 10; id += 2) {
        assert_true(rangeset_add(&set, id, 4, &joined));
    }
    assert_true(joined);
    assert_int_equal(set.len, 4);
    assert_false(rangeset_add(&set, 1, 4, NULL)); // inside the joined gap
    assert_true(rangeset_add(&set, 5, 4, NULL));
    assert_true(rangeset_add(&set, INT64_MAX, 10, NULL));
    assert_false(rangeset_add(&set, INT64_MAX, 10, NULL));
    assert_true(rangeset_add(&set, INT64_MIN, 10, NULL));
    rangeset_fini(&set);
}

static void idmap_keeps_what_it_was_given(void **state) {
    (void)state;
    struct idmap map = {0};
    assert_false(idmap_get(&map, 3, NULL));
    for (int64_t i = 0; i < 10000; i++) {
        assert_true(idmap_put(&map, i * 7919 - 5000, i, 20000));
    }
    assert_true(idmap_put(&map, -5000, 99, 20000)); // replaced
    assert_int_equal(map.len, 10000);
    for (int64_t i = 1; i < 10000; i++) {
        int64_t value = -1;
        assert_true(idmap_get(&map, i * 7919 - 5000, &value));
        assert_int_equal(value, i);
    }
    assert_false(idmap_get(&map, 1, NULL));
    assert_false(idmap_put(&map, 1, 1, 10000)); // full
    assert_false(idmap_put(&map, INT64_MIN, 1, 20000));
    idmap_fini(&map);
}

// The longest row of slots that are taken: what a search may have to walk.
static void idmap_forgets_what_it_is_told_to(void **state) {
    (void)state;
    enum { IDS = 300 };
    struct idmap map = {0};
    bool there[IDS] = {false};
    uint64_t seed = 11;
    for (int i = 0; i < 20000; i++) {
        int64_t id = (int64_t)(test_random(&seed) % IDS);
        if (test_random(&seed) % 2 == 0) {
            assert_true(idmap_put(&map, id, id * 3, IDS));
            there[id] = true;
        } else {
            idmap_remove(&map, id);
            there[id] = false;
        }
        size_t count = 0;
        for (int k = 0; k < IDS; k++) {
            int64_t value = -1;
            assert_int_equal(idmap_get(&map, k, &value), there[k]);
            assert_true(!there[k] || value == k * 3);
            count += there[k];
        }
        assert_int_equal(map.len, count);
    }
    idmap_remove(&map, INT64_MIN);
    idmap_fini(&map);
    idmap_remove(&map, 1);
}

static size_t longest_row(const struct idmap *map) {
    size_t longest = 0, row = 0;
    for (size_t i = 0; i < map->cap; i++) {
        row = map->keys[i] == INT64_MIN ? 0 : row + 1;
        longest = row > longest ? row : longest;
    }
    return longest;
}

// Ids as an application may number its accumulators, one of them to make every search long: where
// slots come from the middle of a product, as they did, these would all take one.
static void idmap_spreads_ids_of_any_kind(void **state) {
    (void)state;
    enum { IDS = 30000 }; // INT64_MIN is not among them
    for (int shift = 0; shift <= 48; shift += 8) {
        struct idmap map = {0};
        for (int64_t i = 0; i < IDS; i++) {
            assert_true(idmap_put(&map, (int64_t)((uint64_t)i << shift), i, IDS));
        }
        for (int64_t i = 0, value; i < IDS; i++) {
            assert_true(idmap_get(&map, (int64_t)((uint64_t)i << shift), &value));
            assert_int_equal(value, i);
        }
        assert_in_range(longest_row(&map), 1, 1000);
        idmap_fini(&map);
    }
}

struct left {
    int64_t panes[64];
    int count;
};
static void note_pane(void *ctx, int64_t pane) {
    struct left *left = ctx;
    left->panes[left->count++] = pane;
}

static void ring_hands_out_panes_in_order(void **state) {
    (void)state;
    struct ring ring;
    struct left left = {0};
    ring_init(&ring, 1000, 3);
    assert_false(ring_holds(&ring, 0));
    ring_advance(&ring, 5500, note_pane, &left); // panes 3 4 5
    assert_int_equal(left.count, 0);
    assert_true(ring_holds(&ring, 3) && ring_holds(&ring, 5));
    assert_false(ring_holds(&ring, 2) || ring_holds(&ring, 6));
    ring_advance(&ring, 4000, note_pane, &left); // never back
    assert_int_equal(ring.newest, 5);
    ring_advance(&ring, 7000, note_pane, &left); // panes 5 6 7: 3 and 4 leave
    assert_int_equal(left.count, 2);
    assert_int_equal(left.panes[0], 3);
    assert_int_equal(left.panes[1], 4);
    ring_advance(&ring, 100000, note_pane, &left); // a long gap: at most the window's panes
    assert_int_equal(left.count, 5);
    assert_int_equal(left.panes[4], 7);
    assert_int_equal(ring_pane_of(&ring, -1), -1);
    assert_int_equal(ring_slot(&ring, -1), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sketch_quantiles_are_close),
        cmocka_unit_test(sketch_merge_is_addition),
        cmocka_unit_test(sketch_takes_the_extremes),
        cmocka_unit_test(rangeset_equals_a_bitmap),
        cmocka_unit_test(rangeset_joins_the_lowest_beyond_its_limit),
        cmocka_unit_test(idmap_keeps_what_it_was_given),
        cmocka_unit_test(idmap_forgets_what_it_is_told_to),
        cmocka_unit_test(idmap_spreads_ids_of_any_kind),
        cmocka_unit_test(ring_hands_out_panes_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
