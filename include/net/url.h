// url: an http or https URL, read by libcurl's own parser and by nothing else, so that what is
// checked, what is shown and what is asked cannot differ. No I/O; any thread.
#pragma once

#include "base/err.h"

struct url {
    char *target; // what is asked, without fragment; may hold a password: never shown
    char *shown;  // for logs and pages: no user, password, query or fragment, printable
};

// Reads `text` into *out, which the caller releases with url_fini. `below` ("/-/ready"; "" for
// nothing) is put behind the path that the URL has; `shown` is without it. ST_FATAL: not a URL of
// the form http://host:port/path; the words never repeat `text`, which may hold a password.
enum status url_parse(const char *text, const char *below, struct url *out,
                      struct err *err) MUST_USE;
// Leaves of `shown` no more than the scheme, the host and the port: where the path is a secret.
void url_hide_path(struct url *url);
// Releases the texts; takes what is zeroed or already released.
void url_fini(struct url *url);
