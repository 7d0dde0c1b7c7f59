// test_position: how far a partition is read: what is kept of it, what an earlier release kept, and
// how a message that was taken is told from another one at its place.
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "keep/position.h"

static const char task_end[] =
    "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Stage Attempt "
    "ID\":0,\"Task Info\":{\"Task ID\":17,\"Launch Time\":1700000000000}}";

static struct message message_at(int64_t offset) {
    return (struct message){.value = STR(task_end),
                            .key = STR("application_1_0001"),
                            .partition = 3,
                            .offset = offset,
                            .timestamp_ms = 1700000001234};
}

static struct position read_back(const struct position *position) {
    struct buf value = {0};
    struct position again;
    struct err err = {0};
    position_write(position, &value);
    assert_int_equal(position_read(buf_str(&value), &again, &err), ST_OK);
    buf_fini(&value);
    return again;
}

static void the_last_messages_are_remembered(void **state) {
    (void)state;
    struct position position = {.ticks = 4, .shift = 100, .rooted = true};
    for (int64_t offset = 0; offset < 10; offset++) {
        struct message message = message_at(offset * 2); // markers lie between
        position_take(&position, &message);
    }
    struct position again = read_back(&position);
    assert_int_equal(again.offset, 19);
    assert_int_equal(again.ticks, 4);
    assert_int_equal(again.shift, 100);
    assert_true(again.rooted);
    assert_int_equal(again.stamp_count, POSITION_STAMPS);
    for (int64_t offset = 0; offset < 20; offset++) {
        struct message message = message_at(offset);
        assert_int_equal(position_prove(&again, &message),
                         offset >= 12 && offset % 2 == 0 ? POSITION_SAME : POSITION_UNKNOWN);
    }
    position_forget_before(&again, 15);
    assert_int_equal(again.stamp_count, 2);
    assert_int_equal(again.stamps[0].offset, 16);
}

static void another_message_is_told(void **state) {
    (void)state;
    struct position position = {0};
    struct message message = message_at(7), other;
    char text[sizeof task_end];
    position_take(&position, &message);
    other = message;
    other.timestamp_ms++;
    assert_int_equal(position_prove(&position, &other), POSITION_ANOTHER);
    other = message;
    other.key = STR("application_1_0002");
    assert_int_equal(position_prove(&position, &other), POSITION_ANOTHER);
    other.key = STR("");
    assert_int_equal(position_prove(&position, &other), POSITION_ANOTHER);
    static const size_t seen[] = {0, 15, sizeof task_end / 2, sizeof task_end - 2};
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        other = message;
        memcpy(text, task_end, sizeof text);
        text[seen[i]] ^= 1;
        other.value.p = text;
        assert_int_equal(position_prove(&position, &other), POSITION_ANOTHER);
    }
    other = message;
    other.value.len--;
    assert_int_equal(position_prove(&position, &other), POSITION_ANOTHER);
    other = (struct message){.offset = 7};
    assert_int_equal(position_prove(&position, &other), POSITION_ANOTHER);
    assert_int_equal(position_prove(&position, &message), POSITION_SAME);
}

// A print is compared by the next release, too: how it is made is for ever.
static void a_print_is_for_ever(void **state) {
    (void)state;
    struct position position = {0};
    struct message message = message_at(7), empty = {.offset = 8};
    position_take(&position, &message);
    position_take(&position, &empty);
    assert_int_equal(position.stamps[0].print, (int64_t)UINT64_C(0xb2385a7a0e0b0ed8));
    assert_int_equal(position.stamps[1].print, (int64_t)UINT64_C(0xb3e70dd6a27fc8c3));
}

static void order_goes_on_where_an_input_begins_again(void **state) {
    (void)state;
    struct position position = {.offset = 50, .ticks = 2};
    int64_t mark = position_mark(&position);
    position_restart(&position, 10);
    assert_int_equal(position.offset + position.shift, 50);
    assert_true(position_mark(&position) > mark);
    position_restart(&position, 30); // retention: offsets rise by themselves
    assert_int_equal(position.offset + position.shift, 70);
    assert_int_equal(position.stamp_count, 0);
}

// Of release 0.1.0: offset 300, time 1000, one tick.
static void an_earlier_position_is_read(void **state) {
    (void)state;
    static const char value[] = "\1\1\2\xd8\4\2\2\xd0\xf\3\1\2";
    struct position position;
    struct err err = {0};
    assert_int_equal(position_read((struct str){value, sizeof value - 1}, &position, &err), ST_OK);
    assert_int_equal(position.offset, 300);
    assert_int_equal(position.time_ms, 1000);
    assert_int_equal(position.ticks, 1);
    assert_false(position.rooted);
    assert_int_equal(position.stamp_count, 0);
}

static void damage_is_refused(void **state) {
    (void)state;
    static const char *const values[] = {"", "\2", "\1\1\1\1", "\1\4\1\1", "\1\6\4\1\2\1\1\6"};
    struct position position;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct err err = {0};
        assert_int_equal(position_read(str_of(values[i]), &position, &err), ST_SKIP);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_messages_are_remembered),
        cmocka_unit_test(another_message_is_told),
        cmocka_unit_test(a_print_is_for_ever),
        cmocka_unit_test(order_goes_on_where_an_input_begins_again),
        cmocka_unit_test(an_earlier_position_is_read),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
