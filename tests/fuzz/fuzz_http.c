// fuzz_http: what strangers say over HTTP and we take apart ourselves: the name a request comes
// with, an Alertmanager's answer, and the addresses and URLs of the settings. Parts are split by
// NUL bytes: host, entry of http.hosts, http.listen, URL, answer; the first byte chooses its
// status.
#include <stdlib.h>

#include "alert/alert_door.h"
#include "base/check.h"
#include "base/mem.h"
#include "net/url.h"
#include "serve/hosts.h"
#include "serve/listen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 5 };

static bool is_printable(struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

static void try_host(const char *host, const char *entry) {
    const char *const entries[] = {entry};
    struct hosts none = {.own = "agent.example"}, some = none, any = none;
    const char *const star[] = {"*"};
    if (hosts_good(entry)) {
        some.names = entries;
        some.count = 1;
    }
    any.names = star;
    any.count = 1;
    // The list only adds, and nothing is a name that "*" is not.
    require(!hosts_allow(&none, host) || hosts_allow(&some, host));
    require(!hosts_allow(&some, host) || hosts_allow(&any, host));
    // Whatever is let in has a host of printable letters alone.
    require(!hosts_allow(&any, host) || is_printable((struct str){host, strlen(host)}));
}

static void try_settings(const char *listen, const char *text) {
    char local[64];
    struct url url;
    struct err err;
    if (listen_local(listen, local, sizeof local)) {
        require(listen_good(listen) && listen_good(local)); // it is asked where it is listened on
    }
    if (url_parse(text, "/-/ready", &url, &err) == ST_OK) {
        struct url again;
        require(is_printable((struct str){url.shown, strlen(url.shown)}));
        require(url_parse(url.target, "", &again, &err) == ST_OK);
        url_fini(&again);
        url_fini(&url);
    }
}

static void try_answer(int code, struct str answer) {
    unsigned count;
    const struct alert_door *const *doors = alert_door_table(&count);
    for (unsigned i = 0; i < count; i++) {
        struct buf words = {0};
        enum alert_verdict verdict = doors[i]->judge(code, answer, &words);
        require((verdict == ALERT_TAKEN) == (code >= 200 && code < 300)); // words change no success
        require(is_printable(buf_str(&words)));
        buf_fini(&words);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int codes[] = {200, 202, 301, 307, 400, 401, 404, 413, 422, 429, 500, 503};
    char *parts[PARTS];
    size_t at = size > 0, lens[PARTS];
    for (int i = 0; i < PARTS; i++) {
        const char *from = (const char *)data + at;
        lens[i] = i < PARTS - 1 ? strnlen(from, size - at) : size - at;
        parts[i] = mem_strndup(lens[i] > 0 ? from : "", lens[i]);
        at += lens[i] + (at + lens[i] < size);
    }
    try_host(parts[0], parts[1]);
    try_settings(parts[2], parts[3]);
    try_answer(codes[(size > 0 ? data[0] : 0) % ARRAY_LEN(codes)], (struct str){parts[4], lens[4]});
    for (int i = 0; i < PARTS; i++) {
        mem_free(parts[i]);
    }
    return 0;
}
