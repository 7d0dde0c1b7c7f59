// listen: opens the server's socket itself, because the library would only say that it failed.
// Called by http.c, and by the commands about the text alone. Must never share a port with another
// process.
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"

union listen_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_port(struct str text, uint16_t *out) {
    int64_t port = -1;
    if (!str_to_i64(text, &port) || text.p[0] == '-' || port < 0 || port > 65535) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

// *both is set where the host is left out.
static bool parse(const char *text, union listen_address *out, bool *both) {
    const char *colon = strrchr(text, ':');
    uint16_t port;
    char host[INET6_ADDRSTRLEN + 2];
    *out = (union listen_address){0};
    if (colon == NULL || !parse_port(str_of(colon + 1), &port) ||
        !str_copy(host, sizeof host, (struct str){text, (size_t)(colon - text)})) {
        return false;
    }
    *both = host[0] == '\0';
    size_t len = strlen(host);
    if (*both || host[0] == '[') {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        out->v6.sin6_addr = in6addr_any;
        if (*both) {
            return true;
        }
        if (host[len - 1] != ']') {
            return false;
        }
        host[len - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) == 1;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    const char *numbers = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    return inet_pton(AF_INET, numbers, &out->v4.sin_addr) == 1;
}

bool listen_good(const char *text) {
    union listen_address address;
    bool both;
    return parse(text, &address, &both);
}

bool listen_local(const char *text, char *out, size_t cap) {
    union listen_address address;
    bool both;
    char host[INET6_ADDRSTRLEN];
    if (!parse(text, &address, &both)) {
        return false;
    }
    int len;
    if (address.any.sa_family == AF_INET || both) {
        bool every = both || address.v4.sin_addr.s_addr == htonl(INADDR_ANY);
        in_port_t port = both ? address.v6.sin6_port : address.v4.sin_port;
        inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host);
        len = snprintf(out, cap, "%s:%u", every ? "127.0.0.1" : host, ntohs(port));
    } else {
        bool every = IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr);
        inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
        len = snprintf(out, cap, "[%s]:%u", every ? "::1" : host, ntohs(address.v6.sin6_port));
    }
    return (size_t)len < cap;
}

static socklen_t size_of(const union listen_address *address) {
    return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

// A listening socket, or -1 with errno.
static int try_open(const union listen_address *address, bool both) {
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int on = 1, only6 = both ? 0 : 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); // past connections do not block us
    if (address->any.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6);
    }
    if (bind(fd, &address->any, size_of(address)) == 0 && listen(fd, 64) == 0) {
        return fd;
    }
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static enum status explain(const char *text, int why, struct err *err) {
    if (why == EADDRINUSE) {
        return err_set(err, ST_RETRY,
                       "cannot listen on %s: the port is taken, perhaps by another stoker. Stop "
                       "that one, or set http.listen to another port (0 takes any free one)",
                       text);
    }
    if (why == EACCES) {
        return err_set(err, ST_FATAL,
                       "cannot listen on %s: not allowed. Set http.listen to a port above 1023",
                       text);
    }
    if (why == EADDRNOTAVAIL || why == EAFNOSUPPORT) {
        return err_set(err, ST_RETRY,
                       "cannot listen on %s: this machine has no such address. Set http.listen to "
                       "one it has, or to :PORT for all",
                       text);
    }
    return err_set(err, ST_RETRY, "cannot listen on %s: %s", text, strerror(why));
}

enum status listen_open(const char *text, int *fd, uint16_t *port, struct err *err) {
    union listen_address address;
    bool both = false;
    if (!parse(text, &address, &both)) {
        return err_set(err, ST_FATAL,
                       "http.listen: %.100s is not an address; write 127.0.0.1:9571, [::1]:9571 "
                       "or :9571",
                       text);
    }
    *fd = try_open(&address, both);
    if (*fd < 0 && both && errno == EAFNOSUPPORT) { // a machine without IPv6
        in_port_t same = address.v6.sin6_port;
        address = (union listen_address){.v4 = {.sin_family = AF_INET, .sin_port = same}};
        *fd = try_open(&address, both);
    }
    if (*fd < 0) {
        return explain(text, errno, err);
    }
    socklen_t size = sizeof address;
    require(getsockname(*fd, &address.any, &size) == 0);
    *port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return ST_OK;
}
