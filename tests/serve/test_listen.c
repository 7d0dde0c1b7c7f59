// test_listen: the text of http.listen, and what is said when it cannot be listened on.
#include "support/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "serve/listen.h"

static void addresses_are_read(void **state) {
    (void)state;
    union listen_address address;
    bool both;
    assert_true(listen_parse(":9571", &address, &both) && both);
    assert_int_equal(ntohs(address.v6.sin6_port), 9571);
    assert_true(listen_parse("0.0.0.0:1", &address, &both) && !both);
    assert_int_equal(address.any.sa_family, AF_INET);
    assert_int_equal(address.v4.sin_addr.s_addr, htonl(INADDR_ANY));
    assert_true(listen_parse("localhost:0", &address, &both) && !both);
    assert_int_equal(address.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_true(listen_parse("[::1]:65535", &address, &both) && !both);
    assert_memory_equal(&address.v6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback);
}

static void what_is_no_address_is_explained(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",     "9571",   "host.example:1", "127.0.0.1:", "1.2.3:4", "127.0.0.1:-1",   "[::1:9571",
        "[]:1", "[zz]:1", "127.0.0.1:1x",   "[::1]",      "[:1",     "127.0.0.1:65536"};
    int fd = -1;
    uint16_t port;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(listen_open(bad[i], &fd, &port, &err), ST_FATAL);
        assert_non_null(strstr(err.text, "is not an address; write 127.0.0.1:9571"));
    }
    assert_int_equal(listen_open("192.0.2.1:9571", &fd, &port, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "192.0.2.1:9571: this machine has no such address"));
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
    assert_int_equal(listen_open(text, &second, &port, &err), ST_FATAL);
    assert_non_null(strstr(err.text, "the port is taken"));
    close(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(what_is_no_address_is_explained),
        cmocka_unit_test(a_port_belongs_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
