// test_listen: the text of http.listen, where it is asked on this machine, and what is said when it
// cannot be listened on.
#include "support/test.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/listen.h"

static void addresses_are_read(void **state) {
    (void)state;
    static const struct {
        const char *listen, *local;
    } cases[] = {
        {"127.0.0.1:9571", "127.0.0.1:9571"}, {":9571", "127.0.0.1:9571"},
        {"0.0.0.0:80", "127.0.0.1:80"},       {"10.1.2.3:80", "10.1.2.3:80"},
        {"[::]:9571", "[::1]:9571"},          {"[fe80::1]:65535", "[fe80::1]:65535"},
        {"localhost:0", "127.0.0.1:0"},
    };
    char local[100];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(listen_good(cases[i].listen));
        assert_true(listen_local(cases[i].listen, local, sizeof local));
        assert_string_equal(local, cases[i].local);
        size_t len = strlen(cases[i].local);
        assert_false(listen_local(cases[i].listen, local, len));
        assert_true(listen_local(cases[i].listen, local, len + 1));
    }
}

static void what_is_no_address_is_explained(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",     "9571",   "host.example:1", "127.0.0.1:", "1.2.3:4", "127.0.0.1:-1",   "[::1:9571",
        "[]:1", "[zz]:1", "127.0.0.1:1x",   "[::1]",      "[:1",     "127.0.0.1:65536"};
    int fd = -1;
    uint16_t port;
    struct err err = {0};
    char local[100];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(listen_good(bad[i]));
        assert_false(listen_local(bad[i], local, sizeof local));
        assert_int_equal(listen_open(bad[i], &fd, &port, &err), ST_FATAL);
        assert_non_null(strstr(err.text, "is not an address; write 127.0.0.1:9571"));
    }
    assert_int_equal(listen_open("192.0.2.1:9571", &fd, &port, &err), ST_RETRY);
    assert_non_null(strstr(err.text, "192.0.2.1:9571: this machine has no such address"));
}

// The address the system bound, and whether IPv4 is taken on an IPv6 one.
static int family_of(const char *listen, int *only6) {
    int fd = -1;
    uint16_t port = 0;
    struct err err;
    assert_int_equal(listen_open(listen, &fd, &port, &err), ST_OK);
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound, size = sizeof *only6;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
    *only6 = -1;
    if (bound.ss_family == AF_INET6) {
        assert_int_equal(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, only6, &size), 0);
    }
    close(fd);
    assert_true(port > 0);
    return bound.ss_family;
}

static void every_address_is_ipv4_too(void **state) {
    (void)state;
    int only6;
    assert_int_equal(family_of("127.0.0.1:0", &only6), AF_INET);
    if (family_of(":0", &only6) == AF_INET6) { // else this machine has no IPv6
        assert_int_equal(only6, 0);
        assert_int_equal(family_of("[::1]:0", &only6), AF_INET6);
        assert_int_equal(only6, 1);
    }
}

static void a_port_belongs_to_one(void **state) {
    (void)state;
    int first = -1, second = -1;
    uint16_t port = 0;
    struct err err = {0};
    assert_int_equal(listen_open("127.0.0.1:0", &first, &port, &err), ST_OK);
    assert_true(first >= 0 && port > 0);
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    assert_int_equal(listen_open(text, &second, &port, &err), ST_RETRY);
    assert_non_null(strstr(err.text, "the port is taken"));
    close(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(what_is_no_address_is_explained),
        cmocka_unit_test(every_address_is_ipv4_too),
        cmocka_unit_test(a_port_belongs_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
