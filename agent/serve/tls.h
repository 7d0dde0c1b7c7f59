// tls: the certificate by which the agent's pages are served, and whose certificates clients must
// show. Private to serve. Files are read again when they change, while connections go on: a
// certificate that was renewed is taken without a restart; one that cannot be read is not, and the
// old one stays. Must never keep more than two keys, nor say a word of one.
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "serve/http.h"

struct MHD_Connection;
struct tls;

// Reads the files. ST_FATAL names the one that is not good.
enum status tls_new(const struct http_web *web, struct tls **out, struct err *err) MUST_USE;
void tls_free(struct tls *tls); // takes NULL

// The authorities that clients' certificates must hold against (PEM, owned by tls); NULL: none is
// asked for.
const char *tls_client_authorities(const struct tls *tls);
// True if this client showed a certificate that holds, or none is asked for.
bool tls_client_holds(const struct tls *tls, struct MHD_Connection *connection);

// This thread serves with these from now on: the library's callback has no other way to find them.
void tls_enter(struct tls *tls);
// What the library calls for each handshake (gnutls_certificate_retrieve_function2).
void *tls_callback(void);
