// signature: a request that its receiver can tell from a stranger's: HMAC-SHA256 (RFC 2104) of what
// is sent, under a key that both know. The only room that knows libcrypto is net.
#pragma once

#include <stdint.h>

#include "base/str.h"

enum { SIGNATURE_TEXT_SIZE = 128 };

// Writes "t=SECONDS,v1=HEX", where HEX is the HMAC-SHA256, in lower case, of the seconds in
// decimal, a full stop and the body; the time is under the signature, too, so that a receiver can
// refuse what is old. `key` is not empty; `unix_s` is wall time, not negative.
void signature_of(struct str key, struct str body, int64_t unix_s, char out[SIGNATURE_TEXT_SIZE]);
