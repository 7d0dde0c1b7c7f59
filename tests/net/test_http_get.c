// test_http_get: answers of every kind from a socket of our own, and the addresses it makes of
// http.listen.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_get.h"
#include "support/test.h"

// A server for one connection.
struct one_answer {
    int fd;
    const char *text; // NULL: none is given
    char request[512];
};

static void *serve(void *ctx) {
    struct one_answer *answer = ctx;
    int fd = accept(answer->fd, NULL, NULL);
    ssize_t n = recv(fd, answer->request, sizeof answer->request - 1, 0);
    answer->request[n > 0 ? n : 0] = '\0';
    if (answer->text != NULL) {
        (void)send(fd, answer->text, strlen(answer->text), MSG_NOSIGNAL);
    } else {
        char byte;
        (void)recv(fd, &byte, 1, 0); // until the other side gives up
    }
    close(fd);
    return NULL;
}

static enum status ask(const char *text, int timeout_ms, int *code, struct buf *body,
                       struct err *err) {
    struct one_answer answer = {.fd = socket(AF_INET, SOCK_STREAM, 0), .text = text};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    assert_int_equal(bind(answer.fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(answer.fd, 1), 0);
    assert_int_equal(getsockname(answer.fd, (struct sockaddr *)&address, &len), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, &answer), 0);
    char url[64], want[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/readyz?verbose", ntohs(address.sin_port));
    enum status status = http_get(url, timeout_ms, code, body, err);
    pthread_join(thread, NULL);
    close(answer.fd);
    assert_int_equal(strncmp(answer.request, "GET /readyz?verbose HTTP/1.0\r\n", 30), 0);
    snprintf(want, sizeof want, "\r\nHost: 127.0.0.1:%d\r\n", ntohs(address.sin_port));
    assert_non_null(strstr(answer.request, want));
    return status;
}

static void test_answers(void **state) {
    (void)state;
    struct buf body = {0};
    struct err err;
    int code = 0;
    assert_int_equal(ask("HTTP/1.1 200 OK\r\nA: b\r\n\r\nready\n", 5000, &code, &body, &err),
                     ST_OK);
    assert_int_equal(code, 200);
    assert_string_equal(buf_text(&body), "ready\n");
    buf_clear(&body);
    assert_int_equal(ask("HTTP/1.0 503 No\r\n\r\n", 5000, &code, &body, &err), ST_OK);
    assert_int_equal(code, 503);
    assert_int_equal(body.len, 0);
    static const char *const bad[] = {"", "HTTP/1.1 200 OK\r\n", "SSH-2.0\r\n\r\n",
                                      "HTTP/1.1 9 x\r\n\r\n", "HTTP/1.1 x\r\n\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ask(bad[i], 5000, &code, &body, &err), ST_RETRY);
        assert_string_equal(err.text, "the answer is not HTTP");
    }
    assert_int_equal(ask(NULL, 100, &code, &body, &err), ST_RETRY);
    assert_string_equal(err.text, "no answer within 0.1 s");
    struct buf flood = {0};
    buf_add_text(&flood, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 300000; i++) {
        buf_add_char(&flood, 'x');
    }
    assert_int_equal(ask(flood.data, 5000, &code, &body, &err), ST_OK);
    assert_true(body.len <= HTTP_GET_BODY_MAX + 4096);
    buf_fini(&flood);
    buf_fini(&body);
}

static void test_urls(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "https://a/",
                                      "http://",
                                      "http://:80/",
                                      "http://a:0/",
                                      "http://a:x/",
                                      "http://a:99999/",
                                      "http://u@a/",
                                      "http://[::1/",
                                      "http://[::1]x/",
                                      "http://a/ b"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf body = {0};
        struct err err;
        int code;
        assert_int_equal(http_get(bad[i], 100, &code, &body, &err), ST_FATAL);
    }
    static const struct {
        const char *listen, *url;
    } addresses[] = {{"127.0.0.1:9571", "http://127.0.0.1:9571/readyz"},
                     {":9571", "http://127.0.0.1:9571/readyz"},
                     {"0.0.0.0:80", "http://127.0.0.1:80/readyz"},
                     {"[::]:9571", "http://[::1]:9571/readyz"},
                     {"[fe80::1]:9571", "http://[fe80::1]:9571/readyz"},
                     {"localhost:1", "http://localhost:1/readyz"},
                     {"", NULL},
                     {"localhost", NULL},
                     {"a:b", NULL},
                     {"a:1:2", NULL},
                     {"[::1]", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        char url[400];
        bool good = http_get_ready_url(addresses[i].listen, url, sizeof url);
        assert_int_equal(good, addresses[i].url != NULL);
        if (good) {
            assert_string_equal(url, addresses[i].url);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
