// http: routes and answers over libmicrohttpd. Called by the agent (publish, ready, beat) and by
// the library's thread (requests). Finished answers are kept and queued as they are; the only lock
// is held for pointer swaps and short copies.
#include "serve/http.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/listen.h"

enum {
    CONNECTIONS_MAX = 64,
    IDLE_TIMEOUT_S = 10,
    CONNECTION_BYTES = 16384 // request line and headers
};

#define TEXT "text/plain; charset=utf-8"

static const struct {
    const char *path, *type;
} pages[HTTP_PAGE_COUNT] = {
    [HTTP_METRICS] = {"/metrics", "text/plain; version=0.0.4; charset=utf-8"},
    [HTTP_LANDING] = {"/", "text/html; charset=utf-8"},
    [HTTP_STATUS_JSON] = {"/status", "application/json; charset=utf-8"},
};

enum { HTTP_MAGIC = 0x73657276 };

struct http {
    uint32_t magic;
    struct MHD_Daemon *daemon;
    uint16_t port;
    _Atomic int64_t beat_ms;
    pthread_mutex_t lock; // guards all below
    struct MHD_Response *ready_made[HTTP_PAGE_COUNT];
    bool ready;
    struct buf reason, details;
};

static void add_header(struct MHD_Response *response, const char *name, const char *value) {
    require(MHD_add_response_header(response, name, value) == MHD_YES);
}

static struct MHD_Response *answer_of(const char *type, const char *data, size_t len) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)data, MHD_RESPMEM_MUST_COPY);
    require(response != NULL);
    add_header(response, "Content-Type", type);
    add_header(response, "Cache-Control", "no-store");
    add_header(response, "X-Content-Type-Options", "nosniff");
    if (strncmp(type, "text/html", 9) == 0) {
        add_header(response, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                   "form-action 'none'; frame-ancestors 'none'");
        add_header(response, "Referrer-Policy", "no-referrer");
    }
    return response;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned code, const char *text,
                           const char *allow) {
    struct MHD_Response *response = answer_of(TEXT, text, strlen(text));
    if (allow != NULL) {
        add_header(response, "Allow", allow);
    }
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static bool is_alive(const struct http *http) {
    return clock_mono_ms() - atomic_load(&http->beat_ms) < HTTP_BEAT_MAX_MS;
}

static enum MHD_Result serve_live(struct http *http, struct MHD_Connection *connection) {
    return is_alive(http)
               ? say(connection, MHD_HTTP_OK, "ok\n", NULL)
               : say(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                     "not alive: the agent's loop has not turned over for a minute\n", NULL);
}

static enum MHD_Result serve_ready(struct http *http, struct MHD_Connection *connection) {
    bool verbose = MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, "verbose",
                                                 strlen("verbose"), NULL, NULL) == MHD_YES;
    bool alive = is_alive(http);
    struct buf text = {0};
    pthread_mutex_lock(&http->lock);
    bool ready = http->ready && alive;
    if (verbose) {
        buf_printf(&text, "[%c] loop\n[%c] ready%s%s\n%s", alive ? '+' : '-',
                   http->ready ? '+' : '-', http->ready ? "" : ": ",
                   http->ready ? "" : buf_text(&http->reason), buf_text(&http->details));
    } else if (!ready) {
        buf_printf(&text, "not ready: %s\n",
                   alive ? buf_text(&http->reason) : "the agent's loop stands still");
    }
    pthread_mutex_unlock(&http->lock);
    if (verbose || ready) {
        buf_add_text(&text, ready ? "ok\n" : "not ready\n");
    }
    unsigned code = ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    enum MHD_Result result = say(connection, code, buf_text(&text), NULL);
    buf_fini(&text);
    return result;
}

static enum MHD_Result serve_page(struct http *http, struct MHD_Connection *connection,
                                  enum http_page page) {
    enum MHD_Result result = MHD_NO;
    pthread_mutex_lock(&http->lock);
    struct MHD_Response *response = http->ready_made[page];
    if (response != NULL) {
        result = MHD_queue_response(connection, MHD_HTTP_OK, response); // takes a reference
    }
    pthread_mutex_unlock(&http->lock);
    return response != NULL ? result
                            : say(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                  "starting: this page is not there yet\n", NULL);
}

static const struct {
    const char *path;
    enum MHD_Result (*serve)(struct http *http, struct MHD_Connection *connection);
} probes[] = {
    {"/livez", serve_live},   {"/healthz", serve_live},  {"/-/healthy", serve_live},
    {"/readyz", serve_ready}, {"/-/ready", serve_ready},
};

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state) {
    (void)version, (void)data, (void)size, (void)state;
    struct http *http = ctx;
    MAGIC_CHECK(http, HTTP_MAGIC);
    metrics_add(METRIC_HTTP_REQUESTS, 1);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n", "GET, HEAD");
    }
    for (int page = 0; page < HTTP_PAGE_COUNT; page++) {
        if (strcmp(path, pages[page].path) == 0) {
            return serve_page(http, connection, (enum http_page)page);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        if (strcmp(path, probes[i].path) == 0) {
            return probes[i].serve(http, connection);
        }
    }
    return say(connection, MHD_HTTP_NOT_FOUND,
               "not found; there are /, /metrics, /status, /livez and /readyz\n", NULL);
}

enum status http_new(const char *listen, struct http **out, struct err *err) {
    int fd = -1;
    uint16_t port = 0;
    enum status status = listen_open(listen, &fd, &port, err);
    if (status != ST_OK) {
        return status;
    }
    struct http *http = mem_zalloc(1, sizeof *http);
    http->magic = HTTP_MAGIC;
    http->port = port;
    atomic_store(&http->beat_ms, clock_mono_ms());
    pthread_mutex_init(&http->lock, NULL);
    buf_add_text(&http->reason, "starting");
    // Signals are the main thread's business.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    http->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (http->daemon == NULL) {
        close(fd);
        http_free(http);
        return err_set(err, ST_RETRY, "cannot start the web server on %s", listen);
    }
    *out = http;
    return ST_OK;
}

void http_free(struct http *http) {
    if (http == NULL) {
        return;
    }
    if (http->daemon != NULL) {
        MHD_stop_daemon(http->daemon); // closes the socket too
    }
    for (int page = 0; page < HTTP_PAGE_COUNT; page++) {
        if (http->ready_made[page] != NULL) {
            MHD_destroy_response(http->ready_made[page]);
        }
    }
    pthread_mutex_destroy(&http->lock);
    buf_fini(&http->reason);
    buf_fini(&http->details);
    mem_free(http);
}

uint16_t http_port(const struct http *http) {
    MAGIC_CHECK(http, HTTP_MAGIC);
    return http->port;
}

void http_publish(struct http *http, enum http_page page, const struct buf *content) {
    MAGIC_CHECK(http, HTTP_MAGIC);
    require((unsigned)page < HTTP_PAGE_COUNT);
    struct MHD_Response *fresh = answer_of(pages[page].type, buf_text(content), content->len);
    pthread_mutex_lock(&http->lock);
    struct MHD_Response *old = http->ready_made[page];
    http->ready_made[page] = fresh;
    pthread_mutex_unlock(&http->lock);
    if (old != NULL) {
        MHD_destroy_response(old); // lives on while a request still sends it
    }
}

// Line by line, so that a hostile line end cannot fake a line of ours, nor a terminal be driven.
static void add_lines(struct buf *out, const char *text) {
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        buf_add_printable(out, (struct str){text, len});
        buf_add_char(out, '\n');
        text += len + (text[len] == '\n');
    }
}

void http_set_ready(struct http *http, bool ready, const char *reason, const char *details) {
    MAGIC_CHECK(http, HTTP_MAGIC);
    metrics_set(METRIC_READY, ready);
    pthread_mutex_lock(&http->lock);
    http->ready = ready;
    buf_clear(&http->reason);
    buf_add_printable(&http->reason, str_of(reason));
    buf_clear(&http->details);
    add_lines(&http->details, details);
    pthread_mutex_unlock(&http->lock);
}

void http_beat(struct http *http, int64_t now_ms) {
    atomic_store(&http->beat_ms, now_ms);
}

const char *http_library_version(void) {
    return MHD_get_version();
}
