// test_hash: tables whose keys are chosen by somebody who knows how uthash hashes stay fast, and
// the hash that does it is the one that others call SipHash-1-3.
#include "support/test.h"

#include "base/compiler.h"
#include "base/hash.h"

enum { ENTRIES = 4000, WORDS = 6 };

struct entry {
    uint32_t key[WORDS];
    UT_hash_handle hh;
};

// Python 3.11's hash(bytes(range(n))) with PYTHONHASHSEED=0, which makes its key zero.
static void the_hash_is_siphash_1_3(void **state) {
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {
        {1, 0x68a914128e01e473},  {2, 0x010bac45c41e3669}, {7, 0x2f098ab0c751325a},
        {8, 0xead411e67ebe2eea},  {9, 0x75927f9d95124362}, {15, 0xf30eb725bb91c9ea},
        {16, 0x8972188433a5c5b7},
    };
    unsigned char bytes[16];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)i;
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(hash_siphash13(0, 0, bytes, cases[i].len) == cases[i].hash);
    }
    // Both halves of the key count.
    assert_true(hash_siphash13(0, 1, bytes, 8) != cases[3].hash);
    assert_true(hash_siphash13(1, 0, bytes, 8) != cases[3].hash);
}

// uthash's own hash adds twelve bytes at a time to three words and mixes them. Whatever the first
// twelve make of the words, the next twelve are chosen to bring them back to zero.
static void choose_key(uint32_t key[WORDS], uint32_t number) {
    uint32_t a = 0x9e3779b9u, b = 0x9e3779b9u, c = 0xfeedbeefu;
    key[0] = number;
    key[1] = key[2] = 0;
    a += key[0];
    b += key[1];
    c += key[2];
    HASH_JEN_MIX(a, b, c);
    key[3] = 0 - a;
    key[4] = 0 - b;
    key[5] = 0 - c;
}

static unsigned longest_chain(const struct entry *entries) {
    const UT_hash_table *table = entries->hh.tbl;
    unsigned longest = 0;
    for (unsigned i = 0; i < table->num_buckets; i++) {
        longest = table->buckets[i].count > longest ? table->buckets[i].count : longest;
    }
    return longest;
}

static void chosen_keys_do_not_fall_into_one_bucket(void **state) {
    (void)state;
    struct entry *entries = NULL, *entry, *next;
    unsigned first = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        unsigned unkeyed;
        entry = mem_zalloc(1, sizeof *entry);
        choose_key(entry->key, i);
        HASH_JEN(entry->key, sizeof entry->key, unkeyed);
        first = i == 0 ? unkeyed : first;
        assert_int_equal(unkeyed, first); // it is an attack
        HASH_ADD(hh, entries, key, sizeof entry->key, entry);
    }
    // Some 10 in a bucket is when uthash doubles the buckets; one of 4,000 would be all of them.
    assert_in_range(longest_chain(entries), 1, 24);
    HASH_ITER(hh, entries, entry, next) {
        HASH_DEL(entries, entry);
        mem_free(entry);
    }
}

// Order is what goes out: it must not come from the key.
static void tables_are_walked_in_order_of_insertion_under_any_key(void **state) {
    (void)state;
    for (uint64_t k = 0; k < 8; k++) {
        struct entry *entries = NULL, *entry, *next;
        uint32_t expected = 0;
        hash_key_set(k, ~k);
        for (uint32_t i = 0; i < 500; i++) {
            entry = mem_zalloc(1, sizeof *entry);
            entry->key[0] = i * 2654435761u;
            entry->key[1] = i;
            HASH_ADD(hh, entries, key, sizeof entry->key, entry);
        }
        HASH_ITER(hh, entries, entry, next) {
            assert_int_equal(entry->key[1], expected++);
            HASH_DEL(entries, entry);
            mem_free(entry);
        }
        assert_int_equal(expected, 500);
    }
}

static void each_process_has_a_key(void **state) {
    (void)state;
    assert_true(hash_bytes("a", 1) !=
                (unsigned)(hash_siphash13(0, 0, "a", 1) ^ hash_siphash13(0, 0, "a", 1) >> 32));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_process_has_a_key), // before another test sets it
        cmocka_unit_test(the_hash_is_siphash_1_3),
        cmocka_unit_test(chosen_keys_do_not_fall_into_one_bucket),
        cmocka_unit_test(tables_are_walked_in_order_of_insertion_under_any_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
