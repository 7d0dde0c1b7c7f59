// http: routes and answers over libmicrohttpd. Called by the agent (publish, ready, beat); requests
// are served by a thread of its own, which also lets guests in and shows them out (guests.h): the
// library knows neither a deadline that a byte now and then does not prolong, nor whom to let go.
// Finished answers are kept and queued as they are; the only lock is held for pointer swaps and
// short copies.
#include "serve/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/guests.h"
#include "serve/hosts.h"
#include "serve/listen.h"
#include "serve/tls.h"
#include "serve/users.h"

enum {
    HEAD_MS = 10000,
    WHOLE_MS = 30000,
    CONNECTION_BYTES = 16384, // request line and headers
    ADMIT_MAX = 16, // in one turn, so that who has asked is answered before many more come
    PAUSE_MS = 100  // when the system has no file descriptor left
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
    struct MHD_Daemon *daemon; // turned by the thread
    struct guests guests;      // the thread's
    struct hosts hosts;
    struct tls *tls; // NULL: plain text
    bool tls13_only;
    struct users *users; // the thread's
    int listen_fd, wake_fd, library_fd;
    pthread_t thread;
    bool started;
    _Atomic bool stop;
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
    add_header(response, "Connection", "close"); // one request a guest: see guests.h
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

// A header of its own with it; NULL: none.
static enum MHD_Result say_with(struct MHD_Connection *connection, unsigned code, const char *text,
                                const char *name, const char *value) {
    struct MHD_Response *response = answer_of(TEXT, text, strlen(text));
    if (name != NULL) {
        add_header(response, name, value);
    }
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned code, const char *text) {
    return say_with(connection, code, text, NULL, NULL);
}

static bool is_alive(const struct http *http) {
    return clock_mono_ms() - atomic_load(&http->beat_ms) < HTTP_BEAT_MAX_MS;
}

static bool is_verbose(struct MHD_Connection *connection) {
    return MHD_lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, "verbose",
                                         strlen("verbose"), NULL, NULL) == MHD_YES;
}

static enum MHD_Result serve_live(struct http *http, struct MHD_Connection *connection) {
    return is_alive(http) ? say(connection, MHD_HTTP_OK, "ok\n")
                          : say(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                "not alive: the agent's loop has not turned over for a minute\n");
}

static enum MHD_Result serve_ready(struct http *http, struct MHD_Connection *connection) {
    bool verbose = is_verbose(connection);
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
    enum MHD_Result result = say(connection, code, buf_text(&text));
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
                                  "starting: this page is not there yet\n");
}

static const struct {
    const char *path;
    enum MHD_Result (*serve)(struct http *http, struct MHD_Connection *connection);
} probes[] = {
    {"/livez", serve_live},   {"/healthz", serve_live},  {"/-/healthy", serve_live},
    {"/readyz", serve_ready}, {"/-/ready", serve_ready},
};

struct asked_host {
    const char *name; // NULL: the request has none
    int count;
};
static enum MHD_Result note_host(void *ctx, enum MHD_ValueKind kind, const char *key,
                                 const char *value) {
    struct asked_host *host = ctx;
    (void)kind;
    if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0) {
        host->name = value == NULL ? "" : value;
        host->count++;
    }
    return MHD_YES;
}

// NULL if the request may be answered under the name it came with; else why not. A request without
// any comes from no browser: HTTP/1.0 allows it.
static const char *refusal(const struct http *http, struct MHD_Connection *connection,
                           const char *version, unsigned *code) {
    struct asked_host host = {0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, note_host, &host);
    *code = MHD_HTTP_BAD_REQUEST;
    if (host.count > 1 || (host.count == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)) {
        return "the request must say once by which name it asks (Host)\n";
    }
    *code = MHD_HTTP_MISDIRECTED_REQUEST;
    return host.count == 0 || hosts_allow(&http->hosts, host.name)
               ? NULL
               : "not asked by a name of this agent: ask by its address in numbers, or add the "
                 "name to http.hosts\n";
}

// What says a word about the agent's health is for whoever starts and stops it, who has no name.
static bool is_for_all(struct MHD_Connection *connection, const char *path) {
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        if (strcmp(path, probes[i].path) == 0) {
            return !is_verbose(connection);
        }
    }
    return false;
}

static enum users_verdict judge_user(struct http *http, struct MHD_Connection *connection) {
    char *password = NULL, *name = MHD_basic_auth_get_username_password(connection, &password);
    enum users_verdict verdict = users_judge(http->users, name, password, clock_mono_ms());
    if (password != NULL) {
        explicit_bzero(password, strlen(password));
    }
    MHD_free(name);
    MHD_free(password);
    return verdict;
}

// True if who asks may see the path; else *answer is what he got.
static bool may_see(struct http *http, struct MHD_Connection *connection, const char *path,
                    enum MHD_Result *answer) {
    if (is_for_all(connection, path)) {
        return true;
    }
    if (http->tls != NULL && !tls_client_holds(http->tls, connection)) {
        *answer = say(connection, MHD_HTTP_FORBIDDEN,
                      "show a certificate of the authorities that this agent trusts\n");
        return false;
    }
    switch (judge_user(http, connection)) {
    case USERS_ALLOWED:
        return true;
    case USERS_BUSY:
        *answer =
            say_with(connection, MHD_HTTP_TOO_MANY_REQUESTS,
                     "too many passwords were tried: again in a second\n", "Retry-After", "1");
        return false;
    default:
        *answer = say_with(connection, MHD_HTTP_UNAUTHORIZED, "say who you are\n",
                           "WWW-Authenticate", "Basic realm=\"Stoker\", charset=\"UTF-8\"");
        return false;
    }
}

static void note_heard(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct guest *guest = info == NULL ? NULL : info->socket_context;
    require(guest != NULL); // on_connection was called first
    guest->heard = true;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state) {
    (void)data, (void)size, (void)state;
    struct http *http = ctx;
    MAGIC_CHECK(http, HTTP_MAGIC);
    metrics_add(METRIC_HTTP_REQUESTS, 1);
    note_heard(connection);
    unsigned code;
    const char *why = refusal(http, connection, version, &code);
    if (why != NULL) {
        metrics_add(METRIC_HTTP_REFUSED, 1);
        return say(connection, code, why);
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return say_with(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n", "Allow",
                        "GET, HEAD");
    }
    enum MHD_Result answer;
    if (!may_see(http, connection, path, &answer)) {
        metrics_add(METRIC_HTTP_REFUSED, 1);
        return answer;
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
               "not found; there are /, /metrics, /status, /livez and /readyz\n");
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **of,
                          enum MHD_ConnectionNotificationCode what) {
    struct http *http = ctx;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *of = guests_find(
            &http->guests,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    } else {
        guests_gone(*of);
    }
}

// Lets in who waits. Returns false if nobody can be let in for a while.
static bool admit(struct http *http) {
    for (int i = 0; i < ADMIT_MAX; i++) {
        struct sockaddr_storage from = {0};
        struct sockaddr *address = (struct sockaddr *)&from;
        socklen_t size = sizeof from;
        int fd = accept4(http->listen_fd, address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
        }
        struct guest *guest = guests_admit(&http->guests, fd, address, clock_mono_ms());
        if (guest == NULL) {
            close(fd);
        } else if (MHD_add_connection(http->daemon, fd, address, size) != MHD_YES) {
            guests_gone(guest); // the library has closed it
        }
    }
    return true;
}

static int wait_ms(struct http *http, int64_t next_ms, bool paused) {
    int64_t ms = next_ms - clock_mono_ms();
    MHD_UNSIGNED_LONG_LONG library_ms;
    if (MHD_get_timeout(http->daemon, &library_ms) == MHD_YES && (int64_t)library_ms < ms) {
        ms = (int64_t)library_ms;
    }
    ms = ms < HEAD_MS ? ms : HEAD_MS;
    ms = paused && ms > PAUSE_MS ? PAUSE_MS : ms;
    return ms < 0 ? 0 : (int)ms;
}

static void *serve(void *ctx) {
    struct http *http = ctx;
    MAGIC_CHECK(http, HTTP_MAGIC);
    bool paused = false;
    tls_enter(http->tls);
    while (!atomic_load(&http->stop)) {
        int64_t next_ms = guests_hurry(&http->guests, clock_mono_ms());
        struct pollfd fds[] = {{.fd = http->wake_fd, .events = POLLIN},
                               {.fd = http->library_fd, .events = POLLIN},
                               {.fd = paused ? -1 : http->listen_fd, .events = POLLIN}};
        (void)poll(fds, ARRAY_LEN(fds), wait_ms(http, next_ms, paused));
        paused = !paused && fds[2].revents != 0 && !admit(http);
        MHD_run(http->daemon);
    }
    return NULL;
}

// By what GnuTLS takes for good.
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define TLS12 TLS13 ":+VERS-TLS1.2"

static struct MHD_Daemon *open_daemon(struct http *http) {
    struct MHD_OptionItem secure[4] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET;
    if (http->tls != NULL) {
        const char *authorities = tls_client_authorities(http->tls);
        flags |= MHD_USE_TLS;
        secure[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                                            (void *)(http->tls13_only ? TLS13 : TLS12)};
        secure[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_callback()};
        secure[2] = authorities != NULL ? (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                                                  (void *)authorities}
                                        : (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
        secure[3] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)GUEST_PLACES, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
                            http, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                            MHD_OPTION_ARRAY, secure, MHD_OPTION_END);
}

static bool start(struct http *http) {
    // Signals are the main thread's business.
    sigset_t all, before;
    http->wake_fd = eventfd(0, EFD_CLOEXEC);
    http->daemon = open_daemon(http);
    if (http->wake_fd < 0 || http->daemon == NULL) {
        return false;
    }
    http->library_fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    http->started = pthread_create(&http->thread, NULL, serve, http) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return http->started;
}

enum status http_new(const struct http_options *options, struct http **out, struct err *err) {
    int fd = -1;
    uint16_t port = 0;
    enum status status = listen_open(options->listen, &fd, &port, err);
    if (status != ST_OK) {
        return status;
    }
    struct tls *tls = NULL;
    if (options->web.cert_file != NULL && tls_new(&options->web, &tls, err) != ST_OK) {
        close(fd);
        return ST_FATAL;
    }
    struct http *http = mem_zalloc(1, sizeof *http);
    http->magic = HTTP_MAGIC;
    http->port = port;
    http->tls = tls;
    http->tls13_only = options->web.tls13_only;
    http->users = users_new(options->web.users, options->web.user_count);
    http->listen_fd = fd;
    http->wake_fd = -1;
    http->hosts = (struct hosts){.names = options->hosts, .count = options->host_count};
    if (gethostname(http->hosts.own, sizeof http->hosts.own - 1) != 0) {
        http->hosts.own[0] = '\0';
    }
    guests_init(&http->guests, options->head_ms > 0 ? options->head_ms : HEAD_MS,
                options->whole_ms > 0 ? options->whole_ms : WHOLE_MS);
    atomic_store(&http->beat_ms, clock_mono_ms());
    pthread_mutex_init(&http->lock, NULL);
    buf_add_text(&http->reason, "starting");
    if (!start(http)) {
        http_free(http);
        return err_set(err, ST_RETRY, "cannot start the web server on %s", options->listen);
    }
    *out = http;
    return ST_OK;
}

static void stop(struct http *http) {
    atomic_store(&http->stop, true);
    if (http->started) {
        uint64_t one = 1;
        require(write(http->wake_fd, &one, sizeof one) == sizeof one);
        pthread_join(http->thread, NULL);
    }
    if (http->daemon != NULL) {
        MHD_stop_daemon(http->daemon);
    }
    close(http->listen_fd);
    if (http->wake_fd >= 0) {
        close(http->wake_fd);
    }
}

void http_free(struct http *http) {
    if (http == NULL) {
        return;
    }
    stop(http);
    for (int page = 0; page < HTTP_PAGE_COUNT; page++) {
        if (http->ready_made[page] != NULL) {
            MHD_destroy_response(http->ready_made[page]);
        }
    }
    tls_free(http->tls);
    users_free(http->users);
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
