// signature: see the header. Called by the alert doors. Must never keep a key.
#include "net/signature.h"

#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/check.h"

enum { SHA256_BYTES = 32 };

void signature_of(struct str key, struct str body, int64_t unix_s, char out[SIGNATURE_TEXT_SIZE]) {
    require(key.len > 0 && key.len <= INT32_MAX && unix_s >= 0);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text = {0};
    buf_printf(&text, "%" PRId64 ".", unix_s);
    buf_add_str(&text, body);
    require(HMAC(EVP_sha256(), key.p, (int)key.len, (const unsigned char *)text.data, text.len,
                 digest, &len) != NULL &&
            len == SHA256_BYTES);
    buf_fini(&text);
    int at = snprintf(out, SIGNATURE_TEXT_SIZE, "t=%" PRId64 ",v1=", unix_s);
    for (unsigned i = 0; i < len; i++) {
        at += snprintf(out + at, (size_t)(SIGNATURE_TEXT_SIZE - at), "%02x", digest[i]);
    }
}
