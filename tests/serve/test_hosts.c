// test_hosts: names by which the pages may be asked, and all that is not one of them.
#include "serve/hosts.h"

#include "base/compiler.h"
#include "support/test.h"

// The list ends with NULL.
static void check(const struct hosts *hosts, bool allowed, const char *const *all) {
    for (; *all != NULL; all++) {
        if (hosts_allow(hosts, *all) != allowed) {
            fail_msg("%s %s", allowed ? "refused:" : "allowed:", *all);
        }
    }
}
#define ALLOWED(hosts, ...) check(hosts, true, (const char *const[]){__VA_ARGS__, NULL})
#define REFUSED(hosts, ...) check(hosts, false, (const char *const[]){__VA_ARGS__, NULL})

static void addresses_in_numbers_and_our_own_names_are_answered(void **state) {
    (void)state;
    struct hosts hosts = {.own = "Agent-1.example.com"};
    ALLOWED(&hosts, "127.0.0.1", "127.0.0.1:9571", "10.1.2.3:1", "[::1]", "[::1]:9571",
            "[fe80::1:2]:80", "localhost", "LOCALHOST:9571", "localhost.", "agent-1",
            "agent-1:9571", "agent-1.example.com", "AGENT-1.EXAMPLE.COM.:9571", "10.1.2.3:");
    REFUSED(&hosts, "example.com", "agent", "agent-12", "agent-1.example.org", "stranger.example",
            "localhost.stranger.example", "127.0.0.1.stranger.example", "agent-1.example.com.evil");
    hosts.own[0] = '\0'; // not known
    REFUSED(&hosts, "", ".", "agent-1");
}

static void what_is_no_host_is_refused(void **state) {
    (void)state;
    struct hosts hosts = {.own = "agent"};
    char long_name[400];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    REFUSED(&hosts, "", ":", ":9571", "[", "[]", "[::1", "::1", "[::1]x", "[::1]:x", "[agent]",
            "[127.0.0.1]", "agent:95 71", "agent:9571:1", "agent/", "agent@x", "x@agent", " agent",
            "agent ", "agent..", "agent\t", "127.1", "0x7f.0.0.1", "2130706433", "http://agent",
            "localhost,stranger", "*", "[fe80::1%eth0]", "\xC3\xA4gent", long_name);
}

static void the_list_adds_names(void **state) {
    (void)state;
    static const char *const names[] = {"Stoker", "*.monitoring.svc", "agent.example.com"};
    struct hosts hosts = {.names = names, .count = ARRAY_LEN(names)};
    ALLOWED(&hosts, "stoker", "stoker:9571", "STOKER.", "a.monitoring.svc", "a.b.monitoring.svc:1",
            "agent.example.com");
    REFUSED(&hosts, "monitoring.svc", "xmonitoring.svc", "xymonitoring.svc", ".monitoring.svc",
            "a.monitoring.svc.evil", "agent", "stoker.evil", "example.com");
    static const char *const any[] = {"*"};
    hosts = (struct hosts){.names = any, .count = 1};
    ALLOWED(&hosts, "whatever.example", "stoker");
    REFUSED(&hosts, "", "a b", "[x]"); // a name all the same
}

static void entries_are_names(void **state) {
    (void)state;
    static const char *const good[] = {"a", "A-1_b.c", "*.a", "*.a.b", "*"},
                             *const bad[] = {"",   "*.", "*a", "a.*",      "a:9571", "a b", "a..b",
                                             ".a", "a.", "**", "http://a", "a/",     "*.*"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(hosts_good(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (hosts_good(bad[i])) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_in_numbers_and_our_own_names_are_answered),
        cmocka_unit_test(what_is_no_host_is_refused),
        cmocka_unit_test(the_list_adds_names),
        cmocka_unit_test(entries_are_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
