// both: one message through both decoders, for tests and fuzzers. What jansson accepts, the agent's
// decoder must accept and read alike; what is JSON but refused must be refused for the same reason.
// What jansson refuses as JSON, the agent's decoder may accept: it does not look at what it skips.
#pragma once

#include <stdio.h>

#include "decode/decode.h"
#include "event_equal.h"
#include "oracle.h"

struct both {
    struct decoder *decoder;
    struct oracle *oracle;
    long accepted; // by jansson
};

static inline void both_init(struct both *b, const struct decode_options *options) {
    b->decoder = decoder_new(options);
    b->oracle = oracle_new(options);
    b->accepted = 0;
}

static inline void both_fini(struct both *b) {
    decoder_free(b->decoder);
    oracle_free(b->oracle);
}

// NULL if they agree, otherwise what they do not agree on. `readable` as for decoder_decode.
static inline const char *both_decode(struct both *b, struct str text, size_t readable,
                                      const struct idmap *wanted) {
    struct event ours, theirs;
    struct err err;
    enum status our = decoder_decode(b->decoder, text, readable, wanted, &ours, &err);
    enum status their = oracle_decode(b->oracle, text, wanted, &theirs, &err);
    if (their == ST_OK) {
        b->accepted++;
        return our == ST_OK ? event_difference(&ours, &theirs) : "refused by one";
    }
    enum decode_error error = oracle_last_error(b->oracle);
    if (error == DECODE_MALFORMED) {
        return NULL;
    }
    if (our == ST_OK) {
        return "accepted by one";
    }
    if (error == DECODE_TOO_DEEP) {
        return NULL; // told before parsing: a text cut in its depths may as well be malformed
    }
    size_t first = 0;
    while (first < text.len && memchr(" \t\r\n", text.p[first], 4) != NULL) {
        first++;
    }
    if (text.p[first] != '{') {
        return NULL; // a lone number too long for a parser is either: not JSON, or not an event
    }
    return error == decoder_last_error(b->decoder) ? NULL : "refused for different reasons";
}
