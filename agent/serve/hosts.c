// hosts: see the header. Called by http.c for each request, and by the check of the settings. Must
// never look a name up: what it resolves to is the stranger's to say.
#include "serve/hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

static bool is_name(const char *text) {
    size_t len = strlen(text);
    for (const char *p = text; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_' &&
            (*p != '.' || p == text || p[1] == '.' || p[1] == '\0')) {
            return false;
        }
    }
    return len > 0 && len <= HOST_NAME_MAX_BYTES;
}

bool hosts_good(const char *text) {
    return strcmp(text, "*") == 0 || is_name(strncmp(text, "*.", 2) == 0 ? text + 2 : text);
}

// The host without its port, in small letters, without brackets or a dot at the end. False: it is
// none.
static bool take_apart(const char *host, char out[HOST_NAME_MAX_BYTES + 1], bool *number) {
    bool six = host[0] == '[';
    size_t len = six ? strcspn(host + 1, "]") : strcspn(host, ":");
    const char *rest = six ? host + 1 + len + (host[1 + len] == ']') : host + len;
    if (!str_copy(out, HOST_NAME_MAX_BYTES + 1, (struct str){host + six, len}) ||
        (six && rest[-1] != ']') || (rest[0] != '\0' && rest[0] != ':') ||
        rest[rest[0] == ':' ? 1 + strspn(rest + 1, "0123456789") : 0] != '\0') {
        return false;
    }
    struct in6_addr address;
    *number = inet_pton(six ? AF_INET6 : AF_INET, out, &address) == 1;
    if (len > 0 && out[len - 1] == '.') {
        out[len - 1] = '\0';
    }
    return *number || (!six && is_name(out));
}

static bool entry_allows(const char *entry, const char *name) {
    if (entry[0] != '*') {
        return strcasecmp(entry, name) == 0;
    }
    size_t below = strlen(entry + 1), len = strlen(name);
    return below == 0 || (len > below && strcasecmp(name + len - below, entry + 1) == 0);
}

bool hosts_allow(const struct hosts *hosts, const char *host) {
    char name[HOST_NAME_MAX_BYTES + 1];
    bool number = false;
    if (!take_apart(host, name, &number)) {
        return false;
    }
    size_t first = strcspn(hosts->own, ".");
    if (number || strcasecmp(name, "localhost") == 0 ||
        (first > 0 && (strcasecmp(name, hosts->own) == 0 ||
                       (strlen(name) == first && strncasecmp(name, hosts->own, first) == 0)))) {
        return true;
    }
    for (unsigned i = 0; i < hosts->count; i++) {
        if (entry_allows(hosts->names[i], name)) {
            return true;
        }
    }
    return false;
}
