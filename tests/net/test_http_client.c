// test_http_client: the client against servers in this process: answers of every kind, limits,
// redirects, certificates, proxies. What a wrong setting of the library would let through fails
// here.
#include "net/http_client.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "support/test.h"

enum { ANSWER_MAX = 1000 };

// A server for one connection that says `text` and closes.
struct one_answer {
    int fd;
    const char *text; // NULL: none is given
    char request[1024];
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

static uint16_t listening(int *fd) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static struct http_client *client_of(int64_t timeout_ms) {
    return http_client_new(
        &(struct http_settings){.timeout_ms = timeout_ms, .answer_max_bytes = ANSWER_MAX});
}

struct asked {
    enum status status;
    int code;
    bool cut;
    char body[ANSWER_MAX + 1], words[512];
};

static void ask_url(struct http_client *client, const char *text, struct str body,
                    struct asked *out) {
    struct url url;
    struct err err = {0};
    struct http_answer answer;
    assert_int_equal(url_parse(text, "", &url, &err), ST_OK);
    struct http_request request = {.url = &url, .content_type = "text/x", .body = body};
    *out = (struct asked){.status = http_client_send(client, &request, &answer, &err)};
    out->code = answer.code;
    out->cut = answer.cut;
    str_copy(out->body, sizeof out->body, answer.body);
    snprintf(out->words, sizeof out->words, "%s", err.text);
    url_fini(&url);
}

// Asks a server that answers with `text`; checks what it was sent.
static struct asked ask(const char *text, int64_t timeout_ms, struct str body) {
    struct one_answer answer = {.text = text};
    struct asked asked;
    char url[64], want[128];
    uint16_t port = listening(&answer.fd);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, &answer), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x?verbose", port);
    struct http_client *client = client_of(timeout_ms);
    ask_url(client, url, body, &asked);
    http_client_free(client);
    pthread_join(thread, NULL);
    close(answer.fd);
    snprintf(want, sizeof want, "%s /x?verbose HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
             body.p == NULL ? "GET" : "POST", port);
    assert_int_equal(strncmp(answer.request, want, strlen(want)), 0);
    assert_non_null(strstr(answer.request, "\r\nUser-Agent: stoker\r\n"));
    assert_int_equal(strstr(answer.request, "\r\nContent-Type: text/x\r\n") != NULL,
                     body.p != NULL);
    assert_null(strstr(answer.request, "Authorization"));
    return asked;
}

static void an_answer_comes_whatever_its_code(void **state) {
    (void)state;
    struct str none = {0};
    struct asked asked = ask("HTTP/1.1 200 OK\r\nA: b\r\n\r\nready\n", 5000, none);
    assert_int_equal(asked.status, ST_OK);
    assert_int_equal(asked.code, 200);
    assert_string_equal(asked.body, "ready\n");
    asked = ask("HTTP/1.0 503 No\r\n\r\n", 5000, STR("a body"));
    assert_int_equal(asked.status, ST_OK);
    assert_int_equal(asked.code, 503);
    assert_string_equal(asked.body, "");
    assert_false(asked.cut);
}

static void what_is_no_answer_may_come_later(void **state) {
    (void)state;
    static const char *const bad[] = {"", "SSH-2.0\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nContent-Length: 9"
                                      "\r\n\r\nshort"};
    struct str none = {0};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct asked asked = ask(bad[i], 5000, none);
        assert_int_equal(asked.status, ST_RETRY);
        assert_true(asked.words[0] != '\0');
    }
    struct asked asked = ask(NULL, 100, none);
    assert_int_equal(asked.status, ST_RETRY);
    assert_string_equal(asked.words, "no answer within 0.1 s");
    struct http_client *client = client_of(5000);
    ask_url(client, "http://127.0.0.1:1/", none, &asked);
    assert_int_equal(asked.status, ST_RETRY);
    assert_string_equal(asked.words, "Connection refused");
    http_client_free(client);
}

static void a_flood_is_cut(void **state) {
    (void)state;
    struct buf flood = {0};
    buf_add_text(&flood, "HTTP/1.1 400 Bad\r\n\r\n");
    for (int i = 0; i < 300000; i++) {
        buf_add_char(&flood, 'x');
    }
    struct asked asked = ask(flood.data, 5000, (struct str){0});
    assert_int_equal(asked.status, ST_OK);
    assert_int_equal(asked.code, 400);
    assert_true(asked.cut);
    assert_int_equal(strspn(asked.body, "x"), ANSWER_MAX);
    buf_fini(&flood);
}

static void a_request_under_way_is_given_up(void **state) {
    (void)state;
    struct one_answer answer = {.text = NULL};
    struct asked asked;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", listening(&answer.fd));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, &answer), 0);
    _Atomic int64_t give_up_ms = clock_mono_ms() + 200;
    struct http_client *client = http_client_new(&(struct http_settings){
        .timeout_ms = 60000, .answer_max_bytes = ANSWER_MAX, .give_up_ms = &give_up_ms});
    ask_url(client, url, (struct str){0}, &asked);
    assert_int_equal(asked.status, ST_ABORT);
    http_client_free(client);
    pthread_join(thread, NULL);
    close(answer.fd);
}

// A server over plain text or TLS: /away redirects to /here, which counts.
struct site {
    struct MHD_Daemon *daemon;
    char url[64], away[80];
    char authorization[64]; // of the last request
    atomic_int here;
};

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **seen) {
    (void)method, (void)version, (void)data, (void)seen;
    struct site *site = ctx;
    if (*size > 0) {
        *size = 0;
        return MHD_YES;
    }
    const char *said =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    snprintf(site->authorization, sizeof site->authorization, "%s", said == NULL ? "" : said);
    bool away = strcmp(path, "/away") == 0;
    site->here += !away;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(4, (void *)"here", MHD_RESPMEM_PERSISTENT);
    if (away) {
        (void)MHD_add_response_header(response, "Location", site->away);
    }
    enum MHD_Result result = MHD_queue_response(connection, away ? 307 : 200, response);
    MHD_destroy_response(response);
    return result;
}

static void site_start(struct site *site, const char *key, const char *certificate) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
                                   {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
                                   {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | (key != NULL ? MHD_USE_TLS : 0);
    site->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, site, MHD_OPTION_SOCK_ADDR, &any,
                         MHD_OPTION_ARRAY, key != NULL ? tls : plain, MHD_OPTION_END);
    assert_non_null(site->daemon);
    snprintf(site->url, sizeof site->url, "%s://127.0.0.1:%d", key != NULL ? "https" : "http",
             MHD_get_daemon_info(site->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    snprintf(site->away, sizeof site->away, "%s/here", site->url);
}

static struct asked get(const struct http_settings *given, const struct site *site,
                        const char *path) {
    struct http_settings settings = *given;
    settings.timeout_ms = 20000;
    settings.answer_max_bytes = ANSWER_MAX;
    struct http_client *client = http_client_new(&settings);
    struct asked asked;
    char url[100];
    snprintf(url, sizeof url, "%s%s", site->url, path);
    ask_url(client, url, (struct str){0}, &asked);
    http_client_free(client);
    return asked;
}

static void no_redirect_is_followed(void **state) {
    (void)state;
    struct site site = {0};
    site_start(&site, NULL, NULL);
    struct http_settings settings = {.bearer = "hush"};
    struct asked asked = get(&settings, &site, "/away");
    assert_int_equal(asked.status, ST_OK);
    assert_int_equal(asked.code, 307);
    assert_int_equal(site.here, 0);
    assert_string_equal(site.authorization, "Bearer hush");
    settings = (struct http_settings){.username = "u"};
    asked = get(&settings, &site, "/here");
    assert_int_equal(asked.code, 200);
    assert_string_equal(site.authorization, "Basic dTo=");
    assert_int_equal(site.here, 1);
    MHD_stop_daemon(site.daemon);
}

static void a_proxy_is_asked_unless_the_request_is_direct(void **state) {
    (void)state;
    struct site proxy = {0}, nowhere = {.url = "http://127.0.0.1:1"};
    site_start(&proxy, NULL, NULL);
    setenv("http_proxy", proxy.url, 1);
    struct http_settings settings = {0};
    struct asked asked = get(&settings, &nowhere, "/x");
    assert_int_equal(asked.code, 200);
    settings.direct = true;
    asked = get(&settings, &nowhere, "/x");
    assert_int_equal(asked.status, ST_RETRY);
    unsetenv("http_proxy");
    MHD_stop_daemon(proxy.daemon);
}

static char *read_text(const char *dir, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *text = calloc(1, 16384);
    assert_true(fread(text, 1, 16383, file) > 0);
    fclose(file);
    return text;
}

// A certificate that signs itself, for `subject`.
static void make_certificate(const char *dir, const char *subject, char **key, char **certificate) {
    char command[512];
    snprintf(command, sizeof command,
             "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext "
             "subjectAltName=%s -keyout key.pem -out cert.pem 2>openssl.log",
             dir, subject);
    assert_int_equal(system(command), 0);
    *key = read_text(dir, "key.pem");
    *certificate = read_text(dir, "cert.pem");
}

static void a_certificate_must_hold(void **state) {
    (void)state;
    static const char *const subjects[] = {"IP:127.0.0.1", "DNS:other.example"};
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
        char dir[] = "/tmp/stoker-test-XXXXXX", path[64], command[64];
        char *key, *certificate;
        assert_non_null(mkdtemp(dir));
        make_certificate(dir, subjects[i], &key, &certificate);
        struct site site = {0};
        site_start(&site, key, certificate);
        struct http_settings settings = {.bearer = "hush"};
        struct asked asked = get(&settings, &site, "/here"); // nobody vouches for it
        assert_int_equal(asked.status, ST_RETRY);
        assert_non_null(strstr(asked.words, "certificate"));
        snprintf(path, sizeof path, "%s/cert.pem", dir);
        settings.ca_file = path;
        asked = get(&settings, &site, "/here"); // known, but only one of them is for this host
        assert_int_equal(asked.status, i == 0 ? ST_OK : ST_RETRY);
        assert_int_equal(site.here, i == 0 ? 1 : 0);
        MHD_stop_daemon(site.daemon);
        free(key);
        free(certificate);
        snprintf(command, sizeof command, "rm -r %s", dir);
        assert_int_equal(system(command), 0);
    }
}

int main(void) {
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
        unsetenv(proxies[i]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_whatever_its_code),
        cmocka_unit_test(what_is_no_answer_may_come_later),
        cmocka_unit_test(a_flood_is_cut),
        cmocka_unit_test(a_request_under_way_is_given_up),
        cmocka_unit_test(no_redirect_is_followed),
        cmocka_unit_test(a_proxy_is_asked_unless_the_request_is_direct),
        cmocka_unit_test(a_certificate_must_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
