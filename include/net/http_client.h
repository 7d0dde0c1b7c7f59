// http_client: the agent as a client of HTTP servers. The only room that knows libcurl is net: a
// request goes in as plain values, an answer comes out as plain values, and what kept an answer
// from coming is classed by what the caller must do.
//
// A client is one connection that is kept open between requests. What always holds, whatever a
// server says: no redirect is followed (it would carry the credentials to another host), a
// certificate is verified against the system's authorities or the given ones and against the host's
// name (or is the one that is given), only http and https are spoken, every wait is bounded, and so
// is what is read of an answer. No word of an error holds a secret.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/url.h"

// Texts are copied by http_client_new; NULL means "not set".
struct http_settings {
    int64_t timeout_ms;              // of one request in all, connecting included; > 0
    size_t answer_max_bytes;         // of an answer's body; the rest is cut off; > 0
    const char *username, *password; // basic authentication
    const char *bearer;              // or a bearer token, not both
    const char *ca_file;             // authorities to trust (PEM) instead of the system's
    // The server's own certificate (PEM), whatever its name: of an agent on this machine.
    const char *pinned_file;
    const char *user_agent;            // default "stoker"
    bool direct;                       // the environment's proxy is not asked
    const _Atomic int64_t *give_up_ms; // steady clock: a request still under way then is given up;
                                       // 0 there: none. Outlives the client; NULL: none
};

struct http_request {
    const struct url *url;
    const char *content_type; // of the body
    struct str body;          // p NULL: GET, else POST
    const char *header;       // one more of a POST, "Name: value"; NULL: none
};

struct http_answer {
    int code;        // 100 .. 999
    struct str body; // at most answer_max_bytes; the client's, until its next request
    bool cut;        // there was more
};

struct http_client;

// Sends nothing yet. Never fails.
struct http_client *http_client_new(const struct http_settings *settings);
void http_client_free(struct http_client *client); // takes NULL

// Sends the request and waits for the answer; one thread at a time. ST_OK: there is one, whatever
// its code. ST_RETRY: there is none (no connection, a certificate that does not hold, no answer in
// time), with the reason in printable words. ST_ABORT: given up at give_up_ms.
enum status http_client_send(struct http_client *client, const struct http_request *request,
                             struct http_answer *answer, struct err *err) MUST_USE;

// The version of libcurl that runs now (static).
const char *net_library_version(void);
