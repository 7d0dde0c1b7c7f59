// decode_support: a decoder with the usual options and one message to put through it, for the
// tables of test_decode*.c. Every message goes through the oracle too.
#pragma once

#include "support/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "both.h"
#include "support/quiet.h"

struct fixture {
    struct both both;
    struct event event;
    struct err err;
};

static inline int decode_setup(void **state) {
    struct fixture *f = mem_zalloc(1, sizeof *f);
    both_init(&f->both, &plain_decode);
    *state = f;
    return 0;
}

static inline int decode_teardown(void **state) {
    struct fixture *f = *state;
    both_fini(&f->both);
    mem_free(f);
    return 0;
}

// A deleted record has no text.
static inline const char *shown(struct str text) {
    return text.p == NULL ? "" : text.p;
}

// Decodes and compares with the oracle; the event is that of the agent's decoder.
static inline enum status decode_wanted(struct fixture *f, struct str text,
                                        const struct idmap *wanted) {
    const char *different = both_decode(&f->both, text, text.len, wanted);
    if (different != NULL) {
        print_error("the decoders differ: %s\n%.*s\n", different, (int)text.len, shown(text));
        fail();
    }
    return decoder_decode(f->both.decoder, text, text.len, wanted, &f->event, &f->err);
}

static inline const struct event *decode_ok(struct fixture *f, const char *text) {
    assert_int_equal(decode_wanted(f, str_of(text), NULL), ST_OK);
    return &f->event;
}

static inline void decode_refused(struct fixture *f, struct str text, enum decode_error error) {
    assert_int_equal(decode_wanted(f, text, NULL), ST_SKIP);
    if (decoder_last_error(f->both.decoder) != error) {
        print_error("%.*s\n", (int)(text.len < 200 ? text.len : 200), shown(text));
    }
    assert_int_equal(decoder_last_error(f->both.decoder), error);
}

#define assert_text(text, literal) assert_true(str_eq((text), str_of(literal)))
