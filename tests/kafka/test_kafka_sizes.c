// test_kafka_sizes: what refusals teach of a topic's limit, in how many attempts, and when it is
// forgotten. The broker here is a number.
#include "support/test.h"

#include "base/compiler.h"
#include "kafka/sizes.h"

enum { MOST = 32 << 20, BATCH = 1000000, MINUTE_MS = 60000 };

// One attempt after the other to send records of these sizes to a topic that takes `limit` bytes
// with framing, batch by batch as the library makes them; returns how many attempts failed.
struct sending {
    struct sizes sizes;
    int64_t limit, now_ms;
    const int64_t *records; // their sizes
    size_t count;
    size_t skipped; // in the last attempt
    uint64_t attempt;
};

// False if a batch was refused.
static bool try_once(struct sending *s) {
    struct sink_topic *topic = sizes_of(&s->sizes, "t");
    int64_t batch_bytes = sizes_batch(&s->sizes, BATCH), batch = 0;
    int64_t room = sizes_room(topic, MOST, s->now_ms);
    s->attempt++;
    s->skipped = 0;
    for (size_t i = 0, first = 0; i < s->count; i++) {
        if (s->records[i] > room) {
            s->skipped++;
            continue;
        }
        if (batch > 0 && batch + s->records[i] > batch_bytes) {
            batch = 0;
            first = i;
        }
        batch += s->records[i];
        if (batch > s->limit) {
            for (size_t j = first; j <= i; j++) {
                if (s->records[j] <= room) {
                    sizes_refused(topic, s->records[j], batch_bytes, s->attempt, s->now_ms);
                }
            }
            return false;
        }
        sizes_taken(topic, s->records[i]);
    }
    return true;
}

static int attempts(struct sending *s) {
    int failed = 0;
    while (!try_once(s)) {
        failed++;
        assert_true(failed < 100);
    }
    return failed;
}

static void a_batch_is_split_until_the_culprit_is_alone(void **state) {
    (void)state;
    static const int64_t together[] = {900, 900, 900, 900, 900, 900, 900, 900};
    static const int64_t one[] = {900, 900, 300000, 900, 900};
    struct sending s = {.limit = 2000, .records = together, .count = ARRAY_LEN(together)};
    int failed = attempts(&s);
    assert_in_range(failed, 1, 4); // 125000, 15625, 1953 bytes a batch
    assert_int_equal(s.skipped, 0);
    assert_int_equal(attempts(&s), 0); // and it is remembered
    sizes_fini(&s.sizes);
    s = (struct sending){.limit = 200000, .records = one, .count = ARRAY_LEN(one)};
    failed = attempts(&s);
    assert_in_range(failed, 1, 2);
    assert_int_equal(s.skipped, 1);
    sizes_fini(&s.sizes);
}

// Sizes that fall slowly would take an attempt each, were the limit not halved in the end.
static void a_limit_is_known_after_few_attempts(void **state) {
    (void)state;
    static int64_t falling[3000];
    for (size_t i = 0; i < ARRAY_LEN(falling); i++) {
        falling[i] = 3100000 - (int64_t)i * 1000;
    }
    struct sending s = {.limit = 150000, .records = falling, .count = ARRAY_LEN(falling)};
    assert_in_range(attempts(&s), 5, 12);
    // Whatever was halved: what is below half the limit is never skipped.
    assert_true(sizes_room(sizes_of(&s.sizes, "t"), MOST, s.now_ms) >= 75000);
    sizes_fini(&s.sizes);
}

static void what_was_too_large_is_tried_again_after_a_growing_pause(void **state) {
    (void)state;
    static const int64_t large[] = {2000000};
    struct sending s = {.limit = 1500000, .records = large, .count = 1};
    assert_int_equal(attempts(&s), 1);
    int failed = 0;
    for (int minute = 0; minute < 24 * 60; minute++) {
        s.now_ms += MINUTE_MS;
        failed += attempts(&s);
    }
    assert_in_range(failed, 3, 10); // of 1,440
    assert_int_equal(sizes_room(sizes_of(&s.sizes, "t"), MOST, s.now_ms), 1999999);
    s.limit = 3000000; // raised
    for (int hour = 0; hour < 7; hour++) {
        s.now_ms += 60 * MINUTE_MS;
        assert_int_equal(attempts(&s), 0);
    }
    assert_int_equal(s.skipped, 0);
    assert_true(sizes_room(sizes_of(&s.sizes, "t"), MOST, 0) > 30000000);
    sizes_fini(&s.sizes);
}

static void what_is_told_bounds_records_and_batches(void **state) {
    (void)state;
    struct sizes sizes = {0};
    struct sink_topic *small = sizes_of(&sizes, "small");
    (void)sizes_of(&sizes, "large");
    assert_int_equal(sizes_batch(&sizes, BATCH), BATCH);
    small->told_bytes = 5000;
    assert_int_equal(sizes_batch(&sizes, BATCH), 5000);
    assert_int_equal(sizes_batch(&sizes, 4000), 4000); // the setting
    assert_int_equal(sizes_room(small, MOST, 0), 5000 - 128);
    assert_int_equal(sizes_room(small, 3000, 0), 3000 - 128);
    assert_int_equal(sizes_room(sizes_of(&sizes, "large"), MOST, 0), MOST - 128);
    // Told of late, lowered since: what was refused counts until another limit is told.
    sizes_refused(small, 4500, 4000, 1, 0);
    assert_int_equal(sizes_room(small, MOST, (int64_t)1 << 40), 4499);
    small->told_bytes = 1;
    assert_int_equal(sizes_room(small, MOST, 0), 0);
    sizes_fini(&sizes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_split_until_the_culprit_is_alone),
        cmocka_unit_test(a_limit_is_known_after_few_attempts),
        cmocka_unit_test(what_was_too_large_is_tried_again_after_a_growing_pause),
        cmocka_unit_test(what_is_told_bounds_records_and_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
