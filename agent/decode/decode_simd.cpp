// decode_simd: the decoder itself: its buffers and its errors. See decode.h; a message is read from
// decode_top.cpp on.
#include "decoder.h"

#include <cstdlib>
#include <cstring>
#include <new>

extern "C" {
#include "base/check.h"
}

using namespace decode;

// A parser that had to grow beyond this for one message is given up for a new one.
static constexpr size_t KEEP_BYTES = 4 << 20;
static_assert(DECODE_PADDING >= simdjson::SIMDJSON_PADDING,
              "too little is readable behind a value");
static_assert(DECODE_PADDING >= key::BYTES, "keys are compared beyond their end");

extern "C" struct decoder *decoder_new(const struct decode_options *options) {
    decoder *d = new (std::nothrow) decoder();
    require(d != nullptr);
    d->max_bytes = options->max_bytes;
    d->event_key = str_of(options->wrapper_event_key);
    d->app_key = str_of(options->wrapper_app_key);
    d->attempt_key = str_of(options->wrapper_attempt_key);
    d->c.more_properties = options->more_properties;
    d->c.more_property_count = options->more_property_count;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        decoder_init_missing(&d->missing[kind], static_cast<event_kind>(kind));
    }
    return d;
}

extern "C" void decoder_free(struct decoder *decoder) {
    if (decoder != nullptr) {
        mem_free(decoder->padded);
        delete decoder;
    }
}

str decoder_pad(decoder *d, str text) {
    if (d->padded_cap < text.len + DECODE_PADDING) {
        d->padded_cap = (text.len + DECODE_PADDING) * 2;
        mem_free(d->padded);
        d->padded = static_cast<char *>(mem_alloc(d->padded_cap));
    }
    if (text.len > 0) {
        memcpy(d->padded, text.p, text.len);
    }
    memset(d->padded + text.len, 0, DECODE_PADDING);
    return {d->padded, text.len};
}

status decoder_refuse(decoder *d, decode_error error, struct err *err) {
    static const char *const words[] = {
        "not valid JSON",
        "not an event: no \"Event\" in it",
        "the event lacks the id that says what it is about",
        "larger than input.max_message_bytes",
        "nested too deeply",
    };
    d->error = error;
    return err_set(err, ST_SKIP, "%s", words[error]);
}

extern "C" enum event_kind decode_sniff(struct str value) {
    const struct str head = str_of("{\"Event\":\"");
    if (!str_starts(value, head)) {
        return EVENT_OTHER;
    }
    const char *name = value.p + head.len;
    size_t left = value.len - head.len < 128 ? value.len - head.len : 128;
    const char *end = static_cast<const char *>(memchr(name, '"', left));
    return end == nullptr ? EVENT_OTHER : event_kind_of({name, static_cast<size_t>(end - name)});
}

static void reset(decoder *d, const idmap *wanted, event *out) {
    context &c = d->c;
    memcpy(out, &d->missing[EVENT_OTHER], sizeof *out);
    c.out = out;
    c.wanted = wanted;
    c.broken = c.has_info = false;
    c.app_id_rank = c.attempt_rank = RANK_NONE;
    memset(c.words, 0, sizeof c.words);
    c.properties.len = c.ids.len = c.accums.len = c.nodes.len = c.metrics.len = 0;
}

// One huge message must not leave its memory behind for the life of the decoder.
static void shrink(decoder *d, size_t next_bytes) {
    if (next_bytes > KEEP_BYTES) {
        return;
    }
    if (d->outer.capacity() > KEEP_BYTES) {
        d->outer = simdjson::ondemand::parser{};
    }
    if (d->inner.capacity() > KEEP_BYTES) {
        d->inner = simdjson::ondemand::parser{};
    }
    if (d->padded_cap > 2 * (KEEP_BYTES + DECODE_PADDING)) {
        mem_free(d->padded);
        d->padded = nullptr;
        d->padded_cap = 0;
    }
}

extern "C" enum status decoder_decode(struct decoder *d, struct str value, size_t readable,
                                      const struct idmap *wanted, struct event *out,
                                      struct err *err) {
    reset(d, wanted, out);
    if (value.len > d->max_bytes) {
        return decoder_refuse(d, DECODE_TOO_LARGE, err);
    }
    shrink(d, value.len);
    if (readable < value.len + DECODE_PADDING) {
        value = decoder_pad(d, value);
        readable = value.len + DECODE_PADDING;
    }
    return decoder_text(d, d->outer, value, readable, false, err);
}

extern "C" enum decode_error decoder_last_error(const struct decoder *decoder) {
    return decoder->error;
}
