// listen: from the text of http.listen to a listening socket. Called by http.c.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

union listen_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// Fills *out from "host:port"; *both is set where the host is left out: every address, IPv4 too.
// False if the text is none.
bool listen_parse(const char *text, union listen_address *out, bool *both);
// Opens the socket. Errors as http_new.
enum status listen_open(const char *text, int *fd, uint16_t *port, struct err *err) MUST_USE;
