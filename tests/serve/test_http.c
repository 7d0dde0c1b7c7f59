// test_http: the agent's web server over real sockets: methods, routes, headers, names it is asked
// by, health, a taken port, guests that are slow, and pages that change while they are read.
#include "support/test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "serve/http.h"

static struct http *server_with(const struct http_options *given) {
    struct http *http = NULL;
    struct err err;
    struct http_options options = *given;
    options.listen = "127.0.0.1:0";
    assert_int_equal(http_new(&options, &http, &err), ST_OK);
    assert_true(http_port(http) > 0);
    return http;
}

static struct http *server(void) {
    return server_with(&(struct http_options){0});
}

static int connect_to(const struct http *http) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(http_port(http))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = 30};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        return -1;
    }
    return fd;
}

// Sends `request` as it is and reads to the end. Empty on failure.
static void ask_raw(const struct http *http, const char *request, size_t len, struct buf *answer) {
    buf_clear(answer);
    int fd = connect_to(http);
    if (fd < 0 || send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len) {
        return;
    }
    for (ssize_t n = 1; n > 0;) {
        char piece[8192];
        n = recv(fd, piece, sizeof piece, 0);
        buf_add(answer, piece, n > 0 ? (size_t)n : 0);
    }
    close(fd);
}

static const char *ask(const struct http *http, const char *method, const char *path,
                       struct buf *answer) {
    struct buf request = {0};
    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, path);
    ask_raw(http, request.data, request.len, answer);
    buf_fini(&request);
    return buf_text(answer);
}

static void expect(const struct http *http, const char *method, const char *path,
                   const char *status, const char *words) {
    struct buf answer = {0};
    const char *text = ask(http, method, path, &answer);
    if (strncmp(text, "HTTP/1.1 ", 9) != 0 || strncmp(text + 9, status, 3) != 0 ||
        strstr(text, words) == NULL) {
        print_error("%s %s: wanted %s and %s, got %s\n", method, path, status, words, text);
        fail();
    }
    assert_non_null(strstr(text, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(text, "X-Content-Type-Options: nosniff\r\n"));
    buf_fini(&answer);
}

static void publish(struct http *http, enum http_page page, const char *text) {
    struct buf content = {0};
    buf_add_text(&content, text);
    http_publish(http, page, &content);
    buf_fini(&content);
}

static void pages_are_served_with_their_types(void **state) {
    (void)state;
    struct http *http = server();
    metrics_reset();
    expect(http, "GET", "/metrics", "503", "\r\n\r\nstarting: ");
    publish(http, HTTP_METRICS, "a 1\n");
    publish(http, HTTP_LANDING, "<p>hello");
    publish(http, HTTP_STATUS_JSON, "{}");
    expect(http, "GET", "/metrics", "200",
           "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect(http, "GET", "/metrics", "200", "\r\n\r\na 1\n");
    expect(http, "GET", "/", "200", "Content-Type: text/html; charset=utf-8\r\n");
    expect(http, "GET", "/", "200",
           "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri "
           "'none'; form-action 'none'; frame-ancestors 'none'\r\n");
    expect(http, "GET", "/", "200", "\r\n\r\n<p>hello");
    expect(http, "GET", "/status", "200", "Content-Type: application/json; charset=utf-8\r\n");
    publish(http, HTTP_METRICS, "a 2\n");
    expect(http, "GET", "/metrics?x=1", "200", "\r\n\r\na 2\n");
    struct buf head = {0};
    ask(http, "HEAD", "/metrics", &head);
    assert_non_null(strstr(buf_text(&head), "Content-Length: 4\r\n"));
    assert_string_equal(strstr(buf_text(&head), "\r\n\r\n"), "\r\n\r\n");
    assert_int_equal(metrics_get(METRIC_HTTP_REQUESTS), 9);
    buf_fini(&head);
    http_free(http);
}

static void other_paths_and_methods_are_refused(void **state) {
    (void)state;
    struct http *http = server();
    publish(http, HTTP_METRICS, "a 1\n");
    static const char *const paths[] = {"/nothing",    "/metrics/", "/../etc/passwd", "//",
                                        "/%6detricsx", "/livez2",   "/<script>"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        expect(http, "GET", paths[i], "404", "Content-Type: text/plain; charset=utf-8\r\n");
        expect(http, "GET", paths[i], "404", "\r\n\r\nnot found; there are /, /metrics,");
    }
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        expect(http, methods[i], "/metrics", "405", "Allow: GET, HEAD\r\n");
    }
    struct buf answer = {0};
    static const char post[] =
        "POST /metrics HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 100000000\r\n\r\nabc";
    ask_raw(http, post, sizeof post - 1, &answer); // the body is not waited for
    assert_non_null(strstr(buf_text(&answer), "HTTP/1.1 405 "));
    buf_fini(&answer);
    http_free(http);
}

static void floods_and_garbage_do_no_harm(void **state) {
    (void)state;
    struct http *http = server();
    publish(http, HTTP_METRICS, "a 1\n");
    struct buf answer = {0}, long_line = {0};
    buf_add_text(&long_line, "GET /");
    for (int i = 0; i < 100000; i++) {
        buf_add_char(&long_line, 'a');
    }
    buf_add_text(&long_line, " HTTP/1.1\r\n\r\n");
    ask_raw(http, long_line.data, long_line.len, &answer);
    assert_memory_equal(buf_text(&answer), "HTTP/1.1 414 ", 13);
    uint64_t seed = 42;
    for (int round = 0; round < 50; round++) {
        char noise[300];
        for (size_t i = 0; i < sizeof noise; i++) {
            noise[i] = (char)test_random(&seed);
        }
        memcpy(noise + sizeof noise - 4, "\r\n\r\n", 4);
        int fd = connect_to(http);
        assert_true(fd >= 0);
        assert_true(send(fd, noise, sizeof noise, MSG_NOSIGNAL) > 0);
        close(fd);
    }
    expect(http, "GET", "/metrics", "200", "a 1");
    buf_fini(&answer);
    buf_fini(&long_line);
    http_free(http);
}

// Asks with these lines behind the first, and looks at the beginning of the answer.
static void expect_host(const struct http *http, const char *lines, const char *wanted) {
    struct buf request = {0}, answer = {0};
    buf_printf(&request, "GET /metrics %s\r\n\r\n", lines);
    ask_raw(http, request.data, request.len, &answer);
    if (strncmp(buf_text(&answer), wanted, strlen(wanted)) != 0) {
        fail_msg("%s: wanted %s, got %s", lines, wanted, buf_text(&answer));
    }
    buf_fini(&request);
    buf_fini(&answer);
}

static void only_our_own_names_are_answered(void **state) {
    (void)state;
    static const char *const names[] = {"stoker"};
    struct http *http = server_with(&(struct http_options){.hosts = names, .host_count = 1});
    char own[300] = "HTTP/1.1\r\nHost: ";
    assert_int_equal(gethostname(own + strlen(own), 200), 0);
    publish(http, HTTP_METRICS, "a 1\n");
    metrics_reset();
    expect_host(http, "HTTP/1.1\r\nHost: 127.0.0.1:9571", "HTTP/1.1 200 ");
    expect_host(http, "HTTP/1.1\r\nhost: 10.1.2.3", "HTTP/1.1 200 ");
    expect_host(http, "HTTP/1.1\r\nHost: Stoker:9571", "HTTP/1.1 200 ");
    expect_host(http, own, "HTTP/1.1 200 ");
    expect_host(http, "HTTP/1.0", "HTTP/1.1 200 "); // no browser
    assert_int_equal(metrics_get(METRIC_HTTP_REFUSED), 0);
    expect_host(http, "HTTP/1.1\r\nHost: stranger.example", "HTTP/1.1 421 ");
    expect_host(http, "HTTP/1.0\r\nHost: stranger.example", "HTTP/1.1 421 ");
    expect_host(http, "HTTP/1.1\r\nHost: stranger.example:9571", "HTTP/1.1 421 ");
    expect_host(http, "HTTP/1.1\r\nHost:", "HTTP/1.1 421 ");
    expect_host(http, "HTTP/1.1\r\nHost: stoker\r\nHost: stranger.example", "HTTP/1.1 400 ");
    expect_host(http, "HTTP/1.1\r\nHost: stranger.example\r\nHost: stoker", "HTTP/1.1 400 ");
    assert_int_equal(metrics_get(METRIC_HTTP_REFUSED), 6);
    expect_host(http, "HTTP/1.1", "HTTP/1.1 400 ");
    http_free(http);
}

// Waits until the server has ended the connection; false after half a minute without.
static bool was_shown_out(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};
    return poll(&poll_fd, 1, 30000) == 1;
}
static bool is_here(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};
    return poll(&poll_fd, 1, 0) == 0;
}

// None of them ever ends what it says, nor its connection.
static void slow_guests_keep_nobody_out(void **state) {
    (void)state;
    struct http *http =
        server_with(&(struct http_options){.head_ms = 600000, .whole_ms = 600000}); // no clock
    publish(http, HTTP_METRICS, "a 1\n");
    http_set_ready(http, true, "", "");
    metrics_reset();
    int slow[100];
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: y";
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        slow[i] = connect_to(http);
        assert_true(slow[i] >= 0);
        (void)send(slow[i], request, sizeof request - 1, MSG_NOSIGNAL);
    }
    static const char *const paths[] = {"/livez", "/readyz", "/metrics"};
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            expect(http, "GET", paths[i], "200", "\r\n\r\n");
        }
        for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
            (void)send(slow[i], "z", 1, MSG_NOSIGNAL);
        }
    }
    assert_true(was_shown_out(slow[0])); // the oldest made room
    assert_true(metrics_get(METRIC_HTTP_CROWDED) >= (int64_t)ARRAY_LEN(slow) - 16);
    assert_int_equal(metrics_get(METRIC_HTTP_SLOW), 0);
    assert_true(is_here(slow[ARRAY_LEN(slow) - 1]));
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        close(slow[i]);
    }
    http_free(http);
}

// A byte now and then prolongs nothing.
static void a_dripping_request_has_its_time(void **state) {
    (void)state;
    struct http *http = server_with(&(struct http_options){.head_ms = 200, .whole_ms = 60000});
    metrics_reset();
    int fd = connect_to(http), silent = connect_to(http);
    int64_t deadline_ms = clock_mono_ms() + 30000;
    assert_true(send(fd, "GET /", 5, MSG_NOSIGNAL) == 5);
    while (is_here(fd) && clock_mono_ms() < deadline_ms) {
        (void)send(fd, "a", 1, MSG_NOSIGNAL);
        clock_sleep_ms(10);
    }
    assert_true(was_shown_out(fd));
    assert_true(was_shown_out(silent));
    assert_int_equal(metrics_get(METRIC_HTTP_SLOW), 2);
    assert_int_equal(metrics_get(METRIC_HTTP_REQUESTS), 0);
    close(fd);
    close(silent);
    http_free(http);
}

static void a_reader_that_does_not_read_has_its_time(void **state) {
    (void)state;
    struct http *http = server_with(&(struct http_options){.head_ms = 60000, .whole_ms = 300});
    struct buf page = {0};
    memset(buf_reserve(&page, 32 << 20), 'x', 32 << 20);
    page.len = 32 << 20;
    http_publish(http, HTTP_METRICS, &page);
    buf_fini(&page);
    metrics_reset();
    int fd = connect_to(http);
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_true(send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0);
    assert_true(was_shown_out(fd));
    assert_int_equal(metrics_get(METRIC_HTTP_REQUESTS), 1);
    assert_int_equal(metrics_get(METRIC_HTTP_SLOW), 1);
    close(fd);
    http_free(http);
}

// So nobody stays for as long as he likes by asking again and again.
static void a_connection_is_good_for_one_request(void **state) {
    (void)state;
    struct http *http = server();
    publish(http, HTTP_METRICS, "a 1\n");
    metrics_reset();
    static const char twice[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct buf answer = {0};
    ask_raw(http, twice, sizeof twice - 1, &answer);
    assert_non_null(strstr(buf_text(&answer), "Connection: close\r\n"));
    assert_int_equal(metrics_get(METRIC_HTTP_REQUESTS), 1);
    buf_fini(&answer);
    http_free(http);
}

static void health_says_why(void **state) {
    (void)state;
    struct http *http = server();
    static const char *const alive[] = {"/livez", "/healthz", "/-/healthy", "/livez?verbose"};
    static const char *const ready[] = {"/readyz", "/-/ready"};
    for (size_t i = 0; i < ARRAY_LEN(alive); i++) {
        expect(http, "GET", alive[i], "200", "\r\n\r\nok\n");
    }
    for (size_t i = 0; i < ARRAY_LEN(ready); i++) {
        expect(http, "GET", ready[i], "503", "\r\n\r\nnot ready: starting\n");
    }
    http_set_ready(http, false, "no broker\nok\x1b", NULL);
    expect(http, "GET", "/readyz", "503", "\r\n\r\nnot ready: no broker\\x0aok\\x1b\n");
    http_set_ready(http, true, "", "alertmanager http://a/: ok\nregistry \x1b: ok");
    for (size_t i = 0; i < ARRAY_LEN(ready); i++) {
        expect(http, "GET", ready[i], "200", "\r\n\r\nok\n");
    }
    expect(http, "GET", "/readyz?verbose", "200",
           "\r\n\r\n[+] loop\n[+] ready\nalertmanager http://a/: ok\nregistry \\x1b: ok\nok\n");
    assert_int_equal(metrics_get(METRIC_READY), 1);
    http_set_ready(http, false, "no partition", "x: bad");
    assert_int_equal(metrics_get(METRIC_READY), 0);
    expect(http, "GET", "/readyz?verbose=1", "503",
           "\r\n\r\n[+] loop\n[-] ready: no partition\nx: bad\nnot ready\n");
    http_set_ready(http, true, "", "");
    http_beat(http, clock_mono_ms() - HTTP_BEAT_MAX_MS);
    expect(http, "GET", "/livez", "503", "\r\n\r\nnot alive: ");
    expect(http, "GET", "/readyz", "503", "\r\n\r\nnot ready: the agent's loop stands still\n");
    expect(http, "GET", "/readyz?verbose", "503", "\r\n\r\n[-] loop\n[+] ready\nnot ready\n");
    http_beat(http, clock_mono_ms() - HTTP_BEAT_MAX_MS + 40000);
    expect(http, "GET", "/livez", "200", "ok");
    http_free(http);
}

static void a_taken_port_is_explained(void **state) {
    (void)state;
    struct http *first = server(), *http = NULL;
    struct err err = {0};
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%u", http_port(first));
    struct http_options options = {.listen = taken};
    assert_int_equal(http_new(&options, &http, &err), ST_RETRY); // it may be free soon
    assert_non_null(strstr(err.text, taken));
    assert_non_null(strstr(err.text, "the port is taken"));
    assert_non_null(strstr(err.text, "set http.listen to another port"));
    http_free(first);
    assert_int_equal(http_new(&options, &http, &err), ST_OK); // free again at once
    http_free(http);
    http_free(NULL);
}

struct reader {
    const struct http *http;
    _Atomic int good, bad;
    _Atomic bool stop;
};

// Every answer must be one whole page: one letter, repeated, of the length that goes with it.
static void *read_on(void *ctx) {
    struct reader *reader = ctx;
    struct buf answer = {0};
    while (!atomic_load(&reader->stop)) {
        const char *text = ask(reader->http, "GET", "/metrics", &answer);
        const char *body = strstr(text, "\r\n\r\n");
        size_t len = body == NULL ? 0 : strlen(body + 4);
        char letter[2] = {len > 0 ? body[4] : '?', '\0'};
        bool whole = len > 0 && strspn(body + 4, letter) == len &&
                     len == (size_t)(letter[0] - 'a' + 1) * 5000;
        atomic_fetch_add(whole ? &reader->good : &reader->bad, 1);
    }
    buf_fini(&answer);
    return NULL;
}

static void publish_letters(struct http *http, int round) {
    struct buf page = {0};
    int which = round % 26;
    memset(buf_reserve(&page, 26 * 5000), 'a' + which, (size_t)(which + 1) * 5000);
    page.len = (size_t)(which + 1) * 5000;
    http_publish(http, HTTP_METRICS, &page);
    buf_fini(&page);
}

static void pages_change_while_they_are_read(void **state) {
    (void)state;
    struct http *http = server();
    publish_letters(http, 0);
    struct reader reader = {.http = http};
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reader), 0);
    }
    for (int round = 0; atomic_load(&reader.good) < 300 && atomic_load(&reader.bad) == 0; round++) {
        publish_letters(http, round);
        http_set_ready(http, round % 2 == 0, "busy", "x");
        http_beat(http, clock_mono_ms());
    }
    atomic_store(&reader.stop, true);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(reader.bad, 0);
    http_free(http);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_served_with_their_types),
        cmocka_unit_test(other_paths_and_methods_are_refused),
        cmocka_unit_test(floods_and_garbage_do_no_harm),
        cmocka_unit_test(only_our_own_names_are_answered),
        cmocka_unit_test(slow_guests_keep_nobody_out),
        cmocka_unit_test(a_dripping_request_has_its_time),
        cmocka_unit_test(a_reader_that_does_not_read_has_its_time),
        cmocka_unit_test(a_connection_is_good_for_one_request),
        cmocka_unit_test(health_says_why),
        cmocka_unit_test(a_taken_port_is_explained),
        cmocka_unit_test(pages_change_while_they_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
