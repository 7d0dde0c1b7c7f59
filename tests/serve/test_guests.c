// test_guests: who of those connected goes when a place is needed, and when time is over. Addresses
// are made up; sockets are none, so showing out only marks.
#include "serve/guests.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/metrics.h"
#include "support/test.h"

enum { FIRST_FD = 1000000 }; // no such file is open

static struct guests guests;
static int next_fd;

static struct guest *admit(const char *from, int64_t now_ms) {
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    v4->sin_family = AF_INET;
    if (inet_pton(AF_INET, from, &v4->sin_addr) != 1) {
        v6->sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, from, &v6->sin6_addr), 1);
    }
    return guests_admit(&guests, next_fd++, (struct sockaddr *)&address, now_ms);
}

static int begin(void **state) {
    (void)state;
    metrics_reset();
    next_fd = FIRST_FD;
    guests_init(&guests, 10000, 30000);
    return 0;
}

static int here(void) {
    int count = 0;
    for (int i = 0; i < GUEST_PLACES; i++) {
        count += guests.places[i].fd >= 0 && !guests.places[i].leaving;
    }
    return count;
}

// Fills all places from addresses of their own, the oldest first.
static void fill(struct guest **out) {
    char from[32];
    for (int i = 0; i < GUESTS_MAX; i++) {
        snprintf(from, sizeof from, "10.0.%d.1", i);
        out[i] = admit(from, 100 + i);
        assert_false(out[i]->local);
    }
    assert_int_equal(here(), GUESTS_MAX);
}

static void one_address_has_so_many_places(void **state) {
    (void)state;
    struct guest *other = admit("10.0.0.2", 0), *first = admit("10.0.0.1", 1);
    for (int i = 1; i < GUESTS_FROM_ONE; i++) {
        admit("10.0.0.1", 1 + i);
    }
    assert_false(first->leaving);
    assert_int_equal(here(), 1 + GUESTS_FROM_ONE);
    struct guest *newest = admit("10.0.0.1", 100);
    assert_true(first->leaving);
    assert_false(newest->leaving || other->leaving);
    assert_int_equal(here(), 1 + GUESTS_FROM_ONE);
    assert_int_equal(metrics_get(METRIC_HTTP_CROWDED), 1);
    assert_ptr_equal(guests_find(&guests, next_fd - 1), newest);
}

// Many come within a millisecond, and whoever comes takes the place of one who went.
static void the_longest_there_goes_whatever_the_clock_says(void **state) {
    (void)state;
    struct guest *gone = admit("10.0.0.1", 1), *longest = admit("10.0.0.1", 1),
                 *all[GUESTS_FROM_ONE];
    guests_gone(gone);
    for (int i = 1; i < GUESTS_FROM_ONE; i++) {
        all[i] = admit("10.0.0.1", 1);
    }
    assert_ptr_equal(all[1], gone); // in its place
    admit("10.0.0.1", 1);
    assert_true(longest->leaving);
    assert_false(all[1]->leaving);
    admit("10.0.0.1", 1);
    assert_true(all[1]->leaving);
    assert_false(all[2]->leaving);
}

static void a_network_is_one_address(void **state) {
    (void)state;
    struct guest *first = admit("2001:db8::1", 1), *mapped = admit("::ffff:10.0.0.1", 1);
    char from[32];
    for (int i = 1; i <= GUESTS_FROM_ONE; i++) {
        snprintf(from, sizeof from, "2001:db8::%d:1", i);
        admit(from, 1 + i);
        snprintf(from, sizeof from, "10.0.%d.1", i); // networks of IPv4 are no addresses
        assert_false(admit(from, 1)->leaving);
    }
    assert_true(first->leaving);
    assert_false(mapped->leaving);
    for (int i = 0; i < GUESTS_FROM_ONE; i++) { // the same as IPv4 says it
        admit("10.0.0.1", 50);
    }
    assert_true(mapped->leaving);
}

static void a_new_one_is_always_let_in(void **state) {
    (void)state;
    struct guest *all[GUESTS_MAX];
    fill(all);
    all[0]->heard = true; // what it asked for is on its way
    assert_non_null(admit("10.9.9.9", 1000));
    assert_true(all[1]->leaving);
    assert_false(all[0]->leaving);
    assert_non_null(admit("10.0.5.1", 1001)); // the address with most guests makes room
    assert_non_null(admit("10.9.9.8", 1002));
    assert_int_equal(here(), GUESTS_MAX);
    assert_true(all[2]->leaving);
    assert_true(all[5]->leaving);
    for (int i = 0; i < 1000 && admit("10.9.9.7", 2000 + i) != NULL; i++) {
        assert_true(here() <= GUESTS_MAX);
    }
    for (int i = 0; i < GUEST_PLACES; i++) { // all places are taken, by those that leave, too
        if (guests.places[i].leaving) {
            guests_gone(&guests.places[i]);
        }
    }
    assert_non_null(admit("10.9.9.6", 9000));
}

static void this_machine_never_makes_room_for_others(void **state) {
    (void)state;
    struct guest *probe = admit("127.0.0.1", 0), *six = admit("::1", 0), *all[GUESTS_MAX];
    assert_true(probe->local && six->local);
    fill(all + 0);
    assert_false(probe->leaving || six->leaving);
    assert_true(all[0]->leaving && all[1]->leaving);
    for (int i = 0; i < GUESTS_FROM_ONE - 2; i++) {
        assert_false(admit("127.0.0.2", 200)->leaving);
    }
    assert_false(probe->leaving || six->leaving);
    admit("127.0.0.3", 300); // each other they do
    assert_true(probe->leaving || six->leaving);
    assert_int_equal(here(), GUESTS_MAX);
}

static void time_is_over_whatever_comes(void **state) {
    (void)state;
    struct guest *silent = admit("10.0.0.1", 1000), *asking = admit("10.0.0.2", 2000);
    assert_int_equal(guests_hurry(&guests, 3000), 11000);
    asking->heard = true;
    assert_int_equal(guests_hurry(&guests, 10999), 11000);
    assert_false(silent->leaving);
    assert_int_equal(guests_hurry(&guests, 11000), 32000);
    assert_true(silent->leaving);
    assert_false(asking->leaving);
    assert_int_equal(guests_hurry(&guests, 32000), INT64_MAX);
    assert_true(asking->leaving);
    assert_int_equal(metrics_get(METRIC_HTTP_SLOW), 2);
    guests_gone(silent);
    guests_gone(asking);
    assert_null(guests_find(&guests, FIRST_FD));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_address_has_so_many_places, begin),
        cmocka_unit_test_setup(the_longest_there_goes_whatever_the_clock_says, begin),
        cmocka_unit_test_setup(a_network_is_one_address, begin),
        cmocka_unit_test_setup(a_new_one_is_always_let_in, begin),
        cmocka_unit_test_setup(this_machine_never_makes_room_for_others, begin),
        cmocka_unit_test_setup(time_is_over_whatever_comes, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
