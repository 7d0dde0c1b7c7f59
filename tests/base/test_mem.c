// test_mem: what is taken and released is counted by room, whoever releases it, from any thread;
// blocks are aligned for everything.
#include "support/test.h"

#include <pthread.h>

#include "base/mem.h"

static int64_t here(void) {
    return mem_room_bytes(MEM_ROOM_other);
}

static void what_is_taken_is_counted_until_it_is_released(void **state) {
    (void)state;
    int64_t before = here(), state_before = mem_room_bytes(MEM_ROOM_state);
    char *a = mem_alloc(100), *b = mem_zalloc(7, 3), *c = mem_strdup("four"), *d = NULL;
    assert_true(here() == before + 100 + 21 + 5);
    for (int i = 0; i < 21; i++) {
        assert_int_equal(b[i], 0);
    }
    memset(a, 'x', 100);
    a = mem_resize(a, 50, 10);
    assert_int_equal(a[99], 'x');
    d = mem_resize(d, 3, 3);
    assert_true(here() == before + 500 + 21 + 5 + 9);
    // The room that took it counts it, however it grows and wherever it ends.
    char *e = mem_room_alloc(MEM_ROOM_state, 10);
    e = mem_resize(e, 1000, 1);
    assert_true(mem_room_bytes(MEM_ROOM_state) == state_before + 1000);
    mem_free(a), mem_free(b), mem_free(c), mem_free(d), mem_free(e), mem_free(NULL);
    assert_true(here() == before && mem_room_bytes(MEM_ROOM_state) == state_before);
}

static void blocks_are_aligned_and_never_null(void **state) {
    (void)state;
    for (size_t size = 0; size < 100; size++) {
        char *block = mem_alloc(size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
        block = mem_resize(block, size, 2);
        assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
        mem_free(block);
    }
}

static void rooms_have_names_of_their_own(void **state) {
    (void)state;
    for (int a = 0; a < MEM_ROOM_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(mem_room_name((enum mem_room)a),
                                    mem_room_name((enum mem_room)b));
        }
    }
    assert_string_equal(mem_room_name(MEM_ROOM_state), "state");
}

static void *churn(void *arg) {
    for (int i = 0; i < 20000; i++) {
        mem_free(mem_strdup("a text"));
    }
    return arg;
}

static void threads_lose_no_byte(void **state) {
    (void)state;
    int64_t before = here();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(here() == before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_counted_until_it_is_released),
        cmocka_unit_test(blocks_are_aligned_and_never_null),
        cmocka_unit_test(rooms_have_names_of_their_own),
        cmocka_unit_test(threads_lose_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
