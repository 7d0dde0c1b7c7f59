// config_check: what only shows once all sources are read: values that must fit each other, and
// addresses and names that have a form of their own. Called by the commands through config_finish;
// asks nothing of the network.
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "config/config_priv.h"

enum { PANES_MAX = 1440, TOPIC_NAME_MAX = 249, PORT_MAX = 65535 };

static bool is_port(struct str text, int64_t smallest) {
    int64_t port;
    return str_to_i64(text, &port) && text.p[0] != '-' && port >= smallest && port <= PORT_MAX;
}

// The port behind a URL's host, if there is one, is a port.
static bool good_authority(const char *host) {
    size_t len = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', len);
    size_t before = at == NULL ? 0 : (size_t)(at + 1 - host);
    struct str rest = {host + before, len - before};
    if (rest.len > 0 && rest.p[0] == '[') { // the colons of an IPv6 address
        const char *end = memchr(rest.p, ']', rest.len);
        if (end == NULL) {
            return false;
        }
        rest.len -= (size_t)(end - rest.p);
        rest.p = end;
    }
    const char *colon = rest.len == 0 ? NULL : memchr(rest.p, ':', rest.len);
    if (colon == NULL) {
        return rest.len > 0;
    }
    size_t name = (size_t)(colon - rest.p);
    return name > 0 && is_port((struct str){colon + 1, rest.len - name - 1}, 1);
}

static bool good_url(const char *url) {
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    return scheme != 0 && strpbrk(url, " \t\r\n") == NULL && good_authority(url + scheme);
}

static void check_urls(struct config *config) {
    unsigned count;
    const char *const *urls = config_list(config, "alertmanager.urls", &count);
    for (unsigned i = 0; i < count; i++) {
        if (!good_url(urls[i])) {
            struct buf shown = {0};
            config_add_url(&shown, urls[i]);
            config_add_error(config, "alertmanager.urls",
                             "not a URL such as http://host:9093: %.200s", buf_text(&shown));
            buf_fini(&shown);
        }
    }
}

static void check_authentication(struct config *config) {
    bool user = config_text(config, "alertmanager.basic_auth_user")[0] != '\0';
    bool password = config_text(config, "alertmanager.basic_auth_password")[0] != '\0';
    bool bearer = config_text(config, "alertmanager.bearer_token")[0] != '\0';
    if (bearer && (user || password)) {
        config_add_error(config, "alertmanager.bearer_token",
                         "basic and bearer authentication exclude each other");
    } else if (password && !user) {
        config_add_error(config, "alertmanager.basic_auth_password",
                         "needs alertmanager.basic_auth_user");
    }
}

// A broker takes no other names.
static bool good_topic(const char *name) {
    size_t len = strlen(name);
    for (const char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr("._-", *p) == NULL) {
            return false;
        }
    }
    return len <= TOPIC_NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void check_topics(struct config *config) {
    static const char *const keys[] = {
        "topics.events",  "topics.runs", "topics.bottlenecks",        "topics.recommendations",
        "topics.windows", "topics.dlq",  "topics.state_applications", "topics.state_pipelines"};
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        const char *name = config_text(config, keys[i]);
        if (name[0] == '\0') {
            config_add_error(config, keys[i], "is empty; name a topic");
            continue;
        }
        if (!good_topic(name)) {
            config_add_error(config, keys[i],
                             "no name for a topic: %.80s; letters, digits, '.', '_' and '-' make "
                             "one, at most %d",
                             name, TOPIC_NAME_MAX);
        }
        for (unsigned other = 0; other < i; other++) {
            if (strcmp(name, config_text(config, keys[other])) == 0) {
                config_add_error(config, keys[i], "is the same topic as %s", keys[other]);
            }
        }
    }
}

// What the server can bind: a number or localhost, none for every address; port 0 is any free one.
static bool good_listen(const char *listen) {
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || !is_port(str_of(colon + 1), 0)) {
        return false;
    }
    char host[INET6_ADDRSTRLEN + 2];
    struct in6_addr address;
    if (!str_copy(host, sizeof host, (struct str){listen, (size_t)(colon - listen)})) {
        return false;
    }
    size_t len = strlen(host);
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, &address) == 1;
    }
    return len == 0 || strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1;
}

static void check_listen(struct config *config) {
    const char *listen = config_text(config, "http.listen");
    if (listen[0] != '\0' && !good_listen(listen)) {
        config_add_error(config, "http.listen",
                         "not an address to listen on: %.80s; write 127.0.0.1:9571, [::1]:9571 or "
                         ":9571",
                         listen);
    }
}

static void check_window(struct config *config) {
    int64_t length = config_int(config, "window.length"), pane = config_int(config, "window.pane");
    if (length % pane != 0 || length / pane > PANES_MAX) {
        config_add_error(config, "window.pane", "must divide window.length into at most %d panes",
                         PANES_MAX);
    }
}

void config_finish(struct config *config) {
    if (config_find(config, "window.length") == NULL) {
        return; // a table of a test
    }
    check_window(config);
    if (config_text(config, "kafka.brokers")[0] == '\0') {
        config_add_error(config, "kafka.brokers", "is empty; name at least one broker, host:port");
    }
    if (config_text(config, "agent.group")[0] == '\0') {
        config_add_error(config, "agent.group", "is empty; name a consumer group");
    }
    check_topics(config);
    check_urls(config);
    check_authentication(config);
    check_listen(config);
}
