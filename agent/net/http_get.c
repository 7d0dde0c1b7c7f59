// http_get: see the header. Every wait is bounded by one deadline (a name's look-up excepted), and
// so is what is read.
#include "net/http_get.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct target {
    char host[256], port[8];
    const char *path;
};

static bool is_port(const char *text, size_t len) {
    int64_t port;
    return len > 0 && len < 6 && str_to_i64((struct str){text, len}, &port) && port > 0 &&
           port < 65536;
}

// "host:port", "[::1]:port", "host". False if it is none.
static bool split_address(const char *text, size_t len, struct target *out) {
    const char *host = text, *end = text + len, *colon = NULL;
    const char *host_end;
    if (len > 0 && text[0] == '[') {
        host = text + 1;
        host_end = memchr(host, ']', len - 1);
        if (host_end == NULL || (host_end + 1 < end && host_end[1] != ':')) {
            return false;
        }
        colon = host_end + 1 < end ? host_end + 1 : NULL;
    } else {
        colon = memchr(text, ':', len);
        host_end = colon != NULL ? colon : end;
    }
    size_t host_len = (size_t)(host_end - host);
    if (host_len >= sizeof out->host || memchr(host, '@', host_len) != NULL ||
        (colon != NULL && !is_port(colon + 1, (size_t)(end - colon - 1)))) {
        return false;
    }
    snprintf(out->host, sizeof out->host, "%.*s", (int)host_len, host);
    snprintf(out->port, sizeof out->port, "%.*s", colon != NULL ? (int)(end - colon - 1) : 2,
             colon != NULL ? colon + 1 : "80");
    return true;
}

static bool split_url(const char *url, struct target *out) {
    if (strncmp(url, "http://", 7) != 0 || url[strcspn(url, " \t\r\n")] != '\0') {
        return false;
    }
    size_t len = strcspn(url + 7, "/?#");
    out->path = url[7 + len] == '/' ? url + 7 + len : "/";
    return split_address(url + 7, len, out) && out->host[0] != '\0';
}

// True once `fd` is ready for `events`; false when the deadline has passed.
static bool wait_for(int fd, short events, int64_t deadline_ms) {
    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        struct pollfd p = {.fd = fd, .events = events};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n >= 0 || errno != EINTR) {
            return n > 0;
        }
    }
}

// A connected socket, or -1 with errno.
static int connect_one(const struct addrinfo *address, int64_t deadline_ms) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int error = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        socklen_t len = sizeof error;
        error = ETIMEDOUT;
        if (wait_for(fd, POLLOUT, deadline_ms)) {
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
        }
    }
    if (error != 0) {
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int open_connection(const struct target *target, int64_t deadline_ms, struct err *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    int rc = getaddrinfo(target->host, target->port, &hints, &all);
    if (rc != 0) {
        err_set(err, ST_RETRY, "%s: %s", target->host, gai_strerror(rc));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = all; a != NULL && fd < 0; a = a->ai_next) {
        fd = connect_one(a, deadline_ms);
    }
    if (fd < 0) {
        err_set(err, ST_RETRY, "%s port %s: %s", target->host, target->port, strerror(errno));
    }
    freeaddrinfo(all);
    return fd;
}

static bool send_all(int fd, struct str text, int64_t deadline_ms) {
    while (text.len > 0) {
        ssize_t n = send(fd, text.p, text.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        }
        if (n < 0 && !wait_for(fd, POLLOUT, deadline_ms)) {
            return false;
        }
        text.p += n > 0 ? n : 0;
        text.len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

// Reads until the other side closes; false at the deadline or an error.
static bool receive_all(int fd, struct buf *out, int64_t deadline_ms) {
    while (out->len < HTTP_GET_BODY_MAX) {
        ssize_t n = recv(fd, buf_reserve(out, 4096), 4096, 0);
        if (n == 0) {
            return true;
        }
        if (n > 0) {
            out->len += (size_t)n;
        } else if ((errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLIN, deadline_ms)) {
            return false;
        }
    }
    return true;
}

// Takes status and body out of an answer.
static bool read_answer(struct buf *answer, int *code, struct buf *body) {
    buf_add_char(answer, '\0');
    answer->len--;
    int minor;
    if (sscanf(answer->data, "HTTP/1.%d %d", &minor, code) != 2 || *code < 100 || *code > 999) {
        return false;
    }
    const char *head_end = memmem(answer->data, answer->len, "\r\n\r\n", 4);
    if (head_end == NULL) {
        return false;
    }
    const char *at = head_end + 4;
    buf_add(body, at, (size_t)(answer->data + answer->len - at));
    return true;
}

enum status http_get(const char *url, int timeout_ms, int *code, struct buf *body,
                     struct err *err) {
    struct target target;
    if (!split_url(url, &target)) {
        return err_set(err, ST_FATAL, "not a URL of the form http://host:port/path");
    }
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    int fd = open_connection(&target, deadline_ms, err);
    if (fd < 0) {
        return ST_RETRY;
    }
    struct buf request = {0}, answer = {0};
    bool v6 = strchr(target.host, ':') != NULL;
    buf_printf(&request,
               "GET %s HTTP/1.0\r\nHost: %s%s%s:%s\r\nUser-Agent: stoker\r\n"
               "Connection: close\r\n\r\n",
               target.path, v6 ? "[" : "", target.host, v6 ? "]" : "", target.port);
    enum status status = ST_OK;
    if (!send_all(fd, buf_str(&request), deadline_ms) || !receive_all(fd, &answer, deadline_ms)) {
        status = err_set(err, ST_RETRY, "no answer within %g s", timeout_ms / 1000.0);
    } else if (!read_answer(&answer, code, body)) {
        status = err_set(err, ST_RETRY, "the answer is not HTTP");
    }
    close(fd);
    buf_fini(&request);
    buf_fini(&answer);
    return status;
}

bool http_get_ready_url(const char *listen, char *out, size_t cap) {
    struct target target;
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || strchr(colon, ']') != NULL ||
        !split_address(listen, strlen(listen), &target)) {
        return false; // the port must be there
    }
    const char *host = target.host;
    if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0) {
        host = "127.0.0.1";
    } else if (strcmp(host, "::") == 0) {
        host = "::1";
    }
    bool v6 = strchr(host, ':') != NULL;
    snprintf(out, cap, "http://%s%s%s:%s/readyz", v6 ? "[" : "", host, v6 ? "]" : "", target.port);
    return true;
}
