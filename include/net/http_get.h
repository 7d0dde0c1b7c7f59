// http_get: one blocking GET over a plain socket, for asking an agent on this machine how it is.
// Called by the command healthcheck; knows no TLS and no redirect.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { HTTP_GET_BODY_MAX = 65536 };

// GETs "http://host[:port]/path". ST_OK: *code is the answer's status and its body (at most
// HTTP_GET_BODY_MAX bytes) is appended. ST_RETRY: no answer within `timeout_ms` in all.
// ST_FATAL: not such a URL.
enum status http_get(const char *url, int timeout_ms, int *code, struct buf *body,
                     struct err *err) MUST_USE;

// The URL of /readyz for an address of http.listen; an address that means "every" is asked on the
// loopback. False if `listen` is empty or no address.
bool http_get_ready_url(const char *listen, char *out, size_t cap);
