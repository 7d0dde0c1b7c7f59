// http: the agent's own small web server: numbers, health, a landing page. The room serve shows
// what the agent is doing to people, to scripts and to Prometheus, and lets nothing in.
//
// Whoever has something to show renders a whole page (exposition.h, landing.h) and hands it over
// with http_publish; the server keeps the last finished page of each kind and serves that, from a
// thread of its own. So a request never waits for the agent nor the agent for a request: the one
// lock is held for pointer swaps and short copies. What always holds: only GET and HEAD get a page,
// who must say who he is gets nothing else before (but /livez and /readyz, which say a word),
// no text from outside reaches a page unescaped, a name that is not ours gets nothing, memory,
// connections and the time of each are bounded (guests.h), a new one is always let in, and whether
// the agent is alive is told from its beat, not from the server's own thread. The only user of its
// library.
//
// /metrics, /, /status; /livez (also /healthz, /-/healthy), /readyz (also /-/ready), both with
// ?verbose. All functions may be called from any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum http_page { HTTP_METRICS, HTTP_LANDING, HTTP_STATUS_JSON, HTTP_PAGE_COUNT };

// Without a beat for this long the agent is not alive.
enum { HTTP_BEAT_MAX_MS = 60000 };

// Who may ask, and how; all zero: anybody, in plain text. Texts are borrowed until http_free.
struct http_user {
    const char *name, *hash; // bcrypt, http_hash_good
};
struct http_web {
    const char *cert_file, *key_file; // PEM, read again when they change; NULL: no TLS
    const char *client_ca_file;       // PEM: clients must show a certificate of these; NULL: none
    bool tls13_only;                  // else TLS 1.2, too
    const struct http_user *users;    // NULL: no name and password is asked for
    unsigned user_count;
};

struct http;

struct http_options {
    const char *listen;       // "127.0.0.1:9571", "[::1]:9571", ":9571" (every address),
                              // "localhost:9571"; port 0 takes any free one
    const char *const *hosts; // names by which it may be asked, beside its own (hosts.h); borrowed
                              // until http_free
    unsigned host_count;
    struct http_web web;
    int64_t head_ms,
        whole_ms; // time for a request to come; to come and be answered; 0: 10 and 30 s
};

// True if the text is a bcrypt hash ("$2b$10$..."), as `htpasswd -nBC 10 NAME` makes them.
bool http_hash_good(const char *hash);

// Fails as listen_open does; ST_RETRY also if the system gives no thread; ST_FATAL names a file of
// `web` that is not good. Not ready until told so; alive from now on.
enum status http_new(const struct http_options *options, struct http **out,
                     struct err *err) MUST_USE;
// Stops the server and releases everything. Takes NULL.
void http_free(struct http *http);
// The port listened on.
uint16_t http_port(const struct http *http);

// From now on `content` is what `page` shows; copied. Until the first time the page answers 503.
void http_publish(struct http *http, enum http_page page, const struct buf *content);
// What /readyz says: `reason` is one line, shown while not ready; `details` are further lines for
// ?verbose (NULL: none). Both are copied and escaped. Sets stoker_ready.
void http_set_ready(struct http *http, bool ready, const char *reason, const char *details);
// The agent's loop has turned over; `now_ms` is clock_mono_ms().
void http_beat(struct http *http, int64_t now_ms);

// The version of the web server's library that runs now (static).
const char *http_library_version(void);
