// test_idmap: ids that somebody chose to fall into one place are found in a few steps, under any
// key. Steps are counted, not timed.
#include "support/test.h"

#include "base/compiler.h"
#include "base/hash.h"
#include "stats/idmap.h"

enum { IDS = 8000, KEYS = 60 };

// Slots that a search for the id looks at.
static uint64_t steps(const struct idmap *map, int64_t id) {
    uint64_t looked_at = 1;
    size_t at = (size_t)hash_id(id) & (map->cap - 1);
    for (; map->keys[at] != id; looked_at++) {
        assert_true(map->keys[at] != INT64_MIN && looked_at <= map->cap);
        at = (at + 1) & (map->cap - 1);
    }
    return looked_at;
}

static int64_t high_bits(int64_t i) {
    return (int64_t)((uint64_t)i << 44 | (uint64_t)(i >> 20) << 20);
}
static int64_t multiples(int64_t i) {
    return i << 32;
}
static int64_t next_to_each_other(int64_t i) {
    return i;
}
static int64_t inverse(int64_t i) { // of the usual multiplicative hash, times what it is to give
    return (int64_t)((uint64_t)i * UINT64_C(0xF1DE83E19937733D) << 24);
}

static void chosen_ids_are_found_in_a_few_steps(void **state) {
    (void)state;
    static int64_t (*const attacks[])(int64_t) = {high_bits, multiples, next_to_each_other,
                                                  inverse};
    uint64_t seed = 7;
    for (size_t a = 0; a < ARRAY_LEN(attacks) * KEYS; a++) {
        struct idmap map = {0};
        int64_t (*const attack)(int64_t) = attacks[a % ARRAY_LEN(attacks)];
        uint64_t k0 = test_random(&seed), k1 = test_random(&seed);
        hash_key_set(k0, k1);
        uint64_t all = 0;
        for (int64_t i = 0; i < IDS; i++) {
            idmap_put(&map, attack(i), i, SIZE_MAX);
        }
        for (int64_t i = 0; i < IDS; i++) {
            assert_true(idmap_get(&map, attack(i), NULL));
            all += steps(&map, attack(i));
        }
        assert_in_range(all, IDS, 10 * IDS); // 2.5 each where three quarters are taken at random
        idmap_fini(&map);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_ids_are_found_in_a_few_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
