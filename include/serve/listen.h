// listen: the text of http.listen: what it means, how it is listened on, and where who listens
// there is asked from the same machine. Called by the web server, by the check of the settings and
// by the command healthcheck. An address is host:port without a scheme, so it is no URL:
// "127.0.0.1:9571", "[::1]:9571", "localhost:9571", or ":9571" for every address, IPv4 and IPv6; a
// host is a number or localhost, never a name to look up; port 0 takes any free one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// True if `text` is such an address.
bool listen_good(const char *text);

// Writes "host:port" at which a listener on `text` answers on this machine: the address itself, or
// the loopback where it means every address. False if it is none, or longer than `cap`.
bool listen_local(const char *text, char *out, size_t cap);

// Opens the socket; *fd is the caller's to close, *port is what the system gave. With words that
// name the address and what to do about it: ST_FATAL if it is none, or a port that is not allowed;
// ST_RETRY if it may be there later: a port that is taken, an address the machine does not have
// (yet).
enum status listen_open(const char *text, int *fd, uint16_t *port, struct err *err) MUST_USE;
